"""Sums of angles, some of which have no value yet: kept linear and short, and never read."""

from __future__ import annotations

from math import pi, remainder
from typing import Any

from qsim.ir.parameter import NUMBER, PARAM, Expression, is_symbolic

__all__ = ["is_multiple", "scaled", "total", "wrapped"]

TOLERANCE = 1e-10
TURN = 2 * pi

Linear = tuple[float, dict[Any, float]]


def total(*angles: Any) -> Any:
    """The sum of floats, parameters and expressions, as a float where nothing is left open.

    Example:
        >>> from qsim import Parameter
        >>> t = Parameter("t")
        >>> total(t, 0.5, 2 * t, -0.5)
        Expression(3*t)
        >>> total(t, -t)
        0.0
    """
    if len(angles) == 2 and type(angles[0]) is type(angles[1]) is float:
        return angles[0] + angles[1]
    constant = 0.0
    open_ones = None
    for angle in angles:
        if type(angle) is float or not is_symbolic(angle):
            constant += angle
        else:
            open_ones = [angle] if open_ones is None else [*open_ones, angle]
    if open_ones is None:
        return constant
    terms: dict[Any, float] = {}
    for angle in open_ones:
        more, found = _linear(angle)
        constant += more
        for atom, factor in found.items():
            terms[atom] = terms.get(atom, 0.0) + factor
    return _built(constant, terms)


def scaled(angle: Any, factor: float) -> Any:
    """`factor` times an angle."""
    if type(angle) is float or not is_symbolic(angle):
        return factor * angle
    if factor == 1:
        return angle
    constant, terms = _linear(angle)
    return _built(factor * constant, {atom: factor * f for atom, f in terms.items()})


def is_multiple(angle: Any, period: float) -> bool:
    """True for a number that is a multiple of `period`."""
    return (type(angle) is float or not is_symbolic(angle)) and abs(remainder(angle, period)) < TOLERANCE


def wrapped(angle: Any) -> Any:
    """A number in (-pi, pi], the same up to whole turns; an open angle with at most one turn beside its parameters."""
    if type(angle) is not float and is_symbolic(angle):
        constant, terms = _linear(angle)
        return angle if abs(constant) <= TURN else _built(remainder(constant, TURN), terms)
    found = remainder(angle, TURN)
    return pi if found <= -pi + TOLERANCE else found


def _built(constant: float, terms: dict[Any, float]) -> Any:
    """constant + sum factor * atom in the fewest tokens."""
    found: Any = None
    for atom, factor in terms.items():
        if abs(factor) < 1e-15:
            continue
        part = atom if factor == 1 else -atom if factor == -1 else factor * atom
        found = part if found is None else found + part
    if found is None:
        return constant
    return found if constant == 0 else found + constant


def _linear(angle: Any) -> Linear:
    """An open angle as constant + sum factor * atom; the whole of it is the atom where it is not linear."""
    if not isinstance(angle, Expression):
        return 0.0, {angle: 1.0}
    stack: list[Linear] = []
    numbers, params = iter(angle.numbers), iter(angle.params)
    for token in angle.code:
        if token == NUMBER:
            number = next(numbers)
            if not isinstance(number, float):
                return 0.0, {angle: 1.0}
            stack.append((number, {}))
        elif token == PARAM:
            stack.append((0.0, {next(params): 1.0}))
        elif token == "neg":
            stack.append(_times(stack.pop(), -1.0))
        elif token in ("+", "-"):
            right, left = stack.pop(), stack.pop()
            if token == "-":
                right = _times(right, -1.0)
            terms = dict(left[1])
            for atom, factor in right[1].items():
                terms[atom] = terms.get(atom, 0.0) + factor
            stack.append((left[0] + right[0], terms))
        elif token in ("*", "/"):
            right, left = stack.pop(), stack.pop()
            if token == "*" and not left[1]:
                left, right = right, left
            if right[1]:
                return 0.0, {angle: 1.0}
            stack.append(_times(left, right[0] if token == "*" else 1 / right[0]))
        else:
            return 0.0, {angle: 1.0}
    return stack.pop()


def _times(linear: Linear, factor: float) -> Linear:
    return linear[0] * factor, {atom: f * factor for atom, f in linear[1].items()}
