"""qulacs: parametric circuits with backprop; the constant end of a circuit is optimised to larger gates.

Its rotations turn the other way, exp(+i t P / 2): angles go in, and gradients come out, with
the sign changed. Parameters that stand in several gates are summed by the chain rule here.
"""

# what the library says of its own types is not complete
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import qulacs
from qulacs.circuit import QuantumCircuitOptimizer

from benchmarks import answers
from benchmarks.data import Gate, Slot, Task, Workload
from benchmarks.peers.base import Runner, Unsupported, angle_of, no_cache, reversed_qubits, split

use_cache = no_cache

PAULI = {"X": 1, "Y": 2, "Z": 3}
ROTATIONS = {"rx": "RX", "ry": "RY", "rz": "RZ"}
FIXED = {"h": "H", "x": "X", "cx": "CNOT", "cz": "CZ", "swap": "SWAP"}
BLOCK = 4


def strings(gate: Gate) -> Iterator[tuple[list[int], list[int], float]]:
    """(qubits, letters, c) for each exp(-i c angle P / 2) of rzz or an evolution."""
    if gate.name == "rzz":
        yield list(gate.qubits), [3, 3], 1.0
    for label, coefficient in gate.paulis:
        acting = [(q, PAULI[p]) for q, p in zip(gate.qubits, label, strict=True) if p != "I"]
        yield [q for q, _ in acting], [p for _, p in acting], 2 * coefficient


def circuit_of(workload: Workload, gates: Sequence[Gate]) -> tuple[Any, list[Slot]]:
    """The circuit, and for each of its parameters minus what it is of ours."""
    circuit = qulacs.ParametricQuantumCircuit(workload.num_qubits)
    slots: list[Slot] = []
    for gate in gates:
        angle = gate.angle
        if gate.name in FIXED:
            getattr(circuit, f"add_{FIXED[gate.name]}_gate")(*gate.qubits)
        elif gate.matrix is not None:  # qulacs takes the first qubit as the least significant
            circuit.add_dense_matrix_gate(list(gate.qubits[::-1]), gate.matrix)
        elif gate.name == "cp":
            if isinstance(angle, Slot):
                raise Unsupported("controlled phases with parameters")
            phase = qulacs.gate.to_matrix_gate(qulacs.gate.U1(gate.qubits[1], angle))
            phase.add_control_qubit(gate.qubits[0], 1)
            circuit.add_gate(phase)
        elif gate.name in ROTATIONS:
            kind = ROTATIONS[gate.name]
            if isinstance(angle, Slot):
                getattr(circuit, f"add_parametric_{kind}_gate")(*gate.qubits, 0.0)
                slots.append(angle)
            else:
                getattr(circuit, f"add_{kind}_gate")(*gate.qubits, -angle)  # type: ignore[operator]
        else:
            for qubits, letters, factor in strings(gate):
                if isinstance(angle, Slot):
                    circuit.add_parametric_multi_Pauli_rotation_gate(qubits, letters, 0.0)
                    slots.append(Slot(angle.index, angle.factor * factor, angle.of))
                else:
                    circuit.add_multi_Pauli_rotation_gate(qubits, letters, -factor * angle)  # type: ignore[operator]
    return circuit, slots


def set_angles(circuit: Any, slots: list[Slot], theta: np.ndarray, x: Any = None) -> Any:
    for k, slot in enumerate(slots):
        circuit.set_parameter(k, -float(angle_of(Gate("", (), slot), theta, x)))
    return circuit


def observable_of(workload: Workload) -> Any:
    observable = qulacs.Observable(workload.num_qubits)
    for letters, coefficient in workload.observable:
        observable.add_operator(coefficient, " ".join(f"{p} {q}" for q, p in letters))
    return observable


def slopes(made: Any, slots: list[Slot], observable: Any, size: int) -> np.ndarray:
    found = np.zeros(size)
    for slot, slope in zip(slots, made.backprop(observable), strict=True):
        if slot.of == "theta":
            found[slot.index] -= slot.factor * slope
    return found


def gradient(workload: Workload) -> Runner:
    circuit, slots = circuit_of(workload, workload.gates)
    observable, psi = observable_of(workload), qulacs.QuantumState(workload.num_qubits)

    def call(t: np.ndarray, x: Any = None) -> Any:
        set_angles(circuit, slots, t, x)
        psi.set_zero_state()
        circuit.update_quantum_state(psi)
        return observable.get_expectation_value(psi), slopes(circuit, slots, observable, len(t))

    return Runner(call, lambda r: answers.of_gradient(*r))


def batch(workload: Workload) -> Runner:
    one: Any = gradient(workload).call

    def call(t: np.ndarray) -> Any:
        found = [one(t, x) for x in workload.features]
        off = np.array([v for v, _ in found]) - workload.labels
        return np.mean(off**2), 2 * np.mean([o * g for o, (_, g) in zip(off, found, strict=True)], axis=0)

    return Runner(call, lambda r: answers.of_gradient(*r))


def evolve(workload: Workload) -> Any:
    """A function (theta) -> final state; the state is used again by the next call."""
    head, tail = split(workload.gates)
    (circuit, slots), (rest, _) = circuit_of(workload, head), circuit_of(workload, tail)
    QuantumCircuitOptimizer().optimize(rest, BLOCK)
    psi = qulacs.QuantumState(workload.num_qubits)

    def run(t: np.ndarray) -> Any:
        set_angles(circuit, slots, t)
        psi.set_zero_state()
        circuit.update_quantum_state(psi)
        rest.update_quantum_state(psi)
        return psi

    return run


def value(workload: Workload) -> Runner:
    run, observable = evolve(workload), observable_of(workload)
    return Runner(lambda t: observable.get_expectation_value(run(t)), answers.of_value)


def state(workload: Workload) -> Runner:
    n = workload.num_qubits
    return Runner(evolve(workload), lambda psi: answers.of_state(reversed_qubits(psi.get_vector(), n), n))


def samples(workload: Workload) -> Runner:
    run, places = evolve(workload), np.arange(workload.num_qubits)

    def call(t: np.ndarray) -> Any:
        return run(t).sampling(workload.shots, 1)

    return Runner(call, lambda drawn: answers.of_samples(np.asarray(drawn)[:, None] >> places & 1))


def build(workload: Workload) -> Runner:
    return Runner(lambda t: circuit_of(workload, workload.gates)[0], lambda c: {"gates": [c.get_gate_count()]})


def bind(workload: Workload) -> Runner:
    circuit, slots = circuit_of(workload, workload.gates)
    return Runner(lambda t: set_angles(circuit, slots, t), lambda c: {"gates": [c.get_gate_count()]})


TASKS = {
    Task.GRADIENT: gradient,
    Task.BATCH: batch,
    Task.VALUE: value,
    Task.STATE: state,
    Task.SAMPLES: samples,
    Task.BUILD: build,
    Task.BIND: bind,
}
