"""Neutral gates as PennyLane operations, for both of its devices."""

# what the library says of its own types is not complete
# pyright: reportAttributeAccessIssue=false, reportArgumentType=false

from __future__ import annotations

from typing import Any

import numpy as np
import pennylane as qml

from benchmarks.data import Gate, Workload
from benchmarks.peers.base import angle_of

OPERATIONS = {
    "h": qml.Hadamard,
    "x": qml.PauliX,
    "rx": qml.RX,
    "ry": qml.RY,
    "rz": qml.RZ,
    "cx": qml.CNOT,
    "cz": qml.CZ,
    "swap": qml.SWAP,
    "cp": qml.ControlledPhaseShift,
    "rzz": qml.IsingZZ,
}
PAULIS = {"X": qml.X, "Y": qml.Y, "Z": qml.Z}


def apply(gates: tuple[Gate, ...], theta: Any, x: Any = None) -> None:
    """Queue the gates; `x` may have a batch axis in front."""
    for gate in gates:
        if gate.name == "unitary":
            qml.QubitUnitary(gate.matrix, wires=gate.qubits)
        elif gate.name == "evolution":
            angle = angle_of(gate, theta, x)
            for label, coefficient in gate.paulis:
                wires = [q for q, p in zip(gate.qubits, label, strict=True) if p != "I"]
                qml.PauliRot(2 * coefficient * angle, label.replace("I", ""), wires=wires)
        elif gate.angle is None:
            OPERATIONS[gate.name](wires=gate.qubits)
        else:
            OPERATIONS[gate.name](angle_of(gate, theta, x), wires=gate.qubits)


def hamiltonian(workload: Workload) -> Any:
    """The observable as a linear combination."""
    words = []
    for letters, _ in workload.observable:
        factors = [PAULIS[p](q) for q, p in letters]
        words.append(qml.prod(*factors) if len(factors) > 1 else factors[0] if factors else qml.Identity(0))
    return qml.Hamiltonian(np.array([c for _, c in workload.observable]), words)


def tape(workload: Workload, theta: Any) -> Any:
    """The circuit as a tape."""
    with qml.queuing.AnnotatedQueue() as queue:
        apply(workload.gates, theta)
    return qml.tape.QuantumScript.from_queue(queue)
