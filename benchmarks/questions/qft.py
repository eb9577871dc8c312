"""The quantum Fourier transform: many controlled phases, all of them constants."""

from __future__ import annotations

from benchmarks.circuits import fourier
from benchmarks.data import Scale, Task, Workload

WIDTHS = {Scale.TINY: [3], Scale.QUICK: [12], Scale.FULL: [12, 16, 20, 24], Scale.GPU: [12, 16, 20, 24, 28]}


def workloads(scale: Scale) -> list[Workload]:
    """The state after the transform of a product state."""
    return [Workload(f"n={n}", Task.STATE, n, fourier(n)) for n in WIDTHS[scale]]
