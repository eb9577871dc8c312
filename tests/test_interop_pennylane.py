"""PennyLane's tapes and ours circuits, both ways: equal matrices, for every operation of either library."""

from __future__ import annotations

import doctest
import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

pytest.importorskip("pennylane")  # the extra `pennylane`: .ci/vendors runs these

import pennylane as qml
from interop_table import HIGH, PLACES, circuits_of, circuits_of_gate
from ir_oracle import random_unitary, unitary_of

from qsim import Circuit, I, Parameter, PauliSum, X, Y, Z, execute
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
from qsim.methods import Statevector
from qsim.results import Expectation

# PennyLane 0.45 asks JAX 0.10 for names that it calls deprecated
pytestmark = pytest.mark.filterwarnings("ignore:jax.core:DeprecationWarning")

RNG = np.random.default_rng(5)


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
    for circuit in circuits_of_gate(row):
        both_ways(circuit)


@pytest.mark.parametrize("name", HIGH)
def test_every_high_level_operation_goes_there_and_back(name):
    for circuit in circuits_of(name):
        both_ways(circuit)


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


DEVICE = qml.device("default.qubit")


def test_a_qnode_and_our_circuit_of_it_have_equal_values_and_gradients(x64):
    hamiltonian = 0.5 * qml.X(0) @ qml.Z(1) - 0.3 * qml.Z(2) + qml.sum(qml.Y(1), 2 * qml.Identity(0))

    @qml.qnode(DEVICE)
    def node(t, scale=1.0):
        qml.AngleEmbedding(t[:3], wires=range(3))
        qml.Rot(t[0], scale * t[1], t[2], 1)
        qml.adjoint(qml.SingleExcitation)(t[3], [0, 2])
        qml.ctrl(qml.RY, [0, 2], control_values=[0, 1])(t[1], 1)
        qml.MultiRZ(t[2] ** 2, [2, 0, 1])
        qml.GlobalPhase(t[0])
        qml.pow(qml.RX(t[3], 0), 2)
        qml.QubitUnitary(qml.matrix(qml.IsingXX(t[1], [0, 1])), [0, 1])
        return qml.expval(hamiltonian)

    wanted = Expectation(pauli_from_pennylane(hamiltonian))
    double = Statevector(jnp.complex128)

    def ours(t):
        return execute(from_pennylane(node, t, scale=0.7), wanted, method=double)

    point = jnp.array([0.1, 0.5, -0.4, 0.9])
    want = jax.value_and_grad(lambda t: node(t, scale=0.7))(point)
    for function in (jax.value_and_grad(ours), jax.jit(jax.value_and_grad(ours))):
        found = function(point)
        np.testing.assert_allclose(found[0], want[0], atol=1e-10)
        np.testing.assert_allclose(found[1], want[1], atol=1e-10)
    assert jax.vmap(ours)(jnp.stack([point, 2 * point])).shape == (2,)


def test_templates_come_here():
    shape = qml.StronglyEntanglingLayers.shape(2, 3)
    weights = np.linspace(0, 1, int(np.prod(shape))).reshape(shape)

    def function():
        qml.BasisState(np.array([1, 0, 1]), range(3))
        qml.StronglyEntanglingLayers(weights, range(3))
        qml.QFT(range(3))
        qml.GroverOperator(range(3))
        qml.TrotterProduct(qml.dot([0.3, 0.2], [qml.X(0) @ qml.X(1), qml.Z(2)]), 0.3, order=2)
        qml.exp(qml.X(0) @ qml.Y(1), -0.2j)
        qml.Permute([2, 0, 1], range(3))
        qml.prod(qml.S(0), qml.H(0))
        qml.Snapshot("here")
        qml.Barrier([0, 1])

    tape = qml.tape.make_qscript(function)()
    assert_same(tape, from_pennylane(function))
    assert from_pennylane(tape).count_ops()["qft"] == 1


