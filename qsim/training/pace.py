"""How many steps to run before looking: many where they are fast, so that looking costs nothing."""

from __future__ import annotations

from dataclasses import dataclass

SECONDS = 0.2
"""How long the program should run between two looks of the host; looking takes some 0.3 ms."""


@dataclass(slots=True)
class Pace:
    """The next place to stop.

    Attributes:
        capacity: how many steps may be run at once.
        marks: stop before each multiple of these.
        size: how many steps come next: one, until it is known how long it takes.

    Example:
        >>> from qsim.training.pace import Pace
        >>> pace = Pace(capacity=4096, marks=(150,))
        >>> pace.stop(0, 1000)
        1
        >>> pace.took(1, 0.002)
        >>> pace.stop(1, 1000), pace.stop(101, 1000)
        (101, 150)
    """

    capacity: int
    marks: tuple[int, ...]
    size: int = 1

    def stop(self, step: int, steps: int) -> int:
        """Where to stop when standing before `step`."""
        return min(step + self.size, steps, *((step // mark + 1) * mark for mark in self.marks))

    def took(self, count: int, seconds: float) -> None:
        """Note that `count` steps took so long."""
        self.size = max(1, min(self.capacity, int(SECONDS * count / max(seconds, 1e-9))))
