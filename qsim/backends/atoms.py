"""Composed results taken apart: the single results that a backend must give, and the rest, which JAX computes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import jax

from qsim._typing import PyTree
from qsim.methods.base import AbstractState
from qsim.results.base import Context, Result, pytree


@pytree("value")
@dataclass(frozen=True, eq=False)
class Given(Result):
    """A result whose value is already known; stands in the place of one that a backend gave."""

    value: PyTree
    needs = frozenset()
    differentiable = True

    def check(self, context: Context) -> None:
        return None

    def evaluate(self, state: AbstractState | None, context: Context) -> PyTree:
        return self.value


def is_result(node: Any) -> bool:
    """True for a result: where a pytree of results ends."""
    return isinstance(node, Result)


def is_atom(node: Any) -> bool:
    """True for a result that is not made of other results."""
    if not isinstance(node, Result):
        return False
    inner = jax.tree.leaves(node, is_leaf=lambda child: child is not node and isinstance(child, Result))
    return not any(isinstance(child, Result) for child in inner)


def atoms_of(results: PyTree) -> list[Result]:
    """The single results that `results`, arithmetic and `Map` included, are made of; in order."""
    return [leaf for leaf in jax.tree.leaves(results, is_leaf=is_atom) if isinstance(leaf, Result)]


def compose(results: PyTree, values: list[PyTree], context: Context) -> PyTree:
    """The values of `results` from the values of its atoms, in the order of `atoms_of`."""
    leaves, tree = jax.tree.flatten(results, is_leaf=is_atom)
    given = iter(values)
    known = jax.tree.unflatten(tree, [Given(next(given)) if isinstance(leaf, Result) else leaf for leaf in leaves])
    keyless = replace(context, key=None)
    return jax.tree.map(lambda result: result.evaluate(None, keyless), known, is_leaf=is_result)
