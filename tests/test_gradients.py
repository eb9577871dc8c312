"""Gradient rules: shift rules for any spectrum, rules by re-running, and gradients on hosts."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from results_table import EXACT

from qsim import Circuit, Parameter, ParameterVector, X, Y, Z, execute, explain
from qsim._errors import MethodError
from qsim.gradients import SPSA, Adjoint, Backprop, FiniteDifference, ParameterShift, shift_rule
from qsim.ir.controlled import Controlled
from qsim.ir.table import Gate, rows
from qsim.methods import Statevector
from qsim.results import Expectation, Probabilities, Variance
from qsim.rules.parameter_shift import frequencies
from qsim.testing import check_gradient

RULES = [Adjoint(), Backprop(), ParameterShift(), FiniteDifference()]
GATES = [row for row in rows() if row.params]


def double():
    return Statevector("complex128")


OBSERVABLE = Expectation(Z(0) @ X(1) + 0.5 * Y(2) - 0.3 * X(0) @ Y(3))


def around(circuit: Circuit) -> Circuit:
    """The circuit between layers that make every derivative show."""
    n = circuit.num_qubits
    before, after = Circuit(n), Circuit(n)
    for q in range(n):
        before.ry(0.3 + q, q).rz(0.7 * q + 0.1, q)
        after.rx(0.5 - 0.3 * q, q)
    for q in range(n - 1):
        after.cx(q, q + 1)
    return before + circuit + after


# ---------------------------------------------------------------- the shift rule by itself


@pytest.mark.parametrize(
    "spectrum", [(1.0,), (0.5, 1.0), (1.0, 2.0, 3.0), (2.0, 4.0), (1.0, 3.0), (0.3, 1.0, 1.7), (0.25, 1.0, 1.5, 4.0)]
)
def test_shift_rule_is_exact_for_its_frequencies(spectrum):
    shifts, coefficients = shift_rule(spectrum)
    assert len(shifts) == 2 * len(spectrum)
    for w in (0.0, *spectrum):
        for phase in (0.0, 0.4, 2.0):
            found = sum(c * np.cos(w * s + phase) for s, c in zip(shifts, coefficients, strict=True))
            np.testing.assert_allclose(found, -w * np.sin(phase), atol=1e-10)


def test_shift_rule_is_the_known_one_for_paulis_and_controlled_rotations():
    shifts, coefficients = shift_rule(frequencies((-0.5, 0.5)))
    np.testing.assert_allclose([shifts, coefficients], [[np.pi / 2, -np.pi / 2], [0.5, -0.5]])
    four = shift_rule(frequencies((-0.5, 0.0, 0.5)))[1]
    known = (np.sqrt(2) + 1) / (4 * np.sqrt(2)), (np.sqrt(2) - 1) / (4 * np.sqrt(2))
    np.testing.assert_allclose(sorted(np.abs(four)), sorted([*known, *known]))


def test_shift_rule_without_frequencies_and_with_too_many():
    assert shift_rule(()) == ((), ())
    with pytest.raises(MethodError, match="FiniteDifference"):
        shift_rule(tuple(float(w) for w in range(1, 100)))
    with pytest.raises(MethodError, match="positive"):
        shift_rule((-1.0,))


@pytest.mark.parametrize("row", GATES, ids=lambda row: row.name)
def test_spectra_of_the_gate_table(row):
    """Fourier components of U(t) outside the row's spectrum vanish."""
    rng = np.random.default_rng(0)
    others = rng.normal(size=len(row.params))
    for place, spectrum in enumerate(row.spectra):
        times = np.arange(64) * 4 * np.pi / 64
        values = []
        for t in times:
            params = others.copy()
            params[place] = t
            values.append(np.asarray(row.matrix(np, *params)))
        for w in np.arange(-4, 4.5, 0.5):
            part = np.tensordot(np.exp(-1j * w * times), values, axes=1) / 64
            assert np.abs(part).max() < 1e-12 or w in spectrum


