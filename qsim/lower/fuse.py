"""Greedy fusion of operations into blocks of a few qubits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

WINDOW = 48


@dataclass(slots=True)
class Block:
    """Operations that are applied as one matrix: their places in the sequence, and the qubits."""

    qubits: tuple[int, ...]
    items: list[int] = field(default_factory=list)


def fuse(supports: Sequence[tuple[int, ...]], width: int) -> list[Block]:
    """Put a sequence of operations on `supports` into blocks of at most `width` qubits.

    An operation may join any block from the last one that touches one of its qubits
    onwards: nothing after that block acts on them. Among those it takes the one that
    grows least, then the earliest. Only the last `WINDOW` blocks are looked at, so
    that the work is linear in the number of operations.

    Returns:
        The blocks in an order of application; each qubit set in order of first use.
    """
    blocks: list[Block] = []
    members: list[set[int]] = []
    last: dict[int, int] = {}
    for item, support in enumerate(supports):
        latest = max((last.get(q, -1) for q in support), default=-1)
        best, growth = -1, width + 1
        for b in range(max(latest, len(blocks) - WINDOW, 0), len(blocks)):
            new = sum(q not in members[b] for q in support)
            if new < growth and len(members[b]) + new <= width:
                best, growth = b, new
                if new == 0:
                    break
        if best < 0:
            best = len(blocks)
            blocks.append(Block(()))
            members.append(set())
        block = blocks[best]
        block.items.append(item)
        fresh = tuple(q for q in support if q not in members[best])
        if fresh:
            block.qubits += fresh
            members[best].update(fresh)
        for q in support:
            last[q] = max(last.get(q, -1), best)
    return blocks
