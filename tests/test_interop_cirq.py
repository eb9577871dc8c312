"""Cirq's circuits and ours, both ways: equal matrices, global phase included, for every gate of either library."""

from __future__ import annotations

import doctest

import numpy as np
import pytest

pytest.importorskip("cirq")  # the extra `cirq`: .ci/vendors runs these

import cirq
import sympy
from interop_table import HIGH, circuits_of, circuits_of_gate
from ir_oracle import random_unitary, unitary_of

from qsim import Circuit, I, Parameter, ParameterVector, PauliSum, X, Y, Z, execute
from qsim.errors import CircuitError, ObservableError, ParameterError
from qsim.interop import cirq_paulis, cirq_read, cirq_write, from_cirq, pauli_from_cirq, pauli_to_cirq, to_cirq
from qsim.ir.ops.delay import Delay
from qsim.ir.table import rows

RNG = np.random.default_rng(5)
Q = cirq.LineQubit.range(7)


def matrix(circuit, num_qubits: int) -> np.ndarray:
    return circuit.unitary(qubit_order=Q[:num_qubits], qubits_that_should_be_present=Q[:num_qubits])


def both_ways(ours: Circuit) -> Circuit:
    theirs = to_cirq(ours)
    n = ours.num_qubits
    np.testing.assert_allclose(unitary_of(ours), matrix(theirs, n), atol=1e-7)
    again = from_cirq(theirs, Q[:n])
    np.testing.assert_allclose(unitary_of(again), unitary_of(ours), atol=1e-7)
    return again


@pytest.mark.parametrize("module", [cirq_paulis, cirq_read, cirq_write], ids=lambda m: m.__name__)
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


POWERS = [
    *(cirq.XPowGate, cirq.YPowGate, cirq.ZPowGate, cirq.HPowGate, cirq.CXPowGate, cirq.CZPowGate, cirq.CCXPowGate),
    *(cirq.CCZPowGate, cirq.SwapPowGate, cirq.ISwapPowGate, cirq.XXPowGate, cirq.YYPowGate, cirq.ZZPowGate),
    *(getattr(cirq, name) for name in ("CYPowGate", "CCYPowGate") if hasattr(cirq, name)),
]
NAMED = {f"cirq.{name}": one for name, one in vars(cirq).items() if isinstance(one, cirq.Gate)}
GATES = {
    **NAMED,
    **{
        f"{kind.__name__}({exponent}, {shift})": kind(exponent=exponent, global_shift=shift)
        for kind in POWERS
        for exponent in (1, 0.5, -0.25, 0.3)
        for shift in (0, -0.5, 0.2)
    },
    "phased x": cirq.PhasedXPowGate(exponent=0.3, phase_exponent=0.2),
    "phased x shifted": cirq.PhasedXPowGate(exponent=0.3, phase_exponent=0.2, global_shift=0.1),
    "phased xz": cirq.PhasedXZGate(x_exponent=0.3, z_exponent=0.2, axis_phase_exponent=0.1),
    "phased iswap": cirq.PhasedISwapPowGate(exponent=0.3, phase_exponent=0.2),
    "fsim": cirq.FSimGate(0.3, 0.2),
    "phased fsim": cirq.PhasedFSimGate(0.1, 0.2, 0.3, 0.4, 0.5),
    "ms": cirq.ms(0.3),
    "identity": cirq.IdentityGate(3),
    "matrix": cirq.MatrixGate(random_unitary(RNG, 2)),
    "diagonal": cirq.DiagonalGate([0.1, 0.2, 0.3, 0.4]),
    "two-qubit diagonal": cirq.TwoQubitDiagonalGate([0.1, 0.2, 0.3, 0.4]),
    "three-qubit diagonal": cirq.ThreeQubitDiagonalGate(np.linspace(0, 1, 8).tolist()),
    "qft": cirq.QuantumFourierTransformGate(3),
    "qft without swaps": cirq.QuantumFourierTransformGate(4, without_reverse=True),
    "phase gradient": cirq.PhaseGradientGate(num_qubits=4, exponent=0.3),
    "permutation": cirq.QubitPermutationGate([2, 0, 1, 3]),
    "phase": cirq.GlobalPhaseGate(np.exp(0.3j)),
    "controlled": cirq.ControlledGate(cirq.rx(0.3), 2, control_values=[0, 1]),
    "either control": cirq.ControlledGate(cirq.rx(0.3), 2, control_values=[(0, 1), 1]),
    "xor control": cirq.ControlledGate(cirq.X, control_values=cirq.SumOfProducts([(0, 1), (1, 0)])),
    "parallel": cirq.ParallelGate(cirq.X**0.3, 4),
    "dense pauli": cirq.DensePauliString("XYZI", coefficient=-1),
    "phasor": cirq.PauliStringPhasorGate(cirq.DensePauliString("XYZ"), exponent_neg=0.3, exponent_pos=0.1),
    "interaction": cirq.PauliInteractionGate(cirq.Z, True, cirq.X, False, exponent=0.3),
    "clifford": cirq.SingleQubitCliffordGate.X_sqrt,
    "clifford of two": cirq.CliffordGate.CNOT,
    "boolean": cirq.BooleanHamiltonianGate(["x0", "x1"], ["x0 ^ x1"], 0.3),
    "superposition": cirq.UniformSuperpositionGate(3, 2),
    "random power of four": cirq.MatrixGate(random_unitary(RNG, 4)),
}


