"""A data re-uploading classifier in training: one circuit, many samples."""

from __future__ import annotations

import numpy as np

from benchmarks.circuits import parameters, reuploading
from benchmarks.data import Scale, Task, Workload

LAYERS = 4
SIZES = {
    Scale.TINY: [(3, 5)],
    Scale.QUICK: [(4, 64)],
    Scale.FULL: [(n, b) for n in (4, 8, 12) for b in (1, 64, 1024)],
}
SIZES[Scale.GPU] = SIZES[Scale.FULL]


def workloads(scale: Scale) -> list[Workload]:
    """Mean squared error of <Z_0> against labels +1 and -1 over a batch, and its gradient."""
    made = []
    for n, batch in SIZES[scale]:
        gates, repeat = reuploading(n, LAYERS)
        features = parameters(batch * n, seed=2).reshape(batch, n)
        labels = np.sign(features.sum(1))
        theta = parameters(2 * n * LAYERS)
        name = f"n={n} batch={batch}"
        made.append(Workload(name, Task.BATCH, n, gates, ((((0, "Z"),), 1.0),), theta, features, labels, repeat=repeat))
    return made
