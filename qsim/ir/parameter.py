"""Named parameters and arithmetic on them.

An expression is kept in postfix form: a tuple of tokens, the numbers it mentions and
the parameters it mentions, in the order of the tokens. Two expressions with the same
tokens differ only in data, so that the lowering evaluates all of them at once.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import index
from typing import Any

import numpy as np

from qsim._errors import ParameterError

NUMBER, PARAM = "n", "p"
MAX_TOKENS = 100_000
MAX_ELEMENTS = 10_000_000

# token -> (number of arguments, f(xp, *arguments))
OPERATORS: dict[str, tuple[int, Callable[..., Any]]] = {
    "+": (2, lambda xp, a, b: a + b),
    "-": (2, lambda xp, a, b: a - b),
    "*": (2, lambda xp, a, b: a * b),
    "/": (2, lambda xp, a, b: a / b),
    "**": (2, lambda xp, a, b: a**b),
    "neg": (1, lambda xp, a: -a),
    "sin": (1, lambda xp, a: xp.sin(a)),
    "cos": (1, lambda xp, a: xp.cos(a)),
    "tan": (1, lambda xp, a: xp.tan(a)),
    "arcsin": (1, lambda xp, a: xp.arcsin(a)),
    "arccos": (1, lambda xp, a: xp.arccos(a)),
    "arctan": (1, lambda xp, a: xp.arctan(a)),
    "exp": (1, lambda xp, a: xp.exp(a)),
    "log": (1, lambda xp, a: xp.log(a)),
    "sqrt": (1, lambda xp, a: xp.sqrt(a)),
}
_NAME = re.compile(r"[^\W\d]\w*(\.\w+)*\Z")


def is_number(value: object) -> bool:
    """True for Python and NumPy real numbers (constants of a circuit), False for the rest."""
    if isinstance(value, (int, float, np.integer, np.floating)):
        return not isinstance(value, bool)
    return isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "iuf"


def kind_of(dtype: Any) -> str:
    """The kind of a dtype; bfloat16 and other floats of device libraries count as floats."""
    try:
        found = np.dtype(dtype)
    except TypeError:
        return "?"
    return "f" if found.kind == "V" and "float" in found.name else found.kind


def to_float(number: Any) -> float:
    """A number as a float; infinity where an int is too large for one."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def evaluate(xp: Any, code: Sequence[str], numbers: Sequence[Any], params: Sequence[Any]) -> Any:
    """Run postfix `code` on its numbers and parameter values (scalars, or arrays of one shape)."""
    stack: list[Any] = []
    number, param = iter(numbers), iter(params)
    for token in code:
        if token == NUMBER:
            stack.append(next(number))
        elif token == PARAM:
            stack.append(next(param))
        else:
            arity, function = OPERATORS[token]
            arguments = stack[-arity:]
            del stack[-arity:]
            stack.append(function(xp, *arguments))
    return stack.pop()


