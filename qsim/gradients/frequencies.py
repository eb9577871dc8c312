"""With which frequencies an expectation value turns as one parameter of a circuit does."""

from __future__ import annotations

from typing import Any

from qsim._errors import MethodError, ParameterError
from qsim.ir.circuit import Circuit
from qsim.ir.operation import is_constant
from qsim.ir.parameter import Expression, Parameter, evaluate, is_number
from qsim.rules.parameter_shift import MAX_FREQUENCIES, with_spectra

_DIGITS = 9


def parameter_frequencies(circuit: Circuit) -> tuple[tuple[float, ...], ...]:
    """The positive frequencies of expectation values in each parameter, in the order of the raveled params.

    A gate U(a t + b) with the spectrum {w} turns them by a (w - w'); the gates that share a parameter add up
    (arXiv:1812.06323, arXiv:2107.12390). () for elements of a vector that no gate uses.

    Raises:
        ParameterError: a parameter that enters an angle other than as a t + b with numbers a and b.
        MethodError: an operation whose spectrum is not known, or more frequencies than `MAX_FREQUENCIES`.

    Example:
        >>> from qsim import Circuit, Parameter
        >>> from qsim.gradients.frequencies import parameter_frequencies
        >>> t = Parameter("t")
        >>> parameter_frequencies(Circuit(2).rx(t, 0).ry(2 * t, 1).crz(Parameter("u"), 0, 1))
        ((1.0, 2.0, 3.0), (0.5, 1.0))
    """
    starts: dict[str, int] = {}
    size = 0
    for name, shape in circuit.parameter_shapes().items():
        starts[name] = size
        count = 1
        for length in shape:
            count *= length
        size += count
    found: list[frozenset[float]] = [frozenset({0.0})] * size
    for i in with_spectra(circuit).instructions:
        spectra = getattr(i.operation, "spectra", None)
        for at, param in enumerate(i.operation.params):
            if is_constant(param):
                continue
            for p, slope in _slopes(param, i.operation.name).items():
                spectrum = None if spectra is None else spectra[at]
                if spectrum is None:
                    raise MethodError(
                        f"rotosolve knows no frequencies for parameter `{p}` in {i.operation.name}: the operation has "
                        "no `spectra`. Write it with gates of the table."
                    )
                place = starts[p.name] if p.vector is None else starts[p.vector.name] + p.index
                turns = {slope * (a - b) for a in spectrum for b in spectrum}
                found[place] = frozenset(round(a + b, _DIGITS) for a in found[place] for b in turns)
                if len(found[place]) > 2 * MAX_FREQUENCIES + 1:
                    raise MethodError(
                        f"rotosolve would need {len(found[place])} values for each step of `{p}`, which is in too "
                        "many gates. Try natural_gradient."
                    )
    return tuple(tuple(sorted(w for w in turns if w > 0)) for turns in found)


class _Line:
    """sum_p slopes[p] p + constant, where None stands for a constant that is not known on the host."""

    def __init__(self, slopes: dict[Parameter, float], constant: float | None):
        self.slopes, self.constant = slopes, constant

    def __add__(self, other: _Line) -> _Line:
        known = self.constant is not None and other.constant is not None
        slopes = {p: self.slopes.get(p, 0.0) + other.slopes.get(p, 0.0) for p in {**self.slopes, **other.slopes}}
        return _Line(slopes, self.constant + other.constant if known else None)  # type: ignore[operator]

    def __neg__(self) -> _Line:
        return self * _Line({}, -1.0)

    def __sub__(self, other: _Line) -> _Line:
        return self + -other

    def __mul__(self, other: _Line) -> _Line:
        line, factor = (self, other) if self.slopes else (other, self)
        if not line.slopes:
            known = self.constant is not None and other.constant is not None
            return _Line({}, self.constant * other.constant if known else None)  # type: ignore[operator]
        if factor.slopes or factor.constant is None:
            raise _Bent
        constant = None if line.constant is None else line.constant * factor.constant
        return _Line({p: a * factor.constant for p, a in line.slopes.items()}, constant)

    def __truediv__(self, other: _Line) -> _Line:
        if other.slopes or not other.constant:
            return self * _bent(other)
        return self * _Line({}, 1 / other.constant)

    def __pow__(self, other: _Line) -> _Line:
        return _bent(self + other)


class _Bent(Exception):
    """A parameter under a function that is not linear."""


def _bent(argument: _Line) -> _Line:
    if argument.slopes:
        raise _Bent
    return _Line({}, None)


class _Functions:
    """The functions of expressions: what none has a parameter under is a constant."""

    sin = cos = tan = arcsin = arccos = arctan = exp = log = sqrt = staticmethod(_bent)


def _slopes(param: Any, operation: str) -> dict[Parameter, float]:
    """How fast an angle grows with each of its parameters; none for JAX values."""
    if isinstance(param, Parameter):
        return {param: 1.0}
    if not isinstance(param, Expression):
        return {}
    numbers = [_Line({}, float(n) if is_number(n) else None) for n in param.numbers]
    lines = [_Line({p: 1.0}, 0.0) for p in param.params]
    try:
        return evaluate(_Functions, param.code, numbers, lines).slopes
    except _Bent:
        raise ParameterError(
            f"rotosolve needs angles a * parameter + b with numbers a and b, but {operation} has the angle {param}. "
            "Try natural_gradient, or train the angle itself."
        ) from None
