"""Qiskit's circuits and ours, both ways: equal matrices, global phase included, for every gate of either library."""

from __future__ import annotations

import interop_table
import numpy as np
import pytest
from ir_oracle import random_unitary, unitary_of
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Clbit, Gate, Parameter, ParameterVector, Qubit
from qiskit.circuit import library as standard
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.quantum_info import Clifford, Operator, Pauli, SparseObservable, SparsePauliOp
from qiskit.synthesis import LieTrotter, QDrift, SuzukiTrotter

import qsim
from qsim import Circuit, I, PauliSum, X, Y, Z, execute, gates, ops
from qsim.errors import BackendError, CircuitError, ObservableError, ParameterError
from qsim.interop import base as interop_base
from qsim.interop import (
    from_qiskit,
    pauli_from_qiskit,
    pauli_to_qiskit,
    qiskit_parameters,
    qiskit_values,
    to_qiskit,
)
from qsim.interop import qiskit_read as interop_read
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


HIGH = {
    **interop_table.HIGH,
    "evolution of order 4": ops.PauliEvolution(interop_table.EVOLVED, 0.3, 4),
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
        both_ways(interop_table.placed(operation))


# -------------------------------------------------------------------- parameters


def test_parameters_keep_qiskits_order_and_their_names():
    t, odd, v = Parameter("t"), Parameter("the angle"), ParameterVector("θ", 12)
    clash, vector_name = Parameter("the_angle"), Parameter("θ")
    given = QuantumCircuit(2, global_phase=0.5 * t)
    for k in (11, 2, 10):
        given.rx(v[k], 0)
    given.u(t, odd, clash, 1)
    given.rzz(vector_name - 2 * v[2], 0, 1)
    ours = from_qiskit(given)
    names = [str(p) for p in qiskit_parameters(given)]
    assert names == ["t", "the_angle", "the_angle_1", "θ_1", "θ[2]", "θ[10]", "θ[11]"]
    assert ours.parameter_shapes() == {"t": (), "the_angle": (), "the_angle_1": (), "θ": (12,), "θ_1": ()}
    values = np.linspace(0.1, 0.7, 7)
    assert_same(given.assign_parameters(values), ours.bind(qiskit_values(given, values)))
    batch = qiskit_values(given, np.ones((5, 3, 7)))
    assert batch["t"].shape == (5, 3) and batch["θ"].shape == (5, 3, 12) and batch["θ"].sum() == 45
    with pytest.raises(ParameterError, match=r"\(\.\.\., 7\)"):
        qiskit_values(given, np.ones(6))
    for bad in ("many", {t: 1.0}, [np.ones(7), np.ones(6)]):
        with pytest.raises(ParameterError, match="must be an array of numbers"):
            qiskit_values(given, bad)
    assert qiskit_values(QuantumCircuit(1), np.ones((4, 0))) == {}


def test_values_may_be_traced():
    import jax

    v = ParameterVector("v", 2)
    given = QuantumCircuit(1)
    given.rx(2 * v[0], 0)
    ours = from_qiskit(given)

    def energy(values):
        return execute(ours, qsim.results.Expectation(Z(0)), qiskit_values(given, values))

    assert jax.jit(jax.grad(energy))(np.array([0.2])) == pytest.approx(-2 * np.sin(0.4), abs=1e-5)


def test_expressions_are_those_of_qiskit():
    pytest.importorskip("sympy")
    t, s = Parameter("t"), Parameter("s")
    terms = [2 * t + s, t * s - t / s, 1 / t, t**2, -t, t.sin(), t.cos(), t.tan(), t.arcsin(), t.arccos(), t.arctan()]
    terms += [t.exp(), (s + 2).log(), (t + s) ** 0.5, (2 * t + s).sin() / 3 - t**2, t - t + 0.3, 2 * (1 + t) * (s - 1)]
    given = QuantumCircuit(1)
    for term in terms:
        given.rx(term, 0)
        given.ry(0.1, 0)
    ours, values = from_qiskit(given), {"t": 0.3, "s": 0.8}
    assert_same(given.assign_parameters(values), ours.bind(values))
    assert_same(to_qiskit(ours).assign_parameters(values), ours.bind(values))
    with pytest.raises(ParameterError, match="Abs"):
        odd = QuantumCircuit(1)
        odd.rx(t.abs(), 0)
        from_qiskit(odd)


@pytest.mark.filterwarnings("ignore::scipy.sparse.SparseEfficiencyWarning")
def test_open_parameters_stay_open_in_all_kinds_of_operations():
    t = Parameter("t")
    inner = QuantumCircuit(1, name="inner", global_phase=t)
    inner.rx(t, 0)
    given = QuantumCircuit(3)
    given.append(standard.PauliEvolutionGate(SparsePauliOp("XZ"), 2 * t), [2, 0])
    given.append(standard.RXGate(t).control(2, annotated=True), [2, 0, 1])
    given.append(standard.CPhaseGate(t, ctrl_state=0), [2, 0])
    given.append(inner.to_gate().control(1, annotated=True), [1, 0])
    given.append(standard.XXMinusYYGate(t, t), [1, 0])
    ours = from_qiskit(given)
    assert ours.parameter_shapes() == {"t": ()}
    assert_same(given.assign_parameters([0.4]), ours.bind({"t": 0.4}))
    assert_same(to_qiskit(ours).assign_parameters([0.4]), ours.bind({"t": 0.4}))
    vector = qsim.ParameterVector("v", (2, 2))
    there = to_qiskit(Circuit(2).fsim(vector[1, 0], np.sqrt(vector[0, 1]), 0, 1).gphase(vector[1, 1]))
    assert [p.name for p in there.parameters] == ["v[1]", "v[2]", "v[3]"]


# -------------------------------------------------------------------- bits, resets, delays


def test_classical_registers_keep_names_and_bits():
    given = QuantumCircuit(QuantumRegister(3, "q"), ClassicalRegister(2, "a"), ClassicalRegister(1, "b"))
    given.x(2)
    given.barrier(0, 2)
    given.measure([2, 0], [2, 1])
    given.measure_all()
    ours = from_qiskit(given)
    assert [(r.name, r.start, r.size) for r in ours.cregs] == [("a", 0, 2), ("b", 2, 1), ("meas", 3, 3)]
    assert [(i.qubits, i.clbits) for i in ours.instructions if i.clbits][:2] == [((2,), (2,)), ((0,), (1,))]
    again = to_qiskit(ours)
    assert [(r.name, r.size) for r in again.cregs] == [("a", 2), ("b", 1), ("meas", 3)]
    assert from_qiskit(again) == ours
    loose = QuantumCircuit([Qubit()], [Clbit(), Clbit()], ClassicalRegister(1, "c"))
    loose.measure(0, 1)
    assert [(r.name, r.size) for r in from_qiskit(loose).cregs] == [("c0", 2), ("c", 1)]
    bits = [Clbit(), Clbit()]
    shared = QuantumCircuit(
        [Qubit()], ClassicalRegister(bits=bits, name="a"), ClassicalRegister(bits=bits[:1], name="b")
    )
    with pytest.raises(CircuitError, match="'b' shares bits"):
        from_qiskit(shared)


def test_resets_and_initial_states():
    given = QuantumCircuit(3)
    given.reset(0)
    given.initialize([0.6, 0, 0, 0.8j], [2, 0])
    ours = from_qiskit(given)
    assert ours.count_ops() == {"prepare_state": 1}
    state = np.zeros(8, complex)
    state[0], state[0b101] = 0.6, 0.8j
    np.testing.assert_allclose(execute(ours, on="numpy"), state, atol=1e-6)
    given.reset(1)
    given.reset(2)
    given.reset(2)
    given.initialize("1", 2)
    assert from_qiskit(given).count_ops()["reset"] == 1
    labelled = QuantumCircuit(2)
    labelled.initialize(2, [0, 1])
    np.testing.assert_allclose(np.abs(execute(from_qiskit(labelled), on="numpy")), [0, 1, 0, 0], atol=1e-6)
    assert dict(to_qiskit(from_qiskit(given)).count_ops())["reset"] == 1


def test_delays_have_seconds():
    given = QuantumCircuit(1)
    given.delay(20, 0, unit="ns")
    assert from_qiskit(given).instructions[0].operation.seconds == pytest.approx(2e-8)
    assert from_qiskit(to_qiskit(Circuit(1).append(Delay(2e-7), 0))).instructions[0].operation.seconds == 2e-7
    steps = QuantumCircuit(1)
    steps.delay(20, 0)
    with pytest.raises(CircuitError, match=r"delay of 20 dt on qubits \(0\).*dt="):
        from_qiskit(steps)
    assert from_qiskit(steps, dt=1e-9).instructions[0].operation.seconds == pytest.approx(2e-8)


# -------------------------------------------------------------------- operators


def test_pauli_operators_go_there_and_back():
    theirs = SparsePauliOp(["IXY", "ZZI", "III"], [0.5, -1j, 2.0])
    ours = pauli_from_qiskit(theirs)
    np.testing.assert_allclose(pauli_to_qiskit(ours, 3).to_matrix(), theirs.to_matrix(), atol=1e-12)
    np.testing.assert_allclose(ours.to_matrix(3), Operator(theirs).reverse_qargs().data, atol=1e-12)
    assert pauli_from_qiskit(Pauli("-iXY")) == -1j * (Y(0) @ X(1))
    assert pauli_from_qiskit(SparsePauliOp(["XI"], [0.5])).coefficients.dtype == np.float64
    assert pauli_from_qiskit(SparseObservable.from_list([("XIZ", 0.5), ("IIY", 2.0)])) == 0.5 * X(2) @ Z(0) + 2.0 * Y(0)
    assert pauli_to_qiskit(PauliSum([], [])).to_matrix().tolist() == [[0, 0], [0, 0]]
    assert pauli_to_qiskit(I()).num_qubits == 1
    for wrong in (3, Operator(np.eye(2)), SparseObservable("01"), SparsePauliOp(["X"], np.array([Parameter("t")]))):
        with pytest.raises(ObservableError, match="pauli_from_qiskit"):
            pauli_from_qiskit(wrong)
    with pytest.raises(ObservableError, match="PauliSum"):
        pauli_to_qiskit("XX")


# -------------------------------------------------------------------- what has no counterpart


def looped() -> QuantumCircuit:
    made = QuantumCircuit(1, 1)
    with made.for_loop(range(2)):
        made.x(0)
    return made


def conditional() -> QuantumCircuit:
    made = QuantumCircuit(2, 1)
    made.measure(0, 0)
    with made.if_test((made.clbits[0], 1)):
        made.x(1)
    return made


def opaque() -> QuantumCircuit:
    made = QuantumCircuit(2)
    made.append(Gate("odd", 2, [0.5]), [1, 0])
    return made


def bomb() -> QuantumCircuit:
    made = QuantumCircuit(1)
    made.x(0)
    for k in range(4):
        outer = QuantumCircuit(1, name=f"level{k}")
        gate = made.to_gate()
        for _ in range(10):
            outer.append(gate, [0])
        made = outer
    return made


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (looped, r"'for_loop' on qubits \(0\) has no counterpart in qsim.*measured bits"),
        (conditional, r"'if_else' on qubits \(1\) has no counterpart"),
        (opaque, r"'odd' on qubits \(1, 0\) has no counterpart in qsim. It has no definition"),
        (lambda: "bell", r"must be a qiskit\.QuantumCircuit, but is str"),
    ],
)
def test_what_has_no_counterpart_here_is_named(given, words):
    with pytest.raises(CircuitError, match=words):
        from_qiskit(given())


