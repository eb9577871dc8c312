"""One step of a variational ground-state search: transverse-field Ising chain, hardware-efficient ansatz."""

from __future__ import annotations

from benchmarks.circuits import ising, layered, parameters
from benchmarks.data import Scale, Task, Workload

SIZES = {
    Scale.TINY: [(3, 2)],
    Scale.QUICK: [(12, 5)],
    Scale.FULL: [(n, d) for n in (8, 12, 16, 20) for d in (5, 10, 100, 1000) if n < 20 or d <= 100],
}
SIZES[Scale.GPU] = SIZES[Scale.FULL] + [(24, d) for d in (5, 10, 100)]
FORWARD = {Scale.TINY: [(3, 2)], Scale.QUICK: [], Scale.FULL: [(20, 5)], Scale.GPU: [(20, 5), (24, 5)]}


def workloads(scale: Scale) -> list[Workload]:
    """Value and gradient at several widths and depths; and the state alone."""
    made = []
    for task, word, sizes in ((Task.GRADIENT, "gradient", SIZES), (Task.STATE, "forward", FORWARD)):
        for n, layers in sizes[scale]:
            gates, repeat = layered(n, layers)
            theta = parameters(2 * n * layers)
            name = f"{word} n={n} layers={layers}"
            made.append(Workload(name, task, n, gates, ising(n), theta, repeat=repeat))
    return made
