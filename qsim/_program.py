"""The function that is compiled: values of a circuit in, results out, one run or a batch of them.

A batch whose runs share the matrices of all blocks (see `build_batched_plan`) is run as
one array with more rows. Any other is mapped over. Either way large batches go in chunks,
one after the other, that fit the caches; where even the final states of all runs are much
for the memory, the gradient runs each chunk again instead of keeping them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from qsim.engine.run import run
from qsim.kernels.packed import pack, unpack
from qsim.kernels.take import take_rows
from qsim.lower import cost
from qsim.lower.plan import Plan, Reads, Vectors
from qsim.lower.sources import flat_values, vectors
from qsim.methods import Method, OperatorState, PureState, Unitary
from qsim.methods.statevector import batch_amplitudes, device_memory
from qsim.results.base import Context
from qsim.results.program import evaluate_all
from qsim.rules import Adjoint, GradientRule, RerunRule

Array = Any
ZERO_STATE = np.uint32(0)
"""The index of |0...0>, as `Values.initial` takes it."""


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """What a run takes, as a pytree of arrays; `params` and `initial` with batch axes or without.

    Attributes:
        numbers: the host numbers of the circuit (H,).
        params: name -> (batch..., declared shape).
        arrays: the JAX values in the circuit.
        leaves: the arrays of the results.
        initial: the index of a basis state, or amplitudes (batch..., 2^n).
        key: a JAX key, or None.
    """

    numbers: Array
    params: Mapping[str, Array]
    arrays: Any
    leaves: Any
    initial: Array
    key: Any


@dataclass(frozen=True, slots=True, eq=False)
class Runner:
    """One structure, ready to be traced.

    Attributes:
        plan: the lowered circuit. shared: whether it is one for a batch with the same matrices.
        structure: the pytree structure of the results.
        method, gradient, shots: how to simulate. spectra: of the angles, where the gradient rule needs them.
        declared: number of declared axes of each parameter.
        amplitudes: whether the initial state is given by its amplitudes.
        num_clbits, measured: classical bits, and (bit, qubit) of measurements.
    """

    plan: Plan
    shared: bool
    structure: Any
    method: Method
    gradient: GradientRule
    shots: int | None
    spectra: Any
    declared: Mapping[str, int]
    amplitudes: bool
    num_clbits: int
    measured: tuple[tuple[int, int], ...] | None

    def __call__(self, tables: Any, values: Values) -> Any:
        """The results; batch axes first."""
        shapes = [jnp.shape(v)[: jnp.ndim(v) - self.declared[name]] for name, v in values.params.items()]
        batch = np.broadcast_shapes(*shapes, jnp.shape(values.initial)[:-1])
        if not batch:
            return self.single(tables, values)
        size = math.prod(batch)
        open_params = {name for name, shape in zip(values.params, shapes, strict=True) if math.prod(shape) != 1}
        flat = {
            name: _flatten(v, batch if name in open_params else (), self.declared[name])
            for name, v in values.params.items()
        }
        many = jnp.ndim(values.initial) > 1
        initial = _flatten(values.initial, batch, 1) if many else None
        each = {name: flat[name] for name in open_params}
        same = {name: flat[name] for name in flat if name not in open_params}
        mapped = (each, initial, None if values.key is None else jax.random.split(values.key, size))
        if not jax.tree.leaves(mapped):
            out = self.single(tables, Values(values.numbers, same, values.arrays, values.leaves, values.initial, None))
            return jax.tree.map(lambda a: jnp.reshape(a, (*batch, *jnp.shape(a))), out)

        def chunk(mapped: Any) -> Any:
            each, initial, keys = mapped
            initial = values.initial if initial is None else initial
            part = Values(values.numbers, {**same, **each}, values.arrays, values.leaves, initial, keys)
            run = self.together if self.shared and size else self.mapped
            return run(tables, part, frozenset(each), many)

        out = self.in_chunks(chunk, mapped, size)
        return jax.tree.map(lambda a: a.reshape(*batch, *a.shape[1:]), out)

    def in_chunks(self, chunk: Callable[[Any], Any], mapped: Any, size: int) -> Any:
        """`chunk` over the leading axis of `mapped`, in parts of at most `batch_amplitudes` or shots."""
        amplitudes = self.method.columns(self.plan.num_qubits) << self.plan.num_qubits
        most = max(1, batch_amplitudes() // max(amplitudes, self.shots or 0))
        count = max(1, -(-size // most))
        length = -(-size // count)
        if count == 1 and length == size:
            return chunk(mapped)
        extra = count * length - size  # filled up with the first runs again

        def split(a: Array) -> Array:
            a = jnp.concatenate([a, a[:extra]]) if extra else a
            return a.reshape(count, length, *a.shape[1:])

        memory = device_memory()
        kept = size * amplitudes * self.dtype.itemsize * 2
        mapped = jax.tree.map(split, mapped)
        if count == 1:
            return jax.tree.map(lambda a: a[:size], chunk(jax.tree.map(lambda a: a[0], mapped)))
        body = jax.checkpoint(chunk) if memory is not None and kept > memory * cost.KEPT else chunk
        out = lax.map(body, mapped)
        return jax.tree.map(lambda a: a.reshape(count * length, *a.shape[2:])[:size], out)

    def mapped(self, tables: Any, values: Values, each: frozenset[str], many: bool) -> Any:
        """Runs that have nothing in common but the plan."""

        def one(params: Any, initial: Any, key: Any) -> Any:
            part = Values(values.numbers, params, values.arrays, values.leaves, initial, key)
            return self.single(tables, part)

        axes = {name: 0 if name in each else None for name in values.params}
        key_axis = None if values.key is None else 0
        return jax.vmap(one, in_axes=(axes, 0 if many else None, key_axis))(values.params, values.initial, values.key)

    def together(self, tables: Any, values: Values, each: frozenset[str], many: bool) -> Any:
        """Runs that share all matrices, as one array with more rows."""
        segment_tables, source_tables = tables
        axes = {name: 0 if name in each else None for name in values.params}
        first = {name: v[0] if name in each else v for name, v in values.params.items()}

        def flat(params: Any, places: np.ndarray) -> Array:
            given = values.numbers, params, values.arrays, self.dtype, places
            return flat_values(self.plan.sources, source_tables, *given)

        angles, data, turns = self.plan.sources.read(self.reads)
        varying = jax.vmap(lambda p: flat(p, turns), in_axes=(axes,), out_axes=1)(values.params) if each else None
        shared = flat(first, np.append(angles, data))
        numbers = vectors(self.plan.sources, source_tables, self.reads, shared, varying)
        x = jax.vmap(self.start)(values.initial) if many else self.start(values.initial)[None]
        if varying is not None:
            x = jnp.broadcast_to(x, (varying.shape[1], *x.shape[1:]))
        x = run(self.plan, segment_tables, numbers, x, reversible=isinstance(self.gradient, Adjoint))
        key_axis = None if values.key is None else 0
        evaluate = jax.vmap(lambda x, key: self.evaluate(unpack(x), values.leaves, key), in_axes=(0, key_axis))
        return evaluate(x, values.key)

    def single(self, tables: Any, values: Values) -> Any:
        """One run."""
        segment_tables, source_tables = tables
        sources = self.plan.sources
        flat = flat_values(sources, source_tables, values.numbers, values.params, values.arrays, self.dtype)
        numbers = vectors(sources, source_tables, self.reads, flat)
        start, rule = self.start(values.initial), self.gradient
        if not isinstance(rule, RerunRule):
            return self.evaluate(self.final(numbers, start, segment_tables), values.leaves, values.key)
        angles, rest = numbers.angles, (numbers.data, start, segment_tables)
        if self.shots is None:
            # the state is linear in each gate, so that the rule is exact for every function of it
            rerun = rule.wrap(lambda angles, rest, key: self.shifted(angles, *rest), self.spectra, (0,))
            state = rerun(angles, rest, values.key if rule.needs_key else None)
            return self.evaluate(state, values.leaves, values.key)

        def estimate(angles: Any, rest: Any, key: Any) -> Any:
            inner, leaves = rest
            return self.evaluate(self.shifted(angles, *inner), leaves, key)

        return rule.wrap(estimate, self.spectra, (1, 2))(angles, (rest, values.leaves), values.key)

    @property
    def reads(self) -> Reads:
        """See `reads_of`."""
        return reads_of(self.plan, self.gradient)

    @property
    def dtype(self) -> Any:
        """The real dtype of the state."""
        return np.zeros(0, self.method.dtype).real.dtype  # type: ignore[attr-defined]

    def start(self, initial: Array) -> Array:
        """The initial state as rows."""
        plan = self.plan
        if self.amplitudes:
            return pack(jnp.asarray(initial, self.method.dtype), plan.k)  # type: ignore[attr-defined]
        return basis_rows(initial, plan.num_qubits, plan.k, self.dtype)

    def shifted(self, angles: Array, data: Array, start: Array, tables: Any) -> Array:
        """`final`, by the angles (A,) of the operations."""
        return self.final(Vectors(take_rows(angles, self.plan.reads.angles), data), start, tables)

    def final(self, numbers: Vectors, start: Array, tables: Any) -> Array:
        """The state that results see, as amplitudes (2^n,), or the unitary (2^n, 2^n)."""
        reversible = isinstance(self.gradient, Adjoint)

        def evolve(x: Array) -> Array:
            return unpack(run(self.plan, tables, numbers, x, reversible=reversible))

        if not isinstance(self.method, Unitary):
            return evolve(start)
        n, k = self.plan.num_qubits, self.plan.k
        return jax.vmap(lambda j: evolve(basis_rows(j, n, k, self.dtype)))(jnp.arange(1 << n, dtype=jnp.uint32)).T

    def evaluate(self, psi: Array, leaves: Any, key: Any) -> Any:
        """The results of a final state."""
        context = Context(
            num_qubits=self.plan.num_qubits,
            num_clbits=self.num_clbits,
            shots=self.shots,
            measured=self.measured,
            key=key,
        )
        state = OperatorState(psi) if isinstance(self.method, Unitary) else PureState(psi)
        return evaluate_all(jax.tree.unflatten(self.structure, leaves), state, context)


def reads_of(plan: Plan, gradient: GradientRule) -> Reads:
    """What a program makes first: what the segments read, or for a rule that shifts them the operations' angles."""
    return Reads(data=plan.reads.data) if isinstance(gradient, RerunRule) else plan.reads


def _flatten(value: Any, batch: tuple[int, ...], declared: int) -> Array:
    """A value with all batch axes as one; without batch, with none."""
    value = jnp.asarray(value)
    own = value.shape[value.ndim - declared :]
    return jnp.broadcast_to(value, (*batch, *own)).reshape(-1, *own) if batch else value.reshape(own)


def basis_rows(index: Any, n: int, k: int, dtype: Any) -> Array:
    """The basis state |index>, as rows. The index is data: a constant state would be folded."""
    index = lax.optimization_barrier(jnp.asarray(index, jnp.uint32))
    shape = (1 << (n - k), 2 << k)
    place = (index >> k, (index & ((1 << k) - 1)) * 2)  # row and column
    row, column = (
        lax.eq(lax.broadcasted_iota(jnp.uint32, shape, axis), jnp.broadcast_to(at, shape))
        for axis, at in enumerate(place)
    )
    return (row & column).astype(dtype)
