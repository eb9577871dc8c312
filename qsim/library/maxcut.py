"""Problems on graphs as diagonal costs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from qsim._errors import ObservableError
from qsim.ir.pauli import PauliSum
from qsim.library.lattice import Edge, check_edges


def maxcut(edges: Iterable[Edge | Sequence[Any]], weights: Any = None) -> PauliSum:
    """Minus the weight of a cut, H = sum_(a,b) w_ab (Z_a Z_b - 1) / 2: its ground state is the maximum cut.

    Args:
        edges: pairs (a, b) of nodes, numbered from 0, or triples (a, b, weight). Those of a
            networkx graph are `graph.edges` where its nodes are so numbered.
        weights: one number per edge, or a JAX array of them; None is 1 each, or the triples'.

    Raises:
        ObservableError: edges that are neither, or another number of weights.

    Example:
        >>> from qsim.library import maxcut
        >>> triangle = maxcut([(0, 1), (1, 2), (0, 2)])
        >>> triangle
        0.5*Z(0)@Z(1) + 0.5*Z(1)@Z(2) + 0.5*Z(0)@Z(2) - 1.5*I()
        >>> round(triangle.ground_state()[0], 6)
        -2.0
    """
    try:
        rows = [tuple(edge) for edge in edges]
    except TypeError:
        raise ObservableError(f"Argument `edges` must be pairs such as [(0, 1), (1, 2)], but is {edges!r}.") from None
    if weights is None and rows and all(len(row) == 3 for row in rows):
        weights, rows = [row[2] for row in rows], [row[:2] for row in rows]
    pairs = check_edges(rows, 1 << 31, ObservableError)
    strings = [((min(pair), "Z"), (max(pair), "Z")) for pair in pairs]
    weights = np.ones(len(pairs)) if weights is None else weights
    if getattr(weights, "shape", None) is None:
        weights = list(weights) if isinstance(weights, Iterable) else weights
    half = 0.5 * PauliSum(strings, weights)
    return half + PauliSum([()], -half.coefficients.sum().reshape(1))
