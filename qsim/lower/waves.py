"""Matrices of one angle as waves: A + cos(w t) C + sin(w t) S, the same few constants for every gate of a kind."""

from __future__ import annotations

from typing import Any

import numpy as np

TOLERANCE = 1e-12
_P = [np.eye(2), np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1, -1])]
PAULI_PAIRS = np.array([[np.kron(a, b) for b in _P] for a in _P]).reshape(16, 4, 4)
"""Two-qubit Paulis by 4 * first + second, in the order I X Y Z."""


def wave_of(operation: Any) -> tuple[float, np.ndarray] | None:
    """(w, the matrices A, C and S (3, d, d)) of an operation of one angle; None where it is no such sum.

    Its spectrum says which frequency is to be tried; the sum is compared with the matrix at other angles.
    """
    spectra = getattr(operation, "spectra", None)
    if spectra is None or len(operation.params) != 1 or getattr(operation, "arrays", ()) or spectra[0] is None:
        return None
    frequencies = {abs(w) for w in spectra[0]} - {0.0}
    if len(frequencies) != 1:
        return None
    (w,) = frequencies

    def at(phase: float) -> np.ndarray:
        return np.asarray(operation.replace((phase / w,)).matrix(np), complex)

    start, opposite, quarter = at(0.0), at(np.pi), at(np.pi / 2)
    mean = (start + opposite) / 2
    parts = np.round([mean, (start - opposite) / 2, quarter - mean], 15)  # cos(pi / 2) is not quite 0 in floats
    for phase in (0.7, -1.9, 5.3):
        if not np.allclose(wave(parts, phase), at(phase), rtol=0, atol=TOLERANCE):
            return None
    return w, parts


def wave(parts: np.ndarray, phase: float) -> np.ndarray:
    """The matrix at w t = `phase`."""
    return parts[0] + np.cos(phase) * parts[1] + np.sin(phase) * parts[2]


def pauli_wave(pauli: int) -> np.ndarray:
    """The same of exp(-i t P), P by its place in `PAULI_PAIRS`: (3, 4, 4)."""
    return np.stack([np.zeros((4, 4)), np.eye(4), -1j * PAULI_PAIRS[pauli]])


def widened(matrices: np.ndarray, num_qubits: int) -> np.ndarray:
    """Matrices (..., d, d) as matrices on `num_qubits` qubits: the identity on the less significant ones."""
    extra = (1 << num_qubits) // matrices.shape[-1]
    return np.kron(matrices, np.eye(extra))
