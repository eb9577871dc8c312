"""Optimisers that look at the loss alone: SPSA, QN-SPSA, rotosolve."""

from __future__ import annotations

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from qsim import Circuit, Parameter, ParameterVector, X, Z, execute
from qsim._errors import CircuitError, MethodError, ParameterError, QsimError
from qsim.gradients import GradientFree, metric_tensor, qn_spsa, rotosolve, spsa, spsa_learning_rate
from qsim.gradients.ansatz import Ansatz
from qsim.gradients.coordinate import _curves, _grid_points, _lowest
from qsim.gradients.fidelity import exact_fidelities, measured_fidelities
from qsim.gradients.frequencies import parameter_frequencies
from qsim.gradients.metric_spsa import estimated_metric
from qsim.gradients.perturbation import gain_sequences
from qsim.library import hardware_efficient
from qsim.results import Expectation
from qsim.rules.spsa import random_signs

KEY = jax.random.key(0)
T = ParameterVector("t", 2)
PAIR = Circuit(2).ry(T[0], 0).cx(0, 1).ry(T[1], 1)
START = {"t": jnp.array([0.3, 2.0])}
"""The energy is cos(t1) (1 + sin(t0)): from here it is downhill to -2 all the way."""


def energy(params):
    return execute(PAIR, Expectation(Z(0) @ Z(1) + X(0) @ X(1)), params)


def train(optimizer, loss, params, steps):
    """The params after some steps, and the losses, in one scan."""

    def step(carry, key):
        params, state = carry
        value, zeros = loss(params), jax.tree.map(jnp.zeros_like, params)
        updates, state = optimizer.update(zeros, state, params, value=value, grad=zeros, value_fn=loss, key=key)
        return (optax.apply_updates(params, updates), state), value

    run = jax.jit(lambda p, keys: jax.lax.scan(step, (p, optimizer.init(p)), keys))
    (params, state), values = run(params, jax.random.split(KEY, steps))
    return params, state, np.append(values, loss(params))


def test_all_are_marked_as_free_of_gradients_and_chain():
    for optimizer in (spsa(), qn_spsa(PAIR), rotosolve(PAIR)):
        assert isinstance(optimizer, GradientFree) and isinstance(optimizer, optax.GradientTransformationExtraArgs)
        assert optax.with_extra_args_support(optimizer) is optimizer
    chained = optax.chain(spsa(0.5), optax.clip(0.01))
    params, _, values = train(chained, lambda p: jnp.sum(p**2), jnp.ones(3), 3)
    assert not isinstance(chained, GradientFree) and np.abs(params - 1).max() <= 0.03 + 1e-6 and values[-1] < values[0]


# ---------------------------------------------------------------- SPSA


def test_gain_sequences_are_those_of_spall():
    rate, width = gain_sequences(0.7, 0.3, 0.602, 0.101, 20.0)
    for k in (0, 5, 1000):
        np.testing.assert_allclose(rate(jnp.int32(k)), 0.7 / (k + 1 + 20) ** 0.602, rtol=1e-5)
        np.testing.assert_allclose(width(jnp.int32(k)), 0.3 / (k + 1) ** 0.101, rtol=1e-5)
    rate, width = gain_sequences(optax.linear_schedule(1.0, 0.0, 10), optax.constant_schedule(0.5), 1.0, 1.0, 5.0)
    np.testing.assert_allclose([rate(jnp.int32(5)), width(jnp.int32(5))], [0.5, 0.5])


def test_one_step_of_spsa_is_the_formula():
    loss = lambda p: jnp.sum(jnp.sin(p["a"])) * p["b"]  # noqa: E731
    params = {"a": jnp.array([0.3, 1.0, -0.4]), "b": jnp.float32(2.0)}
    optimizer = spsa(0.4, 0.2, samples=3, stability=4.0)
    updates, state = optimizer.update(params, optimizer.init(params), params, value_fn=loss, key=KEY)
    signs = np.asarray(random_signs(KEY, 3, 4, jnp.float32))
    assert set(np.unique(signs)) == {-1.0, 1.0} and int(state.count) == 1
    f = lambda x: np.sum(np.sin(x[:3])) * x[3]  # noqa: E731
    x = np.array([0.3, 1.0, -0.4, 2.0])
    gradient = np.mean([(f(x + 0.2 * d) - f(x - 0.2 * d)) / 0.4 * d for d in signs], axis=0)
    expected = -0.4 / 5**0.602 * gradient
    np.testing.assert_allclose(np.append(updates["a"], updates["b"]), expected, rtol=1e-3, atol=1e-5)
    assert updates["a"].dtype == params["a"].dtype


