"""Repeated structure in a sequence of tokens, found before anything is fused."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

MAX_PERIODS = 64


@dataclass(frozen=True, slots=True)
class Span:
    """Tokens start .. start + period * count, the first `period` of them `count` times over."""

    start: int
    period: int
    count: int

    @property
    def stop(self) -> int:
        return self.start + self.period * self.count


class Repeats:
    """The repeats of parts of a sequence of tokens, each part searched once.

    Args:
        tokens: the sequence. min_count: how often a repeat comes at least.
    """

    def __init__(self, tokens: np.ndarray, min_count: int):
        self._tokens, self._min_count = tokens, min_count
        self._known: dict[tuple[int, int], list[Span]] = {}

    def within(self, start: int, stop: int) -> list[Span]:
        """The spans of tokens start .. stop, counted from the beginning of the sequence."""
        if (start, stop) not in self._known:
            spans = find_repeats(self._tokens[start:stop], self._min_count)
            self._known[start, stop] = [replace(s, start=start + s.start) for s in spans]
        return self._known[start, stop]


def find_repeats(tokens: np.ndarray, min_count: int = 3) -> list[Span]:
    """Cut a sequence into spans; what does not repeat comes as spans of count 1.

    Candidate periods are the distances between equal neighbouring tokens. The span
    that covers most is taken first, with the shortest period; what is left on both
    sides is searched again.
    """
    spans: list[Span] = []
    todo = [(0, len(tokens))]
    while todo:
        start, stop = todo.pop()
        best = _longest(tokens[start:stop], min_count)
        if best is None:
            if stop > start:
                spans.append(Span(start, stop - start, 1))
            continue
        found = Span(start + best.start, best.period, best.count)
        spans.append(found)
        todo += [(start, found.start), (found.stop, stop)]
    return sorted(spans, key=lambda s: s.start)


def _longest(tokens: np.ndarray, min_count: int) -> Span | None:
    size = len(tokens)
    best: Span | None = None
    covered = 0
    for period in _periods(tokens, size // min_count):
        same = np.concatenate([[False], tokens[:-period] == tokens[period:], [False]])
        edges = np.flatnonzero(same[1:] != same[:-1])
        begins, ends = edges[::2], edges[1::2]
        if not len(begins):
            continue
        lengths = ends - begins
        run = int(np.argmax(lengths))
        count = int(lengths[run]) // period + 1
        if count >= min_count and count * period > covered:
            best, covered = Span(int(begins[run]), period, count), count * period
            if covered >= 0.95 * size:
                break
    return best


def _periods(tokens: np.ndarray, longest: int) -> list[int]:
    """Distances at which tokens come again: the most frequent, shortest first."""
    if longest < 1:
        return []
    order = np.argsort(tokens, kind="stable")
    ranked = tokens[order]
    found = []
    for step in (1, 2, 3, 4):
        equal = ranked[step:] == ranked[:-step]
        found.append((order[step:] - order[:-step])[equal])
    gaps = np.concatenate(found)
    gaps = gaps[gaps <= longest]
    if not len(gaps):
        return []
    values, counts = np.unique(gaps, return_counts=True)
    top = values[np.argsort(-counts, kind="stable")[:MAX_PERIODS]]
    return sorted(int(v) for v in top)