# ---------------------------------------------------------------- gate x rule


def every_gate(controls: int) -> tuple[Circuit, dict[str, jax.Array]]:
    """One circuit with every parametrised gate of the table, a vector of parameters for each."""
    n = 4
    c = Circuit(n)
    point = {}
    for place, row in enumerate(GATES):
        vector = ParameterVector(row.name, len(row.params))
        point[row.name] = jnp.linspace(0.4, 1.3, len(row.params)) + 0.1 * place
        gate = Gate(row, tuple(vector))
        operation = Controlled(gate, 1, "0") if controls else gate
        first = place % n
        c.append(operation, [(first + k) % n for k in range(operation.num_qubits)])
        c.ry(0.2 + 0.1 * place, (first + 1) % n).rz(0.5, first)
    return around(c), point


@pytest.mark.parametrize("controls", [0, 1])
def test_every_gate_by_parameter_shift_on_a_host(controls, x64):
    c, point = every_gate(controls)
    slopes = [
        jax.grad(lambda p, on=on: execute(c, OBSERVABLE, p, on=on, method=double()))(point) for on in ("numpy", None)
    ]
    for name in point:
        np.testing.assert_allclose(slopes[0][name], slopes[1][name], atol=1e-9, err_msg=name)
        assert np.abs(slopes[0][name]).max() > 1e-6 or name == "gphase"


@pytest.mark.parametrize(
    "rule", [RULES[0], *(pytest.param(r, marks=pytest.mark.slow) for r in RULES[1:])], ids=lambda rule: rule.name
)
def test_pauli_evolution_with_every_rule(rule, x64):
    h = 0.7 * X(0) @ Y(1) @ Z(2) + 0.2 * Z(0) - 0.4 * X(1) @ X(3)
    c = around(Circuit(4).pauli_evolution(h, 2 * Parameter("t"), order=2))
    value = lambda t, on=None: execute(  # noqa: E731
        c, OBSERVABLE, {"t": t}, gradient=rule, on=on, method=double()
    )
    check_gradient(value, 0.3, rtol=1e-7, atol=1e-7)
    if rule.reruns:
        np.testing.assert_allclose(jax.grad(value)(0.3, "numpy"), jax.grad(value)(0.3), atol=1e-8)


# ---------------------------------------------------------------- result x rule

T = ParameterVector("t", 3)
FOUR = around(Circuit(4).rx(T[0], 0).crz(T[1], 1, 2).rxx(T[0] * T[2], 3, 0))
POINT = jnp.array([0.4, -0.8, 1.1])


ON_HOSTS = ("Expectation", "Probabilities", "State", "Overlap", "ReducedState", "Purity", "Variance", "Fidelity")


def real_parts(values):
    """All values as one real vector."""
    return jnp.concatenate([part.ravel() for leaf in jax.tree.leaves(values) for part in (leaf.real, leaf.imag)])


@pytest.mark.slow
def test_results_by_parameter_shift_on_a_host(x64):
    wanted = {name: EXACT[name] for name in ON_HOSTS}

    def slopes(on):
        values = lambda t: execute(FOUR, wanted, {"t": t}, on=on, method=double())  # noqa: E731
        return jax.jacrev(lambda t: real_parts(values(t)))(POINT)

    np.testing.assert_allclose(slopes("numpy"), slopes(None), atol=1e-9)


# ---------------------------------------------------------------- rules by re-running


def energy(t, rule, **options):
    return execute(FOUR, OBSERVABLE, {"t": t}, gradient=rule, **options)


