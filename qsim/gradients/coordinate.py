"""Rotosolve: one parameter after the other, each to its exact minimum."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax
from jax.flatten_util import ravel_pytree

from qsim._errors import CircuitError, MethodError, ParameterError
from qsim._typing import Array, PyTree
from qsim.gradients.ansatz import check_declared, check_real
from qsim.gradients.free import GradientFree
from qsim.gradients.frequencies import parameter_frequencies
from qsim.gradients.perturbation import Loss, scalar
from qsim.ir.circuit import Circuit

GRID, NEWTON_STEPS = 16, 6
"""Points per period of the highest frequency among which the minimum is looked for, and the steps that refine it."""
MAX_POINTS = 4096
MAX_CONDITION = 1e4


class Curves(NamedTuple):
    """What is the same for all parameters with the same frequencies; one row for each set of them, padded.

    Attributes:
        shifts: where the loss is evaluated, (S, M).
        frequencies: (S, R), 0 where there are fewer.
        inverse: from the M values to a constant, R cosines and R sines, (S, 2R + 1, M).
        windows: how far a minimum may be, (S,).
    """

    shifts: Array
    frequencies: Array
    inverse: Array
    windows: Array


def rotosolve(circuit: Circuit | None = None, *, frequencies: Sequence[float] | None = None) -> GradientFree:
    """Exact minimisation along one parameter after the other: no gradient, no learning rate.

    An expectation value is, in one parameter with the others fixed, a + sum_w (b_w cos w t + c_w sin w t) with
    known frequencies w. With R of them, 2R + 1 values fix the curve; the parameter goes to its
    lowest point, and the next one follows. For gates exp(-i t P / 2) that stand once in the circuit, R = 1, w = 1 and
    three values do. One update is one sweep over all P parameters: P (2R + 1) values, side by side for each
    parameter, in one compiled loop.

    The loss must be such a curve: an expectation value, or a sum of some with fixed weights. For squares of them,
    entropies, or classical parameters in between, a sweep may go up: take another optimizer.

    Args:
        circuit: where the parameters stand, which gives each its frequencies: a gate with other eigenvalues than
            +-1/2, a factor in the angle and repeated use all count. None: see `frequencies`.
        frequencies: positive numbers, those of every parameter where no circuit is given; None is (1,): each
            parameter turns one gate exp(-i t P / 2), P^2 = 1. It is not checked.

    Returns:
        A `GradientFree` transformation; `update(updates, state, params, value_fn=loss)` needs the loss,
        params -> scalar. It has no state.

    Raises:
        CircuitError: something that is not a circuit.
        ParameterError: an angle that is not a * parameter + b; from `init`: params that are not real floats, or not
            those of the circuit.
        MethodError: an operation with unknown spectrum, too many frequencies, frequencies that are not positive or
            too close; from `update`: no value_fn.

    Reference: M. Ostaszewski et al., arXiv:1905.09692; frequencies as in J. G. Vidal and D. O. Theis,
    arXiv:1812.06323.

    Example:
        >>> import jax, optax
        >>> from qsim import Circuit, ParameterVector, X, Z, execute
        >>> from qsim.gradients import rotosolve
        >>> from qsim.results import Expectation
        >>> t = ParameterVector("t", 2)
        >>> circuit = Circuit(2).ry(t[0], 0).cx(0, 1).ry(t[1], 1)
        >>> energy = lambda params: execute(circuit, Expectation(Z(0) @ Z(1) + X(0) @ X(1)), params)
        >>> optimizer, params = rotosolve(circuit), {"t": jax.numpy.array([0.3, 0.2])}
        >>> state = optimizer.init(params)
        >>> for _ in range(5):
        ...     updates, state = optimizer.update(params, state, params, value_fn=energy)
        ...     params = optax.apply_updates(params, updates)
        >>> print(f"{energy(params):.4f}")
        -2.0000
    """
    if circuit is not None and not isinstance(circuit, Circuit):
        raise CircuitError(
            f"Argument `circuit` of rotosolve must be a Circuit, but is {type(circuit).__name__}. For a loss without "
            "one say rotosolve(frequencies=...)."
        )
    if circuit is not None and frequencies is not None:
        raise MethodError("rotosolve reads the frequencies from the circuit. Leave out one of the two.")
    if circuit is None:
        sets, which = [_checked(frequencies)], None
    else:
        circuit = circuit.copy()
        found = parameter_frequencies(circuit)
        sets = sorted({f for f in found if f})
        which = np.array([sets.index(f) if f else -1 for f in found], np.int32)
    curves = _curves(sets) if sets else None

    def check(params: PyTree) -> None:
        check_real(params)
        if circuit is not None:
            check_declared(circuit, params)

    def init(params: PyTree) -> optax.EmptyState:
        check(params)
        return optax.EmptyState()

    def update(
        updates: PyTree, state: Any, params: PyTree = None, *, value_fn: Loss | None = None, **extra: Any
    ) -> tuple[PyTree, Any]:
        if params is None:
            raise ParameterError("rotosolve needs the params: optimizer.update(updates, state, params, value_fn=loss).")
        if value_fn is None or not callable(value_fn):
            raise MethodError(
                "rotosolve looks at the loss itself. Try optimizer.update(updates, state, params, value_fn=loss), or "
                "qsim.training.minimize, which passes it."
            )
        check(params)
        flat, unravel = ravel_pytree(params)
        kinds = np.zeros(flat.shape[0], np.int32) if which is None else which
        if curves is None or not (kinds >= 0).any():
            return jax.tree.map(jnp.zeros_like, params), state
        swept = _sweep(lambda x: scalar(value_fn(unravel(x))), flat, curves, kinds)
        return unravel(swept - flat), state

    return GradientFree(init, update)


def _sweep(loss: Callable[[Array], Array], flat: Array, curves: Curves, kinds: np.ndarray) -> Array:
    """The params (P,) after each of those with frequencies was brought to its minimum."""
    tables = Curves(*[jnp.asarray(table, flat.dtype) for table in curves])
    points = _grid_points(curves)
    places = np.flatnonzero(kinds >= 0).astype(np.int32)

    def step(flat: Array, at: tuple[Array, Array]) -> tuple[Array, None]:
        place, kind = at
        shifts, frequencies, inverse, window = (table[kind] for table in tables)
        values = jax.vmap(lambda shift: loss(flat.at[place].add(shift)))(shifts).astype(flat.dtype)
        middle = jnp.mean(values)
        # around their mean: a large constant would take the precision of the rest
        parts = jnp.matmul(inverse, values - middle, precision=lax.Precision.HIGHEST)
        noise = 16 * float(jnp.finfo(flat.dtype).eps) * jnp.max(jnp.abs(values))
        return flat.at[place].add(_lowest(parts, frequencies, window, points, noise)), None

    return lax.scan(step, flat, (jnp.asarray(places), jnp.asarray(kinds[places])))[0]


def _lowest(parts: Array, frequencies: Array, window: Array, points: int, noise: Array) -> Array:
    """Where a + sum_w (b_w cos w t + c_w sin w t) is lowest for |t| <= window / 2; 0 where that is no gain."""
    count = frequencies.shape[0]
    cosines, sines = parts[1 : 1 + count], parts[1 + count :]

    def curve(t: Array) -> Array:
        angles = t[..., None] * frequencies
        return parts[0] + jnp.sum(cosines * jnp.cos(angles) + sines * jnp.sin(angles), axis=-1)

    def refine(_: int, t: Array) -> Array:
        angles = t * frequencies
        slope = jnp.sum(frequencies * (sines * jnp.cos(angles) - cosines * jnp.sin(angles)))
        bend = -jnp.sum(frequencies**2 * (cosines * jnp.cos(angles) + sines * jnp.sin(angles)))
        move = slope / jnp.where(bend > 0, bend, 1)
        return t - jnp.where(bend > 0, jnp.clip(move, -window / points, window / points), 0)

    grid = (jnp.arange(points, dtype=parts.dtype) / points - 0.5) * window
    best = grid[jnp.argmin(curve(grid))]
    best = lax.fori_loop(0, NEWTON_STEPS, refine, best)
    return jnp.where(curve(jnp.zeros_like(best)) - curve(best) > noise, best, 0)


def _curves(sets: Sequence[tuple[float, ...]]) -> Curves:
    """The tables of sets of frequencies."""
    most = max(map(len, sets))
    count = 2 * most + 1
    shifts, padded = np.zeros((len(sets), count)), np.zeros((len(sets), most))
    inverse, windows = np.zeros((len(sets), count, count)), np.zeros(len(sets))
    for row, own in enumerate(sets):
        omega = np.array(own)
        shifts[row], solved = _samples(omega, count)
        padded[row, : len(own)] = omega
        inverse[row, [0, *range(1, 1 + len(own)), *range(1 + most, 1 + most + len(own))]] = solved
        windows[row] = 2 * math.pi / _base(omega)
    return Curves(shifts, padded, inverse, windows)


def _samples(omega: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Where to evaluate, 0 among it, and the matrix from values to parts that amplifies noise least."""
    best: tuple[float, np.ndarray, np.ndarray] | None = None
    for base in (_base(omega), *np.geomspace(omega.min() / 2, omega.max(), 64)):
        shifts = 2 * np.pi * (np.arange(count) - count // 2) / (base * count)
        angles = np.outer(shifts, omega)
        system = np.concatenate([np.ones((count, 1)), np.cos(angles), np.sin(angles)], axis=1)
        condition = float(np.linalg.cond(system))
        if best is None or condition < 0.99 * best[0]:
            best = condition, shifts, np.linalg.pinv(system)
    if best is None or best[0] > MAX_CONDITION:
        raise MethodError(f"rotosolve cannot tell the frequencies {omega.tolist()} apart: they are too close.")
    return best[1], best[2]


def _base(omega: np.ndarray) -> float:
    """The frequency of which all are multiples; without one, the smallest difference."""
    for parts in range(1, 65):
        base = float(omega.min()) / parts
        if np.allclose(omega / base, np.round(omega / base), atol=1e-6):
            return base
    return float(np.diff(np.concatenate([[0.0], np.sort(omega)])).min())


def _grid_points(curves: Curves) -> int:
    """How many points show every valley of every curve."""
    turns = float(np.max(np.max(curves.frequencies, axis=1) * curves.windows)) / (2 * math.pi)
    return min(MAX_POINTS, GRID * max(1, math.ceil(turns)))


def _checked(frequencies: Sequence[float] | None) -> tuple[float, ...]:
    if frequencies is None:
        return (1.0,)
    try:
        found = tuple(sorted({float(w) for w in frequencies}))
    except (TypeError, ValueError):
        found = ()
    if not found or not all(0 < w < math.inf for w in found):
        raise MethodError(f"Argument `frequencies` must be positive numbers, but is {frequencies!r}.")
    return found
