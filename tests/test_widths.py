"""The width of the blocks of sweeps: which one the cost model chooses, and that results are the same with each."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from circuits import classifier, layered, random_unitary, unstructured

from qsim import Circuit, Parameter, ParameterVector, X, Z, _compile, execute, explain
from qsim.gradients import Backprop
from qsim.lower import calibration, cost
from qsim.lower.build import build_batched_plan, build_plan
from qsim.lower.calibration import DEFAULT, LEAST, MOST, NARROW_VECTORS, default_costs
from qsim.lower.plan import Dense, Repeat, Sweeps
from qsim.methods import Statevector
from qsim.results import Expectation, Operator, State

WIDTHS = (4, 3, 2)


def costs_for(k):
    """Prices by which blocks of k qubits are the cheapest."""
    cheap = {f"product_{width}": LEAST if width == k else 10.0 for width in WIDTHS}
    return replace(DEFAULT, gather=MOST, rotation=LEAST, sign=LEAST, phase=LEAST, block=LEAST, step=LEAST, **cheap)


def crossing(n, layers):
    """Layers of rotations and gates between neighbours and ends, which lie across windows of any width."""
    theta, circuit = ParameterVector("theta", (layers, 2, n)), Circuit(n)
    for layer in range(layers):
        circuit.ry(theta[layer, 0], range(n)).rz(theta[layer, 1], range(n))
        circuit.cx(range(n - 1), range(1, n)).rzz(theta[layer, 0, 0], 0, n - 1)
    return circuit


# -------------------------------------------------------------------- which one


@pytest.mark.parametrize(("n", "wide", "narrow"), [(8, 2, 2), (12, 3, 3), (16, 4, 3), (20, 4, 3)])
def test_windows_are_as_wide_as_is_cheapest(n, wide, narrow):
    circuit = layered(n, 5)
    assert (build_plan(circuit, costs=DEFAULT).k, build_plan(circuit, costs=NARROW_VECTORS).k) == (wide, narrow)
    for costs in (DEFAULT, NARROW_VECTORS):
        plans = [build_plan(circuit, k, costs=costs) for k in WIDTHS]
        chosen = cost.forward_seconds(build_plan(circuit, costs=costs), costs, 1)
        assert chosen == min(cost.forward_seconds(plan, costs, 1) for plan in plans)


def test_what_narrower_windows_would_take_is_foreseen():
    plan = build_plan(layered(12, 5), 4, costs=DEFAULT)
    for k in (3, 2):
        exact = cost.forward_seconds(build_plan(layered(12, 5), k, costs=DEFAULT), DEFAULT, 1)
        assert cost.swept_seconds(plan, DEFAULT, 1, k) == pytest.approx(exact, rel=0.02)


@pytest.mark.parametrize("k", WIDTHS)
def test_prices_decide(k):
    for circuit in (layered(9, 4), crossing(9, 4), layered(6, 1)):
        plan = build_plan(circuit, costs=costs_for(k))
        assert plan.k == k
        bodies = [b for s in plan.segments for b in (s.body if isinstance(s, Repeat) else [s])]
        assert bodies and all(isinstance(b, Sweeps) and b.k == k for b in bodies)


def test_tapes_and_operations_on_more_qubits_keep_the_widest_blocks():
    rng = np.random.default_rng(0)
    four, three = random_unitary(rng, 16), random_unitary(rng, 8)
    for circuit in (unstructured(9, 200), layered(8, 3).unitary(four, [0, 1, 2, 3]), layered(8, 2).qft(range(8))):
        assert build_plan(_compile.runnable(circuit), costs=replace(costs_for(2), gather=DEFAULT.gather)).k == 4
    circuit = layered(8, 3).unitary(three, [0, 1, 2])
    assert build_plan(circuit, costs=costs_for(3)).k == 3
    assert build_plan(circuit, costs=costs_for(2)).k == 4


def far_pairs(n):
    """Layers whose CRX join the ends: many phases, more of them where windows are narrower."""
    theta, circuit = ParameterVector("theta", (3, n)), Circuit(n)
    for layer in range(3):
        circuit.ry(theta[layer], range(n))
        for q in range(n // 2):
            circuit.crx(theta[layer, q], q, n - 1 - q)
    return circuit


@pytest.mark.parametrize("make", [layered, crossing, lambda n, layers: far_pairs(n)])
@pytest.mark.parametrize("n", [6, 9, 11])
def test_the_next_width_is_taken_where_the_best_that_was_foreseen_is_none(n, make):
    """Nothing that can be swept is dearer than another width by the same prices."""
    circuit = make(n, 3)
    for costs in (replace(DEFAULT, gather=MOST), replace(NARROW_VECTORS, gather=MOST), costs_for(2), costs_for(3)):
        plans = [build_plan(circuit, k, costs=costs) for k in WIDTHS]
        chosen = cost.forward_seconds(build_plan(circuit, costs=costs), costs, 1)
        assert chosen == min(cost.forward_seconds(plan, costs, 1) for plan in plans)


def test_layers_that_are_a_tape_with_wide_blocks_are_swept_with_narrow_ones():
    costs = replace(NARROW_VECTORS, gather=2.9, product_4=3.1)
    assert isinstance(build_plan(layered(9, 5), 4, costs=costs).segments[0].body[0], Dense)
    plan = build_plan(layered(9, 5), costs=costs)
    assert plan.k < 4 and isinstance(plan.segments[0].body[0], Sweeps)


@pytest.mark.parametrize("n", range(6))
def test_circuits_of_one_block_stay_one_block(n):
    circuit = layered(n, 3)
    assert build_plan(circuit, costs=costs_for(2)).k == (min(n, 4) if n < 5 else 2)
    assert build_plan(Circuit(n), costs=costs_for(2)).k == min(n, 4)


def test_batches_are_priced_by_their_amplitudes():
    """Matrices are made once for a batch: what decides at one run, the blocks, does not at many."""
    circuit, varying = classifier(8, 4), frozenset({"x"})
    assert build_plan(circuit, costs=DEFAULT).k == 2
    plan = build_batched_plan(circuit, varying, costs=DEFAULT)
    assert plan is not None and plan.k == 4
    plan = build_batched_plan(circuit, varying, costs=NARROW_VECTORS)
    assert plan is not None and plan.k == 3
    states = build_batched_plan(layered(8, 4), frozenset(), costs=DEFAULT)  # of initial states
    assert states is not None and states.k == 4


def test_unitaries_are_priced_by_their_columns(plans_by, monkeypatch):
    circuit, asked = layered(8, 4), []
    plans_by(DEFAULT)
    planned = _compile.plan_of
    assert planned(circuit).k == 2
    monkeypatch.setattr(_compile, "plan_of", lambda *given: asked.append(given[1]) or planned(*given))
    execute(circuit.bind({"theta": np.zeros((4, 2, 8))}), Operator())
    assert asked == [1 << 8] and planned(circuit, 1 << 8).k == 4
    assert "blocks of 4 qubits" in str(explain(circuit, Operator()))


def test_the_sensible_costs_are_those_of_the_processor(monkeypatch):
    monkeypatch.setattr(calibration, "_said_of_processor", lambda name: "fpu avx2 avx512f avx512vl")
    assert default_costs() is DEFAULT
    monkeypatch.setattr(calibration, "_device", lambda: SimpleNamespace(platform="cpu"))
    for said in ("fpu avx2 fma", ""):
        monkeypatch.setattr(calibration, "_said_of_processor", lambda name, said=said: said)
        assert default_costs() is NARROW_VECTORS
    monkeypatch.setattr(calibration, "_device", lambda: SimpleNamespace(platform="gpu"))
    assert default_costs() is DEFAULT


# -------------------------------------------------------------------- the same results


@pytest.mark.parametrize(
    "n, k", [(7, 3), *(pytest.param(n, k, marks=pytest.mark.slow) for n in (5, 7) for k in WIDTHS if (n, k) != (7, 3))]
)
def test_states_and_gradients_are_those_of_the_reference(n, k, plans_by, x64):
    plans_by(costs_for(k))
    circuit, method = crossing(n, 4), Statevector("complex128")
    theta = np.random.default_rng(n).uniform(-3, 3, (4, 2, n))
    want = execute(circuit, params={"theta": theta}, on="numpy", method=method)
    np.testing.assert_allclose(execute(circuit, params={"theta": theta}, method=method), want, atol=1e-12)
    assert _compile.plan_of(circuit).k == k
    energy = Expectation(Z(0) @ X(n - 1) + 0.5 * Z(n // 2))

    def value(theta, **how):
        return execute(circuit, energy, {"theta": theta}, method=method, **how)

    adjoint = jax.grad(value)(jnp.asarray(theta))
    backprop = jax.grad(lambda t: value(t, gradient=Backprop()))(jnp.asarray(theta))
    np.testing.assert_allclose(adjoint, backprop, atol=1e-12)
    step = np.zeros_like(theta)
    step[1, 0, n - 1] = 1e-6
    slope = (value(theta + step, on="numpy") - value(theta - step, on="numpy")) / 2e-6
    np.testing.assert_allclose(adjoint[1, 0, n - 1], slope, atol=1e-8)


@pytest.mark.parametrize("k", WIDTHS)
def test_batches_are_what_runs_one_by_one_are(k, plans_by):
    plans_by(costs_for(k))
    circuit, rng = classifier(7, 3), np.random.default_rng(0)
    x, w = rng.uniform(-2, 2, (5, 7)).astype(np.float32), rng.uniform(-2, 2, 42).astype(np.float32)
    got = execute(circuit, Expectation(Z(0) @ Z(6)), {"x": x, "w": w})
    assert _compile.batched_plan_of(circuit, frozenset({"x"})).k == k
    want = [execute(circuit, Expectation(Z(0) @ Z(6)), {"x": row, "w": w}, on="numpy") for row in x]
    np.testing.assert_allclose(got, want, atol=2e-6)


@pytest.mark.parametrize("k", WIDTHS)
def test_initial_states_and_unitaries_in_any_width(k, plans_by):
    plans_by(costs_for(k))
    circuit = crossing(6, 3)
    theta = np.random.default_rng(1).uniform(-3, 3, (3, 2, 6)).astype(np.float32)
    psi = np.random.default_rng(2).normal(size=64) + 0j
    psi /= np.linalg.norm(psi)
    found = {}
    for on in (None, "numpy"):
        how = {} if on is None else {"on": on}
        given = execute(circuit, State(), {"theta": theta}, initial_state=psi, **how)
        bits = execute(circuit, State(), {"theta": theta}, initial_state="010011", **how)
        whole = execute(circuit, Operator(), {"theta": theta}, **how)
        found[on] = (given, bits, whole)
    for got, want in zip(found[None], found["numpy"], strict=True):
        np.testing.assert_allclose(got, want, atol=3e-6)


def test_explain_says_how_wide(plans_by):
    plans_by(costs_for(3))
    assert "blocks of 3 qubits" in str(explain(layered(9, 4), Expectation(Z(0))))
    plans_by(costs_for(4))
    assert "blocks of 4 qubits" in str(explain(layered(9, 4), Expectation(Z(0))))
    one = Circuit(1).rx(Parameter("t"), 0)
    assert "1 block of 1 qubits" in str(explain(one, Expectation(Z(0))))


@pytest.mark.slow
@pytest.mark.parametrize("k", WIDTHS)
def test_windows_that_are_not_equally_far_apart_take_five_states_too(k, plans_by):
    plans_by(costs_for(k))
    n, layers = 17, 2  # a remainder in every width
    theta, circuit = ParameterVector("theta", (layers, 2)), Circuit(n)
    for layer in range(layers):
        for q in range(n):
            circuit.rzz(theta[layer, 0], q, (q + 1) % n).rzz(theta[layer, 0], q, (q + 6) % n)
        circuit.rx([theta[layer, 1]] * n, range(n))
    energy = Expectation(sum(Z(q) @ Z((q + 1) % n) for q in range(n)))
    step = jax.jit(jax.value_and_grad(lambda t: execute(circuit, energy, {"theta": t})))
    memory = step.lower(jax.ShapeDtypeStruct((layers, 2), jnp.float32)).compile().memory_analysis()
    assert _compile.plan_of(circuit).k == k
    assert memory.temp_size_in_bytes / (8 << n) <= 5
