"""Sweeps over windows of neighbouring qubits: blocks inside windows, signs and phases across them.

In one pass the blocks of all windows act on different qubits, so that they commute. What
joins two windows is diagonal, in a basis that one-qubit gates inside the windows turn to:
CZ and CX are signs, rotations and controlled rotations of one angle are phases
exp(i angle Z...Z). Phases also take what differs from run to run of a batch, so that the
blocks' matrices are the same for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from qsim.ir.operation import key_of
from qsim.lower import cost
from qsim.lower.calibration import Costs
from qsim.lower.forms import Form, is_ours, phase_form
from qsim.lower.plan import Phases, once
from qsim.lower.records import Piece, Records

_CZ = np.diag([1.0, 1, 1, -1])
_CX = {1: np.eye(4)[[0, 1, 3, 2]], 0: np.eye(4)[[0, 3, 2, 1]]}


@dataclass(slots=True)
class Term:
    """One phase exp(i coefficient * angle * Z...Z) of a piece."""

    piece: Piece
    qubits: tuple[int, ...]
    coefficient: float


@dataclass(slots=True)
class Sweep:
    """Pieces put into passes; before each pass, and at the end, signs and phases."""

    moves: tuple[int, ...]
    pieces: list[Piece] = field(default_factory=list)
    blocks: dict[tuple[int, int], list[int]] = field(default_factory=dict)
    signs: dict[int, set[tuple[int, int]]] = field(default_factory=dict)
    phases: dict[int, list[Term]] = field(default_factory=dict)

    @property
    def passes(self) -> int:
        return max((p + 1 for p, _ in self.blocks), default=0)

    @property
    def steps(self) -> int:
        return len(self.blocks) + len(self.phases)

    def cost(self, costs: Costs, k: int) -> float:
        """Nanoseconds per amplitude, in blocks of k qubits."""
        rotations = self.passes * (len(self.moves) > 1) * len(self.moves)
        products = costs.product(k) * len(self.blocks) + costs.rotation * rotations
        return products + costs.sign * len(self.signs) + costs.phase * len(self.phases)


def windows(num_qubits: int, k: int) -> tuple[int, ...]:
    """How many qubits each window adds: the first k, the others as evenly as can be."""
    count = -(-num_qubits // k)
    rest = count - 1
    return tuple([k] + [(num_qubits - k) // rest + (i < (num_qubits - k) % rest) for i in range(rest)])


@dataclass(slots=True)
class _Scheduler:
    """Puts pieces one after the other as early as they can go.

    By qubit: the last pass with a block that has it (`dense`), with one that is not diagonal on it (`turned`), and
    the last signs or phases that have it (`signed`).
    """

    records: Records
    sweep: Sweep
    window: list[int]
    dense: list[int]
    turned: list[int]
    signed: list[int]
    forms: dict[Any, Form | None] = field(default_factory=dict)
    crossings: dict[Any, int | None] = field(default_factory=dict)
    diagonal: dict[Any, bool] = field(default_factory=dict)

    def key(self, piece: Piece) -> Any:
        return key_of(self.records.operation(piece))

    def add(self, piece: Piece) -> None:
        """Into the block of its window, in the first pass that is free; a diagonal piece may go before signs."""
        key = piece.constant or (self.key(piece) if piece.number < 0 else None)
        if key not in self.diagonal:
            whole = key is not None and not piece.constant
            self.diagonal[key] = whole and _is_diagonal(self.records.operation(piece))
        free = self.dense if self.diagonal[key] else [*map(max, self.dense, self.signed)]
        at = max([0, *(free[q] for q in piece.qubits)])
        place = at, self.window[piece.qubits[0]] if piece.qubits else 0
        self.sweep.blocks.setdefault(place, []).append(len(self.sweep.pieces))
        self.sweep.pieces.append(piece)
        for q in piece.qubits:
            self.dense[q] = at
            if not self.diagonal[key]:
                self.turned[q] = at

    def turn(self, piece: Piece, letters: Sequence[str], back: bool) -> None:
        """The one-qubit gates to the eigenbasis of the letters, or back."""
        for q, letter in zip(piece.qubits, letters, strict=True):
            if letter in "XY":
                self.add(Piece(piece.place, qubits=(q,), constant=letter if back else letter + "^-1"))

    def between(self, qubits: Sequence[int]) -> int:
        """The pass before which something diagonal on these qubits can come."""
        at = max((self.turned[q] + 1 for q in qubits), default=0)
        for q in qubits:
            self.signed[q] = max(self.signed[q], at)
        return at

    def sign(self, piece: Piece, target: int) -> None:
        """A CZ, or a CX with this target, across windows."""
        letters = ["Z", "Z"] if target < 0 else ["ZX", "XZ"][target == 0]
        self.turn(piece, letters, back=False)
        a, b = sorted(piece.qubits)
        self.sweep.signs.setdefault(self.between((a, b)), set()).symmetric_difference_update({(a, b)})
        self.turn(piece, letters, back=True)

    def phase(self, piece: Piece, form: Form) -> None:
        """What is a phase in some basis."""
        self.turn(piece, form.bases, back=False)
        at = self.between(piece.qubits)
        for places, coefficient in form.terms:
            term = Term(piece, tuple(piece.qubits[p] for p in places), coefficient)
            self.sweep.phases.setdefault(at, []).append(term)
        self.turn(piece, form.bases, back=True)

    def form(self, piece: Piece) -> Form | None:
        operation = self.records.operation(piece)
        if piece.number >= 0:
            letters = operation.local_rotations()[piece.number][1]
            return Form(tuple(letters), ((tuple(range(len(letters))), -1.0),))
        key = self.key(piece)
        if key not in self.forms:
            self.forms[key] = phase_form(operation)
        return self.forms[key]

    def crossing(self, piece: Piece) -> int | None:
        """-1 for a CZ, the place of the target for a CX, None for anything else."""
        operation = self.records.operation(piece)
        if len(piece.qubits) != 2 or piece.number >= 0 or self.records.has_numbers(piece):
            return None
        key = self.key(piece)
        if key not in self.crossings:
            matrix = np.asarray(operation.matrix(np))
            found = (target for target, cx in _CX.items() if np.array_equal(matrix, cx))
            self.crossings[key] = -1 if np.array_equal(matrix, _CZ) else next(found, None)
        return self.crossings[key]


def schedule(records: Records, pieces: Sequence[Piece]) -> Sweep | None:
    """Put pieces into sweeps.

    None where there are no qubits, where a piece is neither inside a window nor a sign or phase, where one varies
    and is no phase, or where there are more than `cost.MAX_UNROLLED` steps.
    """
    n, k = records.num_qubits, records.k
    if not k:
        return None
    moves = windows(n, k)
    window = np.repeat(np.arange(len(moves)), moves).tolist()
    made = _Scheduler(records, Sweep(moves), window, [-1] * n, [-1] * n, [0] * n)
    for piece in pieces:
        if made.sweep.steps > cost.MAX_UNROLLED:
            return None
        inside = len({window[q] for q in piece.qubits}) <= 1
        varies = records.varies(piece)
        if inside and not varies:
            made.add(piece)
            continue
        target = None if varies else made.crossing(piece)
        if target is not None:
            made.sign(piece, target)
            continue
        form = made.form(piece)
        if form is None:
            return None
        made.phase(piece, form)
    sweep = made.sweep
    sweep.signs = {at: pairs for at, pairs in sweep.signs.items() if pairs}
    return sweep if sweep.steps <= cost.MAX_UNROLLED else None


def _is_diagonal(operation: Any) -> bool:
    """Whether an operation is diagonal whatever its numbers: seen at numbers without meaning, or no user's with any."""
    params = [0.7 + 0.37 * i for i in range(len(operation.params))]
    if getattr(operation, "arrays", ()) or (params and not is_ours(operation)):
        return False
    matrix = np.asarray((operation.replace(params) if params else operation).matrix(np))
    return bool(np.all(matrix == np.diag(np.diagonal(matrix))))


