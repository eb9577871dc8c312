"""Many shots of all qubits."""

from __future__ import annotations

from benchmarks.circuits import layered, parameters
from benchmarks.data import Scale, Task, Workload

LAYERS = 2
SIZES = {Scale.TINY: [(3, 2000)], Scale.QUICK: [(16, 10_000)], Scale.FULL: [(20, 100_000), (24, 100_000)]}
SIZES[Scale.GPU] = SIZES[Scale.FULL] + [(28, 100_000)]


def workloads(scale: Scale) -> list[Workload]:
    """Samples of the hardware-efficient ansatz, uint8 (shots, n)."""
    made = []
    for n, shots in SIZES[scale]:
        gates, repeat = layered(n, LAYERS)
        theta = 0.5 * parameters(2 * n * LAYERS)
        made.append(Workload(f"n={n} shots={shots}", Task.SAMPLES, n, gates, (), theta, shots=shots, repeat=repeat))
    return made
