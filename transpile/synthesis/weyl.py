"""Weyl coordinates of two-qubit unitaries, for whole batches at once.

Every two-qubit unitary is U = K1 exp(i (a XX + b YY + c ZZ)) K2 with one-qubit gates in K1 and
K2; (a, b, c) are its coordinates, here always in the chamber pi/4 >= a >= b >= |c|, with c >= 0
where a = pi/4. Two unitaries with equal coordinates differ by one-qubit gates alone.

Zhang, Vala, Sastry, Whaley, "Geometric theory of nonlocal two-qubit operations",
arXiv:quant-ph/0209120; the cost in cx gates: Shende, Markov, Bullock, arXiv:quant-ph/0308033.
"""

from __future__ import annotations

import numpy as np

__all__ = ["MAGIC", "cx_cost", "magic_spectrum", "swapped", "to_chamber", "weyl_coordinates"]

TOLERANCE = 1e-9
QUARTER, HALF = np.pi / 4, np.pi / 2

MAGIC = np.array([[1, 0, 0, 1j], [0, 1j, 1, 0], [0, 1j, -1, 0], [1, 0, 0, -1j]]) / np.sqrt(2)
"""Columns: the magic basis, in which one-qubit gates are real and XX, YY, ZZ diagonal."""

FROM_PHASES = np.array([[1, 1, -1, -1], [-1, 1, -1, 1], [1, -1, -1, 1]]) / 4
"""(3, 4): the coordinates from the phases of the four magic states."""

_ANGLES = (0.7, 2.2, 1.27, 0.19, 2.9)


def weyl_coordinates(u: np.ndarray) -> np.ndarray:
    """The coordinates (a, b, c) of two-qubit unitaries.

    Args:
        u: unitaries (B, 4, 4), or one (4, 4).

    Returns:
        float64 (B, 3), or (3,): pi/4 >= a >= b >= |c|.

    Example:
        >>> import numpy as np
        >>> from transpile.synthesis.weyl import weyl_coordinates
        >>> cx = np.eye(4)[[0, 1, 3, 2]]
        >>> weyl_coordinates(np.stack([cx, np.eye(4)])).round(4) + 0.0
        array([[0.7854, 0.    , 0.    ],
               [0.    , 0.    , 0.    ]])
    """
    u = np.asarray(u, complex)
    phases = magic_spectrum(u.reshape(-1, 4, 4))[1]
    return to_chamber(phases @ FROM_PHASES.T).reshape(*u.shape[:-2], 3)


def magic_spectrum(u: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the coordinates come from: m = MAGIC^dagger u MAGIC (determinant 1) and m^T m = p exp(2i d) p^T.

    Args:
        u: unitaries (B, 4, 4).

    Returns:
        m complex (B, 4, 4); d float64 (B, 4), of a sum that 2 pi divides; p real orthogonal (B, 4, 4).
    """
    root = np.exp(-0.25j * np.angle(np.linalg.det(u)))
    m = MAGIC.conj().T @ u @ MAGIC * root[:, None, None]
    gamma = np.swapaxes(m, 1, 2) @ m
    p, values = _diagonalised(gamma, _ANGLES[0])
    for angle in _ANGLES[1:]:  # an unlucky combination has eigenvalues that the two parts have not
        lost = np.abs(np.abs(values) - 1).max(axis=1, initial=0) > 1e-13
        if not lost.any():
            break
        other, found = _diagonalised(gamma[lost], angle)
        better = np.abs(np.abs(found) - 1).max(axis=1) < np.abs(np.abs(values[lost]) - 1).max(axis=1)
        rows = np.flatnonzero(lost)[better]
        p[rows], values[rows] = other[better], found[better]
    phases = np.angle(values) / 2
    odd = np.round(phases.sum(axis=1) / np.pi) % 2 == 1  # only an even number of roots may be the other one
    phases[odd, 0] += np.pi
    return m, phases, p


def to_chamber(coordinates: np.ndarray) -> np.ndarray:
    """Any real (B, 3) coordinates of the same gates, moved into the chamber pi/4 >= a >= b >= |c|."""
    c = np.asarray(coordinates, float)
    c = c - HALF * np.round(c / HALF)
    negative = (c < 0).sum(axis=-1) % 2 == 1
    c = -np.sort(-np.abs(c), axis=-1)
    flip = negative & (c[..., 0] < QUARTER - TOLERANCE)
    c[..., 2] = np.where(flip, -c[..., 2], c[..., 2])
    return c


def cx_cost(coordinates: np.ndarray, tolerance: float = TOLERANCE) -> np.ndarray:
    """How many cx (or cz, or ecr) gates unitaries of these coordinates take.

    Args:
        coordinates: (..., 3), in the chamber.

    Returns:
        int8 (...), 0 to 3.

    Example:
        >>> import numpy as np
        >>> from transpile.synthesis.weyl import cx_cost
        >>> cx_cost(np.array([[0, 0, 0], [np.pi / 4, 0, 0], [0.2, 0.1, 0], [np.pi / 4] * 3]))
        array([0, 1, 2, 3], dtype=int8)
    """
    a, b, c = np.moveaxis(np.asarray(coordinates, float), -1, 0)
    flat = np.abs(c) <= tolerance
    one = flat & (b <= tolerance) & (np.abs(a - QUARTER) <= tolerance)
    none = (a <= tolerance) & (b <= tolerance) & flat
    return np.where(none, 0, np.where(one, 1, np.where(flat, 2, 3))).astype(np.int8)


def swapped(coordinates: np.ndarray) -> np.ndarray:
    """The coordinates of u @ SWAP from those of u, (..., 3) in the chamber.

    Example:
        >>> import numpy as np
        >>> from transpile.synthesis.weyl import swapped
        >>> swapped(np.array([np.pi / 4, 0, 0])).round(4) + 0.0
        array([0.7854, 0.7854, 0.    ])
    """
    return to_chamber(np.asarray(coordinates, float) + QUARTER)


def _diagonalised(gamma: np.ndarray, angle: float) -> tuple[np.ndarray, np.ndarray]:
    """Real eigenvectors of the commuting real and imaginary parts, and the diagonal in their basis."""
    _, p = np.linalg.eigh(np.cos(angle) * np.real(gamma) + np.sin(angle) * np.imag(gamma))
    values = np.einsum("bji,bjk,bki->bi", p, gamma, p, optimize=True) if len(p) else np.zeros((0, 4), complex)
    return p, values
