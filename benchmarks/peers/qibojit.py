"""qibojit: numba kernels, in single precision. Its gradients go through other backends, so that it has none here."""

# what the library says of its own types is not complete
# pyright: reportAttributeAccessIssue=false, reportOptionalMemberAccess=false

from __future__ import annotations

import os
from typing import Any

import numpy as np
import qibo
from qibo import Circuit, gates
from qibo.backends import get_backend

from benchmarks import answers
from benchmarks.data import Gate, Slot, Task, Workload, expanded
from benchmarks.peers.base import Runner, Unsupported, angle_of, is_constant

FIXED = {"h": gates.H, "x": gates.X, "cx": gates.CNOT, "cz": gates.CZ, "swap": gates.SWAP}
ROTATIONS = {"rx": gates.RX, "ry": gates.RY, "rz": gates.RZ, "rzz": gates.RZZ, "cp": gates.CU1}


def use_cache(folder: str) -> None:
    """Nothing is kept, but the threads start here: those of OpenMP do not survive a fork."""
    qibo.set_backend("qibojit", platform="numba")
    get_backend().set_dtype("complex64")
    get_backend().set_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))


def circuit_of(workload: Workload, made: list[Gate]) -> Any:
    circuit = Circuit(workload.num_qubits)
    for gate in made:
        if gate.matrix is not None:
            circuit.add(gates.Unitary(gate.matrix, *gate.qubits, trainable=False))
        elif gate.name in FIXED:
            circuit.add(FIXED[gate.name](*gate.qubits))
        else:
            angle = 0.0 if isinstance(gate.angle, Slot) else gate.angle
            trainable = isinstance(gate.angle, Slot)
            circuit.add(ROTATIONS[gate.name](*gate.qubits, theta=angle, trainable=trainable))
    return circuit


def bound(workload: Workload) -> Any:
    """A function (theta) -> the circuit with these parameters; one of constants is fused."""
    made = expanded(workload.gates)
    circuit = circuit_of(workload, made)
    if is_constant(workload.gates):
        fused = circuit.fuse(max_qubits=2)
        return lambda t: fused
    varying = [gate for gate in made if isinstance(gate.angle, Slot)]

    def bind(t: np.ndarray) -> Any:
        circuit.set_parameters([float(angle_of(gate, t)) for gate in varying])
        return circuit

    return bind


def state(workload: Workload) -> Runner:
    make = bound(workload)
    return Runner(lambda t: make(t)().state(), lambda psi: answers.of_state(psi, workload.num_qubits))


def samples(workload: Workload) -> Runner:
    made = expanded(workload.gates)
    circuit = circuit_of(workload, made)
    circuit.add(gates.M(*range(workload.num_qubits)))
    varying = [gate for gate in made if isinstance(gate.angle, Slot)]

    def call(t: np.ndarray) -> Any:
        circuit.set_parameters([float(angle_of(gate, t)) for gate in varying])
        return circuit(nshots=workload.shots).samples(binary=True)

    return Runner(call, answers.of_samples)


def build(workload: Workload) -> Runner:
    return Runner(lambda t: circuit_of(workload, expanded(workload.gates)), lambda c: {"gates": [c.ngates]})


def bind(workload: Workload) -> Runner:
    make = bound(workload)
    return Runner(make, lambda c: {"gates": [c.ngates]})


def program(workload: Workload) -> Runner:
    if "measure" in workload.text or "gate " in workload.text:
        raise Unsupported("its reader is given no measurements and no definitions of gates here")

    def call(t: np.ndarray) -> Any:
        return Circuit.from_qasm(workload.text)().state()

    return Runner(call, lambda psi: answers.of_state(psi, workload.num_qubits))


TASKS = {
    Task.STATE: state,
    Task.SAMPLES: samples,
    Task.BUILD: build,
    Task.BIND: bind,
    Task.PROGRAM: program,
}
