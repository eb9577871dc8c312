"""Long tapes in parts of equal shape, whose matrices are made one part at a time: no memory grows with the depth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from qsim.lower import cost
from qsim.lower.plan import Compose, Dense, Flips, Kind, Repeat, Segment, Waves


def in_parts(segment: Dense | Flips) -> Segment:
    """A segment whose matrices are much beside a state as parts of it, one after the other; any other as it is."""
    steps, most = len(segment.order), cost.part_steps(segment)
    if steps <= most or (isinstance(segment, Dense) and segment.unrolled):
        return segment
    steps += isinstance(segment, Dense)  # at the end the bits go home
    size = min(range(most, most // 2, -1), key=lambda size: -steps % size)  # what fills up is run, too
    parts = _dense(segment, size) if isinstance(segment, Dense) else _flips(segment, size)
    n, k = segment.num_qubits, segment.k
    return Repeat(n, k, segment.range, len(parts), parts[:1], segment.differentiable, parts)


def _dense(segment: Dense, size: int) -> tuple[Dense, ...]:
    """Parts of `size` blocks, filled up with identities."""
    blocks, pairs, made = segment.blocks, segment.pairs, segment.blocks.num_blocks
    steps = segment.num_blocks + 1
    place = _filled(np.append(segment.order, -1), size)
    is_made = place < made if made else np.zeros(place.shape, bool)
    columns = _padded([row[which] for row, which in zip(place, is_made, strict=True)])
    fixed = _padded([row[~which] - made for row, which in zip(place, is_made, strict=True)])
    order = np.where(is_made, np.cumsum(is_made, 1) - 1, columns.shape[1] + np.cumsum(~is_made, 1) - 1)

    small = [kind.num_qubits <= pairs.child_qubits for kind in segment.kinds]
    sizes = [len(segment.waves), *(kind.count for kind, fits in zip(segment.kinds, small, strict=True) if fits)]
    big = [kind.count for kind, fits in zip(segment.kinds, small, strict=True) if not fits]
    if pairs.num_blocks:
        tops, (inner, *rest) = _cut(blocks, columns, [pairs.num_blocks, *big])
        lower, (waves, *kinds) = _cut(pairs, inner, sizes)
        kinds += rest
    else:
        tops, (waves, *kinds) = _cut(blocks, columns, [*sizes, *big])
        lower = [pairs] * len(place)

    eye, still = np.eye(1 << segment.k), np.arange(segment.num_qubits, dtype=np.uint8)
    table = np.concatenate([segment.fixed, eye[None]])  # the last is for -1

    def rows(source: np.ndarray, part: int) -> np.ndarray:
        found = source[part * size : min((part + 1) * size, steps)]
        return np.concatenate([found, np.tile(still, (size - len(found), 1))])

    return tuple(
        replace(
            segment,
            waves=_waves(segment.waves, waves[p]),
            kinds=tuple(_kind(kind, members[p]) for kind, members in zip(segment.kinds, kinds, strict=True)),
            pairs=lower[p],
            blocks=tops[p],
            fixed=table[fixed[p]],
            order=order[p].astype(np.int32),
            src=rows(segment.src, p),
            inverse=rows(segment.inverse, p),
        )
        for p in range(len(place))
    )


def _flips(segment: Flips, size: int) -> tuple[Flips, ...]:
    """Parts of `size` steps, filled up with steps that act nowhere."""
    place = _filled(segment.order, size)
    rotations = segment.rotations
    sizes = [len(rotations), *(kind.count for kind in segment.kinds)]
    (turns, *kinds), numbers = _shared([np.unique(row[row >= 0]) for row in place], sizes)
    idle = np.array([[0, 0, 0, 1]], segment.masks.dtype)
    masks = np.concatenate([segment.masks, np.tile(idle, (place.size - len(segment.masks), 1))])
    return tuple(
        replace(
            segment,
            kinds=tuple(_kind(kind, members[p]) for kind, members in zip(segment.kinds, kinds, strict=True)),
            rotations=replace(
                rotations,
                factor=np.where(turns[p] >= 0, _rows(rotations.factor, turns[p]), 0),  # what fills up does not turn
                time=_rows(rotations.time, turns[p]),
                coefficient=_rows(rotations.coefficient, turns[p]),
            ),
            phase=_rows(segment.phase, turns[p]),
            order=numbers[p][np.where(place[p] < 0, place[p].max(), place[p])],
            masks=masks[p * size : (p + 1) * size],
        )
        for p in range(len(place))
    )


def _cut(spec: Compose, columns: np.ndarray, sizes: Sequence[int]) -> tuple[list[Compose], list[np.ndarray]]:
    """Some products of each part, `columns` (parts, B) with -1 for the identity, and which children they are of.

    Args:
        sizes: how many children there are of each class, in order.

    Returns:
        The products of each part, and for each class its members in each part (parts, most), -1 to fill up.
    """
    identity = spec.num_children + len(spec.constants) - 1
    index = np.moveaxis(np.where(columns >= 0, spec.index[:, columns], identity), 1, 0)
    perms = np.moveaxis(np.where(columns >= 0, spec.perms[:, columns], 0), 1, 0).astype(spec.perms.dtype)
    constants = np.arange(spec.num_children, identity + 1)
    members, numbers = _shared([np.union1d(part, constants) for part in index], [*sizes, len(constants)])
    count = sum(m.shape[1] for m in members[:-1])
    parts = [
        replace(spec, num_children=count, index=number[i], perms=p, padded=True)
        for number, i, p in zip(numbers, index, perms, strict=True)
    ]
    return parts, members[:-1]


def _shared(used: Sequence[np.ndarray], sizes: Sequence[int]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """What each part uses, as many of each class in every part.

    Args:
        used: of each part, what it uses, sorted. sizes: of each class, in order.

    Returns:
        For each class its members in each part (parts, most), -1 to fill up; and in each part the new number of each.
    """
    bounds = np.cumsum([0, *sizes])
    members = [_padded([u[(a <= u) & (u < b)] for u in used]) for a, b in pairwise(bounds)]
    starts = np.cumsum([0, *(m.shape[1] for m in members)])
    numbers = []
    for p in range(len(used)):
        number = np.zeros(bounds[-1], np.int32)
        for start, found in zip(starts, (m[p][m[p] >= 0] for m in members), strict=False):
            number[found] = start + np.arange(len(found))
        numbers.append(number)
    return [np.where(m >= 0, m - a, -1) for m, a in zip(members, bounds, strict=False)], numbers


def _padded(rows: Sequence[np.ndarray]) -> np.ndarray:
    """Rows of ints as one table, filled up with -1."""
    table = np.full((len(rows), max(map(len, rows))), -1, np.int32)
    for at, row in enumerate(rows):
        table[at, : len(row)] = row
    return table


def _filled(order: np.ndarray, size: int) -> np.ndarray:
    """`order` in rows of `size`, the last one filled up with -1."""
    table = np.full(-(-len(order) // size) * size, -1, np.int32)
    table[: len(order)] = order
    return table.reshape(-1, size)


def _rows(table: np.ndarray, members: np.ndarray) -> np.ndarray:
    """The rows of members; what fills up is like the first of all."""
    return table[np.maximum(members, 0)]


def _waves(waves: Waves, members: np.ndarray) -> Waves:
    some = waves.coefficients
    return replace(
        waves,
        angles=_rows(waves.angles, members),
        scales=waves.scales if len(waves.scales) == 1 else _rows(waves.scales, members),
        coefficients=None if some is None else _rows(some, members),
        kinds=_rows(waves.kinds, members),
    )


def _kind(kind: Kind, members: np.ndarray) -> Kind:
    arrays = tuple(replace(slot, starts=_rows(slot.starts, members)) for slot in kind.arrays)
    return replace(kind, count=len(members), angles=_rows(kind.angles, members), arrays=arrays)
