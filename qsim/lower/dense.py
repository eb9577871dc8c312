"""Dense segments: operations fused into blocks, in the order the fuser finds or in sweeps over all qubits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from qsim.lower import cost
from qsim.lower.calibration import Costs
from qsim.lower.compose import compose_tables, layout_tables
from qsim.lower.fuse import fuse
from qsim.lower.plan import Dense, Range, Sweeps
from qsim.lower.records import WHOLE, Piece, Records
from qsim.lower.sweeps import Sweep, phase_tables, schedule, sign_table

MIN_FIXED, MAX_FIXED = 4, 4096
"""Blocks of so many gates without numbers are multiplied on the host, up to so many blocks."""

FEW_FIXED, SHORT_FIXED = 16, 32
"""Where fewer than one block in so many would come from the host, each of at most so many gates and no longer than the
longest of the others, they are made like those: four kernels put blocks of the host among others."""

DIRECT_LENGTH = 6
"""Where no block has more gates, they are multiplied into it one by one, not as pairs first: fewer kernels."""

PAIR_LENGTH = 6
"""The most matrices multiplied into one pair: tables are as long as the longest pair."""


def swept_segment(records: Records, pieces: Sequence[Piece], r: Range) -> Sweeps | None:
    """Dense pieces in sweeps, where they can be run so."""
    sweep = schedule(records, pieces)
    return None if sweep is None else _sweeps(records, sweep, r)


def dense_segment(records: Records, pieces: Sequence[Piece], r: Range, costs: Costs) -> Dense | Sweeps:
    """The cheaper way to run dense pieces, by the cost model."""
    k, n = records.k, records.num_qubits
    first = fuse([p.qubits for p in pieces], min(2, k))
    second = fuse([b.qubits for b in first], k)
    blocks = [(_fill(b.qubits, k, n), [i for at in b.items for i in first[at].items]) for b in second]
    sweep = schedule(records, pieces)
    if sweep is not None and (sweep.cost(costs, k) < costs.gather * len(blocks) or any(map(records.varies, pieces))):
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

    Blocks of gates without numbers are multiplied here, in double precision: a thousand H and T rounded to single
    precision each would lose norm. Of few and short ones see `FEW_FIXED`.
    """
    k, n = records.k, records.num_qubits
    width = min(2, k)
    fixed = [b for b, (_, items) in enumerate(blocks) if _is_fixed(records, [pieces[i] for i in items])][:MAX_FIXED]
    others = sorted(set(range(len(blocks))) - set(fixed))
    lengths = [len(items) for _, items in blocks]
    if 0 < len(fixed) * FEW_FIXED < len(blocks):
        short = min(SHORT_FIXED, max(lengths[b] for b in others))
        if all(lengths[b] <= short for b in fixed):
            fixed, others = [], list(range(len(blocks)))
    matrices = [_multiply(records, blocks[b][0], [pieces[i] for i in blocks[b][1]]) for b in fixed]
    order = np.argsort(np.array([*others, *fixed], np.int32), kind="stable")
    kept = [i for b in others for i in blocks[b][1]]
    rank = {i: at for at, i in enumerate(kept)}
    blocks = [(blocks[b][0], [rank[i] for i in blocks[b][1]]) for b in others]
    pieces = [pieces[i] for i in kept]
    direct = max((len(items) for _, items in blocks), default=0) <= DIRECT_LENGTH
    if direct and pieces:  # all children are small; rotations are made as matrices of two qubits
        width = max(len(p.qubits) if p.number == WHOLE else 2 for p in pieces)
    children = records.children(pieces, r, width)
    first, open_ones = children.num_small, children.num_children

    def small(i: int) -> tuple[int, tuple[int, ...]]:
        at = children.place[i]
        return at if at >= 0 else first + ~at, pieces[i].qubits

    def big(i: int) -> int:
        at = children.place[i]
        return len(pairs) - first + (at if at >= 0 else open_ones + ~at)

    pairs: list[tuple[tuple[int, ...], list[tuple[int, tuple[int, ...]]]]] = []
    tops: list[tuple[tuple[int, ...], list[tuple[int, tuple[int, ...]]]]] = []
    widest = width
    for places, items in blocks:
        if direct:
            tops.append((places, [small(i) for i in items]))
            continue
        inner: list[tuple[int, tuple[int, ...]]] = []
        for pair in fuse([pieces[i].qubits for i in items], width):
            members = [items[i] for i in pair.items]
            if len(pair.qubits) > width:
                widest = max(widest, len(pair.qubits))
                inner.append((~members[0], pair.qubits))  # its number is known when all pairs are
                continue
            for start in range(0, len(members), PAIR_LENGTH):
                inner.append((len(pairs), pair.qubits))
                pairs.append((_fill(pair.qubits, width, n), [small(i) for i in members[start : start + PAIR_LENGTH]]))
        tops.append((places, inner))
    if direct:
        made = compose_tables(tops, k, width, first, children.small_constants)
    else:
        tops = [(places, [(c if c >= 0 else big(~c), q) for c, q in inner]) for places, inner in tops]
        made = compose_tables(tops, k, widest, len(pairs) + open_ones - first, children.big_constants)
    return {
        "waves": children.waves,
        "kinds": children.kinds,
        "pairs": compose_tables(pairs, width, width, first, children.small_constants),
        "blocks": made,
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
        key = records.key(piece)
        if key not in known:
            known[key] = records.constant(piece)
        m = len(piece.qubits)
        at = [local[q] for q in piece.qubits]
        gate = known[key].reshape((2,) * (2 * m))
        whole = np.moveaxis(np.tensordot(gate, whole, (range(m, 2 * m), at)), range(m), at)
    return whole.reshape(1 << k, 1 << k)


def _sweeps(records: Records, sweep: Sweep, r: Range) -> Sweeps:
    ends = np.cumsum(sweep.moves)
    at = [tuple(range(e - records.k, e)) for e in ends]
    used = sorted(sweep.blocks)
    members = [sweep.blocks[place] for place in used]
    return Sweeps(
        num_qubits=records.num_qubits,
        k=records.k,
        range=r,
        **_assemble(records, sweep.pieces, [(at[w], items) for (_, w), items in zip(used, members, strict=True)], r),
        moves=sweep.moves,
        used=tuple(used),
        open=tuple(any(records.is_open(sweep.pieces[i]) for i in items) for items in members),
        signs=sign_table(sweep, records.num_qubits),
        phases=phase_tables(records, sweep, r.angle, r.data),
        differentiable=records.open(r),
    )


def _fill(qubits: tuple[int, ...], width: int, num_qubits: int) -> tuple[int, ...]:
    """A block's qubits filled up to `width` with others: the ones next to them first."""
    if len(qubits) >= width:
        return qubits
    centre = qubits[0] if qubits else 0
    others = sorted((q for q in range(num_qubits) if q not in qubits), key=lambda q: (abs(q - centre), q))
    return qubits + tuple(others[: width - len(qubits)])
