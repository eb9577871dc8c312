"""Pauli networks: the same action with fewer two-qubit gates, angles never read, whatever else is in the circuit."""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qsim import Circuit, Parameter, ParameterVector, PauliSum, X, Y, Z, execute, ops
from qsim._errors import CircuitError, TargetError
from qsim.ir.gates import gate
from qsim.ir.operation import Conditional
from qsim.ir.target import Target
from qsim.library import excitation, uccsd
from qsim.results import Expectation
from qsim.testing import assert_equivalent
from tests.transpile_circuits import num_two_qubit, random_circuit, random_unitaries
from transpile import Pipeline, preset, transpile
from transpile.passes import PauliNetwork
from transpile.synthesis.pauli_network import pauli_network

seeds = st.integers(0, 10**6)


def joined(num_qubits: int) -> Target:
    """All pairs joined, in cx."""
    return Target.from_edges(num_qubits, itertools.combinations(range(num_qubits), 2), ["rz", "sx", "x", "cx"])


def forced(circuit: Circuit, network: PauliNetwork) -> Circuit:
    """What the pass makes where every network is taken."""
    costs = itertools.count(10**6, -1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PauliNetwork, "_cost", lambda *_: (next(costs), 0))
        return network(circuit, joined(circuit.num_qubits))


def counts(circuit: Circuit) -> tuple[int, int]:
    """Two-qubit gates in native gates, without and with networks."""
    target = joined(circuit.num_qubits)
    made = Pipeline((PauliNetwork(), preset(1)))(circuit, target)
    assert target.first_violation(made) is None
    return num_two_qubit(transpile(circuit, target, effort=1)), num_two_qubit(made)


def random_strings(num_qubits: int, number: int, seed: int, letters: str = "IXYZ") -> Circuit:
    """One `pauli_evolution` per string, by angles that nothing is special about."""
    rng = np.random.default_rng(seed)
    circuit = Circuit(num_qubits)
    for k in range(number):
        label = "".join(rng.choice(list(letters), num_qubits))
        operation = ops.PauliEvolution(PauliSum.from_label(label), 0.1 + 0.03 * k, num_qubits=num_qubits)
        circuit.append(operation, range(num_qubits))
    return circuit


def heisenberg(num_qubits: int, steps: int) -> Circuit:
    """The product formula of the Heisenberg chain."""
    terms = [p(q) @ p(q + 1) for q in range(num_qubits - 1) for p in (X, Y, Z)]
    return Circuit(num_qubits).pauli_evolution(sum(terms[1:], terms[0]), Parameter("t"), range(num_qubits), 1, steps)


def qaoa(num_qubits: int, layers: int) -> Circuit:
    """QAOA on the complete graph."""
    angle = ParameterVector("angle", (2, layers))
    circuit = Circuit(num_qubits).h(range(num_qubits))
    for layer in range(layers):
        for a, b in itertools.combinations(range(num_qubits), 2):
            circuit.rzz(angle[0, layer], a, b)
        circuit.rx(angle[1, layer], range(num_qubits))
    return circuit


# -------------------------------------------------------------------- synthesis


def random_frame(num_qubits: int, rng: np.random.Generator) -> np.ndarray:
    """A random tableau: rows after random transvections, random signs."""
    n = num_qubits
    rows = np.eye(2 * n, dtype=int)
    for _ in range(4 * n):
        v = rng.integers(0, 2, 2 * n)
        odd = (rows[:, :n] @ v[n:] + rows[:, n:] @ v[:n]) % 2
        rows = (rows + odd[:, None] * v) % 2
    return np.concatenate([rows, rng.integers(0, 2, (2 * n, 1))], axis=1)


