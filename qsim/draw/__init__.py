"""Pictures: circuits as text, HTML and figures; counts, states, trainings and devices as figures.

Figures need matplotlib (`pip install "qsim-jax[plot]"`). They are `matplotlib.figure.Figure` objects that nobody
else knows of: a notebook shows them, `figure.savefig("name.pdf")` writes them.
"""

from __future__ import annotations

from qsim.draw.bars import bar_chart
from qsim.draw.circuits import circuit
from qsim.draw.curves import loss_curve
from qsim.draw.devices import device_map
from qsim.draw.figures import new_figure
from qsim.draw.landscapes import landscape
from qsim.draw.matrices import hinton, state_city
from qsim.draw.spheres import bloch
from qsim.draw.svg import html
from qsim.draw.tallies import histogram
from qsim.draw.terminal import text

__all__ = [
    "bar_chart",
    "bloch",
    "circuit",
    "device_map",
    "hinton",
    "histogram",
    "html",
    "landscape",
    "loss_curve",
    "new_figure",
    "state_city",
    "text",
]
