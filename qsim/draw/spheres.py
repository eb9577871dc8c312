"""Bloch spheres."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from qsim._errors import ResultError
from qsim.draw.figures import PALETTE, axes_in
from qsim.draw.states import check_norm, host_array, num_qubits_in, reduced_vectors

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["bloch"]

PER_ROW, SPACE, MAX_SPHERES = 5, 3.0, 40
# the direction to the viewer: x to the left front, y to the right, z up
ACROSS = np.array([-np.sin(np.radians(25.0)), np.cos(np.radians(25.0)), 0.0])
TILT = np.radians(16.0)
TOWARDS = np.array([np.cos(TILT) * np.cos(np.radians(25.0)), np.cos(TILT) * np.sin(np.radians(25.0)), np.sin(TILT)])
UPWARDS = np.cross(TOWARDS, ACROSS)


def bloch(state: Any, *, ax: Any = None) -> Figure:
    """The state of each qubit as an arrow in its Bloch sphere; a qubit that is entangled has a short one.

    The arrow is (<X>, <Y>, <Z>); |0> is up.

    Args:
        state: amplitudes (2^n,), a density matrix (2^n, 2^n), or Bloch vectors, (3,) or (n, 3).
        ax: axes to draw in; None makes a figure.

    Raises:
        ResultError: another shape, a state that is not normalised, a vector longer than 1.
        BackendError: matplotlib is not installed.

    Example:
        >>> from qsim import Circuit, draw, execute
        >>> figure = draw.bloch(execute(Circuit(2).h(0)))
        >>> [text.get_text() for text in figure.axes[0].texts if text.get_text().startswith("q")]
        ['q0', 'q1']
    """
    array = host_array(state, "state")
    if num_qubits_in(array) is not None:
        check_norm(array)
        vectors = reduced_vectors(array)
    elif array.shape[-1:] == (3,) and array.ndim in (1, 2) and array.dtype.kind != "c":
        vectors = np.atleast_2d(array).astype(float)
    else:
        raise ResultError(
            "Argument `state` must be amplitudes (2^n,), a density matrix (2^n, 2^n) or Bloch vectors (n, 3), but "
            f"has shape {array.shape}."
        )
    if not 1 <= len(vectors) <= MAX_SPHERES:
        raise ResultError(f"Argument `state` must be on 1 to {MAX_SPHERES} qubits, but is on {len(vectors)}.")
    longest = float(np.linalg.norm(vectors, axis=1).max())
    if longest > 1.001:
        raise ResultError(f"A Bloch vector must be at most 1 long, but one is {longest:.4g} long.")
    columns = min(len(vectors), PER_ROW)
    rows = -(-len(vectors) // PER_ROW)
    figure, axes = axes_in(ax, 2.1 * columns, 2.25 * rows)
    for q, vector in enumerate(vectors):
        centre = np.array([SPACE * (q % PER_ROW), -1.08 * SPACE * (q // PER_ROW)])
        _sphere(axes, centre)
        _arrow(axes, centre, vector)
        axes.text(centre[0], centre[1] - 1.5, f"q{q}", ha="center", va="center", fontsize=11)
    axes.set_xlim(-SPACE / 2, SPACE * (columns - 0.5))
    axes.set_ylim(-1.08 * SPACE * (rows - 1) - 1.75, 1.5)
    axes.set_aspect("equal")
    axes.set_axis_off()
    return figure


def _flat(points: np.ndarray) -> np.ndarray:
    """Points (..., 3) as they are seen, (..., 2)."""
    return np.stack([points @ ACROSS, points @ UPWARDS], axis=-1)


def _sphere(axes: Axes, centre: np.ndarray) -> None:
    turn = np.linspace(0, 2 * np.pi, 181)
    around = np.stack([np.cos(turn), np.sin(turn)], axis=-1)
    axes.fill(*(around + centre).T, facecolor="#eef3fa", edgecolor="#8fa6c4", linewidth=1.0, zorder=1)
    zero = np.zeros_like(turn)
    for ring in ((np.cos(turn), np.sin(turn), zero), (np.cos(turn), zero, np.sin(turn))):
        points = np.stack(ring, axis=-1)
        flat, front = _flat(points) + centre, points @ TOWARDS >= 0
        for side, style, colour in ((front, "-", "#b4c3d8"), (~front, (0, (3, 3)), "#ccd6e4")):
            line = np.where(side[:, None], flat, np.nan)
            axes.plot(*line.T, linestyle=style, color=colour, linewidth=0.8, zorder=2, scalex=False, scaley=False)
    for axis, name in (((1, 0, 0), "x"), ((0, 1, 0), "y"), ((0, 0, 1), "")):
        ends = _flat(np.array([-np.array(axis), axis], dtype=float)) + centre
        axes.plot(*ends.T, color="#a9b7cb", linewidth=0.7, zorder=2, scalex=False, scaley=False)
        place = _flat(1.22 * np.array(axis, dtype=float)) + centre
        axes.text(place[0], place[1], name, ha="center", va="center", fontsize=9, color="#5c6b80", zorder=3)
    for sign, name in ((1.0, "|0⟩"), (-1.0, "|1⟩")):
        place = _flat(np.array([0, 0, 1.2 * sign])) + centre
        axes.text(place[0], place[1], name, ha="center", va="center", fontsize=9, color="#5c6b80", zorder=3)


def _arrow(axes: Axes, centre: np.ndarray, vector: np.ndarray) -> None:
    tip = _flat(vector) + centre
    colour = PALETTE[3]
    axes.plot(*centre, "o", markersize=3, color="#5c6b80", zorder=4)
    if np.linalg.norm(tip - centre) < 0.05:
        axes.plot(*tip, "o", markersize=6, color=colour, zorder=5)
        return
    axes.annotate(
        "",
        xy=tuple(tip),
        xytext=tuple(centre),
        arrowprops={
            "arrowstyle": "-|>",
            "color": colour,
            "linewidth": 2,
            "shrinkA": 0,
            "shrinkB": 0,
            "mutation_scale": 12,
        },
        zorder=5,
    )