@pytest.mark.parametrize("name", GATES)
def test_every_gate_of_cirq_comes_here(name):
    gate = GATES[name]
    n = cirq.num_qubits(gate)
    operation = gate.on(*[Q[q] for q in [3, 1, 2, 0][:n]])
    theirs = cirq.Circuit(operation, operation.with_tags("again"))
    np.testing.assert_allclose(unitary_of(from_cirq(theirs, Q[:4])), matrix(theirs, 4), atol=1e-7)
    theirs = cirq.Circuit(operation.controlled_by(Q[5], Q[4], control_values=[0, 1]))
    np.testing.assert_allclose(unitary_of(from_cirq(theirs, Q[:6])), matrix(theirs, 6), atol=1e-7)


def test_a_phasor_leaves_alone_the_qubits_where_it_is_the_identity():
    gate = cirq.PauliStringPhasorGate(cirq.DensePauliString("XIZ"), exponent_neg=0.3, exponent_pos=0.1)
    letters = np.kron(np.kron(X(0).to_matrix(), np.eye(2)), Z(0).to_matrix())
    want = ((np.eye(8) + letters) * np.exp(0.1j * np.pi) + (np.eye(8) - letters) * np.exp(0.3j * np.pi)) / 2
    np.testing.assert_allclose(unitary_of(from_cirq(cirq.Circuit(gate.on(*Q[:3])))), want, atol=1e-12)


def test_a_pauli_string_is_an_operation_too():
    theirs = cirq.Circuit(
        cirq.PauliString(-1j, cirq.X(Q[0]), cirq.Y(Q[2])),
        cirq.CircuitOperation(cirq.FrozenCircuit(cirq.H(Q[0]), cirq.CX(Q[0], Q[1])), repetitions=3),
    )
    np.testing.assert_allclose(unitary_of(from_cirq(theirs)), matrix(theirs, 3), atol=1e-7)