class _Arithmetic:
    """Operators shared by `Parameter` and `Expression`; `numpy.sin(theta)` and the like work too."""

    __slots__ = ()

    def __add__(self, other: Any) -> Any:
        return _apply("+", self, other)

    def __radd__(self, other: Any) -> Any:
        return _apply("+", other, self)

    def __sub__(self, other: Any) -> Any:
        return _apply("-", self, other)

    def __rsub__(self, other: Any) -> Any:
        return _apply("-", other, self)

    def __mul__(self, other: Any) -> Any:
        return _apply("*", self, other)

    def __rmul__(self, other: Any) -> Any:
        return _apply("*", other, self)

    def __truediv__(self, other: Any) -> Any:
        return _apply("/", self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _apply("/", other, self)

    def __pow__(self, other: Any) -> Any:
        return _apply("**", self, other)

    def __rpow__(self, other: Any) -> Any:
        return _apply("**", other, self)

    def __neg__(self) -> Expression:
        return _apply("neg", self)

    def __pos__(self) -> Any:
        return self

    def sin(self) -> Expression:
        return _apply("sin", self)

    def cos(self) -> Expression:
        return _apply("cos", self)

    def tan(self) -> Expression:
        return _apply("tan", self)

    def arcsin(self) -> Expression:
        return _apply("arcsin", self)

    def arccos(self) -> Expression:
        return _apply("arccos", self)

    def arctan(self) -> Expression:
        return _apply("arctan", self)

    def exp(self) -> Expression:
        return _apply("exp", self)

    def log(self) -> Expression:
        return _apply("log", self)

    def sqrt(self) -> Expression:
        return _apply("sqrt", self)

    def __float__(self) -> float:
        raise ParameterError(
            f"Parameter `{self}` has no value yet. Give it one with circuit.bind({{...}}) "
            "or with execute(circuit, ..., params={...})."
        )

    def __bool__(self) -> bool:
        raise ParameterError(f"The truth of parameter `{self}` is not known before it has a value.")


class Parameter(_Arithmetic):
    """A named scalar that gets its value when the circuit is run.

    Parameters with equal names are the same parameter. Arithmetic (+ - * / ** and
    sin, cos, tan, exp, log, sqrt, arcsin, arccos, arctan, also as NumPy functions)
    gives an `Expression`.

    Args:
        name: letters, digits, underscores and dots, starting with a letter.

    Raises:
        ParameterError: the name is not of that form.

    Example:
        >>> from qsim import Circuit, Parameter
        >>> theta = Parameter("theta")
        >>> Circuit(1).rx(2 * theta, 0).parameters
        (Parameter('theta'),)
    """

    __slots__ = ("name", "vector", "index")

    def __init__(self, name: str):
        if not isinstance(name, str) or not _NAME.match(name):
            raise ParameterError(
                f"Argument `name` must be letters, digits, underscores and dots, starting with a letter, "
                f"but is {name!r}. Try Parameter('theta')."
            )
        self.name = name
        self.vector: ParameterVector | None = None
        self.index = 0

    @property
    def sort_key(self) -> tuple[str, int]:
        """The name and -1, or for an element of a vector the vector's name and the place in it."""
        return (self.name if self.vector is None else self.vector.name, -1 if self.vector is None else self.index)

    def bind(self, values: Mapping[str, Any]) -> Any:
        """The value of this parameter in `values` (name -> scalar, or array for a vector), else itself."""
        owner = self.name if self.vector is None else self.vector.name
        if owner not in values:
            return self
        value = values[owner]
        return value if self.vector is None else value.reshape(-1)[self.index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Parameter) and self.sort_key == other.sort_key

    def __hash__(self) -> int:
        return hash(self.sort_key)

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"Parameter({self.name!r})"


class ParameterVector:
    """A named array of parameters, bound as one array.

    Indexing gives a `Parameter`, or a NumPy object array of them where fewer indices
    than dimensions are given; arithmetic works on the whole array elementwise.

    Args:
        name: as for `Parameter`.
        shape: an int or a tuple of ints, the shape of the array to be bound.

    Raises:
        ParameterError: a bad name, or a shape that is not of non-negative ints.

    Example:
        >>> from qsim import Circuit, ParameterVector
        >>> theta = ParameterVector("theta", (2, 3))
        >>> theta[1, 2]
        Parameter('theta[1,2]')
        >>> Circuit(3).ry(theta[0], range(3)).rz(0.5 * theta[1], range(3)).count_ops()
        {'ry': 3, 'rz': 3}
    """

    __slots__ = ("name", "shape", "_elements")

    def __init__(self, name: str, shape: int | Sequence[int]):
        Parameter(name)
        try:
            dims = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
            self.shape = (-1,) if isinstance(shape, bool) else tuple(index(d) for d in dims)
        except TypeError:
            self.shape = (-1,)
        if any(d < 0 for d in self.shape):
            raise ParameterError(
                f"Argument `shape` of ParameterVector {name!r} must be non-negative ints, but is {shape!r}."
            )
        if math.prod(self.shape) > MAX_ELEMENTS:
            raise ParameterError(
                f"A ParameterVector must have at most {MAX_ELEMENTS} elements, but {name!r} of shape {self.shape} has "
                f"{math.prod(self.shape)}."
            )
        self.name = name
        self._elements = np.empty(self.shape, dtype=object)
        for flat, place in enumerate(np.ndindex(self.shape)):
            element = object.__new__(Parameter)  # the name was checked above
            element.name = f"{name}[{','.join(map(str, place))}]"
            element.vector, element.index = self, flat
            self._elements[place] = element

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    def __getitem__(self, index: Any) -> Any:
        return self._elements[index]

    def __len__(self) -> int:
        return len(self._elements)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._elements)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self._elements.copy() if copy else self._elements

    __array_priority__ = 100

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return getattr(ufunc, method)(*map(_plain, inputs), **options)

    def __add__(self, other: Any) -> np.ndarray:
        return self._elements + _plain(other)

    def __radd__(self, other: Any) -> np.ndarray:
        return _plain(other) + self._elements

    def __sub__(self, other: Any) -> np.ndarray:
        return self._elements - _plain(other)

    def __rsub__(self, other: Any) -> np.ndarray:
        return _plain(other) - self._elements

    def __mul__(self, other: Any) -> np.ndarray:
        return self._elements * _plain(other)

    def __rmul__(self, other: Any) -> np.ndarray:
        return _plain(other) * self._elements

    def __truediv__(self, other: Any) -> np.ndarray:
        return self._elements / _plain(other)

    def __rtruediv__(self, other: Any) -> np.ndarray:
        return _plain(other) / self._elements

    def __pow__(self, other: Any) -> np.ndarray:
        return self._elements ** _plain(other)

    def __rpow__(self, other: Any) -> np.ndarray:
        return _plain(other) ** self._elements

    def __neg__(self) -> np.ndarray:
        return -self._elements

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ParameterVector) and (self.name, self.shape) == (other.name, other.shape)

    def __hash__(self) -> int:
        return hash((self.name, self.shape))

    def __repr__(self) -> str:
        return f"ParameterVector({self.name!r}, {self.shape})"