def test_wires_have_the_order_of_pennylanes_states():
    @qml.qnode(DEVICE)
    def labelled():
        qml.RX(0.3, "b")
        qml.CNOT(["b", "a"])
        qml.RY(0.4, "a")
        return qml.state()

    @qml.qnode(qml.device("default.qubit", wires=["a", 5, "b"]))
    def on_a_device():
        qml.RX(0.3, "b")
        qml.CNOT(["b", "a"])
        return qml.state()

    @qml.qnode(DEVICE)
    def numbered():
        qml.RX(0.3, 2)
        qml.CNOT([2, 0])
        qml.RY(0.4, 1)
        return qml.state()

    @qml.qnode(DEVICE)
    def with_gaps():
        qml.RX(0.3, 5)
        qml.CNOT([5, 2])
        return qml.state()

    for node in (labelled, on_a_device, numbered, with_gaps):
        np.testing.assert_allclose(execute(from_pennylane(node), on="numpy"), node(), atol=1e-6)
    assert from_pennylane(labelled, wires=["a", "b", "c"]).instructions[0].qubits == (1,)
    with pytest.raises(CircuitError, match="acts on wire 'b'"):
        from_pennylane(labelled, wires=["a"])


def test_states_come_here_with_their_gradient():
    def amplitude(t):
        state = jnp.stack([jnp.cos(t), 0.0 * t, jnp.sin(t), 0.0 * t])
        tape = qml.tape.QuantumScript([qml.StatePrep(state, [0, 1]), qml.CNOT([0, 1])])
        return execute(from_pennylane(tape), Expectation(Z(1)))

    assert amplitude(0.3) == pytest.approx(np.cos(0.6), abs=1e-5)
    assert jax.grad(amplitude)(0.3) == pytest.approx(-2 * np.sin(0.6), abs=1e-5)


def measured():
    qml.measure(0)


def conditional():
    qml.cond(qml.measure(0), qml.X)(1)


class Odd(qml.operation.Operation):
    num_wires, num_params = 1, 0


