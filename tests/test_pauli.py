"""Pauli sums against dense matrices, Qiskit's SparsePauliOp, and traced arithmetic."""

from __future__ import annotations

import pickle
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import SparsePauliOp

from qsim._errors import MemoryLimitError, ObservableError
from qsim.ir.pauli import I, PauliSum, X, Y, Z, commutator

LETTERS = {
    "I": np.eye(2),
    "X": np.array([[0, 1], [1, 0]]),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.diag([1, -1]),
}
SIZE = 3
numbers = st.integers(-4, 4).map(lambda k: k / 2)
labels = st.text("IXYZ", min_size=SIZE, max_size=SIZE)


@st.composite
def sums(draw, kind=None, least=0):
    kind = kind or draw(st.sampled_from(["real", "complex"]))
    coefficient = numbers if kind == "real" else st.builds(complex, numbers, numbers)
    return PauliSum.from_list(draw(st.lists(st.tuples(labels, coefficient), min_size=least, max_size=6)))


def matrix(pauli: PauliSum) -> np.ndarray:
    """An independent dense matrix: Kronecker products, term by term."""
    total = np.zeros((2**SIZE, 2**SIZE), dtype=complex)
    for label, coefficient in zip(pauli.labels(SIZE), pauli.coefficients, strict=True):
        term = np.eye(1)
        for letter in label:
            term = np.kron(term, LETTERS[letter])
        total += coefficient * term
    return total


@settings(max_examples=60, deadline=None)
@given(sums(), sums(), numbers)
def test_arithmetic_is_that_of_matrices(a, b, c):
    for result, expected in [
        (a + b, matrix(a) + matrix(b)),
        (a - b, matrix(a) - matrix(b)),
        (a @ b, matrix(a) @ matrix(b)),
        (a * b, matrix(a) @ matrix(b)),
        (c * a, c * matrix(a)),
        (a * 2j, 2j * matrix(a)),
        (a / 2, matrix(a) / 2),
        (a + c, matrix(a) + c * np.eye(2**SIZE)),
        (c - a, c * np.eye(2**SIZE) - matrix(a)),
        (-a, -matrix(a)),
        (a.adjoint(), matrix(a).conj().T),
        (a.simplify(), matrix(a)),
        (commutator(a, b), matrix(a) @ matrix(b) - matrix(b) @ matrix(a)),
    ]:
        np.testing.assert_array_equal(matrix(result), expected)  # halves and i: exact


@settings(max_examples=40, deadline=None)
@given(sums())
def test_matrices_agree_with_kronecker_products_and_qiskit(a):
    np.testing.assert_allclose(a.to_matrix(SIZE), matrix(a), atol=1e-12)
    np.testing.assert_allclose(a.to_sparse(SIZE).toarray(), matrix(a), atol=1e-12)
    if len(a):
        pairs = [(label[::-1], c) for label, c in zip(a.labels(SIZE), a.coefficients, strict=True)]
        theirs = SparsePauliOp.from_list(pairs)
        reversed_qubits = a.relabel([SIZE - 1 - q for q in range(SIZE)])
        np.testing.assert_allclose(reversed_qubits.to_matrix(SIZE), theirs.to_matrix(), atol=1e-12)
        square = theirs.compose(theirs).simplify()
        np.testing.assert_allclose((reversed_qubits @ reversed_qubits).to_matrix(SIZE), square.to_matrix(), atol=1e-10)


@settings(max_examples=40, deadline=None)
@given(sums(kind="real", least=1))
def test_ground_state_is_the_lowest_eigenpair(a):
    energy, state = a.ground_state(SIZE)
    assert energy == pytest.approx(np.linalg.eigvalsh(matrix(a))[0], abs=1e-9)
    np.testing.assert_allclose(matrix(a) @ state, energy * state, atol=1e-9)
    assert np.linalg.norm(state) == pytest.approx(1)


def test_ground_state_by_lanczos():
    pauli = sum(Z(q) @ Z(q + 1) + 0.7 * X(q) for q in range(7))
    energy, state = pauli.ground_state(8)
    expected = np.linalg.eigvalsh(pauli.to_matrix(8))[0]
    assert energy == pytest.approx(expected, abs=1e-9)
    np.testing.assert_allclose(pauli.to_sparse(8) @ state, energy * state, atol=1e-8)


