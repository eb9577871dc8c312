"""One routing pass: swaps chosen one by one by what they cost and bring. Compiled where numba is installed.

LightSABRE (Zou et al., arXiv:2409.08368; Li, Ding, Xie, arXiv:1809.02573) on flat arrays, with
the costs of swaps taken from the blocks that they join (as in MIRAGE, arXiv:2308.03874), and
groups of commuting nodes in the place of single ones.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from transpile.routing.compiled import compiled, inner
from transpile.routing.device import Device
from transpile.routing.order import Order
from transpile.routing.state import State, do_other, do_pair, do_swap, open_group, swap_cost, uniform
from transpile.routing.undo import new_log, note, restore, save

__all__ = ["Routed", "Weights", "route"]


STEPS = 50
"""About how many steps, in the sense of `Loop`, a node takes."""


class Weights(NamedTuple):
    """What a pass goes by; a swap's score is what it adds to the sum of distances, in steps.

    Attributes:
        ahead: the weight of the first layer of nodes behind those that are ready.
        fade: the weight of each further layer relative to the one before.
        reach: how many nodes are looked at behind the ready ones.
        cost: of one swap of 3 cx gates, in steps.
        level: of each unit of two-qubit depth that a swap starts later than ready nodes could, in steps.
        latest: how many such units count at most.
        again: of having been swapped since a node was last done, in steps.
        patience: how many swaps may be made in vain before the nearest qubits are brought together straight.
        noise: the size of random numbers added to scores.
    """

    ahead: float = 0.4
    fade: float = 0.8
    reach: int = 20
    cost: float = 1.0
    level: float = 0.01
    latest: float = 10.0
    again: float = 0.02
    patience: int = 4
    noise: float = 0.1


class Pulls(NamedTuple):
    """Who draws whom: links per qubit, and room for looking ahead.

    Attributes:
        head: (P,), the first link of each qubit, or -1. next: the link after each link.
        other, weight: of each link, the partner and how much it counts.
        queue, groups, layer_of: scratch of `look_ahead`.
    """

    head: np.ndarray
    next: np.ndarray
    other: np.ndarray
    weight: np.ndarray
    queue: np.ndarray
    groups: np.ndarray
    layer_of: np.ndarray


class Routed(NamedTuple):
    """What a pass gives.

    Attributes:
        first, last: where each qubit is before and after, (P,).
        entries: see `State`; cut to what is used.
        sequence: the entries in order, each once.
    """

    first: np.ndarray
    last: np.ndarray
    entries: np.ndarray
    sequence: np.ndarray


def route(order: Order, device: Device, num_qubits: int, place: np.ndarray, weights: Weights, seed: int) -> Routed:
    """Route the nodes of `order` on a device, from given places on.

    Args:
        order: what is to be done. device: a connected device.
        num_qubits: of the circuit; further qubits up to those of the device are in |0>.
        place: (P,), the place of each qubit at the start, those in |0> included.
        weights: what the choice goes by. seed: of random numbers.
    """
    swaps, size = 2 * len(order.pairs) + 1000, device.num_qubits
    pulls = _new_pulls(size, len(order.pairs), len(order.wires))
    saved, log = new_log(size, weights.patience)
    while True:
        state = _new_state(order, device, num_qubits, place, swaps, seed)
        done = _run(
            order, device, state, weights, pulls, np.zeros(size), saved, log, swaps, work=STEPS * len(order.pairs)
        )
        if done:
            entries = state.entries[: state.count[2]]
            sequence = state.sequence[: state.count[3]]
            sequence = sequence[entries[sequence, 4] == np.arange(len(sequence))]
            dropped = (entries[sequence, 0] < 0) & (entries[sequence, 3] == 0)
            return Routed(np.array(place, np.int32), state.place, entries, sequence[~dropped])
        swaps *= 2


def _new_state(order: Order, device: Device, num_qubits: int, place: np.ndarray, swaps: int, seed: int) -> State:
    size, nodes = device.num_qubits, len(order.pairs)
    place = np.array(place, np.int32)
    held = np.empty(size, np.int32)
    held[place] = np.arange(size)
    return State(
        place=place,
        held=held,
        left=np.diff(order.group_ptr),
        wait=np.diff(order.node_ptr),
        ready=np.empty(nodes + 1, np.int32),
        level=np.zeros(size, np.int32),
        head=np.full(size, -1, np.int32),
        window=np.full(size, -2, np.int32),
        link_entry=np.empty(2 * (nodes + swaps), np.int32),
        link_next=np.empty(2 * (nodes + swaps), np.int32),
        entries=np.empty((nodes + swaps, 5), np.int32),
        sequence=np.empty(nodes + swaps, np.int32),
        count=np.array([0, 0, 0, 0, num_qubits, seed % 2147483647], np.int64),
    )


@compiled
def _run(order, device, state, weights, pulls, again, saved, log, max_swaps):
    """The pass; False where it needs more than `max_swaps` swaps."""
    size = len(state.place)
    patience = int(weights.patience)
    swaps, done = 0, 0
    for k in range(len(order.firsts)):
        open_group(order, state, order.firsts[k])
    do_ready(order, device, state)
    changed = True
    while state.count[0] > 0:
        if changed:
            look_ahead(order, state, weights, pulls)
            clear(again)
            save(state, saved)
            done = swaps
        if swaps - done >= patience:  # no way out was found: go back, and straight on
            restore(state, saved, log, swaps - done)
            clear(again)
            v = nearest(order, device, state)
            while device.distances[state.place[order.pairs[v, 0]], state.place[order.pairs[v, 1]]] > 1:
                p, q = best_swap(order, device, state, weights, pulls, again, v)
                do_swap(order, state, p, q)
                swaps += 1
        else:
            p, q = best_swap(order, device, state, weights, pulls, again, -1)
            note(state, p, q, log, swaps - done)
            do_swap(order, state, p, q)
            swaps += 1
            again[p] += 1.0
            again[q] += 1.0
        if swaps + 2 * size + patience >= max_swaps:
            return False
        changed = do_ready(order, device, state)
    return True


@inner
def best_swap(order, device, state, weights, pulls, again, only):
    """The swap of the lowest score next to a ready node; along a shortest way between the qubits of node `only`."""
    base = lowest_level(order, state)
    best, best_p, best_q = 1e300, -1, -1
    for k in range(state.count[0] if only < 0 else 1):
        v = state.ready[k] if only < 0 else only
        for side in range(2):
            p = int(state.place[order.pairs[v, side]])
            r = state.place[order.pairs[v, 1 - side]]
            for j in range(device.ptr[p], device.ptr[p + 1]):
                q = int(device.near[j])
                if only >= 0 and device.distances[q, r] >= device.distances[p, r]:
                    continue
                score = pull_change(device, state, p, q, pulls)
                score += weights.cost * swap_cost(order, state, p, q) / 3.0
                score += weights.level * min(max(state.level[p], state.level[q]) - base, weights.latest)
                score += weights.again * max(again[p], again[q])
                score += weights.noise * uniform(state.count)
                if score < best:
                    best, best_p, best_q = score, p, q
    return best_p, best_q


def _new_pulls(size: int, num_nodes: int, num_groups: int) -> Pulls:
    return Pulls(
        np.full(size, -1, np.int32),
        np.empty(2 * num_nodes, np.int32),
        np.empty(2 * num_nodes, np.int32),
        np.empty(2 * num_nodes, np.float64),
        np.empty(num_nodes, np.int32),
        np.empty(num_groups, np.int32),
        np.empty(num_nodes, np.int32),
    )


@inner
def lowest_level(order, state):
    """The two-qubit depth at which the first of the ready nodes could start, were its qubits joined."""
    lowest = 2147483647
    for k in range(state.count[0]):
        v = state.ready[k]
        start = max(state.level[state.place[order.pairs[v, 0]]], state.level[state.place[order.pairs[v, 1]]])
        lowest = min(lowest, start)
    return lowest


@inner
def do_ready(order, device, state):
    """Do all ready nodes that can be, those that can start first first; True where there was one."""
    changed = False
    while True:
        chosen, least = -1, 2147483647
        for k in range(state.count[0]):
            a, b = order.pairs[state.ready[k], 0], order.pairs[state.ready[k], 1]
            if a < 0:
                chosen = k
                break
            p, q = state.place[a], state.place[b]
            if device.distances[p, q] == 1:
                start = max(state.level[p], state.level[q])
                if start < least:
                    chosen, least = k, start
        if chosen < 0:
            return changed
        changed = True
        v = int(state.ready[chosen])
        state.count[0] -= 1
        for k in range(chosen, state.count[0]):
            state.ready[k] = state.ready[k + 1]
        if order.pairs[v, 0] < 0:
            do_other(order, state, v)
        else:
            do_pair(order, state, v)


@inner
def look_ahead(order, state, weights, pulls):
    """Note for each qubit the partners it will meet: those of ready nodes, and of `reach` nodes behind them."""
    for qubit in range(len(pulls.head)):
        pulls.head[qubit] = -1
    queue, groups, layer_of = pulls.queue, pulls.groups, pulls.layer_of
    end = state.count[0]
    for k in range(end):
        queue[k] = state.ready[k]
        layer_of[state.ready[k]] = 0
    seen, links, position, touched = 0, 0, 0, 0
    limit = end + weights.reach
    while position < end:
        v = queue[position]
        position += 1
        layer = layer_of[v]
        a, b = order.pairs[v, 0], order.pairs[v, 1]
        if a >= 0:
            weight = 1.0 if layer == 0 else weights.ahead * weights.fade ** float(layer - 1)
            for side in range(2):
                qubit = a if side == 0 else b
                pulls.other[links] = b if side == 0 else a
                pulls.weight[links] = weight
                pulls.next[links] = pulls.head[qubit]
                pulls.head[qubit] = links
                links += 1
        seen += 1
        if seen >= limit:
            break
        for k in range(order.node_ptr[v], order.node_ptr[v + 1]):
            group = order.node_groups[k]
            state.left[group] -= 1
            after = order.following[group]
            if state.left[group] == 0 and after >= 0:
                groups[touched] = after
                touched += 1
                for j in range(order.group_ptr[after], order.group_ptr[after + 1]):
                    u = order.group_nodes[j]
                    state.wait[u] -= 1
                    if state.wait[u] == 0:
                        layer_of[u] = layer + 1
                        queue[end] = u
                        end += 1
    expanded = position - 1 if seen >= limit else position
    for i in range(expanded):
        v = queue[i]
        for k in range(order.node_ptr[v], order.node_ptr[v + 1]):
            state.left[order.node_groups[k]] += 1
    for i in range(touched):
        for j in range(order.group_ptr[groups[i]], order.group_ptr[groups[i] + 1]):
            state.wait[order.group_nodes[j]] += 1


@inner
def pull_change(device, state, p, q, pulls):
    """The change of the weighted sum of distances by a swap of two places."""
    a, b = state.held[p], state.held[q]
    change = 0.0
    k = pulls.head[a]
    while k >= 0:
        other = pulls.other[k]
        if other != b:
            r = state.place[other]
            change += pulls.weight[k] * (device.distances[q, r] - device.distances[p, r])
        k = pulls.next[k]
    k = pulls.head[b]
    while k >= 0:
        other = pulls.other[k]
        if other != a:
            r = state.place[other]
            change += pulls.weight[k] * (device.distances[p, r] - device.distances[q, r])
        k = pulls.next[k]
    return change


@inner
def clear(numbers):
    """Set all to 0."""
    for k in range(len(numbers)):
        numbers[k] = 0.0


@inner
def nearest(order, device, state):
    """The ready node whose qubits are nearest together."""
    chosen, least = -1, 2147483647
    for k in range(state.count[0]):
        v = int(state.ready[k])
        distance = device.distances[state.place[order.pairs[v, 0]], state.place[order.pairs[v, 1]]]
        if distance < least:
            chosen, least = v, distance
    return chosen
