"""Along which axis an operation lets rotations of each of its qubits pass."""

from __future__ import annotations

from typing import Any

import numpy as np

from qsim.ir.operation import Gate, GateRow
from transpile.synthesis.kak import PAULIS

__all__ = ["axes_of", "is_symmetric"]

MAX_QUBITS = 3

_axes: dict[str, tuple[str, ...]] = {}
_symmetric: dict[str, bool] = {}


def axes_of(operation: Any) -> tuple[str, ...]:
    """For each qubit "z", "x" or "y" where every rotation about that axis commutes with the operation, else "".

    Worked out once per row of the gate table, from its matrix at angles that nothing is special about.

    Example:
        >>> from qsim.ir.gates import gate
        >>> axes_of(gate("cx")), axes_of(gate("rzz", 0.5)), axes_of(gate("h"))
        (('z', 'x'), ('z', 'z'), ('',))
    """
    if type(operation) is not Gate:
        return ("",) * operation.num_qubits
    row = operation.row
    found = _axes.get(row.name)
    if found is None:
        found = _axes[row.name] = _found(row)
    return found


def is_symmetric(operation: Any) -> bool:
    """True for a two-qubit gate of the table that is the same with its qubits exchanged."""
    if type(operation) is not Gate or operation.row.num_qubits != 2:
        return False
    row = operation.row
    if row.name not in _symmetric:
        matrix = _matrix(row)
        order = [0, 2, 1, 3]
        _symmetric[row.name] = bool(np.allclose(matrix, matrix[order][:, order]))
    return _symmetric[row.name]


def _matrix(row: GateRow) -> np.ndarray:
    return np.asarray(row.matrix(np, *[0.7 + 0.41 * k for k in range(len(row.params))]), complex)


def _found(row: GateRow) -> tuple[str, ...]:
    k = row.num_qubits
    if k > MAX_QUBITS:
        return ("",) * k
    matrix = _matrix(row)
    axes = []
    for place in range(k):
        axis = ""
        for letter, pauli in (("z", PAULIS[3]), ("x", PAULIS[1]), ("y", PAULIS[2])):
            wide = np.kron(np.kron(np.eye(1 << place), pauli), np.eye(1 << (k - 1 - place)))
            if np.allclose(wide @ matrix, matrix @ wide):
                axis = letter
                break
        axes.append(axis)
    return tuple(axes)
