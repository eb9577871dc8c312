"""Circuits as figures of matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qsim._errors import ResultError
from qsim.draw.figures import axes_in
from qsim.draw.scene import COLOURS, Disc, Rect, Scene, Stroke, scene_of
from qsim.ir.circuit import Circuit
from qsim.ir.parameter import is_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["circuit"]

UNIT = 0.46
"""Inches from one qubit to the next."""
POINTS = 72
INK = "#222222"
MIN_WIDTH, MAX_WIDTH = 2.0, 100.0
MAX_HEIGHT, MAX_ROWS = 80, 40


def circuit(circuit: Circuit, *, width: float = 10.0, ax: Any = None) -> Figure:
    """A circuit as a figure, qubit 0 on top.

    Blue: gates without parameters; green: with numbers; orange: with open parameters or JAX values;
    violet: high-level and foreign operations; grey: measurements.

    Args:
        circuit: the circuit.
        width: at which width in inches it is folded, 2 to 100.
        ax: axes to draw in; None makes a figure that fits.

    Raises:
        CircuitError: `circuit` is none.
        ResultError: a width that cannot be, or an `ax` that is none.
        BackendError: matplotlib is not installed.

    Example:
        >>> from qsim import Circuit, draw
        >>> figure = draw.circuit(Circuit(2).h(0).cx(0, 1).measure_all())
        >>> figure.savefig("bell.png")  # doctest: +SKIP
    """
    if not is_number(width) or not MIN_WIDTH <= width <= MAX_WIDTH:
        raise ResultError(f"Argument `width` must be a number of inches from 2 to 100, but is {width!r}.")
    scene = scene_of(circuit, float(width) / UNIT, MAX_HEIGHT, MAX_ROWS)
    figure, axes = axes_in(ax, UNIT * scene.width, UNIT * scene.height)
    unit = UNIT
    if ax is None:
        figure.set_layout_engine("none")
        axes.set_position((0, 0, 1, 1))
    else:
        box = axes.get_window_extent()
        unit = min(box.width / scene.width, box.height / scene.height) / figure.dpi
    axes.set_xlim(0, scene.width)
    axes.set_ylim(scene.height, 0)
    axes.set_aspect("equal")
    axes.set_axis_off()
    _paint(axes, scene, unit * POINTS)
    return figure


def _paint(axes: Axes, scene: Scene, scale: float) -> None:
    """Every item of the scene, one over the other; `scale` is in points."""
    from matplotlib.patches import Circle, FancyBboxPatch  # noqa: PLC0415  (an extra)

    for z, item in enumerate(scene.items):
        ink = COLOURS[item.role]
        if isinstance(item, Stroke):
            xs, ys = zip(*item.points, strict=True)
            style = (0, (3, 2)) if item.dashed else "-"
            axes.plot(
                xs,
                ys,
                color=ink.edge or INK,
                linewidth=item.width * scale,
                linestyle=style,
                solid_capstyle="butt",
                zorder=z,
                scalex=False,
                scaley=False,
            )
        elif isinstance(item, Rect):
            style = "round,pad=0,rounding_size=0.07"
            axes.add_patch(
                FancyBboxPatch(
                    (item.x, item.y),
                    item.width,
                    item.height,
                    boxstyle=style,
                    facecolor=ink.fill,
                    edgecolor=ink.edge,
                    linewidth=0.03 * scale,
                    zorder=z,
                )
            )
        elif isinstance(item, Disc):
            axes.add_patch(
                Circle(
                    (item.x, item.y),
                    item.radius,
                    facecolor=ink.fill,
                    edgecolor=ink.edge,
                    linewidth=0.03 * scale,
                    zorder=z,
                )
            )
        else:
            axes.text(
                item.x,
                item.y,
                item.text,
                fontsize=item.size * scale,
                color=ink.text or INK,
                ha=ANCHORS[item.anchor],
                va="center_baseline",
                zorder=z,
                parse_math=False,
            )


ANCHORS = {"start": "left", "middle": "center", "end": "right"}