def test_sizes_are_bounded(monkeypatch):
    monkeypatch.setattr("qsim.interop.qiskit_read.MAX_SIZE", 1000)
    with pytest.raises(CircuitError, match="1000 operations"):
        from_qiskit(bomb())
    with pytest.raises(CircuitError, match="1000"):
        monkeypatch.setattr("qsim.interop.base.MAX_SIZE", 1000)
        made = QuantumCircuit(2)
        inner = QuantumCircuit(2)
        inner.h(0)
        inner.cx(0, 1)
        made.append(inner.to_gate().power(10**6, annotated=True), [0, 1])
        from_qiskit(made)


class Odd:
    """An operation that says nothing of itself."""

    name, num_qubits, num_clbits, num_params, params = "odd", 1, 0, 0, ()


def test_what_has_no_counterpart_there_is_named():
    import jax

    with pytest.raises(CircuitError, match=r"odd on qubits \(1\) has no counterpart in Qiskit's gates"):
        to_qiskit(Circuit(2).append(Odd(), 1))
    with pytest.raises(CircuitError, match=r"if_u on qubits \(0\)"):
        to_qiskit(qsim.qasm.loads("OPENQASM 2.0; qreg q[1]; creg c[1]; measure q->c; if(c==1) U(pi,0,pi) q[0];"))
    with pytest.raises(CircuitError, match="rx is traced"):
        jax.jit(lambda t: to_qiskit(Circuit(1).rx(t, 0)) and t)(0.5)
    with pytest.raises(CircuitError, match="must be a Circuit"):
        to_qiskit("x")
    assert from_qiskit(to_qiskit(Circuit(1).rx(jax.numpy.float32(0.5), 0))) == Circuit(1).rx(0.5, 0)
    assert to_qiskit(Circuit(0)).num_qubits == 0 and from_qiskit(QuantumCircuit()).num_qubits == 0


