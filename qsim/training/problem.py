"""One step of a training: loss, gradient, update, and what is written down about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from qsim._errors import TrainingError
from qsim._typing import Array, Key, PyTree
from qsim.gradients.free import GradientFree


@dataclass(frozen=True, eq=False)
class Problem:
    """What is minimised and how; a pure function of arrays once they are given.

    Attributes:
        loss: f(params), f(params, batch), either with `key=` too. metrics: likewise, or None.
        optimizer: the transformation as it was given.
        has_data: whether loss and metrics are given a batch.
        loss_takes_key, metrics_take_key: whether they are given a key.
    """

    loss: Callable[..., Any]
    metrics: Callable[..., Any] | None
    optimizer: optax.GradientTransformation
    has_data: bool
    loss_takes_key: bool
    metrics_take_key: bool

    def value(self, params: PyTree, batch: PyTree, key: Key) -> Array:
        """The loss, a real number.

        Raises:
            TrainingError: it is something else.
        """
        found = self._call(self.loss, self.loss_takes_key, params, batch, key)
        if not isinstance(found, (int, float, complex, np.ndarray, np.generic, jax.Array)):
            raise TrainingError(
                f"Argument `loss` must return one number, but returns {kind_of(found)}. What else there is to "
                "return goes to `metrics`."
            )
        array = jnp.asarray(found)
        if array.shape:
            raise TrainingError(
                f"Argument `loss` must return one number, but returns an array of shape {array.shape}. "
                "Try its mean() or sum()."
            )
        if not jnp.issubdtype(array.dtype, jnp.floating):
            hint = " Try its real part." if jnp.issubdtype(array.dtype, jnp.complexfloating) else " Try a float."
            raise TrainingError(f"Argument `loss` must return a real number, but returns {array.dtype}.{hint}")
        return array

    def noted(self, params: PyTree, batch: PyTree, key: Key) -> dict[str, Array]:
        """The metrics by name.

        Raises:
            TrainingError: they are no mapping of names to arrays.
        """
        if self.metrics is None:
            return {}
        found = self._call(self.metrics, self.metrics_take_key, params, batch, key)
        if not isinstance(found, Mapping) or not all(isinstance(name, str) for name in found) or "loss" in found:
            raise TrainingError(
                "Argument `metrics` must return a dict of arrays by name, other names than 'loss', but returns "
                f"{sorted(found, key=str) if isinstance(found, Mapping) else kind_of(found)}."
            )
        try:
            return {name: jnp.asarray(found[name]) for name in sorted(found)}
        except (TypeError, ValueError):
            kinds = ", ".join(f"{name!r}: {kind_of(value)}" for name, value in found.items())
            raise TrainingError(
                f"Argument `metrics` must return a dict of arrays by name, but returns {kinds}."
            ) from None

    def step(
        self, params: PyTree, opt_state: PyTree, batch: PyTree, key: Key, number: Array
    ) -> tuple[PyTree, PyTree, dict[str, Array]]:
        """One step from `params`.

        Args:
            params, opt_state: where it begins. batch: of this step.
            key: of the whole training. number: of the step.

        Returns:
            The next params and state, and the loss and the metrics at `params`.
        """
        folded = jax.random.fold_in(key, number)
        loss_key, step_key = jax.random.fold_in(folded, 0), jax.random.fold_in(folded, 1)

        def value_fn(params: PyTree, key: Any = None) -> Array:
            # line searches hand on the keywords that this takes, and stop at others
            del key
            return self.value(params, batch, loss_key)

        free = isinstance(self.optimizer, GradientFree)
        if free:
            value, grads = value_fn(params), jax.tree.map(jnp.zeros_like, params)
        else:
            value, grads = jax.value_and_grad(value_fn)(params)
        update = optax.with_extra_args_support(self.optimizer).update
        updates, after = update(grads, opt_state, params, value=value, grad=grads, value_fn=value_fn, key=step_key)
        reported = getattr(after, "value", None) if free else None
        if reported is not None:
            value = jnp.asarray(reported, value.dtype)  # the other is then computed by nobody
        row = {"loss": value, **self.noted(params, batch, loss_key)}
        return like(optax.apply_updates(params, updates), params, "params"), like(after, opt_state, "its state"), row

    def _call(self, function: Callable[..., Any], takes_key: bool, params: PyTree, batch: PyTree, key: Key) -> Any:
        arguments = (params, batch) if self.has_data else (params,)
        return function(*arguments, key=key) if takes_key else function(*arguments)


def kind_of(found: Any) -> str:
    """What a function returned, in a word or two."""
    return "an array" if isinstance(found, jax.Array) else type(found).__name__


def like(new: PyTree, old: PyTree, what: str) -> PyTree:
    """`new` with the dtypes of `old`: a loop carries what does not change its type.

    Raises:
        TrainingError: the optimizer gives another structure, shape or kind of number back.
    """
    if jax.tree.structure(new) != jax.tree.structure(old):
        raise TrainingError(f"Argument `optimizer` must keep the structure of {what}, but changes it in a step.")

    def convert(new: Any, old: Any) -> Any:
        if jnp.shape(new) != jnp.shape(old):
            raise TrainingError(
                f"Argument `optimizer` must keep the shapes in {what}, but makes {jnp.shape(new)} of {jnp.shape(old)}."
            )
        return new if jnp.result_type(new) == old.dtype else jnp.asarray(new, old.dtype)

    return jax.tree.map(convert, new, old)
