"""What a call costs beside the arithmetic: one warm run on 2 qubits, building a circuit, binding its parameters."""

from __future__ import annotations

from benchmarks.circuits import ising, layered, parameters, unstructured
from benchmarks.data import Scale, Task, Workload

GATES = {Scale.TINY: 100, Scale.QUICK: 10_000, Scale.FULL: 100_000, Scale.GPU: 100_000}
BOUND = {Scale.TINY: 100, Scale.QUICK: 1_000, Scale.FULL: 1_000, Scale.GPU: 1_000}


def workloads(scale: Scale) -> list[Workload]:
    """Three costs in Python."""
    pair, repeat = layered(2, 1)
    many, used = unstructured(20, GATES[scale])
    some, few = unstructured(20, BOUND[scale])
    return [
        Workload("execute n=2", Task.VALUE, 2, pair, ising(2), parameters(4), repeat=repeat),
        Workload(f"build gates={GATES[scale]}", Task.BUILD, 20, many, (), parameters(used)),
        Workload(f"bind gates={BOUND[scale]}", Task.BIND, 20, some, (), parameters(few)),
    ]
