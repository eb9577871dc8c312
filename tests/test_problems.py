"""Ansätze, feature maps and Hamiltonians against Kronecker products, closed forms and Qiskit's circuit library."""

from __future__ import annotations

from functools import reduce
from itertools import combinations, product

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from qiskit.circuit.library import n_local, qaoa_ansatz
from qiskit.circuit.library import zz_feature_map as qiskit_zz_feature_map
from qiskit.quantum_info import SparsePauliOp
from qiskit.quantum_info import Statevector as QiskitState
from scipy.linalg import expm
from scipy.optimize import minimize

from qsim import Circuit, PauliSum, X, Z, execute, explain
from qsim._errors import CircuitError, ObservableError, ParameterError
from qsim.library import (
    GroverMixer,
    HamiltonianMixer,
    XMixer,
    XYMixer,
    adapt_pool,
    chain_edges,
    complete_edges,
    data_reuploading,
    dicke_state,
    evolve,
    excitation,
    fidelity_circuit,
    generalized_excitations,
    grid_edges,
    hartree_fock,
    heisenberg,
    hubbard,
    iqp,
    jordan_wigner,
    k_upccgsd,
    maxcut,
    molecule,
    qaoa,
    strongly_entangling,
    transverse_field_ising,
    two_local,
    xxz,
    zz_feature_map,
)
from qsim.methods import Statevector
from qsim.results import Expectation, State
from tests.test_library import annihilation, run

PAULI = {"X": np.array([[0, 1], [1, 0]]), "Y": np.array([[0, -1j], [1j, 0]]), "Z": np.diag([1, -1])}
RING = [(0, 1), (1, 2), (2, 3), (0, 3)]


def on(size: int, **letters: str) -> np.ndarray:
    """A Pauli string as a Kronecker product: on(3, q0="X", q2="Z")."""
    return reduce(np.kron, [PAULI.get(letters.get(f"q{q}", ""), np.eye(2)) for q in range(size)])


def final(circuit: Circuit, **params: np.ndarray) -> np.ndarray:
    """The final state, one dense matrix after the other in double precision."""
    return run(circuit.bind(params))


def of_qiskit(circuit) -> np.ndarray:
    return np.asarray(QiskitState(circuit.reverse_bits()))


