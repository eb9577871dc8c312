"""The qubits of a device and what joins them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qsim._checks import check_qubits
from qsim._errors import TargetError
from qsim.draw.figures import PALETTE, axes_in
from qsim.draw.labels import shorten
from qsim.draw.placing import place_qubits
from qsim.ir.circuit import Circuit
from qsim.ir.layout import Layout
from qsim.ir.target import Target

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["device_map"]

MAX_SHOWN = 2000


def device_map(target: Target, layout: Layout | Circuit | Sequence[int] | None = None, *, ax: Any = None) -> Figure:
    """The qubits of a device, the edges between them, and where the qubits of a circuit are.

    Qubits that cannot be used are grey. Where `layout` says that qubit i of a circuit is in a place, the place
    is coloured and marked "qi", and the edges between such places are thick.

    Args:
        target: the device.
        layout: a layout, of which the places at the start count, a transpiled circuit, or one place per qubit.
        ax: axes to draw in; None makes a figure.

    Raises:
        TargetError: several qubits without edges, a layout that names qubits it does not have.
        BackendError: matplotlib is not installed.

    Example:
        >>> from qsim import Target, draw
        >>> figure = draw.device_map(Target.grid(2, 3), [1, 4])
        >>> sorted(text.get_text() for text in figure.axes[0].texts)
        ['0', '1\\nq0', '2', '3', '4\\nq1', '5']
    """
    if not isinstance(target, Target):
        raise TargetError(f"Argument `target` must be a Target, but is {type(target).__name__}. Try backend.target.")
    n = target.num_qubits
    if n is None or not n:
        raise TargetError("device_map: this target has no qubits of its own to draw. Try Target.grid(3, 3).")
    if not target.edges and n > 1:
        joined = "no edges" if target.edges is not None else "every pair of qubits joined, so no edges to draw"
        raise TargetError(f"device_map: this target has {joined}. Try Target.line({n}).")
    if n > MAX_SHOWN:
        raise TargetError(f"device_map: {n} qubits are too many to draw; at most {MAX_SHOWN}. Try target.restrict.")
    used = _used(layout, n)
    edges = sorted({(min(e), max(e)) for e in target.edges or ()})
    at = place_qubits(n, edges)
    spread = at.max(axis=0) - at.min(axis=0) + 1.2
    unit = float(min(0.62, 11 / spread[0], 9 / spread[1]))
    figure, axes = axes_in(ax, max(1.6, unit * spread[0]), max(1.0, unit * spread[1]))
    usable = set(target.usable_qubits)
    for a, b in edges:
        both = a in used and b in used
        working = a in usable and b in usable
        axes.plot(
            *at[[a, b]].T,
            color=PALETTE[0] if both else "#a8b2bf" if working else "#c4c4c4",
            linewidth=(3.2 if both else 1.6) * min(1.0, unit / 0.4),
            linestyle="-" if working else ":",
            zorder=1,
        )
    _draw_qubits(axes, target, at, used, usable, unit)
    low, high = at.min(axis=0) - 0.6, at.max(axis=0) + 0.6
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    axes.set_aspect("equal")
    axes.set_axis_off()
    return figure


def _draw_qubits(
    axes: Any, target: Target, at: np.ndarray, used: dict[int, int], usable: set[int], unit: float
) -> None:
    from matplotlib.patches import Circle  # noqa: PLC0415  (an extra)

    for q, place in enumerate(at):
        name = shorten(target.names[q], 6)
        text = f"{name}\nq{used[q]}" if q in used else name
        fill = PALETTE[0] if q in used else "#ffffff" if q in usable else "#e4e4e4"
        edge = PALETTE[0] if q in used else "#5c6b80" if q in usable else "#c4c4c4"
        axes.add_patch(Circle(tuple(place), 0.36, facecolor=fill, edgecolor=edge, linewidth=1.2, zorder=2))
        colour = "white" if q in used else "#333f4d" if q in usable else "#9a9a9a"
        widest = max(map(len, text.split("\n")))
        size = 72 * unit * min(0.3, 0.9 / max(widest, 2)) * (0.78 if q in used else 1.0)
        axes.text(
            *place,
            text,
            ha="center",
            va="center",
            fontsize=size,
            linespacing=1.05,
            color=colour,
            fontweight="bold" if q in used else "normal",
            zorder=3,
            parse_math=False,
        )


def _used(layout: Any, num_qubits: int) -> dict[int, int]:
    """place -> qubit of the circuit."""
    if layout is None:
        return {}
    if isinstance(layout, Circuit):
        layout = layout.layout
    places = layout.initial if isinstance(layout, Layout) else layout
    return {p: q for q, p in enumerate(check_qubits("layout", places, num_qubits, TargetError))}
