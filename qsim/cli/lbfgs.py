"""Minimising an energy step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np
import optax

from qsim._errors import ResultError

MEMORY = 20
"""How many past steps the model of the curvature is made of."""

GRADIENT_TOLERANCE = 3e-4
LONGEST_STEP = 0.5
HALVINGS = 8

ValueAndGrad = Callable[[Any], tuple[Any, Any]]


def minimize(energy: Callable[[Any], Any], start: np.ndarray, steps: int) -> Iterator[float]:
    """Minimise by L-BFGS with a backtracking line search; yields the energy at the start and after each step.

    One compiled program gives value and gradient. The search runs on the host, so that
    nothing is compiled twice. It ends early where the gradient is small (3e-4 in every
    angle) or no step lowers the energy any more.
    Reference: D. C. Liu and J. Nocedal, doi:10.1007/BF01589116.

    Args:
        energy: f(angles) -> real scalar, traceable.
        start: the angles to start from, radians, any shape.
        steps: how many steps to take at most.

    Raises:
        ResultError: the energy is not a number.

    Example:
        >>> import jax.numpy as jnp
        >>> *_, last = minimize(lambda t: jnp.sum(1 - jnp.cos(t)), np.array([0.5, -1.0]), 20)
        >>> last < 1e-6
        True
    """
    value_and_grad = jax.jit(jax.value_and_grad(energy))
    quasi_newton = optax.scale_by_lbfgs(memory_size=MEMORY)
    direction = jax.jit(quasi_newton.update)
    theta = jax.numpy.asarray(start)
    state = quasi_newton.init(theta)
    value, gradient = value_and_grad(theta)
    yield _finite(value)
    for _ in range(steps):
        if theta.size == 0 or float(abs(gradient).max()) < GRADIENT_TOLERANCE:
            return
        move, state = direction(gradient, state, theta)
        slope = float((move * gradient).sum())
        if slope <= 0:
            # the model of the curvature went wrong: forget it and go down the gradient
            state = quasi_newton.init(theta)
            move, slope = gradient, float((gradient**2).sum())
        found = _search(value_and_grad, theta, move, slope, float(value))
        if found is None:
            return
        theta, value, gradient = found
        yield _finite(value)


def _search(
    value_and_grad: ValueAndGrad, theta: Any, move: Any, slope: float, value: float
) -> tuple[Any, Any, Any] | None:
    """The first point along -move, halving the way, where the energy falls as the slope promises; None if none."""
    length = min(1.0, LONGEST_STEP / float(abs(move).max()))
    for _ in range(HALVINGS):
        trial = theta - length * move
        found, gradient = value_and_grad(trial)
        if float(found) < value - 1e-4 * length * slope:
            return trial, found, gradient
        length /= 2
    return None


def _finite(value: Any) -> float:
    energy = float(value)
    if not np.isfinite(energy):
        raise ResultError(f"The energy must be a number, but became {energy}.")
    return energy
