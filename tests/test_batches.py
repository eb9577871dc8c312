"""Batches run as one array with more rows: phases take what varies, blocks are the same for all runs."""

from __future__ import annotations

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from circuits import classifier
from hypothesis import given, settings
from hypothesis import strategies as st

from qsim import Circuit, Parameter, ParameterVector, X, Z, _program, execute
from qsim.gradients import Backprop
from qsim.kernels.trig import cos_sin, exp_i
from qsim.lower import calibration, cost
from qsim.lower.build import build_batched_plan, build_plan
from qsim.lower.calibration import Costs
from qsim.lower.forms import BASES, phase_form
from qsim.lower.plan import Repeat, Sweeps
from qsim.methods import Statevector
from qsim.methods.statevector import batch_amplitudes, device_memory
from qsim.results import Expectation, Norm, Probabilities, Samples


def double() -> Statevector:
    """In double precision; needs the fixture `x64`."""
    return Statevector("complex128")


@pytest.fixture
def ran(monkeypatch):
    """The ways that batches ran while the test did."""
    seen: list[str] = []

    def spy(name):
        whole = getattr(_program.Runner, name)

        def wrapped(self, *args):
            seen.append(name)
            return whole(self, *args)

        monkeypatch.setattr(_program.Runner, name, wrapped)

    spy("together")
    spy("mapped")
    return seen


@pytest.mark.parametrize("n, size", [(1, 2), (4, 1), (4, 5), pytest.param(6, 3, marks=pytest.mark.slow)])
def test_a_batch_is_its_runs_one_by_one_and_so_is_its_gradient(n, size, x64, ran):
    circuit = classifier(n)
    rng = np.random.default_rng(n)
    features, weights = jnp.asarray(rng.normal(size=(size, n))), jnp.asarray(rng.normal(size=6 * n))
    scale = jnp.asarray(rng.normal(size=(size, 1 << n)))
    asked = [Expectation(Z(0)), Probabilities()]

    def loss(x, w, together):
        run = lambda x: execute(circuit, asked, {"x": x, "w": w}, method=double())  # noqa: E731
        z, p = run(x) if together else jax.tree.map(lambda *a: jnp.stack(a), *map(run, x))
        return jnp.sum(jnp.arange(1, size + 1) * z) + jnp.sum(scale * p)

    one, many = (jax.value_and_grad(loss, (0, 1))(features, weights, t) for t in (False, True))
    assert set(ran) == ({"together"} if size > 1 else set())
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-11), one, many)


def test_what_is_no_phase_is_mapped_over(x64, ran):
    circuit = Circuit(2).u(ParameterVector("x", 3)[0], ParameterVector("x", 3)[1], 0.2, 0).cx(0, 1)
    values = np.random.default_rng(0).normal(size=(4, 3))
    got = execute(circuit, params={"x": values}, method=double())
    assert set(ran) == {"mapped"}
    want = [execute(circuit, params={"x": v}, method=double()) for v in values]
    np.testing.assert_allclose(got, want, atol=1e-12)


def test_batches_of_initial_states_share_everything(x64, ran):
    circuit = Circuit(4).h(0).cx(0, 3).ry(0.3, 2).rzz(0.4, 1, 3)
    states = np.random.default_rng(0).normal(size=(3, 16)) + 0j
    got = execute(circuit, initial_state=states, method=double())
    assert set(ran) == {"together"}
    want = [execute(circuit, initial_state=s, method=double(), on="numpy") for s in states]
    np.testing.assert_allclose(got, want, atol=1e-12)


def test_what_is_the_same_for_all_runs_is_not_differentiated_run_by_run():
    w, x, circuit = ParameterVector("w", 6), ParameterVector("x", 3), Circuit(3)
    for layer in range(2):
        for q in range(3):
            circuit.rx(x[q], q).ry(w[3 * layer + q], q)
        circuit.cz([0, 1], [1, 2])
    energy = Expectation(Z(0) @ Z(2))

    def loss(w, x):
        return jnp.sum(execute(circuit, energy, {"w": w, "x": x}))

    def scattered(argnums):
        made = jax.make_jaxpr(jax.grad(loss, argnums))(jnp.ones(6), jnp.ones((12, 3)))
        return {match for match in re.findall(r":f32(\[[0-9,]+\]) = scatter-add", str(made)) if "12" in match}

    assert scattered(0) == set()
    assert scattered(1) != set()


