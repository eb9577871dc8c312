"""A unitary matrix as gates of the table; host numbers only.

Reference: De Vos, De Baerdemacker, arXiv:1512.07240 (block-ZXZ); demultiplexing as in
Shende, Bullock, Markov, arXiv:quant-ph/0406176. The gates depend on the size of the
matrix only, their angles on its entries.
"""

from __future__ import annotations

import cmath
from collections.abc import Sequence

import numpy as np

from qsim.ir.circuit import Circuit
from qsim.ir.ops.multiplexed import multiplexed_rotation


def append_unitary(circuit: Circuit, matrix: np.ndarray, qubits: Sequence[int]) -> None:
    """Append a unitary (2^k, 2^k) on `qubits` as u, h, rz, cx and one global phase, in place."""
    circuit.gphase(
        _append(circuit, matrix, tuple(qubits)),
    )


def euler_angles(matrix: np.ndarray) -> tuple[float, float, float, float]:
    """(alpha, theta, phi, lam) with matrix = e^(i alpha) u(theta, phi, lam) for a unitary (2, 2)."""
    (a, b), (c, d) = matrix.tolist()
    theta = 2 * cmath.phase(complex(abs(a) + abs(d), abs(b) + abs(c)))
    if abs(a) >= abs(c):  # read the phases off the larger pair of entries
        alpha = cmath.phase(a)
        phi = cmath.phase(c) - alpha if abs(c) > 1e-14 else 0.0
        return alpha, theta, phi, cmath.phase(d) - alpha - phi
    alpha = cmath.phase(a) if abs(a) > 1e-14 else 0.0
    return alpha, theta, cmath.phase(c) - alpha, cmath.phase(-b) - alpha


def unitary_eigen(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Phases (d,) in (-pi, pi] and orthonormal eigenvectors (d, d) of a unitary matrix.

    Its Hermitian and anti-Hermitian parts commute, so a generic combination of them has the
    eigenvectors of both, degenerate ones orthonormal too. The best of several is taken.
    """
    best, error = None, np.inf
    for angle in (0.4142, 1.2361, 2.0946, 2.7321, 0.1187, 1.7725):
        turned = matrix * np.exp(1j * angle)
        vectors = np.linalg.eigh((turned + turned.conj().T) / 2)[1]
        inside = vectors.conj().T @ matrix @ vectors
        off = np.abs(inside - np.diag(np.diag(inside))).max(initial=0.0)
        if off < error:
            best, error = (np.angle(np.diag(inside)), vectors), off
        if error < 1e-13:
            break
    assert best is not None
    phases, vectors = best
    return np.where(phases <= -np.pi + 1e-9, np.pi, phases), vectors


def _append(circuit: Circuit, matrix: np.ndarray, qubits: tuple[int, ...]) -> float:
    """Append the gates; the global phase that remains."""
    if not qubits:
        return cmath.phase(complex(matrix[0, 0]))
    if len(qubits) == 1:
        alpha, theta, phi, lam = euler_angles(matrix)
        circuit.u(theta, phi, lam, qubits[0])
        return alpha
    half = len(matrix) // 2
    x, y = matrix[:half, :half], matrix[:half, half:]
    u_x, _ = _polar(x)
    u_y, s_y = _polar(y)
    a1 = x + 1j * s_y @ u_x
    c = -1j * u_x.conj().T @ u_y
    a2 = matrix[half:, :half] + matrix[half:, half:] @ c.conj().T
    b = 2 * a1.conj().T @ x - np.eye(half)
    phase = _append_pair(circuit, np.eye(half), c, qubits)
    circuit.h(qubits[0])
    phase += _append_pair(circuit, np.eye(half), b, qubits)
    circuit.h(qubits[0])
    return phase + _append_pair(circuit, a1, a2, qubits)


def _append_pair(circuit: Circuit, first: np.ndarray, second: np.ndarray, qubits: tuple[int, ...]) -> float:
    """Append `first` where the first qubit is 0, `second` where it is 1: (1 V) (D + D^dagger) (1 W)."""
    phases, v = unitary_eigen(first @ second.conj().T)
    w = np.exp(0.5j * phases)[:, None] * (v.conj().T @ second)
    phase = _append(circuit, w, qubits[1:])
    multiplexed_rotation(circuit, "rz", -phases, qubits[1:], qubits[0])
    return phase + _append(circuit, v, qubits[1:])


def _polar(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The unitary factor U and the Hermitian factor S of S U."""
    left, values, right = np.linalg.svd(matrix)
    return left @ right, (left * values) @ left.conj().T
