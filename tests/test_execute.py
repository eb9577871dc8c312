"""The front functions: every argument, every way to give parameters, composition with JAX."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import qsim
from qsim import Circuit, Layout, Parameter, ParameterVector, X, Z, execute, explain, submit
from qsim._errors import BackendError
from qsim.backends import JobStatus, LocalBackend
from qsim.backends.placement import pin
from qsim.gradients import Adjoint, Backprop
from qsim.ir.layout import pad
from qsim.methods import Statevector, Unitary
from qsim.results import Amplitudes, Expectation, Map, Norm, Operator, Overlap, Probabilities, Samples, State
from qsim.testing import trace_count

A, B, V = Parameter("a"), Parameter("b"), ParameterVector("v", (2, 2))
CIRCUIT = Circuit(2).rx(A, 0).ry(V[0], range(2)).cx(0, 1).rz(A * B, 1).ry(V[1], range(2))
VALUES = {"a": 0.3, "b": -1.2, "v": np.array([[0.1, 0.7], [-0.4, 0.9]])}
ENERGY = Expectation(Z(0) @ Z(1) + 0.5 * X(0))
ON = [None, "cpu", "numpy", LocalBackend()]


@pytest.mark.parametrize("on", ON, ids=str)
def test_any_pytree_of_results(on):
    wanted = {"e": ENERGY, "two": (Probabilities([1]), [Norm(), 2 * ENERGY - Norm()])}
    found = execute(CIRCUIT, wanted, VALUES, on=on)
    assert jax.tree.structure(found) == jax.tree.structure({"e": 0, "two": (0, [0, 0])})
    np.testing.assert_allclose(found["two"][1][1], 2 * found["e"] - 1, atol=1e-5)
    np.testing.assert_allclose(found["e"], execute(CIRCUIT.bind(VALUES), ENERGY), atol=1e-5)


def test_names_parameters_and_vectors_are_keys():
    by_object = {A: 0.3, B: -1.2, V: VALUES["v"]}
    assert execute(CIRCUIT, ENERGY, by_object) == execute(CIRCUIT, ENERGY, VALUES)
    as_lists = {"a": [0.3], "b": jnp.float32(-1.2), "v": VALUES["v"].tolist()}
    np.testing.assert_allclose(execute(CIRCUIT, ENERGY, as_lists), [execute(CIRCUIT, ENERGY, VALUES)], atol=1e-6)


@pytest.mark.parametrize("on", [None, "numpy"])
def test_batches_broadcast_by_numpy_rules(on):
    rng = np.random.default_rng(0)
    batch = {"a": rng.normal(size=(3, 1)), "b": rng.normal(size=4), "v": rng.normal(size=(3, 1, 2, 2))}
    found = execute(CIRCUIT, {"e": ENERGY, "s": State()}, batch, on=on)
    assert found["e"].shape == (3, 4) and found["s"].shape == (3, 4, 4)
    one = {"a": batch["a"][2, 0], "b": batch["b"][1], "v": batch["v"][2, 0]}
    np.testing.assert_allclose(found["e"][2, 1], execute(CIRCUIT, ENERGY, one), atol=1e-5)


@pytest.mark.parametrize("on", [None, "numpy"])
def test_empty_batch_and_no_gates(on):
    assert execute(Circuit(1).rx(A, 0), Norm(), {"a": np.zeros((0,))}, on=on).shape == (0,)
    np.testing.assert_allclose(execute(Circuit(1), on=on), [1, 0])
    np.testing.assert_allclose(execute(Circuit(0), on=on), [1])


@pytest.mark.parametrize("on", [None, pytest.param("cpu", marks=pytest.mark.slow), "numpy"])
def test_jit_grad_vmap_agree(on):
    def energy(a):
        return execute(CIRCUIT, ENERGY, {**VALUES, "a": a}, on=on)

    points = jnp.linspace(0, 1, 3)
    slopes = jax.vmap(jax.grad(energy))(points)
    np.testing.assert_allclose(slopes, [jax.grad(energy)(p) for p in points], atol=1e-5)
    np.testing.assert_allclose(slopes, jax.jit(jax.vmap(jax.grad(energy)))(points), atol=1e-5)
    step = 1e-2
    np.testing.assert_allclose(slopes, (energy(points + step) - energy(points - step)) / (2 * step), atol=1e-3)


def test_other_values_do_not_trace_again():
    execute(CIRCUIT, ENERGY, VALUES)
    before = trace_count()
    for step in range(3):
        rebuilt = Circuit(2).rx(A, 0).ry(V[0], range(2)).cx(0, 1).rz(A * B, 1).ry(V[1], range(2))
        execute(rebuilt, Expectation(Z(0) @ Z(1) + (0.5 + step) * X(0)), {**VALUES, "a": float(step)})
    assert trace_count() == before


@pytest.mark.parametrize("on", [None, "numpy"])
def test_initial_state(on):
    psi = np.array([0.6, 0, 0, 0.8j])
    found = execute(Circuit(2).x(0), initial_state=psi, on=on)
    np.testing.assert_allclose(found, [0, 0.8j, 0.6, 0], atol=1e-6)
    np.testing.assert_allclose(execute(Circuit(2), initial_state="10", on=on), [0, 0, 1, 0])
    batch = np.eye(4)[:3]
    found = execute(Circuit(2).rx(A, 0), initial_state=batch, params={"a": np.zeros((2, 1))}, on=on)
    np.testing.assert_allclose(found, np.broadcast_to(batch, (2, 3, 4)), atol=1e-6)


def test_gradient_flows_into_the_initial_state():
    value = lambda s: execute(Circuit(1).h(0), Expectation(Z(0)), initial_state=s)  # noqa: E731
    np.testing.assert_allclose(jax.grad(value)(jnp.array([0.6, 0.8])), [1.6, 1.2], atol=1e-5)


@pytest.mark.parametrize("on", [None, "numpy"])
def test_a_circuit_with_a_layout_reports_the_logical_qubits(on):
    c = Circuit(2).ry(A, 0).cx(0, 1).h(1)
    padded = pad(c, 6, [4, 1])
    np.testing.assert_allclose(execute(padded, params={"a": 0.4}, on=on), execute(c, params={"a": 0.4}), atol=1e-6)
    routed = Circuit(3).ry(0.4, 2).swap(2, 1).cx(1, 0).h(0).with_layout(Layout((2, 0), (1, 0)))
    plain = Circuit(2).ry(0.4, 0).cx(0, 1).h(1)
    wanted = [State(), Probabilities([1]), Expectation(Z(0) @ X(1)), Amplitudes(["11"])]
    for found, expected in zip(execute(routed, wanted, on=on), execute(plain, wanted), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)
    start = np.array([0.5, 0.5j, -0.5, 0.5])
    np.testing.assert_allclose(
        execute(routed, initial_state=start, on=on), execute(plain, initial_state=start), atol=1e-6
    )
    np.testing.assert_allclose(
        execute(routed, initial_state="01", on=on), execute(plain, initial_state="01"), atol=1e-6
    )
    operators = [execute(x, Operator(), on=on) for x in (routed, plain)]
    np.testing.assert_allclose(*operators, atol=1e-6)


def test_idle_qubits_are_not_simulated():
    wide = pad(Circuit(2).h(0).cx(0, 1), 100, [70, 30])
    np.testing.assert_allclose(execute(wide), execute(Circuit(2).h(0).cx(0, 1)), atol=1e-6)


def test_results_with_circuits():
    other = Circuit(1).h(0)
    for on in (None, "numpy"):
        np.testing.assert_allclose(execute(Circuit(1), Overlap(other), on=on), np.sqrt(0.5), atol=1e-6)


def test_method_and_gradient_objects(x64):
    found = execute(CIRCUIT, State(), VALUES, method=Statevector("complex128"))
    assert found.dtype == jnp.complex128
    assert execute(CIRCUIT, State(), VALUES, on="numpy").dtype == jnp.complex128
    matrix = execute(CIRCUIT, Operator(), VALUES, method=Unitary("complex128"))
    np.testing.assert_allclose(matrix[:, 0], found, atol=1e-12)
    energy = lambda rule: lambda a: execute(CIRCUIT, ENERGY, {**VALUES, "a": a}, gradient=rule)  # noqa: E731
    forward = jax.jacfwd(energy(Backprop()))(0.3)
    np.testing.assert_allclose(forward, jax.grad(energy(Adjoint()))(0.3), atol=1e-5)


def test_forward_mode_names_the_fix():
    energy = lambda a: execute(CIRCUIT, ENERGY, {**VALUES, "a": a})  # noqa: E731
    with pytest.raises(TypeError, match=r"Adjoint\(\).*Try gradient=Backprop\(\)"):
        jax.jacfwd(energy)(0.3)


def test_submit_gives_a_job():
    job = submit(CIRCUIT, ENERGY, VALUES)
    assert job.status() is JobStatus.DONE and job.status().is_final and not job.cancel()
    assert job.result(timeout=1) == execute(CIRCUIT, ENERGY, VALUES)
    assert job.metadata["method"] == Statevector() and job.metadata["shots"] is None
    assert job.metadata["layout"] == Layout.trivial(2) and job.metadata["gradient"] == "Adjoint"


def test_explain_says_what_and_why():
    text = str(explain(CIRCUIT, ENERGY))
    for words in ("local", "not needed", "2 qubits, 7 operations", "Expectation; exact", "Adjoint()", "lowering"):
        assert words in text
    assert "13 for values" not in text
    text = str(explain(CIRCUIT, {"e": ENERGY}, {"a": np.zeros((5, 1))}, on="numpy"))
    assert "5 circuits for values, 65 for values and gradient; one job" in text


def test_global_defaults_are_for_methods_of_circuits_only(monkeypatch):
    traces = trace_count()
    bell = Circuit(2).h(0).cx(0, 1).ry(0.123, 0)
    monkeypatch.setenv("QSIM_BACKEND", "numpy")
    np.testing.assert_allclose(bell(), bell.execute(), atol=1e-6)
    assert trace_count() == traces
    monkeypatch.setenv("QSIM_BACKEND", "nowhere")
    with pytest.raises(BackendError, match="nowhere"):
        bell()
    np.testing.assert_allclose(execute(bell), execute(bell, on="numpy"), atol=1e-6)
    qsim.set_backend("cpu")
    try:
        bell()
    finally:
        qsim.set_backend(None)


def test_a_default_transpiler_does_not_touch_simulators():
    qsim.set_transpiler("there-is-no-such-transpiler")
    try:
        np.testing.assert_allclose(Circuit(1).x(0)(), [0, 1])
    finally:
        qsim.set_transpiler(None)


def test_on_agrees_with_the_callers_jit():
    energy = lambda a: execute(CIRCUIT, ENERGY, {**VALUES, "a": a}, on="cpu")  # noqa: E731
    np.testing.assert_allclose(jax.jit(energy)(0.3), energy(0.3), atol=1e-6)
    lowered = jax.jit(energy).trace(jnp.float32(0.3))
    with pytest.raises(BackendError, match=r'on="cpu".*inside a jit that runs on cuda'):
        lowered.lower(lowering_platforms=("cuda",))


def test_pin_is_the_identity_for_jax():
    f = lambda x: pin({"x": jnp.sin(x)}, "cpu")["x"]  # noqa: E731
    points = jnp.arange(3.0)
    np.testing.assert_allclose(jax.jit(jax.vmap(jax.grad(f)))(points), jnp.cos(points), atol=1e-6)
    np.testing.assert_allclose(jax.hessian(f)(0.5), -jnp.sin(0.5), atol=1e-6)


def test_jit_of_constants_on_a_host_backend():
    np.testing.assert_allclose(jax.jit(lambda: execute(Circuit(1).x(0), on="numpy"))(), [0, 1])


def test_keys_of_both_kinds():
    new, old = jax.random.key(3), jax.random.PRNGKey(3)
    c = Circuit(2).h(range(2))
    for on in (None, "numpy"):
        a, b = (execute(c, Samples(), shots=9, key=k, on=on) for k in (new, old))
        np.testing.assert_array_equal(a, b)
        jitted = jax.jit(lambda k, on=on: execute(c, Samples(), shots=9, key=k, on=on))
        np.testing.assert_array_equal(jitted(new), a)
    many = jax.vmap(lambda k: execute(c, Samples(), shots=9, key=k))(jax.random.split(new, 3))
    assert many.shape == (3, 9, 2)


def test_composed_results_trace_through_hosts():
    loss = lambda w, on: execute(CIRCUIT, Map(jnp.tanh, w * ENERGY), VALUES, on=on)  # noqa: E731
    np.testing.assert_allclose(jax.grad(loss)(0.7, "numpy"), jax.grad(loss)(0.7, None), atol=1e-5)
