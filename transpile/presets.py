"""The four presets, and the choice between circuits that fit already and those that do not."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from qsim._checks import check_int
from qsim._errors import TargetError
from qsim.ir.circuit import Circuit
from qsim.ir.target import Target
from transpile.base import Pass
from transpile.passes.canonicalise import Canonicalise
from transpile.passes.chains import one_qubit_chains
from transpile.passes.consolidate import consolidate
from transpile.passes.deepen import Deepen
from transpile.passes.peephole import Peephole
from transpile.passes.sliced import Sliced
from transpile.passes.translate import translate
from transpile.passes.unroll import unroll
from transpile.pipeline import Pipeline
from transpile.routing.place_and_route import PlaceAndRoute

__all__ = ["UnlessNative", "preset"]

TRIALS = (1, 8, 40, 200)
"""Starts of placement and routing, by effort."""

SECONDS = 40.0
"""What resynthesis at effort 3 may take where no budget is given."""

MAX_AGAIN = (0, 100_000, 1_000_000, 1_000_000)
"""The most operations of a circuit that is gone through again and again, by effort."""


@dataclass(frozen=True)
class UnlessNative:
    """One pass for circuits that the target can run as they are, and another for the rest.

    A native circuit keeps its places: no swaps are added to it, and none of its own is elided.
    """

    native: Pass
    other: Pass

    def __call__(self, circuit: Circuit, target: Target) -> Circuit:
        """What the chosen pass makes of the circuit."""
        fits = target.first_violation(circuit) is None
        if target.num_qubits is not None:  # idle qubits are read too
            fits = fits and set(target.usable_qubits).issuperset(circuit.layout.initial)
        return (self.native if fits else self.other)(circuit, target)


def keep(circuit: Circuit, target: Target) -> Circuit:
    """The circuit as it is."""
    return circuit


def preset(effort: int = 2, seed: int = 0, time_budget: float | None = None) -> Pipeline:
    """The pipeline of an effort from 0 to 3.

    0 writes what is not native in native gates, and a native circuit comes back as it is. 1 to 3
    cancel, merge, place, route and resynthesise, with more trials each.

    Args:
        effort: 0, 1, 2 or 3.
        seed: of the random choices; the same seed gives the same circuit.
        time_budget: seconds that resynthesis may take at effort 3 (default 40).

    Raises:
        TargetError: another effort, a negative seed, a time budget of 0 or less.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.ir.target import Target
        >>> from transpile import preset
        >>> made = preset(1)(Circuit(2).h(0).cx(0, 1), Target.line(2, ["rz", "sx", "cz"]))
        >>> made.count_ops()["cz"]
        1
    """
    if check_int("effort", effort, TargetError) > 3:
        raise TargetError(f"Argument `effort` must be 0, 1, 2 or 3, but is {effort!r}.")
    if time_budget is not None and (type(time_budget) not in (int, float) or not time_budget > 0):
        raise TargetError(f"Argument `time_budget` must be a number of seconds above 0, but is {time_budget!r}.")
    return _preset(int(effort), check_int("seed", seed, TargetError), time_budget)


@lru_cache(maxsize=64)
def _preset(effort: int, seed: int, time_budget: float | None) -> Pipeline:
    write: tuple[Pass, ...] = (Sliced((consolidate, translate, one_qubit_chains)),)
    if effort == 0:
        return Pipeline((UnlessNative(keep, Pipeline((unroll, PlaceAndRoute(TRIALS[0], seed), *write))),))
    again = Peephole((Canonicalise(), *write), max_size=MAX_AGAIN[effort])
    route = (unroll, Canonicalise(elide=True), PlaceAndRoute(TRIALS[effort], seed), *write)
    passes: tuple[Pass, ...] = (UnlessNative(keep, Pipeline(route)), again)
    if effort == 3:
        seconds = SECONDS if time_budget is None else float(time_budget)
        passes = (*passes, Deepen((*write, again), seed, seconds))
    return Pipeline(passes)