@settings(max_examples=40, deadline=None)
@given(sums(), st.booleans())
def test_groups_commute_and_lose_nothing(a, qubit_wise):
    groups = a.commuting_groups(qubit_wise)
    assert sorted(t for g in groups for t in zip(g.strings, g.coefficients, strict=True)) == sorted(
        zip(a.strings, a.coefficients, strict=True)
    ) or any(np.iscomplexobj(g.coefficients) for g in groups)
    assert sum(map(len, groups)) == len(a)
    for group in groups:
        for p in group.labels(SIZE):
            for q in group.labels(SIZE):
                clashes = sum(u != v and "I" not in (u, v) for u, v in zip(p, q, strict=True))
                assert clashes == 0 if qubit_wise else clashes % 2 == 0


@pytest.mark.slow
def test_groups_of_a_thousand_terms_are_fast():
    rng = np.random.default_rng(0)
    pauli = PauliSum.from_list([("".join(rng.choice(list("IXYZ"), 14)), 1.0) for _ in range(1000)])
    start = time.perf_counter()
    groups = pauli.commuting_groups()
    assert time.perf_counter() - start < 1
    assert sum(map(len, groups)) == 1000


def test_terms_labels_masks_and_text():
    pauli = X(0) @ Z(2) - 0.5 * Y(1) + 3
    assert pauli.strings == (((0, "X"), (2, "Z")), ((1, "Y"),), ())
    assert pauli.labels() == ("XIZ", "IYI", "III")
    assert pauli.labels(4)[0] == "XIZI"
    assert pauli.num_qubits == 3 and pauli.support == (0, 1, 2) and len(pauli) == 3
    x, z = pauli.masks()
    assert x.dtype == z.dtype == np.uint8
    np.testing.assert_array_equal(x, [[1, 0, 0], [0, 1, 0], [0, 0, 0]])
    np.testing.assert_array_equal(z, [[0, 0, 1], [0, 1, 0], [0, 0, 0]])
    assert repr(pauli) == "1.0*X(0)@Z(2) - 0.5*Y(1) + 3.0*I()"
    assert repr(X(0) @ Y(0)) == "1j*Z(0)"
    assert repr((1 + 2j) * X(0)) == "(1+2j)*X(0)"
    assert "(100 terms on 100 qubits)" in repr(sum(Z(q) for q in range(100)))
    assert repr(PauliSum([], [])) == "0*I()"
    assert [str(term) for term in pauli] == ["1.0*X(0)@Z(2)", "-0.5*Y(1)", "3.0*I()"]


def test_real_stays_real_and_complex_returns_to_it():
    assert (X(0) @ X(0)).coefficients.dtype == np.float64
    assert (X(0) @ Y(0)).coefficients.dtype == np.complex128
    assert (1j * commutator(X(0), Y(0))).coefficients.dtype == np.float64
    assert (1j * X(0) + Z(0)).is_hermitian is False
    assert (1j * X(0) - 1j * X(0)).is_hermitian
    assert (np.float64(2) * Z(0)).coefficients[0] == 2


def test_far_qubits_cost_nothing():
    pauli = X(0) @ Z(999_999) + Y(999_999)
    assert len(pauli @ pauli) == 2  # the anticommuting products cancel, but stay as one term of 0
    assert len((pauli @ pauli).simplify()) == 1
    assert len(pauli.commuting_groups()) == 2


def test_value_semantics():
    a, b = X(0) + 0.5 * Z(1), X(0) + 0.5 * Z(1)
    assert a == b and hash(a) == hash(b) and a != 2 * b and a != "X"
    assert pickle.loads(pickle.dumps(a)) == a
    with pytest.raises(AttributeError, match="immutable"):
        a.strings = ()
    with pytest.raises(ValueError, match="read-only"):
        a.coefficients[0] = 2
    values = np.ones(1)
    pauli = PauliSum([{0: "X"}], values)
    other = pauli.replace(values)
    values[0] = 5
    assert pauli.coefficients[0] == other.coefficients[0] == 1


