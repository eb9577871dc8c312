"""First places found by putting down one qubit after the other. Compiled where numba is installed."""

from __future__ import annotations

import numpy as np

from transpile.routing.compiled import compiled
from transpile.routing.state import state_of, uniform


def grown(pulls: np.ndarray, distances: np.ndarray, first: int, noise: float, seed: int) -> np.ndarray:
    """Places where qubits that meet often are near each other.

    The qubit with the strongest pulls comes first; then always the one that those put down
    pull most, to the free place with the least weighted distance.

    Args:
        pulls: (n, n), symmetric: how strongly pairs of qubits are drawn together.
        distances: (P, P), of places. first: the place of the first qubit.
        noise: relative size of random changes of all choices. seed: of these.

    Returns:
        (P,), the places; the qubits from n on get the places that are left, in order.
    """
    n, size = len(pulls), len(distances)
    place, free = np.full(size, -1, np.int32), np.ones(size, np.bool_)
    near, way = np.zeros(n), np.zeros(size)
    _put_down(pulls, pulls.sum(axis=1), distances, first, noise, place, free, near, way, state_of(seed), work=n * size)
    place[n:] = np.flatnonzero(free)
    return place


@compiled
def _put_down(pulls, total, distances, first, noise, place, free, near, way, count):
    """Fill in `place`; `near` and `way` are scratch."""
    n, size = len(pulls), len(distances)
    for step in range(n):
        qubit, most = -1, -1.0
        for a in range(n):
            if place[a] < 0:
                strength = near[a] * 1e6 + total[a] if step > 0 else total[a]
                strength *= 1.0 + noise * uniform(count)
                if strength > most:
                    qubit, most = a, strength
        best, least = first, 1e300
        if step > 0:
            for p in range(size):
                if free[p]:
                    way[p] = 0.0
            for b in range(n):
                if place[b] >= 0:
                    weight = pulls[qubit, b] + 1e-6
                    for p in range(size):
                        if free[p]:
                            way[p] += weight * distances[p, place[b]]
            for p in range(size):
                if free[p]:
                    cost = way[p] * (1.0 + noise * uniform(count)) + 1e-9 * uniform(count)
                    if cost < least:
                        best, least = p, cost
        place[qubit] = best
        free[best] = False
        for a in range(n):
            near[a] += pulls[a, qubit]