@settings(max_examples=15)
@given(seed=seeds, num_qubits=st.integers(1, 5), number=st.integers(0, 9), trials=st.sampled_from([1, 3]))
def test_a_network_is_the_rotations_and_the_clifford(seed, num_qubits, number, trials):
    rng = np.random.default_rng(seed)
    x, z = rng.integers(0, 2, (2, number, num_qubits))
    angles = rng.uniform(-3, 3, number).tolist()
    frame = random_frame(num_qubits, rng)
    plain, made = Circuit(num_qubits), Circuit(num_qubits)
    for row_x, row_z, angle in zip(x, z, angles, strict=True):
        label = "".join("IXZY"[a + 2 * b] for a, b in zip(row_x, row_z, strict=True))
        plain.append(
            ops.PauliEvolution(PauliSum.from_label(label), angle / 2, num_qubits=num_qubits), range(num_qubits)
        )
    plain.append(ops.Clifford(frame, adjoint=True), range(num_qubits))
    network = pauli_network(x, z, angles, frame, trials=trials)
    for i in network.instructions:
        made.append(i.operation, i.qubits)
    made.append(ops.Permutation(_table(network.places)), range(num_qubits))
    assert network.num_cx == num_two_qubit(made) - (num_qubits > 1)
    assert_equivalent(plain, made)


def _table(places: tuple[int, ...]) -> list[int]:
    """Where each basis state goes as qubit `places[i]` moves to i."""
    n = len(places)
    bits = [[index >> (n - 1 - q) & 1 for q in range(n)] for index in range(1 << n)]
    return [sum(row[p] << (n - 1 - i) for i, p in enumerate(places)) for row in bits]


def test_networks_of_z_strings_are_parity_networks():
    z = [[int(q in pair) for q in range(8)] for pair in itertools.combinations(range(8), 2)]
    network = pauli_network(np.zeros_like(z), z, [0.3] * len(z))
    assert {i.operation.name for i in network.instructions} == {"cx", "rz"}
    assert network.num_cx <= 36  # 56 one by one


def test_networks_are_the_same_every_time():
    rng = np.random.default_rng(3)
    x, z = rng.integers(0, 2, (2, 30, 6))
    first, second = (pauli_network(x, z, [0.1] * 30) for _ in range(2))
    assert first.instructions == second.instructions and first.places == second.places


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(CircuitError, match="Arguments `x` and `z`"):
        pauli_network([[0, 1]], [[1]], [0.5])
    with pytest.raises(CircuitError, match="`angles`"):
        pauli_network([[0, 1]], [[1, 1]], [])
    with pytest.raises(CircuitError, match="Argument `frame`"):
        pauli_network([[0, 1]], [[1, 1]], [0.5], np.eye(3))


# -------------------------------------------------------------------- the pass


@settings(max_examples=15)
@given(seed=seeds, parameters=st.sampled_from([0, 2]), max_qubits=st.sampled_from([2, 3]), elide=st.booleans())
def test_every_gate_of_the_table_is_taken_or_left(seed, parameters, max_qubits, elide):
    circuit = random_circuit(4, 25, seed, max_qubits=max_qubits, parameters=parameters)
    before = circuit.copy()
    made = forced(circuit, PauliNetwork(elide=elide, trials=1))
    assert circuit == before and made is not circuit
    assert_equivalent(circuit, made)


@settings(max_examples=5)
@given(seed=seeds, elide=st.booleans())
def test_no_circuit_gets_longer(seed, elide):
    circuit = random_circuit(4, 20, seed, parameters=2)
    target = joined(4)
    made = PauliNetwork(elide=elide)(circuit, target)
    assert_equivalent(circuit, made)
    network = PauliNetwork(elide=elide)
    lower = network._cost
    assert lower(made.instructions, target) <= lower(circuit.instructions, target)


@settings(max_examples=8)
@given(seed=seeds, num_qubits=st.integers(2, 6))
def test_clifford_circuits(seed, num_qubits):
    rng = np.random.default_rng(seed)
    names = {1: ["h", "s", "sdg", "x", "y", "z", "sx", "sxdg"], 2: ["cx", "cz", "cy", "swap", "iswap", "ecr", "dcx"]}
    circuit = Circuit(num_qubits)
    for _ in range(60):
        k = int(rng.integers(1, 3))
        circuit.append(gate(rng.choice(names[k])), rng.choice(num_qubits, k, replace=False).tolist())
    made = PauliNetwork()(circuit, joined(num_qubits))
    assert_equivalent(circuit, made, clifford=True)
    assert_equivalent(circuit, made)
    assert num_two_qubit(made) < num_two_qubit(circuit)
    assert set(made.count_ops()) <= {"h", "s", "sdg", "sx", "x", "z", "cx", "swap"}


