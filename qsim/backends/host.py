"""Backends that JAX cannot trace: hardware, and simulators written in something else.

A subclass of `HostBackend` only takes lists of plain requests. Here they are wrapped once
in a `custom_vjp` around a `pure_callback`, so that such a backend composes with jit, grad
and vmap like any other. What crosses to the host is the vector of open gate angles; the
way from parameters to angles, and from the backend's values to composed results, is traced
by JAX. The forward rule sends the value and all shifted circuits together and keeps the
Jacobian, so that a value and its gradient are one job; so are second derivatives.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.custom_derivatives import SymbolicZero

from qsim._errors import BackendError, MethodError
from qsim._typing import Array, Key, PyTree
from qsim.backends.atoms import compose
from qsim.backends.base import Backend, DoneJob, Job, MappedJob, Request
from qsim.backends.hostdata import HostPlan, Inputs, context_of, take_apart
from qsim.results.base import Context
from qsim.rules import ParameterShift, RerunRule
from qsim.rules.parameter_shift import with_spectra


class HostBackend(Backend):
    """A backend that takes plain requests on the host and needs to know nothing of JAX.

    A subclass says its `name`, `target` and `transpiler`, which results it `supports`, and
    how it runs a list of requests. The requests are plain: the circuit has numbers for
    parameters, `results` is a list of single results (never arithmetic or `Map`, which are
    computed here), and there is no batch. The circuit keeps its layout, and results are
    about the logical qubits: `results_of_amplitudes` finds them for simulators.

    Gradients are those of a rule that runs circuits again: `ParameterShift()` by default.

    Example:
        >>> from qsim import Circuit, Target, Z, execute
        >>> from qsim.backends import DoneJob, HostBackend, results_of_amplitudes
        >>> from qsim.results import Expectation
        >>> class Still(HostBackend):
        ...     name, target = "still", Target.ideal()
        ...
        ...     def supports(self, result):
        ...         return True
        ...
        ...     def submit_many(self, requests):
        ...         return DoneJob([results_of_amplitudes(r, [1, 0]) for r in requests])
        >>> float(execute(Circuit(1), Expectation(Z(0)), on=Still()))
        1.0
    """

    @abstractmethod
    def submit_many(self, requests: Sequence[Request]) -> Job:
        """Run all of these as one job.

        Args:
            requests: plain requests, in the order in which their results are expected.

        Returns:
            A job whose result is a list: for each request the list of the values of its results.
        """

    def run(self, request: Request) -> Job:
        """Run one request, traced or not, with batches."""
        rule = ParameterShift() if request.gradient is None else request.gradient
        if not isinstance(rule, RerunRule):
            raise MethodError(
                f"Backend `{self.name}` is not traced by JAX, so gradient={rule!r} cannot run on it. "
                "Try gradient=ParameterShift() or gradient=FiniteDifference()."
            )
        leaves, structure = request.flat
        request = replace(request, results=jax.tree.unflatten(structure, leaves))
        if isinstance(rule, ParameterShift):
            expanded = with_spectra(request.circuit)
            if self.target.first_violation(expanded) is None:
                request = replace(request, circuit=expanded)
        plan, inputs = take_apart(request)
        program = _Program(self, rule, plan)
        batch, context = inputs.points.shape[:-1], context_of(request)

        def finish(values: list[PyTree]) -> PyTree:
            return composed(request.results, values, context, len(batch))

        metadata = {
            "backend": self.name,
            "shots": request.shots,
            "gradient": rule.name,
            "layout": request.circuit.layout,
            "requests": int(np.prod(batch, dtype=int)),
        }
        if inputs.is_traced:
            return DoneJob(finish(program.values(inputs)), {**metadata, "requests": None})
        job = self.submit_many(plan.requests(inputs.points, inputs.rest, inputs.keys))
        return MappedJob(job, lambda lists: finish(program.stack(lists, batch)), metadata, request)


def composed(results: PyTree, values: list[PyTree], context: Context, batch_axes: int) -> PyTree:
    """The values of `results` from those of the single results in them, arrays with the batch axes first."""
    function = partial(compose, results, context=context)
    for _ in range(batch_axes):
        function = jax.vmap(function)
    return function(jax.tree.map(jnp.asarray, values))


@dataclass(frozen=True, eq=False)
class _Program:
    """One circuit and its results on one backend, as a function of the open angles."""

    backend: HostBackend
    rule: RerunRule
    plan: HostPlan
    failures: list[BaseException] = field(default_factory=list)

    def values(self, inputs: Inputs) -> list[PyTree]:
        """The values of the results at `points` (batch..., V), with the rule's derivative."""
        call = jax.custom_vjp(self._call)
        call.defvjp(partial(self._forward, call), _backward, symbolic_zeros=True)
        try:
            values = call(inputs.points, inputs.rest, inputs.keys)
            if not any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(values)):
                jax.block_until_ready(values)
            return values
        except TypeError as error:
            if "forward-mode" in str(error):
                raise TypeError(
                    f"jax.jvp, jax.jacfwd and jax.linearize cannot differentiate through backend "
                    f"`{self.backend.name}`, which finds gradients by running circuits again, in reverse mode only. "
                    "Try jax.grad or jax.jacrev."
                ) from error
            raise
        except jax.errors.JaxRuntimeError:
            if self.failures:
                raise self.failures[-1] from None
            raise

    def stack(self, lists: Sequence[Any], lead: tuple[int, ...]) -> list[PyTree]:
        """The backend's lists of values as arrays with the axes `lead` first, of the shapes promised."""
        shapes, tree = jax.tree.flatten(self.plan.shapes)
        name, count = self.backend.name, int(np.prod(lead, dtype=int))
        if len(lists) != count:
            raise BackendError(f"Backend `{name}` was given {count} requests, but returned {len(lists)} lists.")
        arrays = [np.zeros((count, *shape.shape), shape.dtype) for shape in shapes]
        for row, values in enumerate(lists):
            leaves = jax.tree.leaves(values)
            if len(leaves) != len(shapes):
                raise BackendError(
                    f"Backend `{name}` returned {len(leaves)} arrays for results that have {len(shapes)}."
                )
            for array, leaf in zip(arrays, leaves, strict=True):
                value = np.asarray(leaf)
                if value.shape != array.shape[1:]:
                    raise BackendError(
                        f"Backend `{name}` returned an array of shape {value.shape} where a result has shape "
                        f"{array.shape[1:]}."
                    )
                array[row] = value
        return jax.tree.unflatten(tree, [array.reshape((*lead, *array.shape[1:])) for array in arrays])

    def _call(self, points: Array, rest: list[Array], keys: Key) -> list[PyTree]:
        lead = points.shape[:-1]
        shapes = jax.tree.map(lambda s: jax.ShapeDtypeStruct((*lead, *s.shape), s.dtype), self.plan.shapes)
        words = None if keys is None else jax.random.key_data(keys)
        return jax.pure_callback(self._on_host, shapes, points, rest, words, vmap_method="expand_dims")

    def _on_host(self, points: Any, rest: Any, words: Any) -> list[PyTree]:
        # A callback runs in a thread of the runtime, which knows nothing of the caller's settings; and
        # on a GPU whose stream waits for it, JAX may only be used on the CPU.
        cpu = jax.local_devices(backend="cpu")[0]
        try:
            with jax.enable_x64(self.plan.x64), jax.default_device(cpu):
                points, rest, words = jax.tree.map(np.asarray, (points, rest, words))
                keys = None if words is None else jax.random.wrap_key_data(jnp.asarray(words), impl=self.plan.key_impl)
                requests = self.plan.requests(points, rest, keys)
                return self.stack(self.backend.submit_many(requests).result(), self.plan.lead(points, rest, keys))
        except BaseException as failure:
            self.failures[:] = [failure]
            raise

    def _forward(self, call: Any, points: Any, rest: Any, keys: Any) -> tuple[list[PyTree], Any]:
        for leaf, what in zip(rest, self.plan.rest_names, strict=True):
            if leaf.perturbed:
                raise MethodError(
                    f"Backend `{self.backend.name}` finds gradients by running circuits again, which gives those of "
                    f"gate angles, but not of {what}. Keep {what} out of jax.grad, or simulate with on=None."
                )
        points, rest, keys = jax.tree.map(lambda leaf: leaf.value, (points, rest, keys))
        size, lead = points.shape[-1], points.shape[:-1]
        probe_key = None if keys is None else jax.random.fold_in(keys.reshape(-1)[0], 0)
        probes = self.rule.probes(self.plan.spectra, self._degrees(), probe_key, points.dtype)
        steps = (probes.shifts[:, None] * probes.vectors(size)).reshape((len(probes), *(1,) * len(lead), size))
        out = call(
            jnp.concatenate([points[None], points[None] + steps]),
            [array[None] for array in rest],
            None if keys is None else _more_keys(keys, len(probes)),
        )

        def jacobian(leaf: Array) -> Array | None:
            if not jnp.issubdtype(leaf.dtype, jnp.inexact):
                return None
            weights = probes.coefficients.reshape((-1, *(1,) * (leaf.ndim - 1)))
            return probes.gather(weights * leaf[1:], size)

        jacobians = [jacobian(leaf) for leaf in jax.tree.leaves(out)]
        return jax.tree.map(lambda leaf: leaf[0], out), (jacobians, jnp.zeros_like(points))

    def _degrees(self) -> tuple[int, ...]:
        """The degrees of the results as polynomials of the state, for the parameter-shift rule."""
        degrees: set[int] = set()
        for result in self.plan.results:
            if result.differentiable and result.degree is not None:
                degrees.add(result.degree)
            elif result.differentiable and isinstance(self.rule, ParameterShift):
                raise MethodError(
                    f"ParameterShift() cannot differentiate {type(result).__name__} on backend `{self.backend.name}`: "
                    "it is no polynomial of the state. Try gradient=FiniteDifference()."
                )
        return tuple(sorted(degrees)) or (1,)


def _backward(residual: Any, cotangents: list[PyTree]) -> tuple[Array, None, None]:
    jacobians, total = residual
    lead = total.ndim - 1
    leaves = jax.tree.leaves(cotangents, is_leaf=lambda leaf: isinstance(leaf, SymbolicZero))
    for jacobian, cotangent in zip(jacobians, leaves, strict=True):
        if jacobian is not None and not isinstance(cotangent, SymbolicZero):
            pairs = (cotangent[None] * jacobian).real
            slopes = pairs.sum(axis=tuple(range(1 + lead, pairs.ndim)))
            total = total + jnp.moveaxis(slopes, 0, -1).astype(total.dtype)
    return total, None, None


def _more_keys(keys: Key, count: int) -> Key:
    """`keys` (batch...) and `count` fresh ones after each: (1 + count, batch...)."""
    flat = keys.reshape(-1)
    fold = jax.vmap(jax.vmap(jax.random.fold_in, in_axes=(0, None)), in_axes=(None, 0))
    fresh = fold(flat, jnp.arange(1, count + 1))
    return jnp.concatenate([flat[None], fresh]).reshape((count + 1, *keys.shape))
