"""Records of the operations of a segment: which matrices it needs, by kind, and where their numbers are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from qsim.ir.circuit import Instruction
from qsim.ir.controlled import split_controls
from qsim.ir.operation import is_replaceable, key_of
from qsim.lower.forms import BASES
from qsim.lower.plan import ArraySlot, Kind, Range, Rotations, Waves, once
from qsim.lower.sources import Sources
from qsim.lower.waves import pauli_wave, wave_of, widened

WHOLE = -1
"""In a `Piece`: the operation itself, not one of its rotations."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Something that becomes one matrix: rotation `number` of operation `place`, or the operation, or a constant."""

    place: int
    number: int = WHOLE
    qubits: tuple[int, ...] = ()
    constant: str = ""


CONSTANTS = {letter: basis for letter, basis in BASES.items() if letter != "Z"}
CONSTANTS |= {f"{letter}^-1": basis.conj().T for letter, basis in CONSTANTS.items()}
"""Matrices that are no operation of the circuit: to the eigenbases of Paulis, and back."""


@dataclass(frozen=True, slots=True, eq=False)
class Children:
    """The matrices that blocks are made of.

    Attributes:
        waves, kinds: those that depend on numbers; waves are small, and so are the first kinds.
        num_small, num_children: how many of them are small, and how many there are.
        small_constants, big_constants: the others, each matrix once.
        place: of each piece among those that depend on numbers, or ~(number of its constant).
    """

    waves: Waves
    kinds: tuple[Kind, ...]
    num_small: int
    num_children: int
    small_constants: tuple[np.ndarray, ...]
    big_constants: tuple[np.ndarray, ...]
    place: list[int]


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """The operations of a circuit with the places of their numbers."""

    num_qubits: int
    k: int
    instructions: Sequence[Instruction]
    sources: Sources

    def range(self, start: int, stop: int) -> Range:
        """What operations start .. stop cover of the angle and data vectors."""
        s = self.sources
        return Range(*(int(a[i]) for a in (s.angle_starts, s.data_starts) for i in (start, stop)))

    def open(self, r: Range) -> bool:
        """Whether anything in the range may be differentiated."""
        s = self.sources
        return bool(s.angle_open[r.angle : r.angle_stop].any() or s.data_open[r.data : r.data_stop].any())

    def is_open(self, piece: Piece) -> bool:
        """Whether any number of a piece may be differentiated."""
        s, p = self.sources, piece.place
        angles = s.angle_open[s.angle_starts[p] : s.angle_starts[p + 1]]
        return not piece.constant and bool(angles.any() or s.data_open[s.data_starts[p] : s.data_starts[p + 1]].any())

    def varies(self, piece: Piece) -> bool:
        """Whether an angle of a piece differs from run to run of a batch."""
        s, p = self.sources, piece.place
        return not piece.constant and bool(s.angle_varies[s.angle_starts[p] : s.angle_starts[p + 1]].any())

    def operation(self, piece: Piece) -> Any:
        return self.instructions[piece.place].operation

    def has_numbers(self, piece: Piece) -> bool:
        """Whether a piece has angles or arrays."""
        operation = self.operation(piece)
        return bool(operation.params) or bool(getattr(operation, "arrays", ()))

    def constant(self, piece: Piece) -> np.ndarray:
        """The matrix of a piece without numbers."""
        return CONSTANTS[piece.constant] if piece.constant else np.asarray(self.operation(piece).matrix(np))

    def children(self, pieces: Sequence[Piece], r: Range, width: int) -> Children:
        """The matrices of `pieces`: those on at most `width` qubits, the small ones, before the others."""
        waves: list[int] = []
        small: dict[Any, list[int]] = {}
        big: dict[Any, list[int]] = {}
        constants: tuple[dict[Any, np.ndarray], dict[Any, np.ndarray]] = {}, {}
        known: dict[Any, Any] = {}
        place = [0] * len(pieces)
        for at, piece in enumerate(pieces):
            fits = piece.number != WHOLE or len(piece.qubits) <= width
            key = self.key(piece)
            if piece.constant or (piece.number == WHOLE and not self.has_numbers(piece)):
                found = constants[not fits]
                if key not in found:
                    found[key] = self.constant(piece)
                place[at] = ~list(found).index(key)
                continue
            if key not in known:
                known[key] = self.wave(piece) if fits else None
            if known[key] is not None:
                waves.append(at)
            else:
                (small if fits else big).setdefault(key, []).append(at)
        order = [at for members in (waves, *small.values(), *big.values()) for at in members]
        for rank, at in enumerate(order):
            place[at] = rank
        kinds = [self.kind([pieces[at] for at in members], r) for members in (*small.values(), *big.values())]
        return Children(
            waves=self.waves([pieces[at] for at in waves], r, known, width),
            kinds=tuple(kinds),
            num_small=len(waves) + sum(map(len, small.values())),
            num_children=len(order),
            small_constants=tuple(constants[0].values()),
            big_constants=tuple(constants[1].values()),
            place=place,
        )

    def waves(self, pieces: Sequence[Piece], r: Range, known: Mapping[Any, Any], width: int) -> Waves:
        """The record of pieces of one angle, given the `wave` of each key."""
        s = self.sources
        rows: dict[Any, int] = {}
        parts: list[np.ndarray] = []
        found: list[tuple[int, float, int, int]] = []
        for piece in pieces:
            key = self.key(piece)
            scale, matrices = known[key]
            coefficient = -1
            if piece.number != WHOLE:
                scale, coefficient = self.turn(piece, r)
            if key not in rows:
                rows[key] = len(parts)
                parts.append(widened(matrices, width))
            found.append((int(s.angle_starts[piece.place]) - r.angle, scale, coefficient, rows[key]))
        angles, scales, coefficients, kinds = np.array(found, np.float64).reshape(-1, 4).T
        size = 1 << width
        table = np.stack(parts) if parts else np.zeros((0, 3, size, size), complex)
        some = coefficients.astype(np.int32) if (coefficients >= 0).any() else None
        return Waves(angles.astype(np.int32), once(scales), some, kinds.astype(np.int32), table)

    def key(self, piece: Piece) -> tuple[str, Any]:
        """Equal for pieces whose matrices differ in nothing but their numbers."""
        if piece.constant:
            return "basis", piece.constant
        if piece.number == WHOLE:
            return "operation", key_of(self.operation(piece))
        return "pauli", "".join(self.operation(piece).local_rotations()[piece.number][1])

    def wave(self, piece: Piece) -> tuple[float, np.ndarray] | None:
        """`wave_of` an operation, or of a rotation of an evolution, whose scale is its own."""
        return wave_of(self.operation(piece)) if piece.number == WHOLE else (1.0, pauli_wave(self.key(piece)[1]))

    def kind(self, pieces: Sequence[Piece], r: Range, base: bool = False) -> Kind:
        """The record of pieces of one kind; with `base`, of what stands under their controls."""
        s, operation = self.sources, self.operation(pieces[0])
        if base:
            operation = split_controls(operation)[0]
        places = [p.place for p in pieces]
        arrays = getattr(operation, "arrays", ())
        starts = s.angle_starts[places] - r.angle
        angles = (starts[:, None] + np.arange(len(operation.params))).astype(np.int32)
        fixed = not (angles.shape[1] or arrays) or not is_replaceable(operation)
        constant = np.asarray(operation.matrix(np)) if fixed else None
        slots = array_slots(arrays, s.data_starts[places] - r.data)
        return Kind(operation, operation.num_qubits, len(pieces), constant, angles, slots)

    def rotations(self, pieces: Sequence[Piece], r: Range) -> Rotations:
        """The record of pieces that are rotations of Pauli evolutions, under controls or not."""
        turns = [self.turn(piece, r) for piece in pieces]
        time = np.array([self.sources.angle_starts[p.place] - r.angle for p in pieces], np.int32)
        return Rotations(np.array([f for f, _ in turns], np.float64), time, np.array([c for _, c in turns], np.int32))

    def turn(self, piece: Piece, r: Range) -> tuple[float, int]:
        """The factor of a rotation of an evolution, under controls or not, and the place of its coefficient."""
        _, _, terms, factors = split_controls(self.operation(piece))[0].rotations()
        place = self.sources.data_starts[piece.place] - r.data + terms[piece.number]
        return float(factors[piece.number]), int(place)


def array_slots(arrays: Sequence[Any], starts: np.ndarray) -> tuple[ArraySlot, ...]:
    """Where the arrays of operations of one kind lie, for their starts in the data vector."""
    slots = []
    offset = 0
    for a in arrays:
        is_complex = np.dtype(a.dtype).kind == "c"
        slots.append(ArraySlot((starts + offset).astype(np.int32), tuple(a.shape), is_complex))
        offset += a.size * (2 if is_complex else 1)
    return tuple(slots)
