"""How often outcomes were measured, as bars in a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qsim._checks import check_int
from qsim._errors import ResultError
from qsim.draw.figures import PALETTE, axes_in, tidy
from qsim.draw.labels import plain, shorten
from qsim.ir.parameter import is_number, to_float

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["histogram", "tally_of"]

MAX_OUTCOME = 40
LETTER = 0.07
"""Inches that a letter of an upright outcome takes."""


def histogram(
    counts: Any,
    *,
    labels: Sequence[str] | None = None,
    max_bars: int = 16,
    by_count: bool = False,
    fractions: bool = False,
    ax: Any = None,
) -> Figure:
    """Counts as bars, one colour per data set.

    Args:
        counts: what `Counts` gives, a dict of outcome and number, anything with `get_counts()`; or several
            of them, in a sequence or in a dict by name.
        labels: the names of several data sets.
        max_bars: how many outcomes are shown, the most frequent ones; the others are summed up in a bar "rest".
        by_count: True for the most frequent first, False in the order of the outcomes.
        fractions: True for parts of the whole instead of numbers.
        ax: axes to draw in; None makes a figure.

    Raises:
        ResultError: no outcomes, or numbers that are negative or not finite.
        BackendError: matplotlib is not installed.

    Example:
        >>> from qsim import draw
        >>> figure = draw.histogram({"ideal": {"00": 50, "11": 50}, "device": {"00": 45, "01": 7, "11": 48}})
        >>> len(figure.axes[0].patches)
        6
    """
    top = check_int("max_bars", max_bars, ResultError, minimum=1)
    sets = _sets_of(counts, labels)
    total = {key: sum(t.get(key, 0.0) for t in sets.values()) for t in sets.values() for key in t}
    ranked = sorted(total, key=lambda key: (-total[key], key))
    shown = ranked[:top] if by_count else sorted(ranked[:top])
    rest = ranked[top:]
    wide = len(shown) + bool(rest)
    names = [shorten(key, MAX_OUTCOME) for key in shown] + [f"rest ({len(rest)})"] * bool(rest)
    longest = max(map(len, names))
    long = longest * wide > 70
    height = 3.4 + LETTER * max(0, longest - 12) * long
    figure, axes = axes_in(ax, min(14.0, max(3.6, 1.6 + 0.34 * wide * max(1, 0.6 * len(sets)))), height)
    size = 0.8 / len(sets)
    for number, (name, tally) in enumerate(sets.items()):
        scale = 1 / sum(tally.values()) if fractions else 1.0
        heights = [scale * tally.get(key, 0.0) for key in shown]
        heights += [scale * sum(tally.get(key, 0.0) for key in rest)] if rest else []
        places = np.arange(wide) + (number - (len(sets) - 1) / 2) * size
        colours = [PALETTE[number % len(PALETTE)]] * len(shown) + ["#b5b5b5"] * bool(rest)
        bars = axes.bar(places, heights, 0.92 * size, color=colours, label=name)
        if wide * len(sets) <= 12:
            texts = [f"{h:.3g}" if fractions else f"{h:g}" for h in heights]
            axes.bar_label(bars, texts, padding=2, fontsize=8, color="#444444")
    axes.set_xticks(range(wide), names, rotation=90 if long else 0, family="monospace", fontsize=8 if long else 9)
    axes.set_xlim(-0.6, wide - 0.4)
    axes.set_ylabel("fraction" if fractions else "counts")
    axes.set_xlabel("outcome")
    axes.margins(y=0.12)
    if len(sets) > 1:
        axes.legend(frameon=False)
        for handle in axes.get_legend().legend_handles:  # type: ignore[union-attr]
            handle.set_linewidth(0)  # type: ignore[union-attr]
    tidy(axes, "y")
    return figure


def tally_of(counts: Any) -> dict[str, float]:
    """Outcome -> number, of what occurred, checked.

    Raises:
        ResultError: no such thing, no outcomes, or numbers that cannot be.

    Example:
        >>> tally_of({"01": 3, "11": 0})
        {'01': 3.0}
    """
    found = counts.get_counts() if hasattr(counts, "get_counts") else counts
    if not hasattr(found, "items"):
        raise ResultError(
            f"Argument `counts` must be counts such as {{'00': 3, '11': 5}}, but is {type(counts).__name__}. "
            "Try execute(circuit, Counts(), shots=1000, key=...)."
        )
    tally: dict[str, float] = {}
    for key, number in found.items():
        value = to_float(number) if is_number(number) or getattr(number, "shape", None) == () else None
        if value is None or not 0 <= value < float("inf"):
            raise ResultError(f"Argument `counts` must hold numbers of 0 or more, but outcome {key!r} has {number!r}.")
        if value:
            name = plain("".join(map(str, key)) if isinstance(key, tuple) else str(key))
            tally[name] = tally.get(name, 0.0) + value
    if not tally:
        raise ResultError("Argument `counts` holds no outcomes: nothing was measured, or every number is 0.")
    return tally


def _sets_of(counts: Any, labels: Sequence[str] | None) -> dict[str, dict[str, float]]:
    """name -> tally of every data set."""
    if isinstance(counts, Mapping) and counts and all(_is_counts(v) for v in counts.values()):
        found = {plain(str(name)): tally_of(v) for name, v in counts.items()}
    elif isinstance(counts, (list, tuple)) and counts and all(map(_is_counts, counts)):
        found = {f"set {i}": tally_of(v) for i, v in enumerate(counts)}
    else:
        found = {"counts": tally_of(counts)}
    if labels is None:
        return found
    names = [labels] if isinstance(labels, str) else list(labels)
    if len(set(names)) != len(found):
        raise ResultError(
            f"Argument `labels` must name the {len(found)} data sets, each differently, but is {labels!r}."
        )
    return dict(zip(map(str, names), found.values(), strict=True))


def _is_counts(value: Any) -> bool:
    return hasattr(value, "items") or hasattr(value, "get_counts")
