"""What a routing pass keeps track of, and the steps that change it. Compiled where numba is installed.

An *entry* is a node that was done, or a swap by itself, at a pair of places. Along each qubit
of the circuit a *window* holds its latest entries that may still change places with each other:
all of one group, or one swap. A swap of two places whose qubits share an entry in both windows
joins it: the node is done last of its groups, then mirrored.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from transpile.routing.compiled import inner

MOVE_COST, SWAP_COST = 2, 3
"""In cx gates: of moving a qubit to a place that is in |0>, and of swapping two qubits."""


class State(NamedTuple):
    """Mutable arrays of one pass over an `Order` on a `Device`.

    Attributes:
        place, held: where each qubit is, and which qubit each place holds, (P,).
        left: nodes not yet done, per group. wait: wires not yet ready, per node.
        ready: nodes that may be done once they are on joined places; count[0] of them.
        level: the two-qubit depth reached at each place.
        head, window: per qubit the first link of its window, and the group of its entries (-1 for a swap).
        link_entry, link_next: links of the windows; count[1] of them.
        entries: (E, 5): node or -1, its two places, 1 where mirrored, its position in `sequence`; count[2] of them.
        sequence: entries in order; one that was moved later on occurs again; count[3] of them.
        count: see above; count[4]: qubits of the circuit, further ones are in |0>; count[5]: random state.
    """

    place: np.ndarray
    held: np.ndarray
    left: np.ndarray
    wait: np.ndarray
    ready: np.ndarray
    level: np.ndarray
    head: np.ndarray
    window: np.ndarray
    link_entry: np.ndarray
    link_next: np.ndarray
    entries: np.ndarray
    sequence: np.ndarray
    count: np.ndarray


def state_of(seed: int) -> np.ndarray:
    """A `count` for `uniform` alone."""
    return np.array([0, 0, 0, 0, 0, seed % 2147483647], np.int64)


@inner
def uniform(count):
    """A random number from 0 to 1, the same with and without numba."""
    count[5] = (int(count[5]) * 1103515245 + 12345) % 2147483648
    return count[5] / 2147483648.0


@inner
def open_group(order, state, group):
    """Let the nodes of a group be done, as far as this wire goes."""
    for k in range(order.group_ptr[group], order.group_ptr[group + 1]):
        v = order.group_nodes[k]
        state.wait[v] -= 1
        if state.wait[v] == 0:
            state.ready[state.count[0]] = v
            state.count[0] += 1


@inner
def finish(order, state, v):
    """Take note that node v was done."""
    for k in range(order.node_ptr[v], order.node_ptr[v + 1]):
        group = order.node_groups[k]
        state.left[group] -= 1
        if state.left[group] == 0 and order.following[group] >= 0:
            open_group(order, state, order.following[group])


@inner
def add_link(state, qubit, entry):
    """Put an entry into the window of a qubit."""
    k = state.count[1]
    state.link_entry[k] = entry
    state.link_next[k] = state.head[qubit]
    state.head[qubit] = k
    state.count[1] = k + 1


@inner
def append(state, entry):
    """Put an entry at the end of the sequence."""
    state.entries[entry, 4] = state.count[3]
    state.sequence[state.count[3]] = entry
    state.count[3] += 1


@inner
def new_entry(state, v, p, q):
    """A new entry at the end of the sequence."""
    e = state.count[2]
    state.count[2] = e + 1
    state.entries[e, 0] = v
    state.entries[e, 1] = p
    state.entries[e, 2] = q
    state.entries[e, 3] = 0
    append(state, e)
    return e


@inner
def do_pair(order, state, v):
    """Do a two-qubit node whose qubits are on joined places."""
    a, b = order.pairs[v, 0], order.pairs[v, 1]
    p, q = int(state.place[a]), int(state.place[b])
    e = new_entry(state, v, p, q)
    first = order.node_ptr[v]
    movable = order.node_ptr[v + 1] - first == 2  # no classical bits
    for side in range(2):
        qubit = order.pairs[v, side]
        group = order.node_groups[first + (qubit > order.pairs[v, 1 - side])]  # groups are in the order of wires
        if state.window[qubit] != group or not movable:
            state.window[qubit] = group if movable else -2
            state.head[qubit] = -1
        if movable:
            add_link(state, qubit, e)
    level = max(state.level[p], state.level[q]) + order.costs[v, 0]
    state.level[p] = level
    state.level[q] = level
    finish(order, state, v)


@inner
def do_other(order, state, v):
    """Do a node that may be anywhere, such as a barrier: nothing changes places across it."""
    new_entry(state, v, -1, -1)
    for k in range(order.node_ptr[v], order.node_ptr[v + 1]):
        group = order.node_groups[k]
        qubit = order.wires[group]
        if qubit >= 0:
            state.window[qubit] = -2
            state.head[qubit] = -1
    finish(order, state, v)


@inner
def shared_entry(state, a, b):
    """The entry that is in the windows of both qubits, or -1."""
    k = state.head[a]
    while k >= 0:
        e = state.link_entry[k]
        j = state.head[b]
        while j >= 0:
            if state.link_entry[j] == e:
                return e
            j = state.link_next[j]
        k = state.link_next[k]
    return -1


@inner
def swap_cost(order, state, p, q):
    """What a swap of two places adds, in cx gates."""
    a, b = state.held[p], state.held[q]
    e = shared_entry(state, a, b)
    if e >= 0:
        v, mirrored = state.entries[e, 0], state.entries[e, 3]
        if v < 0:
            return -MOVE_COST if max(a, b) >= state.count[4] else -SWAP_COST
        return order.costs[v, 1 - mirrored] - order.costs[v, mirrored]
    return MOVE_COST if max(a, b) >= state.count[4] else SWAP_COST


@inner
def do_swap(order, state, p, q):
    """Swap what two joined places hold; joins the latest node on both where there is one."""
    a, b = state.held[p], state.held[q]
    level = max(state.level[p], state.level[q]) + swap_cost(order, state, p, q)
    e = shared_entry(state, a, b)
    if e < 0:
        e = new_entry(state, -1, p, q)
        state.entries[e, 3] = 1
    else:
        state.entries[e, 3] = 1 - state.entries[e, 3]
        append(state, e)
    for qubit in (a, b):
        state.head[qubit] = -1
        state.window[qubit] = -1
        add_link(state, qubit, e)
    state.held[p], state.held[q] = b, a
    state.place[a], state.place[b] = q, p
    state.level[p] = level
    state.level[q] = level
