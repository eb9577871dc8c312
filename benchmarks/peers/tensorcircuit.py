"""tensorcircuit-ng on JAX: jitted value_and_grad, `scan` over repeated layers, vmap over samples.

The scan is that of its documentation on compile time (examples/hea_scan_jit_acc.py); Pauli sums
are `PauliStringSum2MVP`, its matrix-free product.
"""

# what the library says of its own types is not complete
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
import tensorcircuit as tc

from benchmarks import answers
from benchmarks.data import Gate, Task, Workload, expanded
from benchmarks.peers.base import Runner, angle_of
from benchmarks.peers.jax_cache import use_cache

K = tc.set_backend("jax")
tc.set_dtype("complex64")

NAMES = {"cx": "cnot", "cp": "cphase"}
LETTERS = {"I": 0, "X": 1, "Y": 2, "Z": 3}


def apply(circuit: Any, gates: Sequence[Gate], theta: Any, x: Any = None) -> Any:
    for gate in expanded(tuple(gates)):
        method = getattr(circuit, NAMES.get(gate.name, gate.name))
        if gate.matrix is not None:
            method(*gate.qubits, unitary=gate.matrix)
        elif gate.angle is None:
            method(*gate.qubits)
        else:
            method(*gate.qubits, theta=angle_of(gate, theta, x))
    return circuit


def amplitudes(workload: Workload, theta: Any, x: Any = None) -> Any:
    """The final state, its repeated part as a scan."""
    n, gates, repeat = workload.num_qubits, workload.gates, workload.repeat
    if repeat is None or repeat.times < 2:
        return apply(tc.Circuit(n), gates, theta, x).state()
    body = gates[repeat.start : repeat.start + repeat.size]

    def layer(psi: Any, part: Any) -> Any:
        return apply(tc.Circuit(n, inputs=psi), body, part, x).state()

    psi = apply(tc.Circuit(n), gates[: repeat.start], theta, x).state()
    return K.scan(layer, theta.reshape(repeat.times, repeat.params), psi)


def expectation(workload: Workload) -> Any:
    labels = []
    for letters, _ in workload.observable:
        label = [0] * workload.num_qubits
        for qubit, letter in letters:
            label[qubit] = LETTERS[letter]
        labels.append(label)
    product = tc.quantum.PauliStringSum2MVP(labels, [c for _, c in workload.observable])

    def energy(theta: Any, x: Any = None) -> Any:
        psi = amplitudes(workload, theta, x)
        return K.real(K.sum(K.conj(psi) * product(psi)))

    return energy


def single(theta: np.ndarray) -> Any:
    return K.cast(K.convert_to_tensor(theta), "float32")


def gradient(workload: Workload) -> Runner:
    step = K.jit(K.value_and_grad(expectation(workload)))
    return Runner(lambda t: jax.block_until_ready(step(single(t))), lambda r: answers.of_gradient(*r))


def batch(workload: Workload) -> Runner:
    energies = K.vmap(expectation(workload), vectorized_argnums=1)

    def loss(theta: Any, x: Any, y: Any) -> Any:
        return K.mean((energies(theta, x) - y) ** 2)

    step = K.jit(K.value_and_grad(loss))
    x, y = single(workload.features), single(workload.labels)
    return Runner(lambda t: jax.block_until_ready(step(single(t), x, y)), lambda r: answers.of_gradient(*r))


def value(workload: Workload) -> Runner:
    energy = K.jit(expectation(workload))
    return Runner(lambda t: jax.block_until_ready(energy(single(t))), answers.of_value)


def state(workload: Workload) -> Runner:
    run = K.jit(lambda theta: amplitudes(workload, theta))
    return Runner(
        lambda t: jax.block_until_ready(run(single(t))), lambda psi: answers.of_state(psi, workload.num_qubits)
    )


def samples(workload: Workload) -> Runner:
    def draw(theta: Any, key: Any) -> Any:
        circuit = tc.Circuit(workload.num_qubits, inputs=amplitudes(workload, theta))
        return circuit.sample(batch=workload.shots, allow_state=True, format="sample_bin", random_generator=key)

    run, key = K.jit(draw), jax.random.PRNGKey(0)
    return Runner(lambda t: jax.block_until_ready(run(single(t), key)), answers.of_samples)


def build(workload: Workload) -> Runner:
    def call(t: np.ndarray) -> Any:
        return apply(tc.Circuit(workload.num_qubits), workload.gates, t)

    return Runner(call, lambda c: {"gates": [c.gate_count()]})


def program(workload: Workload) -> Runner:
    """Not jitted: each call reads the text anew, and would compile anew."""

    def call(t: np.ndarray) -> Any:
        return jax.block_until_ready(tc.Circuit.from_openqasm(workload.text).state())

    return Runner(call, lambda psi: answers.of_state(psi, workload.num_qubits))


def read(workload: Workload) -> Runner:
    return Runner(lambda t: tc.Circuit.from_openqasm(workload.text), lambda c: {"qubits": [c._nqubits]})


TASKS = {
    Task.GRADIENT: gradient,
    Task.BATCH: batch,
    Task.VALUE: value,
    Task.STATE: state,
    Task.SAMPLES: samples,
    Task.BUILD: build,
    Task.PROGRAM: program,
    Task.READ: read,
}

__all__ = ["TASKS", "use_cache"]
