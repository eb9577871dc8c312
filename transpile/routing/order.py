"""What must come before what, as flat arrays: along each wire, groups of nodes that may change places.

Two nodes that may be crossed along the same axis on the one qubit that they share commute:
both are sums of projectors on that axis times operators elsewhere. So the nodes of a layer of
rzz gates, or of cx gates with one control, are routed as a set, in whichever order is best.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from qsim.ir.circuit import Circuit
from qsim.ir.instruction import Instruction
from transpile.routing.nodes import Node, StandIns, collect_nodes, fill_in, is_one_qubit_gate, one_qubit_axes

__all__ = ["Order", "Problem", "pose"]


class Order(NamedTuple):
    """The nodes and their order; every array int32.

    A wire is a qubit or a classical bit; its groups have consecutive numbers. A node may be done
    once all earlier groups on all its wires are done.

    Attributes:
        pairs: (m, 2), the qubits of each node that has to be on joined qubits; -1 for others.
        costs: (m, 2), in cx gates, without and with a swap after it.
        node_ptr, node_groups: node v is in groups node_groups[node_ptr[v] : node_ptr[v + 1]].
        group_ptr, group_nodes: the nodes of each group, in the same form.
        following, preceding: (groups,), the next and the last group on the wire, or -1.
        firsts, lasts: the first and the last group of every wire that has one.
        wires: (groups,), the qubit that a group is on; -1 for classical bits.
    """

    pairs: np.ndarray
    costs: np.ndarray
    node_ptr: np.ndarray
    node_groups: np.ndarray
    group_ptr: np.ndarray
    group_nodes: np.ndarray
    following: np.ndarray
    preceding: np.ndarray
    firsts: np.ndarray
    lasts: np.ndarray
    wires: np.ndarray

    def backwards(self) -> Order:
        """The order of the reversed circuit."""
        return self._replace(following=self.preceding, preceding=self.following, firsts=self.lasts, lasts=self.firsts)


class Problem(NamedTuple):
    """A circuit as what is to be routed.

    Attributes:
        num_qubits: of the circuit.
        nodes: see `Node`.
        order: see `Order`.
        start: per qubit, the places of one-qubit gates before its first group.
        after: per group, the places of one-qubit gates between it and the next one on its wire.
    """

    num_qubits: int
    nodes: list[Node]
    order: Order
    start: list[list[int]]
    after: list[list[int]]

    def strict(self) -> Problem:
        """The same with every group cut into single nodes, in the order of the circuit; itself where it is so."""
        order = self.order
        if (np.diff(order.group_ptr) < 2).all():
            return self
        groups: list[list[int]] = []
        after: list[list[int]] = []
        spans: list[tuple[int, int]] = []
        bounds, members = order.group_ptr.tolist(), order.group_nodes.tolist()
        wires = np.full(self.num_qubits, -1).tolist()
        for first, last in zip(order.firsts.tolist(), order.lasts.tolist(), strict=True):
            begin = len(groups)
            for group in range(first, last + 1):
                singles = sorted(members[bounds[group] : bounds[group + 1]], key=lambda v: self.nodes[v].members[0])
                groups += [[v] for v in singles]
                after += [[] for _ in singles[1:]] + [self.after[group]]
            spans.append((begin, len(groups)))
            if order.wires[first] >= 0:
                wires[order.wires[first]] = len(spans) - 1
        ordered = [spans[k] if k >= 0 else (0, 0) for k in wires]
        bits = [span for k, span in enumerate(spans) if k not in set(wires)]
        return self._replace(order=_flat(self.num_qubits, self.nodes, groups, ordered + bits), after=after)


def pose(circuit: Circuit, instructions: Sequence[Instruction], num_qubits: int) -> Problem:
    """A circuit of one- and two-qubit operations as a problem of routing.

    Args:
        circuit: whose classical bits are meant.
        instructions: of the circuit, on its qubits in use. num_qubits: how many these are.

    Raises:
        TargetError: an operation on more qubits that is no barrier.
    """
    bits = {r.name: tuple(range(r.start, r.start + r.size)) for r in circuit.cregs}
    nodes, wires = collect_nodes(instructions, num_qubits, bits)
    stand_ins = StandIns()
    fill_in(nodes, instructions, stand_ins)
    singles = [i for i, instruction in enumerate(instructions) if is_one_qubit_gate(instruction)]
    axes = dict(zip(singles, one_qubit_axes([instructions[i].operation for i in singles], stand_ins), strict=True))
    groups: list[list[int]] = []
    after: list[list[int]] = []
    start: list[list[int]] = []
    spans: list[tuple[int, int]] = []
    for q, wire in enumerate(wires):
        first = len(groups)
        start.append(_grouped(q, wire, nodes, axes, groups, after))
        spans.append((first, len(groups)))
    groups_before_bits = len(groups)
    for bit in range(circuit.num_clbits):
        first = len(groups)
        groups += [[v] for v, node in enumerate(nodes) if bit in node.clbits]
        spans.append((first, len(groups)))
    after += [[] for _ in range(len(groups) - groups_before_bits)]
    nodes, groups = _merged(nodes, groups, instructions, stand_ins)
    return Problem(num_qubits, nodes, _flat(num_qubits, nodes, groups, spans), start, after)


def _grouped(
    qubit: int,
    wire: list[int],
    nodes: list[Node],
    axes: dict[int, int],
    groups: list[list[int]],
    after: list[list[int]],
) -> list[int]:
    """Cut one wire into groups, appended to `groups` with the gates after each; returns the gates before the first."""
    start: list[int] = []
    gates, mask, open_group = start, 0, False
    for item in wire:
        if item < 0:
            gates.append(~item)
            mask &= axes[~item]
            continue
        node = nodes[item]
        own = node.axes[node.qubits.index(qubit)] if node.is_run else 0
        if open_group and mask & own:
            groups[-1].append(item)
            mask &= own
        else:
            groups.append([item])
            gates = []
            after.append(gates)
            mask, open_group = own, True
    return start


def _merged(
    nodes: list[Node], groups: list[list[int]], instructions: Sequence[Instruction], stand_ins: StandIns
) -> tuple[list[Node], list[list[int]]]:
    """Join nodes on the same pair that are in the same two groups: neighbours, once others have moved away."""
    places: list[list[int]] = [[] for _ in nodes]
    for g, group in enumerate(groups):
        for v in group:
            places[v].append(g)
    first: dict[tuple[int, ...], int] = {}
    new = list(range(len(nodes)))
    grown: dict[int, Node] = {}
    for v, node in enumerate(nodes):
        if not node.is_run:
            continue
        u = first.setdefault(tuple(places[v]), v)
        if u != v:
            new[v] = u
            grown[u] = nodes[u]
            nodes[u].members += node.members
    if not grown:
        return nodes, groups
    fill_in(list(grown.values()), instructions, stand_ins)
    kept = [v for v in range(len(nodes)) if new[v] == v]
    number = {v: i for i, v in enumerate(kept)}
    return [nodes[v] for v in kept], [[number[v] for v in group if new[v] == v] for group in groups]


def _flat(num_qubits: int, nodes: list[Node], groups: list[list[int]], spans: list[tuple[int, int]]) -> Order:
    pairs = np.full((len(nodes), 2), -1, np.int32)
    costs = np.zeros((len(nodes), 2), np.int32)
    for v, node in enumerate(nodes):
        if node.is_pair:
            pairs[v] = node.qubits
            costs[v] = node.cost, node.mirror
    sizes = np.array([len(group) for group in groups], np.int32)
    group_nodes = np.array([v for group in groups for v in group], np.int32)
    of_group = np.repeat(np.arange(len(groups), dtype=np.int32), sizes)
    by_node = np.argsort(group_nodes, kind="stable")
    counts = np.bincount(group_nodes, minlength=len(nodes)) if len(group_nodes) else np.zeros(len(nodes), int)
    following = np.arange(1, len(groups) + 1, dtype=np.int32)
    preceding = np.arange(-1, len(groups) - 1, dtype=np.int32)
    used = [(a, b) for a, b in spans if b > a]
    firsts = np.array([a for a, _ in used], np.int32)
    lasts = np.array([b - 1 for _, b in used], np.int32)
    wires = np.full(len(groups), -1, np.int32)
    for qubit, (a, b) in enumerate(spans[:num_qubits]):
        wires[a:b] = qubit
    following[lasts] = -1
    preceding[firsts] = -1
    return Order(
        pairs=pairs,
        costs=costs,
        node_ptr=_starts(counts),
        node_groups=of_group[by_node],
        group_ptr=_starts(sizes),
        group_nodes=group_nodes,
        following=following,
        preceding=preceding,
        firsts=firsts,
        lasts=lasts,
        wires=wires,
    )


def _starts(sizes: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
