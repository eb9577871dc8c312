"""Google's qsim through Cirq: fused gates as wide as its documentation advises. It has no gradients."""

# what the library says of its own types is not complete
# pyright: reportPrivateImportUsage=false, reportCallIssue=false

from __future__ import annotations

import os
from typing import Any

import cirq
import numpy as np
import qsimcirq
import sympy

from benchmarks import answers
from benchmarks.data import Gate, Slot, Task, Workload, expanded
from benchmarks.peers.base import Runner, no_cache

use_cache = no_cache

FIXED = {"h": cirq.H, "x": cirq.X, "cx": cirq.CNOT, "cz": cirq.CZ, "swap": cirq.SWAP}
ROTATIONS = {"rx": cirq.rx, "ry": cirq.ry, "rz": cirq.rz}
PAULIS = {"X": cirq.X, "Y": cirq.Y, "Z": cirq.Z}


def simulator(num_qubits: int) -> Any:
    threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
    width = 4 if num_qubits >= 22 else 3  # as the documentation of QSimOptions says
    return qsimcirq.QSimSimulator(qsimcirq.QSimOptions(max_fused_gate_size=width, cpu_threads=threads))


def operation(gate: Gate, angle: Any) -> Any:
    if gate.matrix is not None:
        return cirq.MatrixGate(gate.matrix)
    if gate.name in FIXED:
        return FIXED[gate.name]
    if gate.name in ROTATIONS:
        return ROTATIONS[gate.name](angle)
    if gate.name == "cp":
        return cirq.CZPowGate(exponent=angle / np.pi)
    return cirq.ZZPowGate(exponent=angle / np.pi, global_shift=-0.5)  # rzz


def circuit_of(workload: Workload) -> tuple[Any, Any]:
    """(circuit, its qubits)."""
    qubits = cirq.LineQubit.range(workload.num_qubits)
    symbols = sympy.symbols(f"t0:{max(len(workload.theta), 1)}")
    made = []
    for gate in expanded(workload.gates):
        angle: Any = gate.angle
        if isinstance(angle, Slot):
            angle = symbols[angle.index] if angle.factor == 1.0 else angle.factor * symbols[angle.index]
        made.append(operation(gate, angle)(*[qubits[q] for q in gate.qubits]))
    return cirq.Circuit(made), qubits


def resolver(t: np.ndarray) -> Any:
    return cirq.ParamResolver({f"t{k}": float(v) for k, v in enumerate(t)})


def value(workload: Workload) -> Runner:
    circuit, qubits = circuit_of(workload)
    total = cirq.PauliSum()
    for letters, coefficient in workload.observable:
        total += coefficient * cirq.PauliString({qubits[q]: PAULIS[p] for q, p in letters})
    device = simulator(workload.num_qubits)

    def call(t: np.ndarray) -> Any:
        return device.simulate_expectation_values(circuit, [total], resolver(t), qubit_order=qubits)[0].real

    return Runner(call, answers.of_value)


def state(workload: Workload) -> Runner:
    circuit, qubits = circuit_of(workload)
    device = simulator(workload.num_qubits)

    def call(t: np.ndarray) -> Any:
        return device.simulate(circuit, resolver(t), qubit_order=qubits).final_state_vector

    return Runner(call, lambda psi: answers.of_state(psi, workload.num_qubits))


def samples(workload: Workload) -> Runner:
    circuit, qubits = circuit_of(workload)
    circuit.append(cirq.measure(*qubits, key="all"))
    device = simulator(workload.num_qubits)

    def call(t: np.ndarray) -> Any:
        return device.run(circuit, resolver(t), repetitions=workload.shots).measurements["all"]

    return Runner(call, answers.of_samples)


def count(circuit: Any) -> answers.Answer:
    return {"gates": [sum(1 for _ in circuit.all_operations())]}


def build(workload: Workload) -> Runner:
    return Runner(lambda t: circuit_of(workload)[0], count)


def bind(workload: Workload) -> Runner:
    circuit, _ = circuit_of(workload)
    return Runner(lambda t: cirq.resolve_parameters(circuit, resolver(t)), count)


TASKS = {
    Task.VALUE: value,
    Task.STATE: state,
    Task.SAMPLES: samples,
    Task.BUILD: build,
    Task.BIND: bind,
}
