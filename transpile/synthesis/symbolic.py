"""Two-qubit gates with open angles as one exp(i (a PP' + b QQ' + c RR')), the coordinates linear in the angles.

Constants are pushed to the end; what is left are rotations about Pauli strings. Where those on
both qubits commute, and the constants are a Clifford gate in line with them, the whole has a KAK
decomposition with symbolic coordinates: cx rz cx and a swap take three cx, not five.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import pi
from typing import Any

import numpy as np

from transpile.synthesis.angles import is_multiple, scaled, total
from transpile.synthesis.kak import PAULIS

__all__ = ["Canonical", "FRAMES", "canonical_of", "clifford_frame", "pauli_matrix"]

LETTERS = "IXYZ"
_WORDS = ["".join(w) for w in product(LETTERS, repeat=2)]
_MATRICES = np.stack([np.kron(PAULIS[LETTERS.index(a)], PAULIS[LETTERS.index(b)]) for a, b in _WORDS])

Turn = tuple[str, Any]
"""A word of two Pauli letters and an angle: exp(-i angle P / 2)."""


@dataclass(frozen=True, slots=True, eq=False)
class Canonical:
    """before, then exp(i sum_j coordinates_j words_j), then after, then the constants (local[0] x local[1]).

    Attributes:
        before, after: rotations of single qubits, in time order.
        words: up to three words on both qubits that commute, in the letters of both different.
        coordinates: one for each word; numbers or open angles.
        local: (2, 2, 2).
    """

    before: list[Turn]
    words: list[str]
    coordinates: list[Any]
    after: list[Turn]
    local: np.ndarray


def canonical_of(items: Sequence[np.ndarray | Turn]) -> Canonical | None:
    """The canonical form of constants (4, 4) and rotations in time order; None where it has none of this kind."""
    constants = np.eye(4, dtype=complex)
    before: list[Turn] = []
    after: list[Turn] = []
    angles: dict[str, Any] = {}
    for item in items:
        if isinstance(item, np.ndarray):
            constants = item @ constants
            continue
        word, angle = item
        if word == "II":
            continue
        moved = _conjugated(constants, word)
        if moved is None:
            return None
        word, sign = moved
        angle = scaled(angle, sign)
        if "I" in word:
            passes = all(_commute(word, w) for w in angles) and all(_commute(word, w) for w, _ in after)
            (before if passes else after).append((word, angle))
        else:
            if not all(_commute(word, w) for w, _ in after):
                return None
            if any(w != word and (w[0] == word[0] or w[1] == word[1]) for w in angles):
                return None
            angles[word] = total(angles.get(word, 0.0), angle)
    if not angles:
        return None
    return _aligned(constants, before, angles, after)


def clifford_frame(letters: str) -> tuple[np.ndarray, tuple[int, ...]]:
    """V and signs with V X V^dagger = s0 P0, V Y V^dagger = s1 P1, V Z V^dagger = s2 P2 for three different letters."""
    return FRAMES[letters]


def pauli_matrix(word: str) -> np.ndarray:
    """The matrix (4, 4) of a word of two letters."""
    return _MATRICES[_WORDS.index(word)]


def _aligned(constants: np.ndarray, before: list[Turn], angles: dict[str, Any], after: list[Turn]) -> Canonical | None:
    """Take a part of the constants into the coordinates, so that the rest is local."""
    words = list(angles)
    if after:  # rotations between the strings and the constants: past them
        moved = [_conjugated(constants.conj().T, w) for w, _ in after]
        if any(m is None or "I" not in m[0] for m in moved):
            return None
        after = [(m[0], scaled(a, m[1])) for m, (_, a) in zip(moved, after, strict=True) if m is not None]
    words = _completed(words)
    for shift in sorted(product((0, 1), repeat=3), key=sum):
        rest = constants
        for k, word in zip(shift, words, strict=True):
            if k:
                rest = rest @ ((np.eye(4) - 1j * pauli_matrix(word)) / np.sqrt(2))
        local = _factors(rest)
        if local is None:
            continue
        coordinates = [total(scaled(angles.get(w, 0.0), -0.5), pi / 4 * k) for w, k in zip(words, shift, strict=True)]
        used = [j for j, c in enumerate(coordinates) if not is_multiple(c, 2 * pi)]
        return Canonical(before, [words[j] for j in used], [coordinates[j] for j in used], after, local)
    return None


def _completed(words: list[str]) -> list[str]:
    """Three words that commute, all letters different, from one to three."""
    words = list(words)
    while len(words) < 3:
        free = [[x for x in "XYZ" if all(x != w[side] for w in words)] for side in (0, 1)]
        words.append(free[0][0] + free[1][0])
    return words


def _conjugated(constants: np.ndarray, word: str) -> tuple[str, int] | None:
    """The word and sign of C^dagger P C; None where that is no Pauli string."""
    moved = constants.conj().T @ pauli_matrix(word) @ constants
    overlaps = np.einsum("aij,ji->a", _MATRICES, moved).real / 4
    best = int(np.abs(overlaps).argmax())
    if abs(abs(overlaps[best]) - 1) > 1e-9:
        return None
    return _WORDS[best], 1 if overlaps[best] > 0 else -1


def _commute(a: str, b: str) -> bool:
    return sum(x != y and "I" not in (x, y) for x, y in zip(a, b, strict=True)) % 2 == 0


def _factors(matrix: np.ndarray) -> np.ndarray | None:
    """The two factors of a tensor product, (2, 2, 2); None where it is none."""
    parts = matrix.reshape(2, 2, 2, 2).transpose(0, 2, 1, 3).reshape(4, 4)
    row, column = divmod(int(np.abs(parts).argmax()), 4)
    first, second = parts[:, column].reshape(2, 2), parts[row].reshape(2, 2)
    if np.abs(parts * parts[row, column] - np.outer(parts[:, column], parts[row])).max() > 1e-9:
        return None
    return np.stack([m / np.sqrt(np.linalg.det(m)) for m in (first, second)])


def _frames() -> dict[str, tuple[np.ndarray, tuple[int, ...]]]:
    h = (PAULIS[1] + PAULIS[3]) / np.sqrt(2)
    s = np.diag([1, 1j])
    found = {}
    for v in (np.eye(2), s, h, s @ h, h @ s, s @ h @ s):
        images = [v @ p @ v.conj().T for p in PAULIS[1:]]
        overlaps = np.array([[np.trace(image @ p).real / 2 for p in PAULIS[1:]] for image in images])
        places = np.abs(overlaps).argmax(axis=1)
        signs = tuple(int(np.sign(overlaps[j, p])) for j, p in enumerate(places))
        found["".join("XYZ"[p] for p in places)] = np.asarray(v, complex), signs
    return found


FRAMES = _frames()
