"""A circuit in terms of chosen operations: others are replaced by their definitions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qsim._errors import CircuitError
from qsim.ir.controlled import split_controls
from qsim.ir.instruction import Instruction
from qsim.ir.interface import checked_definition
from qsim.ir.keys import is_defined
from qsim.ir.table import Gate

if TYPE_CHECKING:
    from qsim.ir.circuit import Circuit

MAX_DEPTH = 64
MAX_SIZE = 10_000_000


def expand(circuit: Circuit, keep: Callable[[Any], bool]) -> Circuit:
    """Replace operations by their `definition()`, over and over, until `keep` holds for all.

    Args:
        circuit: any circuit; it stays as it is, and its registers and layout are kept.
        keep: f(operation) -> True where the operation may stay.

    Returns:
        A new circuit, equal to the first one, global phase included.

    Raises:
        CircuitError: an operation that may not stay has no definition, definitions within
            definitions go deeper than 64 (one that contains itself, say), or the circuit
            grows beyond 10 million operations.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.ir.expand import expand
        >>> expand(Circuit(2).qft((0, 1)), lambda op: op.name != "qft").count_ops()
        {'h': 2, 'cp': 1, 'swap': 1}
    """
    done: list[Instruction] = []
    for instruction in circuit.instructions:
        if keep(instruction.operation):
            done.append(instruction)
        else:
            _expand_one(instruction, keep, done)
    return circuit.with_instructions(done)


def is_whole(operation: Any) -> bool:
    """Whether an operation may be run as it is; where not, its definition is what it is known and run by."""
    return type(operation) is Gate or not is_defined(split_controls(operation)[0])


def _expand_one(instruction: Instruction, keep: Callable[[Any], bool], done: list[Instruction]) -> None:
    stack = [iter((instruction,))]
    path: list[str] = []
    while stack:
        i = next(stack[-1], None)
        if i is None:
            stack.pop()
            del path[-1:]
            continue
        operation = i.operation
        if keep(operation):
            done.append(i)
            if len(done) > MAX_SIZE:
                raise CircuitError(f"expand: {instruction.operation.name} makes more than {MAX_SIZE} operations.")
            continue
        if not hasattr(operation, "definition"):
            inside = f" (inside {' > '.join(path)})" if path else ""
            raise CircuitError(
                f"{operation.name} on qubits {i.qubits}{inside} cannot be run as it is, and has no definition() in "
                "terms of other operations. Give it one, or a matrix(xp)."
            )
        if len(stack) > MAX_DEPTH:
            raise CircuitError(
                f"expand: the definitions of {instruction.operation.name} go deeper than {MAX_DEPTH}: "
                f"{' > '.join(path[:4])} > ..."
            )
        definition = checked_definition(operation)
        path.append(operation.name)
        stack.append(_moved(definition, i))


def _moved(definition: Circuit, outer: Instruction) -> Any:
    """The instructions of a definition in the places of the operation."""
    for i in definition.instructions:
        yield Instruction(
            i.operation, tuple([outer.qubits[q] for q in i.qubits]), tuple([outer.clbits[b] for b in i.clbits])
        )
