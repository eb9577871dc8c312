"""One compiled program per structure: circuit, results, method and gradient rule in, arrays out.

The values of parameters, constants and arrays are arguments of the program, as are all
host tables of the plan. A program is found again by structure alone, so that other
values, or an equal circuit built anew, never trace again.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from qsim.engine.run import run
from qsim.gradients import Adjoint, Backprop, GradientRule, RerunRule
from qsim.ir.circuit import Circuit
from qsim.ir.operation import Measure, is_constant
from qsim.kernels.packed import pack, unpack
from qsim.lower import cost
from qsim.lower.build import build_plan, expanded, is_expanded
from qsim.lower.plan import Plan, tables
from qsim.lower.sources import angles_and_data
from qsim.methods import Method, OperatorState, PureState, Unitary
from qsim.results.base import Context
from qsim.results.program import circuits, evaluate_all, with_states
from qsim.results.state import State

# Executables on the CPU take some 260 memory maps each with their gradient, and Linux gives a process 65,530:
# with 256 programs kept, compiling the next one crashed the process.
MAX_PROGRAMS = 64
MAX_PLANS = 256


_lock = threading.Lock()
_traces = 0


def trace_count() -> int:
    """How often a program was traced so far in this process.

    Example:
        >>> from qsim import Circuit, execute
        >>> from qsim.testing import trace_count
        >>> state = execute(Circuit(1).rx(0.1, 0))
        >>> before = trace_count()
        >>> state = execute(Circuit(1).rx(0.2, 0))
        >>> trace_count() - before
        0
    """
    return _traces


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A lowered circuit with the compiled function that runs it.

    Attributes:
        plan: what the circuit was lowered to.
        tables: its host tables, arguments of `function`.
        function: (tables, numbers, params, values, results' leaves, initial, key) -> results.
    """

    plan: Plan
    tables: Any
    function: Callable[..., Any]


class _Cache:
    """The most recently used values, by key; building happens outside the lock."""

    def __init__(self, size: int):
        self.size = size
        self.entries: OrderedDict[Any, Any] = OrderedDict()

    def get(self, key: Any, make: Callable[[], Any]) -> Any:
        with _lock:
            if key in self.entries:
                self.entries.move_to_end(key)
                return self.entries[key]
        made = make()
        with _lock:
            self.entries[key] = made
            if len(self.entries) > self.size:
                self.entries.popitem(last=False)
        return made


_programs = _Cache(MAX_PROGRAMS)
_plans = _Cache(MAX_PLANS)
_complete = _Cache(MAX_PLANS)


def plan_of(circuit: Circuit, k: int = cost.BLOCK_QUBITS) -> Plan:
    """The plan of a circuit that needs no expansion (see `expanded`), cached by structure."""
    return _plans.get((circuit.key, k), lambda: build_plan(circuit, k))


@lru_cache(maxsize=1)
def keep_executables() -> str | None:
    """Let JAX keep compiled programs in the folder that QSIM_CACHE_DIR names; without it nothing is written."""
    folder = os.environ.get("QSIM_CACHE_DIR") or None
    if folder is not None:
        jax.config.update("jax_compilation_cache_dir", folder)
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    return folder


def _runnable(circuit: Circuit) -> Circuit:
    """The circuit with what cannot be run as it is expanded; itself where nothing is to be done."""
    if _complete.get(circuit.key, lambda: is_expanded(circuit, cost.BLOCK_QUBITS)):
        return circuit
    return expanded(circuit, cost.BLOCK_QUBITS)


def compile_local(
    circuit: Circuit,
    results: Any,
    *,
    method: Method,
    gradient: GradientRule,
    shots: int | None = None,
    params: Mapping[str, Any] | None = None,
    key: Any = None,
    initial_state: Any = None,
) -> Any:
    """Run a circuit on JAX's default device; everything was checked before.

    Args:
        circuit: the circuit to run, no layout.
        results: a pytree of results.
        method: `Statevector` or `Unitary`.
        gradient: the gradient rule.
        params: name -> array (batch..., declared shape), one common batch shape.
        key: a JAX key where something is sampled.
        initial_state: amplitudes (batch..., 2^n), a bit string, or None.

    Returns:
        The results' pytree of arrays, batch axes first.
    """
    keep_executables()
    others = circuits(results)
    if others:
        make = lambda c: compile_local(c, State(), method=method, gradient=gradient)  # noqa: E731
        results = with_states(results, [make(c) for c in others])
    circuit = _runnable(circuit)
    leaves, structure = jax.tree.flatten(results)
    declared = {name: len(shape) for name, shape in circuit.parameter_shapes().items()}
    given = dict(params or {})
    params = {name: given[name] for name in declared}
    initial, amplitudes = _initial(initial_state, circuit.num_qubits)
    spectra = _spectra(circuit) if isinstance(gradient, RerunRule) else None
    double = jax.config.jax_enable_x64  # pyright: ignore[reportAttributeAccessIssue]
    signature = (circuit.key, structure, method, gradient, shots, amplitudes, key is None, spectra, double)

    def make_program() -> Program:
        plan = plan_of(circuit)
        host = ([tables(s) for s in plan.segments], plan.sources.tables())
        function = _function(plan, circuit, structure, method, gradient, shots, declared, amplitudes, spectra)
        return Program(plan, host, jax.jit(function))

    program: Program = _programs.get(signature, make_program)
    return program.function(program.tables, circuit.numbers(), params, circuit.values(), leaves, initial, key)


