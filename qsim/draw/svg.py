"""Circuits as HTML: one inline SVG picture that needs nothing from elsewhere."""

from __future__ import annotations

from html import escape

from qsim.draw.scene import COLOURS, Disc, Rect, Stroke, Words, scene_of
from qsim.ir.circuit import Circuit

__all__ = ["html"]

SCALE = 44
MAX_WIDTH, MAX_HEIGHT, MAX_ROWS = 21.0, 48, 40


def html(circuit: Circuit) -> str:
    """A circuit as a picture in a page; what a notebook shows for it.

    Lines and names take the colour of the page's text, so that it reads in light and dark. Names
    are escaped. Long and wide circuits are cut as `text` does it.

    Args:
        circuit: the circuit.

    Returns:
        HTML: a `div` with one `svg`.

    Raises:
        CircuitError: `circuit` is none.

    Example:
        >>> from qsim import Circuit, draw
        >>> draw.html(Circuit(1).h(0)).startswith("<div")
        True
    """
    scene = scene_of(circuit, MAX_WIDTH, MAX_HEIGHT, MAX_ROWS)
    width, height = SCALE * scene.width, SCALE * scene.height
    head = (
        f'<div style="overflow-x:auto"><svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" '
        f'height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}" role="img" '
        'aria-label="quantum circuit" style="font-family:DejaVu Sans,Verdana,Arial,sans-serif;color:inherit">'
    )
    return head + "".join(map(_tag, scene.items)) + "</svg></div>"


def _tag(item: object) -> str:
    if isinstance(item, Stroke):
        points = " ".join(f"{_px(x)},{_px(y)}" for x, y in item.points)
        dash = ' stroke-dasharray="4 4"' if item.dashed else ""
        colour = COLOURS[item.role].edge or "currentColor"
        return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{_px(item.width)}"{dash}/>'
    if isinstance(item, Rect):
        ink = COLOURS[item.role]
        return (
            f'<rect x="{_px(item.x)}" y="{_px(item.y)}" width="{_px(item.width)}" height="{_px(item.height)}" rx="3" '
            f'fill="{ink.fill}" stroke="{ink.edge}" stroke-width="1.2"/>'
        )
    if isinstance(item, Disc):
        ink = COLOURS[item.role]
        return (
            f'<circle cx="{_px(item.x)}" cy="{_px(item.y)}" r="{_px(item.radius)}" fill="{ink.fill}" '
            f'stroke="{ink.edge}" stroke-width="1.3"/>'
        )
    assert isinstance(item, Words)
    colour = COLOURS[item.role].text or "currentColor"
    return (
        f'<text x="{_px(item.x)}" y="{_px(item.y)}" dy="0.35em" font-size="{_px(item.size)}" fill="{colour}" '
        f'text-anchor="{item.anchor}">{escape(item.text)}</text>'
    )


def _px(length: float) -> str:
    return f"{SCALE * length:.1f}".removesuffix(".0")
