"""How a loss went down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from qsim._errors import ResultError
from qsim.draw.figures import PALETTE, axes_in, tidy
from qsim.draw.labels import plain
from qsim.ir.parameter import is_number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["loss_curve"]


def loss_curve(
    history: Any,
    *,
    reference: float | Mapping[str, float] | None = None,
    log: bool = False,
    ylabel: str = "loss",
    title: str = "",
    ax: Any = None,
) -> Figure:
    """One or several losses over the steps of a training.

    Args:
        history: numbers (steps,); anything with such a `history`, as what `minimize` returns; or several of
            them, in a dict by name.
        reference: a value to compare with, such as the exact energy, drawn as a line; or several, by name.
        log: True for a logarithmic axis, on which values of 0 or less are left out.
        ylabel: what the numbers are, with the unit.
        title: a line above.
        ax: axes to draw in; None makes a figure.

    Raises:
        ResultError: no numbers, or not one number per step.
        BackendError: matplotlib is not installed.

    Example:
        >>> from qsim import draw
        >>> figure = draw.loss_curve([0.5, -0.2, -0.9], reference={"exact": -1.0}, ylabel="energy / Ha")
        >>> figure.axes[0].get_xlabel()
        'step'
    """
    curves = _curves_of(history)
    lines = dict(reference) if isinstance(reference, Mapping) else {"reference": reference}
    figure, axes = axes_in(ax, 6.0, 3.8)
    for number, (name, values) in enumerate(curves.items()):
        shown = np.where(values > 0, values, np.nan) if log else values
        if not np.isfinite(shown).any():
            raise ResultError(
                f"loss_curve: {name or 'the history'} has no finite {'positive ' if log else ''}number to draw."
            )
        few = len(shown) <= 60
        axes.plot(
            np.arange(len(shown)),
            shown,
            color=PALETTE[number % len(PALETTE)],
            linewidth=1.6,
            marker="o" if few else "",
            markersize=3,
            label=name or ylabel,
        )
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad):
            axes.axvline(bad[0], color="#b8443d", linewidth=1, linestyle=":", label=f"not finite from step {bad[0]}")
    for number, (name, value) in enumerate(lines.items()):
        if value is None:
            continue
        if not is_number(value) or not np.isfinite(value):
            raise ResultError(f"Argument `reference` must be finite numbers, but {name!r} is {value!r}.")
        colour = ("#444444", *PALETTE[2:])[number % 7]
        axes.axhline(float(value), color=colour, linestyle="--", linewidth=1.1, label=plain(str(name)))
    if log:
        axes.set_yscale("log")
    axes.set_xlabel("step")
    axes.set_ylabel(ylabel)
    axes.locator_params(axis="x", integer=True)
    if title:
        axes.set_title(title)
    if len(axes.get_legend_handles_labels()[1]) > 1:
        axes.legend(frameon=False)
    tidy(axes, "y")
    return figure


def _curves_of(history: Any) -> dict[str, np.ndarray]:
    """name -> numbers (steps,), checked; no name for a single one."""
    if hasattr(history, "history"):
        history = history.history
    if not isinstance(history, Mapping):
        return {"": _numbers(history, "history")}
    if not history:
        raise ResultError("Argument `history` is empty.")
    found: dict[str, np.ndarray] = {}
    for name, value in history.items():
        inner = value.history if hasattr(value, "history") else value
        if isinstance(inner, Mapping):
            found |= {f"{plain(str(name))} {k}": _numbers(v, f"history[{name!r}][{k!r}]") for k, v in inner.items()}
        else:
            found[plain(str(name))] = _numbers(inner, f"history[{name!r}]")
    return found


def _numbers(values: Any, name: str) -> np.ndarray:
    try:
        array = np.asarray(values)
        array = array.astype(float) if array.dtype.kind in "iufV" else np.zeros((0, 0))
    except (ValueError, TypeError):
        array = np.zeros((0, 0))
    if array.ndim != 1 or not len(array):
        raise ResultError(
            f"Argument `{name}` must be at least one number, one per step, but is {type(values).__name__}"
            f"{f' of shape {np.shape(values)}' if hasattr(values, 'shape') else ''}."
        )
    return array