@pytest.mark.slow
def test_spsa_goes_downhill_with_shots():
    """Each step has its key: the directions, and the shots of a loss that closes over another."""
    noisy = lambda p: execute(PAIR, Expectation(Z(0) @ Z(1) + X(0) @ X(1)), p, shots=200, key=KEY)  # noqa: E731
    params, _, _ = train(spsa(0.8, 0.2), noisy, START, 60)
    assert energy(params) < -1.8


def test_the_learning_rate_is_calibrated():
    loss = lambda p: jnp.sum(p * jnp.array([3.0, 1.0]))  # noqa: E731
    rate = spsa_learning_rate(loss, jnp.zeros(2), KEY, first_step=0.1, samples=200)
    optimizer, zeros = spsa(float(rate), 0.1), jnp.zeros(2)
    move = lambda key: optimizer.update(zeros, optimizer.init(zeros), zeros, value_fn=loss, key=key)[0]  # noqa: E731
    moves = jax.jit(jax.vmap(move))(jax.random.split(KEY, 40))
    assert 0.08 < np.abs(moves).mean() < 0.12
    assert np.isfinite(spsa_learning_rate(lambda p: 0.0 * p, 1.0, KEY))


# ---------------------------------------------------------------- QN-SPSA


@pytest.mark.slow
def test_the_mean_of_many_estimates_is_the_metric():
    circuit = hardware_efficient(2, 2)
    params = {"theta": jnp.asarray(np.random.default_rng(1).normal(size=(2, 2, 2)), jnp.float32)}
    ansatz = Ansatz(circuit)
    flat, unravel = ansatz.flat(params)
    pairs = random_signs(KEY, 2 * 2000, 8, jnp.float32).reshape(2, 2000, 8)
    found = jax.jit(lambda: estimated_metric(exact_fidelities(ansatz, unravel), flat, pairs, 0.05, KEY))()
    np.testing.assert_allclose(found, metric_tensor(circuit, params), atol=0.06)
    assert np.abs(found).max() > 0.2


def test_measured_fidelities_are_the_exact_ones_with_noise():
    ansatz = Ansatz(lambda p: Circuit(2).ry(p[0], 0).cx(0, 1).rx(p[1], 1))
    others = jnp.array([[0.3, 0.8], [0.9, -0.2], [0.3, 0.5]])
    exact = jax.jit(exact_fidelities(ansatz, lambda x: x))(others[0], others, KEY)
    measured = jax.jit(measured_fidelities(ansatz, lambda x: x, 4000, None))(others[0], others, KEY)
    np.testing.assert_allclose(exact[0], 1, atol=1e-6)
    assert measured[0] == 1 and 0 < measured[1] < 1
    np.testing.assert_allclose(measured, exact, atol=5 * 0.5 / np.sqrt(4000))


def test_qn_spsa_smooths_blocks_and_goes_downhill():
    _, state, values = train(qn_spsa(PAIR, 0.5, blocking=0.0), energy, START, 60)
    assert values[-1] < -1.9 and (np.diff(values) <= 1e-6).all()
    assert int(state.count) == 60 and state.metric.shape == (2, 2)
    np.testing.assert_allclose(state.metric, state.metric.T)
    optimizer = qn_spsa(PAIR, 0.5, shots=100)
    once = jax.jit(lambda p: optimizer.update(p, optimizer.init(p), p, value_fn=energy, key=KEY))
    updates, after = once(START)
    assert np.isfinite(updates["t"]).all() and not np.allclose(after.metric, np.eye(2))


# ---------------------------------------------------------------- rotosolve

LINES = ParameterVector("l", 3)
S = Parameter("s")
FREQUENCIES = {
    "one gate": (Circuit(1).rx(S, 0), [(1.0,)]),
    "phase": (Circuit(1).p(S, 0), [(1.0,)]),
    "controlled": (Circuit(2).crx(S, 0, 1), [(0.5, 1.0)]),
    "factor": (Circuit(1).rx(0.3 - S / 2, 0), [(0.5,)]),
    "twice": (Circuit(2).rx(S, 0).rx(S, 1), [(1.0, 2.0)]),
    "different": (Circuit(2).rx(S, 0).rx(3 * S, 1), [(1.0, 2.0, 3.0, 4.0)]),
    "unused": (Circuit(2).rx(LINES[0] + LINES[2], 0).ry(LINES[2], 1), [(1.0,), (), (1.0, 2.0)]),
    "cancelled": (Circuit(1).rx(S - S, 0), [()]),
    "evolution": (Circuit(2).pauli_evolution(0.7 * Z(0) @ X(1), S), [(1.4,)]),
    "sum": (Circuit(2).pauli_evolution(Z(0) + X(1), S), [(2.0, 4.0)]),
    "constants": (Circuit(1).rx(S * jnp.float32(1.0).item() + np.sin(2.0), 0), [(1.0,)]),
}


