"""What pictures write: angles as multiples of pi, expressions, JAX values as dots, names cut to a length."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import isfinite, pi
from typing import Any

from qsim.ir.parameter import ArrayElement, Expression, expression_text, is_number, is_symbolic, to_float

__all__ = ["MAX_DETAIL", "angle_text", "detail_text", "param_text", "plain", "shorten"]

MAX_DETAIL = 28
"""The most characters that the parameters of one operation may take."""

MAX_PART = 64
"""The largest numerator and denominator of a multiple of pi."""


def angle_text(value: float) -> str:
    """A number, as a multiple of pi where it is one to single precision.

    Example:
        >>> [angle_text(x) for x in (0.0, 3.141592653589793, -1.5707964, 2.0943951023931953, 0.3)]
        ['0', 'π', '-π/2', '2π/3', '0.3']
    """
    if not isfinite(value):
        return str(value)
    part = Fraction(value / pi).limit_denominator(MAX_PART)
    over, under = part.numerator, part.denominator
    if value and 0 < abs(over) <= MAX_PART and abs(over * pi / under - value) <= 1e-7 * abs(value):
        times = {1: "", -1: "-"}.get(over, str(over))
        return f"{times}π" if under == 1 else f"{times}π/{under}"
    return f"{value + 0.0:.3g}" if value else "0"


def param_text(param: Any) -> str:
    """One argument of an operation: a name, a number, or a dot for a JAX value, which is never read.

    Example:
        >>> from qsim import Parameter
        >>> param_text(3.141592653589793 * Parameter("t") + 1)
        'π*t+1'
    """
    if isinstance(param, Expression):
        return expression_text(param, angle_text)
    if is_symbolic(param) or isinstance(param, (str, bool)):
        return plain(str(param))
    if is_number(param):
        return angle_text(to_float(param))
    if isinstance(param, ArrayElement):
        return f"·[{param.index}]"
    shape = getattr(param, "shape", None)
    if isinstance(shape, tuple):
        return "×".join(map(str, shape)) + " array" if shape else "·"
    return plain(str(param))


def detail_text(params: Sequence[Any]) -> str:
    """The arguments of an operation, cut to `MAX_DETAIL` characters."""
    return shorten(", ".join(map(param_text, params)), MAX_DETAIL)


def plain(text: str) -> str:
    """Text on one line: what cannot be printed is a question mark."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)


def shorten(text: str, size: int) -> str:
    """At most `size` characters, an ellipsis in the place of what is left out.

    Example:
        >>> shorten("parameters", 6)
        'param…'
    """
    return text if len(text) <= size else text[: max(size - 1, 0)] + "…"[:size]
