"""Quantum volume: dense two-qubit unitaries on random pairs, nothing to exploit.

The state they act on has parameters: without any, compilers would fold the whole circuit.
"""

from __future__ import annotations

from benchmarks.circuits import parameters, quantum_volume
from benchmarks.data import Scale, Task, Workload

SIZES = {Scale.TINY: [(3, 2)], Scale.QUICK: [(12, 12)], Scale.FULL: [(n, n) for n in (12, 16, 20)]}
SIZES[Scale.GPU] = SIZES[Scale.FULL] + [(24, 24)]


def workloads(scale: Scale) -> list[Workload]:
    """The state after `depth` layers."""
    made = []
    for n, depth in SIZES[scale]:
        gates = quantum_volume(n, depth)
        made.append(Workload(f"n={n} depth={depth}", Task.STATE, n, gates, (), parameters(n)))
    return made
