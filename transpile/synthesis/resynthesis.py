"""Three-qubit unitaries with fewer cz gates than a known circuit has, found numerically.

One cz after the other is left out, and the one-qubit gates of all these circuits are fitted
together: a batched Levenberg-Marquardt iteration in the Lie algebra, double precision, started
from the gates that were there and from random ones. Compare Rakyta, Zimborás,
arXiv:2109.06770; Madden, Simonetto, arXiv:2106.05649.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from transpile.synthesis.kak import PAULIS

__all__ = ["fewer"]

Pair = tuple[int, int]
TOLERANCE = 1e-11
MAX_STEPS = 60
STALL = 12

_EYE = np.eye(2, dtype=complex)


def fewer(
    unitary: np.ndarray, pairs: Sequence[Pair], ones: np.ndarray, rng: np.random.Generator, starts: int = 2
) -> tuple[list[Pair], np.ndarray] | None:
    """The same unitary with at least one cz less; None where that is not found.

    Args:
        unitary: (8, 8).
        pairs: where the cz gates of the known circuit act, in time order.
        ones: its one-qubit gates, (len(pairs) + 1, 3, 2, 2): before the first cz, and after each.
        rng: of the random starts.
        starts: how many starts each circuit gets, the first one from `ones`.

    Returns:
        The pairs and one-qubit gates of the shorter circuit, in the same form.
    """
    best = None
    while len(pairs) > 1:
        found = _shorter(unitary, _without_one(list(pairs), ones), rng, starts)
        if found is None:
            found = _shorter(unitary, _without_two(list(pairs), ones), rng, 1)
        if found is None:
            return best
        best = pairs, ones = found
    return best


def circuit_matrix(pairs: Sequence[Pair], ones: np.ndarray) -> np.ndarray:
    """The unitary (8, 8) of a circuit in this form."""
    total = _wide(ones[0])
    for pair, layer in zip(pairs, ones[1:], strict=True):
        total = _wide(layer) @ (_CZ[pair][:, None] * total)
    return total


Circuits = dict[tuple[Pair, ...], np.ndarray]


def _without_one(pairs: list[Pair], ones: np.ndarray) -> Circuits:
    """The circuits with one cz left out, its neighbours merged."""
    found: Circuits = {}
    for left_out in range(len(pairs)):
        merged = np.concatenate([ones[:left_out], ones[left_out + 1 :]])
        merged[left_out] = ones[left_out + 1] @ ones[left_out]
        found.setdefault(tuple(pairs[:left_out] + pairs[left_out + 1 :]), merged)
    return found


def _without_two(pairs: list[Pair], ones: np.ndarray) -> Circuits:
    """The circuits with two cz on one pair left out: often they undo each other."""
    found: Circuits = {}
    for second in range(1, len(pairs)):
        merged = np.concatenate([ones[:second], ones[second + 1 :]])
        merged[second] = ones[second + 1] @ ones[second]
        rest = pairs[:second] + pairs[second + 1 :]
        for first in range(second):
            if pairs[first] == pairs[second]:
                both = np.concatenate([merged[:first], merged[first + 1 :]])
                both[first] = merged[first + 1] @ merged[first]
                found.setdefault(tuple(rest[:first] + rest[first + 1 :]), both)
    return found


def _shorter(
    unitary: np.ndarray, circuits: Circuits, rng: np.random.Generator, starts: int
) -> tuple[list[Pair], np.ndarray] | None:
    """The first of these circuits that can be fitted."""
    keys = list(circuits)
    for start in range(starts if keys else 0):
        layers = np.stack([circuits[k] for k in keys])
        if start:
            layers = _random(layers.shape, rng)
        fitted, errors = _fit(unitary, keys, layers)
        best = int(errors.argmin())
        if errors[best] < TOLERANCE:
            return list(keys[best]), fitted[best]
    return None


def _fit(unitary: np.ndarray, sequences: Sequence[Sequence[Pair]], layers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Levenberg-Marquardt on all circuits at once: layers (B, m + 1, 3, 2, 2), and the errors |V - U| (B,)."""
    number, size = layers.shape[:2]
    signs = np.stack([np.stack([_CZ[p] for p in sequence]) for sequence in sequences])  # (B, m, 8)
    damping = np.full(number, 1e-2)
    layers = layers.copy()
    errors, prefix, suffix = _evaluated(unitary, layers, signs)
    best, since = errors.min(), 0
    for _ in range(MAX_STEPS):
        if errors.min() < 0.1 * TOLERANCE or since > STALL:
            break
        v = prefix[:, -1]
        overlap = np.einsum("ij,bij->b", unitary.conj(), v)
        target = (overlap / np.maximum(np.abs(overlap), 1e-12))[:, None, None] * unitary
        # derivatives by generators of every one-qubit gate: S_k (i P / 2) P_k
        columns = suffix[:, :, None] @ (_GENERATORS @ prefix[:, :, None])
        jacobian = np.concatenate([columns.reshape(number, size * 9, 64), 1j * v.reshape(number, 1, 64)], axis=1)
        jacobian = np.concatenate([np.real(jacobian), np.imag(jacobian)], axis=2)
        rest = (target - v).reshape(number, 64)
        rest = np.concatenate([np.real(rest), np.imag(rest)], axis=1)
        normal = jacobian @ np.swapaxes(jacobian, 1, 2)
        right = np.einsum("bpr,br->bp", jacobian, rest)
        step = np.linalg.solve(normal + damping[:, None, None] * np.eye(normal.shape[1]), right[..., None])[..., 0]
        trial = _exponential(step[:, :-1].reshape(number, size, 3, 3)) @ layers
        new_errors, new_prefix, new_suffix = _evaluated(unitary, trial, signs)
        better = new_errors < errors
        layers[better], errors[better] = trial[better], new_errors[better]
        prefix[better], suffix[better] = new_prefix[better], new_suffix[better]
        damping = np.clip(np.where(better, damping / 5, damping * 4), 1e-14, 1e6)
        since = 0 if errors.min() < 0.9 * best else since + 1
        best = min(best, errors.min())
    return layers, errors


