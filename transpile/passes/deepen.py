"""Go on resynthesising while it gains something and there is time."""

from __future__ import annotations

import time
from dataclasses import dataclass

from qsim.ir.circuit import Circuit
from qsim.ir.target import Target
from transpile.base import Pass, Timed
from transpile.passes.resynthesise import Resynthesise
from transpile.score import score

__all__ = ["Deepen"]


@dataclass(frozen=True)
class Deepen(Timed):
    """Rounds of resynthesis, each with other parts and other random starts; what is better is kept.

    Args:
        after: passes that write what resynthesis made in native gates, and clean up.
        seed: of the first round; the next ones count up from it.
        seconds: no round begins later, and within a round no further part is tried.
        patience: how many rounds in a row may gain nothing.
        max_rounds: how many rounds there are at most.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.ir.target import Target
        >>> from transpile.passes import Deepen, consolidate, one_qubit_chains
        >>> device = Target.line(3, ["rz", "sx", "cz"])
        >>> Deepen((consolidate, one_qubit_chains))(Circuit(3).cz(0, 1).cz(1, 2), device).count_ops()
        {'cz': 2}
    """

    after: tuple[Pass, ...]
    seed: int = 0
    seconds: float = 60.0
    patience: int = 2
    max_rounds: int = 30

    def outcome(self, circuit: Circuit, target: Target) -> tuple[Circuit, bool]:
        """The best circuit found, the same one where no round gained anything; True where time was over first."""
        end = time.monotonic() + self.seconds
        best, misses = score(circuit), 0
        for number in range(self.max_rounds):
            if misses >= self.patience:
                break
            left = end - time.monotonic()
            if left <= 0:
                return circuit, True
            search = Resynthesise(self.seed + number, left, cut=0.1 if number else 0.0)
            candidate, cut = search.outcome(circuit, target)
            for step in self.after:
                candidate = step(candidate, target)
            if score(candidate) < best:
                circuit, best, misses = candidate, score(candidate), 0
            else:
                misses += 1
            if cut:
                return circuit, True
        return circuit, False
