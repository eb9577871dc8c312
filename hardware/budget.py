"""How much a process may submit: a guard that the user sets, and that paid devices need."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from hardware.errors import BudgetExceeded
from qsim._checks import check_int

__all__ = ["Budget", "budget", "set_budget", "spend"]


@dataclass(frozen=True)
class Budget:
    """The most that a process may submit to devices, and what it has.

    Attributes:
        max_submissions, max_shots: None allows any number.
        submissions, shots: so far.

    Example:
        >>> from hardware import Budget
        >>> Budget(max_shots=1000).is_set
        True
    """

    max_submissions: int | None = None
    max_shots: int | None = None
    submissions: int = 0
    shots: int = 0

    @property
    def is_set(self) -> bool:
        """True where submissions or shots are limited."""
        return self.max_submissions is not None or self.max_shots is not None


_lock = threading.Lock()
_budget = Budget()


def set_budget(max_submissions: int | None = None, max_shots: int | None = None) -> None:
    """Limit what this process may submit from now on; counting starts anew.

    Args:
        max_submissions: jobs; None allows any number. max_shots: shots of all jobs together.

    Raises:
        BudgetExceeded: a limit that is no number of 0 or more.

    Example:
        >>> import hardware
        >>> hardware.set_budget(max_submissions=10, max_shots=100_000)
        >>> hardware.budget().max_submissions
        10
        >>> hardware.set_budget()
    """
    global _budget
    limits = [
        None if value is None else check_int(name, value, BudgetExceeded)
        for name, value in (("max_submissions", max_submissions), ("max_shots", max_shots))
    ]
    with _lock:
        _budget = Budget(limits[0], limits[1])


def budget() -> Budget:
    """The limits, and what was submitted so far.

    Example:
        >>> import hardware
        >>> hardware.set_budget()
        >>> hardware.budget().is_set
        False
    """
    return _budget


def spend(device: str, shots: int, paid: bool) -> None:
    """Count one submission, before it is made.

    Raises:
        BudgetExceeded: it would exceed a limit, or the device costs money and there is none.
    """
    global _budget
    with _lock:
        now = _budget
        if paid and not now.is_set:
            raise BudgetExceeded(
                f"Device `{device}` costs money, and no budget is set. Try hardware.set_budget(max_submissions=10, "
                "max_shots=100_000)."
            )
        if now.max_submissions is not None and now.submissions + 1 > now.max_submissions:
            raise BudgetExceeded(
                f"Device `{device}`: this would be submission {now.submissions + 1}, and the budget is "
                f"{now.max_submissions}. Nothing was submitted. Raise it with hardware.set_budget(...)."
            )
        if now.max_shots is not None and now.shots + shots > now.max_shots:
            raise BudgetExceeded(
                f"Device `{device}`: {shots} more shots would be {now.shots + shots}, and the budget is "
                f"{now.max_shots}. Nothing was submitted. Ask for fewer `shots`, or raise it with "
                "hardware.set_budget(...)."
            )
        _budget = Budget(now.max_submissions, now.max_shots, now.submissions + 1, now.shots + shots)


@contextmanager
def temporary_budget(max_submissions: int | None = None, max_shots: int | None = None) -> Iterator[None]:
    """A budget for a while; the one before comes back as it was."""
    global _budget
    before = _budget
    set_budget(max_submissions, max_shots)
    try:
        yield
    finally:
        with _lock:
            _budget = before