@pytest.mark.parametrize(
    "circuit",
    [
        uccsd(2, 4),
        random_strings(5, 20, 0),
        random_strings(6, 20, 1, "IZ"),
        qaoa(6, 1),
        Circuit(3).ccx(0, 1, 2).ccz(2, 1, 0).cx(0, 1).ccx(0, 1, 2),
        Circuit(3).append(ops.PauliEvolution(excitation([0], [2]), Parameter("t"), 2, 3), range(3)),
    ],
    ids=["h2", "strings", "z strings", "qaoa", "toffolis", "trotter"],
)
def test_fewer_two_qubit_gates(circuit: Circuit):
    plain, network = counts(circuit)
    assert network < plain
    assert_equivalent(circuit, PauliNetwork()(circuit, joined(circuit.num_qubits)))


@pytest.mark.slow
@pytest.mark.parametrize("size", [8, 12], ids=["h4", "lih"])
def test_fewer_two_qubit_gates_for_larger_molecules(size: int):
    circuit = uccsd(4, size)
    plain, network = counts(circuit)
    assert network < plain / 4
    assert_equivalent(circuit, PauliNetwork()(circuit, joined(size)), inputs=1)


@pytest.mark.parametrize("circuit", [heisenberg(4, 2), qaoa(3, 2), qaoa(5, 2)], ids=["heisenberg", "qaoa", "more"])
def test_never_more_two_qubit_gates(circuit: Circuit):
    plain, network = counts(circuit)
    assert network <= plain
    assert_equivalent(circuit, forced(circuit, PauliNetwork()))


def test_parameters_are_bound_afterwards():
    circuit = uccsd(2, 4)
    made = PauliNetwork()(circuit, Target.ideal())
    assert made.parameter_shapes() == circuit.parameter_shapes() and made is not circuit
    values = {"theta": np.array([0.3, -1.1, 0.7])}
    assert_equivalent(circuit.bind(values), made.bind(values))


def test_gradients_pass_through_traced_angles_and_coefficients():
    target = joined(3)
    observable = Z(0) @ Z(1) + 0.5 * X(2)
    strings = [((0, "X"), (1, "Z"), (2, "Y")), ((0, "Y"), (1, "Z"), (2, "X")), ((1, "X"), (2, "X"))]
    networks = []

    def energy(t, with_network):
        circuit = Circuit(3).ry(t, range(3))
        circuit.append(ops.PauliEvolution(PauliSum(strings, t), 0.7, num_qubits=3), range(3))
        circuit.append(ops.PauliEvolution(PauliSum(strings[:1], [0.3]), t[2], num_qubits=3), range(3))
        if with_network:
            made = PauliNetwork(trials=1)(circuit, target)
            networks.append(made is not circuit)
            circuit = made
        return execute(circuit, Expectation(observable))

    point = jnp.array([0.3, -0.8, 1.1])
    wanted, made = (jax.value_and_grad(energy)(point, b) for b in (False, True))
    assert all(networks) and networks
    np.testing.assert_allclose(made[0], wanted[0], atol=1e-5)
    np.testing.assert_allclose(made[1], wanted[1], atol=1e-5)


def test_jax_angles_decide_nothing():
    def structure(value):
        circuit = Circuit(3)
        for a, b in ((0, 1), (1, 2), (0, 2), (1, 2)):
            circuit.rzz(jnp.asarray(value), a, b).rx(jnp.asarray(value), a)
        return [(i.operation.name, i.qubits) for i in forced(circuit, PauliNetwork()).instructions]

    assert structure(0.0) == structure(0.7)


