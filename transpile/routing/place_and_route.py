"""The pass that puts a circuit on a device with limited connections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qsim._errors import TargetError
from qsim.ir.circuit import Circuit
from qsim.ir.instruction import Instruction
from qsim.ir.layout import Layout, active_qubits
from qsim.ir.operation import Barrier
from qsim.ir.target import Target
from transpile.routing.device import Device, largest_part
from transpile.routing.emit import emit
from transpile.routing.order import pose
from transpile.routing.search import search

__all__ = ["PlaceAndRoute"]


@dataclass(frozen=True)
class PlaceAndRoute:
    """Choose a place on the device for every qubit, and insert swaps so that two-qubit operations meet.

    Places are found by subgraph embedding and from several starts, each improved by routing
    forwards and backwards. Taken is the outcome with the fewest two-qubit gates, blocks and the
    swaps that join them counted by their class (5 % less depth makes up for 1 % more gates); where
    the target knows errors, the one most likely to succeed. The same seed gives the same circuit.

    Args:
        trials: how many starts; fewer are made for large circuits, and without numba.
        seed: of the random choices.

    Raises:
        TargetError: too few qubits, a device whose connected parts are too small, an operation
            on more than two qubits that the target does not have.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.ir.target import Target
        >>> from transpile.routing.place_and_route import PlaceAndRoute
        >>> triangle = Circuit(3).cx(0, 1).cx(1, 2).cx(2, 0)
        >>> routed = PlaceAndRoute(trials=4)(triangle, Target.line(3))
        >>> Target.line(3).first_violation(routed) is None
        True
    """

    trials: int = 20
    seed: int = 0

    def __call__(self, circuit: Circuit, target: Target) -> Circuit:
        """The circuit on the target's qubits, with its layout; itself where it fits as it is."""
        if target.edges is None and len(target.usable_qubits) == (target.num_qubits or 0):
            return circuit
        num_qubits = target.num_qubits
        assert num_qubits is not None
        if circuit.num_qubits == num_qubits and _fits(circuit, target):
            return circuit
        kept = active_qubits(circuit)
        if target.edges is None:
            return _moved_to(circuit, kept, target)
        device = largest_part(target, len(kept))
        instructions = _renumbered(circuit.instructions, kept, circuit.num_qubits)
        problem = pose(circuit, instructions, len(kept))
        found = search(problem, device, self.trials, self.seed, _own_places(kept, device))
        routed = found.routed
        out = emit(found.problem, instructions, routed, device.names)
        first = device.names[routed.first[: len(kept)]].tolist()
        last = device.names[routed.last[: len(kept)]].tolist()
        return _finished(circuit, num_qubits, out, kept, first, last)


def _fits(circuit: Circuit, target: Target) -> bool:
    """True where all operations are on usable qubits, and two-qubit ones on joined ones."""
    usable, edges = set(target.usable_qubits), target.edge_set
    for instruction in circuit.instructions:
        qubits = instruction.qubits
        if isinstance(instruction.operation, Barrier):
            continue
        if len(qubits) == 2 and qubits not in edges and qubits[::-1] not in edges:
            return False
        if len(qubits) > 2 and (instruction.operation, qubits) not in target:
            return False
        if not usable.issuperset(qubits):
            return False
    return usable.issuperset(circuit.layout.initial)


def _renumbered(instructions: Sequence[Instruction], kept: Sequence[int], num_qubits: int) -> Sequence[Instruction]:
    """The instructions with only the kept qubits, numbered in order; barriers shrink."""
    if len(kept) == num_qubits:
        return instructions
    number = {q: i for i, q in enumerate(kept)}
    out = []
    for i in instructions:
        operation = i.operation
        if isinstance(operation, Barrier):
            qubits = tuple([number[q] for q in i.qubits if q in number])
            if not qubits:
                continue
            operation = Barrier(len(qubits))
        else:
            qubits = tuple([number[q] for q in i.qubits])
        out.append(Instruction(operation, qubits, i.clbits))
    return out


def _own_places(kept: Sequence[int], device: Device) -> np.ndarray:
    """The place of each kept qubit's own number in the part of the device; -1 where it is not in it."""
    number = {int(q): p for p, q in enumerate(device.names)}
    return np.array([number.get(q, -1) for q in kept], np.int32)


def _moved_to(circuit: Circuit, kept: Sequence[int], target: Target) -> Circuit:
    """The circuit on the usable qubits of a target without edges."""
    usable = target.usable_qubits
    if len(kept) > len(usable):
        raise TargetError(
            f"The circuit acts on {len(kept)} qubits, but the target has {len(usable)} usable ones. Use a target "
            f"with at least {len(kept)} usable qubits, or a smaller circuit."
        )
    out = [
        Instruction(i.operation, tuple([usable[q] for q in i.qubits]), i.clbits)
        for i in _renumbered(circuit.instructions, kept, circuit.num_qubits)
    ]
    places = list(usable[: len(kept)])
    return _finished(circuit, target.num_qubits or 0, out, kept, places, places)


def _finished(
    circuit: Circuit,
    num_qubits: int,
    instructions: Sequence[Instruction],
    kept: Sequence[int],
    first: Sequence[int],
    last: Sequence[int],
) -> Circuit:
    """The result on all qubits of the device; idle qubits of the circuit take the places that are left."""
    sizes = {r.name: r.size for r in circuit.cregs}
    new = Circuit(num_qubits, num_clbits=sizes).with_instructions(instructions)
    start, end = dict(zip(kept, first, strict=True)), dict(zip(kept, last, strict=True))
    layout = circuit.layout
    return new.with_layout(Layout(tuple([start[q] for q in layout.initial]), tuple([end[q] for q in layout.final])))
