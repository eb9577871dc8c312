"""Density matrices, entry by entry: a city of bars, a Hinton diagram."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from qsim.draw.figures import axes_in, new_figure, phase_colours
from qsim.draw.states import density_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["hinton", "state_city"]

MAX_CITY, MAX_HINTON = 5, 6


def state_city(state: Any) -> Figure:
    """The density matrix as bars: the real part left, the imaginary part right.

    Args:
        state: amplitudes (2^n,) or a density matrix (2^n, 2^n), n at most 5.

    Raises:
        ResultError: another shape, a state that is not normalised, too many qubits.
        BackendError: matplotlib is not installed.

    Example:
        >>> from qsim import Circuit, draw, execute
        >>> [axes.get_title() for axes in draw.state_city(execute(Circuit(1).h(0))).axes]
        ['Re ρ', 'Im ρ']
    """
    rho = density_of(state, MAX_CITY)
    real, imaginary = np.real(rho), np.imag(rho)
    figure = new_figure(8.0, 4.0)
    figure.set_layout_engine("none")
    size = len(rho)
    rows, columns = (a.reshape(-1) for a in np.indices(rho.shape))
    limit = max(0.05, float(np.abs(real).max()), float(np.abs(imaginary).max()))
    for place, (title, part) in enumerate((("Re ρ", real), ("Im ρ", imaginary))):
        axes: Any = figure.add_axes((0.5 * place, 0.02, 0.48, 0.9), projection="3d", computed_zorder=False)
        heights = part.reshape(-1)
        there = np.abs(heights) >= 1e-9
        if there.any():
            tall = heights[there]
            axes.bar3d(
                columns[there] - 0.35,
                rows[there] - 0.35,
                np.minimum(tall, 0),
                0.7,
                0.7,
                np.abs(tall),
                color=np.where(tall >= 0, "#5b93cc", "#cf6a62").tolist(),
                edgecolor="#3a4657",
                linewidth=0.3,
                zorder=2,
            )
        _floor(axes, size)
        low = min(0.0, float(part.min()))
        axes.set_zlim(low if low < -1e-9 else 0.0, limit)
        axes.set_title(title, y=0.96)
        _names(axes, size)
        axes.tick_params(labelsize=7, pad=-2)
        axes.view_init(elev=28, azim=-58)
        axes.set_box_aspect((1, 1, 0.75), zoom=0.98)
    return figure


def hinton(state: Any, *, ax: Any = None) -> Figure:
    """The density matrix as squares: the area is |ρ_ij|, the colour its phase.

    Args:
        state: amplitudes (2^n,) or a density matrix (2^n, 2^n), n at most 6.
        ax: axes to draw in; None makes a figure.

    Raises:
        ResultError: another shape, a state that is not normalised, too many qubits.
        BackendError: matplotlib is not installed.

    Example:
        >>> from qsim import Circuit, draw, execute
        >>> figure = draw.hinton(execute(Circuit(2).h(0).cx(0, 1)))
        >>> len(figure.axes[0].patches)
        4
    """
    rho = density_of(state, MAX_HINTON)
    figure, axes = axes_in(ax, 4.6, 3.8)
    if ax is None:
        figure.set_layout_engine("compressed")
    from matplotlib.cm import ScalarMappable  # noqa: PLC0415  (an extra)
    from matplotlib.colors import Normalize  # noqa: PLC0415  (an extra)
    from matplotlib.patches import Rectangle  # noqa: PLC0415  (an extra)

    size, most = len(rho), float(np.abs(rho).max())
    colours = ScalarMappable(Normalize(-np.pi, np.pi), phase_colours())
    axes.set_facecolor("#f4f4f4")
    for (row, column), entry in np.ndenumerate(rho):
        side = 0.94 * float(np.sqrt(abs(entry) / most))
        if side > 0.02:
            corner = (column - side / 2, row - side / 2)
            colour = colours.cmap(float(np.angle(np.round(entry, 9) + 0.0)) / (2 * np.pi) + 0.5)
            axes.add_patch(Rectangle(corner, side, side, facecolor=colour, edgecolor="none"))
    axes.set_xlim(-0.5, size - 0.5)
    axes.set_ylim(size - 0.5, -0.5)
    axes.set_aspect("equal")
    _names(axes, size)
    axes.xaxis.tick_top()
    axes.tick_params(length=0, labelsize=8)
    bar = figure.colorbar(colours, ax=axes, shrink=0.85, label="phase")
    bar.set_ticks([-np.pi, -np.pi / 2, 0, np.pi / 2, np.pi], labels=["-π", "-π/2", "0", "π/2", "π"])
    return figure


def _names(axes: Any, size: int) -> None:
    """Bit strings along both sides, where they fit."""
    n = size.bit_length() - 1
    step = max(1, size // (4 if axes.name == "3d" else 16))
    places = range(0, size, step)
    names = [f"{k:0{n}b}" if n else "" for k in places]
    axes.set_xticks(places, names, rotation=90 if n > 2 and axes.name != "3d" else 0, family="monospace")
    axes.set_yticks(places, names, family="monospace")


def _floor(axes: Any, size: int) -> None:
    corners = np.array([-0.5, size - 0.5])
    x, y = np.meshgrid(corners, corners)
    axes.plot_surface(x, y, np.zeros_like(x), color="#d9dee6", alpha=0.5, shade=False, zorder=1)
