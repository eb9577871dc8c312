"""What goes to every other framework and back: gates of the table and high-level operations, on qubits out of order."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from ir_oracle import random_unitary

from qsim import Circuit, I, X, Y, Z, gates, ops
from qsim.ir.table import GateRow

PLACES = [4, 2, 0, 3, 1]
EVOLVED = X(0) @ Y(1) + 0.5 * Z(2) + 0.3 * Y(0) + 0.2 * I()
HIGH = {
    "qft": ops.QFT(3),
    "permutation": ops.Permutation([1, 2, 3, 0]),
    "permutation of qubits": ops.Permutation.of_qubits([2, 0, 1]),
    "diagonal": ops.Diagonal(np.exp(1j * np.arange(8))),
    "unitary": ops.Unitary(random_unitary(np.random.default_rng(5), 3)),
    "unitary on nothing": ops.Unitary([[1j]]),
    "diagonal on nothing": ops.Diagonal([1j]),
    "prepare": ops.PrepareState([0.6, 0, 0, 0.8j]),
    "clifford": ops.Clifford([[0, 1, 0], [1, 0, 0]]),
    "evolution": ops.PauliEvolution(EVOLVED, 0.3),
    "evolution of order 2": ops.PauliEvolution(EVOLVED, 0.3, 2, 2),
}


def placed(operation) -> Circuit:
    """An operation alone on 5 qubits."""
    return Circuit(5).append(operation, PLACES[: operation.num_qubits])


def circuits_of_gate(row: GateRow) -> Iterator[Circuit]:
    """A gate of the table as it is, and under controls."""
    gate = gates.gate(row.name, *[0.3 + 0.4 * k for k in range(len(row.params))])
    yield Circuit(4).append(gate, [3, 1, 2][: row.num_qubits])
    for count, state in ((1, None), (1, "0"), (2, "01")):
        yield placed(ops.controlled(gate, count, state))


def circuits_of(name: str) -> Iterator[Circuit]:
    """A high-level operation, its inverse, and the operation under controls."""
    for operation in (HIGH[name], ops.inverse(HIGH[name]), ops.controlled(HIGH[name], 2, "01")):
        yield placed(operation)
