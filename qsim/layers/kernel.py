"""Quantum kernels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from qsim._errors import CircuitError, ParameterError, ResultError
from qsim._execute import execute, one_key
from qsim._typing import Array, Key, Params
from qsim.backends.base import Backend
from qsim.backends.registry import find_backend
from qsim.gradients import GradientRule
from qsim.ir.circuit import Circuit
from qsim.layers.program import make_program
from qsim.library import fidelity_circuit
from qsim.methods import Method
from qsim.results import Probabilities, State
from qsim.results.base import clean_shots


def kernel_matrix(
    feature_map: Circuit,
    x: Array,
    y: Array | None = None,
    params: Params | None = None,
    *,
    inputs: str = "x",
    on: Backend | str | None = None,
    method: Method | None = None,
    gradient: GradientRule | None = None,
    shots: int | None = None,
    key: Key = None,
) -> Array:
    """The kernel of a feature map, K_ij = |<phi(y_j)|phi(x_i)>|^2.

    On a simulator the states of all samples are one batched run, and K is one matrix product:
    m + k runs, where a device needs m k. With `shots` each entry is the fraction of that many
    measurements of U(y_j)^dagger U(x_i)|0...0> that find |0...0>; on a backend that has no states
    this is what is run. For scikit-learn: SVC(kernel="precomputed"), fitted on K(train) of shape
    (m, m), predicting from K(test, train). Reference: Havlíček et al., arXiv:1804.11326.

    Args:
        feature_map: a unitary circuit, such as `zz_feature_map(n)`.
        x: samples (m, ...) where ... is the declared shape of the parameter `inputs`.
        y: samples (k, ...); None is `x`, and then the diagonal is 1 exactly.
        params: values of the circuit's other parameters, without batch axes.
        inputs: the name of the parameter that is data.
        on: where to run; with `shots`, any backend.
        method, gradient: as for `execute`.
        shots: how many measurements each entry is from; None is exact.
        key: a JAX key, required with `shots`.

    Returns:
        (m, k), real.

    Raises:
        QsimError: samples of another shape, parameters without values, or another argument that cannot be.

    Example:
        >>> import numpy as np
        >>> from qsim.layers import kernel_matrix
        >>> from qsim.library import zz_feature_map
        >>> x = np.random.default_rng(0).normal(size=(4, 2))
        >>> k = kernel_matrix(zz_feature_map(2), x)
        >>> k.shape, bool(np.allclose(k, k.T)), np.diag(k).tolist()
        ((4, 4), True, [1.0, 1.0, 1.0, 1.0])
    """
    if not isinstance(inputs, str):
        raise ParameterError(f"Argument `inputs` must be the name of one parameter, but is {inputs!r}.")
    program = make_program(feature_map, State(), inputs, on=on, method=method, gradient=gradient)
    if feature_map.num_clbits:
        raise CircuitError("Argument `feature_map` must be unitary, but has measurements.")
    if params is not None and not isinstance(params, Mapping):
        raise ParameterError(f"Argument `params` must map names to values, but is {type(params).__name__}.")
    others = {getattr(name, "name", name): value for name, value in (params or {}).items()}
    if inputs in others:
        raise ParameterError(f"Argument `params` has a value for `{inputs}`, which argument `x` has the samples of.")
    for name, shape in program.shapes.items():
        if name in others and _shape_of(others[name]) != shape:
            raise ParameterError(
                f"Argument `params` must hold values without batch axes, but `{name}` has shape "
                f"{_shape_of(others[name])}, not {shape}."
            )
    if shots is not None and key is None:
        raise ResultError("Sampling needs a key. Try kernel_matrix(..., key=jax.random.key(0)).")
    key = key if shots is None else one_key(key, ResultError)
    left = _samples("x", x, program.circuit, inputs)
    right = left if y is None else _samples("y", y, program.circuit, inputs)
    if not find_backend(on).supports(State()):
        return _measured(feature_map, left, right, others, inputs, on, method, gradient, shots, key)
    run = lambda data: execute(  # noqa: E731
        feature_map, State(), {**others, inputs: data}, on=on, method=method, gradient=gradient
    )
    states = run(left)
    overlaps = states @ (states if y is None else run(right)).conj().T
    kernel = overlaps.real**2 + overlaps.imag**2
    if y is None:
        kernel = jnp.where(jnp.eye(kernel.shape[0], dtype=bool), 1.0, kernel)
    if shots is None:
        return kernel
    return _estimated(kernel, shots, key, symmetric=y is None)


def _shape_of(value: Any) -> Any:
    try:
        return np.shape(value)
    except ValueError:
        return "of a ragged list"


def _samples(argument: str, samples: Any, circuit: Circuit, name: str) -> Array:
    """The samples as an array of one batch axis and the declared shape."""
    declared = circuit.parameter_shapes()[name]
    try:
        array = samples if isinstance(samples, jax.Array) else np.asarray(samples)
    except ValueError:
        raise ParameterError(f"Argument `{argument}` must be an array, but is a ragged list.") from None
    if array.ndim != 1 + len(declared) or array.shape[1:] != declared:
        raise ParameterError(
            f"Argument `{argument}` must be samples of shape {('m', *declared)}, since parameter `{name}` has shape "
            f"{declared}, but has shape {tuple(array.shape)}.".replace("'", "")
        )
    return array


def _estimated(kernel: Array, shots: Any, key: Key, symmetric: bool) -> Array:
    """What so many measurements give for each entry, which are binomial; a symmetric matrix is measured once."""
    shots = clean_shots("kernel_matrix", shots)
    counts = jax.random.binomial(key, shots, jnp.clip(jax.lax.stop_gradient(kernel), 0.0, 1.0))
    found = counts.astype(kernel.dtype) / shots
    if not symmetric:
        return found
    upper = jnp.triu(found, 1)
    return upper + upper.T + jnp.eye(len(kernel), dtype=kernel.dtype)


def _measured(
    feature_map: Circuit,
    left: Array,
    right: Array,
    others: dict[Any, Any],
    name: str,
    on: Any,
    method: Method | None,
    gradient: GradientRule | None,
    shots: int | None,
    key: Key,
) -> Array:
    """The kernel by one circuit for each pair, for a backend that has no states."""
    circuit = fidelity_circuit(feature_map)
    values = {**others, **{other + "_other": value for other, value in others.items()}}
    values |= {name: left[:, None], name + "_other": right[None]}
    found = execute(circuit, Probabilities(), values, on=on, method=method, gradient=gradient, shots=shots, key=key)
    return found[..., 0]
