"""QN-SPSA: natural gradients from a few values of the loss and a few fidelities per step."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import lax

from qsim._checks import check_int
from qsim._errors import MethodError
from qsim._typing import Array, Key, PyTree
from qsim.gradients.ansatz import Ansatz, Source
from qsim.gradients.fidelity import Fidelities, exact_fidelities, measured_fidelities
from qsim.gradients.free import GradientFree
from qsim.gradients.perturbation import (
    ALPHA,
    GAMMA,
    STABILITY,
    Loss,
    check_extras,
    estimated_gradient,
    gain_sequences,
    scalar,
)
from qsim.ir.parameter import is_number
from qsim.methods import Method
from qsim.rules.spsa import random_signs


class MetricState(NamedTuple):
    """How many steps were made, an int32 scalar, and the mean of the metric's estimates, (P, P)."""

    count: Array
    metric: Array


def qn_spsa(
    circuit: Source,
    learning_rate: optax.ScalarOrSchedule = 0.05,
    step: optax.ScalarOrSchedule = 0.01,
    *,
    samples: int = 1,
    damping: float = 1e-2,
    blocking: float | None = None,
    alpha: float = ALPHA,
    gamma: float = GAMMA,
    stability: float = STABILITY,
    shots: int | None = None,
    on: Any = None,
    method: Method | None = None,
) -> GradientFree:
    """Natural gradient by simultaneous perturbation: two values of the loss and four fidelities per step.

    The gradient is estimated as by `spsa`. The Fubini-Study metric g_ij = -1/2 d_i d_j F at other = params, with
    F(params, other) = |<psi(params)|psi(other)>|^2, is estimated from two directions of random signs d, e:

        D = F(t, t + c d + c e) - F(t, t + c d) - F(t, t - c d + c e) + F(t, t - c d),
        g^ = -1/2 * D / 2c^2 * (d e^T + e d^T) / 2,

    whose mean is g up to O(c^2). One estimate has rank 2, so all of them are averaged: after step k the metric is
    k/(k+1) times the one before plus 1/(k+1) times the new one, k = 1, 2, ..., from the identity. It need not be
    positive; what divides the gradient is |g| + damping, by its eigenvalues. The step is -a_k (|g| + damping)^-1 times
    the gradient, with the gain sequences of `spsa`.

    Args:
        circuit: whose states are meant, as for `natural_gradient`.
        learning_rate, step, samples, alpha, gamma, stability: as for `spsa`; a step costs 2 * samples values
            of the loss and 4 * samples fidelities. Exact values take a small `step`, values from shots one of 0.1.
        damping: what is added to the eigenvalues of |g|.
        blocking: a step after which the loss is higher by more than this is not made, at the cost of one
            more value; for noisy losses take twice the standard deviation. None makes every step.
        shots: measure each fidelity in so many shots, by the circuit and then its inverse; None
            is exact, from the amplitudes of a simulator.
        on: where fidelities are measured, as for `execute`; needs `shots`.
        method: how to simulate exact fidelities, as for `execute`.

    Returns:
        A `GradientFree` transformation; `update(updates, state, params, value_fn=loss, key=key)` needs both,
        and takes `value`, the loss at params, where it is known. Its state holds a matrix (P, P).

    Raises:
        MethodError: arguments out of range; from `update`: no value_fn, no key, or a function that gives
            amplitudes where fidelities are to be measured.
        ParameterError: from `init`: params that are not real floats, or not those of the circuit.
        CircuitError: not a circuit.

    Reference: J. Gacon et al., arXiv:2103.09232.

    Example:
        >>> import jax, optax
        >>> from qsim import Circuit, Parameter, Z, execute
        >>> from qsim.gradients import qn_spsa
        >>> from qsim.results import Expectation
        >>> circuit = Circuit(1).ry(Parameter("t"), 0)
        >>> energy = lambda params: execute(circuit, Expectation(Z(0)), params)
        >>> optimizer, params = qn_spsa(circuit, learning_rate=0.5), {"t": jax.numpy.float32(0.5)}
        >>> state = optimizer.init(params)
        >>> for key in jax.random.split(jax.random.key(0), 20):
        ...     updates, state = optimizer.update(params, state, params, value_fn=energy, key=key)
        ...     params = optax.apply_updates(params, updates)
        >>> print(f"{energy(params):.2f}")
        -1.00
    """
    ansatz = Ansatz(circuit, method)
    samples = check_int("samples", samples, MethodError, minimum=1)
    rate, width = gain_sequences(learning_rate, step, alpha, gamma, stability)
    if not is_number(damping) or not 0 < damping < math.inf:
        raise MethodError(f"Argument `damping` must be a positive number, but is {damping!r}.")
    if blocking is not None and not (is_number(blocking) and blocking >= 0):
        raise MethodError(f"Argument `blocking` must be a number of at least 0, or None, but is {blocking!r}.")
    if shots is None and on is not None:
        raise MethodError("Argument `on` says where fidelities are measured, which needs `shots`. Try shots=1000.")
    if shots is not None:
        shots = check_int("shots", shots, MethodError, minimum=1)

    def init(params: PyTree) -> MetricState:
        flat = ansatz.flat(params)[0]
        return MetricState(jnp.zeros((), jnp.int32), jnp.eye(flat.shape[0], dtype=flat.dtype))

    def update(
        updates: PyTree,
        state: Any,
        params: PyTree = None,
        *,
        value: Array | None = None,
        value_fn: Loss | None = None,
        key: Key = None,
        **extra: Any,
    ) -> tuple[PyTree, MetricState]:
        loss = check_extras("qn_spsa", params, value_fn, key)
        flat, unravel = ansatz.flat(params)
        count = optax.safe_increment(state.count)
        if flat.shape[0] == 0:
            return updates, MetricState(count, state.metric)
        size = width(state.count).astype(flat.dtype)
        keys = jax.random.split(key, 3)
        signs = random_signs(keys[0], samples, flat.shape[0], flat.dtype)
        gradient = estimated_gradient(lambda x: loss(unravel(x)), flat, signs, size)
        if shots is None:
            fidelities = exact_fidelities(ansatz, unravel)
        else:
            fidelities = measured_fidelities(ansatz, unravel, shots, on)
        pairs = random_signs(keys[1], 2 * samples, flat.shape[0], flat.dtype).reshape(2, samples, -1)
        found = estimated_metric(fidelities, flat, pairs, size, keys[2])
        weight = jnp.asarray(count, flat.dtype)
        metric = (state.metric * weight + found) / (weight + 1)
        move = -rate(state.count).astype(flat.dtype) * _divided(metric, gradient, damping)
        if blocking is not None:
            before = scalar(loss(params) if value is None else value)
            move = jnp.where(scalar(loss(unravel(flat + move))) <= before + blocking, move, 0)
        return unravel(move), MetricState(count, metric)

    return GradientFree(init, update)


def estimated_metric(fidelities: Fidelities, flat: Array, pairs: Array, size: Array, key: Key) -> Array:
    """The mean estimate of the metric, (P, P), from pairs of directions (2, S, P)."""
    first, second = pairs * size
    ends = jnp.concatenate([flat + first + second, flat + first, flat - first + second, flat - first])
    both, up, across, down = fidelities(flat, ends, key).astype(flat.dtype).reshape(4, -1)
    curvature = (both - up - across + down) / (2 * size**2)
    outer = jnp.einsum("s,si,sj->ij", curvature, pairs[0], pairs[1], precision=lax.Precision.HIGHEST)
    return -(outer + outer.T) / (4 * pairs.shape[1])


def _divided(metric: Array, gradient: Array, damping: float) -> Array:
    """(|metric| + damping)^-1 gradient."""
    values, vectors = jnp.linalg.eigh(metric)
    along = jnp.matmul(vectors.T, gradient, precision=lax.Precision.HIGHEST)
    return jnp.matmul(vectors, along / (jnp.abs(values) + damping), precision=lax.Precision.HIGHEST)
