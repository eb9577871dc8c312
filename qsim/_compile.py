"""One compiled program per structure: circuit, results, method and gradient rule in, arrays out.

The values of parameters, constants and arrays are arguments of the program, as are all
host tables of the plan. A program is found again by structure alone, so that other
values, or an equal circuit built anew, never trace again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax
import numpy as np

from qsim._program import ZERO_STATE, Runner, Values, reads_of
from qsim._recent import Recent
from qsim.ir.circuit import Circuit
from qsim.ir.derived import derived
from qsim.ir.full import in_full, kept_outside_traces
from qsim.ir.operation import Measure, is_constant
from qsim.lower import cost
from qsim.lower.build import build_batched_plan, build_plan, expanded, is_expanded
from qsim.lower.plan import Plan, tables
from qsim.methods import Method, Unitary
from qsim.methods.statevector import batch_amplitudes
from qsim.rules import Backprop, GradientRule, RerunRule

# Executables on the CPU take some 260 memory maps each with their gradient, and Linux gives a process 65,530:
# with 256 programs kept, compiling the next one crashed the process.
MAX_PROGRAMS = 64
MAX_PLANS = 256

_programs = Recent(MAX_PROGRAMS)
_plans = Recent(MAX_PLANS)
_complete = Recent(MAX_PLANS)
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


@dataclass(slots=True, eq=False)
class Program:
    """A lowered circuit with the compiled function that runs it.

    Attributes:
        plan: what the circuit was lowered to.
        function: (tables, numbers, params, values, results' leaves, initial, key) -> results.
        names: the parameters it takes. constants: whether it takes numbers or JAX values of the circuit.
        host: those of its tables that are arguments, and the index of |0...0>, as NumPy arrays.
        placed: the same on JAX's default device, once a run has put them there.
    """

    plan: Plan
    function: Callable[..., Any]
    names: tuple[str, ...]
    constants: bool
    host: Any
    placed: Any = None

    def run(
        self, circuit: Circuit, params: Mapping[str, Any], leaves: Sequence[Any], initial: Any, key: Any, staged: bool
    ) -> Any:
        """The results of a circuit of the structure that was compiled.

        Args:
            circuit: what `runnable` gave.
            params: name -> array (batch..., declared shape).
            leaves: the arrays of the results.
            initial: amplitudes (batch..., 2^n), a bit string, or None.
            key: a JAX key where something is sampled.
            staged: True inside a jit that is being traced, which can hold no arrays of the device.
        """
        if not staged and self.placed is None:
            self.placed = jax.device_put(self.host)
        tables, zeros = self.host if staged else self.placed
        if initial is None:
            initial = zeros
        elif isinstance(initial, str):
            initial = np.uint32(int(initial or "0", 2))
        params = {name: params[name] for name in self.names}
        numbers, values = (circuit.numbers(), circuit.values()) if self.constants else (None, [])
        return self.function(tables, numbers, params, values, leaves, initial, key)


def plan_of(circuit: Circuit, columns: int = 1) -> Plan:
    """The plan of a circuit that needs no expansion (see `expanded`) for so many states, cached by structure."""
    return _plans.get((circuit.key, columns), lambda: build_plan(circuit, columns=columns))


def batched_plan_of(circuit: Circuit, varying: frozenset[str]) -> Plan | None:
    """The plan for a batch whose runs share all matrices, where there is one; cached as in `plan_of`."""
    return _plans.get((circuit.key, varying), lambda: build_batched_plan(circuit, varying))


def tables_of(plan: Plan, gradient: GradientRule) -> Any:
    """The host tables of a plan, in the form that its program with this rule takes."""
    return [tables(s) for s in plan.segments], plan.sources.tables(reads_of(plan, gradient))


@lru_cache(maxsize=1)
def keep_executables() -> str | None:
    """Let JAX keep compiled programs in the folder that QSIM_CACHE_DIR names; without it nothing is written."""
    folder = os.environ.get("QSIM_CACHE_DIR") or None
    if folder is not None:
        jax.config.update("jax_compilation_cache_dir", folder)
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    return folder


@kept_outside_traces
def runnable(circuit: Circuit) -> Circuit:
    """The circuit with what cannot be run as it is expanded; itself where nothing is to be done."""
    full = in_full(circuit)
    if _complete.get(full.key, lambda: is_expanded(full, cost.BLOCK_QUBITS)):
        return full
    return expanded(full, cost.BLOCK_QUBITS)


def compile_local(
    form: Hashable,
    circuit: Circuit,
    structure: Callable[[], Any],
    *,
    method: Method,
    gradient: GradientRule,
    shots: int | None = None,
    amplitudes: bool = False,
    varying: frozenset[str] | None = None,
) -> Program:
    """The program that runs a circuit on JAX's default device, by form; everything was checked before.

    Args:
        form: what fixes all that follows, but for values of parameters, constants and arrays.
        circuit: the circuit to run, as `runnable` gives it; no layout.
        structure: gives the structure of the pytree of results, asked where the form is new.
        method: `Statevector` or `Unitary`.
        gradient: the gradient rule.
        shots: how many, or None.
        amplitudes: True where the initial state is given by its amplitudes.
        varying: names of the parameters with batch axes; None where nothing has any.
    """
    keep_executables()
    # by their values: the spectrum of an evolution has its coefficients in it
    known = _spectra_text(circuit) if isinstance(gradient, RerunRule) else None

    def make() -> Program:
        plan = None
        if varying is not None and known is None and not isinstance(method, Unitary):
            plan = batched_plan_of(circuit, varying)
        shared, plan = plan is not None, plan or plan_of(circuit, method.columns(circuit.num_qubits))
        declared = {name: len(shape) for name, shape in circuit.parameter_shapes().items()}
        runner = Runner(
            plan=plan,
            shared=shared,
            structure=structure(),
            method=method,
            gradient=gradient,
            shots=shots,
            spectra=None if known is None else _spectra(circuit),
            declared=declared,
            amplitudes=amplitudes,
            num_clbits=circuit.num_clbits,
            measured=measured_qubits(circuit),
        )

        known_tables, shape = jax.tree.flatten(tables_of(plan, gradient))
        few = sum(table.size for table in known_tables) <= cost.CONSTANT_ENTRIES
        filled = [at for at, table in enumerate(known_tables) if table.size and not few]

        def function(tables: Any, numbers: Any, *values: Any) -> Any:
            global _traces
            _traces += 1
            every = list(known_tables)
            for at, table in zip(filled, tables, strict=True):
                every[at] = table
            numbers = np.zeros(0) if numbers is None else numbers
            return runner(jax.tree.unflatten(shape, every), Values(numbers, *values))

        # an argument costs half a microsecond a call, empty or not
        host = ([known_tables[at] for at in filled], ZERO_STATE)
        constants = bool(circuit.numbers().size or circuit.values())
        return Program(plan, jax.jit(function), tuple(declared), constants, host)

    return _programs.get((form, known, varying), make)


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


def explain_local(circuit: Circuit, *, method: Method, gradient: GradientRule, runs: int = 1) -> LocalExplanation:
    """The plan of a circuit and its predicted cost for a batch of `runs`, without tracing anything."""
    columns = method.columns(circuit.num_qubits)
    plan = plan_of(runnable(circuit), columns)
    together = min(runs, max(1, batch_amplitudes() // (columns << plan.num_qubits)))
    found = cost.predict(plan, runs * columns, together * columns)
    size = np.dtype(method.dtype).itemsize  # type: ignore[attr-defined]
    state, wider = size * columns << plan.num_qubits, size / 8
    seconds, memory = found.gradient_seconds, found.gradient_memory
    if isinstance(gradient, Backprop):
        memory = found.memory + found.blocks * state / wider
    elif isinstance(gradient, RerunRule):
        seconds = (1 + 2 * int(plan.sources.angle_open.sum())) * found.seconds
        memory = found.memory
    return LocalExplanation(
        mode=plan.mode,
        segments=found.segments,
        num_operations=plan.num_operations,
        blocks=found.blocks,
        state_bytes=state,
        forward_bytes=int(wider * found.memory),
        gradient_bytes=int(wider * memory),
        compile_seconds=found.compile_seconds,
        gradient_compile_seconds=found.gradient_compile_seconds,
        forward_seconds=wider * found.seconds,
        gradient_seconds=wider * seconds,
    )


@derived
def measured_qubits(circuit: Circuit) -> tuple[tuple[int, int], ...] | None:
    """(classical bit, qubit) of the measurements, sorted by bit; None where nothing is measured."""
    found = {i.clbits[0]: i.qubits[0] for i in circuit.instructions if isinstance(i.operation, Measure)}
    return tuple(sorted(found.items())) if found else None


@derived
def _spectra_text(circuit: Circuit) -> str:
    """The spectra as a key: a text knows its hash."""
    return repr(_spectra(circuit))


def _spectra(circuit: Circuit) -> tuple[tuple[float, ...] | None, ...]:
    """The spectrum of every angle, in order; () for constants, which never vary; None where it is not known."""
    found: list[tuple[float, ...] | None] = []
    for i in circuit.instructions:
        own = getattr(i.operation, "spectra", None)
        for at, param in enumerate(i.operation.params):
            found.append(() if is_constant(param) else None if own is None else own[at])
    return tuple(found)


__all__ = [
    "LocalExplanation",
    "Program",
    "compile_local",
    "explain_local",
    "measured_qubits",
    "plan_of",
    "runnable",
    "tables_of",
    "trace_count",
]
