"""Taking back the swaps made since a node was last done. Compiled where numba is installed."""

from __future__ import annotations

import numpy as np

from transpile.routing.compiled import inner
from transpile.routing.state import shared_entry


def new_log(num_places: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Room for what `save` and `note` keep."""
    return np.empty((5, num_places), np.int32), np.empty((length + 4, 3), np.int32)


@inner
def save(state, saved):
    """Keep where everything is."""
    for k in range(len(state.place)):  # loops compile several times faster than slices
        saved[0, k] = state.place[k]
        saved[1, k] = state.held[k]
        saved[2, k] = state.level[k]
        saved[3, k] = state.head[k]
        saved[4, k] = state.window[k]


@inner
def note(state, p, q, log, number):
    """Keep what the swap of two places, the next to be made, will change: row `number` of the log."""
    e = shared_entry(state, state.held[p], state.held[q])
    log[number, 0] = e
    if e >= 0:
        log[number, 1] = state.entries[e, 3]
        log[number, 2] = state.entries[e, 4]


@inner
def restore(state, saved, log, number):
    """Take back the last `number` swaps."""
    for k in range(number - 1, -1, -1):
        e = log[k, 0]
        if e < 0:
            state.count[2] -= 1
        else:
            state.entries[e, 3] = log[k, 1]
            state.entries[e, 4] = log[k, 2]
        state.count[3] -= 1
        state.count[1] -= 2
    for k in range(len(state.place)):
        state.place[k] = saved[0, k]
        state.held[k] = saved[1, k]
        state.level[k] = saved[2, k]
        state.head[k] = saved[3, k]
        state.window[k] = saved[4, k]
