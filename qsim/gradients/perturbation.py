"""Simultaneous perturbation as an optimizer: two values of the loss per step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.flatten_util import ravel_pytree

from qsim._checks import check_int
from qsim._errors import MethodError, ParameterError
from qsim._typing import Array, Key, PyTree
from qsim.gradients.ansatz import check_real
from qsim.gradients.free import GradientFree
from qsim.ir.parameter import is_number
from qsim.rules.spsa import random_signs

ALPHA, GAMMA, STABILITY = 0.602, 0.101, 10.0
"""Spall's exponents of the two gain sequences, and the steps by which the first is delayed."""

Loss = Callable[[PyTree], Array]


class CountState(NamedTuple):
    """How many steps were made: an int32 scalar."""

    count: Array


def spsa(
    learning_rate: optax.ScalarOrSchedule = 0.2,
    step: optax.ScalarOrSchedule = 0.1,
    *,
    samples: int = 1,
    alpha: float = ALPHA,
    gamma: float = GAMMA,
    stability: float = STABILITY,
) -> GradientFree:
    """Simultaneous perturbation: two values of the loss per step, whatever the number of parameters.

    Step k = 0, 1, ... draws independent signs d, estimates g = (f(t + c_k d) - f(t - c_k d)) / 2c_k * d,
    and moves by -a_k g, with a_k = learning_rate / (k + 1 + stability)^alpha and c_k = step / (k + 1)^gamma.
    Made for losses with noise, from shots or devices, and for losses without a gradient.

    Calibration: take `step` of the order of the noise of one value (with exact values, small);
    `stability` about a tenth of the steps you intend; and the `learning_rate` with which the first steps
    move each parameter as far as you like, which `spsa_learning_rate` finds.

    Not to be confused with the gradient rule `SPSA()` for `execute(gradient=...)`: that one estimates
    the derivatives of a circuit's results by shifting its angles, for any optimizer to use; this one is an
    optimizer, shifts the params of the whole loss, and never asks for a gradient.

    Args:
        learning_rate: the numerator of a_k; or an optax schedule, k -> a_k itself.
        step: the numerator of c_k, in the unit of the params; or a schedule, k -> c_k itself.
        samples: how many directions are averaged; a step costs 2 * samples values, side by side.
        alpha, gamma: the exponents; Spall's practical choice, where 1 and 1/6 are the asymptotic one.
        stability: Spall's A, by which the first steps are kept small.

    Returns:
        A `GradientFree` transformation; `update(updates, state, params, value_fn=loss, key=key)`
        needs both: params -> scalar, and a new JAX key in every step.

    Raises:
        MethodError: arguments out of range; from `update`: no value_fn, or no key.
        ParameterError: from `init`: params that are not real floats.

    Reference: J. C. Spall, IEEE Trans. Aerosp. Electron. Syst. 34, 817 (1998), DOI 10.1109/7.705889.

    Example:
        >>> import jax, optax
        >>> from qsim.gradients import spsa
        >>> loss = lambda params: (params["x"] ** 2).sum()
        >>> optimizer, params = spsa(learning_rate=0.5), {"x": jax.numpy.array([1.0, -2.0])}
        >>> state = optimizer.init(params)
        >>> for key in jax.random.split(jax.random.key(0), 100):
        ...     updates, state = optimizer.update(params, state, params, value_fn=loss, key=key)
        ...     params = optax.apply_updates(params, updates)
        >>> bool(loss(params) < 0.01)
        True
    """
    samples = check_int("samples", samples, MethodError, minimum=1)
    rate, width = gain_sequences(learning_rate, step, alpha, gamma, stability)

    def init(params: PyTree) -> CountState:
        check_real(params)
        return CountState(jnp.zeros((), jnp.int32))

    def update(
        updates: PyTree,
        state: Any,
        params: PyTree = None,
        *,
        value_fn: Loss | None = None,
        key: Key = None,
        **extra: Any,
    ) -> tuple[PyTree, CountState]:
        loss = check_extras("spsa", params, value_fn, key)
        flat, unravel = ravel_pytree(params)
        after = CountState(optax.safe_increment(state.count))
        if flat.shape[0] == 0:
            return updates, after
        size = width(state.count).astype(flat.dtype)
        signs = random_signs(key, samples, flat.shape[0], flat.dtype)
        gradient = estimated_gradient(lambda x: loss(unravel(x)), flat, signs, size)
        return unravel(-rate(state.count).astype(flat.dtype) * gradient), after

    return GradientFree(init, update)


