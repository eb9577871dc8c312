"""High-level operations: matrix, apply, definition and inverse are one unitary, on every namespace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import array_api_strict
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg
import stim
from ir_oracle import random_state, random_unitary, unitary_of

from qsim import Circuit, Parameter, PauliSum, X, Y, Z, gates, ops
from qsim._errors import CircuitError
from qsim.ir.expand import expand
from qsim.ir.operation import Gate, key_of

HAMILTONIAN = 0.3 * X(0) @ Z(1) - 0.2 * Y(2) @ Y(1) + 0.7 * (Z(0) @ Z(0)) + 0.1 * Z(2) + 0.4 * X(0) @ Y(1) @ Z(2)


def tableau_of(tableau: stim.Tableau) -> np.ndarray:
    x2x, x2z, z2x, z2z, x_sign, z_sign = tableau.to_numpy()
    return np.block([[x2x, x2z, x_sign[:, None]], [z2x, z2z, z_sign[:, None]]])


def random_tableau(rng: np.random.Generator, k: int) -> np.ndarray:
    x = "".join(rng.choice(list("IXYZ"), k))
    tableau = stim.Tableau(k)
    for _ in range(6 * k):
        q = int(rng.integers(k))
        tableau.append(stim.Tableau.from_named_gate(str(rng.choice(["H", "S", "X", "Z"]))), [q])
        if k > 1:
            a, b = rng.choice(k, 2, replace=False).tolist()
            tableau.append(stim.Tableau.from_named_gate("CX"), [a, b])
    assert len(x) == k
    return tableau_of(tableau)


MAKERS: dict[str, Callable[[np.random.Generator, int], Any]] = {
    "unitary": lambda rng, k: ops.Unitary(random_unitary(rng, k)),
    "unitary_of_one": lambda rng, k: ops.Unitary(np.eye(1 << k)),
    "diagonal": lambda rng, k: ops.Diagonal(np.exp(1j * rng.normal(size=1 << k))),
    "diagonal_real": lambda rng, k: ops.Diagonal(rng.choice([-1.0, 1.0], 1 << k)),
    "permutation": lambda rng, k: ops.Permutation(rng.permutation(1 << k)),
    "permutation_of_qubits": lambda rng, k: ops.Permutation.of_qubits(rng.permutation(k)),
    "qft": lambda rng, k: ops.QFT(k),
    "prepare_state": lambda rng, k: ops.PrepareState(random_state(rng, k)),
    "prepare_state_real": lambda rng, k: ops.PrepareState(np.eye(1 << k)[-1]),
    "clifford": lambda rng, k: ops.Clifford(random_tableau(rng, k)) if k else ops.Clifford(np.zeros((0, 1), int)),
    "pauli_evolution": lambda rng, k: ops.PauliEvolution(
        PauliSum.from_list([("".join(rng.choice(list("IXYZ"), k)), c) for c in rng.normal(size=4)]), 0.7, 1, 2, k
    ),
    "pauli_evolution_2": lambda rng, k: ops.PauliEvolution(HAMILTONIAN, 0.7, 2, 3, max(3, k)),
    "pauli_evolution_4": lambda rng, k: ops.PauliEvolution(HAMILTONIAN, 0.7, 4, 1, max(3, k)),
    "controlled": lambda rng, k: ops.controlled(ops.PrepareState(random_state(rng, k)), 1, 0),
    "controlled_gate": lambda rng, k: ops.controlled(gates.gate("rx", 0.3), k + 1, 1),
}
SIZES = [0, 1, 2, 3, 4]


@pytest.mark.parametrize("k", SIZES)
@pytest.mark.parametrize("name", MAKERS)
def test_matrix_apply_definition_and_inverse_agree(name: str, k: int) -> None:
    rng = np.random.default_rng(k)
    op = MAKERS[name](rng, k)
    matrix = op.matrix(np)
    one = np.eye(1 << op.num_qubits)
    assert matrix.dtype == np.complex128
    np.testing.assert_allclose(matrix.conj().T @ matrix, one, atol=1e-12)
    np.testing.assert_allclose(op.inverse().matrix(np) @ matrix, one, atol=1e-12)
    if hasattr(op, "definition"):
        np.testing.assert_allclose(unitary_of(op.definition()), matrix, atol=1e-12)
        np.testing.assert_allclose(unitary_of(op.inverse().definition()), matrix.conj().T, atol=1e-12)
        assert {type(i.operation) for i in expand(op.definition(), _is_gate).instructions} <= {Gate, ops.Controlled}
    if hasattr(op, "apply"):
        columns = rng.normal(size=(len(one), 3)) + 1j * rng.normal(size=(len(one), 3))
        np.testing.assert_allclose(op.apply(np, columns), matrix @ columns, atol=1e-12)
        assert op.apply(np, columns.astype(np.complex64)).dtype == np.complex64


def _is_gate(op: Any) -> bool:
    return isinstance(op, Gate) or (isinstance(op, ops.Controlled) and isinstance(op.base, Gate))


@pytest.mark.parametrize("name", MAKERS)
def test_other_namespaces_give_the_same(name: str, x64: None) -> None:
    rng = np.random.default_rng(7)
    op = MAKERS[name](rng, 2)
    columns = random_unitary(rng, op.num_qubits)
    for xp in (jnp, array_api_strict):
        np.testing.assert_allclose(np.asarray(op.matrix(xp)), op.matrix(np), atol=1e-12)
        if hasattr(op, "apply"):
            found = op.apply(xp, xp.asarray(columns))
            np.testing.assert_allclose(np.asarray(found), op.matrix(np) @ columns, atol=1e-12)


WITH_ARRAYS = [n for n in MAKERS if MAKERS[n](np.random.default_rng(0), 2).arrays]


@pytest.mark.parametrize("name", [n for n in WITH_ARRAYS if n not in ("pauli_evolution_2", "pauli_evolution_4")])
def test_arrays_may_be_traced_and_differentiated(name: str, x64: None) -> None:
    op = MAKERS[name](np.random.default_rng(3), 2)
    arrays = [jnp.asarray(a) for a in op.arrays]
    weight = jnp.asarray(random_unitary(np.random.default_rng(4), op.num_qubits))

    def loss(scale: Any) -> Any:
        made = op.replace(op.params, [scale * a for a in arrays])
        return jnp.real(jnp.sum(made.matrix(jnp) * weight))

    np.testing.assert_allclose(jax.jit(loss)(1.0), np.real(np.sum(op.matrix(np) * weight)), atol=1e-12)
    step = 1e-6
    slope = (loss(1.3 + step) - loss(1.3 - step)) / (2 * step)
    np.testing.assert_allclose(jax.jit(jax.grad(loss))(1.3), slope, atol=1e-7)
    scales = jnp.asarray([0.5, 1.0, 1.5])
    np.testing.assert_allclose(jax.vmap(loss)(scales), [loss(s) for s in scales], atol=1e-12)


@pytest.mark.parametrize("name", WITH_ARRAYS)
def test_key_is_structure_and_replace_keeps_it(name: str) -> None:
    first, second = (MAKERS[name](np.random.default_rng(0), 2) for _ in range(2))
    other = first.replace(first.params, [a + 0 for a in first.arrays])
    assert hash(key_of(first)) == hash(key_of(other)) and key_of(first) == key_of(other)
    assert first == second and hash(first) == hash(second)
    assert MAKERS[name](np.random.default_rng(0), 3) != first or "pauli" in name


@pytest.mark.parametrize("name", ["diagonal", "prepare_state"])
def test_definition_of_a_jax_array_keeps_the_array(name: str, x64: None) -> None:
    op = MAKERS[name](np.random.default_rng(3), 3)
    device = op.replace((), [jnp.asarray(op.arrays[0])])
    circuit = device.definition()
    np.testing.assert_allclose(unitary_of(circuit), op.matrix(), atol=1e-12)
    assert len(circuit.values()) <= 8  # one array per level, not one scalar per gate
    host = op.definition()
    assert [i.operation.name for i in host.instructions] == [i.operation.name for i in circuit.instructions]


def test_definition_does_not_depend_on_values() -> None:
    for name, make in MAKERS.items():
        if "clifford" in name or "permutation" in name:
            continue
        op = make(np.random.default_rng(0), 2)
        for seed in range(3):
            other = make(np.random.default_rng(seed), 2)
            if hasattr(op, "definition") and key_of(op) == key_of(other):
                assert op.definition().key == other.definition().key


def test_prepare_state_prepares_the_state() -> None:
    rng = np.random.default_rng(0)
    for state in (random_state(rng, 3), np.eye(8)[5], -np.eye(8)[5], np.eye(8)[0] * 1j, np.array([0.6, -0.8])):
        np.testing.assert_allclose(ops.PrepareState(state).matrix()[:, 0], state, atol=1e-15)


def test_prepare_state_has_finite_gradients_at_zero_amplitudes(x64: None) -> None:
    for dtype in (jnp.complex128, jnp.float64):
        state = jnp.asarray([0.6, 0.0, 0.0, 0.8], dtype)

        def loss(t: Any, state: Any = state) -> Any:
            made = ops.PrepareState(state).replace((), (state * (1 + t),))
            return jnp.sum(jnp.abs(made.matrix(jnp) + 0.1) ** 2)

        assert np.isfinite(jax.grad(loss)(0.3))
        assert np.isfinite(
            jax.grad(lambda s: jnp.real(ops.PrepareState(s).matrix(jnp)[0, 0]), holomorphic=False)(state)
        ).all()


def test_qft_is_the_discrete_fourier_transform() -> None:
    index = np.arange(8)
    expected = np.exp(2j * np.pi * np.outer(index, index) / 8) / np.sqrt(8)
    np.testing.assert_allclose(ops.QFT(3).matrix(), expected, atol=1e-15)


def test_permutation_moves_basis_states_and_qubits() -> None:
    np.testing.assert_array_equal(ops.Permutation([1, 2, 3, 0]).matrix()[:, 0], [0, 1, 0, 0])
    moved = ops.Permutation.of_qubits([1, 2, 0])  # qubit 0 goes to 1
    assert moved.table[0b100] == 0b010


def test_pauli_evolution_is_the_formula_and_converges() -> None:
    whole = HAMILTONIAN.to_matrix()
    exact = scipy.linalg.expm(-0.7j * whole)
    first = ops.PauliEvolution(HAMILTONIAN, 0.7)
    product = np.eye(8)
    for term in HAMILTONIAN:
        product = scipy.linalg.expm(-0.7j * term.to_matrix(3)) @ product
    np.testing.assert_allclose(first.matrix(), product, atol=1e-13)
    for order in (1, 2, 4):
        errors = [np.abs(ops.PauliEvolution(HAMILTONIAN, 0.7, order, s).matrix() - exact).max() for s in (4, 8)]
        assert errors[0] / errors[1] == pytest.approx(2**order, rel=0.15)


def test_pauli_evolution_rotations_and_method() -> None:
    x, z, terms, factors = ops.PauliEvolution(HAMILTONIAN, 0.7, order=2).rotations()
    assert x.shape == z.shape == (9, 3) and terms.tolist() == [0, 1, 2, 3, 4, 3, 2, 1, 0]
    assert factors.tolist() == [0.5] * 4 + [1.0] + [0.5] * 4
    circuit = Circuit(6).pauli_evolution(Z(5) @ X(2), 0.3)
    assert circuit.instructions[0].qubits == (2, 5)
    placed = Circuit(6).pauli_evolution(X(0) @ Z(1), 0.3, (2, 5))
    assert circuit == placed and circuit.key == placed.key
    assert Circuit(3).pauli_evolution(X(0), 0.3, (0, 1, 2)).instructions[0].operation.num_qubits == 3


def test_pauli_evolution_definition_with_parameters() -> None:
    t = Parameter("t")
    op = ops.PauliEvolution(HAMILTONIAN, t, 2, 2)
    bound = op.definition().bind({"t": 0.7})
    np.testing.assert_allclose(unitary_of(bound), ops.PauliEvolution(HAMILTONIAN, 0.7, 2, 2).matrix(), atol=1e-13)
    coefficients = jnp.asarray(HAMILTONIAN.coefficients)
    traced = ops.PauliEvolution(HAMILTONIAN.replace(coefficients), 0.7).definition()
    assert len(traced.values()) == 2  # one array of angles, and the scalar of the global phase
    np.testing.assert_allclose(unitary_of(traced), ops.PauliEvolution(HAMILTONIAN, 0.7).matrix(), atol=1e-6)
    with pytest.raises(CircuitError, match="needs a value for time `t`"):
        ops.PauliEvolution(HAMILTONIAN.replace(coefficients), t).definition()


def test_clifford_conjugates_paulis_as_its_tableau_says() -> None:
    for k in (1, 2, 3):
        tableau = random_tableau(np.random.default_rng(k), k)
        u = ops.Clifford(tableau).matrix()
        for row in range(2 * k):
            letter = "X" if row < k else "Z"
            before = PauliSum([((row % k, letter),)], [1.0]).to_matrix(k)
            x, z, sign = tableau[row, :k], tableau[row, k:-1], tableau[row, -1]
            letters = {q: "IXZY"[x[q] + 2 * z[q]] for q in range(k) if x[q] or z[q]}
            after = PauliSum([letters], [(-1.0) ** int(sign)]).to_matrix(k)
            np.testing.assert_allclose(u @ before @ u.conj().T, after, atol=1e-12)


@pytest.mark.parametrize("exponent", [0, 1, -1, 2, 5, -2, 0.5, -1 / 3])
@pytest.mark.parametrize("name", [n for n in MAKERS if "evolution" not in n])
def test_power(name: str, exponent: float) -> None:
    op = MAKERS[name](np.random.default_rng(5), 2)
    matrix = op.matrix()
    found = ops.power(op, exponent).matrix()
    if exponent == int(exponent):
        np.testing.assert_allclose(found, np.linalg.matrix_power(matrix, int(exponent)), atol=1e-12)
    else:
        np.testing.assert_allclose(np.linalg.matrix_power(found, round(1 / exponent)), matrix, atol=1e-10)


def test_power_of_evolutions_and_of_jax_matrices() -> None:
    op = ops.PauliEvolution(HAMILTONIAN, 0.7)
    for exponent in (3, -2):
        expected = np.linalg.matrix_power(op.matrix(), exponent)
        np.testing.assert_allclose(ops.power(op, exponent).matrix(), expected, atol=1e-12)
    theta = Parameter("theta")
    single = ops.power(ops.PauliEvolution(Z(0), theta), 0.5)
    assert single.params[0] == 0.5 * theta
    traced = ops.Unitary(jnp.asarray(random_unitary(np.random.default_rng(0), 2)))
    np.testing.assert_allclose(
        ops.power(traced, -2).matrix(jnp) @ ops.power(traced, 2).matrix(jnp), np.eye(4), atol=1e-5
    )
    with pytest.raises(CircuitError, match="unitary has parameters without values or of JAX"):
        ops.power(traced, 0.5)
    with pytest.raises(CircuitError, match="`exponent` must be a finite number"):
        ops.power(op, theta)
    with pytest.raises(CircuitError, match="pauli_evolution has parameters"):
        ops.power(ops.PauliEvolution(HAMILTONIAN, theta), 0.5)


class Plain:
    """A third-party operation with the least there is, and a matrix."""

    name, num_qubits, num_clbits, num_params, params = "plain", 1, 0, 0, ()

    def __init__(self, matrix: np.ndarray):
        self.hidden = matrix

    def matrix(self, xp: Any) -> Any:
        return xp.asarray(self.hidden)


def test_functions_take_third_party_operations() -> None:
    op = Plain(random_unitary(np.random.default_rng(0), 1))
    np.testing.assert_allclose(ops.inverse(op).matrix() @ op.hidden, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(np.linalg.matrix_power(ops.power(op, 0.5).matrix(), 2), op.hidden, atol=1e-12)
    under = ops.controlled(op, 1, 0)
    assert hasattr(under, "matrix") and not hasattr(under, "definition") and not hasattr(under, "replace")
    np.testing.assert_allclose(under.matrix()[:2, :2], op.hidden)


def test_third_party_operations_without_a_key_are_known_by_what_they_do() -> None:
    circuits = [Circuit(1).append(Plain(np.eye(2) * s), 0) for s in (1, -1, 1)]
    assert circuits[0].key == circuits[2].key != circuits[1].key


BAD: list[tuple[Callable[[], Any], str]] = [
    (lambda: ops.Unitary(np.ones((2, 2))), r"must be unitary, but max \|U\^dagger U - 1\| is 2"),
    (lambda: ops.Unitary(np.eye(3)), "must have a power of 2 of entries, but has 3"),
    (lambda: ops.Unitary(np.ones((2, 4))), r"must have shape \(2\^k, 2\^k\), but has shape \(2, 4\)"),
    (lambda: ops.Unitary([[np.nan, 0], [0, 1]]), "must be finite, but holds NaN"),
    (lambda: ops.Unitary("abc"), "must be an array of numbers, but is str"),
    (lambda: ops.Diagonal([1, 0.5]), "entry 1 is 0.5, which is off by 0.5"),
    (lambda: ops.Diagonal(np.eye(2)), r"must have shape \(2\^k,\)"),
    (lambda: ops.Permutation([0, 0]), r"must name each of 0 .. 1 once"),
    (lambda: ops.Permutation.of_qubits([0, 2]), r"must name each of 0 .. 1 once, but is \[0, 2\]"),
    (lambda: ops.PrepareState([1, 1]), r"must have norm 1, but its norm is 1.414"),
    (lambda: ops.PrepareState(np.ones((2, 2))), r"must have shape \(2\^k,\)"),
    (lambda: ops.QFT(-1), "`num_qubits` must be between 0 and"),
    (lambda: ops.Clifford(np.eye(2)), r"must be bits of shape \(2k, 2k \+ 1\)"),
    (lambda: ops.Clifford([[1, 0, 0], [1, 0, 0]]), "rows 0 and 1 must anticommute"),
    (lambda: ops.Clifford([[2, 0, 0], [0, 1, 0]]), "must hold 0 and 1 only"),
    (lambda: ops.PauliEvolution(1j * Z(0), 0.1), "must have real coefficients"),
    (lambda: ops.PauliEvolution(Z(0), 0.1, order=3), "`order` must be 1, 2, 4, 6 or 8, but is 3"),
    (lambda: ops.PauliEvolution(Z(0), 0.1, steps=0), "`steps` must be 1 or more"),
    (lambda: ops.PauliEvolution(Z(0), float("nan")), "must be a finite number, but is nan"),
    (lambda: ops.PauliEvolution("Z", 0.1), "must be a PauliSum, but is str"),
    (lambda: Circuit(2).pauli_evolution(Z(0) @ Z(1), 0.1, 0), "acts on qubit 1 of its own numbering, but was given 1"),
    (lambda: Circuit(2).pauli_evolution(3, 0.1), "must be a PauliSum, but is int"),
    (lambda: Circuit(2).unitary(np.eye(4), 0), "unitary acts on 2 qubits, but was given 1"),
    (lambda: Circuit(2).mcx([0, 1], 1), "the qubits must be different"),
    (lambda: Circuit(2).mcx([0], 1, "11"), "`control_state` must be 1 characters of 0 and 1"),
    (lambda: ops.controlled(gates.gate("x"), 2, 4), "`control_state` must be between 0 and 3"),
    (lambda: ops.Unitary(jnp.eye(2)).definition(), "a JAX matrix has no definition in gates"),
]


@pytest.mark.parametrize("make, message", BAD, ids=[m[:40] for _, m in BAD])
def test_bad_input_is_one_clear_error(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(CircuitError, match=message):
        make()


def test_methods_append_what_they_say() -> None:
    circuit = Circuit(3).qft(range(3)).permutation([1, 0], 2).diagonal([1, 1j], (1,)).unitary(np.eye(2), 0)
    circuit.prepare_state([0, 1], 2).clifford([[0, 1, 0], [1, 0, 0]], 1).mcx([0, 1], 2).mcz([0, 1], 2).mcp(0.1, 0, 1)
    assert list(circuit.count_ops()) == [
        "qft", "permutation", "diagonal", "unitary", "prepare_state", "clifford", "ccx", "ccz", "cp"
    ]  # fmt: skip