def sign_table(sweep: Sweep, num_qubits: int) -> np.ndarray:
    """The CZ pairs before each pass and at the end, (passes + 1, n, n)."""
    signs = np.zeros((sweep.passes + 1, num_qubits, num_qubits), np.uint8)
    for at, pairs in sweep.signs.items():
        for a, b in pairs:
            signs[min(at, sweep.passes), a, b] ^= 1
    return signs


def phase_tables(records: Records, sweep: Sweep, angle: int, data: int) -> dict[int, Phases]:
    """The phases before each pass and at the end, by pass; `angle` and `data` begin the segment's range."""
    merged: dict[int, list[Term]] = {}
    for at, terms in sweep.phases.items():
        merged.setdefault(min(at, sweep.passes), []).extend(terms)
    return {at: _phases(records, terms, angle, data) for at, terms in sorted(merged.items())}


def _phases(records: Records, terms: Sequence[Term], angle: int, data: int) -> Phases:
    n, k, sources = records.num_qubits, records.k, records.sources
    masks = [sum(1 << (n - 1 - q) for q in t.qubits) for t in terms]
    rows, columns = np.array(masks, np.int64) >> k, np.array(masks, np.int64) & ((1 << k) - 1)
    order = np.argsort(rows != 0, kind="stable")
    places, factors, coefficients = [], [], []
    for t in (terms[i] for i in order):
        places.append(sources.angle_starts[t.piece.place] - angle)
        factor, coefficient = t.coefficient, -1
        if t.piece.number >= 0:
            _, _, which, scale = records.operation(t.piece).rotations()
            factor = factor * float(scale[t.piece.number])
            coefficient = int(sources.data_starts[t.piece.place] - data + which[t.piece.number])
        factors.append(factor)
        coefficients.append(coefficient)
    return Phases(
        num_rows=1 << (n - k),
        num_columns=1 << k,
        rows=rows[order],
        columns=columns[order],
        places=np.array(places, np.int32),
        factors=once(np.array(factors, np.float64)),
        coefficients=np.array(coefficients, np.int32),
        groups=tuple(sorted(set(columns[rows != 0].tolist()))),
        own=int(np.sum(rows == 0)),
    )