@pytest.mark.parametrize("size, kept", [(6, 1.0), pytest.param(7, 0.0, marks=pytest.mark.slow)])
def test_chunks_change_nothing(size, kept, x64, monkeypatch):
    circuit = classifier(3)
    rng = np.random.default_rng(size)
    x, w = jnp.asarray(rng.normal(size=(size, 3))), jnp.asarray(rng.normal(size=18))

    def step():
        energy = lambda w, x: execute(circuit, Expectation(Z(2)), {"x": x, "w": w}, method=double())  # noqa: E731
        return jax.jit(jax.value_and_grad(lambda w, x: jnp.sum(energy(w, x) ** 2), (0, 1)))

    whole = step()(w, x)
    monkeypatch.setattr(cost, "CHUNK", 2 * 8)
    monkeypatch.setattr(cost, "KEPT", kept)
    program = step().lower(w, x).as_text()
    jax.clear_caches()
    text = str(jax.make_jaxpr(step())(w, x))
    assert ("remat" in text) or kept == 1.0
    assert program.count("stablehlo.while") > 0
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-11), whole, step()(w, x))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_run_that_is_not_finite_leaves_the_others_alone(bad, monkeypatch):
    """In one chunk of 2^17 amplitudes: what orders the steps of a program reads the first run."""
    monkeypatch.setattr(cost, "CHUNK", 1 << 17)
    n, x, w = 13, ParameterVector("x", 3), ParameterVector("w", 26)
    circuit = Circuit(n)
    for layer in range(2):
        circuit.rz(x[layer], range(n)).ry([w[13 * layer + q] for q in range(n)], range(n))
        for q in range(n - 1):
            circuit.rzz(x[2], q, q + 1)
    rng = np.random.default_rng(0)
    features = rng.normal(size=(16, 3))
    features[0, 0] = bad
    run = jax.jit(lambda x, w: execute(circuit, Expectation(Z(0)), {"x": x, "w": w}))
    slopes = jax.jit(jax.grad(lambda x, w: jnp.nansum(run(x, w))))(
        jnp.asarray(features), jnp.asarray(rng.normal(size=26))
    )
    assert np.isfinite(slopes).all(axis=1).tolist() == [False] + 15 * [True]


def test_an_accelerator_takes_a_batch_in_parts_of_its_memory(monkeypatch):
    class Device:
        platform = "gpu"

        def memory_stats(self):
            return {"bytes_limit": 16 << 30}

    assert batch_amplitudes() == cost.CHUNK
    monkeypatch.setattr(jax, "devices", lambda *_: [Device()])
    assert batch_amplitudes() == (16 << 30) // 64 // 8 and device_memory() == 16 << 30
    monkeypatch.setattr(Device, "memory_stats", lambda self: None)
    assert batch_amplitudes() == cost.CHUNK


@pytest.mark.slow
def test_memory_of_a_batch_does_not_grow_with_it(monkeypatch):
    monkeypatch.setattr(cost, "KEPT", 0.0)
    circuit = classifier(10, 2)
    w = jnp.zeros(40)

    def temporaries(size):
        energy = lambda w, x: execute(circuit, Expectation(Z(0)), {"x": x, "w": w})  # noqa: E731
        step = jax.jit(jax.value_and_grad(lambda w, x: jnp.sum(energy(w, x))))
        return step.lower(w, jnp.zeros((size, 10))).compile().memory_analysis().temp_size_in_bytes

    assert temporaries(2048) < 1.5 * temporaries(512)


def test_samples_of_a_batch_differ_from_run_to_run(ran):
    circuit = Circuit(3).h(0).h(1).rx(ParameterVector("x", 1)[0], 2)
    key = jax.random.key(0)
    bits = execute(circuit, Samples(), {"x": np.zeros((4, 1))}, shots=50, key=key)
    assert bits.shape == (4, 50, 3) and set(ran) == {"mapped"}  # shots are differentiated by running again
    assert len({np.asarray(b).tobytes() for b in bits}) == 4


