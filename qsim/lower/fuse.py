"""Fusion of operations into blocks of a few qubits, each block as full as can be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Block:
    """Operations that are applied as one matrix: their places in the sequence, and the qubits."""

    qubits: tuple[int, ...]
    items: list[int] = field(default_factory=list)


def fuse(supports: Sequence[tuple[int, ...]], width: int) -> list[Block]:
    """Put a sequence of operations on `supports` into blocks of at most `width` qubits.

    One block after the other: from each operation that can come next, its qubits are
    extended by those that let most further operations in per qubit; the fullest block is
    taken. An operation on more qubits than `width` is a block by itself; one on none goes where there is room.

    Returns:
        The blocks in an order of application.
    """
    line = _Line(supports)
    blocks: list[Block] = []
    while line.left:
        best = _Part((), [], {})
        for support in line.front:
            part = line.extended(support, width)
            if not best.reached or len(part.items) > len(best.items):
                best = part
        blocks.append(Block(best.qubits, best.items))
        line.take(best)
    anywhere = [item for item, support in enumerate(supports) if not support]
    room = next((block for block in blocks if len(block.qubits) <= width), None)
    if anywhere and room is not None:
        room.items[:0] = anywhere
    elif anywhere:
        blocks.insert(0, Block((), anywhere))
    return blocks


@dataclass(slots=True)
class _Part:
    """What can be applied next on some qubits: the operations, and how far each qubit's queue is then."""

    qubits: tuple[int, ...]
    items: list[int]
    reached: dict[int, int]


class _Line:
    """The operations still to come, as a queue for each qubit; -1 is its end."""

    def __init__(self, supports: Sequence[tuple[int, ...]]):
        self.supports = supports
        self.queues: dict[int, list[int]] = {}
        for item, support in enumerate(supports):
            for q in support:
                self.queues.setdefault(q, []).append(item)
        for queue in self.queues.values():
            queue.append(-1)
        self.places = dict.fromkeys(self.queues, 0)
        self.left = sum(map(bool, supports))
        self.front = self._front()

    def _front(self) -> tuple[tuple[int, ...], ...]:
        """The supports of the operations that can come next."""
        heads = {q: self.queues[q][place] for q, place in self.places.items()}
        ready = dict.fromkeys(head for head in heads.values() if head >= 0)
        found = (item for item in ready if all(heads[q] == item for q in self.supports[item]))
        return tuple(dict.fromkeys(self.supports[item] for item in found))

    def grown(self, part: _Part, qubits: tuple[int, ...]) -> _Part:
        """`part` with more qubits, and all that can be applied then."""
        queues, supports = self.queues, self.supports  # most of the time of a long tape's plan is spent here
        reached = part.reached | {q: self.places[q] for q in qubits}
        items = list(part.items)
        todo = list(reached)
        while todo:
            q = todo.pop()
            item = queues[q][reached[q]]
            if item < 0:
                continue
            support = supports[item]
            for r in support:
                if r not in reached or queues[r][reached[r]] != item:
                    break
            else:
                items.append(item)
                for r in support:
                    reached[r] += 1
                todo += support
        return _Part(part.qubits + qubits, items, reached)

    def extended(self, support: tuple[int, ...], width: int) -> _Part:
        """The part that begins with the qubits of an operation and grows by what lets most in per qubit."""
        if len(support) > width:
            item = self.queues[support[0]][self.places[support[0]]]
            return _Part(support, [item], {q: self.places[q] + 1 for q in support})
        part = self.grown(_Part((), [], {}), support)
        while len(part.qubits) < width:
            best, gain = part, 0.0
            for more in self.neighbours(part, width - len(part.qubits)):
                other = self.grown(part, more)
                rate = (len(other.items) - len(part.items)) / len(more)
                if rate > gain or (rate == gain and len(other.items) > len(best.items)):
                    best, gain = other, rate
            if best is part:
                break
            part = best
        return part

    def neighbours(self, part: _Part, room: int) -> Iterable[tuple[int, ...]]:
        """Sets of qubits that may let something in: one that the next operations need, or all of one that is next."""
        held = part.reached
        heads = [self.queues[q][place] for q, place in held.items()]
        needed = [tuple(q for q in self.supports[item] if q not in held) for item in heads if item >= 0]
        single = [(q,) for more in needed for q in more]
        apart = [s for s in self.front if held.keys().isdisjoint(s)]
        return [s for s in dict.fromkeys([*single, *needed, *apart]) if 0 < len(s) <= room]

    def take(self, part: _Part) -> None:
        """Apply a part."""
        self.places.update(part.reached)
        self.left -= len(part.items)
        self.front = self._front()
