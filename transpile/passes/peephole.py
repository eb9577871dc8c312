"""Repeat passes as long as the circuit gets smaller."""

from __future__ import annotations

from dataclasses import dataclass

from qsim.ir.circuit import Circuit
from qsim.ir.target import Target
from transpile.base import Pass
from transpile.score import score

__all__ = ["Peephole"]


@dataclass(frozen=True)
class Peephole:
    """Run passes over and over; keep what they make while it has fewer two-qubit gates, or as many and fewer others.

    The circuit that comes out is a minimum point: run again on it, this pass returns it as it is.

    Args:
        passes: one round of them.
        max_rounds: when to stop at the latest.
        max_size: circuits with more operations are left as they are.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.ir.target import Target
        >>> from transpile.passes import Canonicalise, Peephole
        >>> len(Peephole((Canonicalise(),))(Circuit(2).h(0).cx(0, 1).cx(0, 1).h(0), Target.ideal()))
        0
    """

    passes: tuple[Pass, ...]
    max_rounds: int = 20
    max_size: int = 1_000_000

    def __call__(self, circuit: Circuit, target: Target) -> Circuit:
        """The smallest circuit found; the same one where the first round gains nothing."""
        if len(circuit) > self.max_size:
            return circuit
        best = score(circuit)
        for _ in range(self.max_rounds):
            candidate = circuit
            for step in self.passes:
                candidate = step(candidate, target)
            if candidate is circuit or not score(candidate) < best:
                break
            circuit, best = candidate, score(candidate)
        return circuit
