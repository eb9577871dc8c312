"""qsim: a circuit with a `ParameterVector`, `execute` inside `jax.jit(jax.value_and_grad(...))`."""

from __future__ import annotations

import os
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import answers
from benchmarks.data import Slot, Task, Workload
from benchmarks.peers.base import Runner
from qsim import Circuit, ParameterVector, PauliSum, execute, qasm
from qsim.results import Expectation, Samples


def use_cache(folder: str) -> None:
    """Read at the first run, not at import."""
    os.environ["QSIM_CACHE_DIR"] = folder


def circuit_of(workload: Workload) -> Circuit:
    """The circuit, with parameters "theta" and "x"."""
    vectors = {"theta": ParameterVector("theta", max(len(workload.theta), 1))}
    if workload.features.size:
        vectors["x"] = ParameterVector("x", workload.features.shape[1])
    circuit = Circuit(workload.num_qubits)
    for gate in workload.gates:
        angle: Any = gate.angle
        if isinstance(angle, Slot):
            element = vectors[angle.of][angle.index]
            angle = element if angle.factor == 1.0 else angle.factor * element
        if gate.name == "unitary":
            circuit.unitary(gate.matrix, gate.qubits)
        elif gate.name == "evolution":
            circuit.pauli_evolution(PauliSum.from_list(list(gate.paulis)), angle, gate.qubits)
        elif angle is None:
            getattr(circuit, gate.name)(*gate.qubits)
        else:
            getattr(circuit, gate.name)(angle, *gate.qubits)
    return circuit


def observable_of(workload: Workload) -> PauliSum:
    return PauliSum([letters for letters, _ in workload.observable], [c for _, c in workload.observable])


def params_of(workload: Workload, theta: Any) -> dict[str, Any]:
    return {"theta": theta} if len(workload.theta) else {}


def gradient(workload: Workload) -> Runner:
    circuit, energy = circuit_of(workload), Expectation(observable_of(workload))
    step = jax.jit(jax.value_and_grad(lambda t: execute(circuit, energy, {"theta": t})))
    return Runner(lambda t: jax.block_until_ready(step(jnp.asarray(t))), lambda r: answers.of_gradient(*r))


def batch(workload: Workload) -> Runner:
    circuit, energy = circuit_of(workload), Expectation(observable_of(workload))

    def loss(t: Any, x: Any, y: Any) -> Any:
        return jnp.mean((execute(circuit, energy, {"theta": t, "x": x}) - y) ** 2)

    step = jax.jit(jax.value_and_grad(loss))
    x, y = jnp.asarray(workload.features), jnp.asarray(workload.labels)
    return Runner(lambda t: jax.block_until_ready(step(jnp.asarray(t), x, y)), lambda r: answers.of_gradient(*r))


def value(workload: Workload) -> Runner:
    circuit, energy = circuit_of(workload), Expectation(observable_of(workload))

    def call(t: np.ndarray) -> Any:
        return jax.block_until_ready(execute(circuit, energy, params_of(workload, t)))

    return Runner(call, answers.of_value)


def state(workload: Workload) -> Runner:
    circuit = circuit_of(workload)

    def call(t: np.ndarray) -> Any:
        return jax.block_until_ready(execute(circuit, params=params_of(workload, t)))

    return Runner(call, lambda psi: answers.of_state(psi, workload.num_qubits))


def samples(workload: Workload) -> Runner:
    circuit = circuit_of(workload)
    key = jax.random.key(0)

    def call(t: np.ndarray) -> Any:
        bits = execute(circuit, Samples(), params_of(workload, t), shots=workload.shots, key=key)
        return jax.block_until_ready(bits)

    return Runner(call, answers.of_samples)


def build(workload: Workload) -> Runner:
    return Runner(lambda t: circuit_of(workload), lambda c: {"gates": [len(c)]})


def bind(workload: Workload) -> Runner:
    circuit = circuit_of(workload)
    return Runner(lambda t: circuit.bind({"theta": t}), lambda c: {"gates": [len(c)]})


def program(workload: Workload) -> Runner:
    def call(t: np.ndarray) -> Any:
        return jax.block_until_ready(execute(qasm.loads(workload.text)))

    return Runner(call, lambda psi: answers.of_state(psi, workload.num_qubits))


def read(workload: Workload) -> Runner:
    return Runner(lambda t: qasm.loads(workload.text), lambda c: {"qubits": [c.num_qubits]})


TASKS = {
    Task.GRADIENT: gradient,
    Task.BATCH: batch,
    Task.VALUE: value,
    Task.STATE: state,
    Task.SAMPLES: samples,
    Task.BUILD: build,
    Task.BIND: bind,
    Task.PROGRAM: program,
    Task.READ: read,
}
