"""Layered circuits of one-qubit rotations and entangling gates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from qsim._checks import check_int
from qsim._errors import CircuitError
from qsim.ir.circuit import Circuit
from qsim.ir.operation import Gate, row_of
from qsim.ir.parameter import ParameterVector
from qsim.library.lattice import Edge, chain_edges, check_edges


def hardware_efficient(num_qubits: int, layers: int, periodic: bool = False, name: str = "theta") -> Circuit:
    """Layers of RY and RZ on every qubit, each closed by a chain of CZ.

    Layer l applies rz(theta[l, 1, q]) ry(theta[l, 0, q]) to each qubit q, then cz(q, q+1) for
    every q. Reference: Kandala et al., DOI 10.1038/nature23879.

    Args:
        num_qubits: how many qubits, 1 or more. layers: how many layers.
        periodic: True to close the chain to a ring (from 3 qubits on).
        name: the name of the `ParameterVector`, of shape (layers, 2, num_qubits), radians.

    Raises:
        CircuitError: no qubits, or a negative number of layers.

    Example:
        >>> from qsim.library import hardware_efficient
        >>> circuit = hardware_efficient(4, layers=2)
        >>> circuit.count_ops(), circuit.parameter_shapes()
        ({'ry': 8, 'rz': 8, 'cz': 6}, {'theta': (2, 2, 4)})
    """
    _check_sizes("hardware_efficient", num_qubits, layers)
    theta = ParameterVector(name, (layers, 2, num_qubits))
    circuit = Circuit(num_qubits)
    for layer in range(layers):
        circuit.ry(theta[layer, 0], range(num_qubits)).rz(theta[layer, 1], range(num_qubits))
        for qubit in range(num_qubits - 1):
            circuit.cz(qubit, qubit + 1)
        if periodic and num_qubits > 2:
            circuit.cz(num_qubits - 1, 0)
    return circuit


def two_local(
    num_qubits: int,
    layers: int,
    rotations: Sequence[str] = ("ry",),
    entangler: str = "cx",
    *,
    edges: Iterable[Edge] | None = None,
    names: tuple[str, str] = ("theta", "phi"),
) -> Circuit:
    """Layers of one-qubit gates and of two-qubit gates in turn, closed by one more layer of one-qubit gates.

    With rotations ("ry", "rz") and "cx" it is known as EfficientSU2, with "ry" as RealAmplitudes.
    Reference: Kandala et al., doi:10.1038/nature23879.

    Args:
        num_qubits: how many qubits, 1 or more. layers: how many entangling layers.
        rotations: names of one-qubit gates, applied in this order.
        entangler: the name of a two-qubit gate.
        edges: the pairs it is applied to, in this order; None is the chain (0, 1), (1, 2), ...;
            `complete_edges(n)` is all of them.
        names: those of the angles of the rotations, of shape (layers + 1, P, num_qubits) for P
            angles of all `rotations` together, and of the entanglers, of shape (layers, edges) or, where
            each has more than one angle, (layers, edges, angles); radians. One without angles has no vector.

    Raises:
        CircuitError: an unknown gate, one on another number of qubits, or a number or edge that cannot be.

    Example:
        >>> from qsim.library import two_local
        >>> two_local(3, layers=2, rotations=["ry", "rz"], entangler="cz").parameter_shapes()
        {'theta': (3, 2, 3)}
    """
    _check_sizes("two_local", num_qubits, layers)
    if not isinstance(rotations, Sequence):
        raise CircuitError(f"Argument `rotations` must be names of gates such as ('ry', 'rz'), but is {rotations!r}.")
    turns = [_row("rotations", g, 1) for g in ([rotations] if isinstance(rotations, str) else rotations)]
    joins = _row("entangler", entangler, 2)
    pairs = chain_edges(num_qubits) if edges is None else check_edges(edges, num_qubits, CircuitError)
    theta = ParameterVector(names[0], (layers + 1, sum(len(row.params) for row in turns), num_qubits))
    each = len(joins.params)
    phi = ParameterVector(names[1], (layers, len(pairs)) + ((each,) if each > 1 else ()))
    circuit = Circuit(num_qubits)
    for layer in range(layers + 1):
        used = 0
        for row in turns:
            for q in range(num_qubits):
                angles = tuple(theta[layer, used + k, q] for k in range(len(row.params)))
                circuit.append(Gate(row, angles), q)
            used += len(row.params)
        for e, pair in enumerate(pairs if layer < layers else ()):
            circuit.append(Gate(joins, tuple(phi[layer, e]) if each > 1 else (phi[layer, e],) * each), pair)
    return circuit


def strongly_entangling(
    num_qubits: int, layers: int, ranges: Sequence[int] | None = None, name: str = "theta"
) -> Circuit:
    """Layers of any rotation on every qubit and a ring of CX over a distance that changes from layer to layer.

    Layer l applies rz(theta[l, q, 2]) ry(theta[l, q, 1]) rz(theta[l, q, 0]) to each qubit q, then
    cx(q, q + r_l mod num_qubits) for every q. Reference: Schuld et al., arXiv:1804.00633.

    Args:
        num_qubits: how many qubits, 1 or more. layers: how many layers.
        ranges: r_l for each layer, from 1 to num_qubits - 1; None is 1, 2, ..., num_qubits - 1, 1, ...
        name: the name of the `ParameterVector`, of shape (layers, num_qubits, 3), radians.

    Raises:
        CircuitError: no qubits, a negative number of layers, or ranges that cannot be.

    Example:
        >>> from qsim.library import strongly_entangling
        >>> strongly_entangling(3, layers=2).count_ops()
        {'rz': 12, 'ry': 6, 'cx': 6}
    """
    _check_sizes("strongly_entangling", num_qubits, layers)
    if ranges is None:
        distances = [1 + layer % max(num_qubits - 1, 1) for layer in range(layers)]
    else:
        distances = [check_int("ranges", r, CircuitError, minimum=1) for r in np.ravel(np.asarray(ranges, object))]
        if len(distances) != layers or max(distances, default=1) >= max(num_qubits, 2):
            raise CircuitError(
                f"Argument `ranges` must be {layers} numbers from 1 to {num_qubits - 1}, one per layer, but is "
                f"{distances}."
            )
    theta = ParameterVector(name, (layers, num_qubits, 3))
    circuit, qubits = Circuit(num_qubits), range(num_qubits)
    for layer, distance in enumerate(distances):
        angles = theta[layer]
        circuit.rz(angles[:, 0], qubits).ry(angles[:, 1], qubits).rz(angles[:, 2], qubits)
        for q in qubits if num_qubits > 1 else ():
            circuit.cx(q, (q + distance) % num_qubits)
    return circuit


def _check_sizes(what: str, num_qubits: Any, layers: Any) -> None:
    if check_int("num_qubits", num_qubits, CircuitError) < 1 or check_int("layers", layers, CircuitError) < 0:
        raise CircuitError(f"{what}: needs 1 qubit or more, but has {num_qubits}.")


def _row(argument: str, name: Any, num_qubits: int) -> Any:
    """The gate table's row `name`, which must be for that many qubits."""
    try:
        row = row_of(name)
    except (KeyError, TypeError):
        raise CircuitError(f"Argument `{argument}` names no gate: {name!r}. Gates are those of `qsim.gates`.") from None
    if row.num_qubits != num_qubits:
        raise CircuitError(
            f"Argument `{argument}` must name gates on {num_qubits} qubit{'s' * (num_qubits > 1)}, but {name} acts on "
            f"{row.num_qubits}."
        )
    return row