class Expression(_Arithmetic):
    """Arithmetic on parameters, in postfix form. Made by the operators of `Parameter`.

    Attributes:
        code: tokens: "n" (a number), "p" (a parameter) or an operator of `OPERATORS`.
        numbers: the numbers, in the order of the tokens.
        params: the parameters, in the order of the tokens.
    """

    __slots__ = ("code", "numbers", "params")

    def __init__(self, code: tuple[str, ...], numbers: tuple[float, ...], params: tuple[Parameter, ...]):
        if len(code) > MAX_TOKENS:
            raise ParameterError(f"A parameter expression must have at most {MAX_TOKENS} terms.")
        self.code, self.numbers, self.params = code, numbers, params

    def bind(self, values: Mapping[str, Any]) -> Any:
        """The expression with the named values put in: a number once nothing is left open."""
        bound = [p.bind(values) for p in self.params]
        if not any(isinstance(b, _Arithmetic) for b in bound):
            return evaluate(_namespace(bound), self.code, self.numbers, bound)
        return evaluate(np, self.code, self.numbers, bound)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and (self.code, self.numbers, self.params) == (
            other.code,
            other.numbers,
            other.params,
        )

    def __hash__(self) -> int:
        return hash((self.code, self.numbers, self.params))

    def __str__(self) -> str:
        return expression_text(self, "{:.12g}".format)

    def __repr__(self) -> str:
        return f"Expression({self})"


class ArrayElement:
    """One element of a JAX array, held without indexing it: the array goes to the device as given.

    Attributes:
        array: the whole array. index: the element's place in the flattened array.
        negative: the negative of the whole array where that is known, so that -element is
            an element of it; a list that is filled at first use, and shared.
    """

    __slots__ = ("array", "index", "negative")

    def __init__(self, array: Any, index: int, negative: list[Any] | None = None):
        self.array, self.index, self.negative = array, index, negative

    @property
    def value(self) -> Any:
        """The element, as a scalar of the array's own kind."""
        return self.array.reshape(-1)[self.index]

    def __neg__(self) -> Any:
        if self.negative is None:
            return -self.value
        if not self.negative:
            self.negative.append(-self.array)
        return ArrayElement(self.negative[0], self.index, [self.array])

    def __mul__(self, other: Any) -> Any:
        return self.value * other

    __rmul__ = __mul__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ArrayElement) and self.array is other.array and self.index == other.index

    def __hash__(self) -> int:
        return hash((id(self.array), self.index))

    def __repr__(self) -> str:
        return f"ArrayElement({getattr(self.array, 'shape', '')}, {self.index})"


