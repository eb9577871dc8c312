"""Quantum volume: dense two-qubit unitaries on random pairs, nothing to exploit."""

from __future__ import annotations

from benchmarks.circuits import quantum_volume
from benchmarks.data import Scale, Task, Workload

SIZES = {Scale.TINY: [(3, 2)], Scale.QUICK: [(12, 12)], Scale.FULL: [(n, n) for n in (12, 16, 20)]}
SIZES[Scale.GPU] = SIZES[Scale.FULL] + [(24, 24)]


def workloads(scale: Scale) -> list[Workload]:
    """The state after `depth` layers."""
    return [Workload(f"n={n} depth={d}", Task.STATE, n, quantum_volume(n, d)) for n, d in SIZES[scale]]
