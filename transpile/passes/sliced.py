"""Run passes on slices of a large circuit, so that what they need in between stays small."""

from __future__ import annotations

from dataclasses import dataclass

from qsim._checks import check_int
from qsim._errors import TargetError
from qsim.ir.circuit import Circuit
from qsim.ir.instruction import Instruction
from qsim.ir.target import Target
from transpile.base import Pass, check_passes

__all__ = ["Sliced"]


@dataclass(frozen=True)
class Sliced:
    """Passes that keep every operation on its qubits, on one slice of the circuit after the other.

    A circuit of up to four slices is taken whole. Blocks that a cut goes through are seen as two.

    Args:
        passes: run one after the other on each slice; they must not move qubits.
        size: operations in a slice.

    Raises:
        TargetError: `passes` is not a tuple of callables, or a size below 1.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.ir.target import Target
        >>> from transpile.passes import Canonicalise, Sliced
        >>> len(Sliced((Canonicalise(),), size=2)(Circuit(1).h(0).h(0).h(0).h(0).h(0), Target.ideal()))
        1
    """

    passes: tuple[Pass, ...]
    size: int = 10_000

    def __post_init__(self) -> None:
        check_passes("Sliced", self.passes)
        check_int("size", self.size, TargetError, minimum=1)

    def __call__(self, circuit: Circuit, target: Target) -> Circuit:
        """The slices, put together again."""
        instructions = circuit.instructions
        if len(instructions) <= 4 * self.size:
            for step in self.passes:
                circuit = step(circuit, target)
            return circuit
        out: list[Instruction] = []
        for start in range(0, len(instructions), self.size):
            part = circuit.with_instructions(instructions[start : start + self.size])
            for step in self.passes:
                part = step(part, target)
            out += part.instructions
        return circuit.with_instructions(out)
