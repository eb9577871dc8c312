"""A circuit as lines, boxes, discs and text in a plane: what HTML and figures have in common.

One unit of length is the distance of two qubits; x grows to the right, y downwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import cos, pi, sin

from qsim.draw.columns import Columns, Element, Row, RowKind, arrange
from qsim.draw.labels import shorten
from qsim.draw.shapes import CLOSED, OPEN, Kind
from qsim.ir.circuit import Circuit

__all__ = ["COLOURS", "Disc", "Ink", "Rect", "Scene", "Stroke", "Words", "draw_scene", "scene_of"]

LABEL, DETAIL, PORT, NAME, NOTE = 0.29, 0.22, 0.17, 0.27, 0.24
GAP, MARGIN, BOX, RADIUS = 0.24, 0.2, 0.68, 0.085
HEIGHTS = {RowKind.QUBIT: 1.0, RowKind.REGISTER: 0.8, RowKind.GAP: 0.7}


@dataclass(frozen=True, slots=True)
class Ink:
    """Colours: of an area, of its edge and of lines, of text. None is the colour of the surroundings' text."""

    fill: str | None
    edge: str | None
    text: str | None


COLOURS = {
    Kind.FIXED.value: Ink("#d8e6f6", "#3d78b8", "#173a5e"),
    Kind.ANGLE.value: Ink("#d9efdf", "#3f9160", "#174a2b"),
    Kind.TRAINED.value: Ink("#fde6c8", "#cf8420", "#6b3f05"),
    Kind.BLOCK.value: Ink("#e6def5", "#7f63b8", "#3a2569"),
    Kind.MEASURE.value: Ink("#ececec", "#7d7d7d", "#333333"),
    Kind.RESET.value: Ink("#ececec", "#7d7d7d", "#333333"),
    Kind.BARRIER.value: Ink("#9a9a9a", "#8a8a8a", None),
    "mark": Ink("#3d78b8", "#3d78b8", None),
    "hollow": Ink("#ffffff", "#3d78b8", None),
    "plus": Ink("#ffffff", "#ffffff", None),
    "wire": Ink(None, None, None),
    "bits": Ink("#8a8a8a", "#8a8a8a", None),
    "faint": Ink("#8a8a8a", "#8a8a8a", "#8a8a8a"),
}
"""What each role looks like. Boxes carry their own ground, so that they read on a light page and on a dark one."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line through points."""

    points: tuple[tuple[float, float], ...]
    role: str
    width: float = 0.03
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Rect:
    """A box, with round corners."""

    x: float
    y: float
    width: float
    height: float
    role: str
    outlined: bool = True


@dataclass(frozen=True, slots=True)
class Disc:
    """A disc."""

    x: float
    y: float
    radius: float
    role: str


@dataclass(frozen=True, slots=True)
class Words:
    """Text, its middle at y; x is its start, middle or end."""

    x: float
    y: float
    text: str
    size: float
    role: str
    anchor: str = "middle"


@dataclass(slots=True)
class Scene:
    """What there is to draw, the lowest first, on `width` by `height`."""

    width: float = 0.0
    height: float = 0.0
    items: list[Stroke | Rect | Disc | Words] = field(default_factory=list)


