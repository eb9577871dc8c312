"""The quantum Fourier transform: many controlled phases, all of them constants.

The state it acts on has parameters: without any, compilers would fold the whole circuit.
"""

from __future__ import annotations

from benchmarks.circuits import fourier, parameters
from benchmarks.data import Scale, Task, Workload

WIDTHS = {Scale.TINY: [3], Scale.QUICK: [12], Scale.FULL: [12, 16, 20, 24], Scale.GPU: [12, 16, 20, 24, 28]}


def workloads(scale: Scale) -> list[Workload]:
    """The state after the transform of a product state."""
    return [Workload(f"n={n}", Task.STATE, n, fourier(n), (), parameters(n)) for n in WIDTHS[scale]]