def test_an_evolution_by_jax_coefficients_and_an_open_time_is_left_alone():
    operation = ops.PauliEvolution(PauliSum([((0, "X"), (1, "Z"))], jnp.array([0.5])), Parameter("t"))
    circuit = Circuit(2).append(operation, (0, 1)).cx(0, 1)
    assert PauliNetwork()(circuit, joined(2)) is circuit


def test_equal_strings_are_merged_across_what_commutes():
    t = Parameter("t")
    circuit = Circuit(3).rzz(t, 0, 1).rzz(0.5, 1, 2).rxx(0.25, 0, 1).rzz(0.5, 0, 1).rzz(2 * t, 1, 0)
    made = PauliNetwork()(circuit, joined(3))
    rotations = [i.operation.params[0] for i in made.instructions if i.operation.params]
    assert len(rotations) == 3 and sum(not isinstance(r, float) for r in rotations) == 1
    assert_equivalent(circuit, made)
    undone = Circuit(3).rzz(0.3, 0, 1).rxx(np.pi / 2, 0, 1).cz(1, 2).rzz(t, 0, 1).rzz(-t, 0, 1).rzz(-0.3, 0, 1)
    made = PauliNetwork()(undone, joined(3))
    assert not any(i.operation.params for i in made.instructions)
    assert_equivalent(undone, made)


@pytest.mark.parametrize(
    "circuit",
    [
        Circuit(0),
        Circuit(1),
        Circuit(3).gphase(0.3),
        Circuit(1).h(0).t(0).rx(Parameter("t"), 0),
        Circuit(3).h(range(3)).rx(0.3, range(3)),
        Circuit(2).h(0).cx(0, 1),
        Circuit(2).h(0).cx(0, 1).measure_all(),
        Circuit(2).unitary(random_unitaries(4, 1, 0)[0], (0, 1)),
    ],
    ids=range(8),
)
def test_circuits_with_nothing_to_do_come_back_as_they_are(circuit: Circuit):
    for target in (Target.ideal(), joined(max(1, circuit.num_qubits))):
        assert PauliNetwork()(circuit, target) is circuit


def test_other_operations_end_runs_on_their_qubits_only():
    circuit = random_strings(4, 6, 0)
    for middle in (
        Circuit(4).unitary(random_unitaries(4, 1, 0)[0], (0, 1)),
        Circuit(4).barrier((0, 2)),
        Circuit(4).csx(3, 1).gphase(Parameter("t")),
        Circuit(4).ch(0, 3),
    ):
        whole = circuit + middle + circuit
        made = PauliNetwork(trials=1)(whole, joined(4))
        assert made is not whole
        assert_equivalent(whole, made)
    measured = (Circuit(4, num_clbits=2) + circuit).measure((0, 1), (0, 1))
    measured.append(Conditional(gate("x"), "c", 1), 2).cx(3, 2)
    made = PauliNetwork(trials=1)(measured, joined(4))
    names = [i.operation.name for i in made.instructions]
    assert made is not measured and names[-4:] == ["measure", "measure", "if_x", "cx"]


def test_runs_are_cut_and_parts_that_share_no_qubits_are_apart():
    circuit = random_strings(4, 20, 2)
    made = PauliNetwork(trials=1, max_rotations=7)(circuit, joined(4))
    assert_equivalent(circuit, made)
    assert num_two_qubit(made) > num_two_qubit(PauliNetwork(trials=1)(circuit, joined(4)))
    apart = Circuit(6).extend(qaoa(3, 1), (0, 2, 4)).extend(random_strings(3, 6, 0), (5, 1, 3))
    made = PauliNetwork()(apart, joined(6))
    assert_equivalent(apart, made)
    assert all(len({q % 2 for q in i.qubits}) == 1 for i in made.instructions)


@pytest.mark.parametrize("arguments", [{"trials": 0}, {"trials": 9}, {"trials": True}, {"max_rotations": 0}])
def test_arguments_that_cannot_be_are_refused(arguments):
    with pytest.raises(TargetError, match=next(iter(arguments))):
        PauliNetwork(**arguments)