@dataclass(frozen=True, slots=True)
class LocalExplanation:
    """What `compile_local` would run, and what it would cost by the cost model.

    Attributes:
        mode: "unrolled", "tape" or "rolled": how blocks become a program.
        segments: one line per part of the plan.
        num_operations: operations run, after expansion.
        blocks: steps over the whole state in one forward run.
        state_bytes: the size of one state.
        forward_bytes, gradient_bytes: memory of a forward run, and of value and gradient.
        compile_seconds, gradient_compile_seconds: trace and compile, without and with gradient.
        forward_seconds, gradient_seconds: one warm run.
    """

    mode: str
    segments: tuple[str, ...]
    num_operations: int
    blocks: int
    state_bytes: int
    forward_bytes: int
    gradient_bytes: int
    compile_seconds: float
    gradient_compile_seconds: float
    forward_seconds: float
    gradient_seconds: float


def explain_local(circuit: Circuit, *, method: Method, gradient: GradientRule) -> LocalExplanation:
    """The plan of a circuit and its predicted cost, without tracing anything."""
    plan = plan_of(_runnable(circuit))
    found = cost.predict(plan)
    columns = 1 << plan.num_qubits if isinstance(method, Unitary) else 1
    amplitudes = columns << plan.num_qubits
    state = amplitudes * np.dtype(method.dtype).itemsize  # type: ignore[attr-defined]
    forward = found.forward * amplitudes * 1e-9
    runs = 1 + cost.BACKWARD
    kept = cost.GRADIENT_STATES
    if isinstance(gradient, Backprop):
        kept = cost.FORWARD_STATES + found.blocks
    elif isinstance(gradient, RerunRule):
        runs, kept = 1 + 2 * int(plan.sources.angle_open.sum()), cost.FORWARD_STATES
    return LocalExplanation(
        mode=plan.mode,
        segments=found.segments,
        num_operations=plan.num_operations,
        blocks=found.blocks,
        state_bytes=state,
        forward_bytes=int(cost.FORWARD_STATES * state),
        gradient_bytes=int(kept * state),
        compile_seconds=found.compile_seconds,
        gradient_compile_seconds=found.gradient_compile_seconds,
        forward_seconds=forward,
        gradient_seconds=runs * forward,
    )


def _initial(initial_state: Any, num_qubits: int) -> tuple[Any, bool]:
    """What the program takes as its initial state: amplitudes, or the index of a basis state as (row, column) bits."""
    if initial_state is None:
        initial_state = "0" * num_qubits
    if isinstance(initial_state, str):
        return np.array([int(b) for b in initial_state], np.int32), False
    return initial_state, True


def measured_qubits(circuit: Circuit) -> tuple[tuple[int, int], ...] | None:
    """(classical bit, qubit) of the measurements, sorted by bit; None where nothing is measured."""
    found = {i.clbits[0]: i.qubits[0] for i in circuit.instructions if isinstance(i.operation, Measure)}
    return tuple(sorted(found.items())) if found else None


