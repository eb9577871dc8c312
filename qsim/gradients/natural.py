"""The quantum natural gradient, as an optax transformation."""

from __future__ import annotations

import math
from typing import Any

import jax
import optax
from jax.flatten_util import ravel_pytree

from qsim._errors import MethodError, ParameterError
from qsim._typing import PyTree
from qsim.gradients.ansatz import Ansatz, Source
from qsim.gradients.layers import block_table
from qsim.gradients.perturbation import check_rate
from qsim.gradients.solvers import Direct, MetricSolver
from qsim.ir.parameter import is_number
from qsim.methods import Method


def natural_gradient(
    circuit: Source,
    learning_rate: optax.ScalarOrSchedule,
    *,
    blocks: PyTree | None = None,
    damping: float = 1e-3,
    solver: MetricSolver = Direct(),
    method: Method | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Steepest descent in the space of states: params <- params - learning_rate (g + damping)^-1 gradient.

    g is the Fubini-Study metric of the circuit (see `metric_tensor`): a step is as long as it moves the state,
    not the numbers, so that it does not depend on how the circuit is parametrised. For the energy of the
    circuit's states it is imaginary time evolution, projected. Each step finds the metric anew, which takes
    some 2 P runs of the circuit on top of the gradient; no loop goes over the parameters. The tangents are
    forward derivatives; with `solver=ConjugateGradient()` adjoint passes stand beside them and memory is that
    of a few states.

    As usual with optax there are two: this is the whole optimizer, and `scale_by_metric` only
    multiplies by the inverse metric, to be chained with other transformations.

    Args:
        circuit: whose states are meant: a `Circuit` with open parameters, which are then those that are
            trained; or a function from params to a circuit without any, or to amplitudes (2^n,).
        learning_rate: a number or an optax schedule. In units of the metric: 0.05 to 0.5 for energies of order 1.
        blocks: a pytree like params of ints: entries of g between different blocks count as 0. Try
            `parameter_layers(circuit)`. None is the full metric.
        damping: what is added to the diagonal of g (Tikhonov), which holds back directions that hardly
            move the state. A gate's own entry of g is 1/4 at most. 0 is the pseudoinverse.
        solver: `Direct()` factors g, and can cut small eigenvalues; `ConjugateGradient()` never has it.
        method: how to simulate for the metric, as for `execute`.

    Returns:
        An optax transformation. It is pure: works under `jax.jit`, `lax.scan` and `jax.vmap`.

    Raises:
        ParameterError: from `init` and `update`: params that are not real floats, or not those of the circuit.
        CircuitError, MethodError: a circuit, learning rate, damping, solver or method that cannot be.

    Reference: J. Stokes et al., arXiv:1909.02108.

    Example:
        >>> import jax, optax
        >>> from qsim import Circuit, Parameter, Z, execute
        >>> from qsim.gradients import natural_gradient
        >>> from qsim.results import Expectation
        >>> circuit = Circuit(1).ry(Parameter("t"), 0)
        >>> energy = lambda params: execute(circuit, Expectation(Z(0)), params)
        >>> optimizer, params = natural_gradient(circuit, 0.25), {"t": jax.numpy.float32(0.5)}
        >>> state = optimizer.init(params)
        >>> for _ in range(10):
        ...     updates, state = optimizer.update(jax.grad(energy)(params), state, params)
        ...     params = optax.apply_updates(params, updates)
        >>> print(f"{energy(params):.3f}")
        -1.000
    """
    check_rate("learning_rate", learning_rate)
    scaled = scale_by_metric(circuit, blocks=blocks, damping=damping, solver=solver, method=method)
    return optax.chain(scaled, optax.scale_by_learning_rate(learning_rate))


def scale_by_metric(
    circuit: Source,
    *,
    blocks: PyTree | None = None,
    damping: float = 1e-3,
    solver: MetricSolver = Direct(),
    method: Method | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Multiply updates by (g + damping)^-1, g the Fubini-Study metric: `natural_gradient` without its step.

    Args:
        circuit, blocks, damping, solver, method: as for `natural_gradient`.

    Returns:
        An optax transformation without state, which turns a gradient into a natural gradient, uphill as it was.

    Raises:
        ParameterError, CircuitError, MethodError: as `natural_gradient`.

    Example:
        >>> import optax
        >>> from qsim import Circuit, Parameter
        >>> from qsim.gradients import scale_by_metric
        >>> circuit = Circuit(1).ry(Parameter("t"), 0)
        >>> optimizer = optax.chain(scale_by_metric(circuit, damping=0.0), optax.clip(0.5), optax.scale(-0.1))
        >>> params = {"t": 0.3}
        >>> updates, state = optimizer.update({"t": 0.1}, optimizer.init(params), params)
        >>> print(f"{updates['t']:.3f}")
        -0.040
    """
    ansatz = Ansatz(circuit, method)
    if not is_number(damping) or not 0 <= damping < math.inf:
        raise MethodError(f"Argument `damping` must be a number of at least 0, but is {damping!r}.")
    if not isinstance(solver, MetricSolver):
        raise MethodError(f"Argument `solver` must be Direct() or ConjugateGradient(), but is {solver!r}.")
    solver.check(float(damping), blocks is not None)

    def init(params: PyTree) -> optax.EmptyState:
        ansatz.flat(params)
        block_table(blocks, params)
        return optax.EmptyState()

    def update(updates: PyTree, state: Any, params: PyTree = None, **extra: Any) -> tuple[PyTree, Any]:
        if params is None and jax.tree.leaves(updates):
            raise ParameterError("A natural gradient needs the params: optimizer.update(gradient, state, params).")
        flat, unravel = ansatz.flat(params)
        if flat.shape[0] == 0:
            return updates, state
        gradient = ravel_pytree(updates)[0].astype(flat.dtype)
        if gradient.shape != flat.shape:
            raise ParameterError(
                f"The gradient has {gradient.shape[0]} elements, but the params have {flat.shape[0]}. They must be "
                "pytrees of the same structure."
            )
        return unravel(
            solver.solve(ansatz, flat, unravel, gradient, float(damping), block_table(blocks, params))
        ), state

    return optax.GradientTransformationExtraArgs(init, update)