@pytest.mark.parametrize("name", FREQUENCIES)
def test_frequencies_of_parameters(name):
    circuit, expected = FREQUENCIES[name]
    assert [tuple(round(w, 6) for w in found) for found in parameter_frequencies(circuit)] == expected


LOWEST = jax.jit(_lowest, static_argnames="points")


@hypothesis.settings(max_examples=30)
@hypothesis.given(
    st.sampled_from([(1.0,), (0.5, 1.0), (1.0, 2.0, 3.0), (1.0, 3.0), (0.3, 1.0, 1.7), (1.4,)]),
    st.integers(0, 10_000),
)
def test_the_lowest_point_of_a_curve_is_found(omega, seed):
    rng = np.random.default_rng(seed)
    a, b, offset = rng.normal(size=len(omega)), rng.normal(size=len(omega)), 10 * rng.normal()

    def f(t):
        parts = zip(a, b, omega, strict=True)
        return offset + sum(x * np.cos(w * t) + y * np.sin(w * t) for x, y, w in parts)

    curves = _curves([omega])
    parts = jnp.asarray(curves.inverse[0] @ (f(curves.shifts[0]) - offset), jnp.float32)
    window = curves.windows[0]
    found = LOWEST(parts, jnp.asarray(omega, jnp.float32), jnp.float32(window), points=_grid_points(curves), noise=0.0)
    grid = np.linspace(-window / 2, window / 2, 20_001)
    assert abs(float(found)) <= window * 0.6 and f(float(found)) <= f(grid).min() + 1e-3


def test_one_sweep_finds_each_minimum_in_turn():
    """Against SciPy-free brute force: a fine grid for one parameter after the other."""
    circuit = Circuit(2).ry(LINES[0], 0).crx(LINES[1], 0, 1).rx(LINES[2], 1).ry(2 * LINES[2], 0)
    loss = jax.jit(lambda p: execute(circuit, Expectation(Z(0) @ Z(1) + 0.7 * X(0) + 0.3 * X(1)), p))
    start = {"l": jnp.array([0.4, -0.3, 0.9])}
    _, _, values = train(rotosolve(circuit), loss, start, 1)
    expected = np.asarray(start["l"], np.float64)
    for place, window in enumerate((2 * np.pi, 4 * np.pi, 2 * np.pi)):
        points = np.tile(expected, (4001, 1))
        points[:, place] += np.linspace(-window / 2, window / 2, 4001)
        found = np.asarray(loss({"l": jnp.asarray(points, jnp.float32)}))
        expected = points[np.argmin(found)]
    np.testing.assert_allclose(values[-1], found.min(), atol=1e-4)
    assert values[-1] < values[0] - 0.1


def test_rotosolve_without_a_circuit_and_where_nothing_turns():
    _, _, values = train(rotosolve(), energy, {"t": jnp.array([0.3, 0.2])}, 4)
    np.testing.assert_allclose(values[-1], -2, atol=1e-4)
    assert (np.diff(values) <= 1e-5).all()
    twice = lambda p: jnp.cos(2 * p) + jnp.sin(p)  # noqa: E731
    _, _, values = train(rotosolve(frequencies=(1, 2)), twice, jnp.float32(0.2), 1)
    np.testing.assert_allclose(values[-1], -2, atol=1e-5)
    constant = rotosolve()
    updates, _ = constant.update(0.3, constant.init(0.3), 0.3, value_fn=lambda p: 1.0 + 0 * p)
    assert updates == 0
    nothing = rotosolve(Circuit(1).h(0))
    assert nothing.update({}, nothing.init({}), {}, value_fn=energy)[0] == {}


