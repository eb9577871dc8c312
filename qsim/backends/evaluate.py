"""Results of a state that was found on the host, through programs kept by structure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import jax

from qsim._typing import Array, PyTree
from qsim.methods.operator import OperatorState
from qsim.methods.pure import PureState
from qsim.results.base import Context
from qsim.results.program import evaluate_all

MAX_PROGRAMS = 64


def evaluate_array(results: PyTree, array: Array, context: Context) -> PyTree:
    """The values of `results` for amplitudes (2^n,), or for the matrix (2^n, 2^n) of a circuit."""
    leaves, tree = jax.tree.flatten(results)
    return _program(tree, replace(context, key=None))(leaves, array, context.key)


@lru_cache(maxsize=MAX_PROGRAMS)
def _program(tree: Any, context: Context) -> Callable[..., PyTree]:
    def evaluate(leaves: list[Array], array: Array, key: Array | None) -> PyTree:
        state = PureState(array) if array.ndim == 1 else OperatorState(array)
        return evaluate_all(jax.tree.unflatten(tree, leaves), state, replace(context, key=key))

    return jax.jit(evaluate)
