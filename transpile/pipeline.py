"""Passes one after the other, and a report of what each of them did."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from qsim.ir.circuit import Circuit
from qsim.ir.symbols import name_values
from qsim.ir.target import Target
from transpile.base import Pass, Timed, check_passes
from transpile.passes.unroll import unroll
from transpile.score import score, two_qubit_depth

__all__ = ["Pipeline", "Report", "Step", "with_values", "without_values"]


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

    Raises:
        TargetError: `passes` is not a tuple of callables.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.ir.target import Target
        >>> from transpile import Pipeline
        >>> from transpile.passes import Canonicalise, unroll
        >>> Pipeline((unroll, Canonicalise()))(Circuit(2).h(0).h(0).cx(0, 1), Target.ideal()).count_ops()
        {'cx': 1}
    """

    passes: tuple[Pass, ...]

    def __post_init__(self) -> None:
        check_passes("Pipeline", self.passes)

    def __call__(self, circuit: Circuit, target: Target) -> Circuit:
        """What the last pass makes of it; JAX values are parameters meanwhile, and come back at the end."""
        circuit, values = without_values(circuit, target)
        for step in self.passes:
            circuit = step(circuit, target)
        return with_values(circuit, values)

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
        circuit, values = without_values(circuit, target)
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
        return Report(with_values(circuit, values), tuple(steps))


def without_values(circuit: Circuit, target: Target) -> tuple[Circuit, dict[str, Any]]:
    """The circuit with named parameters in the place of JAX values, which no pass may look at; and the values."""
    if not all(isinstance(a, np.ndarray) for i in circuit.instructions for a in getattr(i.operation, "arrays", ())):
        circuit = unroll(circuit, target)  # JAX arrays become angles of gates
    return name_values(circuit)


def with_values(circuit: Circuit, values: dict[str, Any]) -> Circuit:
    """The circuit with the values in their places again; those that cancelled are left out."""
    if not values:
        return circuit
    shapes = circuit.parameter_shapes()
    return circuit.bind({name: value for name, value in values.items() if name in shapes})