def _evaluated(unitary: np.ndarray, layers: np.ndarray, signs: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The errors, the products up to and with each layer, and those of what comes after it."""
    wide = _wide(layers)
    size = layers.shape[1]
    prefix, suffix = np.empty_like(wide), np.empty_like(wide)
    prefix[:, 0] = wide[:, 0]
    for k in range(1, size):
        prefix[:, k] = wide[:, k] @ (signs[:, k - 1, :, None] * prefix[:, k - 1])
    suffix[:, -1] = np.eye(8)
    for k in range(size - 2, -1, -1):
        suffix[:, k] = (suffix[:, k + 1] @ wide[:, k + 1]) * signs[:, k, None, :]
    overlap = np.einsum("ij,bij->b", unitary.conj(), prefix[:, -1])
    phase = overlap / np.maximum(np.abs(overlap), 1e-12)
    return np.linalg.norm(prefix[:, -1] - phase[:, None, None] * unitary, axis=(1, 2)), prefix, suffix


def _wide(ones: np.ndarray) -> np.ndarray:
    """One matrix on each of three qubits (..., 3, 2, 2) as (..., 8, 8)."""
    a, b, c = ones[..., 0, :, :], ones[..., 1, :, :], ones[..., 2, :, :]
    return np.einsum("...ij,...kl,...mn->...ikmjln", a, b, c).reshape(*ones.shape[:-3], 8, 8)


def _exponential(steps: np.ndarray) -> np.ndarray:
    """exp(i step . P / 2), (..., 3) to (..., 2, 2)."""
    size = np.linalg.norm(steps, axis=-1)
    factor = np.where(size > 1e-12, np.sin(size / 2) / np.maximum(size, 1e-12), 0.5)
    turn = np.einsum("...a,aij->...ij", factor[..., None] * steps, PAULIS[1:])
    return np.cos(size / 2)[..., None, None] * _EYE + 1j * turn


def _random(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    q = rng.normal(size=(*shape[:-2], 4))
    q /= np.linalg.norm(q, axis=-1, keepdims=True)
    return np.einsum("...a,aij->...ij", q * np.array([1, 1j, 1j, 1j]), PAULIS)


def _generators() -> np.ndarray:
    found = []
    for place in range(3):
        for pauli in PAULIS[1:]:
            parts = [_EYE] * 3
            parts[place] = pauli
            found.append(0.5j * np.kron(np.kron(parts[0], parts[1]), parts[2]))
    return np.stack(found)


_GENERATORS = _generators()
_BITS = np.arange(8)[:, None] >> np.array([2, 1, 0]) & 1
_CZ = {(a, b): 1 - 2.0 * (_BITS[:, a] & _BITS[:, b]) for a in range(3) for b in range(3) if a != b}
"""The diagonal of cz on each pair, (8,)."""
