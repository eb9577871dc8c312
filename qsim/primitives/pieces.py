"""PUBs taken apart for backends where every measurement counts, and put together again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from qsim._typing import Array
from qsim.primitives.bindings import BindingsArray
from qsim.primitives.groups import rows_of
from qsim.primitives.observables import ObservablesArray
from qsim.primitives.pub import EstimatorPub


@dataclass(frozen=True, eq=False, slots=True)
class Piece:
    """A PUB, or the points of one at which the same observables are asked for.

    Attributes:
        number: which PUB it is of. pub: what is run.
        entries: the entries of the whole PUB that it has; None where it is the whole.
        taken: for each of these the place among its own entries.
    """

    number: int
    pub: EstimatorPub
    entries: np.ndarray | None = None
    taken: np.ndarray | None = None


def pieces_of(number: int, pub: EstimatorPub) -> list[Piece]:
    """A PUB as pieces in which every observable is asked for at every point.

    Where observables and values are zipped, each point is measured for its own observables alone.
    """
    values, many = pub.parameter_values, len(pub.sums)
    if values.size < 2 or many < 2:
        return [Piece(number, pub)]
    points = np.broadcast_to(np.arange(values.size).reshape(values.shape), pub.shape).reshape(-1)
    which = np.broadcast_to(np.arange(many).reshape(pub.observables.shape), pub.shape).reshape(-1)
    asked = np.zeros((values.size, many), bool)
    asked[points, which] = True
    kinds, kind = np.unique(asked, axis=0, return_inverse=True)
    if len(kinds) == 1:
        return [Piece(number, pub)]
    rows, labels = rows_of(pub), pub.signature.labels
    pieces = []
    for place, row in enumerate(kinds):
        mine, sums = np.flatnonzero(kind.reshape(-1) == place), np.flatnonzero(row)
        part = object.__new__(type(pub))
        part.circuit, part.signature, part.precision = pub.circuit, pub.signature, pub.precision
        part.parameter_values = BindingsArray.of({labels: rows[mine][:, None]}, (len(mine), 1))
        part.sums = [pub.sums[i] for i in sums]
        part.observables, part.shape = ObservablesArray(part.sums), (len(mine), len(sums))
        entries = np.flatnonzero(np.isin(points, mine))
        taken = np.searchsorted(mine, points[entries]) * len(sums) + np.searchsorted(sums, which[entries])
        pieces.append(Piece(number, part, entries, taken))
    return pieces


def together(parts: Sequence[tuple[Piece, Array]]) -> Array:
    """The entries of a whole PUB in order, from those of its pieces."""
    whole: Any = np.concatenate([np.asarray(piece.entries) for piece, _ in parts])
    xp = jnp if any(isinstance(array, jax.Array) for _, array in parts) else np
    return xp.concatenate([array[piece.taken] for piece, array in parts])[np.argsort(whole)]
