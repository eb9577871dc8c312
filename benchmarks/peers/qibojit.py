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
from benchmarks.peers.base import Runner, Unsupported, angle_of, split

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


def binder(circuit: Any, made: list[Gate]) -> Any:
    """A function (theta) -> the circuit with these parameters."""
    varying = [gate for gate in made if isinstance(gate.angle, Slot)]

    def bind(t: np.ndarray) -> Any:
        circuit.set_parameters([float(angle_of(gate, t)) for gate in varying])
        return circuit

    return bind


def state(workload: Workload) -> Runner:
    head, tail = split(expanded(workload.gates))
    make = binder(circuit_of(workload, head), head)
    rest = circuit_of(workload, tail).fuse(max_qubits=2) if tail else None

    def call(t: np.ndarray) -> Any:
        psi = make(t)().state()
        return psi if rest is None else rest(initial_state=psi).state()

    return Runner(call, lambda psi: answers.of_state(psi, workload.num_qubits))


def samples(workload: Workload) -> Runner:
    made = expanded(workload.gates)
    circuit = circuit_of(workload, made)
    circuit.add(gates.M(*range(workload.num_qubits)))
    make = binder(circuit, made)
    return Runner(lambda t: make(t)(nshots=workload.shots).samples(binary=True), answers.of_samples)


def build(workload: Workload) -> Runner:
    return Runner(lambda t: circuit_of(workload, expanded(workload.gates)), lambda c: {"gates": [c.ngates]})


def bind(workload: Workload) -> Runner:
    made = expanded(workload.gates)
    return Runner(binder(circuit_of(workload, made), made), lambda c: {"gates": [c.ngates]})


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