def test_one_qubit_and_no_terms():
    empty = PauliSum([], [])
    assert empty.num_qubits == 0 and len(empty) == 0 and empty.is_hermitian
    np.testing.assert_array_equal(empty.to_matrix(1), np.zeros((2, 2)))
    assert empty.to_sparse(1).nnz == 0
    assert empty.commuting_groups() == () and (empty @ X(0)).strings == () and (empty + X(0)) == X(0)
    assert empty.simplify() == empty and I().num_qubits == 0
    np.testing.assert_array_equal((3 * I()).to_matrix(), [[3]])
    assert (3 * I()).ground_state()[0] == 3


def test_traced_coefficients_stay_traced():
    def energy(t):
        pauli = t * X(0) + Z(0) @ Z(1) - t / 2
        square = (pauli @ pauli).simplify()
        assert isinstance(square.coefficients, jax.core.Tracer)
        assert pauli.commuting_groups()[0].coefficients.shape == (2,)
        with pytest.raises(ObservableError, match=r"to_matrix: .* traced"):
            pauli.to_matrix()
        with pytest.raises(ObservableError, match="traced"):
            hash(pauli)
        assert "c[0]*X(0)" in repr(pauli)
        return {s: c.real for s, c in zip(square.strings, square.coefficients, strict=True)}

    values = jax.jit(energy)(0.3)
    host = 0.3 * X(0) + Z(0) @ Z(1) - 0.15
    expected = dict(zip((host @ host).strings, (host @ host).coefficients, strict=True))
    assert set(values) == set(expected)
    for string, value in values.items():
        assert float(value) == pytest.approx(expected[string], abs=1e-6)
    slope = jax.grad(lambda t: energy(t)[((0, "X"),)])(0.3)  # d/dt of 2 t (-t/2)
    assert float(slope) == pytest.approx(-0.6, abs=1e-6)


def test_concrete_jax_coefficients():
    values = jnp.array([1.0, 2.0])
    pauli = PauliSum([{0: "X"}, {1: "Z"}], values)
    assert pauli.coefficients is values and pauli == pauli and pauli != PauliSum(pauli.strings, [1.0, 2.0])
    assert (jnp.float32(2) * X(0)).coefficients.shape == (1,)
    np.testing.assert_allclose(pauli.to_matrix(), (X(0) + 2 * Z(1)).to_matrix())
    assert isinstance(PauliSum.from_list([("X", jnp.float32(1)), ("Z", 2.0)]).coefficients, jax.Array)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: X(-1), "from 0 to"),
        (lambda: X(True), "from 0 to"),
        (lambda: X(0.5), "from 0 to"),
        (lambda: X(10**9), "from 0 to"),
        (lambda: PauliSum.from_label("XQ"), "I, X, Y and Z"),
        (lambda: PauliSum([((0, "W"),)], [1.0]), "'W' on qubit 0"),
        (lambda: PauliSum([((0, "X"), (0, "Z"))], [1.0]), "each qubit once"),
        (lambda: PauliSum(["XZ"], [1.0]), "PauliSum.from_list"),
        (lambda: PauliSum([{0: "X"}], [1.0, 2.0]), r"shape \(1,\)"),
        (lambda: PauliSum([{0: "X"}], [float("nan")]), "finite"),
        (lambda: PauliSum([{0: "X"}], ["a"]), "numbers or a JAX array"),
        (lambda: float("inf") * X(0), "finite"),
        (lambda: X(0) / 0, "divided by 0"),
        (lambda: X(3).to_matrix(2), "at least 4"),
        (lambda: (1j * X(0)).ground_state(), "Hermitian"),
        (lambda: X(1).relabel([2]), "no place for qubit"),
        (lambda: (X(0) @ Z(1)).relabel([2, 2]), "each qubit once"),
    ],
)
def test_bad_input_is_named(make, words):
    with pytest.raises(ObservableError, match=words):
        make()


def test_too_large_is_refused_before_it_is_tried():
    with pytest.raises(MemoryLimitError, match="40 qubits"):
        X(39).to_matrix()
    with pytest.raises(MemoryLimitError, match="40 qubits"):
        X(39).to_sparse()
    wide = sum(Z(q) for q in range(5000))
    with pytest.raises(MemoryLimitError, match="5,000 and 5,000 terms"):
        _ = wide @ wide
    with pytest.raises(TypeError):
        _ = X(0) + "a"
