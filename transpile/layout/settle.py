"""Moving a routed circuit as a whole to where the device errs least."""

from __future__ import annotations

import numpy as np

from transpile.layout.embed import embedding
from transpile.layout.starts import completed
from transpile.routing.device import Device

__all__ = ["settled"]

TRIES, BUDGET = 64, 4_000


def settled(uses: np.ndarray, device: Device, seed: int) -> np.ndarray:
    """New places for old ones, such that edges in use stay edges, and the sum of uses times errors is low.

    Args:
        uses: (P, P), symmetric: how many two-qubit gates run between two places.
        device: with known `edge_costs`.
        seed: of the orders in which embeddings are sought.

    Returns:
        (P,), a permutation; the identity where nothing better was found.
    """
    size = device.num_qubits
    best = np.arange(size)
    busy = np.flatnonzero(uses.any(axis=1))
    part = uses[np.ix_(busy, busy)]
    least = float((part * device.edge_costs[np.ix_(busy, busy)]).sum())
    rng = np.random.default_rng(seed)
    for _ in range(TRIES):
        place = embedding(part > 0, device.ptr, device.near, BUDGET, 1, int(rng.integers(1 << 30)))
        if place is None:
            continue
        there = place[: len(busy)]
        cost = float((part * device.edge_costs[np.ix_(there, there)]).sum())
        if cost < least - 1e-12:
            rest = np.setdiff1d(np.arange(size), busy)
            best = np.empty(size, int)
            best[np.concatenate([busy, rest])] = completed(there, size)
            least = cost
    return best
