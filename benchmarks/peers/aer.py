"""Qiskit Aer: the statevector method with fusion, in single precision. It has no gradients."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from qiskit import QuantumCircuit, qasm2, transpile
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer import AerSimulator

from benchmarks import answers
from benchmarks.data import Slot, Task, Workload, expanded
from benchmarks.peers.base import Runner, no_cache, reversed_qubits

use_cache = no_cache


def simulator() -> Any:
    threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
    return AerSimulator(method="statevector", precision="single", fusion_enable=True, max_parallel_threads=threads)


def circuit_of(workload: Workload) -> tuple[Any, Any]:
    """(circuit, its parameters)."""
    theta = ParameterVector("theta", len(workload.theta))
    circuit = QuantumCircuit(workload.num_qubits)
    for gate in expanded(workload.gates):
        angle: Any = gate.angle
        if isinstance(angle, Slot):
            angle = theta[angle.index] if angle.factor == 1.0 else angle.factor * theta[angle.index]
        if gate.matrix is not None:  # Qiskit takes the first qubit as the least significant
            circuit.unitary(gate.matrix, gate.qubits[::-1])
        elif angle is None:
            getattr(circuit, gate.name)(*gate.qubits)
        else:
            getattr(circuit, gate.name)(angle, *gate.qubits)
    return circuit, theta


def runs(circuit: Any, theta: Any, shots: int = 1) -> Any:
    """A function (theta) -> Aer's result."""
    device = simulator()

    def run(t: np.ndarray) -> Any:
        binds = [{p: [float(v)] for p, v in zip(theta, t, strict=True)}] if len(theta) else None
        result = device.run(circuit, parameter_binds=binds, shots=shots, seed_simulator=1).result()
        if not result.success:
            raise RuntimeError(result.status)
        return result

    return run


def value(workload: Workload) -> Runner:
    n = workload.num_qubits
    circuit, theta = circuit_of(workload)
    terms = [("".join(p for _, p in letters), [q for q, _ in letters], c) for letters, c in workload.observable]
    circuit.save_expectation_value(SparsePauliOp.from_sparse_list(terms, n), range(n), label="value")
    run = runs(circuit, theta)
    return Runner(lambda t: run(t).data(0)["value"], answers.of_value)


def state(workload: Workload) -> Runner:
    n = workload.num_qubits
    circuit, theta = circuit_of(workload)
    circuit.save_statevector()
    run = runs(circuit, theta)
    return Runner(
        lambda t: np.asarray(run(t).data(0)["statevector"]), lambda psi: answers.of_state(reversed_qubits(psi, n), n)
    )


def samples(workload: Workload) -> Runner:
    circuit, theta = circuit_of(workload)
    circuit.measure_all()
    run = runs(circuit, theta, workload.shots)

    def bits(counts: dict[str, int]) -> Any:
        rows = [[int(b) for b in reversed(text)] for text in counts]
        return answers.of_samples(np.repeat(np.array(rows, np.uint8), list(counts.values()), axis=0))

    return Runner(lambda t: run(t).get_counts(0), bits)


def build(workload: Workload) -> Runner:
    return Runner(lambda t: circuit_of(workload)[0], lambda c: {"gates": [len(c.data)]})


def bind(workload: Workload) -> Runner:
    circuit, theta = circuit_of(workload)
    return Runner(lambda t: circuit.assign_parameters({theta: list(t)}), lambda c: {"gates": [len(c.data)]})


def loads(text: str) -> Any:
    return qasm2.loads(text, custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS)


def program(workload: Workload) -> Runner:
    n, device = workload.num_qubits, simulator()

    def call(t: np.ndarray) -> Any:
        circuit = loads(workload.text)
        circuit.remove_final_measurements()
        circuit = transpile(circuit, device, optimization_level=0)
        circuit.save_statevector()
        return np.asarray(device.run(circuit, shots=1).result().data(0)["statevector"])

    return Runner(call, lambda psi: answers.of_state(reversed_qubits(psi, n), n))


def read(workload: Workload) -> Runner:
    return Runner(lambda t: loads(workload.text), lambda c: {"qubits": [c.num_qubits]})


TASKS = {
    Task.VALUE: value,
    Task.STATE: state,
    Task.SAMPLES: samples,
    Task.BUILD: build,
    Task.BIND: bind,
    Task.PROGRAM: program,
    Task.READ: read,
}
