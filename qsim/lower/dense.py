"""Dense segments: operations fused into blocks, in the order the fuser finds or in sweeps over all qubits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from qsim.ir.operation import key_of
from qsim.lower import cost
from qsim.lower.compose import compose_tables, layout_tables
from qsim.lower.fuse import fuse
from qsim.lower.plan import Dense, Range, Sweeps
from qsim.lower.records import Piece, Records

MIN_FIXED, MAX_FIXED = 4, 4096
"""Blocks of so many gates without numbers are multiplied on the host, up to so many blocks."""

PAIR_LENGTH = 6
"""The most matrices multiplied into one pair: tables are as long as the longest pair."""

_CZ = np.diag([1.0, 1, 1, -1])
_CX = {1: np.eye(4)[[0, 1, 3, 2]], 0: np.eye(4)[[0, 3, 2, 1]]}


def dense_segment(records: Records, pieces: Sequence[Piece], r: Range) -> Dense | Sweeps:
    """The cheaper way to run dense pieces, by the cost model."""
    k, n = records.k, records.num_qubits
    first = fuse([p.qubits for p in pieces], min(2, k))
    second = fuse([b.qubits for b in first], k)
    blocks = [(_fill(b.qubits, k, n), [i for at in b.items for i in first[at].items]) for b in second]
    sweep = _schedule(records, pieces) if n > k >= 2 else None
    if sweep is not None and sweep.steps <= cost.MAX_UNROLLED and sweep.cost < cost.GATHER * len(blocks):
        return _sweeps(records, sweep, r)
    src, inverse = layout_tables([places for places, _ in blocks], n)
    return Dense(
        num_qubits=n,
        k=k,
        range=r,
        **_assemble(records, pieces, blocks, r),
        src=src,
        inverse=inverse,
        unrolled=len(blocks) <= cost.UNROLL_BLOCKS,
        differentiable=records.open(r),
    )


def _assemble(
    records: Records, pieces: Sequence[Piece], blocks: Sequence[tuple[tuple[int, ...], list[int]]], r: Range
) -> dict[str, Any]:
    """The tables that make block matrices of pieces: pairs first, then blocks of pairs.

    Blocks of gates without numbers are multiplied here, in double precision: a thousand
    H and T rounded to single precision each would lose norm.
    """
    k, n = records.k, records.num_qubits
    width = min(2, k)
    fixed = [b for b, (_, items) in enumerate(blocks) if _is_fixed(records, [pieces[i] for i in items])][:MAX_FIXED]
    matrices = [_multiply(records, blocks[b][0], [pieces[i] for i in blocks[b][1]]) for b in fixed]
    made = [b for b in range(len(blocks)) if b not in set(fixed)]
    order = np.argsort(np.array([*made, *fixed], np.int32), kind="stable")
    kept = [i for b in made for i in blocks[b][1]]
    rank = {i: at for at, i in enumerate(kept)}
    blocks = [(blocks[b][0], [rank[i] for i in blocks[b][1]]) for b in made]
    pieces = [pieces[i] for i in kept]
    kinds, rotations, child = records.kinds(pieces, r, width)
    num_small = sum(len(p.qubits) <= width for p in pieces)
    pairs: list[tuple[tuple[int, ...], list[tuple[int, tuple[int, ...]]]]] = []
    tops: list[tuple[tuple[int, ...], list[tuple[int, tuple[int, ...]]]]] = []
    widest = width
    for places, items in blocks:
        inner: list[tuple[int, tuple[int, ...]]] = []
        for pair in fuse([pieces[i].qubits for i in items], width):
            members = [items[i] for i in pair.items]
            if len(pair.qubits) > width:
                widest = max(widest, len(pair.qubits))
                inner.append((child[members[0]] - num_small, pair.qubits))
                continue
            for start in range(0, len(members), PAIR_LENGTH):
                inner.append((~len(pairs), pair.qubits))
                part = members[start : start + PAIR_LENGTH]
                pairs.append((_fill(pair.qubits, width, n), [(child[i], pieces[i].qubits) for i in part]))
        tops.append((places, inner))
    shifted = [(places, [(~c if c < 0 else len(pairs) + c, q) for c, q in inner]) for places, inner in tops]
    return {
        "kinds": kinds,
        "rotations": rotations,
        "pairs": compose_tables(pairs, width, width, num_small),
        "blocks": compose_tables(shifted, k, widest, len(pairs) + len(pieces) - num_small),
        "fixed": np.stack(matrices) if fixed else np.zeros((0, 1 << k, 1 << k), complex),
        "order": order,
    }


def _is_fixed(records: Records, pieces: Sequence[Piece]) -> bool:
    """Whether a block is worth multiplying on the host: several gates, none of them with numbers."""
    if len(pieces) < MIN_FIXED:
        return False
    return all(p.constant or (p.number < 0 and not records.has_numbers(p)) for p in pieces)


def _multiply(records: Records, places: tuple[int, ...], pieces: Sequence[Piece]) -> np.ndarray:
    """The product of pieces without numbers as a matrix on `places`, complex128."""
    k = len(places)
    local = {q: at for at, q in enumerate(places)}
    whole = np.eye(1 << k, dtype=complex).reshape((2,) * k + (1 << k,))
    known: dict[Any, np.ndarray] = {}
    for piece in pieces:
        key = piece.constant or key_of(records.operation(piece))
        if key not in known:
            known[key] = records.constant(piece)
        m = len(piece.qubits)
        at = [local[q] for q in piece.qubits]
        gate = known[key].reshape((2,) * (2 * m))
        whole = np.moveaxis(np.tensordot(gate, whole, (range(m, 2 * m), at)), range(m), at)
    return whole.reshape(1 << k, 1 << k)


# ---------------------------------------------------------------------------------- sweeps


@dataclass(slots=True)
class _Sweep:
    """Pieces put into passes over windows of the qubits, with signs before each pass and at the end."""

    moves: tuple[int, ...]
    pieces: list[Piece] = field(default_factory=list)
    blocks: dict[tuple[int, int], list[int]] = field(default_factory=dict)
    signs: dict[int, set[tuple[int, int]]] = field(default_factory=dict)

    @property
    def passes(self) -> int:
        return max((p + 1 for p, _ in self.blocks), default=0)

    @property
    def steps(self) -> int:
        return self.passes * len(self.moves)

    @property
    def cost(self) -> float:
        return cost.ROTATION * self.steps + cost.SIGN * len(self.signs)


def _schedule(records: Records, pieces: Sequence[Piece]) -> _Sweep | None:
    """Put pieces into sweeps: windows of up to k neighbours, CZ and CX across windows as signs.

    In one pass the windows' blocks act on different qubits, so that they commute. Signs
    come before the blocks of their pass; a diagonal piece may move to before them. None
    where a piece across windows is neither CZ nor CX.
    """
    n, k = records.num_qubits, records.k
    count = -(-n // k)
    moves = tuple([k] + [(n - k) // (count - 1) + (i < (n - k) % (count - 1)) for i in range(count - 1)])
    window = np.repeat(np.arange(count), moves).tolist()
    sweep = _Sweep(moves)
    dense = [-1] * n
    signed = [0] * n
    forms: dict[Any, int | None] = {}
    diagonal: dict[Any, bool] = {}

    def add(piece: Piece) -> None:
        operation = records.operation(piece)
        key = piece.constant or (key_of(operation) if piece.number < 0 else None)
        if key not in diagonal:
            diagonal[key] = key is not None and not piece.constant and _is_diagonal(operation)
        after = (dense[q] if diagonal[key] else max(dense[q], signed[q]) for q in piece.qubits)
        at = max([0, *after])
        sweep.blocks.setdefault((at, window[piece.qubits[0]] if piece.qubits else 0), []).append(len(sweep.pieces))
        sweep.pieces.append(piece)
        for q in piece.qubits:
            dense[q] = at

    for piece in pieces:
        if len({window[q] for q in piece.qubits}) <= 1:
            add(piece)
            continue
        operation = records.operation(piece)
        key = (key_of(operation), piece.number)
        if key not in forms:
            forms[key] = _cross_form(operation, piece)
        form = forms[key]
        if form is None:
            return None
        flips = [] if form < 0 else [Piece(piece.place, qubits=(piece.qubits[form],), constant="h")]
        for f in flips:
            add(f)
        a, b = sorted(piece.qubits)
        at = max(dense[a], dense[b]) + 1
        sweep.signs.setdefault(at, set()).symmetric_difference_update({(a, b)})
        signed[a], signed[b] = max(signed[a], at), max(signed[b], at)
        for f in flips:
            add(f)
    sweep.signs = {at: pairs for at, pairs in sweep.signs.items() if pairs}
    return sweep


def _is_diagonal(operation: Any) -> bool:
    """Whether an operation is diagonal whatever its numbers: seen at numbers without meaning."""
    params = [0.7 + 0.37 * i for i in range(len(operation.params))]
    arrays = getattr(operation, "arrays", ())
    if arrays:
        return False
    matrix = np.asarray((operation.replace(params) if params else operation).matrix(np))
    return bool(np.all(matrix == np.diag(np.diagonal(matrix))))


def _cross_form(operation: Any, piece: Piece) -> int | None:
    """-1 for a CZ, the place of the target for a CX, None for anything else."""
    if len(piece.qubits) != 2 or piece.number >= 0 or operation.params or getattr(operation, "arrays", ()):
        return None
    matrix = np.asarray(operation.matrix(np))
    if np.array_equal(matrix, _CZ):
        return -1
    return next((target for target, cx in _CX.items() if np.array_equal(matrix, cx)), None)


def _sweeps(records: Records, sweep: _Sweep, r: Range) -> Sweeps:
    n, k = records.num_qubits, records.k
    ends = np.cumsum(sweep.moves)
    windows = [tuple(range(e - k, e)) for e in ends]
    used = sorted(sweep.blocks)
    blocks = [(windows[w], sweep.blocks[p, w]) for p, w in used]
    signs = np.zeros((sweep.passes + 1, n, n), np.uint8)
    for at, pairs in sweep.signs.items():
        for a, b in pairs:
            signs[min(at, sweep.passes), a, b] ^= 1
    return Sweeps(
        num_qubits=n,
        k=k,
        range=r,
        **_assemble(records, sweep.pieces, blocks, r),
        moves=sweep.moves,
        used=tuple(used),
        signs=signs,
        differentiable=records.open(r),
    )


def _fill(qubits: tuple[int, ...], width: int, num_qubits: int) -> tuple[int, ...]:
    """A block's qubits filled up to `width` with others: the ones next to them first."""
    if len(qubits) >= width:
        return qubits
    centre = qubits[0] if qubits else 0
    others = sorted((q for q in range(num_qubits) if q not in qubits), key=lambda q: (abs(q - centre), q))
    return qubits + tuple(others[: width - len(qubits)])
