"""Qiskit's circuits and ours, both ways: equal matrices, global phase included, for every gate of either library."""

from __future__ import annotations

from math import pi

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Clbit, ControlledGate, Gate, Parameter, ParameterVector, Qubit
from qiskit.circuit import library as standard
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.quantum_info import Clifford, Operator, Pauli, SparseObservable, SparsePauliOp
from qiskit.synthesis import LieTrotter, QDrift, SuzukiTrotter
from ir_oracle import random_unitary, unitary_of

import qsim
from qsim import Circuit, I, PauliSum, X, Y, Z, execute, gates, ops
from qsim.errors import BackendError, CircuitError, ObservableError, ParameterError
from qsim.interop import (
    from_qiskit,
    pauli_from_qiskit,
    pauli_to_qiskit,
    qiskit_parameters,
    qiskit_values,
    to_qiskit,
)
from qsim.interop import base as interop_base
from qsim.ir.ops.delay import Delay
from qsim.ir.table import rows

RNG = np.random.default_rng(5)
PLACES = [4, 2, 0, 5, 1, 3]


def matrix(theirs: QuantumCircuit) -> np.ndarray:
    """With qubit 0 most significant. Qiskit takes exact exponentials where the definition is a product formula."""
    if any("PauliEvolution" in name for name in theirs.count_ops()):
        theirs = theirs.decompose("PauliEvolution")
    return Operator(theirs.reverse_bits()).data


def assert_same(theirs: QuantumCircuit, ours: Circuit) -> None:
    np.testing.assert_allclose(unitary_of(ours), matrix(theirs), atol=1e-9)


def angles(count: int) -> list[float]:
    return [0.3 + 0.4 * k for k in range(count)]


def both_ways(ours: Circuit) -> Circuit:
    """There and back, each equal to the start."""
    theirs = to_qiskit(ours)
    assert_same(theirs, ours)
    again = from_qiskit(theirs)
    assert_same(theirs, again)
    return again


# -------------------------------------------------------------------- every gate


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
def test_every_gate_of_the_table_goes_there_and_back(row):
    gate = gates.gate(row.name, *angles(len(row.params)))
    again = both_ways(Circuit(4).append(gate, [3, 1, 2][: row.num_qubits]))
    if row.name in interop_base.OTHER_WORDS and row.name not in ("csx", "cu", "dcx", "prx", "rzx"):
        return  # Qiskit lacks these, so that they come back in other words
    assert again.count_ops() == {row.name: 1}
    for count, state in ((1, None), (1, "0"), (2, "01")):
        operation = ops.controlled(gate, count, state)
        both_ways(Circuit(5).append(operation, [4, 2, 0, 1, 3][: operation.num_qubits]))


STANDARD = {n: g.base_class for n, g in get_standard_gate_name_mapping().items() if isinstance(g, Gate)}


@pytest.mark.parametrize("name", STANDARD)
def test_every_standard_gate_of_qiskit_comes_here(name):
    kind = STANDARD[name]
    one = kind(*angles(len(get_standard_gate_name_mapping()[name].params)))
    kinds = [
        one,
        one.inverse(),
        one.inverse(annotated=True),
        one.power(2, annotated=True),
        one.power(0.3, annotated=True),
        one.control(1, ctrl_state=0, annotated=True),
    ]
    if one.num_qubits in (1, 2):
        kinds.append(one.control(2, ctrl_state=1, annotated=False))
    given = QuantumCircuit(6)
    for operation in kinds:
        given.append(operation, PLACES[: operation.num_qubits])
        assert_same(given, from_qiskit(given))


def custom() -> QuantumCircuit:
    made = QuantumCircuit(2, global_phase=0.3, name="custom")
    made.rx(0.2, 0)
    made.cx(0, 1)
    return made


