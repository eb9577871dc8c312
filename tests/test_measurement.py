"""Estimates from shots: the plan, the allocation, unbiased values and honest standard errors."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from results_table import SMALL, N, exact, random_hermitian, random_state, random_sum, sampled

from qsim._errors import ResultError
from qsim.ir.pauli import X, Y, Z
from qsim.methods.pure import PureState
from qsim.results import DiagonalObservable, Expectation, Hermitian, Probabilities, Projector, Variance
from qsim.results.measurement import allocate, estimate, plan, structure

LETTERS = {1: "X", 2: "Y", 0: "Z"}
H = random_sum(N, 15)
PSI = jnp.asarray(random_state(N, 8), jnp.complex64)


def test_every_term_is_measured_once_in_its_basis():
    settings = plan(H, 500)
    strings = H.strings
    placed = [t for group, filled in zip(settings.terms, settings.filled, strict=True) for t in group[filled == 1]]
    assert sorted([*placed, *settings.constant]) == list(range(len(strings)))
    for basis, group, filled in zip(settings.bases, settings.terms, settings.filled, strict=True):
        for t in group[filled == 1]:
            assert all(LETTERS[int(basis[q])] == letter for q, letter in strings[t])
    for row, string in zip(settings.supports, strings, strict=True):
        assert [q for q, bit in zip(settings.qubits, row, strict=True) if bit] == [q for q, _ in string]


@pytest.mark.parametrize("weights", [[1.0], [0.0, 0.0, 0.0], [1.0, 1e-9, 5.0], [0.1] * 7, [3, 2, 1, 1e6]])
@pytest.mark.parametrize("shots", [7, 100, 99_999, 1_000_000_007])
def test_shots_are_shared_out_exactly(weights, shots):
    for xp in (np, jnp):
        shares = np.asarray(allocate(xp.asarray(weights), shots)).astype(int)
        assert shares.sum() == shots and (shares >= 1).all()
    fair = (shots - len(weights)) * np.asarray(weights) / max(sum(weights), 1e-300)
    assert sum(weights) == 0 or (np.abs(allocate(np.asarray(weights), shots) - 1 - fair) <= 1).all()


def test_too_few_shots():
    with pytest.raises(ResultError, match="3 measurement settings, but `shots` is 2"):
        plan(X(0) + Y(0) + Z(0), 2)


OBSERVABLES = {
    "sum": H,
    "one group": Z(0) @ Z(1) + 0.3 * Z(2) + 1.0 * (Z(0) @ Z(0)),
    "part of the qubits": X(1) @ Y(3) - Z(1),
    "constant": 2.0 * (Z(0) @ Z(0)),
    "hermitian": Hermitian(random_hermitian(2), [3, 1]),
    "diagonal": DiagonalObservable(np.arange(8.0) ** 2, [2, 3, 0]),
    "projector": Projector("10", [0, 2]),
    "projector state": Projector(random_state(2, 7), [3, 0]),
}
CASES = [(Expectation, name) for name in OBSERVABLES] + [(Variance, name) for name in OBSERVABLES if name != "sum"]
CASES += [(Variance, "small")]


@pytest.mark.parametrize("kind, name", CASES)
def test_estimates_are_unbiased_and_their_errors_honest(kind, name):
    observable = {**OBSERVABLES, "small": SMALL}[name]
    result = kind(observable, stderr=True)
    repeats = 400
    keys = jax.random.split(jax.random.key(3), repeats)
    shots = sampled(shots=300)

    @jax.jit
    @jax.vmap
    def run(key):
        context = type(shots)(num_qubits=N, shots=300, key=key)
        return result.evaluate(PureState(PSI), context)

    runs = run(keys)
    wanted = float(kind(observable).evaluate(PureState(PSI), exact()))
    spread = np.std(runs.value, ddof=1)
    assert abs(np.mean(runs.value) - wanted) < 4 * spread / repeats**0.5 + 1e-5
    error = np.sqrt(np.mean(np.asarray(runs.stderr) ** 2))
    assert abs(error - spread) <= 0.15 * spread + 1e-5


def test_probabilities_from_shots():
    shots = 5000
    got = Probabilities([2, 0], stderr=True).evaluate(PureState(PSI), sampled(shots=shots))
    wanted = np.asarray(Probabilities([2, 0]).evaluate(PureState(PSI), exact()))
    assert np.allclose(got.value.sum(), 1)
    assert (np.abs(got.value - wanted) < 4 * got.stderr).all()
    np.testing.assert_allclose(got.stderr, np.sqrt(wanted * (1 - wanted) / shots), rtol=0.1)


def test_a_plan_run_by_hand_gives_the_same():
    """What hardware does: run the plan, send back samples or counts."""
    observable = random_sum(N, 6)
    settings = plan(observable, 40_000)
    state = PureState(PSI)
    samples = []
    for g, (basis, shots) in enumerate(zip(settings.bases, settings.shots, strict=True)):
        bits = state.rotate(jnp.asarray(basis, jnp.int32)).sample(jax.random.key(g), int(shots), settings.qubits)
        samples.append(np.asarray(bits))
    from_bits = estimate(settings, observable.coefficients, samples)
    wanted = float(Expectation(observable).evaluate(state, exact()))
    assert abs(float(from_bits.value) - wanted) < 4 * float(from_bits.stderr)
    counts = [{} for _ in samples]
    for table, bits in zip(counts, samples, strict=True):
        for row in bits.tolist():
            word = "".join(map(str, row))
            table[word] = table.get(word, 0) + 1
    from_counts = estimate(settings, observable.coefficients, counts)
    np.testing.assert_allclose(from_counts.value, from_bits.value, atol=1e-5)
    np.testing.assert_allclose(from_counts.stderr, from_bits.stderr, rtol=1e-3)
    with pytest.raises(ResultError, match="groups, but samples of 1"):
        estimate(settings, observable.coefficients, samples[:1])
    with pytest.raises(ResultError, match="bits a shot"):
        estimate(settings, observable.coefficients, [bits[:, :1] for bits in samples])


def test_the_program_does_not_grow_with_the_groups():
    def lines(num_terms):
        result = Expectation(random_sum(6, num_terms))
        f = jax.jit(lambda r, p, k: r.evaluate(PureState(p), type(exact())(num_qubits=6, shots=5000, key=k)))
        text = f.lower(result, jnp.zeros(64, jnp.complex64), jax.random.key(0)).as_text()
        return structure(result.observable.strings, 6).num_groups, len(text.splitlines())

    (few, short), (many, long) = lines(10), lines(200)
    assert many > 4 * few
    assert long <= 1.1 * short


def test_coefficients_are_data():
    """Other coefficients, traced or not, run in the same program and share out the shots anew."""
    traces = []

    @jax.jit
    def run(result, key):
        traces.append(1)
        context = type(exact())(num_qubits=N, shots=2000, key=key)
        return result.evaluate(PureState(PSI), context)

    for scale in (1.0, 2.0):
        observable = SMALL.replace(np.asarray([scale, 0.1, 3.0]))
        estimated = run(Expectation(observable, stderr=True), jax.random.key(1))
        wanted = float(Expectation(observable).evaluate(PureState(PSI), exact()))
        assert abs(float(estimated.value) - wanted) < 4 * float(estimated.stderr)
    assert len(traces) == 1
