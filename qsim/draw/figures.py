"""New figures: matplotlib when it is there, no state of its own touched."""

from __future__ import annotations

import io
from functools import cache
from typing import TYPE_CHECKING, Any

from qsim._errors import BackendError, ResultError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["PALETTE", "axes_in", "new_figure", "phase_colours", "tidy"]

PALETTE = ("#3d78b8", "#cf8420", "#3f9160", "#b8443d", "#7f63b8", "#7d7d7d", "#2aa0a4", "#c15a9a")
"""The colours of curves and bars, in order."""


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, for pictures side by side. It shows itself in a notebook, and is not known to pyplot.

    Args:
        width, height: its size in inches.

    Raises:
        BackendError: matplotlib is not installed.

    Example:
        >>> from qsim import draw
        >>> figure = draw.new_figure(8, 3)
        >>> left, right = figure.subplots(1, 2)
        >>> draw.loss_curve([0.5, -0.2], ax=left) is draw.histogram({"00": 5, "11": 5}, ax=right) is figure
        True
    """
    return _kind()(figsize=(width, height), layout="constrained")


def axes_in(ax: Any, width: float, height: float) -> tuple[Figure, Axes]:
    """The figure and the axes to draw in: those given, else new ones of that size in inches.

    Raises:
        BackendError: matplotlib is not installed.
        ResultError: `ax` is no axes of matplotlib.
    """
    if ax is None:
        figure = new_figure(width, height)
        return figure, figure.add_subplot()
    _kind()
    if not hasattr(ax, "plot") or not hasattr(ax, "get_figure"):
        raise ResultError(f"Argument `ax` must be axes of matplotlib, but is {type(ax).__name__}.")
    return ax.figure, ax


def phase_colours() -> Any:
    """The colour map of phases from -pi to pi, whose ends meet: blue is positive, red negative."""
    _kind()
    from matplotlib.colors import LinearSegmentedColormap  # noqa: PLC0415  (an extra)

    return LinearSegmentedColormap.from_list("phase", ["#c44e48", "#8f63b8", "#3d78b8", "#4fa06a", "#c44e48"])


def _kind() -> type[Figure]:
    """The class of our figures."""
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415  (an extra)
    except ImportError:
        raise BackendError('Pictures need matplotlib. Try pip install "qsim-jax[plot]".') from None
    return _shown(Figure)


@cache
def _shown(base: type[Figure]) -> type[Figure]:
    class Picture(base):
        """A figure that shows itself in a notebook, whether or not pyplot was imported there."""

        def _repr_png_(self) -> bytes:
            buffer = io.BytesIO()
            self.savefig(buffer, format="png", dpi=110)
            return buffer.getvalue()

    return Picture


def tidy(axes: Axes, grid: str | None = None) -> None:
    """Take the frame off above and right; put a faint grid behind along an axis, "x", "y" or "both"."""
    axes.spines[["top", "right"]].set_visible(False)
    if grid is not None:
        axes.set_axisbelow(True)
        axes.grid(axis=grid, color="#dddddd", linewidth=0.7)  # type: ignore[arg-type]
