"""A sheet of characters on which lines that meet join."""

from __future__ import annotations

from unicodedata import east_asian_width

__all__ = ["Canvas", "cells_of"]

LEFT, RIGHT, UP, DOWN = 1, 2, 4, 8
ACROSS, UPRIGHT = LEFT | RIGHT, UP | DOWN

# by the directions of the lines from the middle of a cell: bit sum -> character
LIGHT = " ───│┘└┴│┐┌┬│┤├┼"
DOUBLE = " ═══║╝╚╩║╗╔╦║╣╠╬"
# a light line across with a double one upright, and the other way round
MIXED = {(ACROSS, UP): "╨", (ACROSS, DOWN): "╥", (ACROSS, UPRIGHT): "╫", (UPRIGHT, ACROSS): "╪"}

ASCII = str.maketrans(
    {
        **dict.fromkeys("─", "-"),
        **dict.fromkeys("═", "="),
        **dict.fromkeys("│║", "|"),
        **dict.fromkeys("┌┐└┘├┤┬┴┼╔╗╚╝╠╣╦╩╬╥╨╫╪", "+"),
        **{"●": "@", "○": "o", "⊕": "X", "×": "x", "░": ":", "…": "~", "⋮": ":", "«": "<", "»": ">", "·": "."},
    }
)
"""Each character for one."""

SPELLED = str.maketrans({"π": "pi", "√": "sqrt", "→": "->", "†": "^", "⟩": ">"})
"""What stands in names, before they get their place."""


def cells_of(text: str) -> int:
    """How many columns of a terminal a text takes: two for a wide letter.

    Example:
        >>> cells_of("θ"), cells_of("角")
        (1, 2)
    """
    return len(text) if text.isascii() else sum(1 + (east_asian_width(c) in "WF") for c in text)


class Canvas:
    """Lines and text on a sheet of `height` rows and `width` columns; text lies over lines."""

    def __init__(self, height: int, width: int):
        self._light = [[0] * width for _ in range(height)]
        self._double = [[0] * width for _ in range(height)]
        self._text: list[list[str | None]] = [[None] * width for _ in range(height)]

    def across(self, y: int, x0: int, x1: int, double: bool = False) -> None:
        """A line from the middle of column x0 to that of x1."""
        row = (self._double if double else self._light)[y]
        for x in range(x0, x1 + 1):
            row[x] |= (LEFT if x > x0 else 0) | (RIGHT if x < x1 else 0)

    def upright(self, x: int, y0: int, y1: int, double: bool = False) -> None:
        """A line from the middle of row y0 to that of y1."""
        rows = self._double if double else self._light
        for y in range(y0, y1 + 1):
            rows[y][x] |= (UP if y > y0 else 0) | (DOWN if y < y1 else 0)

    def box(self, x0: int, y0: int, x1: int, y1: int) -> None:
        """The outline of a box; what was drawn inside it goes."""
        for y in range(y0 + 1, y1):
            for x in range(x0 + 1, x1):
                self._light[y][x] = self._double[y][x] = 0
            self._light[y][x0] &= ~RIGHT
            self._light[y][x1] &= ~LEFT
        for x in range(x0 + 1, x1):
            self._light[y0][x] &= ~DOWN
            self._light[y1][x] &= ~UP
        for y in (y0, y1):
            self.across(y, x0, x1)
        for x in (x0, x1):
            self.upright(x, y0, y1)

    def write(self, x: int, y: int, text: str) -> None:
        """Text from column x on."""
        for letter in text:
            self._text[y][x] = letter
            if cells_of(letter) == 2:
                x += 1
                self._text[y][x] = ""
            x += 1

    def lines(self) -> list[str]:
        """The rows as text, without spaces at their ends."""
        return [
            "".join(map(_character, *row)).rstrip() for row in zip(self._light, self._double, self._text, strict=True)
        ]


def _character(light: int, double: int, text: str | None) -> str:
    if text is not None:
        return text
    if not double:
        return LIGHT[light]
    return DOUBLE[double] if not light else MIXED.get((light, double), LIGHT[light])
