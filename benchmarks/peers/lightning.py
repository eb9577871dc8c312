"""PennyLane's lightning.qubit: C++ with the adjoint method, in single precision."""

# what the library says of its own types is not complete
# pyright: reportAttributeAccessIssue=false, reportArgumentType=false

from __future__ import annotations

from typing import Any

import numpy as np
import pennylane as qml
from pennylane import numpy as pnp

from benchmarks import answers
from benchmarks.data import Task, Workload
from benchmarks.peers.base import Runner, no_cache
from benchmarks.peers.pennylane_gates import apply, hamiltonian

use_cache = no_cache


def node(workload: Workload, measurement: Any, method: str | None) -> Any:
    """A QNode of (theta, x); `measurement()` says what is returned."""
    device = qml.device("lightning.qubit", wires=workload.num_qubits, c_dtype=np.complex64)

    @qml.qnode(device, interface="autograd", diff_method=method)
    def circuit(theta: Any, x: Any = None) -> Any:
        apply(workload.gates, theta, x)
        return measurement()

    return circuit


def trained(theta: np.ndarray) -> Any:
    return pnp.array(theta, requires_grad=True)


def gradient(workload: Workload) -> Runner:
    observable = hamiltonian(workload)
    step = qml.grad(node(workload, lambda: qml.expval(observable), "adjoint"), argnums=[0])

    def call(t: np.ndarray) -> Any:
        slopes = step(trained(t))
        return step.forward, slopes

    return Runner(call, lambda r: answers.of_gradient(*r))


def batch(workload: Workload) -> Runner:
    observable = hamiltonian(workload)
    circuit = node(workload, lambda: qml.expval(observable), "adjoint")
    x, y = pnp.array(workload.features, requires_grad=False), workload.labels
    step = qml.grad(lambda t: pnp.mean((circuit(t, x) - y) ** 2), argnums=[0])

    def call(t: np.ndarray) -> Any:
        slopes = step(trained(t))
        return step.forward, slopes

    return Runner(call, lambda r: answers.of_gradient(*r))


def value(workload: Workload) -> Runner:
    observable = hamiltonian(workload)
    return Runner(node(workload, lambda: qml.expval(observable), None), answers.of_value)


def state(workload: Workload) -> Runner:
    return Runner(node(workload, qml.state, None), lambda psi: answers.of_state(psi, workload.num_qubits))


def samples(workload: Workload) -> Runner:
    return Runner(qml.set_shots(node(workload, qml.sample, None), shots=workload.shots), answers.of_samples)


TASKS = {
    Task.GRADIENT: gradient,
    Task.BATCH: batch,
    Task.VALUE: value,
    Task.STATE: state,
    Task.SAMPLES: samples,
}
