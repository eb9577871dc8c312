"""What would be run, and why: the answer of `explain`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from qsim._checks import format_bytes
from qsim._compile import LocalExplanation, explain_local
from qsim.backends.atoms import atoms_of
from qsim.backends.base import Backend, Request
from qsim.backends.host import HostBackend
from qsim.backends.hostdata import batch_shape, take_apart
from qsim.backends.local import LocalBackend, choose, simulated
from qsim.backends.measured import Measurement, measure_request
from qsim.ir.circuit import Circuit
from qsim.ir.layout import Layout
from qsim.rules import GradientRule, ParameterShift, RerunRule


@dataclass(frozen=True, eq=False)
class Explanation:
    """What `execute` with the same arguments would do. Prints as a table.

    Attributes:
        backend: its name.
        target: what the backend's target is, in words.
        transpiler: what is done to bring the circuit there, in words.
        circuit: the circuit that is run.
        layout: where the qubits of the original circuit are.
        results: the names of the single results.
        batch: the batch axes.
        shots: how many, or None for exact values.
        method: how it is simulated, None where it is not; `why_method` says why.
        gradient: the gradient rule; `why_gradient` says why.
        local: what the compiled program is like, None on other backends.
        requests: how many circuits a host backend runs for values, and for values and gradient; None elsewhere.
        measured: what the programs took where that was asked for, else None.
    """

    backend: str
    target: str
    transpiler: str
    circuit: Circuit
    layout: Layout
    results: tuple[str, ...]
    batch: tuple[int, ...]
    shots: int | None
    method: Any
    why_method: str
    gradient: GradientRule
    why_gradient: str
    local: LocalExplanation | None
    requests: tuple[int, int] | None
    measured: Measurement | None = None

    def __str__(self) -> str:
        rows = [
            ("backend", f"{self.backend}: {self.target}"),
            ("transpiler", self.transpiler),
            ("circuit", _circuit_words(self.circuit)),
            ("results", f"{', '.join(self.results)}; {'exact' if self.shots is None else f'from {self.shots} shots'}"),
            ("gradient", f"{self.gradient}: {self.why_gradient}"),
        ]
        if self.batch:
            rows.append(("batch", " x ".join(map(str, self.batch))))
        if self.method is not None:
            rows.append(("method", f"{self.method}: {self.why_method}"))
        if self.requests is not None:
            values, both = self.requests
            rows.append(("requests", f"{values} circuits for values, {both} for values and gradient; one job"))
        if self.local is not None:
            rows += _local_rows(self.local, self.measured)
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:<{width}}  {text}" for name, text in rows)

    __repr__ = __str__


def explain_request(
    backend: Backend, request: Request, written: Circuit, transpiler: Any, *, measure: bool = False
) -> Explanation:
    """What `backend` would do with `request`, whose circuit was `written` before it was prepared.

    Args:
        backend, request, written: which, what, and the circuit as it was given.
        transpiler: the one asked for, or None.
        measure: whether to compile and run it too.
    """
    rule = ParameterShift() if request.gradient is None else request.gradient
    method, why_method, local, requests = request.method, "asked for", None, None
    batch = batch_shape(request, request.circuit.parameter_shapes())
    count = int(np.prod(batch, dtype=int))
    why_gradient = "the rule of backends that JAX cannot trace" if request.gradient is None else "asked for"
    if isinstance(backend, LocalBackend):
        choice = choose(request)
        method, why_method, rule, why_gradient = choice.method, choice.why_method, choice.gradient, choice.why_gradient
        local = explain_local(simulated(request.circuit, rule).circuit, method=method, gradient=rule, runs=count)
    elif isinstance(backend, HostBackend) and isinstance(rule, RerunRule) and not rule.needs_key:
        plan, _ = take_apart(request)
        degrees = tuple({r.degree for r in plan.results if r.degree is not None}) or (1,)
        requests = (count, count * (1 + len(rule.probes(plan.spectra, degrees, None, np.float32))))
    return Explanation(
        backend=backend.name,
        target=_target_words(backend),
        transpiler=_transpiler_words(backend, request.circuit, written, transpiler),
        circuit=request.circuit,
        layout=request.circuit.layout,
        results=tuple(type(atom).__name__ for atom in atoms_of(request.results)),
        batch=batch,
        shots=request.shots,
        method=method,
        why_method=why_method,
        gradient=rule,
        why_gradient=why_gradient,
        local=local,
        requests=requests,
        measured=measure_request(backend, request) if measure else None,
    )


def _circuit_words(circuit: Circuit) -> str:
    counts = ", ".join(f"{count} {name}" for name, count in circuit.count_ops().items())
    return f"{circuit.num_qubits} qubits, {len(circuit)} operations, depth {circuit.depth()}" + (
        f" ({counts})" if counts else ""
    )


def _target_words(backend: Backend) -> str:
    target = backend.target
    if target.num_qubits is None:
        return "any number of qubits, every pair joined, " + ("every gate" if target.natives is None else "some gates")
    pairs = "every pair" if target.edges is None else f"{len(target.edge_set)} directed pairs"
    return f"{target.num_qubits} qubits, {pairs} joined"


def _transpiler_words(backend: Backend, ready: Circuit, written: Circuit, transpiler: Any) -> str:
    if ready is written:
        return "not needed: the circuit is in the target as it is"
    chosen = backend.transpiler if transpiler is None else transpiler
    return f"{chosen!r}, {len(written)} -> {len(ready)} operations; layout {ready.layout}"


def _local_rows(local: LocalExplanation, measured: Measurement | None) -> list[tuple[str, str]]:
    rows = [("lowering", f"{local.mode}: {local.blocks} steps for {local.num_operations} operations")]
    rows += [("", segment) for segment in local.segments]
    states = f"{format_bytes(local.forward_bytes)}, with gradient {format_bytes(local.gradient_bytes)}"
    rows.append(("memory", f"{states} (one state is {format_bytes(local.state_bytes)})"))
    seconds = f"{local.compile_seconds:.1f} s, with gradient {local.gradient_compile_seconds:.1f} s"
    rows.append(("compile", f"about {seconds}"))
    rows.append(("run", f"about {_seconds(local.forward_seconds)}, with gradient {_seconds(local.gradient_seconds)}"))
    if measured is None:
        return rows
    shown = {
        "memory": lambda m: "unknown" if m.bytes is None else format_bytes(m.bytes),
        "compile": lambda m: f"{m.compile_seconds:.1f} s",
        "run": lambda m: _seconds(m.seconds),
    }
    found: list[tuple[str, str]] = []
    for name, text in rows:
        found.append((name, text))
        if name in shown:
            both = "" if measured.gradient is None else f", with gradient {shown[name](measured.gradient)}"
            found.append(("", f"measured: {shown[name](measured.value)}{both}"))
    return found


def _seconds(value: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e-3)):
        if value >= scale:
            return f"{value / scale:.3g} {unit}"
    return f"{value / 1e-6:.3g} us"