def spsa_learning_rate(
    loss: Loss,
    params: PyTree,
    key: Key,
    *,
    first_step: float = 0.2,
    step: float = 0.1,
    samples: int = 25,
    alpha: float = ALPHA,
    stability: float = STABILITY,
) -> Array:
    """The `learning_rate` with which the first step of `spsa` moves each parameter by about `first_step`.

    a = first_step (1 + stability)^alpha / mean |f(t + c d) - f(t - c d)| / 2c over random signs d.

    Args:
        loss: params -> scalar. params: where training begins. key: a JAX key.
        first_step: how far each parameter is to move, in its own unit.
        step, alpha, stability: as for `spsa`.
        samples: how many directions are averaged; it takes 2 * samples values.

    Returns:
        A real scalar; `first_step` (1 + stability)^alpha where the loss is flat.

    Raises:
        MethodError, ParameterError: as `spsa`.

    Example:
        >>> import jax
        >>> from qsim.gradients import spsa, spsa_learning_rate
        >>> loss = lambda params: 5 * params["x"]
        >>> rate = spsa_learning_rate(loss, {"x": 0.0}, jax.random.key(0), stability=0.0)
        >>> print(f"{rate:.3f}")
        0.040
        >>> optimizer = spsa(float(rate), stability=0.0)
    """
    samples = check_int("samples", samples, MethodError, minimum=1)
    gain_sequences(first_step, step, alpha, GAMMA, stability)
    check_real(params)
    loss = check_extras("spsa_learning_rate", params, loss, key)
    flat, unravel = ravel_pytree(params)
    signs = random_signs(key, samples, flat.shape[0], flat.dtype)
    slope = jnp.mean(jnp.abs(slopes(lambda x: loss(unravel(x)), flat, signs, jnp.asarray(step, flat.dtype))))
    return first_step * (1 + stability) ** alpha / jnp.where(slope > 0, slope, 1)


def check_rate(name: str, value: Any) -> None:
    """Refuse what is neither a positive number nor a schedule; the values of JAX arrays are not looked at.

    Raises:
        MethodError: it is something else.
    """
    if callable(value) or isinstance(value, jax.Array):
        return
    if np.ndim(value) or np.asarray(value).dtype.kind not in "iuf" or not 0 < value < np.inf:
        raise MethodError(f"Argument `{name}` must be a positive number or a schedule, but is {value!r}.")


def gain_sequences(
    learning_rate: Any, step: Any, alpha: float, gamma: float, stability: float
) -> tuple[Callable[[Array], Array], Callable[[Array], Array]]:
    """k -> a_k and k -> c_k; checked."""
    check_rate("learning_rate", learning_rate)
    check_rate("step", step)
    for name, value in (("alpha", alpha), ("gamma", gamma), ("stability", stability)):
        if not is_number(value) or not 0 <= value < np.inf:
            raise MethodError(f"Argument `{name}` must be a number of at least 0, but is {value!r}.")

    def decaying(numerator: Any, delay: float, exponent: float) -> Callable[[Array], Array]:
        if callable(numerator):
            return lambda count: jnp.asarray(numerator(count), float)
        return lambda count: jnp.asarray(numerator / (count + 1.0 + delay) ** exponent, float)

    return decaying(learning_rate, stability, alpha), decaying(step, 0.0, gamma)


def check_extras(name: str, params: PyTree, value_fn: Loss | None, key: Key) -> Loss:
    """The loss; refuses an update that lacks what `name` needs."""
    if params is None:
        raise ParameterError(f"{name} needs the params: optimizer.update(updates, state, params, value_fn=loss, ...).")
    if value_fn is None or not callable(value_fn):
        raise MethodError(
            f"{name} looks at the loss itself. Try optimizer.update(updates, state, params, value_fn=loss, ...), or "
            "qsim.training.minimize, which passes it."
        )
    if key is None:
        raise MethodError(
            f"{name} draws random directions and needs a key. Try key=jax.random.key(0), a new one a step."
        )
    if not hasattr(key, "dtype"):
        raise MethodError(f"Argument `key` must be a JAX key, but is {key!r}. Try key=jax.random.key(0).")
    return value_fn


def slopes(loss: Callable[[Array], Array], flat: Array, directions: Array, size: Array) -> Array:
    """(f(t + c d) - f(t - c d)) / 2c of directions (S, P): (S,)."""
    points = jnp.concatenate([flat + size * directions, flat - size * directions])
    values = jax.vmap(lambda x: scalar(loss(x)))(points).astype(flat.dtype)
    up, down = jnp.split(values, 2)
    return (up - down) / (2 * size)


def estimated_gradient(loss: Callable[[Array], Array], flat: Array, signs: Array, size: Array) -> Array:
    """The mean over directions (S, P) of slope * direction: (P,)."""
    return jnp.mean(slopes(loss, flat, signs, size)[:, None] * signs, axis=0)


def scalar(value: Any) -> Array:
    """A loss as a real scalar.

    Raises:
        MethodError: an array, or a complex number.
    """
    if jnp.shape(value) != () or jnp.iscomplexobj(value):
        what = "complex" if jnp.iscomplexobj(value) else f"of shape {jnp.shape(value)}"
        raise MethodError(f"A loss must be a real scalar, but is {what}.")
    return jnp.asarray(value)
