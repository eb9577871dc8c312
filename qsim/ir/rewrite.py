"""The instructions of a circuit undone, and under control."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qsim._errors import CircuitError
from qsim.ir.instruction import Instruction
from qsim.ir.interface import checked_definition
from qsim.ir.operation import Barrier, Conditional, Reset, controlled
from qsim.ir.parameter import ArrayElement


def inverted(instructions: Sequence[Instruction]) -> list[Instruction]:
    """The instructions that undo these. Angles that are elements of one array stay elements of one.

    Raises:
        CircuitError: an operation has no inverse.
    """
    new: list[Instruction] = []
    negatives: dict[int, list[Any]] = {}
    for i in reversed(instructions):
        op = i.operation
        if any(type(p) is ArrayElement for p in op.params) and hasattr(op, "replace"):
            op = op.replace([_with_negative(p, negatives) for p in op.params], getattr(op, "arrays", ()))
        if hasattr(op, "inverse"):
            new.append(Instruction(op.inverse(), i.qubits, i.clbits))
        elif hasattr(op, "definition") and not i.clbits:
            steps = inverted(checked_definition(op).instructions)
            new += [Instruction(s.operation, tuple([i.qubits[q] for q in s.qubits])) for s in steps]
        else:
            raise CircuitError(f"{op.name} on qubits {i.qubits} has no inverse, so the circuit has none.")
    return new


def _with_negative(param: Any, negatives: dict[int, list[Any]]) -> Any:
    if type(param) is not ArrayElement or param.negative:
        return param
    return ArrayElement(param.array, param.index, negatives.setdefault(id(param.array), []))


def under_control(
    instructions: Sequence[Instruction], num_controls: int, control_state: int | str | None
) -> list[Instruction]:
    """The instructions under controls on the first qubits, before which theirs move up.

    Raises:
        CircuitError: an instruction that cannot be put under control.
    """
    new: list[Instruction] = []
    for i in instructions:
        if i.clbits or isinstance(i.operation, (Reset, Conditional)):
            raise CircuitError(f"controlled: {i.operation.name} cannot be put under control.")
        moved = tuple([q + num_controls for q in i.qubits])
        if isinstance(i.operation, Barrier):
            new.append(Instruction(i.operation, moved))
        else:
            operation = controlled(i.operation, num_controls, control_state)
            new.append(Instruction(operation, (*range(num_controls), *moved)))
    return new
