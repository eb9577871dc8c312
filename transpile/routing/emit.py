"""From a routed sequence back to instructions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qsim.ir.instruction import Instruction
from qsim.ir.operation import Gate, row_of
from transpile.routing.order import Problem
from transpile.routing.sabre import Routed

__all__ = ["emit"]


def emit(
    problem: Problem, instructions: Sequence[Instruction], routed: Routed, region: np.ndarray
) -> list[Instruction]:
    """The instructions on the device.

    A swap stands behind the node that it joins. Where one of the two places is in |0>, two cx
    gates move the other's qubit there.

    Args:
        problem: what was routed. instructions: that it was posed for.
        routed: the outcome. region: (P,), the qubit of the device of each place.
    """
    names: list[int] = region.tolist()
    place: list[int] = routed.first.tolist()
    held = [0] * len(place)
    for qubit, p in enumerate(place):
        held[p] = qubit
    ptr, groups = problem.order.node_ptr.tolist(), problem.order.node_groups.tolist()
    wires = problem.order.wires.tolist()
    reached = [-1] * problem.num_qubits
    swap, cx = Gate(row_of("swap")), Gate(row_of("cx"))
    out: list[Instruction] = []

    def flush(qubit: int) -> None:
        group = reached[qubit]
        for i in problem.start[qubit] if group < 0 else problem.after[group]:
            out.append(Instruction(instructions[i].operation, (names[place[qubit]],)))

    for v, p, q, mirrored, _ in routed.entries[routed.sequence].tolist():
        if v >= 0:
            for group in groups[ptr[v] : ptr[v + 1]]:
                qubit = wires[group]
                if qubit >= 0 and reached[qubit] != group:
                    flush(qubit)
                    reached[qubit] = group
            for m in problem.nodes[v].members:
                instruction = instructions[m]
                moved = tuple([names[place[x]] for x in instruction.qubits])
                out.append(Instruction(instruction.operation, moved, instruction.clbits))
        if not mirrored:
            continue
        a, b = held[p], held[q]
        here, there = names[p], names[q]
        if v >= 0 or max(a, b) < problem.num_qubits:
            out.append(Instruction(swap, (here, there)))
        elif min(a, b) < problem.num_qubits:
            if a > b:
                here, there = there, here
            out += [Instruction(cx, (here, there)), Instruction(cx, (there, here))]
        held[p], held[q] = b, a
        place[a], place[b] = q, p
    for qubit in range(problem.num_qubits):
        flush(qubit)
    assert place == routed.last.tolist()
    return out