def test_symbols_become_parameters_and_back():
    a, b = sympy.symbols("a b")
    theirs = cirq.Circuit(cirq.rx(2 * a + sympy.sin(b) / 3)(Q[0]), cirq.CX(Q[0], Q[1]) ** (a**2), cirq.rz(b)(Q[1]))
    theirs += cirq.Circuit(cirq.ZPowGate(exponent=sympy.Symbol("v[2]"))(Q[0]), cirq.X(Q[1]) ** sympy.sqrt(a))
    ours = from_cirq(theirs)
    assert ours.parameter_shapes() == {"a": (), "b": (), "v": (3,)}
    bound = ours.bind({"a": 0.4, "b": 0.7, "v": [0.0, 0.0, 0.2]})
    known = cirq.resolve_parameters(theirs, {"a": 0.4, "b": 0.7, "v[2]": 0.2})
    np.testing.assert_allclose(unitary_of(bound), matrix(known, 2), atol=1e-7)
    again = cirq.resolve_parameters(to_cirq(ours), {"a": 0.4, "b": 0.7, "v[2]": 0.2})
    np.testing.assert_allclose(matrix(again, 2), matrix(known, 2), atol=1e-7)


def test_every_function_and_the_global_phase_go_there_and_back():
    t, v = Parameter("t"), ParameterVector("v", (2, 2))
    ours = Circuit(2).gphase(0.3 * t).u(t, 2 * t, v[1, 0], 0)
    for function in ("sin", "cos", "tan", "arcsin", "arccos", "arctan", "exp", "log", "sqrt"):
        ours.rx(getattr(np, function)(t) / 2 - 1 / t, 1).ry(-(t**2), 0)
    theirs = to_cirq(ours)
    values = {"t": 0.4, "v": np.arange(4.0).reshape(2, 2)}
    known = cirq.resolve_parameters(theirs, {"t": 0.4, "v[2]": 2.0})
    np.testing.assert_allclose(matrix(known, 2), unitary_of(ours.bind(values)), atol=1e-7)
    again = from_cirq(theirs).bind({"t": 0.4, "v": [0.0, 1.0, 2.0]})
    np.testing.assert_allclose(unitary_of(again), unitary_of(ours.bind(values)), atol=1e-7)


def test_measurements_and_keys():
    grid = cirq.GridQubit.rect(1, 3)
    theirs = cirq.Circuit(cirq.X(grid[2]), cirq.measure(grid[2], grid[0], key="late"), cirq.measure(grid[1], key="b"))
    ours = from_cirq(theirs)
    assert [(r.name, r.size) for r in ours.cregs] == [("b", 1), ("late", 2)]  # by moments
    assert {(i.qubits, i.clbits) for i in ours.instructions if i.clbits} == {((1,), (0,)), ((2,), (1,)), ((0,), (2,))}
    again = to_cirq(ours, grid)
    assert again.all_measurement_key_names() == {"late", "b"}
    found = cirq.Simulator().run(again).measurements
    assert found["late"].tolist() == [[1, 0]] and found["b"].tolist() == [[0]]
    middle = Circuit(2, num_clbits=2).x(0).measure(0, 1).x(0).measure(1, 0)
    assert to_cirq(middle).all_measurement_key_names() == {"c[0]", "c[1]"}
    assert cirq.Simulator().run(to_cirq(middle)).measurements["c[1]"].tolist() == [[1]]


def test_resets_states_and_delays():
    state = np.array([0.6, 0, 0, 0.8j])
    theirs = cirq.Circuit(cirq.reset(Q[0]), cirq.StatePreparationChannel(state).on(*Q[:2]), cirq.wait(Q[0], nanos=20))
    ours = from_cirq(theirs)
    assert ours.count_ops() == {"prepare_state": 1, "delay": 1} and ours.instructions[1].operation.seconds == 2e-8
    np.testing.assert_allclose(execute(ours, on="numpy"), state, atol=1e-6)
    assert from_cirq(cirq.Circuit(cirq.X(Q[0]), cirq.reset(Q[0]))).count_ops() == {"x": 1, "reset": 1}
    again = from_cirq(to_cirq(Circuit(1).x(0).append(Delay(3e-9), 0).barrier()))
    assert again.instructions[1].operation.seconds == pytest.approx(3e-9)


