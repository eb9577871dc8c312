"""The slow way to a circuit's matrix, and random operations: what the tests of `qsim.ir` compare with."""

from __future__ import annotations

import numpy as np

from qsim import Circuit
from qsim.ir.expand import expand
from qsim.ir.operation import Barrier


def unitary_of(circuit: Circuit) -> np.ndarray:
    """The matrix (2^n, 2^n) of a circuit, one tensordot per operation; qubit 0 most significant."""
    n = circuit.num_qubits
    out = np.eye(1 << n, dtype=complex).reshape((2,) * n + (-1,))
    plain = expand(circuit, lambda op: hasattr(op, "matrix") or isinstance(op, Barrier))
    for i in plain.instructions:
        if not isinstance(i.operation, Barrier):
            k = len(i.qubits)
            matrix = np.asarray(i.operation.matrix(np)).reshape((2,) * (2 * k))
            out = np.moveaxis(np.tensordot(matrix, out, (range(k, 2 * k), i.qubits)), range(k), i.qubits)
    return out.reshape(1 << n, 1 << n)


def random_unitary(rng: np.random.Generator, num_qubits: int) -> np.ndarray:
    size = 1 << num_qubits
    q, r = np.linalg.qr(rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size)))
    return q * (np.diag(r) / np.abs(np.diag(r)))


def random_state(rng: np.random.Generator, num_qubits: int) -> np.ndarray:
    state = rng.normal(size=1 << num_qubits) + 1j * rng.normal(size=1 << num_qubits)
    return state / np.linalg.norm(state)