@pytest.mark.parametrize(
    "make", [spsa, lambda: qn_spsa(Circuit(1).h(0)), rotosolve], ids=["spsa", "qn_spsa", "rotosolve"]
)
def test_nothing_to_train(make):
    optimizer = make()
    assert optimizer.update({}, optimizer.init({}), {}, value_fn=lambda p: 0.0, key=KEY)[0] == {}


P = {"t": jnp.zeros(2)}
BAD = {
    "complex": (ParameterError, "`x` is of complex", lambda: spsa().init({"x": jnp.array(1j)})),
    "int": (ParameterError, "of int", lambda: rotosolve().init(jnp.array([1, 2]))),
    "names": (ParameterError, "'u'", lambda: rotosolve(PAIR).init({"u": 0.1})),
    "shape": (ParameterError, r"\(2,\)", lambda: qn_spsa(PAIR).init({"t": jnp.zeros(3)})),
    "no key": (MethodError, "key", lambda: spsa().update(P, spsa().init(P), P, value_fn=energy)),
    "no key, qn": (MethodError, "key", lambda: qn_spsa(PAIR).update(P, qn_spsa(PAIR).init(P), P, value_fn=energy)),
    "key": (MethodError, "JAX key", lambda: spsa().update(P, spsa().init(P), P, value_fn=energy, key=0)),
    "nan": (ParameterError, "finite", lambda: spsa().init({"x": np.array([0.1, np.nan])})),
    "blocking": (MethodError, "blocking", lambda: qn_spsa(PAIR, blocking="x")),
    "blocking list": (MethodError, "blocking", lambda: qn_spsa(PAIR, blocking=[1.0])),
    "no damping": (MethodError, "damping", lambda: qn_spsa(PAIR, damping=None)),
    "no value_fn": (MethodError, "value_fn", lambda: spsa().update(P, spsa().init(P), P)),
    "no value_fn, rotosolve": (MethodError, "value_fn", lambda: rotosolve().update(P, rotosolve().init(P), P)),
    "no params": (ParameterError, "params", lambda: rotosolve().update(P, None)),
    "array loss": (
        MethodError,
        "scalar",
        lambda: spsa().update(P, spsa().init(P), P, value_fn=lambda p: p["t"], key=KEY),
    ),
    "complex loss": (
        MethodError,
        "scalar",
        lambda: rotosolve().update(P, rotosolve().init(P), P, value_fn=lambda p: p["t"].sum() * 1j),
    ),
    "samples": (MethodError, "samples", lambda: spsa(samples=0)),
    "rate": (MethodError, "learning_rate", lambda: spsa(-1.0)),
    "step": (MethodError, "step", lambda: qn_spsa(PAIR, step=0.0)),
    "alpha": (MethodError, "alpha", lambda: spsa(alpha=float("nan"))),
    "damping": (MethodError, "damping", lambda: qn_spsa(PAIR, damping=0.0)),
    "on without shots": (MethodError, "shots", lambda: qn_spsa(PAIR, on="numpy")),
    "amplitudes measured": (
        MethodError,
        "Let it return a Circuit",
        lambda: qn_spsa(lambda p: jnp.ones(2), shots=10).update(P, qn_spsa(PAIR).init(P), P, value_fn=energy, key=KEY),
    ),
    "not a circuit": (CircuitError, "frequencies", lambda: rotosolve(energy)),
    "both": (MethodError, "one of the two", lambda: rotosolve(PAIR, frequencies=(1,))),
    "negative": (MethodError, "frequencies", lambda: rotosolve(frequencies=(-1.0,))),
    "no numbers": (MethodError, "frequencies", lambda: rotosolve(frequencies="x")),
    "bent": (ParameterError, "sin", lambda: rotosolve(Circuit(1).rx(S.sin(), 0))),
    "product": (ParameterError, r"a \* parameter \+ b", lambda: rotosolve(Circuit(1).rx(T[0] * T[1], 0))),
    "quotient": (ParameterError, r"a \* parameter \+ b", lambda: rotosolve(Circuit(1).rx(1 / S, 0))),
    "power": (ParameterError, r"a \* parameter \+ b", lambda: rotosolve(Circuit(1).rx(S**2, 0))),
    "too many": (MethodError, "too many gates", lambda: rotosolve(Circuit(1).rx(S, 0).ry(S, 0).repeat(100))),
    "too close": (MethodError, "too close", lambda: rotosolve(frequencies=(1.0, 1.0000001))),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_clear_error(name):
    error, words, call = BAD[name]
    with pytest.raises(error, match=words) as caught:
        call()
    assert isinstance(caught.value, QsimError)
