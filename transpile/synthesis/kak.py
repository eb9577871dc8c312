"""Two-qubit unitaries as one-qubit gates around exp(i (a XX + b YY + c ZZ)), whole batches at once.

Reference: Kraus, Cirac, arXiv:quant-ph/0011050; the magic basis: Hill, Wootters,
arXiv:quant-ph/9703041.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transpile.synthesis.weyl import FROM_PHASES, HALF, MAGIC, QUARTER, TOLERANCE, magic_spectrum

__all__ = ["PAULIS", "Kak", "kak", "kron", "split"]

PAULIS = np.array([[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]], complex)
"""(4, 2, 2): I, X, Y, Z."""


@dataclass(frozen=True, slots=True, eq=False)
class Kak:
    """u = (left[0] x left[1]) exp(i (a XX + b YY + c ZZ)) (right[0] x right[1]), up to a phase.

    Attributes:
        left: one-qubit gates that act last, on the first and the second qubit, (B, 2, 2, 2).
        coordinates: (a, b, c) in the Weyl chamber, (B, 3).
        right: one-qubit gates that act first, (B, 2, 2, 2).
    """

    left: np.ndarray
    coordinates: np.ndarray
    right: np.ndarray


def kak(u: np.ndarray) -> Kak:
    """Decompose unitaries (B, 4, 4).

    Example:
        >>> import numpy as np
        >>> from transpile.synthesis.kak import kak
        >>> kak(np.eye(4)[None, [0, 2, 1, 3]]).coordinates.round(4)
        array([[0.7854, 0.7854, 0.7854]])
    """
    m, phases, p = magic_spectrum(np.asarray(u, complex))
    p[np.linalg.det(p) < 0, :, 0] *= -1
    inner = (m @ p) * np.exp(-1j * phases)[:, None, :]
    left = split(MAGIC @ inner @ MAGIC.conj().T)
    right = split(MAGIC @ np.swapaxes(p, 1, 2) @ MAGIC.conj().T)
    return _into_chamber(left, phases @ FROM_PHASES.T, right)


def kron(pairs: np.ndarray) -> np.ndarray:
    """Pairs of one-qubit matrices (..., 2, 2, 2) as two-qubit ones (..., 4, 4)."""
    a, b = pairs[..., 0, :, :], pairs[..., 1, :, :]
    return (a[..., :, None, :, None] * b[..., None, :, None, :]).reshape(*pairs.shape[:-3], 4, 4)


def split(products: np.ndarray) -> np.ndarray:
    """Tensor products (B, 4, 4) as their two factors, each of determinant 1, (B, 2, 2, 2); up to a sign."""
    number = len(products)
    rows = np.arange(number)
    parts = products.reshape(number, 2, 2, 2, 2).transpose(0, 1, 3, 2, 4).reshape(number, 4, 4)
    largest = np.abs(parts).reshape(number, 16).argmax(axis=1)
    first = parts[rows, :, largest % 4].reshape(number, 2, 2)
    second = parts[rows, largest // 4, :].reshape(number, 2, 2)
    pairs = np.stack([first, second], axis=1)
    determinants = pairs[..., 0, 0] * pairs[..., 1, 1] - pairs[..., 0, 1] * pairs[..., 1, 0]
    return pairs / np.sqrt(determinants)[..., None, None]


def _into_chamber(left: np.ndarray, coordinates: np.ndarray, right: np.ndarray) -> Kak:
    """Shift, sort and turn the coordinates, with one-qubit gates that make up for it."""
    turns = np.round(coordinates / HALF)
    coordinates = coordinates - HALF * turns
    for axis in range(3):  # exp(i pi/2 PP) = i PP
        odd = turns[:, axis] % 2 == 1
        left[odd] = left[odd] @ PAULIS[axis + 1]
    order = np.argsort(-np.abs(coordinates), axis=1, kind="stable")
    frames = _FRAMES[order[:, 0] * 3 + order[:, 1]]
    coordinates = np.take_along_axis(coordinates, order, axis=1)
    left = left @ np.swapaxes(frames, -1, -2).conj()[:, None]
    right = frames[:, None] @ right
    _turn(left, coordinates, right, coordinates[:, 0] < 0, 2)
    _turn(left, coordinates, right, coordinates[:, 1] < 0, 1)
    edge = (coordinates[:, 0] > QUARTER - TOLERANCE) & (coordinates[:, 2] < 0)
    coordinates[edge, 0] -= HALF
    left[edge] = left[edge] @ PAULIS[1]
    _turn(left, coordinates, right, edge, 2)
    return Kak(left, coordinates, right)


def _turn(left: np.ndarray, coordinates: np.ndarray, right: np.ndarray, where: np.ndarray, axis: int) -> None:
    """Change the signs of the two coordinates that are not of this axis, in place."""
    left[where, 0] = left[where, 0] @ PAULIS[axis]
    right[where, 0] = PAULIS[axis] @ right[where, 0]
    others = np.array([i for i in range(3) if i != axis - 1])
    coordinates[np.ix_(where, others)] *= -1


def _frames() -> np.ndarray:
    """At 3 i + j a one-qubit Clifford V with V P_i V^dagger = +-X and V P_j V^dagger = +-Y."""
    h = (PAULIS[1] + PAULIS[3]) / np.sqrt(2)
    s = np.diag([1, 1j])
    found = np.zeros((9, 2, 2), complex)
    for v in (np.eye(2), s, h, s @ h, h @ s, s @ h @ s):
        images = [int(np.abs([np.trace(v @ p @ v.conj().T @ q) for q in PAULIS[1:]]).argmax()) for p in PAULIS[1:]]
        found[3 * images.index(0) + images.index(1)] = v
    return found


_FRAMES = _frames()