@pytest.mark.slow
def test_second_derivatives_and_forward_mode_of_phases(x64, monkeypatch):
    monkeypatch.setattr(calibration, "costs", lambda: Costs(gather=100.0))  # blocks at any place are never cheaper
    n = 5
    t = ParameterVector("t", n)
    circuit = Circuit(n)
    for _ in range(2):
        for q in range(n):
            circuit.ry(t[q], q)
        circuit.rzz(t[0], 0, 4).crz(t[1], 4, 1).cp(t[2], 0, 4)
    assert any(isinstance(s, Sweeps) and s.phases for s in build_plan(circuit, cost.BLOCK_QUBITS).segments)
    energy = lambda t, rule: execute(circuit, Expectation(X(0) + Z(4)), {"t": t}, method=double(), gradient=rule)  # noqa: E731
    at = jnp.linspace(0.1, 0.9, n)
    want = jax.hessian(lambda t: energy(t, Backprop()))(at)
    got = jax.jacfwd(jax.grad(lambda t: energy(t, None)))(at)
    np.testing.assert_allclose(got, want, atol=1e-10)


@given(st.data())
@settings(deadline=None, max_examples=8)
def test_crossing_rotations_as_phases_are_the_reference(data):
    n = data.draw(st.integers(2, 7))
    circuit = Circuit(n)
    names = ["rzz", "rxx", "ryy", "rzx", "cp", "crx", "cry", "crz"]
    for q in range(n):
        circuit.ry(0.3 + q, q)
    for _ in range(data.draw(st.integers(0, 6))):
        a, b = data.draw(st.permutations(range(n)))[:2]
        getattr(circuit, data.draw(st.sampled_from(names)))(data.draw(st.floats(-4, 4)), a, b)
    got, want = execute(circuit), execute(circuit, on="numpy")
    np.testing.assert_allclose(got, want, atol=3e-6)


def test_forms_are_the_operations():
    for name, qubits in (("rx", 1), ("ry", 1), ("p", 1), ("rzz", 2), ("ryy", 2), ("rzx", 2), ("cry", 2), ("cp", 2)):
        circuit = Circuit(qubits)
        getattr(circuit, name)(0.7, *range(qubits))
        operation = circuit.instructions[0].operation
        form = phase_form(operation)
        assert form is not None
        basis, energy = np.eye(1), np.zeros(1 << qubits)
        for letter in form.bases:
            basis = np.kron(basis, BASES[letter])
        for places, coefficient in form.terms:
            signs = np.ones(1)
            for q in range(qubits):
                signs = np.kron(signs, [1, -1] if q in places else [1, 1])
            energy = energy + coefficient * signs
        got = basis @ np.diag(np.exp(0.7j * energy)) @ basis.conj().T
        np.testing.assert_allclose(got, operation.matrix(np), atol=1e-12)
    assert phase_form(Circuit(1).h(0).instructions[0].operation) is None
    assert phase_form(Circuit(1).u(0.1, 0.2, 0.3, 0).instructions[0].operation) is None


def test_plans_of_batches_have_no_block_that_varies():
    plan = build_batched_plan(classifier(8, 4), frozenset({"x"}))
    assert plan is not None
    bodies = [b for s in plan.segments for b in (s.body if isinstance(s, Repeat) else [s])]
    assert any(b.phases for b in bodies)
    assert build_batched_plan(classifier(8, 4), frozenset({"w", "x"})) is not None


_cosines = jax.jit(cos_sin)
_slopes = jax.jit(jax.vmap(jax.grad(lambda v: cos_sin(v)[1])))


@given(st.lists(st.floats(-1e4, 1e4, width=32), min_size=24, max_size=24))
@settings(deadline=None, max_examples=100)
def test_cosines_in_single_precision(angles):
    x = np.array(angles, np.float32)
    cosine, sine = _cosines(jnp.asarray(x))
    np.testing.assert_allclose(cosine, np.cos(x.astype(float)), atol=2e-7)
    np.testing.assert_allclose(sine, np.sin(x.astype(float)), atol=2e-7)
    slope = _slopes(jnp.asarray(x))
    np.testing.assert_allclose(slope, np.cos(x.astype(float)), atol=2e-7)