@pytest.mark.slow
@pytest.mark.parametrize("rule", [ParameterShift(), FiniteDifference(step=0.02)], ids=lambda rule: rule.name)
def test_rerun_rules_compose(rule):
    expected = jax.grad(energy)(POINT, Adjoint())
    points = jnp.stack([POINT, 2 * POINT])
    slope = lambda t: jax.grad(energy)(t, rule)  # noqa: E731
    np.testing.assert_allclose(jax.jit(slope)(POINT), expected, atol=2e-3)
    np.testing.assert_allclose(jax.vmap(slope)(points)[0], expected, atol=2e-3)
    batched = jax.grad(lambda t: energy(t, rule).sum())(points)
    np.testing.assert_allclose(batched, jax.vmap(slope)(points), atol=1e-4)
    second = jax.jacrev(slope)(POINT)
    np.testing.assert_allclose(second, jax.hessian(energy)(POINT, Adjoint()), atol=1e-2)
    np.testing.assert_allclose(jax.hessian(energy)(POINT, rule), second, atol=1e-2)


@pytest.mark.parametrize("rule", [ParameterShift(chunk=4), FiniteDifference(chunk=4)], ids=lambda rule: rule.name)
def test_program_size_does_not_grow_with_the_angles(rule):
    def lines(layers):
        t = ParameterVector("t", (layers, 3))
        c = Circuit(3)
        for layer in range(layers):
            c.ry(t[layer], range(3)).cx(0, 1).cx(1, 2)
        value = lambda p: execute(c, Expectation(Z(0)), {"t": p}, gradient=rule)  # noqa: E731
        text = jax.jit(jax.grad(value)).lower(jnp.zeros((layers, 3))).as_text()
        return text.count("\n")

    assert lines(60) < 1.1 * lines(20)


@pytest.mark.parametrize("on", [None, pytest.param("numpy", marks=pytest.mark.slow)])
def test_spsa_is_right_on_average(on):
    samples = 400 if on is None else 60
    rule = SPSA(samples=samples, step=0.05, chunk=50)
    found = jax.grad(energy)(POINT, rule, key=jax.random.key(1), on=on)
    expected = jax.grad(energy)(POINT, Adjoint())
    np.testing.assert_allclose(found, expected, atol=5 * float(jnp.linalg.norm(expected)) / np.sqrt(samples))
    again = jax.grad(energy)(POINT, rule, key=jax.random.key(2), on=on)
    assert not np.allclose(found, again)


@pytest.mark.parametrize(
    "result", [OBSERVABLE, Probabilities([2, 0]), pytest.param(Variance(Z(0) @ X(1)), marks=pytest.mark.slow)], ids=type
)
def test_gradients_of_estimates_are_unbiased(result):
    f = lambda t, **options: execute(FOUR, result, {"t": t}, **options).ravel()[0]  # noqa: E731
    shots = 4000
    slope = jax.jit(jax.vmap(jax.grad(lambda t, key: f(t, shots=shots, key=key)), in_axes=(None, 0)))
    slopes = slope(POINT, jax.random.split(jax.random.key(5), 40))
    error = slopes.std(axis=0) / np.sqrt(len(slopes)) + 1e-3
    assert (np.abs(slopes.mean(axis=0) - jax.grad(f)(POINT)) < 4 * error).all()


def test_constants_are_not_shifted():
    c = Circuit(1).rx(0.3, 0).ry(Parameter("t"), 0).rz(0.4, 0)
    assert "1 circuits for values, 3 for values and gradient" in str(explain(c, Expectation(Z(0)), on="numpy"))


def test_gradient_rules_are_values():
    assert ParameterShift() == ParameterShift() and hash(SPSA(3)) == hash(SPSA(3)) != hash(SPSA(4))


@pytest.mark.parametrize("rule", [Adjoint(), pytest.param(Backprop(), marks=pytest.mark.slow)])
def test_second_derivatives_of_powers_of_negative_parameters(rule):
    a = Parameter("a")
    energy = lambda t: execute(Circuit(1).rx(a**2, 0), Expectation(Z(0)), {"a": t}, gradient=rule)  # noqa: E731
    want = -2 * np.sin(0.25) - 4 * 0.25 * np.cos(0.25)
    for second in (jax.hessian(energy), jax.jacrev(jax.jacrev(energy))):
        assert second(-0.5) == pytest.approx(want, abs=1e-4)
