"""Functions of two parameters as maps with contour lines."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import TYPE_CHECKING, Any

import numpy as np

from qsim._errors import ResultError
from qsim.draw.figures import axes_in
from qsim.draw.labels import angle_text
from qsim.draw.states import host_array

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["landscape"]


def landscape(
    values: Any,
    x: Any,
    y: Any,
    *,
    path: Any = None,
    xlabel: str = "x",
    ylabel: str = "y",
    label: str = "loss",
    ax: Any = None,
) -> Figure:
    """A loss over two of its parameters, with the way an optimiser took.

    Args:
        values: numbers (len(y), len(x)); or a function of points (len(y), len(x), 2), whose last axis is (x, y),
            that gives them, as `execute` does for a batch of parameters.
        x, y: the places, increasing. Ticks are multiples of pi where they span at least that and at most 8 pi.
        path: the points (k, 2) that were visited, in order.
        xlabel, ylabel, label: what is along the axes, and what the values are.
        ax: axes to draw in; None makes a figure.

    Raises:
        ResultError: shapes that do not fit, or values that are not finite.
        BackendError: matplotlib is not installed.

    Example:
        >>> import numpy as np
        >>> from qsim import draw
        >>> turns = np.linspace(-np.pi, np.pi, 21)
        >>> figure = draw.landscape(lambda p: np.cos(p[..., 0]) * np.sin(p[..., 1]), turns, turns)
        >>> figure.axes[0].get_xlabel()
        'x'
    """
    xs, ys = _places(x, "x"), _places(y, "y")
    if callable(values):
        points = np.stack(np.meshgrid(xs, ys), axis=-1)
        _check_takes_one(values, points)
        values = values(points)
    grid = host_array(values, "values")
    if grid.shape != (len(ys), len(xs)) or grid.dtype.kind == "c":
        raise ResultError(
            f"Argument `values` must be real numbers of shape (len(y), len(x)) = {(len(ys), len(xs))}, or a function "
            f"of points {(len(ys), len(xs), 2)} that gives them, but has shape {grid.shape}. For a function of "
            "one point, try jax.vmap(jax.vmap(f))."
        )
    way = None if path is None else host_array(path, "path")
    if way is not None and (way.ndim != 2 or way.shape[1] != 2 or not len(way)):
        raise ResultError(f"Argument `path` must be points (k, 2), but has shape {way.shape}.")
    figure, axes = axes_in(ax, 5.2, 4.2)
    low, high = float(grid.min()), float(grid.max())
    margin = 0.5 if low == high else 0.0
    levels = np.linspace(low - margin, high + margin, 25)
    filled = axes.contourf(xs, ys, grid, levels=levels, cmap="viridis")
    if not margin:
        axes.contour(xs, ys, grid, levels=levels[::3], colors="white", linewidths=0.5, alpha=0.6)
    bar = figure.colorbar(filled, ax=axes, label=label)
    bar.locator = _locator()  # type: ignore[assignment]
    bar.update_ticks()
    if way is not None:
        many = len(way) > 40
        axes.plot(*way.T, color="white", linewidth=2.6, solid_joinstyle="round")
        axes.plot(*way.T, color="#d1373f", linewidth=1.4, marker="" if many else "o", markersize=3)
        axes.plot(*way[0], "o", color="white", markeredgecolor="#d1373f", markersize=7, label="start")
        axes.plot(*way[-1], "*", color="#d1373f", markeredgecolor="white", markersize=13, label="end")
        axes.legend(loc="upper right", fontsize=8, framealpha=0.85)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    _ticks(xs, axes.set_xticks)
    _ticks(ys, axes.set_yticks)
    axes.set_xlim(xs[0], xs[-1])
    axes.set_ylim(ys[0], ys[-1])
    return figure


def _check_takes_one(function: Callable[..., Any], points: np.ndarray) -> None:
    try:
        signature(function).bind(points)
    except TypeError:
        raise ResultError(
            "Argument `values` must be a function of one array of points (len(y), len(x), 2), but takes other "
            "arguments. Try lambda points: f(points[..., 0], points[..., 1])."
        ) from None
    except ValueError:  # a function that does not say what it takes
        return


def _places(places: Any, name: str) -> np.ndarray:
    found = host_array(places, name)
    if found.ndim != 1 or len(found) < 2 or found.dtype.kind == "c" or not (np.diff(found) > 0).all():
        raise ResultError(
            f"Argument `{name}` must be at least two increasing numbers, but has shape {found.shape}. Try "
            "numpy.linspace(-numpy.pi, numpy.pi, 41)."
        )
    return found.astype(float)


def _ticks(places: np.ndarray, put: Callable[..., Any]) -> None:
    """Multiples of pi along an axis that looks like one of angles."""
    span = (places[-1] - places[0]) / np.pi
    if 0.99 <= span <= 8.01 and abs(span * 2 - round(span * 2)) < 1e-3:
        step = np.pi / 2 if span <= 4.01 else np.pi
        first = np.ceil(places[0] / step - 1e-6)
        at = step * np.arange(first, places[-1] / step + 1e-6)
        put(at, [angle_text(float(t)) for t in at])


def _locator() -> Any:
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415  (an extra)

    return MaxNLocator(6)
