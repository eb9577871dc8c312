"""Every result: jit is no jit, vmap is a loop, gradients are finite differences, JSON goes both ways."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from results_table import EXACT, SAMPLED, H, N, exact, minus, random_state, sampled

from qsim import execute
from qsim._errors import ObservableError, ResultError, SerialError
from qsim.ir.circuit import Circuit
from qsim.ir.pauli import X, Y, Z
from qsim.methods.operator import OperatorState
from qsim.methods.pure import PureState
from qsim.results import (
    Amplitudes,
    Context,
    Counts,
    DiagonalObservable,
    Entropy,
    Expectation,
    Fidelity,
    Hermitian,
    Map,
    MutualInformation,
    Norm,
    Operator,
    Overlap,
    Probabilities,
    Projector,
    Purity,
    ReducedState,
    Samples,
    State,
    Variance,
    from_json,
    program,
    to_json,
)
from qsim.results.base import Arithmetic

ALL = [pytest.param(r, False, id=name) for name, r in EXACT.items()]
LONG = ("Variance", "Arithmetic")  # and of kinds that others have
ALL += [
    pytest.param(r, True, id=f"{name}, shots", marks=[pytest.mark.slow] if name in LONG else [])
    for name, r in SAMPLED.items()
]


def value(result, psi, with_shots=False, seed=0):
    context = sampled(seed) if with_shots else exact()
    return program.evaluate_all(result, PureState(psi), context)


def assert_close(a, b, tolerance=2e-6):
    assert jax.tree.structure(a) == jax.tree.structure(b)
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(np.asarray(x), np.asarray(y), atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("result, with_shots", ALL)
def test_jit_is_no_jit(result, with_shots):
    psi = jnp.asarray(random_state(N), jnp.complex64)
    program.check_all(result, sampled() if with_shots else exact())
    plain = value(result, psi, with_shots)
    assert_close(jax.jit(lambda r, p: value(r, p, with_shots))(result, psi), plain)
    for leaf in jax.tree.leaves(plain):
        assert leaf.dtype in (jnp.complex64, jnp.float32, jnp.int32, jnp.uint8)


@pytest.mark.parametrize("result, with_shots", ALL)
def test_vmap_is_a_loop(result, with_shots):
    batch = jnp.asarray([random_state(N, seed) for seed in range(3)], jnp.complex64)
    looped = [value(result, psi, with_shots) for psi in batch]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *looped)
    assert_close(jax.vmap(lambda psi: value(result, psi, with_shots))(batch), stacked, 5e-6)


def reals(tree):
    parts = [jnp.ravel(leaf) for leaf in jax.tree.leaves(tree)]
    return jnp.concatenate([jnp.concatenate([p.real, p.imag]) for p in parts])


@pytest.mark.parametrize("result", [pytest.param(r, id=name) for name, r in EXACT.items() if r.differentiable])
def test_gradients_are_finite_differences(result, x64):
    start, step = random_state(N, 11), 0.1 * random_state(N, 12)

    def along(t):
        """A curve of normalised states, so that every formula means the same."""
        psi = start + jnp.sin(t) * step
        return reals(value(result, psi / jnp.sqrt(jnp.sum(jnp.abs(psi) ** 2))))

    @jax.jit
    def derivatives(t):
        reverse = jax.jacrev(along)
        return jax.jacfwd(along)(t), reverse(t), jax.jacfwd(reverse)(t), jax.jacrev(reverse)(t)

    h = 1e-5
    before, here, after = jax.jit(jax.vmap(along))(jnp.asarray([0.3 - h, 0.3, 0.3 + h]))
    forward, reverse, forward_over_reverse, reverse_over_reverse = derivatives(0.3)
    first, second = (after - before) / (2 * h), (after - 2 * here + before) / h**2
    np.testing.assert_allclose(forward, first, atol=1e-8)
    np.testing.assert_allclose(reverse, first, atol=1e-8)
    np.testing.assert_allclose(forward_over_reverse, second, atol=2e-4)
    np.testing.assert_allclose(reverse_over_reverse, second, atol=2e-4)


@pytest.mark.parametrize("result, with_shots", [p for p in ALL if "Map" not in p.id])
def test_json_goes_both_ways(result, with_shots):
    text = to_json({"a": result, "b": [result, (Norm(),)]})
    again = from_json(text)
    assert to_json(again) == text
    assert jax.tree.structure(again) == jax.tree.structure({"a": result, "b": [result, (Norm(),)]})
    assert again["a"] == result
    psi = jnp.asarray(random_state(N), jnp.complex64)
    assert_close(value(again["a"], psi, with_shots), value(result, psi, with_shots))


def test_json_of_results_that_hold_circuits_and_device_arrays():
    result = [Overlap(Circuit(1).h(0)), Expectation(Z(0) * jnp.float32(0.5)), Fidelity(jnp.eye(2)[0])]
    again = from_json(to_json(result))
    assert again[0] == result[0] and again[0].other == Circuit(1).h(0)
    assert again[1] == Expectation(0.5 * Z(0))
    assert again[2].other.tolist() == [1, 0]
    with pytest.raises(SerialError, match="Traced arrays"):
        jax.jit(lambda t: to_json(Expectation(t * Z(0))))(0.5)


def test_json_refuses_functions_and_strangers():
    with pytest.raises(SerialError, match="Map holds a function"):
        to_json({"m": Map(minus, (Norm(), Norm()))})
    good = to_json(Entropy([0]))
    for bad, words in [
        (good.replace("Entropy", "Circuit"), "a result of this qsim"),
        (good.replace('"version": 1', '"version": 9'), "a newer qsim"),
        (good.replace('"alpha": 1.0', '"alpha": -1.0'), r"\$\.results.*alpha"),
        (good.replace('"base"', '"bass"'), "needs a member 'base'"),
        ("[" * 100_000, "nested too deep"),
    ]:
        with pytest.raises(SerialError, match=words):
            from_json(bad)


@pytest.mark.parametrize("n", [0, 1])
def test_tiny_circuits(n):
    psi = jnp.zeros(1 << n, jnp.complex64).at[-1].set(1)
    everything = [
        *(State(), Norm(), Probabilities(), ReducedState(), Purity(), Entropy(), Variance(0.5 * _identity())),
        *(Expectation(0.5 * _identity()), Overlap(np.eye(1 << n)[-1]), MutualInformation([], [])),
        Amplitudes(["1" * n]),
        *(Expectation(DiagonalObservable([3.0], [])), Expectation(Projector("", []))),
    ]
    context = exact(n)
    program.check_all(everything, context)
    values = program.evaluate_all(everything, PureState(psi), context)
    wanted = [psi, 1, jnp.abs(psi) ** 2, jnp.diag(psi), 1, 0, 0, 0.5, 1, 0, [1], 3, 1]
    for got, want in zip(values, wanted, strict=True):
        np.testing.assert_allclose(got, want, atol=1e-6)
    drawn = [Samples(), Counts(), Expectation(0.5 * _identity()), Probabilities()]
    values = program.evaluate_all(drawn, PureState(psi), sampled(n=n, shots=5))
    assert values[0].tolist() == [[1] * n] * 5
    assert dict(values[1]) == {"1" * n: 5}
    assert values[2] == 0.5


def _identity():
    return Z(0) @ Z(0)


def test_sums_are_hashable_structure():
    a, b = Expectation(H) + 2 * Norm(), Expectation(H) + 2 * Norm()
    assert a == b and hash(a) == hash(b)
    assert a != Expectation(H) + 3 * Norm()
    assert jax.tree.structure(a) == jax.tree.structure(Expectation(2 * H) + 3 * Norm())
    assert Entropy([0]) != Entropy([1])
    assert isinstance(-Norm(), Arithmetic)


def test_a_pytree_of_results_has_independent_keys():
    psi = jnp.full(16, 0.25, jnp.complex64)
    values = value({"a": Samples(), "b": Samples(), "c": Map(minus, (Samples(), Samples()))}, psi, with_shots=True)
    assert (values["a"] != values["b"]).any()
    assert (values["c"] != 0).any()


def test_circuits_to_compare_with_are_found_and_replaced():
    flip = Circuit(1).x(0)
    results = {"a": Overlap(flip), "b": Map(minus, (Fidelity(flip), Norm())), "c": 2 * Fidelity(flip)}
    assert program.circuits(results) == [flip, flip, flip]
    one = jnp.asarray([0, 1], jnp.complex64)
    replaced = program.with_states(results, [one] * 3)
    assert program.circuits(replaced) == []
    values = program.evaluate_all(replaced, PureState(one), exact(1))
    assert [complex(values[k]) for k in "abc"] == [1, 0, 2]


def test_operator_is_all_that_a_unitary_gives():
    matrix = jnp.eye(4)
    assert program.evaluate_all(Operator(), OperatorState(matrix), exact(2)) is matrix
    with pytest.raises(ResultError, match="Ask for Operator"):
        program.evaluate_all(Norm(), OperatorState(matrix), exact(2))
    with pytest.raises(ResultError, match="Unitary"):
        program.evaluate_all(Operator(), PureState(jnp.eye(4)[0]), exact(2))


def test_needs():
    assert program.needs([Norm(), Samples()]) == {"exact", "sampling"}
    assert not program.differentiable(Map(minus, (Samples(), Norm())))
    assert program.needs_key(Expectation(H), 10) and not program.needs_key(Expectation(H), None)
    assert program.needs_key(Samples(shots=3), None) and not program.needs_key(Norm(), 10)


BAD = [
    (lambda: Probabilities([0, 0]), ResultError, "different ints"),
    (lambda: Probabilities("01"), ResultError, "must be ints"),
    (lambda: Samples(shots=0), ResultError, "1 or more"),
    (lambda: Entropy([0], alpha=-1), ResultError, "0 or more"),
    (lambda: Entropy([0], base=1), ResultError, "not 1"),
    (lambda: MutualInformation([0], [0, 1]), ResultError, "disjoint"),
    (lambda: Expectation(1j * Z(0)), ObservableError, "must be Hermitian"),
    (lambda: Expectation("ZZ"), ResultError, "PauliSum"),
    (lambda: Hermitian([[0, 1], [0, 0]], 0), ObservableError, "conjugate transpose"),
    (lambda: Hermitian(np.eye(4), 0), ObservableError, r"shape \(2, 2\)"),
    (lambda: DiagonalObservable([1, np.nan], 0), ObservableError, "NaN"),
    (lambda: Projector("012", [0, 1, 2]), ObservableError, "0 and 1"),
    (lambda: Projector([1.0, 1.0], 0), ObservableError, "norm 1"),
    (lambda: Norm() + "a", ResultError, "numbers and arrays"),
    (lambda: Map(3, Norm()), ResultError, "must be a function"),
    (lambda: Map(minus, 3), ResultError, "must hold results"),
    (lambda: Overlap("a"), ResultError, "amplitudes or a Circuit"),
    (lambda: Amplitudes(["02"]), ResultError, "0 and 1"),
]


@pytest.mark.parametrize("make, error, words", BAD)
def test_records_refuse_what_cannot_be(make, error, words):
    with pytest.raises(error, match=words):
        make()


REFUSED = [
    (Probabilities([4]), exact(), "qubit 4 is out of range"),
    (Expectation(Z(4)), exact(), "acts on qubit 4"),
    (Expectation(Projector("1", 7)), exact(), "acts on qubit 7"),
    (Norm(), sampled(), "cannot be estimated from shots"),
    (Map(minus, (State(), State())), sampled(), "State is exact"),
    (Entropy([0]) + 1, sampled(), "Entropy is exact"),
    (Samples(), exact(), "needs a number of shots"),
    (Samples(shots=5), exact(), "key=jax.random.key"),
    (Expectation(Z(0)), Context(num_qubits=N, shots=5), "key=jax.random.key"),
    (Expectation(H), sampled(shots=2), "measurement settings"),
    (Expectation(Hermitian(np.eye(128), range(7))), sampled(n=8), "at most 6 qubits"),
    (Overlap(np.ones(3)), exact(), r"shape \(16,\)"),
    (Fidelity(Circuit(2)), exact(), "has 2 qubits, this one 4"),
    (Amplitudes(["01"]), exact(), "'01' is not a basis state"),
    ({"a": 3}, exact(), "holds int"),
    ((), exact(), "at least one"),
]


@pytest.mark.parametrize("results, context, words", REFUSED)
def test_runs_refuse_what_they_cannot_give(results, context, words):
    with pytest.raises(ResultError, match=words):
        program.check_all(results, context)


def test_exact_and_sampled_results_mix():
    psi = jnp.asarray(random_state(N), jnp.complex64)
    results = {"s": Samples(shots=7), "n": Norm()}
    context = Context(num_qubits=N, key=jax.random.key(0))
    program.check_all(results, context)
    values = program.evaluate_all(results, PureState(psi), context)
    assert values["s"].shape == (7, N) and abs(values["n"] - 1) < 1e-6


@pytest.mark.parametrize("name", ["Expectation", "Variance"])
def test_gradients_reach_coefficients(name, x64):
    psi = jnp.asarray(random_state(3))
    make = {"Expectation": Expectation, "Variance": Variance}[name]
    base = X(0) @ Y(1) + Z(2) + Y(0) @ Y(1) @ Y(2)

    @jax.jit
    def of(c):
        return make(base.replace(c)).evaluate(PureState(psi), exact(3))

    c = jnp.asarray([0.3, -0.5, 0.8])
    h = 1e-6
    wanted = [(of(c.at[i].add(h)) - of(c.at[i].add(-h))) / (2 * h) for i in range(3)]
    np.testing.assert_allclose(jax.grad(of)(c), wanted, atol=1e-8)
    np.testing.assert_allclose(jax.jacfwd(of)(c), wanted, atol=1e-8)


def test_results_keep_what_they_were_given():
    one, two, other, factor = np.diag([1.0, -1.0]), np.array([1.0, 0.0]), np.array([1.0, 0.0]), np.array(2.0)
    circuit = Circuit(1)
    asked = [
        Expectation(Hermitian(one, 0)),
        Expectation(DiagonalObservable(two, 0)),
        Expectation(Projector(other, 0)),
        Overlap(other),
        Overlap(circuit),
        factor * Norm(),
    ]
    for array in (one, two, other, factor):
        array[...] = 5
    circuit.x(0)
    assert [complex(v) for v in execute(Circuit(1), asked)] == pytest.approx([1, 1, 1, 1, 1, 2])


def test_numpy_arrays_multiply_results_from_the_left():
    weights = np.array([1.0, 3.0])
    assert execute(Circuit(1).x(0), weights * Probabilities()).tolist() == [0.0, 3.0]
    assert float(execute(Circuit(1), np.float64(2) - Norm())) == 1.0