def _function(
    plan: Plan,
    circuit: Circuit,
    structure: Any,
    method: Method,
    gradient: GradientRule,
    shots: int | None,
    declared: Mapping[str, int],
    amplitudes: bool,
    spectra: Any,
) -> Callable[..., Any]:
    """The function to be compiled: values in, results out."""
    dtype = np.zeros(0, method.dtype).real.dtype  # type: ignore[attr-defined]
    n, k = plan.num_qubits, plan.k
    measured = measured_qubits(circuit)
    num_clbits = circuit.num_clbits
    reversible = isinstance(gradient, Adjoint)

    def start(initial: Any) -> Any:
        if amplitudes:
            return pack(jnp.asarray(initial, method.dtype), k)  # type: ignore[attr-defined]
        return _basis_rows(initial, n, k, dtype)

    def evolve(angles: Any, rest: Any) -> Any:
        data, x, segment_tables = rest
        return run(plan, segment_tables, angles, data, x, reversible=reversible)

    def final(angles: Any, rest: Any) -> Any:
        """The state that results see, as amplitudes (2^n,), or the unitary (2^n, 2^n)."""
        if not isinstance(method, Unitary):
            return unpack(evolve(angles, rest))
        data, _, segment_tables = rest
        bits = (jnp.arange(1 << n)[:, None] >> jnp.arange(n)[::-1]) & 1
        columns = jax.vmap(lambda b: unpack(evolve(angles, (data, _basis_rows(b, n, k, dtype), segment_tables))))
        return columns(bits).T

    def evaluate(psi: Any, leaves: Any, key: Any) -> Any:
        context = Context(num_qubits=n, num_clbits=num_clbits, shots=shots, measured=measured, key=key)
        state = OperatorState(psi) if isinstance(method, Unitary) else PureState(psi)
        return evaluate_all(jax.tree.unflatten(structure, leaves), state, context)

    if isinstance(gradient, RerunRule) and shots is None:
        # the state is linear in each gate, so that the rule is exact for every function of it
        rerun = gradient.wrap(lambda angles, rest, key: final(angles, rest), spectra, (0,))

        def state_of(angles: Any, rest: Any, key: Any) -> Any:
            return rerun(angles, rest, key if gradient.needs_key else None)
    else:

        def state_of(angles: Any, rest: Any, key: Any) -> Any:
            return final(angles, rest)

    def values_of(angles: Any, rest: Any, key: Any) -> Any:
        inner, leaves = rest
        return evaluate(state_of(angles, inner, key), leaves, key)

    core: Callable[..., Any] = values_of
    if isinstance(gradient, RerunRule) and shots is not None:
        core = gradient.wrap(values_of, spectra, (1, 2))

    def single(tables: Any, numbers: Any, params: Any, values: Any, leaves: Any, initial: Any, key: Any) -> Any:
        segment_tables, source_tables = tables
        angles, data = angles_and_data(plan.sources, source_tables, numbers, params, values, dtype)
        return core(angles, ((data, start(initial), segment_tables), leaves), key)

    def function(tables: Any, numbers: Any, params: Any, values: Any, leaves: Any, initial: Any, key: Any) -> Any:
        global _traces
        _traces += 1
        batches = [jnp.shape(v)[: jnp.ndim(v) - declared[name]] for name, v in params.items()]
        batches.append(jnp.shape(initial)[:-1])
        batch = np.broadcast_shapes(*batches)
        if not batch:
            return single(tables, numbers, params, values, leaves, initial, key)
        flat = {name: _flatten(v, batch, declared[name]) for name, v in params.items()}
        keys = None if key is None else jax.random.split(key, int(np.prod(batch)))
        axis = 0 if jnp.ndim(initial) > 1 else None
        initial = _flatten(initial, batch, 1) if axis == 0 else initial

        def one(params: Any, initial: Any, key: Any) -> Any:
            return single(tables, numbers, params, values, leaves, initial, key)

        out = jax.vmap(one, in_axes=(0, axis, None if key is None else 0))(flat, initial, keys)
        return jax.tree.map(lambda a: a.reshape(*batch, *a.shape[1:]), out)

    return function


def _flatten(value: Any, batch: tuple[int, ...], declared: int) -> Any:
    """A value with all batch axes as one."""
    value = jnp.asarray(value)
    own = value.shape[value.ndim - declared :]
    return jnp.broadcast_to(value, (*batch, *own)).reshape(-1, *own)


def _basis_rows(bits: Any, n: int, k: int, dtype: Any) -> Any:
    """The basis state with these bits (n,), as rows. The place is data: a constant state would be folded."""
    bits = lax.optimization_barrier(jnp.asarray(bits, jnp.int32))
    row = jnp.sum(bits[: n - k] << jnp.arange(n - k, dtype=jnp.int32)[::-1])
    column = jnp.sum(bits[n - k :] << jnp.arange(k, dtype=jnp.int32)[::-1])
    return jnp.zeros((1 << (n - k), 2 << k), dtype).at[row, 2 * column].set(1)


def _spectra(circuit: Circuit) -> tuple[tuple[float, ...] | None, ...]:
    """The spectrum of every angle, in order; () for constants, which never vary; None where it is not known."""
    found: list[tuple[float, ...] | None] = []
    for i in circuit.instructions:
        own = getattr(i.operation, "spectra", None)
        for at, param in enumerate(i.operation.params):
            found.append(() if is_constant(param) else None if own is None else own[at])
    return tuple(found)


__all__ = ["LocalExplanation", "Program", "compile_local", "explain_local", "plan_of", "trace_count"]
