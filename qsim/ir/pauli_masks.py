"""Pauli strings as bits: products, merging and grouping, many strings at a time.

A Pauli string is i^|x & z| X^x Z^z with bit vectors x and z over its qubits: X has
x = 1, Z has z = 1, Y has both. Everything here is host integers, exact at any size.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

PauliString = tuple[tuple[int, str], ...]
"""The letters of one term, ((qubit, "X" | "Y" | "Z"), ...), sorted by qubit."""

_LETTERS = np.array(["", "X", "Z", "Y"])
_CODES = {"X": 1, "Z": 2, "Y": 3}

# (first letter, second letter) -> (letter of the product, its power of i)
_PRODUCTS = {
    ("X", "Y"): ("Z", 1),
    ("Y", "Z"): ("X", 1),
    ("Z", "X"): ("Y", 1),
    ("Y", "X"): ("Z", 3),
    ("Z", "Y"): ("X", 3),
    ("X", "Z"): ("Y", 3),
}


def support(strings: Sequence[PauliString]) -> list[int]:
    """The qubits that any of the strings acts on, sorted."""
    return sorted({qubit for string in strings for qubit, _ in string})


def masks(strings: Sequence[PauliString], qubits: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """The bits x and z, uint8 (T, len(qubits)) each, of strings that act within `qubits`."""
    column = {qubit: i for i, qubit in enumerate(qubits)}
    codes = np.zeros((len(strings), len(column)), dtype=np.uint8)
    flat = codes.reshape(-1)
    places = [row * len(column) + column[q] for row, string in enumerate(strings) for q, _ in string]
    flat[places] = [_CODES[letter] for string in strings for _, letter in string]
    return codes & 1, codes >> 1


def strings_of(x: np.ndarray, z: np.ndarray, qubits: Sequence[int]) -> tuple[PauliString, ...]:
    """The strings with bits x and z (T, k) on `qubits` (sorted): the inverse of `masks`."""
    codes = x.astype(np.uint8) | z.astype(np.uint8) << 1
    rows, columns = np.nonzero(codes)
    pairs = list(
        zip(np.asarray(qubits, dtype=int)[columns].tolist(), _LETTERS[codes[rows, columns]].tolist(), strict=True)
    )
    ends = np.cumsum(np.count_nonzero(codes, axis=1)).tolist()
    return tuple(tuple(pairs[start:end]) for start, end in zip([0, *ends], ends, strict=False))


def multiply_strings(a: PauliString, b: PauliString) -> tuple[PauliString, int]:
    """The product of two strings, and k where it comes with i^k."""
    letters, power = dict(a), 0
    for qubit, second in b:
        first = letters.get(qubit)
        if first is None:
            letters[qubit] = second
        elif first == second:
            del letters[qubit]
        else:
            letters[qubit], k = _PRODUCTS[first, second]
            power += k
    return tuple(sorted(letters.items())), power % 4


class Products:
    """All products of two lists of strings, equal ones merged.

    Attributes:
        strings: the distinct products (m,), in order of first appearance.
        left, right: for each pair kept (p,), its place in the two lists.
        power: for each pair k (p,), where the product comes with i^k.
        group: for each pair (p,), the place of its product in `strings`.
    """

    def __init__(self, a: Sequence[PauliString], b: Sequence[PauliString], only_anticommuting: bool = False):
        qubits = support([*a, *b])
        (xa, za), (xb, zb) = masks(a, qubits), masks(b, qubits)
        if only_anticommuting:
            odd = (
                xa.astype(np.float32) @ zb.T.astype(np.float32) + za.astype(np.float32) @ xb.T.astype(np.float32)
            ) % 2
            self.left, self.right = np.nonzero(odd)
        else:
            self.left = np.repeat(np.arange(len(a)), len(b))
            self.right = np.tile(np.arange(len(b)), len(a))
        xa, za, xb, zb = (np.packbits(m, axis=1) for m in (xa, za, xb, zb))
        x, z = xa[self.left] ^ xb[self.right], za[self.left] ^ zb[self.right]
        self.power = (
            _weight(xa & za)[self.left]
            + _weight(xb & zb)[self.right]
            + 2 * _weight(za[self.left] & xb[self.right])
            - _weight(x & z)
        ) % 4
        first, self.group = merge(np.concatenate([x, z], axis=1))
        count = len(qubits)
        self.strings = strings_of(
            np.unpackbits(x[first], axis=1, count=count), np.unpackbits(z[first], axis=1, count=count), qubits
        )


def merge(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Equal rows of bytes (p, k) made one: first places (m,) in order of appearance, and the group of each row (p,)."""
    if rows.shape[1] == 0:
        return np.arange(min(1, len(rows))), np.zeros(len(rows), dtype=int)
    words = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 8))).view(np.uint64)
    if words.shape[1] == 1:
        _, first, group = np.unique(words[:, 0], return_index=True, return_inverse=True)
    else:
        _, first, group = np.unique(words, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return first[order], rank[group.reshape(-1)]


def group_terms(strings: Sequence[PauliString], qubit_wise: bool = True) -> tuple[tuple[int, ...], ...]:
    """Groups of places in `strings` whose strings commute with each other, by largest-first greedy colouring.

    Args:
        strings: the Pauli strings.
        qubit_wise: True where they must commute on every qubit, so that one setting of
            one-qubit rotations measures the whole group; False where the whole strings
            must commute.

    Reference: Verteletskyi, Yen, Izmaylov, arXiv:1907.03358.
    """
    if not strings:
        return ()
    x, z = masks(strings, support(strings))
    order = np.argsort(-_weight(x | z), kind="stable")
    x, z = x[order].astype(np.float32), z[order].astype(np.float32)
    total = len(strings)
    clash = np.zeros((0, total), dtype=bool)  # clash[g, t]: term t cannot join group g
    groups: list[list[int]] = []
    block = max(1, (1 << 24) // total)
    for start in range(0, total, block):
        rows = slice(start, start + block)
        conflict = _clash_letters(x, z, rows) if qubit_wise else (x[rows] @ z.T + z[rows] @ x.T) % 2 > 0
        for term in range(start, min(start + block, total)):
            free = np.flatnonzero(~clash[: len(groups), term])
            place = int(free[0]) if free.size else len(groups)
            if place == len(groups):
                groups.append([])
            if place >= len(clash):
                clash = np.concatenate([clash, np.zeros((max(8, len(clash)), total), dtype=bool)])
            groups[place].append(int(order[term]))
            clash[place] |= conflict[term - start]
    return tuple(tuple(sorted(group)) for group in groups)


def _clash_letters(x: np.ndarray, z: np.ndarray, rows: slice) -> np.ndarray:
    """True where a string of `rows` and a string have different letters on some qubit of both."""
    y = x * z
    both, acts = y, x + z - y
    same = (x - both)[rows] @ (x - both).T + (z - both)[rows] @ (z - both).T + both[rows] @ both.T
    return acts[rows] @ acts.T - same > 0.5


def _weight(rows: np.ndarray) -> np.ndarray:
    """The number of set bits in each row."""
    return np.bitwise_count(rows).sum(axis=1, dtype=np.int64)
