"""Matrices and ground states of Pauli sums, on the host.

Terms with the same x bits fill the same places of the matrix: P|c> = i^|x & z| (-1)^(z.c) |c ^ x>.
So for each x one vector over c is needed, and it is a Walsh-Hadamard transform of the coefficients
over z: n 2^n operations, whatever the number of terms.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from qsim._checks import check_memory

DENSE_QUBITS = 6


def diagonals(x: np.ndarray, z: np.ndarray, coefficients: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """For each distinct x, as an int, the vector d (2^n,) with <c ^ x| H |c> = d[c].

    Args:
        x, z: the bits of the terms, (T, n), qubit 0 most significant.
        coefficients: (T,) real or complex.
    """
    n = x.shape[1]
    place = 1 << np.arange(n - 1, -1, -1, dtype=np.int64)
    xs, zs = x.astype(np.int64) @ place, z.astype(np.int64) @ place
    phased = coefficients * np.array([1, 1j, -1, -1j])[(x & z).sum(axis=1) % 4]
    for mask in np.unique(xs).tolist():
        here = xs == mask
        vector = np.zeros(1 << n, dtype=np.complex128)
        np.add.at(vector, zs[here], phased[here])
        for bit in range(n):
            pairs = vector.reshape(1 << bit, 2, -1)
            pairs[:, 0], pairs[:, 1] = pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]
        yield mask, vector


def dense(x: np.ndarray, z: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """The matrix (2^n, 2^n), complex128."""
    n = x.shape[1]
    check_memory(f"The dense matrix of a Pauli sum on {n} qubits", 16 << 2 * n, fix="Try to_sparse().")
    matrix = np.zeros((1 << n, 1 << n), dtype=np.complex128)
    columns = np.arange(1 << n)
    for mask, vector in diagonals(x, z, coefficients):
        matrix[columns ^ mask, columns] = vector
    return matrix


def sparse(x: np.ndarray, z: np.ndarray, coefficients: np.ndarray) -> Any:
    """The matrix as a scipy.sparse.csr_array (2^n, 2^n): float64 where it is real, else complex128."""
    from scipy.sparse import coo_array  # noqa: PLC0415 - a second to import, needed here only

    n = x.shape[1]
    flips = len(np.unique(x, axis=0))
    size = (flips * 40) << n
    check_memory(f"The sparse matrix of a Pauli sum on {n} qubits", size, fix="Try execute(..., Expectation(...)).")
    data, rows, columns = [], [], []
    for mask, vector in diagonals(x, z, coefficients):
        kept = np.flatnonzero(vector)
        data.append(vector[kept])
        rows.append(kept ^ mask)
        columns.append(kept)
    values: np.ndarray = np.concatenate([np.zeros(0, dtype=np.complex128), *data])
    if not np.imag(values).any():
        values = np.real(values)
    where = (np.concatenate([np.zeros(0, dtype=np.int64), *part]) for part in (rows, columns))
    return coo_array((values, tuple(where)), shape=(1 << n, 1 << n)).tocsr()


def ground_state(x: np.ndarray, z: np.ndarray, coefficients: np.ndarray) -> tuple[float, np.ndarray]:
    """The lowest eigenvalue of a Hermitian sum, and a normalised eigenvector (2^n,).

    Small matrices are diagonalised whole; larger ones by the implicitly restarted
    Lanczos method of ARPACK (DOI 10.1137/1.9780898719628), from a fixed start vector.
    """
    n = x.shape[1]
    if not x.any():
        check_memory(f"The diagonal of a Pauli sum on {n} qubits", 32 << n)
        diagonal = sum((np.real(vector) for _, vector in diagonals(x, z, coefficients)), np.zeros(1 << n))
        state = np.zeros(1 << n)
        state[np.argmin(diagonal)] = 1
        return float(diagonal.min()), state
    if n <= DENSE_QUBITS:
        energies, states = np.linalg.eigh(dense(x, z, coefficients))
        return float(energies[0]), states[:, 0]
    from scipy.sparse.linalg import eigsh  # noqa: PLC0415 - a second to import, needed here only

    start = np.random.default_rng(0).normal(size=1 << n)
    energies, states = eigsh(sparse(x, z, coefficients), k=1, which="SA", v0=start)
    return float(energies[0]), states[:, 0]
