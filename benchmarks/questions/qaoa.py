"""MaxCut on 3-regular graphs by QAOA: two parameters a layer, each in many gates."""

from __future__ import annotations

from benchmarks.circuits import maxcut, parameters
from benchmarks.data import Scale, Task, Workload

SIZES = {
    Scale.TINY: [(4, 2)],
    Scale.QUICK: [(12, 4)],
    Scale.FULL: [(n, p) for n in (12, 16, 20) for p in (1, 2, 4, 8)],
}
SIZES[Scale.GPU] = SIZES[Scale.FULL] + [(24, 8)]


def workloads(scale: Scale) -> list[Workload]:
    """Value and gradient of the cut."""
    made = []
    for n, p in SIZES[scale]:
        gates, cost, repeat = maxcut(n, p)
        made.append(Workload(f"n={n} p={p}", Task.GRADIENT, n, gates, cost, parameters(2 * p), repeat=repeat))
    return made
