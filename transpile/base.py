"""What a pass is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from qsim._errors import TargetError
from qsim.ir.circuit import Circuit
from qsim.ir.target import Target

__all__ = ["Pass", "Timed", "check_passes"]

Pass = Callable[[Circuit, Target], Circuit]


class Timed(ABC):
    """A pass that may be cut short by wall time, and says whether it was."""

    @abstractmethod
    def outcome(self, circuit: Circuit, target: Target) -> tuple[Circuit, bool]:
        """What it makes of the circuit, and True where it had not finished when its time was over."""

    def __call__(self, circuit: Circuit, target: Target) -> Circuit:
        """What it makes of the circuit."""
        return self.outcome(circuit, target)[0]


def check_passes(owner: str, passes: Any) -> None:
    """Refuse what is not a tuple of callables.

    Raises:
        TargetError: it says which is not one.
    """
    if not isinstance(passes, tuple):
        raise TargetError(f"{owner}: argument `passes` must be a tuple of callables, but is {type(passes).__name__}.")
    for place, step in enumerate(passes):
        if not callable(step) or isinstance(step, type):
            raise TargetError(
                f"{owner}: pass {place} must be a callable (Circuit, Target) -> Circuit, but is {step!r}."
                + (f" Try {step.__name__}()." if isinstance(step, type) else "")
            )
