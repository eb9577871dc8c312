"""PennyLane's default.qubit under jax.jit: backprop through the whole circuit, parameter broadcasting for batches."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pennylane as qml

from benchmarks import answers
from benchmarks.data import Task, Workload
from benchmarks.peers.base import Runner
from benchmarks.peers.jax_cache import use_cache
from benchmarks.peers.pennylane_gates import apply, hamiltonian, tape


def node(workload: Workload, measurement: Any, differentiated: bool = True) -> Any:
    """A QNode of (theta, x); `measurement()` says what is returned."""
    device = qml.device("default.qubit", wires=workload.num_qubits, seed=jax.random.PRNGKey(0))

    @qml.qnode(device, interface="jax", diff_method="backprop" if differentiated else None)
    def circuit(theta: Any, x: Any = None) -> Any:
        apply(workload.gates, theta, x)
        return measurement()

    return circuit


def single(values: np.ndarray) -> Any:
    return jnp.asarray(values, jnp.float32)


def energy(workload: Workload) -> Any:
    observable = hamiltonian(workload)
    return node(workload, lambda: qml.expval(observable))


def gradient(workload: Workload) -> Runner:
    step = jax.jit(jax.value_and_grad(energy(workload)))
    return Runner(lambda t: jax.block_until_ready(step(single(t))), lambda r: answers.of_gradient(*r))


def batch(workload: Workload) -> Runner:
    circuit = energy(workload)
    step = jax.jit(jax.value_and_grad(lambda t, x, y: jnp.mean((circuit(t, x) - y) ** 2)))
    x, y = single(workload.features), single(workload.labels)
    return Runner(lambda t: jax.block_until_ready(step(single(t), x, y)), lambda r: answers.of_gradient(*r))


def value(workload: Workload) -> Runner:
    run = jax.jit(energy(workload))
    return Runner(lambda t: jax.block_until_ready(run(single(t))), answers.of_value)


def state(workload: Workload) -> Runner:
    run = jax.jit(node(workload, qml.state, False))
    return Runner(
        lambda t: jax.block_until_ready(run(single(t))), lambda psi: answers.of_state(psi, workload.num_qubits)
    )


def samples(workload: Workload) -> Runner:
    run = jax.jit(qml.set_shots(node(workload, qml.sample, False), shots=workload.shots))
    return Runner(lambda t: jax.block_until_ready(run(single(t))), answers.of_samples)


def build(workload: Workload) -> Runner:
    return Runner(lambda t: tape(workload, t), lambda made: {"gates": [len(made.operations)]})


def bind(workload: Workload) -> Runner:
    made = tape(workload, workload.theta)
    indices = list(range(len(made.get_parameters(trainable_only=False))))
    return Runner(
        lambda t: made.bind_new_parameters(list(t), indices), lambda bound: {"gates": [len(bound.operations)]}
    )


TASKS = {
    Task.GRADIENT: gradient,
    Task.BATCH: batch,
    Task.VALUE: value,
    Task.STATE: state,
    Task.SAMPLES: samples,
    Task.BUILD: build,
    Task.BIND: bind,
}

__all__ = ["TASKS", "use_cache"]
