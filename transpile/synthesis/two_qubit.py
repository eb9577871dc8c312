"""Two-qubit unitaries in the gates that an edge has, all unitaries of a kind at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import pi
from typing import Any

import numpy as np

from qsim.ir.operation import Gate, GateRow
from transpile.synthesis.cores import Entangler, around, cx_layers, xx_layers
from transpile.synthesis.kak import PAULIS, Kak, kak
from transpile.synthesis.weyl import TOLERANCE, cx_cost, swapped

__all__ = ["Continuous", "Fixed", "Sequence", "TwoQubitBasis"]

SWAP = np.eye(4)[[0, 2, 1, 3]]
LETTERS = "IXYZ"


@dataclass(frozen=True, slots=True, eq=False)
class Fixed:
    """A native gate without a free angle, on (a, b), or on (b, a) where `flipped`.

    Attributes:
        entangler: it, or for a gate of the class of iswap the swap after it, on (a, b).
    """

    operation: Any
    flipped: bool
    entangler: Entangler


@dataclass(frozen=True, slots=True)
class Continuous:
    """A native gate of one angle t: exp(-i factor t PQ / 2), and rotations of single qubits that commute with it.

    Attributes:
        row: its row in the table. flipped: whether it acts on (b, a).
        letters: PQ, in the gate's own order. factor: see above.
        sign: of the angles that are allowed.
        ones: (letters, factor) of the one-qubit rotations.
        free: whether angles may be anything, and thus open.
    """

    row: GateRow
    flipped: bool
    letters: str
    factor: float
    sign: float
    ones: tuple[tuple[str, float], ...]
    free: bool


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """One-qubit layers (count + 1, 2, 2, 2) around two-qubit operations, in time order, on (a, b).

    Attributes:
        layers: layer, qubit, matrix.
        operations: count times (operation, whether it acts on (b, a)).
    """

    layers: np.ndarray
    operations: list[tuple[Any, bool]]


@dataclass(frozen=True, slots=True, eq=False)
class TwoQubitBasis:
    """The native gates of an edge: of the class of cx, rotations of any strength, of the class of iswap."""

    fixed: Fixed | None
    continuous: Continuous | None
    swapping: Fixed | None

    def counts(self, coordinates: np.ndarray) -> np.ndarray:
        """How many native gates unitaries of these coordinates (B, 3) take; int8 (B,)."""
        return self._table(coordinates).min(axis=0)

    def sequences(self, unitaries: np.ndarray, decomposed: Kak) -> list[Sequence]:
        """Unitaries (B, 4, 4) in native gates; `decomposed` is their KAK decomposition."""
        found: list[Any] = [None] * len(unitaries)
        table = self._table(decomposed.coordinates)
        best, kinds = table.min(axis=0), table.argmin(axis=0)
        for kind, make in enumerate((self._of_fixed, self._of_continuous, self._of_swapping)):
            for count in range(4):
                places = np.flatnonzero((kinds == kind) & (best == count))
                if len(places):
                    part = Kak(*[x[places] for x in (decomposed.left, decomposed.coordinates, decomposed.right)])
                    for place, sequence in zip(places.tolist(), make(unitaries[places], part, count), strict=True):
                        found[place] = sequence
        return found

    def _table(self, coordinates: np.ndarray) -> np.ndarray:
        table = np.full((3, len(coordinates)), 99, np.int8)
        costs = cx_cost(coordinates)
        if self.fixed is not None:
            table[0] = costs
        if self.continuous is not None:
            table[1] = (np.abs(coordinates) > TOLERANCE).sum(axis=1)
        if self.swapping is not None:
            mirrored = cx_cost(swapped(coordinates))
            table[2] = np.where(costs == 0, 0, np.where(mirrored == 1, 1, np.where(costs < 3, 2, 3)))
        return table

    def _of_fixed(self, unitaries: np.ndarray, part: Kak, count: int) -> Iterator[Sequence]:
        assert self.fixed is not None
        layers = around(cx_layers(part, count), self.fixed.entangler)
        operations = [(self.fixed.operation, self.fixed.flipped)] * count
        return (Sequence(layer, operations) for layer in layers)

    def _of_swapping(self, unitaries: np.ndarray, part: Kak, count: int) -> Iterator[Sequence]:
        """n gates swap . g are n gates g and swap^n: g is of the class of cx, and every other layer is turned over."""
        assert self.swapping is not None
        if count % 2:
            part = kak(SWAP @ unitaries)
        layers = cx_layers(part, count).copy()
        g, turned = self.swapping.entangler, self.swapping.entangler.turned()
        for step in range(count):
            this = turned if step % 2 else g
            layers[:, step] = np.swapaxes(this.right, -1, -2).conj() @ layers[:, step]
            layers[:, step + 1] = layers[:, step + 1] @ np.swapaxes(this.left, -1, -2).conj()
        layers[:, 1::2] = layers[:, 1::2, ::-1]
        operations = [(self.swapping.operation, self.swapping.flipped)] * count
        return (Sequence(layer, operations) for layer in layers)

    def _of_continuous(self, unitaries: np.ndarray, part: Kak, count: int) -> Iterator[Sequence]:
        """exp(i s XX) is exp(i s PQ) in another frame; the gate's one-qubit rotations are taken back after it."""
        c = self.continuous
        assert c is not None
        layers, strengths = xx_layers(part, count)
        letters = c.letters[::-1] if c.flipped else c.letters
        frame = np.stack([_FROM_X[letter] for letter in letters])
        if c.sign * c.factor > 0:  # the angle's sign gives exp(-i s PQ): turn P over
            frame = (
                np.stack([PAULIS[2] @ np.eye(2), PAULIS[0]]) @ frame
                if letters[0] != "Y"
                else (np.stack([PAULIS[1], PAULIS[0]]) @ frame)
            )
        back = np.swapaxes(frame, -1, -2).conj()
        angles = c.sign * np.abs(2 * strengths / c.factor)
        for step in range(count):
            layers[:, step] = frame @ layers[:, step]
            fix = np.broadcast_to(back, layers[:, step].shape).copy()
            for word, factor in c.ones:
                place = 0 if word[0] != "I" else 1
                pauli = PAULIS[LETTERS.index(word[place])]
                place = 1 - place if c.flipped else place
                half = (factor * angles[:, step] / 2)[:, None, None]
                fix[:, place] = fix[:, place] @ (np.cos(half) * PAULIS[0] + 1j * np.sin(half) * pauli)
            layers[:, step + 1] = layers[:, step + 1] @ fix
        for layer, row in zip(layers, angles.tolist(), strict=True):
            yield Sequence(layer, [(Gate(c.row, (angle,)), c.flipped) for angle in row])


def _half(axis: int, angle: float) -> np.ndarray:
    return np.cos(angle / 2) * PAULIS[0] - 1j * np.sin(angle / 2) * PAULIS[axis]


_FROM_X = {"X": PAULIS[0], "Y": _half(3, pi / 2), "Z": _half(2, -pi / 2)}
"""V with V X V^dagger = P."""
