"""A function of results, run in the same program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax

from qsim._errors import ResultError
from qsim.methods.base import AbstractState
from qsim.results.base import Context, Result, nested, pytree

Array = Any


@pytree("results")
@dataclass(frozen=True, eq=False)
class Map(Result):
    """`fn` of the value of a result, or of the values of a pytree of results.

    Args:
        fn: a pure function of arrays that JAX can trace. Name it outside the loop that
            runs it: a new lambda each time is traced each time.
        results: a result, or any pytree of them; `fn` gets one argument of that shape.

    Raises:
        ResultError: `fn` cannot be called, or something in `results` is no result.

    Example:
        >>> from qsim import Circuit, execute
        >>> from qsim.results import Map, Probabilities
        >>> float(execute(Circuit(1).x(0), Map(lambda p: p[1] - p[0], Probabilities())))
        1.0
    """

    fn: Callable[[Any], Any]
    results: Any

    def __post_init__(self) -> None:
        if not callable(self.fn):
            raise ResultError(f"Map: argument `fn` must be a function, but is {type(self.fn).__name__}.")
        for leaf in self._leaves():
            if not isinstance(leaf, Result):
                raise ResultError(f"Map: argument `results` must hold results, but holds {type(leaf).__name__}.")

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]
        return frozenset().union(*(r.needs for r in self._leaves()))

    @property
    def differentiable(self) -> bool:  # type: ignore[override]
        return all(r.differentiable for r in self._leaves())

    def check(self, context: Context) -> None:
        for result in self._leaves():
            result.check(context)

    def evaluate(self, state: AbstractState, context: Context) -> Any:
        leaves, structure = jax.tree.flatten(self.results, is_leaf=_is_result)
        values = [result.evaluate(state, nested(context, i)) for i, result in enumerate(leaves)]
        return self.fn(jax.tree.unflatten(structure, values))

    def _leaves(self) -> list[Any]:
        return jax.tree.leaves(self.results, is_leaf=_is_result)


def _is_result(node: Any) -> bool:
    return isinstance(node, Result)
