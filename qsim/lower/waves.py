"""Matrices of one angle as waves: A + cos(w t) C + sin(w t) S, the same few constants for every gate of a kind."""

from __future__ import annotations

from typing import Any

import numpy as np

from qsim.ir.controlled import split_controls
from qsim.ir.gates import terms
from qsim.ir.table import Gate
from qsim.lower.forms import is_ours

TOLERANCE = 1e-12
PAULIS = {"I": terms.I, "X": terms.X, "Y": terms.Y, "Z": terms.Z}


def wave_of(operation: Any) -> tuple[float, np.ndarray] | None:
    """(w, the matrices A, C and S (3, d, d)) of a gate of the table with one angle; None where it is no such sum.

    Its spectrum says which frequency is to be tried; the sum is compared with the matrix at other angles. Operations
    that are no gates of the table, controlled or not, are not asked for their matrix at angles they were not given.
    """
    base = split_controls(operation)[0]
    if not isinstance(base, Gate) or not is_ours(base) or len(operation.params) != 1:
        return None
    frequencies = {abs(w) for spectrum in operation.spectra for w in spectrum} - {0.0}
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


def pauli_wave(letters: str) -> np.ndarray:
    """The same of exp(-i t P) for at most two letters of P, as matrices on two qubits: (3, 4, 4)."""
    first, second = (PAULIS[letter] for letter in letters.ljust(2, "I"))
    return np.stack([np.zeros((4, 4)), np.eye(4), -1j * np.kron(first, second)])


def widened(matrices: Any, num_qubits: int) -> Any:
    """Matrices (..., d, d) of NumPy or JAX on `num_qubits` qubits: the identity on the less significant ones."""
    *batch, size, _ = matrices.shape
    extra = (1 << num_qubits) // size
    if extra == 1:
        return matrices
    eye = np.eye(extra, dtype=matrices.dtype)
    out = matrices.reshape(*batch, size, 1, size, 1) * eye[:, None, :]
    return out.reshape(*batch, size * extra, size * extra)
