"""The warm times of a run as a chart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from benchmarks.peers import PEERS
from benchmarks.schedule import Outcome


def draw(outcomes: Sequence[Outcome], path: Path) -> None:
    """Write one group of dots per workload, one dot per peer, seconds on a logarithmic axis: no zero for bars."""
    shown = [o for o in outcomes if any(row.warm is not None for row in o.rows)]
    figure = Figure(figsize=(9, 1.5 + 0.9 * len(shown)), layout="constrained")
    axes = figure.subplots()
    colours = matplotlib.colormaps["tab10"]
    peers = [p for p in PEERS if any(row.peer == p and row.warm is not None for o in shown for row in o.rows)]
    height = 0.8 / max(len(peers), 1)
    for k, peer in enumerate(peers):
        dots = [(at, row.warm) for at, o in enumerate(shown) for row in o.rows if row.peer == peer and row.warm]
        places, colour = [at + k * height for at, _ in dots], colours(list(PEERS).index(peer))
        axes.plot([warm for _, warm in dots], places, "o", label=peer, color=colour)
    axes.set_yticks([at + 0.4 - height / 2 for at in range(len(shown))], [f"{o.question}\n{o.workload}" for o in shown])
    axes.invert_yaxis()
    axes.grid(axis="x", which="both", alpha=0.3)
    axes.set_xscale("log")
    axes.set_xlabel("seconds of one warm call")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    figure.savefig(path)
