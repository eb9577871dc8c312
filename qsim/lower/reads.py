"""Angles in the order in which segments read them: every read is a slice, one gather makes all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jax import lax

from qsim.lower.plan import Flips, Kind, Range, Repeat, Segment, Wide


class _Reads:
    """The places that one segment reads, in order."""

    def __init__(self) -> None:
        self.places: list[np.ndarray] = []
        self.size = 0

    def take(self, places: np.ndarray) -> np.ndarray:
        """Where these places (m,) will be: one after the other."""
        at = np.arange(self.size, self.size + places.size, dtype=np.int32)
        self.places.append(places)
        self.size += places.size
        return at

    def kinds(self, kinds: Sequence[Kind]) -> tuple[Kind, ...]:
        return tuple(replace(k, angles=self.take(k.angles.T.ravel()).reshape(k.angles.T.shape).T) for k in kinds)

    def all(self) -> np.ndarray:
        return np.concatenate(self.places) if self.places else np.zeros(0, np.int32)


def in_order_of_reads(segments: Sequence[Segment], at: int = 0) -> tuple[tuple[Segment, ...], np.ndarray]:
    """Segments that read their angles one after the other, and which angle of the operations each of them is.

    Args:
        segments: as they were built, with places in the order of the operations.
        at: where their angles begin.
    """
    made: list[Segment] = []
    places: list[np.ndarray] = []
    for segment in segments:
        r = segment.range
        if isinstance(segment, Repeat):
            body, once = in_order_of_reads(segment.body, at)
            period = (r.angle_stop - r.angle) // segment.count
            found = (once + period * np.arange(segment.count)[:, None]).ravel()
            changes: dict[str, Any] = {"body": body}
        else:
            changes, found = _leaf(segment)
            found = found + r.angle
        made.append(replace(segment, range=Range(at, at + len(found), r.data, r.data_stop), **changes))
        places.append(found.astype(np.int32))
        at += len(found)
    return tuple(made), np.concatenate(places) if places else np.zeros(0, np.int32)


def read_range(numbers: Any, places: np.ndarray) -> Any:
    """The rows (m, ...) of numbers (A, ...) at places that follow each other."""
    begin = int(places[0]) if places.size else 0
    return lax.slice_in_dim(numbers, begin, begin + places.size)


def _leaf(segment: Any) -> tuple[dict[str, Any], np.ndarray]:
    """The changes to a segment without segments of its own, and what it reads."""
    if isinstance(segment, Wide):
        return {}, np.arange(segment.num_params)
    reads = _Reads()
    changes: dict[str, Any] = {}
    if isinstance(segment, Flips):
        changes["rotations"] = replace(segment.rotations, time=reads.take(segment.rotations.time))
    else:
        changes["waves"] = replace(segment.waves, angles=reads.take(segment.waves.angles))
    changes["kinds"] = reads.kinds(segment.kinds)
    phases = getattr(segment, "phases", None)
    if phases is not None:
        changes["phases"] = {p: replace(record, places=reads.take(record.places)) for p, record in phases.items()}
    return changes, reads.all()