@pytest.mark.parametrize("shape", [(), (1,), (7,), (3, 4), (2, 0)])
def test_phases_and_their_slopes(shape):
    x = np.random.default_rng(0).uniform(-9, 9, shape).astype(np.float32)
    dx = np.float32(0.5) * np.ones_like(x)
    want = np.exp(1j * x.astype(float))
    for made in (exp_i(jnp.asarray(x)), jax.jit(exp_i)(x), jax.jit(jax.vmap(exp_i))(x[None])[0]):
        assert made.dtype == np.complex64
        np.testing.assert_allclose(made, want, atol=3e-7)
    _, slope = jax.jvp(exp_i, (jnp.asarray(x),), (jnp.asarray(dx),))
    np.testing.assert_allclose(slope, 0.5j * want, atol=3e-7)
    total = lambda v: jnp.sum(exp_i(v).real + 2 * exp_i(v).imag)  # noqa: E731
    gradient = jax.jit(jax.grad(total))
    np.testing.assert_allclose(gradient(x), 2 * want.real - want.imag, atol=1e-6)
    _, curvature = jax.jvp(gradient, (jnp.asarray(x),), (jnp.asarray(dx),))
    np.testing.assert_allclose(curvature, -0.5 * (want.real + 2 * want.imag), atol=1e-6)


def test_phases_in_double_precision(x64):
    x = np.linspace(-5, 5, 11)
    np.testing.assert_allclose(jax.jit(exp_i)(x), np.exp(1j * x), atol=1e-15)


def test_phases_are_made_apart_on_the_processor_alone():
    traced = jax.jit(lambda x, y: exp_i(x)[:, None] * y).trace(jnp.ones(8), jnp.ones((8, 9)))
    texts = {name: traced.lower(lowering_platforms=(name,)).as_text() for name in ("cpu", "cuda", "tpu")}
    assert ["inlineable" in text for text in texts.values()] == [True, False, False]
    compiled = traced.lower().compile().as_text()
    assert jax.default_backend() != "cpu" or "call(" in compiled


def test_angles_beyond_single_precision_keep_the_norm():
    huge = np.float32([1e6, -3e7, 1e9, 4e15, -2e30, 3e38])
    cosine, sine = cos_sin(jnp.asarray(huge))
    np.testing.assert_allclose(cosine**2 + sine**2, 1, atol=1e-6)
    circuit = Circuit(2).h([0, 1]).rz(Parameter("x"), 0).rzz(Parameter("x"), 0, 1).h([0, 1])
    np.testing.assert_allclose(execute(circuit, Norm(), {"x": huge}), 1, atol=1e-6)


def test_quotients_of_what_varies_and_of_what_does_not(ran):
    x, w = Parameter("x"), ParameterVector("w", 6)
    circuit = Circuit(4).ry(w[:4], range(4)).rz(w[4] / x, 0).ry(w[5] / w[0], 1).rx(w[5] / w[1], 2)
    circuit.cz([0, 2], [1, 3]).rzz(x / w[2], 0, 3).ry(w[3] / w[2], 0)
    values, points = jnp.linspace(0.3, 1.2, 6), jnp.array([0.4, 0.7, 1.1])

    def total(w, x):
        return jnp.sum(jnp.sin(execute(circuit, Expectation(Z(0) @ X(1) + Z(3)), {"w": w, "x": x})))

    slopes = jax.grad(total, (0, 1))(values, points)
    assert set(ran) == {"together"}
    one_by_one = [jax.grad(total, (0, 1))(values, point) for point in points]
    np.testing.assert_allclose(slopes[0], sum(slope for slope, _ in one_by_one), atol=5e-6)
    np.testing.assert_allclose(slopes[1], [slope for _, slope in one_by_one], atol=5e-6)


def outermost_loops(jaxpr):
    """The scans of a program that are in no other, in order."""
    found = []
    for equation in jaxpr.eqns:
        if equation.primitive.name == "scan":
            found.append(equation)
        elif "jaxpr" in equation.params:
            found += outermost_loops(equation.params["jaxpr"])
    return found


def test_matrices_are_neither_made_in_front_of_chunks_nor_kept_with_them(monkeypatch):
    monkeypatch.setattr(_program, "batch_amplitudes", lambda: 4 << 7)
    circuit = classifier(7, 3)

    def total(w, x):
        return jnp.sum(execute(circuit, Expectation(Z(0) @ Z(6)), {"x": x, "w": w}))

    traced = jax.make_jaxpr(jax.grad(total))(jnp.zeros(42), jnp.zeros((16, 7)))
    forward, backward = outermost_loops(traced)
    assert forward.params["length"] == backward.params["length"] == 4
    kept = [v.aval.shape for v in forward.outvars]
    assert (4, 3, 7, 4) in kept and (4, 3, 14) not in kept  # the angles of the features, not those of the weights
