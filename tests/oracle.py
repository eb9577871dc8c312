"""An independent simulator for the tests: one tensordot per operation, NumPy only."""

from __future__ import annotations

from typing import Any

import numpy as np

from qsim import Circuit

SKIPPED = {"barrier", "measure"}


def statevector(circuit: Circuit, initial: Any = None) -> np.ndarray:
    """The final amplitudes (2^n,), complex128, of a circuit without open parameters."""
    n = circuit.num_qubits
    psi = np.zeros(2**n, complex)
    psi[0] = 1
    if initial is not None:
        psi = np.asarray(initial, complex)
    psi = psi.reshape((2,) * n)
    for i in circuit.instructions:
        if i.operation.name in SKIPPED:
            continue
        k = i.operation.num_qubits
        matrix = np.asarray(i.operation.matrix(np)).reshape((2,) * (2 * k))
        psi = np.moveaxis(np.tensordot(matrix, psi, (range(k, 2 * k), i.qubits)), range(k), i.qubits)
    return psi.reshape(-1)
