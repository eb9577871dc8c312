"""Circuits that the tests of the transpiler share."""

from __future__ import annotations

import numpy as np

from qsim import Circuit, Parameter
from qsim.ir.operation import Gate, rows


def random_unitaries(size: int, number: int, seed: int) -> np.ndarray:
    """Random unitaries (number, size, size), by QR of Gaussian matrices."""
    rng = np.random.default_rng(seed)
    matrices = rng.normal(size=(number, size, size)) + 1j * rng.normal(size=(number, size, size))
    q, r = np.linalg.qr(matrices)
    diagonal = np.einsum("bii->bi", r)
    return q * (diagonal / np.abs(diagonal))[:, None, :]


def random_circuit(
    num_qubits: int, size: int, seed: int, *, max_qubits: int = 2, parameters: int = 0, one_qubit: float = 0.5
) -> Circuit:
    """Random gates of the table on random qubits, some of them with multiples of pi/4 as angles.

    Args:
        max_qubits: the largest gates.
        parameters: angles are one of so many open parameters, or expressions of them, one time in three.
        one_qubit: the share of one-qubit gates.
    """
    rng = np.random.default_rng(seed)
    table = {k: [r for r in rows() if r.num_qubits == k] for k in range(1, max_qubits + 1)}
    names = [Parameter(f"p{i}") for i in range(parameters)]

    def angle():
        if names and rng.random() < 1 / 3:
            parameter = names[rng.integers(len(names))]
            return parameter if rng.random() < 0.5 else float(rng.integers(-3, 4)) * parameter + 0.25
        return float(rng.integers(-8, 9) * np.pi / 4 if rng.random() < 0.5 else rng.uniform(-7, 7))

    circuit = Circuit(num_qubits)
    for _ in range(size):
        k = 1 if rng.random() < one_qubit else int(rng.integers(2, max_qubits + 1))
        row = table[k][rng.integers(len(table[k]))]
        circuit.append(Gate(row, tuple(angle() for _ in row.params)), rng.choice(num_qubits, k, replace=False).tolist())
    return circuit


def num_two_qubit(circuit: Circuit) -> int:
    """How many operations on two or more qubits there are, barriers aside."""
    return sum(len(i.qubits) > 1 and i.operation.name != "barrier" for i in circuit.instructions)
