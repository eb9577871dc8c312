"""Parameters and expressions, to and from other algebras: names, and SymPy's trees."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from math import inf
from operator import add, mul
from types import SimpleNamespace
from typing import Any

from qsim._errors import ParameterError
from qsim.ir.parameter import Expression, Parameter, ParameterVector, evaluate

_NAME = re.compile(r"[^\W\d]\w*(\.\w+)*\Z")
FUNCTIONS = {
    "sin": "sin",
    "cos": "cos",
    "tan": "tan",
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "exp": "exp",
    "log": "log",
}
"""SymPy's name of a function -> ours."""


def named(names: Iterable[tuple[str, tuple[str, int, int] | None]]) -> list[Parameter]:
    """Our parameters for those of another framework, in the same order.

    Names that ours cannot have get underscores in the place of other characters, and a number where two would be
    the same.

    Args:
        names: for each its name, and for an element of a vector (the vector's name, its size, the place in it).
    """
    given = list(names)
    sizes: dict[str, int] = {}
    for _, element in given:
        if element is not None:
            sizes[element[0]] = max(sizes.get(element[0], 0), element[1])
    taken: set[str] = set()
    vectors = {name: ParameterVector(_free(name, taken), size) for name, size in sizes.items()}
    return [
        Parameter(_free(name, taken)) if element is None else vectors[element[0]][element[2]] for name, element in given
    ]


def _free(name: str, taken: set[str]) -> str:
    clean = name if _NAME.match(name) else re.sub(r"\W", "_", name)
    if not _NAME.match(clean):
        clean = f"p{clean}"
    unique, number = clean, 1
    while unique in taken:
        unique, number = f"{clean}_{number}", number + 1
    taken.add(unique)
    return unique


def from_sympy(node: Any, symbols: Mapping[str, Any], where: str) -> Any:
    """A SymPy expression as a number, or as ours.

    Args:
        node: the expression. symbols: name -> what it is here. where: what messages begin with.

    Raises:
        ParameterError: a function that ours cannot have, a symbol without a meaning, or a complex number.
    """
    if node.is_number:
        value = complex(node)
        if abs(value.imag) > 1e-14 * abs(value) or not abs(value) < inf:
            raise ParameterError(f"{where}: angles must be real numbers, but {node} is none.")
        return value.real
    kind = node.func.__name__
    if node.is_Symbol:
        if node.name not in symbols:
            raise ParameterError(f"{where}: the symbol {node.name} is no parameter of the circuit.")
        return symbols[node.name]
    if kind == "Pow":
        base, exponent = (from_sympy(part, symbols, where) for part in node.args)
        if exponent == -1:
            return 1 / base
        return base.sqrt() if exponent == 0.5 and not isinstance(base, float) else base**exponent
    if kind in ("Add", "Mul"):
        return reduce(add if kind == "Add" else mul, [from_sympy(part, symbols, where) for part in node.args])
    if kind in FUNCTIONS and len(node.args) == 1:
        return getattr(from_sympy(node.args[0], symbols, where), FUNCTIONS[kind])()
    raise ParameterError(
        f"{where}: {kind} in the angle {node} has no counterpart; there are + - * / **, sqrt, "
        f"{', '.join(FUNCTIONS.values())}. Give the symbol a value first."
    )


def rewritten(param: Parameter | Expression, algebra: SimpleNamespace, leaf: Callable[[Parameter], Any]) -> Any:
    """Our parameter or expression in another algebra.

    Args:
        param: what to write. algebra: its functions, by the names that ours have.
        leaf: f(parameter) -> that of the other algebra.
    """
    if isinstance(param, Parameter):
        return leaf(param)
    return evaluate(algebra, param.code, param.numbers, [leaf(p) for p in param.params])


def to_sympy(param: Parameter | Expression, sympy: Any) -> Any:
    """Our parameter or expression as SymPy's; elements of vectors are symbols such as `theta[3]`, counted in order."""
    algebra = SimpleNamespace(**{ours: getattr(sympy, theirs) for theirs, ours in FUNCTIONS.items()}, sqrt=sympy.sqrt)
    return rewritten(
        param, algebra, lambda p: sympy.Symbol(p.name if p.vector is None else f"{p.vector.name}[{p.index}]")
    )
