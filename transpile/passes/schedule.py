"""Say when everything starts, and write the waiting into the circuit."""

from __future__ import annotations

from dataclasses import dataclass

from qsim._errors import TargetError
from qsim.ir.circuit import Circuit
from qsim.ir.instruction import Instruction
from qsim.ir.operation import Barrier, Conditional, is_constant
from qsim.ir.ops.delay import Delay
from qsim.ir.target import Target

__all__ = ["LEAST", "Schedule", "duration_of", "start_times"]

LEAST = 1e-13
"""Seconds; shorter waiting is rounding."""


@dataclass(frozen=True)
class Schedule:
    """Write a `Delay` wherever a qubit waits for another, or for its own turn.

    Played with every operation as soon as its qubits are free, the circuit that comes out starts
    each one at its `start_times`. What follows a qubit's last operation is not written.

    Args:
        late: False starts everything as soon as it can (ASAP); True as late as it can without the
            whole taking longer (ALAP), so that qubits stay in |0> until they are needed.

    Raises:
        TargetError: when called: the duration of an operation is not known, or the target has no `delay`.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.ir.target import Native, Target
        >>> from transpile.passes import Schedule
        >>> natives = {"x": Native(duration=3e-8), "cz": Native(duration=1e-7), "delay": Native()}
        >>> device = Target.from_edges(3, [(0, 1), (1, 2)], natives)
        >>> Schedule(late=True)(Circuit(3).x(0).cz(0, 1).cz(1, 2), device).count_ops()
        {'x': 1, 'delay': 2, 'cz': 2}
    """

    late: bool = False

    def __call__(self, circuit: Circuit, target: Target) -> Circuit:
        """The circuit with its delays; itself where nothing waits."""
        starts = start_times(circuit, target, self.late)
        free = [0.0] * circuit.num_qubits
        out: list[Instruction] = []
        for place, (i, start) in enumerate(zip(circuit.instructions, starts, strict=True)):
            for q in i.qubits:
                wait = start - free[q]
                if wait > LEAST:
                    if ("delay", (q,)) not in target:
                        raise TargetError(
                            f"Qubit {q} has to wait, but the target has no `delay` there. What would be needed: "
                            "natives that list delay."
                        )
                    out.append(Instruction(Delay(wait), (q,)))
                free[q] = start + duration_of(i, target, place)
            out.append(i)
        return circuit.with_instructions(out) if len(out) > len(circuit) else circuit


def start_times(circuit: Circuit, target: Target, late: bool = False) -> tuple[float, ...]:
    """When each operation starts, in seconds, the first at 0.

    Args:
        circuit: on the target's qubits, in its natives. target: with durations.
        late: as late as can be instead of as soon as can be; the whole takes the same time.

    Raises:
        TargetError: the duration of an operation is not known.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.ir.target import Native, Target
        >>> from transpile.passes import start_times
        >>> device = Target(2, natives={"x": Native(duration=0.5), "cz": Native(duration=2.0)})
        >>> start_times(Circuit(2).x(0).cz(0, 1).x(1), device)
        (0.0, 0.5, 2.5)
    """
    instructions = circuit.instructions
    durations = [duration_of(i, target, place) for place, i in enumerate(instructions)]
    wires = [_wires(i, circuit) for i in instructions]
    order = range(len(instructions) - 1, -1, -1) if late else range(len(instructions))
    free: dict[int, float] = {}
    starts = [0.0] * len(instructions)
    for k in order:
        starts[k] = max((free.get(w, 0.0) for w in wires[k]), default=0.0)
        for w in wires[k]:
            free[w] = starts[k] + durations[k]
    if not late:
        return tuple(starts)
    total = max(free.values(), default=0.0)  # found backwards in time
    return tuple([total - start - duration for start, duration in zip(starts, durations, strict=True)])


def duration_of(instruction: Instruction, target: Target, place: int | None = None) -> float:
    """How long an operation takes, in seconds.

    Args:
        instruction: the operation on its qubits. target: with durations. place: of it in the circuit, for the message.

    Raises:
        TargetError: it is not known.
    """
    operation = instruction.operation
    while isinstance(operation, Conditional):
        operation = operation.base
    if isinstance(operation, Barrier) or not instruction.qubits:
        return 0.0
    where = "" if place is None else f"Instruction {place}: "
    if isinstance(operation, Delay):
        if not is_constant(operation.seconds):
            raise TargetError(
                f"{where}The delay on qubit {instruction.qubits[0]} is not known: it is a parameter or a JAX value. "
                "What would be needed: a number of seconds; bind it first."
            )
        return float(operation.seconds)
    if operation.name == "rz" and target.virtual_z:
        return 0.0
    table = target.natives_at(instruction.qubits) or {}
    known = table[operation.name].duration if operation.name in table else None
    if known is None and operation.name == "measure" and target.qubits:
        known = target.qubits[instruction.qubits[0]].readout_duration
    if known is None:
        raise TargetError(
            f"{where}The duration of {operation.name} on qubits {instruction.qubits} is not known. What would be "
            f"needed: a target with Native(duration=...) for {operation.name} there."
        )
    return known


def _wires(instruction: Instruction, circuit: Circuit) -> tuple[int, ...]:
    """The qubits, and the classical bits written and read, numbered -1, -2, ..."""
    bits = list(instruction.clbits)
    operation = instruction.operation
    while isinstance(operation, Conditional):
        for register in circuit.cregs:
            if register.name == operation.register:
                bits += range(register.start, register.start + register.size)
        operation = operation.base
    return (*instruction.qubits, *[-1 - b for b in bits])
