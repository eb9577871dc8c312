"""Circuits as text."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace

from qsim._checks import check_int
from qsim._errors import ResultError
from qsim.draw.canvas import ASCII, SPELLED, Canvas, cells_of
from qsim.draw.columns import Columns, Element, RowKind, arrange
from qsim.draw.labels import shorten
from qsim.draw.shapes import Kind, Shape
from qsim.ir.circuit import Circuit

__all__ = ["terminal_text", "text"]

MAX_ROWS = 40
MAX_LINES = 72
"""About how many lines a picture may have before it breaks off."""
MIN_WIDTH = 24


def text(circuit: Circuit, *, width: int | None = None, ascii_only: bool = False) -> str:
    """A circuit as a drawing in characters; what a terminal shows for it.

    Qubit 0 is on top. It is folded at `width`; of a long or a wide circuit the first columns
    and some rows are drawn, and what is left out is counted.

    Args:
        circuit: the circuit.
        width: how many columns there are, at least 24; None asks the terminal.
        ascii_only: draw without Unicode.

    Returns:
        The lines, none longer than `width`.

    Raises:
        CircuitError: `circuit` is none.
        ResultError: a width that cannot be.

    Example:
        >>> from qsim import Circuit, Parameter, draw
        >>> print(draw.text(Circuit(2).h(0).cx(0, 1).rx(Parameter("t"), 0), width=60))
             ┌───┐     ┌───────┐
        q0: ─┤ H ├──●──┤ RX(t) ├─
             └───┘  │  └───────┘
        q1: ────────⊕────────────
    """
    if width is None:
        width = max(MIN_WIDTH, shutil.get_terminal_size((100, 24)).columns)
    width = check_int("width", width, ResultError, minimum=MIN_WIDTH)
    columns = arrange(circuit, lambda num_rows: _most_bands(num_rows) * (width // 4), MAX_ROWS)
    if ascii_only:
        columns = _spelled(columns)
    if not columns.rows:
        lines = ["circuit on 0 qubits"]
    else:
        columns, lines = _fold(columns, width)
    lines += [shorten(note, width) for note in columns.notes]
    if ascii_only:
        lines = [line.translate(ASCII).encode("ascii", "replace").decode() for line in lines]
    return "\n".join(lines)


def terminal_text(circuit: Circuit) -> str:
    """`text` in the letters that the standard output can show: the `repr` of a circuit.

    Example:
        >>> from qsim import Circuit
        >>> terminal_text(Circuit(1).x(0)).splitlines()[1]
        'q0: ─┤ X ├─'
    """
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        "┤●⊕═╩░π†√".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return text(circuit, ascii_only=True)
    return text(circuit)


def _spelled(columns: Columns) -> Columns:
    """The same without letters that ASCII lacks in its names."""

    def shape(s: Shape) -> Shape:
        return replace(s, label=s.label.translate(SPELLED), detail=s.detail.translate(SPELLED))

    rows = tuple([replace(r, label=r.label.translate(SPELLED), end=r.end.translate(SPELLED)) for r in columns.rows])
    elements = tuple(
        [
            replace(e, shape=shape(e.shape), marks=tuple([(row, mark.translate(SPELLED)) for row, mark in e.marks]))
            for e in columns.elements
        ]
    )
    return replace(columns, rows=rows, elements=elements, phase=columns.phase.translate(SPELLED))


def _fold(columns: Columns, width: int) -> tuple[Columns, list[str]]:
    """The lines of as many bands as there is room for, and the columns that are in them."""
    names = ["" if row.kind is RowKind.GAP else shorten(row.label, width // 3) for row in columns.rows]
    ends = [shorten(row.end, width // 6) for row in columns.rows]
    left = max(cells_of(name) for name in names) + 2
    right = max(cells_of(end) for end in ends)
    room = width - left - 2 - (right + 1 if right else 0)
    widths = [3] * columns.num_columns
    for e in columns.elements:
        widths[e.column] = max(widths[e.column], min(_width_of(e), room - 1))
    bands: list[list[int]] = [[]]
    used = 0
    most = _most_bands(len(columns.rows))
    for column, size in enumerate(widths):
        if used + size + 1 > room:
            if len(bands) == most:
                break
            bands.append([])
            used = 0
        bands[-1].append(column)
        used += size + 1
    columns = columns.until(sum(map(len, bands)))
    groups: list[list[Element]] = [[] for _ in widths]
    for e in columns.elements:
        groups[e.column].append(e)
    lines: list[str] = []
    for number, band in enumerate(bands):
        last = number == len(bands) - 1 and not columns.left_out
        lines += [""] if number else []
        lines += _draw_band(columns, [(widths[c], groups[c]) for c in band], left, names, number > 0, last, ends)
    return columns, lines


def _most_bands(num_rows: int) -> int:
    return max(1, MAX_LINES // (2 * num_rows + 1))


def _draw_band(
    columns: Columns,
    band: list[tuple[int, list[Element]]],
    left: int,
    names: list[str],
    continued: bool,
    last: bool,
    ends: list[str],
) -> list[str]:
    stop = left + 1 + max(2, sum(size + 1 for size, _ in band))
    canvas = Canvas(2 * len(columns.rows) + 1, stop + max(map(cells_of, ends)) + 2)
    for r, row in enumerate(columns.rows):
        y = 2 * r + 1
        if row.kind is RowKind.GAP:
            canvas.write(left - 3, y, "⋮")
            continue
        canvas.write(left - 2 - cells_of(names[r]), y, names[r] + ":")
        canvas.across(y, left, stop - last, row.kind is RowKind.REGISTER)
        if continued:
            canvas.write(left, y, "«")
        if not last:
            canvas.write(stop, y, "»")
        elif ends[r]:
            canvas.write(stop + 1, y, ends[r])
    x = left + 1
    for size, group in band:
        for e in group:
            _draw_element(canvas, e, x, size)
        x += size + 1
    lines = canvas.lines()
    while lines and not lines[0]:
        del lines[0]
    while lines and not lines[-1]:
        del lines[-1]
    return lines


def _draw_element(canvas: Canvas, e: Element, x: int, size: int) -> None:
    """One element in the middle of a column that is `size` wide and begins at x."""
    if e.shape.kind is Kind.BARRIER:
        rows = set(e.inside)
        for r in rows:
            for y in (2 * r + 1, *([2 * r + 2] if r + 1 in rows else [])):
                canvas.write(x + size // 2, y, "░")
        return
    width = min(_width_of(e), size)
    x += (size - width) // 2
    middle = x + width // 2 if e.box else x + (width - 1) // 2
    if e.marks and not e.box:
        middle = x
    light = [2 * r + 1 for r, _ in e.marks]
    light += [] if e.box is None else [2 * e.box[0] + 1, 2 * e.box[1] + 1]
    if not e.box and not e.bits:
        light += [2 * e.top + 1, 2 * e.bottom + 1]
    if light:
        canvas.upright(middle, min(light), max(light))
    for row, label in e.bits:
        start = 2 * row + 1 if not light else 2 * e.box[1] + 2 if e.box else max(light)
        canvas.upright(middle, start, 2 * row + 1, double=True)
        canvas.write(max(x, middle - cells_of(label) // 2), 2 * row + 2, label)
    if e.box is not None:
        _draw_box(canvas, e, x, width)
    for row, symbol in e.marks:
        canvas.write(middle, 2 * row + 1, symbol)


def _draw_box(canvas: Canvas, e: Element, x: int, width: int) -> None:
    assert e.box is not None
    first, last = 2 * e.box[0] + 1, 2 * e.box[1] + 1
    canvas.box(x, first - 1, x + width - 1, last + 1)
    for r in range(e.box[0], e.box[1] + 1):
        if r not in e.inside:
            canvas.across(2 * r + 1, x - 1, x + width)
    for row, port in e.ports:
        canvas.write(x + 1, 2 * row + 1, port)
    y = (first + last) // 2
    if y % 2 and y // 2 not in e.inside:
        y -= 1
    start = _port_width(e) + 2
    label = shorten(_label_of(e), width - start - 2)
    canvas.write(x + start + (width - start - 2 - cells_of(label)) // 2, y, label)


def _label_of(e: Element) -> str:
    return f"{e.shape.label}({e.shape.detail})" if e.shape.detail else e.shape.label


def _port_width(e: Element) -> int:
    return max((len(port) for _, port in e.ports), default=0)


def _width_of(e: Element) -> int:
    """How many columns of the terminal an element takes."""
    if e.shape.kind is Kind.BARRIER:
        return 1
    below = max((cells_of(text) for _, text in e.bits), default=0)
    if e.box is None:
        return max([cells_of(symbol) for _, symbol in e.marks] + [below, 1])
    return max(_port_width(e) + cells_of(_label_of(e)) + 4, below + 2)
