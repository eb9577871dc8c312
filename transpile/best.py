"""Several transpilers, and the best of what they make."""

from __future__ import annotations

from dataclasses import dataclass

from qsim._errors import TargetError
from qsim.ir.circuit import Circuit
from qsim.ir.target import Target
from transpile.base import Pass, check_passes
from transpile.score import score, two_qubit_depth

__all__ = ["BestOf", "best_of"]


@dataclass(frozen=True)
class BestOf:
    """Run every transpiler; keep the circuit with the fewest two-qubit gates, then the least depth in them.

    Args:
        transpilers: callables `(Circuit, Target) -> Circuit`, at least one.

    Raises:
        TargetError: none was given, or one cannot be called.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.ir.target import Target
        >>> from transpile import BestOf, preset
        >>> BestOf((preset(0), preset(2)))(Circuit(2).h(0).h(0).cx(0, 1), Target.line(2, ["u", "cx"])).count_ops()
        {'cx': 1}
    """

    transpilers: tuple[Pass, ...]

    def __post_init__(self) -> None:
        check_passes("best_of", self.transpilers)
        if not self.transpilers:
            raise TargetError("best_of: give one or more callables (Circuit, Target) -> Circuit, such as preset(2).")

    def __call__(self, circuit: Circuit, target: Target) -> Circuit:
        """The best circuit; the first of equals."""
        made = [transpiler(circuit, target) for transpiler in self.transpilers]
        return min(made, key=lambda c: (score(c)[0], two_qubit_depth(c), score(c)[1]))


def best_of(*transpilers: Pass) -> BestOf:
    """The transpiler that runs all of these and keeps the best circuit.

    Args:
        transpilers: callables `(Circuit, Target) -> Circuit`.

    Raises:
        TargetError: none was given, or one cannot be called.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.ir.target import Target
        >>> from transpile import best_of, preset
        >>> both = best_of(preset(1, seed=1), preset(1, seed=2))
        >>> both(Circuit(3).cx(0, 1).cx(1, 2).cx(2, 0), Target.line(3, ["u", "cx"])).num_qubits
        3
    """
    return BestOf(transpilers)
