"""What is routed: runs of operations on one pair of qubits, with their costs with and without a swap.

A node is a run of two-qubit operations on one pair and the one-qubit operations between them,
or anything else that is not a one-qubit gate (a barrier, a measurement). Its cost is the number
of cx gates that its class of two-qubit unitaries takes; its mirror cost that of the same
followed by a swap. A qubit of a node may be crossed along an axis where the node commutes with
that Pauli matrix on it, so that neighbours of one axis may change places.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from qsim._errors import TargetError
from qsim.ir.instruction import Instruction
from qsim.ir.operation import Barrier, Conditional, Gate, Reset, is_constant
from qsim.ir.parameter import ArrayElement, is_symbolic
from transpile.synthesis.matrices import has_constant_matrix, matrices, pair_products
from transpile.synthesis.weyl import cx_cost, swapped, weyl_coordinates

__all__ = ["Node", "StandIns", "collect_nodes", "fill_in", "is_one_qubit_gate", "one_qubit_axes"]

UNKNOWN_COST, UNKNOWN_MIRROR = 3, 3
_PAULIS = np.array([[[1, 0], [0, -1]], [[0, 1], [1, 0]], [[0, -1j], [1j, 0]]])
_ON_FIRST = np.array([np.kron(p, np.eye(2)) for p in _PAULIS])
_ON_SECOND = np.array([np.kron(np.eye(2), p) for p in _PAULIS])
_BITS = np.array([1, 2, 4])
"""Bits of the axes that a qubit of an operation may be crossed along: Z 1, X 2, Y 4."""


@dataclass(slots=True, eq=False)
class Node:
    """A run on one pair, or a single other operation.

    Attributes:
        qubits: the pair in the order of the first operation; all qubits of another operation.
        members: places of the instructions in the circuit, in order.
        is_pair: True where it has to be on two joined qubits.
        is_run: True where further operations on the pair may join it.
        clbits: the classical bits that it reads or writes.
        cost, mirror: in cx gates, without and with a swap after it.
        axes: for each qubit of a pair the axes that it may be crossed along.
    """

    qubits: tuple[int, ...]
    members: list[int]
    is_pair: bool
    is_run: bool
    clbits: tuple[int, ...] = ()
    cost: int = UNKNOWN_COST
    mirror: int = UNKNOWN_MIRROR
    axes: list[int] = field(default_factory=lambda: [0, 0])


def is_one_qubit_gate(instruction: Instruction) -> bool:
    """True for what moves along with its qubit."""
    operation = instruction.operation
    return len(instruction.qubits) == 1 and (
        type(operation) is Gate or not (operation.num_clbits or isinstance(operation, (Barrier, Conditional, Reset)))
    )


def collect_nodes(
    instructions: Sequence[Instruction], num_qubits: int, clbits_of: dict[str, tuple[int, ...]]
) -> tuple[list[Node], list[list[int]]]:
    """The nodes of a circuit, and for each qubit the sequence of what is on it.

    Args:
        instructions: of the circuit. num_qubits: its size.
        clbits_of: register -> its bits, for conditions.

    Returns:
        nodes, in order of their first two-qubit operation; per qubit a list of numbers: k for
        node k, ~i for the one-qubit gate at place i.

    Raises:
        TargetError: an operation on three or more qubits that is no barrier.
    """
    nodes: list[Node] = []
    wires: list[list[int]] = [[] for _ in range(num_qubits)]
    last = [-1] * num_qubits
    waiting: list[list[int]] = [[] for _ in range(num_qubits)]

    def flush(q: int) -> None:
        wires[q] += [~i for i in waiting[q]]
        waiting[q] = []

    for place, instruction in enumerate(instructions):
        qubits, operation = instruction.qubits, instruction.operation
        size = len(qubits)
        if size == 1 and is_one_qubit_gate(instruction):
            waiting[qubits[0]].append(place)
            continue
        plain = size == 2 and (type(operation) is Gate or not _is_special(operation))
        if plain:
            a, b = qubits
            k = last[a]
            if k >= 0 and k == last[b]:
                node = nodes[k]
                if waiting[a] or waiting[b]:
                    node.members += sorted(waiting[a] + waiting[b])
                    waiting[a], waiting[b] = [], []
                node.members.append(place)
                continue
        elif size > 2 and not isinstance(operation, Barrier):
            raise TargetError(
                f"Instruction {place}, {operation.name}, acts on {size} qubits, but only operations on one or two "
                "qubits can be routed. Synthesise it first, or make it native on those qubits."
            )
        number = len(nodes)
        base = operation if not isinstance(operation, Conditional) else operation.base
        pair = size == 2 and not isinstance(base, Barrier)
        clbits = instruction.clbits
        if isinstance(operation, Conditional):
            clbits = tuple(sorted({*clbits, *clbits_of.get(operation.register, ())}))
        nodes.append(Node(qubits, [place], pair, plain, clbits))
        for q in qubits:
            flush(q)
            wires[q].append(number)
            last[q] = number if plain else -1
    for q in range(num_qubits):
        flush(q)
    return nodes, wires


def _is_special(operation: Any) -> bool:
    return bool(operation.num_clbits) or isinstance(operation, (Barrier, Conditional))


class StandIns:
    """Numbers in the place of parameters, the same for the same parameter.

    What holds for one choice of random angles holds for almost all of them: the class of a gate
    with parameters is found without reading their values.
    """

    def __init__(self) -> None:
        self._rng = np.random.default_rng(20240229)
        self._values: dict[Any, Any] = {}

    def number(self, param: Any) -> float:
        """A number for any gate argument: itself, where it is a constant."""
        if is_constant(param):
            return float(param)
        if is_symbolic(param):
            values: dict[str, Any] = {}
            for p in getattr(param, "params", (param,)):
                name, shape = (p.name, ()) if p.vector is None else (p.vector.name, p.vector.shape)
                values[name] = self._random(("name", name), shape)
            return float(param.bind(values))
        key = (id(param.array), param.index) if isinstance(param, ArrayElement) else id(param)
        return float(self._random(key, ()))

    def operation(self, operation: Any) -> Any | None:
        """The operation with numbers for its parameters; None where it has arrays of a device library, or no matrix."""
        if has_constant_matrix(operation):
            return operation
        arrays = getattr(operation, "arrays", ())
        if not (hasattr(operation, "matrix") and hasattr(operation, "replace")):
            return None
        if not all(isinstance(a, np.ndarray) for a in arrays):
            return None
        try:
            constant = operation.replace(tuple(map(self.number, operation.params)), arrays)
        except (ArithmeticError, ValueError):
            return None
        return constant if has_constant_matrix(constant) else None

    def _random(self, key: Any, shape: tuple[int, ...]) -> Any:
        if key not in self._values:
            self._values[key] = self._rng.uniform(0.35, 0.95, shape)
        return self._values[key]


def fill_in(nodes: Sequence[Node], instructions: Sequence[Instruction], stand_ins: StandIns) -> None:
    """Find the costs and axes of runs, in a few batched calls."""
    known: list[tuple[Node, list[Any], bool]] = []
    for node in nodes:
        if not node.is_run:
            continue
        symbolic = False
        operations = []
        for m in node.members:
            operation = instructions[m].operation
            if not has_constant_matrix(operation):
                symbolic, operation = True, stand_ins.operation(operation)
                if operation is None:
                    break
            operations.append(operation)
        else:
            known.append((node, operations, symbolic))
    _measure([(n, o) for n, o, _ in known], instructions)
    for node, operations, symbolic in known:
        if symbolic and len(operations) > 1:
            _add_up(node, operations, instructions)


def _measure(known: Sequence[tuple[Node, list[Any]]], instructions: Sequence[Instruction]) -> None:
    """Costs and axes from the products of the matrices."""
    simple: dict[str, list[Node]] = {}
    todo: list[tuple[Node, list[Any]]] = []
    for node, operations in known:
        if len(operations) == 1 and type(operations[0]) is Gate and not operations[0].params:
            same = simple.setdefault(operations[0].name, [])
            same.append(node)
            if len(same) > 1:
                continue
        todo.append((node, operations))
    if not todo:
        return
    runs = [
        [(operation, instructions[m].qubits) for m, operation in zip(node.members, operations, strict=True)]
        for node, operations in todo
    ]
    whole = pair_products(runs, [node.qubits[1] for node, _ in todo])
    coordinates = weyl_coordinates(whole)
    costs, mirrors = cx_cost(coordinates), cx_cost(swapped(coordinates))
    axes = np.stack([_axes(whole, _ON_FIRST), _axes(whole, _ON_SECOND)], axis=1)
    for (node, _), cost, mirror, pair in zip(todo, costs.tolist(), mirrors.tolist(), axes.tolist(), strict=True):
        node.cost, node.mirror, node.axes = cost, mirror, pair
    for first, *others in simple.values():
        for node in others:
            node.cost, node.mirror, node.axes = first.cost, first.mirror, first.axes


def _add_up(node: Node, operations: Sequence[Any], instructions: Sequence[Instruction]) -> None:
    """The cost of a run with parameters: it is synthesised operation by operation, a swap joining the last one."""
    twos = [o for o, m in zip(operations, node.members, strict=True) if len(instructions[m].qubits) == 2]
    coordinates = weyl_coordinates(matrices(twos, 2))
    costs, mirrors = cx_cost(coordinates), cx_cost(swapped(coordinates))
    node.cost = int(costs.sum())
    node.mirror = node.cost + int(mirrors[-1]) - int(costs[-1])


def one_qubit_axes(operations: Sequence[Any], stand_ins: StandIns) -> list[int]:
    """For one-qubit operations, the axes that each may be crossed along."""
    constant = [stand_ins.operation(o) for o in operations]
    places = [i for i, o in enumerate(constant) if o is not None]
    out = [0] * len(operations)
    if places:
        found = _axes(matrices([constant[i] for i in places], 1), _PAULIS)
        for i, bits in zip(places, found.tolist(), strict=True):
            out[i] = bits
    return out


def _axes(unitaries: np.ndarray, paulis: np.ndarray) -> np.ndarray:
    """Bits of the Pauli matrices that each unitary commutes with, (B,)."""
    different = unitaries[:, None] @ paulis - paulis @ unitaries[:, None]
    return (np.abs(different).max(axis=(2, 3)) < 1e-9) @ _BITS
