"""What a checkpoint must agree on with the training that goes on from it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from qsim._typing import PyTree
from qsim.training.identity import digest, digest_of_function
from qsim.training.loop import Inputs, Place
from qsim.training.names import leaf_names
from qsim.training.problem import Problem

Table = list[list[Any]]
"""[name, shape, dtype] of each array."""


@dataclass(frozen=True)
class Description:
    """A training without its values.

    Attributes:
        params, opt_state, rows: the arrays of the parameters, the optimizer's state, and a step's losses and metrics.
        loss, optimizer, data, key: digests.
        tag: the user's word for what the loss is, or None.
        written_by: versions, precision and platform.
    """

    params: Table
    opt_state: Table
    rows: Table
    loss: str
    optimizer: str
    data: str
    key: str
    tag: str | None
    written_by: dict[str, Any]


def describe(problem: Problem, place: Place, inputs: Inputs, tag: str | None) -> Description:
    """The description of a training; traces its loss and its optimizer."""
    batch, _ = jax.eval_shape(lambda: inputs.data.take(place.step, inputs.data.begin()))
    zeros = jax.tree.map(jnp.zeros_like, place.params)

    def update(params: PyTree, opt_state: PyTree, key: Any) -> Any:
        def value_fn(params: PyTree, key: Any = None) -> Any:
            del key
            return sum(jnp.sum(leaf) for leaf in jax.tree.leaves(params))

        update = optax.with_extra_args_support(problem.optimizer).update
        value = jnp.zeros((), jnp.result_type(*jax.tree.leaves(params)))
        return update(zeros, opt_state, params, value=value, grad=zeros, value_fn=value_fn, key=key)

    traced, value = jax.make_jaxpr(problem.value, return_shape=True)(place.params, batch, inputs.key)
    rows = {"loss": value, **jax.eval_shape(problem.noted, place.params, batch, inputs.key)}
    return Description(
        params=table(place.params, "params"),
        opt_state=table(place.opt_state, "state"),
        rows=table(rows, "loss"),
        loss="" if tag is not None else digest(traced),
        optimizer=digest_of_function(update, place.params, place.opt_state, inputs.key),
        data=digest((type(inputs.data).__name__, vars_of(inputs.data))),
        key=digest((str(jax.random.key_impl(inputs.key)), inputs.key)),
        tag=tag,
        written_by=versions(),
    )


def vars_of(data: Any) -> list[Any]:
    """The arrays of the data and what is static about them."""
    leaves, tree = jax.tree.flatten(data)
    return [str(tree), *leaves]


def table(tree: PyTree, root: str) -> Table:
    """The arrays of a pytree."""
    leaves = jax.tree.leaves(tree)
    return [
        [name, list(leaf.shape), str(leaf.dtype)] for name, leaf in zip(leaf_names(tree, root), leaves, strict=True)
    ]


def versions() -> dict[str, Any]:
    """What the bits of a training depend on beside its arguments."""
    found: dict[str, Any] = {name: _version(name) for name in ("qsim-jax", "jax", "jaxlib", "optax")}
    return found | {"x64": bool(jnp.zeros(()).dtype == np.float64), "platform": jax.default_backend()}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"
