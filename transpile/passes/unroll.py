"""Write operations on more than two qubits as operations on one and two."""

from __future__ import annotations

from collections.abc import Iterator

from qsim._errors import TargetError
from qsim.ir.circuit import Circuit
from qsim.ir.instruction import Instruction
from qsim.ir.operation import Barrier, Conditional, Gate, Measure, Reset
from qsim.ir.ops.delay import Delay
from qsim.ir.target import Target
from transpile.synthesis.controls import definition_of, wants_spare
from transpile.synthesis.matrices import has_constant_matrix
from transpile.synthesis.rotations import rotations_of

__all__ = ["unroll"]

MAX_DEPTH = 64

_LEFT_ALONE = (Barrier, Measure, Reset, Conditional, Delay)


def unroll(circuit: Circuit, target: Target) -> Circuit:
    """Replace what is neither native nor of one or two qubits by its definition, over and over.

    Operations of one or two qubits stay where they are constant, or known as rotations; the
    passes to come write them in native gates. Gates under many controls borrow qubits of the
    circuit that they do not act on.

    Args:
        circuit: any circuit; it is never changed. target: the device.

    Raises:
        TargetError: an operation that has no definition, or one that goes round in circles.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.ir.target import Target
        >>> from transpile.passes.unroll import unroll
        >>> unroll(Circuit(3).qft((0, 1, 2)), Target.line(3, ["rz", "sx", "cz"])).count_ops()
        {'h': 3, 'cp': 3, 'swap': 1}
    """
    done: list[Instruction] = []
    changed = False
    for instruction in circuit.instructions:
        if _stays(instruction, target):
            done.append(instruction)
        else:
            changed = True
            done += _steps(instruction, target, circuit.num_qubits, ())
    return circuit.with_instructions(done) if changed else circuit


def _stays(instruction: Instruction, target: Target) -> bool:
    operation, size = instruction.operation, len(instruction.qubits)
    if type(operation) is Gate and size <= 2:
        return True
    if isinstance(operation, _LEFT_ALONE) or operation.num_clbits:
        return True
    if size <= 2 and (has_constant_matrix(operation) or rotations_of(operation) is not None):
        return True
    return (size <= 2 or target.edges is None) and (operation, instruction.qubits) in target


def _steps(instruction: Instruction, target: Target, num_qubits: int, path: tuple[str, ...]) -> Iterator[Instruction]:
    operation, qubits = instruction.operation, instruction.qubits
    spare = [q for q in range(num_qubits) if q not in qubits] if wants_spare(operation) else []
    spare = spare[: wants_spare(operation)]
    definition = definition_of(operation, len(spare))
    inside = f" (inside {' > '.join(path)})" if path else ""
    if definition is None:
        raise TargetError(
            f"{operation.name} on qubits {qubits}{inside} is not native, and nothing is known to write it in other "
            "gates. What would be needed: a definition() -> Circuit on the operation, or a constant matrix(xp) where "
            "it acts on one or two qubits."
        )
    if len(path) >= MAX_DEPTH:
        raise TargetError(
            f"The definition of {path[0]} goes deeper than {MAX_DEPTH}: {' > '.join(path[:4])} > ... "
            "What would be needed: a definition in simpler operations."
        )
    places = (*qubits, *spare)
    for i in definition.instructions:
        step = Instruction(
            i.operation, tuple([places[q] for q in i.qubits]), tuple([instruction.clbits[b] for b in i.clbits])
        )
        if _stays(step, target):
            yield step
        else:
            yield from _steps(step, target, num_qubits, (*path, operation.name))
