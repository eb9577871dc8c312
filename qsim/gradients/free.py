"""Optimisers that need no gradient: how a training loop tells them from the others."""

from __future__ import annotations

import optax


class GradientFree(optax.GradientTransformationExtraArgs):
    """An optax transformation that finds its own way: it calls the loss and needs no gradient.

    `qsim.training.minimize` computes no gradient for an instance of this class. Its
    `update(grads, state, params, *, value, grad, value_fn, key)` gets zeros for `grads`;
    `value_fn(params)` is the loss with the batch and the key of this step, and `key` is
    fresh in every step. A state with a field `value` reports the loss of the step from
    evaluations that were made anyway, and `value` is then not computed for the history.

    Args:
        init: params -> state.
        update: the function above -> (updates, state).

    Example:
        >>> import jax
        >>> import optax
        >>> from qsim.gradients.free import GradientFree
        >>> from qsim.training import minimize
        >>> def update(grads, state, params, *, value_fn, key, **rest):
        ...     move = 0.1 * jax.random.normal(key, params.shape)
        ...     return jax.numpy.where(value_fn(params + move) < value_fn(params), move, 0.0), state
        >>> walk = GradientFree(lambda params: optax.EmptyState(), update)
        >>> minimize(lambda t: (t**2).sum(), jax.numpy.ones(2), walk, steps=200, progress=False).loss < 0.1
        True
    """

    __slots__ = ()
