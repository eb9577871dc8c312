"""Numbers in the order in which segments read them: every read of angles is a slice, one gather makes all of them.

The data vector keeps the order of the operations, but where a segment was cut into parts: there, each part's entries
follow each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jax import lax

from qsim.lower.plan import ArraySlot, Flips, Kind, Range, Reads, Repeat, Segment, Wide


class _Places:
    """The places in one of the vectors that one segment reads, in order."""

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


def in_order_of_reads(segments: Sequence[Segment]) -> tuple[tuple[Segment, ...], Reads]:
    """Segments that read one after the other, and what they read; they come with places in the order of operations."""
    made, angles, data = _in_order(segments, 0, 0)
    moved = not np.array_equal(data, np.arange(data.size))
    return made, Reads(angles.astype(np.int32), data.astype(np.int32) if moved else None)


def _in_order(segments: Sequence[Segment], angle: int, data: int) -> tuple[tuple[Segment, ...], np.ndarray, np.ndarray]:
    """The same of segments whose numbers begin at `angle` and `data`."""
    made: list[Segment] = []
    angles: list[np.ndarray] = [np.zeros(0, np.int32)]
    entries: list[np.ndarray] = [np.zeros(0, np.int32)]
    for segment in segments:
        r = segment.range
        if isinstance(segment, Repeat) and segment.parts:
            parts, read = zip(*(_leaf(part, angle, data, cut=True) for part in segment.parts), strict=True)
            segment = replace(segment, body=parts[:1], parts=parts)
            found, own = (np.concatenate(places) for places in zip(*read, strict=True))
        elif isinstance(segment, Repeat):
            body, once, own_once = _in_order(segment.body, angle, data)
            segment = replace(segment, body=body)
            turns = np.arange(segment.count)[:, None]
            found = (once + (r.angle_stop - r.angle) // segment.count * turns).ravel()
            own = (own_once + (r.data_stop - r.data) // segment.count * turns).ravel()
        else:
            segment, (found, own) = _leaf(segment, angle, data, cut=False)
        made.append(replace(segment, range=Range(angle, angle + len(found), data, data + len(own))))
        angles.append(found)
        entries.append(own)
        angle, data = angle + len(found), data + len(own)
    return tuple(made), np.concatenate(angles), np.concatenate(entries)


def read_range(numbers: Any, places: np.ndarray) -> Any:
    """The rows (m, ...) of numbers (A, ...) at places that follow each other."""
    begin = int(places[0]) if places.size else 0
    return lax.slice_in_dim(numbers, begin, begin + places.size)


def _leaf(segment: Any, angle: int, data: int, *, cut: bool) -> tuple[Any, tuple[np.ndarray, np.ndarray]]:
    """A segment without segments of its own that begins at `angle` and `data`, and what it reads of both vectors.

    With `cut` it reads its data in order too.
    """
    r = segment.range
    angles, entries = _Places(), _Places()
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
        moved = {p: replace(record, places=angles.take(record.places)) for p, record in phases.items()}
        segment = replace(segment, phases=moved)
    if not cut:
        entries.take(np.arange(r.data_stop - r.data))
    found, own = angles.all() + r.angle, entries.all() + r.data
    return replace(segment, range=Range(angle, angle + len(found), data, data + len(own))), (found, own)