REFUSED = {
    "noise": (cirq.depolarize(0.1)(Q[0]), "depolarize"),
    "qudit": (cirq.IdentityGate(1, (3,)).on(cirq.LineQid(0, 3)), "qudits"),
    "feedback": (cirq.X(Q[1]).with_classical_controls("m"), "measured bits"),
    "inverted": (cirq.measure(Q[0], key="n", invert_mask=(True,)), "inverts"),
    "no definition": (type("Odd", (cirq.Gate,), {"_num_qubits_": lambda self: 1})().on(Q[0]), "Odd"),
    "loop": (cirq.CircuitOperation(cirq.FrozenCircuit(cirq.measure(Q[0], key="k")), repetitions=2), "Loops"),
    "huge": (cirq.CircuitOperation(cirq.FrozenCircuit(cirq.X(Q[0])), repetitions=10**9), "more than"),
    "phase": (cirq.GlobalPhaseGate(sympy.Symbol("s")).on(), "exp"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_counterpart_is_named(name):
    operation, words = REFUSED[name]
    with pytest.raises(CircuitError, match=words):
        from_cirq(cirq.Circuit(cirq.measure(Q[5], key="m"), operation))


def test_refusals_of_arguments():
    with pytest.raises(CircuitError, match=r"cirq\.Circuit"):
        from_cirq(cirq.X)
    with pytest.raises(CircuitError, match="qubit_order"):
        from_cirq(cirq.Circuit(cirq.X(Q[3])), Q[:2])
    with pytest.raises(CircuitError, match="more than once"):
        from_cirq(cirq.Circuit(cirq.measure(Q[0], key="m"), cirq.measure(Q[0], key="m")))
    with pytest.raises(ParameterError, match="Abs"):
        from_cirq(cirq.Circuit(cirq.X(Q[0]) ** sympy.Abs(sympy.Symbol("s"))))
    with pytest.raises(CircuitError, match="must be a Circuit"):
        to_cirq(3)
    with pytest.raises(CircuitError, match="qubit_order"):
        from_cirq(cirq.Circuit(cirq.X(Q[0])), 3)
    with pytest.raises(CircuitError, match="2 different labels"):
        to_cirq(Circuit(2), [Q[0], Q[0]])
    with pytest.raises(CircuitError, match="sequence of different labels"):
        to_cirq(Circuit(2), 3)
    with pytest.raises(CircuitError, match="qubits of Cirq's"):
        to_cirq(Circuit(2), "ab")
    for twice in (lambda: pauli_to_cirq(X(0) @ Z(1), [Q[0]] * 2), lambda: pauli_from_cirq(cirq.X(Q[0]), [Q[0]] * 2)):
        with pytest.raises(ObservableError, match="different labels"):
            twice()
    assert from_cirq(cirq.Circuit()).num_qubits == 0 and len(to_cirq(Circuit(3))) == 0


def test_pauli_sums_go_there_and_back():
    ours = 0.5 * X(0) @ Z(2) - 2.0 * Y(1) + 0.25 * I()
    theirs = pauli_to_cirq(ours)
    np.testing.assert_allclose(theirs.matrix(Q[:3]), ours.to_matrix(3), atol=1e-12)
    np.testing.assert_allclose(pauli_from_cirq(theirs).to_matrix(3), ours.to_matrix(3), atol=1e-12)
    grid = cirq.GridQubit.rect(1, 3)
    assert pauli_from_cirq(pauli_to_cirq(ours, grid), grid) == pauli_from_cirq(theirs)
    assert pauli_from_cirq(cirq.Z(Q[1])) == 1.0 * Z(1)
    assert pauli_from_cirq(2j * cirq.X(Q[0]) * cirq.Y(Q[1])) == 2j * X(0) @ Y(1)
    assert len(pauli_from_cirq(pauli_to_cirq(PauliSum([], [])))) == 0
    for wrong in (3, cirq.H(Q[0]), cirq.Z(grid[0])):
        with pytest.raises(ObservableError, match="pauli_from_cirq"):
            pauli_from_cirq(wrong)
    with pytest.raises(ObservableError, match="must have 3"):
        pauli_to_cirq(ours, grid[:2])
