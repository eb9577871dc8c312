"""PennyLane's tapes and ours circuits, both ways: equal matrices, for every operation of either library."""

from __future__ import annotations

import doctest
import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

qml = pytest.importorskip("pennylane")  # the extra `pennylane`: .ci/vendors runs these

from ir_oracle import random_unitary, unitary_of
from qsim import Circuit, I, Parameter, PauliSum, X, Y, Z, execute, gates, ops
from qsim.errors import CircuitError, ObservableError
from qsim.interop import (
    from_pennylane,
    pauli_from_pennylane,
    pauli_to_pennylane,
    pennylane_paulis,
    pennylane_read,
    pennylane_write,
    to_pennylane,
)
from qsim.ir.ops.delay import Delay
from qsim.ir.table import rows
from qsim.results import Expectation

RNG = np.random.default_rng(5)
PLACES = [4, 2, 0, 3, 1]


def matrix(tape, num_qubits: int) -> np.ndarray:
    return qml.matrix(tape, wire_order=range(num_qubits))


def assert_same(tape, ours: Circuit) -> None:
    np.testing.assert_allclose(unitary_of(ours), matrix(tape, ours.num_qubits), atol=1e-9)


def both_ways(ours: Circuit) -> Circuit:
    tape = to_pennylane(ours)
    if ours.instructions:
        assert_same(tape, ours)
    again = from_pennylane(tape, wires=range(ours.num_qubits))
    np.testing.assert_allclose(unitary_of(again), unitary_of(ours), atol=1e-9)
    return again


@pytest.mark.parametrize("module", [pennylane_paulis, pennylane_read, pennylane_write], ids=lambda m: m.__name__)
def test_examples_run(module):
    assert doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS).failed == 0


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
def test_every_gate_of_the_table_goes_there_and_back(row):
    gate = gates.gate(row.name, *[0.3 + 0.4 * k for k in range(len(row.params))])
    both_ways(Circuit(4).append(gate, [3, 1, 2][: row.num_qubits]))
    for count, state in ((1, None), (1, "0"), (2, "01")):
        operation = ops.controlled(gate, count, state)
        both_ways(Circuit(5).append(operation, PLACES[: operation.num_qubits]))


EVOLVED = X(0) @ Y(1) + 0.5 * Z(2) + 0.3 * Y(0) + 0.2 * I()
HIGH = {
    "qft": ops.QFT(3),
    "permutation": ops.Permutation([1, 2, 3, 0]),
    "permutation of qubits": ops.Permutation.of_qubits([2, 0, 1]),
    "diagonal": ops.Diagonal(np.exp(1j * np.arange(8))),
    "unitary": ops.Unitary(random_unitary(RNG, 3)),
    "unitary on nothing": ops.Unitary([[1j]]),
    "diagonal on nothing": ops.Diagonal([1j]),
    "prepare": ops.PrepareState([0.6, 0, 0, 0.8j]),
    "clifford": ops.Clifford([[0, 1, 0], [1, 0, 0]]),
    "evolution": ops.PauliEvolution(EVOLVED, 0.3),
    "evolution of order 2": ops.PauliEvolution(EVOLVED, 0.3, 2, 2),
}


@pytest.mark.parametrize("name", HIGH)
def test_every_high_level_operation_goes_there_and_back(name):
    for operation in (HIGH[name], ops.inverse(HIGH[name]), ops.controlled(HIGH[name], 2, "01")):
        both_ways(Circuit(5).append(operation, PLACES[: operation.num_qubits]))


SPECIAL = {
    "BlockEncode": lambda: qml.BlockEncode(np.array([[0.1, 0.2], [0.3, 0.4]]), wires=[1, 0]),
    "ControlledQubitUnitary": lambda: qml.ControlledQubitUnitary(random_unitary(RNG, 1), wires=[2, 0, 1]),
    "DiagonalQubitUnitary": lambda: qml.DiagonalQubitUnitary(np.exp(1j * np.arange(4)), wires=[1, 0]),
    "IntegerComparator": lambda: qml.IntegerComparator(2, wires=[2, 1, 0]),
    "MultiControlledX": lambda: qml.MultiControlledX(wires=[2, 0, 1], control_values=[1, 0]),
    "MultiRZ": lambda: qml.MultiRZ(0.3, [2, 0, 1]),
    "PauliRot": lambda: qml.PauliRot(0.3, "XIY", [2, 0, 1]),
    "PCPhase": lambda: qml.PCPhase(0.3, 3, [2, 0, 1]),
    "QubitUnitary": lambda: qml.QubitUnitary(random_unitary(RNG, 2), [2, 0]),
    "SpecialUnitary": lambda: qml.SpecialUnitary(np.linspace(0.1, 0.3, 15), [2, 0]),
    "GlobalPhase": lambda: qml.GlobalPhase(0.3, wires=0),
    "Identity": lambda: qml.Identity([2, 0]),
    "WireCut": None,
    "Snapshot": None,
    "BasisState": None,
    "StatePrep": None,
    "QubitDensityMatrix": None,
}


def plain_operations() -> dict:
    found = {}
    for name, kind in vars(qml.ops).items():
        if not inspect.isclass(kind) or not kind.__module__.startswith(
            ("pennylane.ops.qubit", "pennylane.ops.op_math.controlled_ops", "pennylane.ops.identity")
        ):
            continue
        if not issubclass(kind, qml.operation.Operation) or name in SPECIAL:
            continue
        found[kind.__name__] = lambda kind=kind: kind(
            *[0.3 + 0.4 * k for k in range(kind.num_params)], wires=PLACES[: kind.num_wires]
        )
    return found | {name: make for name, make in SPECIAL.items() if make is not None}


OPERATIONS = plain_operations()


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_of_pennylane_comes_here(name):
    one = OPERATIONS[name]()
    kinds = [one, qml.adjoint(one), qml.ctrl(one, [6, 5], control_values=[0, 1]), qml.pow(one, 3)]
    for operation in kinds:
        ours = from_pennylane(qml.tape.QuantumScript([operation]), wires=range(7))
        wires = list(operation.wires)
        expected = qml.matrix(operation, wire_order=wires)
        places = {q: k for k, q in enumerate(wires)}
        small = Circuit(len(wires))
        for i in ours.instructions:
            small.append(i.operation, [places[q] for q in i.qubits])
        np.testing.assert_allclose(unitary_of(small), expected, atol=1e-7)
