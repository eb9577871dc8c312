"""Numbers in the order in which segments read them: every read of angles is a slice, one gather makes all of them.

In a plan for a batch, angles of phases, which may differ from run to run, are a vector of their own. The data vector
keeps the order of the operations, but where a segment was cut into parts: there, each part's entries follow each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jax import lax

from qsim.lower.plan import ArraySlot, Flips, Kind, Range, Reads, Repeat, Segment, Wide

Begin = tuple[int, int, int]
"""Where a segment's part of the vectors begins: of angles, of data, of a batch's angles of phases."""
Found = tuple[np.ndarray, ...]
"""The places of the operations' numbers that go into each of these."""


class _Places:
    """The places in one of the vectors of operations' numbers that one segment reads, in order."""

    def __init__(self) -> None:
        self.found: list[np.ndarray] = []
        self.size = 0

    def take(self, places: np.ndarray) -> np.ndarray:
        """Where these places (m,) will be: one after the other."""
        at = np.arange(self.size, self.size + places.size, dtype=np.int32)
        self.found.append(places)
        self.size += places.size
        return at

    def optional(self, places: np.ndarray) -> np.ndarray:
        """The same of places of which -1 is none."""
        return np.where(places >= 0, self.take(np.maximum(places, 0)), -1)

    def angles(self, kind: Kind) -> Kind:
        places = kind.angles.T
        return replace(kind, angles=self.take(places.ravel()).reshape(places.shape).T)

    def arrays(self, kind: Kind) -> Kind:
        return replace(kind, arrays=tuple(map(self.array, kind.arrays)))

    def array(self, slot: ArraySlot) -> ArraySlot:
        places = slot.starts[:, None] + np.arange(slot.length)
        return replace(slot, starts=self.take(places.ravel()).reshape(places.shape)[:, 0])

    def all(self) -> np.ndarray:
        return np.concatenate(self.found) if self.found else np.zeros(0, np.int32)


def in_order_of_reads(segments: Sequence[Segment], *, batch: bool) -> tuple[tuple[Segment, ...], Reads]:
    """Segments that read one after the other, and what they read; they come with places in the order of operations."""
    made, (angles, data, turns) = _in_order(segments, (0, 0, 0), batch)
    moved = not np.array_equal(data, np.arange(data.size))
    return made, Reads(angles, data if moved else None, turns if batch else None)


def _in_order(segments: Sequence[Segment], begin: Begin, batch: bool) -> tuple[tuple[Segment, ...], Found]:
    """The same of segments whose numbers begin there."""
    made: list[Segment] = []
    every: list[Found] = [(np.zeros(0, np.int32),) * 3]
    for segment in segments:
        r = segment.range
        if isinstance(segment, Repeat) and segment.parts:
            parts, read = zip(*(_leaf(part, begin, batch, cut=True) for part in segment.parts), strict=True)
            segment, found = replace(segment, body=parts[:1], parts=parts), _joined(read)
        elif isinstance(segment, Repeat):
            body, once = _in_order(segment.body, begin, batch)
            segment = replace(segment, body=body)
            angles, data = r.angle_stop - r.angle, r.data_stop - r.data
            found = tuple(
                (places + size // segment.count * np.arange(segment.count)[:, None]).ravel()
                for places, size in zip(once, (angles, data, angles), strict=True)
            )
        else:
            segment, found = _leaf(segment, begin, batch, cut=False)
        covered = _range(begin, found)
        made.append(replace(segment, range=covered))
        every.append(found)
        begin = covered.angle_stop, covered.data_stop, covered.turn_stop
    return tuple(made), _joined(every)


def _joined(read: Sequence[Found]) -> Found:
    return tuple(np.concatenate(places).astype(np.int32) for places in zip(*read, strict=True))


def _range(begin: Begin, found: Found) -> Range:
    (angle, data, turn), (angles, entries, turns) = begin, (len(places) for places in found)
    return Range(angle, angle + angles, data, data + entries, turn, turn + turns)


def read_range(numbers: Any, places: np.ndarray) -> Any:
    """The rows (m, ...) of numbers (A, ...) at places that follow each other."""
    begin = int(places[0]) if places.size else 0
    return lax.slice_in_dim(numbers, begin, begin + places.size)


def _leaf(segment: Any, begin: Begin, batch: bool, *, cut: bool) -> tuple[Any, Found]:
    """A segment without segments of its own whose numbers begin there, and what it reads.

    With `cut` it reads its data in order too.
    """
    r = segment.range
    angles, entries, turns = _Places(), _Places(), _Places()
    if isinstance(segment, Wide):
        angles.take(np.arange(segment.num_params))
    elif isinstance(segment, Flips):
        rotations = segment.rotations
        changes = {"time": angles.take(rotations.time)}
        if cut:
            changes["coefficient"] = entries.take(rotations.coefficient)
        segment = replace(segment, rotations=replace(rotations, **changes))
    else:
        waves = segment.waves
        changes = {"angles": angles.take(waves.angles)}
        if cut and waves.coefficients is not None:
            changes["coefficients"] = entries.optional(waves.coefficients)
        segment = replace(segment, waves=replace(waves, **changes))
    if not isinstance(segment, Wide):
        kinds = tuple(map(angles.angles, segment.kinds))
        segment = replace(segment, kinds=tuple(map(entries.arrays, kinds)) if cut else kinds)
    phases = getattr(segment, "phases", None)
    if phases is not None:
        moved = {
            p: replace(record, places=(turns if batch else angles).take(record.places)) for p, record in phases.items()
        }
        segment = replace(segment, phases=moved)
    if not cut:
        entries.take(np.arange(r.data_stop - r.data))
    found = angles.all() + r.angle, entries.all() + r.data, turns.all() + r.angle
    return replace(segment, range=_range(begin, found)), found
