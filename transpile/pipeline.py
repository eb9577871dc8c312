"""Passes one after the other, and a report of what each of them did."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from qsim.ir.circuit import Circuit
from qsim.ir.target import Target
from transpile.score import score, two_qubit_depth

__all__ = ["Pass", "Pipeline", "Report", "Step", "Timed"]

Pass = Callable[[Circuit, Target], Circuit]


class Timed(ABC):
    """A pass that may be cut short by wall time, and says whether it was."""

    @abstractmethod
    def outcome(self, circuit: Circuit, target: Target) -> tuple[Circuit, bool]:
        """What it makes of the circuit, and True where it had not finished when its time was over."""

    def __call__(self, circuit: Circuit, target: Target) -> Circuit:
        """What it makes of the circuit."""
        return self.outcome(circuit, target)[0]


class Step(NamedTuple):
    """What one pass did.

    Attributes:
        name: of the pass. seconds: wall time it took.
        two_qubit_gates, two_qubit_depth, size: of the circuit after it; size counts all operations.
        cut_short: True where wall time ended it, so that the same seed may give another circuit on another run.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.ir.target import Target
        >>> from transpile import preset
        >>> preset(1).report(Circuit(2).cx(0, 1), Target.line(2, ["u", "cz"])).steps[0].two_qubit_gates
        1
    """

    name: str
    seconds: float
    two_qubit_gates: int
    two_qubit_depth: int
    size: int
    cut_short: bool = False


class Report(NamedTuple):
    """A transpiled circuit, and how it came about.

    Attributes:
        circuit: what the last pass made. steps: one per pass, those of inner pipelines in their place.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.ir.target import Target
        >>> from transpile import preset
        >>> [step.name for step in preset(1).report(Circuit(2).cx(0, 1), Target.line(2, ["u", "cz"])).steps]
        ['UnlessNative', 'Peephole']
    """

    circuit: Circuit
    steps: tuple[Step, ...]

    @property
    def cut_short(self) -> bool:
        """True where wall time ended any pass; else the same seed gives the same circuit."""
        return any(step.cut_short for step in self.steps)

    def __str__(self) -> str:
        lines = [f"{'pass':24s} {'2q gates':>8s} {'2q depth':>8s} {'all':>8s} {'seconds':>9s}"]
        for s in self.steps:
            cut = "  cut short by time" if s.cut_short else ""
            lines.append(
                f"{s.name:24s} {s.two_qubit_gates:8d} {s.two_qubit_depth:8d} {s.size:8d} {s.seconds:9.4f}{cut}"
            )
        return "\n".join(lines)


@dataclass(frozen=True)
class Pipeline:
    """A transpiler: its passes in order, each a callable `(Circuit, Target) -> Circuit`.

    Args:
        passes: what is done, first to last; a pipeline is a pass itself.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.ir.target import Target
        >>> from transpile import Pipeline
        >>> from transpile.passes import Canonicalise, unroll
        >>> Pipeline((unroll, Canonicalise()))(Circuit(2).h(0).h(0).cx(0, 1), Target.ideal()).count_ops()
        {'cx': 1}
    """

    passes: tuple[Pass, ...]

    def __call__(self, circuit: Circuit, target: Target) -> Circuit:
        """What the last pass makes of it."""
        for step in self.passes:
            circuit = step(circuit, target)
        return circuit

    def report(self, circuit: Circuit, target: Target) -> Report:
        """The same circuit, with what each pass did, and whether wall time cut one short.

        Example:
            >>> from qsim import Circuit
            >>> from qsim.ir.target import Target
            >>> from transpile import preset
            >>> report = preset(3).report(Circuit(3).ccx(0, 1, 2), Target.line(3, ["rz", "sx", "cz"]))
            >>> report.cut_short, report.steps[-1].name
            (False, 'Deepen')
        """
        steps: list[Step] = []
        for step in self.passes:
            start, cut = time.perf_counter(), False
            if isinstance(step, Pipeline):
                circuit, inner = step.report(circuit, target)
                steps += inner
                continue
            if isinstance(step, Timed):
                circuit, cut = step.outcome(circuit, target)
            else:
                circuit = step(circuit, target)
            seconds = time.perf_counter() - start
            name = getattr(step, "__name__", type(step).__name__)
            large, size = score(circuit)
            steps.append(Step(name, seconds, large, two_qubit_depth(circuit), size, cut))
        return Report(circuit, tuple(steps))