REFUSED = {
    "measurement": (measured, "no counterpart in qsim.*defer_measurements"),
    "condition": (conditional, "no counterpart in qsim.*defer_measurements"),
    "noise": (lambda: qml.DepolarizingChannel(0.1, 0), r"DepolarizingChannel on qubits \(0\) has no counterpart"),
    "opaque": (lambda: Odd(0), r"Odd on qubits \(0\) has no counterpart"),
    "batch": (lambda: qml.RX(np.array([0.1, 0.2]), 0), "batch of 2 values"),
    "something else": (3, "a tape, a QNode or a function"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_counterpart_here_is_named(name):
    source, words = REFUSED[name]
    with pytest.raises(CircuitError, match=words):
        from_pennylane(source)


def test_a_tape_takes_no_arguments():
    with pytest.raises(CircuitError, match="takes no arguments"):
        from_pennylane(qml.tape.QuantumScript([qml.X(0)]), 0.5)
    assert from_pennylane(qml.tape.QuantumScript([])).num_qubits == 0


def test_what_has_no_counterpart_there_is_named():
    t = Parameter("t")
    with pytest.raises(CircuitError, match="rx has the parameter 2.0\\*t|rx has the parameter 2\\*t"):
        to_pennylane(Circuit(1).rx(2 * t, 0))
    for circuit, words in (
        (Circuit(1, num_clbits=1).measure(0, 0), r"measure on qubits \(0\) has no counterpart.*measurements="),
        (Circuit(1).append(Delay(1e-9), 0), r"delay on qubits \(0\) has no counterpart"),
        (qsim_with_odd(), r"odd on qubits \(0\)"),
    ):
        with pytest.raises(CircuitError, match=words):
            to_pennylane(circuit)
    with pytest.raises(CircuitError, match="2 different labels"):
        to_pennylane(Circuit(2), wires=["a", "a"])
    with pytest.raises(CircuitError, match="must be a Circuit"):
        to_pennylane(3)


def qsim_with_odd() -> Circuit:
    class Nothing:
        name, num_qubits, num_clbits, num_params, params = "odd", 1, 0, 0, ()

    return Circuit(1).append(Nothing(), 0)


def test_our_circuit_runs_there_and_traces(x64):
    circuit = Circuit(2).h(0).cx(0, 1).ry(Parameter("t"), 1)

    def value(t):
        tape = to_pennylane(circuit.bind({"t": t}), [qml.expval(qml.Z("b") @ qml.X("a"))], wires=["a", "b"])
        return qml.execute([tape], DEVICE, diff_method="backprop", interface="jax")[0]

    def ours(t):
        return execute(circuit, Expectation(Z(1) @ X(0)), {"t": t})

    assert value(jnp.array(0.3)) == pytest.approx(float(ours(0.3)), abs=1e-5)
    assert jax.grad(value)(0.3) == pytest.approx(float(jax.grad(ours)(0.3)), abs=1e-5)


def test_pauli_operators_go_there_and_back():
    ours = 0.5 * X(0) @ Z(2) - 2.0 * Y(1) + 0.25 * I()
    theirs = pauli_to_pennylane(ours)
    np.testing.assert_allclose(qml.matrix(theirs, wire_order=range(3)), ours.to_matrix(3), atol=1e-12)
    assert pauli_from_pennylane(theirs) == ours
    assert pauli_from_pennylane(pauli_to_pennylane(ours, "abc"), "abc") == ours
    for one in (qml.Hamiltonian([0.5], [qml.X(0)]), qml.s_prod(0.5, qml.X(0)), 0.5 * qml.prod(qml.X(0), qml.I(1))):
        assert pauli_from_pennylane(one) == 0.5 * X(0)
    assert pauli_from_pennylane(qml.X(0) @ qml.Y(0)) == 1j * Z(0)
    assert len(pauli_from_pennylane(pauli_to_pennylane(PauliSum([], [])))) == 0
    scaled = jax.jit(lambda c: pauli_from_pennylane(qml.Hamiltonian([c, 2.0 * c], [qml.X(0), qml.Z(1)])))(0.5)
    np.testing.assert_allclose(scaled.coefficients, [0.5, 1.0])
    for wrong in (3, qml.Hermitian(np.eye(2), 0), qml.X("a")):
        with pytest.raises(ObservableError, match="pauli_from_pennylane"):
            pauli_from_pennylane(wrong)
    with pytest.raises(ObservableError, match="not in `wires`"):
        pauli_from_pennylane(qml.X("a"), wires=["b"])
    with pytest.raises(ObservableError, match="must have 3 different labels"):
        pauli_to_pennylane(ours, wires="ab")
    for twice in (lambda: pauli_to_pennylane(ours, wires="aab"), lambda: pauli_from_pennylane(qml.X("a"), wires="aa")):
        with pytest.raises(ObservableError, match="different labels"):
            twice()


def test_wires_are_different_and_our_circuits_are_no_functions():
    for wires in ([0, 0], 3, [[0]]):
        with pytest.raises(CircuitError, match="different labels"):
            from_pennylane(lambda: qml.X(0), wires=wires)
        with pytest.raises(CircuitError, match="different labels"):
            to_pennylane(Circuit(1), wires=wires)
    with pytest.raises(CircuitError, match="but is Circuit"):
        from_pennylane(Circuit(1).x(0))


def test_conversion_inside_of_a_qnode_queues_nothing():
    @qml.qnode(DEVICE)
    def node():
        for operation in to_pennylane(Circuit(2).h(0).cx(0, 1).rzx(0.3, 0, 1)).operations:
            qml.apply(operation)
        from_pennylane(lambda: None)
        return qml.state()

    np.testing.assert_allclose(node(), execute(Circuit(2).h(0).cx(0, 1).rzx(0.3, 0, 1), on="numpy"), atol=1e-6)
