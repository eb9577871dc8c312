"""Observables of 1,000 random Pauli strings, where the terms cost more than the circuit."""

from __future__ import annotations

from benchmarks.circuits import layered, parameters, random_terms
from benchmarks.data import Scale, Task, Workload

LAYERS = 2
SIZES = {Scale.TINY: [(3, 20)], Scale.QUICK: [(10, 1000)], Scale.FULL: [(n, 1000) for n in (12, 16, 20)]}
SIZES[Scale.GPU] = SIZES[Scale.FULL] + [(24, 1000)]


def workloads(scale: Scale) -> list[Workload]:
    """The value, and value and gradient."""
    made = []
    for n, terms in SIZES[scale]:
        gates, repeat = layered(n, LAYERS)
        observable, theta = random_terms(n, terms), parameters(2 * n * LAYERS)
        for task, word in ((Task.VALUE, "value"), (Task.GRADIENT, "gradient")):
            made.append(Workload(f"{word} n={n} terms={terms}", task, n, gates, observable, theta, repeat=repeat))
    return made if scale is not Scale.QUICK else made[:1]
