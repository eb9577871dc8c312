"""Records of the operations of a segment: which matrices it needs, by kind, and where their numbers are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from qsim.ir.circuit import Instruction
from qsim.ir.controlled import split_controls
from qsim.ir.operation import key_of
from qsim.lower.forms import BASES
from qsim.lower.plan import ArraySlot, Kind, Range, Rotations
from qsim.lower.sources import Sources

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

    def kinds(self, pieces: Sequence[Piece], r: Range, width: int) -> tuple[tuple[Kind, ...], Rotations, list[int]]:
        """The matrices of `pieces` by kind: those on at most `width` qubits, then rotations, then the others.

        Returns the kinds, the rotations, and the place of each piece among all of them.
        """
        small: dict[Any, list[int]] = {}
        big: dict[Any, list[int]] = {}
        rotating: list[int] = []
        for at, piece in enumerate(pieces):
            if piece.constant:
                small.setdefault((piece.constant,), []).append(at)
            elif piece.number != WHOLE:
                rotating.append(at)
            else:
                group = small if len(piece.qubits) <= width else big
                group.setdefault(key_of(self.operation(piece)), []).append(at)
        order = [at for members in (*small.values(), rotating, *big.values()) for at in members]
        place = [0] * len(pieces)
        for rank, at in enumerate(order):
            place[at] = rank
        kinds = [self.kind([pieces[at] for at in members], r) for members in (*small.values(), *big.values())]
        return tuple(kinds), self.rotations([pieces[at] for at in rotating], r), place

    def kind(self, pieces: Sequence[Piece], r: Range, base: bool = False) -> Kind:
        """The record of pieces of one kind; with `base`, of what stands under their controls."""
        s, first = self.sources, pieces[0]
        if first.constant:
            return Kind(None, 1, len(pieces), self.constant(first), np.zeros((len(pieces), 0), np.int32))
        operation = self.operation(first)
        if base:
            operation = split_controls(operation)[0]
        places = [p.place for p in pieces]
        arrays = getattr(operation, "arrays", ())
        starts = s.angle_starts[places] - r.angle
        angles = (starts[:, None] + np.arange(len(operation.params))).astype(np.int32)
        constant = np.asarray(operation.matrix(np)) if not angles.shape[1] and not arrays else None
        slots = array_slots(arrays, s.data_starts[places] - r.data)
        return Kind(operation, operation.num_qubits, len(pieces), constant, angles, slots)

    def rotations(self, pieces: Sequence[Piece], r: Range) -> Rotations:
        """The record of pieces that are rotations of Pauli evolutions."""
        s = self.sources
        factor, time, coefficient, pauli = [], [], [], []
        for piece in pieces:
            operation = split_controls(self.operation(piece))[0]
            _, _, terms, factors = operation.rotations()
            letters = operation.local_rotations()[piece.number][1]
            factor.append(factors[piece.number])
            time.append(s.angle_starts[piece.place] - r.angle)
            coefficient.append(s.data_starts[piece.place] - r.data + terms[piece.number])
            short = letters if len(letters) <= 2 else ""
            pauli.append(sum("IXYZ".index(c) * (4, 1)[at] for at, c in enumerate(short)))
        ints = (np.array(a, np.int32) for a in (time, coefficient, pauli))
        return Rotations(np.array(factor, np.float64), *ints)


def array_slots(arrays: Sequence[Any], starts: np.ndarray) -> tuple[ArraySlot, ...]:
    """Where the arrays of operations of one kind lie, for their starts in the data vector."""
    slots = []
    offset = 0
    for a in arrays:
        is_complex = np.dtype(a.dtype).kind == "c"
        slots.append(ArraySlot((starts + offset).astype(np.int32), tuple(a.shape), is_complex))
        offset += a.size * (2 if is_complex else 1)
    return tuple(slots)
