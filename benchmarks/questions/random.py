"""Circuits without structure: random rotations, cx and rzz on random qubits."""

from __future__ import annotations

from benchmarks.circuits import ising, parameters, unstructured
from benchmarks.data import Scale, Task, Workload

SIZES = {
    Scale.TINY: [(3, 20)],
    Scale.QUICK: [(10, 200)],
    Scale.FULL: [(n, g) for n in (12, 16, 20) for g in (1000, 5000) if n < 20 or g <= 1000],
}
SIZES[Scale.GPU] = SIZES[Scale.FULL] + [(24, 1000)]


def workloads(scale: Scale) -> list[Workload]:
    """The state, and value and gradient."""
    made = []
    for n, count in SIZES[scale]:
        gates, used = unstructured(n, count)
        theta = parameters(used)
        for task, word in ((Task.STATE, "forward"), (Task.GRADIENT, "gradient")):
            made.append(Workload(f"{word} n={n} gates={count}", task, n, gates, ising(n), theta))
    return made if scale is not Scale.QUICK else made[1:]
