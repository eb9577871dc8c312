"""Places where all two-qubit operations meet without a swap. Compiled where numba is installed.

Subgraph monomorphism by backtracking, with VF2's feasibility rules (Cordella et al., DOI
10.1109/TPAMI.2004.75), a connected order of the qubits that puts the most constrained first, and a
budget of steps that is shared by several randomly ordered tries.
"""

from __future__ import annotations

import numpy as np

from transpile.routing.compiled import compiled, inner
from transpile.routing.state import state_of, uniform

__all__ = ["embedding"]


def embedding(
    joined: np.ndarray, ptr: np.ndarray, near: np.ndarray, budget: int, tries: int, seed: int
) -> np.ndarray | None:
    """Places (P,) such that all joined qubits are on joined places; None where none was found.

    Args:
        joined: bool (n, n), symmetric. ptr, near: the neighbours of each place.
        budget: how many places are tried, over all tries. tries: how many orders.
        seed: of the orders.
    """
    degrees = joined.sum(axis=1)
    widths = np.diff(ptr)
    if degrees.sum() > len(near) or (np.sort(degrees)[::-1] > np.sort(widths)[::-1][: len(degrees)]).any():
        return None
    rng = np.random.default_rng(seed)
    partners = np.concatenate([[0], np.cumsum(degrees)]).astype(np.int32)
    others = np.nonzero(joined)[1].astype(np.int32)
    for _ in range(tries):
        order = _connected_order(joined, degrees + rng.uniform(0, 0.5, len(degrees)))
        place = np.full(len(widths), -1, np.int32)
        held, count = place.copy(), state_of(int(rng.integers(1 << 30)))
        missing, free = np.diff(partners), np.diff(ptr)
        tried, offset = np.zeros((2, len(order) + 1), np.int32)
        steps = budget // tries
        if _search(
            order, partners, others, ptr, near, place, held, missing, free, tried, offset, steps, count, work=steps
        ):
            return _filled(place)
    return None


def _connected_order(joined: np.ndarray, degrees: np.ndarray) -> np.ndarray:
    """The qubits with partners: always the one with most partners before it, then with most partners at all."""
    left = degrees >= 1
    known = np.zeros(len(degrees))
    order = []
    while left.any():
        scores = np.where(left, known * 1e6 + degrees, -1.0)
        qubit = int(np.argmax(scores))
        order.append(qubit)
        left[qubit] = False
        known += joined[qubit]
    return np.array(order, np.int32)


def _filled(place: np.ndarray) -> np.ndarray:
    """The other qubits on the places that are left."""
    place[place < 0] = np.setdiff1d(np.arange(len(place)), place)
    return place


@compiled
def _search(order, partners, others, ptr, near, place, held, missing, free, tried, offset, budget, count):
    """Fill in `place`; False where the budget ran out or there is no way."""
    size, n = len(place), len(order)
    depth = 0
    if n > 0:
        offset[0] = int(uniform(count) * size)
    while depth < n:
        a = order[depth]
        anchor = -1
        for k in range(partners[a], partners[a + 1]):
            if place[others[k]] >= 0:
                anchor = place[others[k]]
                break
        choices = size if anchor < 0 else ptr[anchor + 1] - ptr[anchor]
        chosen = -1
        while tried[depth] < choices and chosen < 0:
            index = (tried[depth] + offset[depth]) % choices
            tried[depth] += 1
            p = index if anchor < 0 else near[ptr[anchor] + index]
            budget -= 1
            if held[p] < 0 and _fits(a, p, partners, others, ptr, near, held, place, missing, free):
                chosen = p
        if budget <= 0:
            return False
        if chosen >= 0:
            _put(a, chosen, 1, partners, others, ptr, near, held, place, missing, free)
            depth += 1
            tried[depth] = 0
            offset[depth] = int(uniform(count) * 64)
        else:
            depth -= 1
            if depth < 0:
                return False
            _put(order[depth], place[order[depth]], -1, partners, others, ptr, near, held, place, missing, free)
    return True


@inner
def _fits(a, p, partners, others, ptr, near, held, place, missing, free):
    """True where qubit a can be on place p: next to its partners, with room for those to come."""
    for k in range(partners[a], partners[a + 1]):
        r = place[others[k]]
        if r >= 0:
            adjacent = False
            for j in range(ptr[p], ptr[p + 1]):
                if near[j] == r:
                    adjacent = True
                    break
            if not adjacent:
                return False
    if free[p] < missing[a]:
        return False
    for j in range(ptr[p], ptr[p + 1]):  # those already there need room too
        b = held[near[j]]
        if b >= 0 and free[near[j]] - 1 < missing[b] - _are_partners(a, b, partners, others):
            return False
    return True


@inner
def _are_partners(a, b, partners, others):
    """1 where two qubits are to be joined, else 0."""
    for k in range(partners[a], partners[a + 1]):
        if others[k] == b:
            return 1
    return 0


@inner
def _put(a, p, sign, partners, others, ptr, near, held, place, missing, free):
    """Put qubit a on place p, or with sign -1 take it away."""
    held[p] = a if sign > 0 else -1
    place[a] = p if sign > 0 else -1
    for k in range(partners[a], partners[a + 1]):
        missing[others[k]] -= sign
    for j in range(ptr[p], ptr[p + 1]):
        free[near[j]] -= sign
