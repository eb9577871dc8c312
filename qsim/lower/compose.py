"""Host tables for products of small matrices inside blocks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np

from qsim.lower.plan import Compose
from qsim.lower.waves import widened


def permutation_rows(k: int) -> np.ndarray:
    """All permutations of k bits as row tables (k!, 2^k): row r of the result is row table[r] of the input."""
    orders = list(permutations(range(k)))
    rows = np.zeros((len(orders), 1 << k), dtype=np.int32)
    j = np.arange(1 << k)
    for number, order in enumerate(orders):
        for new in range(k):
            rows[number] |= ((j >> (k - 1 - new)) & 1) << (k - 1 - order[new])
    return rows


def compose_tables(
    blocks: Sequence[tuple[tuple[int, ...], Sequence[tuple[int, tuple[int, ...]]]]],
    qubits: int,
    child_qubits: int,
    num_children: int,
    constants: Sequence[np.ndarray] = (),
) -> Compose:
    """Tables for blocks given as (qubits of the block, [(child, qubits of the child)]).

    Child matrices have 2^child_qubits rows; a child on fewer qubits stands on the most
    significant ones. The rows are never permuted back between children: each step
    multiplies, then permutes into the layout of the next child, at the end into the
    block's own. Children from `num_children` on are `constants`, of at most as many rows. Blocks with
    fewer children are filled up with identities.
    """
    numbers = {order: i for i, order in enumerate(permutations(range(qubits)))}
    depth = max((len(children) for _, children in blocks), default=0)
    index = np.full((depth, len(blocks)), num_children + len(constants), dtype=np.int32)
    known = np.stack([widened(m, child_qubits) for m in (*constants, np.eye(1))]).astype(complex)
    perms = np.zeros((depth + 1, len(blocks)), dtype=np.uint8)
    for b, (places, children) in enumerate(blocks):
        local = {q: i for i, q in enumerate(places)}
        layout = list(range(qubits))
        for s in range(len(children) + 1):
            if s < len(children):
                child, support = children[s]
                index[s, b] = child
                front = [local[q] for q in support]
            else:
                front = list(range(qubits))
            order = front + [q for q in layout if q not in front]
            perms[s, b] = numbers[tuple(layout.index(q) for q in order)]
            layout = order
    return Compose(qubits, child_qubits, num_children, known, index, perms)


def layout_tables(blocks: Sequence[tuple[int, ...]], num_qubits: int) -> tuple[np.ndarray, np.ndarray]:
    """Bit permutations into the layout of each block in turn, then home: `src` and inverse, (B+1, n).

    Bits are counted from the least significant. Home is qubit q at bit n-1-q; a block's
    qubits are the lowest bits, its first one most significant among them; the others
    keep their order.
    """
    home = list(range(num_qubits - 1, -1, -1))
    layout = home
    src = np.zeros((len(blocks) + 1, num_qubits), dtype=np.uint8)
    inverse = np.zeros_like(src)
    for b in range(len(blocks) + 1):
        if b < len(blocks):
            low = list(reversed(blocks[b]))
            held = set(low)
            new = low + [q for q in layout if q not in held]
        else:
            new = home
        place = {q: i for i, q in enumerate(layout)}
        src[b] = [place[q] for q in new]
        inverse[b, src[b]] = np.arange(num_qubits)
        layout = new
    return src, inverse
