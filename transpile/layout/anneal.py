"""First places improved by exchanging qubits. Compiled where numba is installed."""

from __future__ import annotations

import math

import numpy as np

from transpile.routing.compiled import compiled
from transpile.routing.state import state_of, uniform


def annealed(
    pulls: np.ndarray,
    ptr: np.ndarray,
    near: np.ndarray,
    distances: np.ndarray,
    place: np.ndarray,
    moves: int,
    heat: float,
    seed: int,
) -> np.ndarray:
    """Lower the sum of pulls times distances by exchanges, ever fewer of which may make it worse.

    Args:
        pulls: (n, n), symmetric: how strongly pairs of qubits are drawn together.
        ptr, near, distances: of the device.
        place: (P,), the places to start from.
        moves: how many exchanges are tried. heat: the first temperature, in mean pulls per qubit.
        seed: of random choices.

    Returns:
        (P,), the best places found.
    """
    if len(pulls) < 2:
        return place.copy()
    drawn = pulls > 0
    partners = np.argsort(~drawn, axis=1, kind="stable").astype(np.int32)
    temperature = heat * float(pulls.sum()) / len(pulls)
    best = place.astype(np.int32)
    held = np.argsort(place).astype(np.int32)
    number = drawn.sum(axis=1).astype(np.int32)
    _exchange(
        pulls,
        partners,
        number,
        ptr,
        near,
        distances,
        best.copy(),
        held,
        best,
        moves,
        temperature,
        state_of(seed),
        work=moves,
    )
    return best


@compiled
def _exchange(pulls, partners, number, ptr, near, distances, place, held, best, moves, temperature, count):
    """Go on from `place`; the best places found are in `best`."""
    n, size = len(pulls), len(distances)
    cost, least = 0.0, 0.0
    cooling = 0.02 ** (1.0 / max(moves, 1))
    for _ in range(moves):
        a = int(uniform(count) * n)
        temperature *= cooling
        if number[a] == 0:
            continue
        p = place[a]
        if uniform(count) < 0.5:  # next to where it is
            q = near[ptr[p] + int(uniform(count) * (ptr[p + 1] - ptr[p]))]
        else:  # next to one of its partners
            r = place[partners[a, int(uniform(count) * number[a])]]
            q = near[ptr[r] + int(uniform(count) * (ptr[r + 1] - ptr[r]))]
        if q == p:
            continue
        b = held[q]
        change = 0.0
        for k in range(number[a]):
            c = partners[a, k]
            if c != b:
                change += pulls[a, c] * (distances[q, place[c]] - distances[p, place[c]])
        if b < n:
            for k in range(number[b]):
                c = partners[b, k]
                if c != a:
                    change += pulls[b, c] * (distances[p, place[c]] - distances[q, place[c]])
        if change <= 0 or uniform(count) < math.exp(-change / max(temperature, 1e-12)):
            held[p], held[q] = b, a
            place[a], place[b] = q, p
            cost += change
            if cost < least - 1e-12:
                least = cost
                for k in range(size):
                    best[k] = place[k]
