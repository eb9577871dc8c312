"""Fill waiting with pulses that undo each other, and meanwhile what drifts slowly."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np

from qsim._errors import TargetError
from qsim.ir.circuit import Circuit
from qsim.ir.gates import gate
from qsim.ir.instruction import Instruction
from qsim.ir.operation import is_constant
from qsim.ir.ops.delay import Delay
from qsim.ir.target import Target
from transpile.passes.schedule import LEAST, duration_of

__all__ = ["Decouple"]


@dataclass(frozen=True)
class Decouple:
    """Dynamical decoupling: in the place of a long `Delay`, pulses at even distances.

    n pulses of length d in a delay of T seconds stand w = (T - n d) / n apart, with w / 2 before the
    first and after the last one (Viola, Knill, Lloyd, DOI 10.1103/PhysRevLett.82.2417; x, x is that
    of Carr and Purcell). A qubit that was not touched yet is left alone, as are delays that are open
    parameters, and the circuit takes as long as before.

    Args:
        pulses: names of one-qubit gates of the table without angles, the identity in all up to a phase:
            ("x", "x"), or ("x", "y", "x", "y") against errors of all axes.

    Raises:
        TargetError: pulses that are not the identity; when called, pulses that a qubit does not have,
            or whose duration is not known.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.ir.target import Native, Target
        >>> from transpile import Delay
        >>> from transpile.passes import Decouple
        >>> device = Target(1, natives={"x": Native(duration=3e-8), "delay": Native()})
        >>> Decouple()(Circuit(1).x(0).append(Delay(1e-6), 0), device).count_ops()
        {'x': 3, 'delay': 3}
    """

    pulses: tuple[str, ...] = ("x", "x")

    def __post_init__(self) -> None:
        try:
            matrices = [np.asarray(gate(name).matrix(np), complex) for name in self.pulses]
            whole = reduce(np.matmul, matrices)
        except Exception as error:
            raise TargetError(
                f"Argument `pulses` must name one-qubit gates without angles, but is {self.pulses!r}."
            ) from error
        if whole.shape != (2, 2) or abs(abs(np.trace(whole)) - 2) > 1e-9:
            raise TargetError(
                f"Argument `pulses` must be the identity in all, but {self.pulses!r} is not. Try ('x', 'x')."
            )

    def __call__(self, circuit: Circuit, target: Target) -> Circuit:
        """The circuit with pulses in all delays that have room for them; itself where none has."""
        touched: set[int] = set()
        out: list[Instruction] = []
        for i in circuit.instructions:
            if isinstance(i.operation, Delay) and i.qubits[0] in touched and is_constant(i.operation.seconds):
                out += self._filled(i, target)
                continue
            if i.operation.name not in ("barrier", "delay"):
                touched.update(i.qubits)
            out.append(i)
        return circuit.with_instructions(out) if len(out) > len(circuit) else circuit

    def _filled(self, delay: Instruction, target: Target) -> list[Instruction]:
        """The pulses, and what is left of the delay around them; the delay itself where it is too short."""
        (q,) = delay.qubits
        missing = [name for name in self.pulses if (name, (q,)) not in target]
        if missing:
            raise TargetError(
                f"Decoupling needs {missing[0]} on qubit {q}, which the target does not have there. What would be "
                "needed: natives that list it, or other `pulses`."
            )
        pulses = [Instruction(gate(name), (q,)) for name in self.pulses]
        wait = (delay.operation.seconds - sum(duration_of(p, target) for p in pulses)) / len(pulses)
        if wait < LEAST:
            return [delay]
        out = [Instruction(Delay(wait / 2), (q,))]
        for pulse in pulses:
            out += [pulse, Instruction(Delay(wait), (q,))]
        return [*out[:-1], Instruction(Delay(wait / 2), (q,))]