def is_symbolic(value: object) -> bool:
    """True for a `Parameter` and an `Expression`."""
    return isinstance(value, _Arithmetic)


def parameters_of(value: object) -> tuple[Parameter, ...]:
    """The parameters that a gate argument mentions."""
    if isinstance(value, Parameter):
        return (value,)
    return value.params if isinstance(value, Expression) else ()


def _plain(other: Any) -> Any:
    return other._elements if isinstance(other, ParameterVector) else other


def _namespace(values: Sequence[Any]) -> Any:
    for value in values:
        find = getattr(value, "__array_namespace__", None)
        if find is not None and not isinstance(value, (np.ndarray, np.generic)):
            return find()
    return np


def _parts(value: Any) -> tuple[tuple[str, ...], tuple[float, ...], tuple[Parameter, ...]]:
    if isinstance(value, Expression):
        return value.code, value.numbers, value.params
    if isinstance(value, Parameter):
        return (PARAM,), (), (value,)
    number = to_float(value)
    if not math.isfinite(number):
        raise ParameterError(f"The numbers of a parameter expression must be finite, but one is {number}.")
    return (NUMBER,), (number,), ()


def _apply(operator: str, *arguments: Any) -> Any:
    for argument in arguments:
        if not isinstance(argument, _Arithmetic) and not is_number(argument):
            if isinstance(argument, (np.ndarray, ParameterVector)):
                return NotImplemented
            raise ParameterError(
                f"A parameter can be combined with real numbers and other parameters, but not with "
                f"{type(argument).__name__} in `{operator}`. Bind the parameter first, or pass that value as one."
            )
    if operator == "/" and is_number(arguments[1]) and arguments[1] == 0:
        raise ParameterError(f"A parameter cannot be divided by 0, as in `{arguments[0]} / {arguments[1]}`.")
    code: tuple[str, ...] = ()
    numbers: tuple[float, ...] = ()
    params: tuple[Parameter, ...] = ()
    for argument in arguments:
        c, n, p = _parts(argument)
        code, numbers, params = code + c, numbers + n, params + p
    return Expression((*code, operator), numbers, params)


_RANK = {"+": 1, "-": 1, "*": 2, "/": 2, "neg": 3, "**": 4}


def expression_text(expression: Expression, number_text: Callable[[float], str]) -> str:
    """Infix text with the fewest brackets, with the numbers as `number_text` writes them."""
    stack: list[tuple[str, int]] = []
    number, param = iter(expression.numbers), iter(expression.params)
    for token in expression.code:
        if token == NUMBER:
            value = next(number)
            text = number_text(value)
            stack.append((text, 2 if "/" in text else 3 if value < 0 else 9))
        elif token == PARAM:
            stack.append((str(next(param)), 9))
        elif token == "neg":
            inner, rank = stack.pop()
            stack.append((f"-{inner}" if rank > 3 else f"-({inner})", 3))
        elif token in _RANK:
            (right, r_rank), (left, l_rank) = stack.pop(), stack.pop()
            rank = _RANK[token]
            left = left if l_rank >= rank and token != "**" or l_rank == 9 else f"({left})"
            strict = token in "-/**"
            right = right if r_rank > rank or (r_rank == rank and not strict) else f"({right})"
            stack.append((f"{left}**{right}" if token == "**" else f"{left}{token}{right}", rank))
        else:
            inner, _ = stack.pop()
            stack.append((f"{token}({inner})", 9))
    return stack.pop()[0]