def scene_of(circuit: Circuit, max_width: float, max_height: int, max_rows: int) -> Scene:
    """The picture of a circuit, folded at `max_width`; it breaks off at about `max_height`."""

    def most_bands(num_rows: int) -> int:
        return max(1, max_height // max(num_rows, 1))

    columns = arrange(circuit, lambda num_rows: most_bands(num_rows) * (1 + int(max_width / (0.4 + GAP))), max_rows)
    return draw_scene(columns, max_width, most_bands(len(columns.rows)))


def draw_scene(columns: Columns, max_width: float, max_bands: int) -> Scene:
    """The picture of an arranged circuit, folded at `max_width`, in at most `max_bands` bands."""
    widths = [0.4] * columns.num_columns
    for e in columns.elements:
        widths[e.column] = max(widths[e.column], _width_of(e))
    left = max((_text_width(row.label, NAME) for row in columns.rows if row.kind is not RowKind.GAP), default=0) + 0.2
    right = max((_text_width(row.end, NAME) for row in columns.rows), default=0) + 0.2
    room = max(max_width - 2 * MARGIN - left - right, 1.0)
    bands: list[list[int]] = [[]]
    used = 0.0
    for column, size in enumerate(widths):
        if bands[-1] and used + size + GAP > room:
            if len(bands) == max_bands:
                break
            bands.append([])
            used = 0.0
        bands[-1].append(column)
        used += size + GAP
    columns = columns.until(sum(map(len, bands)))
    groups: list[list[Element]] = [[] for _ in widths]
    for e in columns.elements:
        groups[e.column].append(e)
    scene, y = Scene(), MARGIN
    x0 = MARGIN + left
    for number, band in enumerate(bands if columns.rows else []):
        last = number == len(bands) - 1
        x1 = x0 + max(GAP + sum(widths[c] + GAP for c in band), 0.6)
        ys, y = _heights(columns.rows, y)
        _draw_rows(scene, columns.rows, ys, x0, x1, number > 0, last and not columns.left_out)
        x = x0 + GAP
        for c in band:
            for e in groups[c]:
                _Painter(scene, ys, x, widths[c]).element(e)
            x += widths[c] + GAP
        scene.width = max(scene.width, x1 + right + MARGIN)
        y += 0.0 if last else 0.35
    for note in columns.notes if columns.rows else ("circuit on 0 qubits", *columns.notes):
        scene.items.append(Words(MARGIN, y + 0.2, shorten(note, 120), NOTE, "wire", "start"))
        scene.width = max(scene.width, 2 * MARGIN + _text_width(note, NOTE))
        y += 0.4
    scene.height = y + MARGIN
    return scene


def _heights(rows: Sequence[Row], y: float) -> tuple[list[float], float]:
    """The y of each row's line from y on, and where the next thing may begin."""
    ys = []
    for row in rows:
        ys.append(y + HEIGHTS[row.kind] / 2)
        y += HEIGHTS[row.kind]
    return ys, y


def _draw_rows(
    scene: Scene, rows: Sequence[Row], ys: list[float], x0: float, x1: float, continued: bool, last: bool
) -> None:
    for row, y in zip(rows, ys, strict=True):
        if row.kind is RowKind.GAP:
            scene.items.append(Words(x0 - 0.15, y, "⋮", NAME, "faint", "end"))
            continue
        scene.items.append(Words(x0 - 0.15, y, row.label, NAME, "wire", "end"))
        shifts = (-0.035, 0.035) if row.kind is RowKind.REGISTER else (0.0,)
        role = "bits" if row.kind is RowKind.REGISTER else "wire"
        for shift in shifts:
            scene.items.append(Stroke(((x0, y + shift), (x1, y + shift)), role, 0.022))
        for x, there in ((x0, continued), (x1, not last)):
            if there:
                scene.items.append(Stroke(((x - 0.04, y + 0.12), (x + 0.04, y - 0.12)), role, 0.022))
        if last and row.end:
            scene.items.append(Words(x1 + 0.1, y, row.end, NAME, "wire", "start"))


class _Painter:
    """Draws the elements of one column."""

    def __init__(self, scene: Scene, ys: list[float], x: float, width: float):
        self.items, self.ys, self.left, self.x, self.width = scene.items, ys, x, x + width / 2, width

    def element(self, e: Element) -> None:
        if e.shape.kind is Kind.BARRIER:
            self._barrier(e)
            return
        reach = [self.ys[row] for row, _ in e.marks]
        reach += [] if e.box is None else [self.ys[r] for r in e.box]
        if e.box is None and not e.bits:
            reach += [self.ys[e.top], self.ys[e.bottom]]
        if reach and max(reach) > min(reach):
            self.items.append(Stroke(((self.x, min(reach)), (self.x, max(reach))), "mark", 0.03))
        for row, text in e.bits:
            self._bit(max(reach, default=self.ys[row]), self.ys[row], text, writes=text != e.shape.condition)
        if e.box is not None:
            self._box(e, e.box)
        for row, symbol in e.marks:
            self._mark(self.x, self.ys[row], symbol)

    def _barrier(self, e: Element) -> None:
        for r in sorted(set(e.inside)):
            top, bottom = self.ys[r] - 0.5, self.ys[r] + 0.5
            self.items.append(Stroke(((self.x, top), (self.x, bottom)), "barrier", 0.03, True))

    def _bit(self, start: float, y: float, text: str, writes: bool) -> None:
        """A double line down to a register: an arrow where it is written, a dot where it is read."""
        for shift in (-0.035, 0.035):
            self.items.append(Stroke(((self.x + shift, start), (self.x + shift, y - 0.12)), "bits", 0.022))
        if writes:
            for part in (0.1, 0.06, 0.02):
                head = ((self.x - part, y - 0.15), (self.x + part, y - 0.15), (self.x, y - 0.03 - 0.1 + part))
                self.items.append(Stroke((*head, head[0]), "bits", 0.05))
        else:
            self.items.append(Disc(self.x, y, RADIUS, "bits"))
        self.items.append(Words(self.x, y + 0.22, text, PORT, "faint"))

    def _box(self, e: Element, box: tuple[int, int]) -> None:
        top, bottom = self.ys[box[0]] - BOX / 2, self.ys[box[1]] + BOX / 2
        width = _width_of(e)
        left = self.x - width / 2
        role = e.shape.kind.value
        self.items.append(Rect(left, top, width, bottom - top, role))
        passed = [r for r in range(box[0], box[1] + 1) if r not in e.inside]
        for r in passed:
            self.items.append(Stroke(((left, self.ys[r]), (left + width, self.ys[r])), "faint", 0.022))
        for row, port in e.ports:
            if port in (CLOSED, OPEN):
                self._mark(left + 0.17, self.ys[row], port)
            else:
                self.items.append(Words(left + 0.07, self.ys[row], port, PORT, role, "start"))
        x, y = self.x + (_port_width(e)) / 2, (top + bottom) / 2
        if any(abs(self.ys[r] - y) < 0.3 for r in passed):
            y -= 0.5
        if e.shape.kind is Kind.MEASURE and width == BOX:
            self._meter(y)
            return
        rise = 0.12 if e.shape.detail else 0.0
        self.items.append(Words(x, y - rise, e.shape.label, LABEL, role))
        if e.shape.detail:
            self.items.append(Words(x, y + 0.165, e.shape.detail, DETAIL, role))

    def _meter(self, y: float) -> None:
        r = 0.2
        arc = tuple((self.x - r * cos(pi * k / 12), y + 0.1 - r * sin(pi * k / 12)) for k in range(13))
        self.items.append(Stroke(arc, "measure", 0.03))
        self.items.append(Stroke(((self.x, y + 0.1), (self.x + 0.16, y - 0.17)), "measure", 0.03))

    def _mark(self, x: float, y: float, symbol: str) -> None:
        sign, rest = symbol[0], symbol[1:]
        if sign in (CLOSED, OPEN):
            self.items.append(Disc(x, y, RADIUS, "mark" if sign == CLOSED else "hollow"))
        elif sign == "×":
            for s in (1, -1):
                self.items.append(Stroke(((x - 0.12, y - 0.12 * s), (x + 0.12, y + 0.12 * s)), "mark", 0.04))
        else:
            self.items.append(Disc(x, y, 0.19, "mark"))
            for dx, dy in ((0.12, 0.0), (0.0, 0.12)):
                self.items.append(Stroke(((x - dx, y - dy), (x + dx, y + dy)), "plus", 0.035))
        if rest:
            self.items.append(Words(x + 0.15, y - 0.2, rest.strip("()"), DETAIL, "wire", "start"))


NARROW, WIDE = frozenset("iljtfr.,:;|'!()[]I·-/ "), frozenset("mwMW@∑…→")


def _text_width(text: str, size: float) -> float:
    """About how wide a text is in a common sans-serif font."""
    units = sum(0.37 if c in NARROW else 0.95 if c in WIDE else 0.7 if c.isupper() else 0.62 for c in text)
    return units * size + sum(0.4 * size for c in text if ord(c) > 0x1100)


def _port_width(e: Element) -> float:
    return 0.1 + max(_text_width(port, PORT) for _, port in e.ports) if e.ports else 0.0


def _width_of(e: Element) -> float:
    """How wide an element is."""
    if e.shape.kind is Kind.BARRIER:
        return 0.2
    below = max((_text_width(text, PORT) for _, text in e.bits), default=0.0)
    if e.box is None:
        return max([0.4, below] + [0.4 + 2 * _text_width(mark[1:], DETAIL) for _, mark in e.marks])
    if e.shape.kind is Kind.MEASURE and not e.shape.condition:
        return BOX
    inner = max(_text_width(e.shape.label, LABEL), _text_width(e.shape.detail, DETAIL))
    return max(BOX, inner + _port_width(e) + 0.24, below)
