"""Sweeps over windows, of which passes may use any: columns of cotangents, and gradients where windows are left out."""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qsim import Circuit, Parameter, ParameterVector, X, Z, execute
from qsim._compile import plan_of
from qsim.engine.sweeps import _columns, _rotate
from qsim.gradients import Adjoint, Backprop
from qsim.kernels.packed import columns
from qsim.lower import cost
from qsim.lower.calibration import DEFAULT, MOST
from qsim.lower.plan import Sweeps, once
from qsim.methods import Statevector
from qsim.results import Expectation, State


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("n, k", [(5, 4), (6, 2), (8, 4), (9, 4), (4, 4), (3, 1)])
def test_the_columns_of_a_rotated_state_at_any_distance(n, k, batch):
    x = jnp.asarray(np.random.default_rng(n).normal(size=(batch, 1 << (n - k), 2 << k)))
    for bits in range(n - k + 1):
        want = columns(_rotate(x, bits).reshape(-1, 2 << k))
        np.testing.assert_array_equal(_columns(x, bits, k), want, err_msg=f"{bits} bits")


@pytest.fixture(autouse=True)
def windows_of_four_qubits(plans_by):
    """Whatever the processor: sweeps, in blocks of four qubits."""
    plans_by(replace(DEFAULT, gather=MOST, product_2=MOST, product_3=MOST))


def passes_of(circuit: Circuit) -> list[tuple[tuple[int, int], ...]]:
    return [segment.used for segment in plan_of(circuit).segments if isinstance(segment, Sweeps)]


def skips_a_window(used: tuple[tuple[int, int], ...]) -> bool:
    return any(a[0] == b[0] and b[1] - a[1] > 1 for a, b in zip(used, used[1:], strict=False))


def assert_adjoint_is_backprop(circuit: Circuit, params: dict[str, np.ndarray]) -> None:
    observable = Z(0) @ X(circuit.num_qubits - 1) + 0.5 * Z(1)

    def energy(values, rule):
        got = execute(circuit, Expectation(observable), values, method=Statevector("complex128"), gradient=rule)
        return jnp.sum(jnp.sin(got))

    slopes = [jax.grad(energy)(params, rule) for rule in (Adjoint(), Backprop())]
    for name in params:
        np.testing.assert_allclose(slopes[0][name], slopes[1][name], atol=1e-12, err_msg=name)


@pytest.mark.parametrize("n", [10, pytest.param(13, marks=pytest.mark.slow)])
def test_gradients_of_a_pass_that_leaves_out_the_windows_between(n, x64):
    theta, at = ParameterVector("theta", 2 * n + 12), iter(range(2 * n + 12))
    circuit = Circuit(n)
    for _ in range(2):
        for q in range(n):
            circuit.ry(theta[next(at)], q)
        circuit.cz(range(n - 1), range(1, n))
    ends = (0, 1, n - 2, n - 1)
    for q in ends:
        circuit.ry(theta[next(at)], q).rx(theta[next(at)], q)
    circuit.cz(0, n - 1)
    for q in ends:
        circuit.ry(theta[next(at)], q)
    assert any(skips_a_window(used) for used in passes_of(circuit))
    assert_adjoint_is_backprop(circuit, {"theta": np.random.default_rng(n).normal(size=2 * n + 12)})


@pytest.mark.parametrize("n", [10, pytest.param(12, marks=pytest.mark.slow)])
def test_gradients_of_a_batch_of_gates_at_both_ends(n, x64):
    x, w, circuit = Parameter("x"), ParameterVector("w", 8), Circuit(n)
    for first in (0, 4):
        circuit.ry(w[first], 0).ry(w[first + 1], n - 1).rz(x, 0).rzz(x, 0, n - 1)
        circuit.ry(w[first + 2], 1).rx(w[first + 3], n - 2)
    rng = np.random.default_rng(n)
    assert_adjoint_is_backprop(circuit, {"x": rng.normal(size=3), "w": rng.normal(size=8)})


@pytest.mark.parametrize("layers, seed", [(1, 3), (1, 4), (2, 5), (4, 3)])
def test_gradients_of_any_windows(layers, seed, x64):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(10, 14))
    theta, at = ParameterVector("theta", layers * n), iter(range(layers * n))
    circuit = Circuit(n)
    for _ in range(layers):
        for q in sorted(rng.permutation(n)[: rng.integers(2, n)].tolist()):
            circuit.rx(0.3, q).ry(theta[next(at)], q)
        circuit.cz(*rng.permutation(n)[:2].tolist())
    assert passes_of(circuit)
    assert_adjoint_is_backprop(circuit, {"theta": rng.normal(size=layers * n)})


def test_what_is_known_beforehand_is_not_made_by_the_program(plans_by, monkeypatch, x64):
    n, layers, method = 7, 3, Statevector("complex128")
    theta, circuit = ParameterVector("theta", (layers, n)), Circuit(n)
    for layer in range(layers):  # gates and diagonals of one and of several scales
        circuit.ry(theta[layer], range(n)).sx(range(0, n, 2)).p(theta[layer, 1], 5).rzz(theta[layer, 0], 0, n - 1)
        circuit.cz(range(n - 1), range(1, n)).cz(0, n - 1).rz(theta[layer], range(n))
    values = np.random.default_rng(5).normal(size=(layers, n))
    energy = Expectation(0.5 * Z(0) @ Z(4) - 0.25 * Z(6) + 2 * Z(1) @ Z(2) @ Z(3))
    want = execute(circuit, (State(), energy), {"theta": values}, on="numpy", method=method)
    made, slopes = [], []
    for known in (True, False):
        if not known:
            monkeypatch.setattr(cost, "KNOWN_ENTRIES", 0)
        plans_by(replace(DEFAULT, gather=MOST, product_2=MOST, product_3=MOST))  # no program of the other
        got = execute(circuit, (State(), energy), {"theta": values}, method=method)
        for a, b in zip(got, want, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-12)
        slope = jax.jit(jax.grad(lambda t: execute(circuit, energy, {"theta": t}, method=method)))
        text = slope.lower(values).as_text()
        made.append([text.count(f"stablehlo.{name}") for name in ("iota", "compare EQ")])
        slopes.append(slope(values))
    # known: the row and the column of the start alone. else: products of pairs and of blocks, forward and backward
    assert made[0] == [2, 2] and made[1][0] > 5 and made[1][1] == 6
    np.testing.assert_allclose(slopes[0], slopes[1], atol=1e-12)
    assert_adjoint_is_backprop(circuit, {"theta": values})


def test_factors_that_are_equal_are_kept_once():
    assert [once(np.array(f)).tolist() for f in ([], [0.5], [0.5, 0.5], [0.5, 1])] == [[], [0.5], [0.5], [0.5, 1]]
    theta = ParameterVector("theta", 10)
    circuit = Circuit(10).ry(theta, range(10)).rzz(theta[0], 0, 9).rzz(theta[1], 1, 8).ry(theta, range(10))
    (segment,) = (s for s in plan_of(circuit).segments if isinstance(s, Sweeps))
    (phases,) = segment.phases.values()
    assert segment.waves.scales.tolist() == [0.5] and phases.factors.tolist() == [-0.5]
    assert len(segment.waves) == 20 and len(phases.places) == 2