def test_a_package_that_is_missing_is_named_with_the_command(monkeypatch):
    def no_such(module):
        raise ImportError(module)

    monkeypatch.setattr(interop_base, "import_module", no_such)
    for call in (lambda: from_qiskit(QuantumCircuit(1)), lambda: pauli_to_qiskit(X(0))):
        with pytest.raises(BackendError, match=r'pip install "qsim-jax\[qiskit\]"'):
            call()
    for call, extra in ((qsim.interop.from_cirq, "cirq"), (qsim.interop.from_pennylane, "pennylane")):
        with pytest.raises(BackendError, match=rf'pip install "qsim-jax\[{extra}\]"'):
            call(None)


def test_equal_expressions_are_read_once(monkeypatch):
    t, seen = ParameterVector("t", 10), []
    given = QuantumCircuit(2)
    for k in range(2_000):
        given.rz(2 * t[k % 10] + 0.1, k % 2)
    whole = interop_read._Reader._affine
    monkeypatch.setattr(interop_read._Reader, "_affine", lambda *args: seen.append(args) or whole(*args))
    assert len(from_qiskit(given)) == 2_000 and len(seen) == 10


def test_affine_expressions_need_no_sympy(monkeypatch):
    t, s = Parameter("t"), Parameter("s")
    given = QuantumCircuit(1)
    for term in (2 * t + s - 1, -t, t - t, (t + s) / 2, 3 - (t - 1) * 2, 1e9 * t):
        given.rx(term, 0)
    monkeypatch.setattr(interop_read, "from_sympy", None)
    values = {"t": 0.3, "s": 0.8}
    assert_same(given.assign_parameters(values), from_qiskit(given).bind(values))
    step = QuantumCircuit(1)
    step.rx(t.sign(), 0)
    with pytest.raises((TypeError, BackendError)):
        from_qiskit(step)