HAMILTONIAN = SparsePauliOp(["XX", "ZI", "IY", "II"], [0.3, 0.5, 0.7, 0.2])
LIBRARY = {
    "unitary": standard.UnitaryGate(random_unitary(RNG, 3)),
    "controlled unitary": standard.UnitaryGate(random_unitary(RNG, 2)).control(1, annotated=True),
    "old controlled unitary": standard.UnitaryGate(random_unitary(RNG, 1)).control(2, ctrl_state=2, annotated=False),
    "diagonal": standard.DiagonalGate(np.exp(1j * np.arange(4)).tolist()),
    "permutation": standard.PermutationGate([2, 0, 1, 3]),
    "qft": standard.QFTGate(3),
    "inverse qft": standard.QFTGate(3).inverse(),
    "controlled qft": standard.QFTGate(2).control(1, annotated=True),
    "evolution": standard.PauliEvolutionGate(HAMILTONIAN, 0.4),
    "evolution in steps": standard.PauliEvolutionGate(HAMILTONIAN, 0.4, synthesis=LieTrotter(3)),
    "evolution of order 2": standard.PauliEvolutionGate(HAMILTONIAN, 0.4, synthesis=SuzukiTrotter(2, reps=2)),
    "evolution of order 4": standard.PauliEvolutionGate(HAMILTONIAN, 0.4, synthesis=SuzukiTrotter(4)),
    "evolution of a list": standard.PauliEvolutionGate([SparsePauliOp("XX"), SparsePauliOp("ZI")], 0.3),
    "evolution at random": standard.PauliEvolutionGate(HAMILTONIAN, 0.2, synthesis=QDrift(reps=1, seed=3)),
    "pauli": standard.PauliGate("XYZ"),
    "state": standard.StatePreparation([0.6, 0, 0, 0.8j]),
    "state by label": standard.StatePreparation("01+"),
    "state by number": standard.StatePreparation(2, 3),
    "mcx": standard.MCXGate(4),
    "c3x": standard.C3XGate(ctrl_state=2),
    "mcphase": standard.MCPhaseGate(0.3, 3),
    "cu open": standard.CUGate(0.1, 0.2, 0.3, 0.4, ctrl_state=0),
    "cu controlled": standard.CUGate(0.1, 0.2, 0.3, 0.4).control(1, annotated=True),
    "custom": custom().to_gate(),
    "controlled custom": custom().to_gate().control(2, ctrl_state=2, annotated=False),
    "power of custom": custom().to_gate().power(2),
    "fraction of custom": custom().to_gate().power(0.4, annotated=True),
    "inverse of custom": custom().to_gate().inverse(),
    "ms": standard.MSGate(3, 0.2),
    "ucry": standard.UCRYGate([0.1, 0.2, 0.3, 0.4]),
    "rv": standard.RVGate(0.1, 0.2, 0.3),
    "linear function": standard.LinearFunction([[1, 1], [0, 1]]),
    "hamiltonian": standard.HamiltonianGate(np.array([[0, 1], [1, 0]]), 0.2),
    "uc": standard.UCGate([np.eye(2), random_unitary(RNG, 1)]),
    "graph state": standard.GraphStateGate([[0, 1], [1, 0]]),
    "and": standard.AndGate(2),
    "adder": standard.HalfAdderGate(1),
    "comparator": standard.IntegerComparatorGate(2, 1),
    "superposition": standard.UniformSuperpositionGate(3, 2),
    "product rotation": standard.PauliProductRotationGate(Pauli("XYZ"), 0.3),
    "mcmt": standard.MCMTGate(standard.XGate(), 2, 2),
    "clifford": Clifford.from_label("SH"),
}
WHOLE = {
    "unitary": "unitary",
    "diagonal": "diagonal",
    "permutation": "permutation",
    "qft": "qft",
    "evolution": "pauli_evolution",
    "evolution in steps": "pauli_evolution",
    "evolution of order 2": "pauli_evolution",
    "evolution of order 4": "pauli_evolution",
}


@pytest.mark.parametrize("name", LIBRARY)
def test_what_else_qiskit_has_comes_here(name):
    operation = LIBRARY[name]
    given = QuantumCircuit(operation.num_qubits + 1)
    given.append(operation, [p for p in PLACES if p <= operation.num_qubits][: operation.num_qubits])
    ours = from_qiskit(given)
    assert_same(given, ours)
    if name in WHOLE:
        assert ours.count_ops() == {WHOLE[name]: 1}
        assert from_qiskit(to_qiskit(ours)).count_ops() == ours.count_ops()


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
    "evolution of order 4": ops.PauliEvolution(EVOLVED, 0.3, 4),
    "evolution that commutes": ops.PauliEvolution(X(0) @ X(1) + 0.5 * Z(0) @ Z(1) + 0.2 * I(), 0.3),
    "evolution of nothing": ops.PauliEvolution(PauliSum([], []), 0.3, num_qubits=1),
}
PRODUCTS = ("evolution", "evolution of order 2", "evolution of order 4")


@pytest.mark.filterwarnings("ignore::scipy.sparse.SparseEfficiencyWarning")
@pytest.mark.parametrize("name", HIGH)
def test_every_high_level_operation_goes_there_and_back(name):
    one = HIGH[name]
    kinds = [one, ops.inverse(one)]
    if name not in PRODUCTS:  # under control, Qiskit takes exact exponentials of these
        kinds.append(ops.controlled(one, 2, "01"))
    for operation in kinds:
        both_ways(Circuit(5).append(operation, [4, 2, 0, 3, 1][: operation.num_qubits]))