def random(shape, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


# ---------------------------------------------------------------- Hamiltonians


def apart(a: int, b: int, size: int, periodic: bool) -> int:
    """How many steps two places are from each other, on a ring or on a line."""
    return min((a - b) % size, (b - a) % size) if periodic else abs(a - b)


def test_edges():
    assert chain_edges(1) == () and chain_edges(2, periodic=True) == ((0, 1),)
    assert chain_edges(4, periodic=True) == ((0, 1), (1, 2), (2, 3), (0, 3))
    assert complete_edges(4) == tuple(combinations(range(4), 2))
    for rows, columns, periodic in product((1, 2, 3, 4), (1, 2, 3), (False, True)):
        expected = {
            (i, j)
            for i, j in combinations(range(rows * columns), 2)
            if apart(i // columns, j // columns, rows, periodic) + apart(i % columns, j % columns, columns, periodic)
            == 1
        }
        found = grid_edges(rows, columns, periodic)
        assert len(found) == len(set(found)) and {tuple(sorted(e)) for e in found} == expected


@pytest.mark.parametrize("edges", [None, RING, [(2, 0), (3, 1)]])
def test_spin_models_are_kronecker_products(edges):
    n, pairs = 4, edges or [(0, 1), (1, 2), (2, 3)]
    bond = lambda letter: sum(on(n, **{f"q{a}": letter, f"q{b}": letter}) for a, b in pairs)  # noqa: E731
    field = lambda letter: sum(on(n, **{f"q{q}": letter}) for q in range(n))  # noqa: E731
    for model, expected in [
        (
            transverse_field_ising(n, 0.7, 0.3, longitudinal=0.2, edges=edges),
            -0.7 * bond("Z") - 0.3 * field("X") - 0.2 * field("Z"),
        ),
        (heisenberg(n, 0.7, edges=edges), 0.7 * (bond("X") + bond("Y") + bond("Z"))),
        (
            heisenberg(n, (0.1, 0.2, 0.3), 0.5, edges=edges),
            0.1 * bond("X") + 0.2 * bond("Y") + 0.3 * bond("Z") + 0.5 * field("Z"),
        ),
        (xxz(n, 0.5, 2.0, 0.1, edges=edges), 0.5 * (bond("X") + bond("Y") + 2 * bond("Z")) + 0.1 * field("Z")),
    ]:
        np.testing.assert_allclose(model.to_matrix(n), expected, atol=1e-14)
        assert model.coefficients.dtype == np.float64


def test_spin_models_have_known_ground_states():
    # two spins: singlet, -3 j; a ring of 4: -8 in Pauli matrices (-2 J in spins of 1/2)
    assert heisenberg(2).ground_state()[0] == pytest.approx(-3)
    assert heisenberg(4, periodic=True).ground_state()[0] == pytest.approx(-8)
    # XX chain: free fermions, energies 4 cos(pi k / (n + 1))
    levels = 4 * np.cos(np.pi * np.arange(1, 7) / 7)
    assert xxz(6, delta=0.0).ground_state()[0] == pytest.approx(levels[levels < 0].sum())
    assert len(xxz(3, j=jnp.float32(0.5), delta=jnp.float32(2)).coefficients) == 6


@pytest.mark.parametrize(
    "shape, t, u, mu, periodic", [(2, 1.0, 4.0, 0.5, False), (3, 0.7, 2.0, 0.3, True), ((2, 2), 1.0, 3.0, 0.0, True)]
)
def test_hubbard_is_its_sum_of_fermions(shape, t, u, mu, periodic):
    rows, columns = (1, shape) if isinstance(shape, int) else shape
    n = 2 * rows * columns
    a = [annihilation(j, n) for j in range(n)]
    number = [x.T @ x for x in a]
    expected = sum(u * number[2 * s] @ number[2 * s + 1] for s in range(n // 2)) - mu * sum(number)
    for i, j in grid_edges(rows, columns, periodic):
        for s in (0, 1):
            hop = a[2 * i + s].T @ a[2 * j + s]
            expected = expected - t * (hop + hop.T)
    found = hubbard(shape, t, u, mu, periodic)
    np.testing.assert_allclose(found.to_matrix(n), expected, atol=1e-12)
    assert found.coefficients.dtype == np.float64


def test_hubbard_of_two_sites_has_its_closed_form():
    for u in (0.0, 1.0, 8.0):  # half filling: mu = u / 2 makes it the ground state
        assert hubbard(2, 1.0, u, u / 2).ground_state(4)[0] == pytest.approx(-(u + np.sqrt(u**2 + 16)) / 2)


def test_jordan_wigner_of_any_product():
    size, rng = 4, np.random.default_rng(0)
    a = [annihilation(j, size) for j in range(size)]
    terms, expected = {(): 0.25}, 0.25 * np.eye(2**size, dtype=complex)
    for _ in range(30):
        factors = tuple(
            (int(j), bool(c)) for j, c in zip(rng.integers(size, size=5), rng.integers(2, size=5), strict=True)
        )
        factors = factors[: rng.integers(1, 6)]
        value = complex(*rng.normal(size=2))
        terms[factors] = value
    expected = sum(
        value * reduce(np.matmul, [a[j].T if c else a[j] for j, c in factors], np.eye(2**size))
        for factors, value in terms.items()
    )
    np.testing.assert_allclose(jordan_wigner(terms).to_matrix(size), expected, atol=1e-12)
    assert len(jordan_wigner({})) == 0 and jordan_wigner({((3, True), (3, False)): 1}).coefficients.dtype == np.float64


def test_hubbard_has_gradients_by_its_constants():
    energy = lambda t, u: execute(Circuit(4).x([0, 1]).ry(0.3, 2), Expectation(hubbard(2, t, u)))  # noqa: E731
    by_t, by_u = jax.grad(energy, argnums=(0, 1))(1.0, 4.0)
    state = run(Circuit(4).x([0, 1]).ry(0.3, 2))
    for slope, part in ((by_t, hubbard(2, 1.0, 0.0)), (by_u, hubbard(2, 0.0, 1.0))):
        assert float(slope) == pytest.approx(np.vdot(state, part.to_matrix(4) @ state).real, abs=1e-6)


def cuts(edges, weights, size):
    """The weight of every cut, by the bits of its index."""
    bits = (np.arange(2**size)[:, None] >> np.arange(size)[::-1]) & 1
    return sum(w * (bits[:, a] != bits[:, b]) for (a, b), w in zip(edges, weights, strict=True))


def test_maxcut_is_minus_the_cut():
    edges, weights = [(0, 1), (2, 1), (0, 3), (4, 2), (3, 4), (1, 4)], [1.0, 0.5, -2.0, 3.0, 1.5, 0.25]
    best = cuts(edges, weights, 5)
    for cost in (
        maxcut(edges, weights),
        maxcut([(*e, w) for e, w in zip(edges, weights, strict=True)]),
        maxcut(np.array(edges), np.array(weights)),
    ):
        np.testing.assert_allclose(np.diag(cost.to_matrix(5)), -best, atol=1e-14)
    np.testing.assert_allclose(np.diag(maxcut(edges).to_matrix()), -cuts(edges, [1] * 6, 5))
    traced = jax.grad(lambda w: execute(Circuit(2).x(0), Expectation(maxcut([(0, 1)], w))))(jnp.ones(1))
    assert traced.tolist() == [-1.0]


# ---------------------------------------------------------------- layered ansätze and feature maps


@pytest.mark.parametrize(
    "rotations, entangler, edges",
    [(["ry"], "cx", None), (["ry", "rz"], "cz", RING), (["rx", "h", "ry"], "crx", [(0, 2)])],
)
def test_two_local_is_qiskits(rotations, entangler, edges):
    n, layers = 4, 2
    pairs = edges or [(0, 1), (1, 2), (2, 3)]
    theirs = n_local(n, rotations, entangler, entanglement=pairs, reps=layers, skip_final_rotation_layer=False)
    ours = two_local(n, layers, rotations, entangler, edges=edges)
    values = {name: random(shape) for name, shape in ours.parameter_shapes().items()}
    used = sum(r != "h" for r in rotations)
    flat = []
    for layer in range(layers + 1):
        flat += list(values["theta"][layer].reshape(used * n))
        flat += list(values["phi"][layer]) if "phi" in values and layer < layers else []
    state = of_qiskit(theirs.assign_parameters(flat))
    np.testing.assert_allclose(final(ours, **values), state, atol=1e-12)


def test_two_local_of_gates_with_many_angles():
    circuit = two_local(2, 1, ["u"], "cu")
    assert circuit.parameter_shapes() == {"phi": (1, 1, 4), "theta": (2, 3, 2)}
    assert two_local(3, 0, ()).parameter_shapes() == {} and len(two_local(1, 3)) == 4


def test_strongly_entangling_is_its_definition():
    n, layers = 3, 4
    theta = random((layers, n, 3))
    expected = Circuit(n)
    for layer, distance in enumerate((1, 2, 1, 2)):
        for q in range(n):
            expected.rz(theta[layer, q, 0], q).ry(theta[layer, q, 1], q).rz(theta[layer, q, 2], q)
        for q in range(n):
            expected.cx(q, (q + distance) % n)
    np.testing.assert_allclose(final(strongly_entangling(n, layers), theta=theta), final(expected), atol=1e-12)
    assert strongly_entangling(1, 2).count_ops() == {"rz": 4, "ry": 2}
    assert strongly_entangling(4, 2, [3, 3]).instructions[-1].qubits == (3, 2)


@pytest.mark.parametrize("repeats, entanglement", [(1, "full"), (2, "linear")])
def test_zz_feature_map_is_qiskits(repeats, entanglement):
    n, x = 3, random(3)
    ours = zz_feature_map(n, repeats, edges=None if entanglement == "full" else chain_edges(n))
    theirs = qiskit_zz_feature_map(n, repeats, entanglement).assign_parameters(x)
    np.testing.assert_allclose(final(ours, x=x), of_qiskit(theirs), atol=1e-12)
    assert zz_feature_map(n, 1, edges=()).count_ops() == {"h": 3, "p": 3}


def test_iqp_is_diagonal_between_hadamards():
    n, x = 3, random(3)
    signs = 1 - 2 * ((np.arange(2**n)[:, None] >> np.arange(n)[::-1]) & 1)
    phase = signs @ x + sum(signs[:, a] * signs[:, b] * x[a] * x[b] for a, b in combinations(range(n), 2))
    hadamard = reduce(np.kron, [np.array([[1, 1], [1, -1]]) / np.sqrt(2)] * n)
    layer = np.exp(-0.5j * phase)[:, None] * hadamard
    for repeats in (1, 2):
        expected = np.linalg.matrix_power(layer, repeats)[:, 0]
        np.testing.assert_allclose(final(iqp(n, repeats), x=x), expected, atol=1e-12)


def test_data_reuploading_is_its_product_of_rotations():
    layers, features = 3, 4  # one qubit: U(theta + w x) with three features at a time
    circuit = data_reuploading(1, layers, features)
    values = {name: random(shape, k) for k, (name, shape) in enumerate(circuit.parameter_shapes().items())}
    state = np.array([1, 0], complex)
    for layer in range(layers):
        angles = values["theta"][layer, 0].copy()
        angles[:features] += values["weight"][layer, 0] * values["x"]
        for k, angle in enumerate(angles):
            state = expm(-0.5j * angle * PAULI["ZYZ"[k % 3]]) @ state
    np.testing.assert_allclose(final(circuit, **values), state, atol=1e-12)
    assert data_reuploading(4, 3).count_ops()["cz"] == 2 * 3


def test_fidelity_circuit_measures_the_kernel():
    features = zz_feature_map(3)
    x, y = random((2, 3))
    probability = abs(final(fidelity_circuit(features), x=x, x_other=y)[0]) ** 2
    expected = abs(np.vdot(final(features, x=y), final(features, x=x))) ** 2
    assert probability == pytest.approx(expected, abs=1e-12)


# ---------------------------------------------------------------- QAOA

GRAPH = [(0, 1), (1, 2), (2, 3), (0, 3), (0, 2)]


def evolved(hamiltonian: np.ndarray, angle: float, state: np.ndarray) -> np.ndarray:
    return expm(-1j * angle * hamiltonian) @ state


@pytest.mark.parametrize("extra", [0.0 * Z(0), 0.3 * Z(1), 0.3 * Z(1) + 0.7 * Z(0) @ Z(1) @ Z(3)])
def test_qaoa_alternates_cost_and_mixer(extra):
    n, layers = 4, 2
    gamma, beta = random((2, layers))
    cost = maxcut(GRAPH, [1.0, 0.5, 2.0, -1.0, 0.3]) + extra
    phases = (cost - cost.take([5])).simplify().to_matrix(n)  # without the constant
    flips = sum(on(n, **{f"q{q}": "X"}) for q in range(n))
    state = np.full(2**n, 0.25, complex)
    for g, b in zip(gamma, beta, strict=True):
        state = evolved(flips, b, evolved(phases, g, state))
    circuit = qaoa(cost, layers)
    np.testing.assert_allclose(final(circuit, gamma=gamma, beta=beta), state, atol=1e-12)
    traced = PauliSum(cost.strings, jnp.asarray(cost.coefficients))
    values = execute(qaoa(traced, layers), State(), {"gamma": gamma, "beta": beta})
    np.testing.assert_allclose(values, state, atol=1e-5)


def test_qaoa_is_qiskits():
    n, layers = 4, 2
    gamma, beta = random((2, layers))
    labels = ["".join("Z" if q in edge else "I" for q in range(n))[::-1] for edge in GRAPH]
    theirs = qaoa_ansatz(SparsePauliOp(labels, [0.5] * len(GRAPH)), reps=layers)
    values = {p: (beta if p.name[0] == "β" else gamma)[p.index] for p in theirs.parameters}
    state = of_qiskit(theirs.assign_parameters(values).decompose(reps=3))
    ours = final(qaoa(GRAPH, layers), gamma=gamma, beta=beta)
    assert abs(np.vdot(ours, state)) == pytest.approx(1, abs=1e-10)


def test_qaoa_of_one_edge_has_its_closed_form():
    # p = 1 on one edge: <Z Z> = sin(4 beta) sin(gamma), so the cut is found at beta = pi / 8, gamma = -pi / 2
    gamma, beta = np.array([0.8]), np.array([0.3])
    state = final(qaoa([(0, 1)], 1), gamma=gamma, beta=beta)
    expected = np.sin(4 * 0.3) * np.sin(0.8)
    assert np.vdot(state, np.diag(on(2, q0="Z", q1="Z")) * state).real == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("edges", [None, complete_edges(5)])
def test_xy_mixer_hops_and_keeps_the_number_of_ones(edges):
    n, beta = 5, 0.37
    mixer = XYMixer(2, edges)
    used = edges or [(0, 1), (2, 3), (1, 2), (3, 4), (0, 4)]
    state = random(2**n) + 1j * random(2**n, 1)
    expected = state
    for a, b in used:
        hop = sum(on(n, **{f"q{a}": p, f"q{b}": p}) for p in "XY") / 2
        expected = evolved(hop, beta, expected)
    layer = run(mixer.layer(n, beta), state)
    np.testing.assert_allclose(layer, expected, atol=1e-12)
    ones = np.bitwise_count(np.arange(2**n))
    gamma, betas = random((2, 3))
    answer = final(qaoa([(0, 1), (1, 2), (3, 4)], 3, mixer), gamma=gamma, beta=betas)
    assert np.sum(np.abs(answer[ones == 2]) ** 2) == pytest.approx(1)


@pytest.mark.parametrize("preparation", [None, dicke_state(3, 1)])
def test_grover_mixer_turns_the_phase_of_its_start(preparation):
    n, beta = 3, 0.6
    mixer = GroverMixer(preparation)
    s = final(mixer.start(n))
    expected = np.eye(2**n) + (np.exp(-1j * beta) - 1) * np.outer(s, s.conj())
    state = random(2**n) + 1j * random(2**n, 1)
    found = run(mixer.layer(n, beta), state)
    np.testing.assert_allclose(found, expected @ state, atol=1e-12)


def test_mixers_of_ones_own():
    mixer = HamiltonianMixer(X(0) + 0.5 * X(1) @ X(2), dicke_state(3, 2))
    circuit = qaoa([(0, 1), (1, 2)], 1, mixer)
    expected = evolved(mixer.hamiltonian.to_matrix(3), 0.4, final(dicke_state(3, 2)))
    np.testing.assert_allclose(final(circuit, gamma=np.zeros(1), beta=np.array([0.4])), expected, atol=1e-12)
    assert qaoa(Z(0), 0, num_qubits=3).num_qubits == 3 and len(qaoa(Z(0), 0, XMixer())) == 1


@pytest.mark.parametrize("size, weight", [(1, 0), (1, 1), (3, 1), (4, 2), (5, 3), (4, 4), (4, 0)])
def test_dicke_states(size, weight):
    expected = (np.bitwise_count(np.arange(2**size)) == weight).astype(float)
    np.testing.assert_allclose(final(dicke_state(size, weight)), expected / np.linalg.norm(expected), atol=1e-12)


# ---------------------------------------------------------------- chemistry


def test_generalized_excitations_are_all_that_keep_the_spin():
    for n in range(7):
        spin = lambda q: sum(x % 2 for x in q)  # noqa: E731
        expected = {
            frozenset((s, t))
            for k in (1, 2)
            for s in combinations(range(n), k)
            for t in combinations(range(n), k)
            if not set(s) & set(t) and spin(s) == spin(t)
        }
        found = generalized_excitations(n)
        assert len(found) == len(expected) and {frozenset(pair) for pair in found} == expected


def test_k_upccgsd_is_the_product_of_its_excitations():
    electrons, n, k = 2, 6, 2
    circuit = k_upccgsd(electrons, n, k)
    spatial = list(combinations(range(n // 2), 2))
    pairs = [((2 * p, 2 * p + 1), (2 * q, 2 * q + 1)) for p, q in spatial]
    pairs += [((a,), (b,)) for a, b in combinations(range(n), 2) if a % 2 == b % 2]
    angles = random(k * len(pairs))
    assert circuit.parameter_shapes() == {"theta": (k * 3 * 3,)}
    state = np.zeros(2**n)
    state[int("110000", 2)] = 1
    a = [annihilation(j, n) for j in range(n)]
    for angle, (source, target) in zip(angles, pairs * k, strict=True):
        raising = reduce(np.matmul, [a[t].T for t in target] + [a[s] for s in reversed(source)])
        state = expm(angle * (raising - raising.T)) @ state
    np.testing.assert_allclose(final(circuit, theta=angles), state, atol=1e-12)


@pytest.mark.parametrize("generalized", [False, True])
def test_pools_of_excitations_keep_the_particles_and_of_strings_are_their_parts(generalized):
    n = 6
    number = sum(0.5 - 0.5 * np.diag(on(n, **{f"q{q}": "Z"})) for q in range(n))
    pool = adapt_pool(2, n, generalized=generalized)
    assert len(pool) == (len(generalized_excitations(n)) if generalized else 8)
    for generator in pool:
        matrix = generator.to_matrix(n)
        assert np.abs(matrix * (number[:, None] - number[None])).max() < 1e-12
        assert np.abs(matrix - matrix.conj().T).max() < 1e-12
    strings = adapt_pool(2, n, generalized=generalized, qubit=True)
    assert len({g.strings for g in strings}) == len(strings)
    for (string,) in (g.strings for g in strings):
        assert len(string) in (2, 4) and sum(letter == "Y" for _, letter in string) % 2 == 1


def test_slopes_of_a_pool_are_commutators():
    h, n = molecule("h2").hamiltonian, 4
    pool = adapt_pool(2, n, generalized=True)
    start = hartree_fock(2, n).ry(0.3, 0).rx(0.2, 2)
    trial = evolve(start, pool, "trial")
    slopes = jax.grad(lambda t: execute(trial, Expectation(h), {"trial": t}))(jnp.zeros(len(pool)))
    state, matrix = final(start), h.to_matrix(n)
    expected = [1j * np.vdot(state, (g @ matrix - matrix @ g) @ state) for g in (p.to_matrix(n) for p in pool)]
    np.testing.assert_allclose(slopes, np.real(expected), atol=1e-5)


@pytest.mark.slow
def test_adapt_reaches_the_ground_state_of_a_chain_of_hydrogen(x64):
    """ADAPT-VQE comes within chemical accuracy of FCI with half of the excitations (arXiv:1812.11173)."""
    h4, pool = molecule("h4"), adapt_pool(4, 8)

    def energy_of(circuit, shown):
        method = Statevector(jnp.complex128)
        return lambda t: execute(circuit, Expectation(h4.hamiltonian), shown(t), method=method)

    grown, names, angles, error = hartree_fock(4, 8), [], np.zeros(0), np.inf
    while error > 1.6e-3 and len(names) < len(pool) // 2:
        known = dict(zip(names, angles[:, None], strict=True))
        trial = energy_of(evolve(grown, pool, "trial"), lambda t: {**known, "trial": t})  # noqa: B023
        slopes = jax.grad(trial)(jnp.zeros(len(pool)))
        names.append(f"t{len(names):02}")
        grown = evolve(grown, [pool[int(np.argmax(np.abs(slopes)))]], names[-1])
        energy = energy_of(grown, lambda t: dict(zip(names, t[:, None], strict=True)))
        found = minimize(jax.jit(jax.value_and_grad(energy)), np.append(angles, 0.0), jac=True)
        angles, error = found.x, found.fun - h4.fci_energy
    assert error < 1.6e-3


# ---------------------------------------------------------------- what the engine makes of them, and what is refused

ROLLED = {
    "qaoa": (qaoa([*chain_edges(10, periodic=True), (0, 5)], 8), 8),
    "qaoa xy": (qaoa(chain_edges(8), 8, XYMixer(2)), 8),
    "qaoa grover": (qaoa(chain_edges(8), 8, GroverMixer()), 8),
    "strongly entangling": (strongly_entangling(6, 100), 20),
    "two local": (two_local(8, 50, ["ry", "rz"]), 50),
    "re-uploading": (data_reuploading(4, 30), 29),
    "zz": (zz_feature_map(6, 12), 12),
    "iqp": (iqp(6, 12), 12),
    "k-upccgsd": (k_upccgsd(2, 6, 4), 4),
}


@pytest.mark.parametrize("name", ROLLED)
def test_layers_are_rolled_into_one_loop(name):
    circuit, times = ROLLED[name]
    text = str(explain(circuit))
    assert "rolled" in text and f"repeat {times} times" in text, text


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: two_local(0, 1), "1 qubit or more"),
        (lambda: two_local(2, -1), "layers"),
        (lambda: two_local(2, 1, ["cx"]), "gates on 1 qubit, but cx acts on 2"),
        (lambda: two_local(2, 1, "ry", "nothing"), "`entangler` names no gate"),
        (lambda: two_local(2, 1, edges=[(0, 2)]), r"holds \(0, 2\)"),
        (lambda: two_local(2, 1, edges=[(0, 0)]), "different sites"),
        (lambda: two_local(2, 1, edges=5), "pairs"),
        (lambda: strongly_entangling(3, 2, [1]), "2 numbers from 1 to 2"),
        (lambda: strongly_entangling(3, 1, [3]), "from 1 to 2"),
        (lambda: strongly_entangling(3.0, 1), "num_qubits"),
        (lambda: zz_feature_map(0), "num_features"),
        (lambda: iqp(2, True), "repeats"),
        (lambda: data_reuploading(1, 1, 0), "num_features"),
        (lambda: data_reuploading(1, 1, names=("x", "theta")), "three names"),
        (lambda: evolve(Circuit(1), 3), "`generators` must hold PauliSums, but is int"),
        (lambda: fidelity_circuit("x"), "feature_map"),
        (lambda: qaoa(X(0) @ Z(1), 1), "diagonal"),
        (lambda: qaoa(1j * Z(1), 1), "real coefficients"),
        (lambda: qaoa(Z(3), 1, num_qubits=2), "at least 4"),
        (lambda: qaoa(Z(3), 1, mixer="x"), r"XMixer\(\)"),
        (lambda: qaoa([(0, 1)], 1, XYMixer(3)), "weight"),
        (lambda: XYMixer(-1), "weight"),
        (lambda: qaoa([(0, 1)], 1, GroverMixer(Circuit(3))), "preparation"),
        (lambda: dicke_state(2, 3), "at most the 2 qubits"),
        (lambda: k_upccgsd(2, 5), "even"),
        (lambda: k_upccgsd(2, 4, 0), "`k`"),
        (lambda: k_upccgsd(2.0, 4), "num_electrons"),
        (lambda: adapt_pool(3, 2), "num_electrons"),
        (lambda: evolve(Circuit(1), [1.0]), "PauliSums"),
        (lambda: evolve(Circuit(1), [X(3)]), "qubit 3"),
        (lambda: maxcut([(0, 1, 2, 3)]), "pairs"),
        (lambda: maxcut([(0, 1)], [1, 2]), "coefficients"),
        (lambda: maxcut(7), "edges"),
        (lambda: heisenberg(2, (1, 2)), "three"),
        (lambda: heisenberg(3, periodic=True, edges=[(0, 1)]), "Give one"),
        (lambda: hubbard(0), "shape"),
        (lambda: hubbard((2, 2, 2)), "shape"),
        (lambda: hubbard(2, t="x"), "number"),
        (lambda: hubbard(2, u=float("nan")), "finite"),
        (lambda: grid_edges(2, 0), "columns"),
        (lambda: jordan_wigner({(0,): 1.0}), "product"),
        (lambda: jordan_wigner([1]), "`terms` must map"),
        (lambda: xxz(2, (1, 2)), "`j` must be a number"),
        (lambda: two_local(2, 1, 5), "rotations"),
        (lambda: qaoa([(0, 1)], 1, names=("a", "a")), "names"),
        (lambda: fidelity_circuit(iqp(2), ""), "suffix"),
        (lambda: excitation(0, 1), "different spin orbitals"),
        (lambda: jordan_wigner({((0, 2),): 1.0}), "product"),
        (lambda: jordan_wigner({((-1, True),): 1.0}), "terms"),
    ],
)
def test_bad_arguments_are_named(call, words):
    with pytest.raises((CircuitError, ObservableError, ParameterError), match=words):
        call()
