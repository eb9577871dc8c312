"""What layers of all frameworks share, and quantum kernels; no framework needed."""

from __future__ import annotations

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qsim import Circuit, Parameter, ParameterVector, Z, execute
from qsim._errors import QsimError
from qsim.backends.registry import find_backend
from qsim.gradients import Adjoint
from qsim.layers import kernel_matrix
from qsim.layers.program import make_program
from qsim.library import data_reuploading, fidelity_circuit, zz_feature_map
from qsim.methods import Statevector
from qsim.results import Counts, Expectation, Probabilities, State

CIRCUIT = data_reuploading(2, 2)
RESULTS = [Expectation(Z(0)), Expectation(Z(1))]


def test_values_are_those_of_execute():
    program = make_program(CIRCUIT, RESULTS, "x", on="numpy")
    weights = program.initial(jax.random.key(0))
    assert program.shapes == {"theta": (2, 2, 3), "weight": (2, 2, 2)} == {k: v.shape for k, v in weights.items()}
    x = np.random.default_rng(0).normal(size=(2, 3, 2))
    found = program(weights, [x])
    expected = execute(CIRCUIT, tuple(RESULTS), {**weights, "x": x}, on="numpy")
    np.testing.assert_allclose(found, np.stack(expected, axis=-1), atol=1e-6)
    results = {"a": tuple(RESULTS), "b": Probabilities()}
    program = make_program(CIRCUIT, results, ["x"], on="numpy")
    shapes = jax.tree.map(jnp.shape, program(weights, [x]))
    assert shapes == {"a": ((2, 3), (2, 3)), "b": (2, 3, 4)}


def test_several_inputs_come_in_the_order_of_their_names():
    circuit = Circuit(1).rx(Parameter("b"), 0).ry(ParameterVector("a", 1)[0], 0).rz(Parameter("w"), 0).rx(0.3, 0)
    program = make_program(circuit, Expectation(Z(0)), [Parameter("b"), "a"], on="numpy")
    b, a, w = np.array([0.1, 0.2, 0.3]), np.array([0.5]), jnp.asarray(0.7)
    expected = execute(circuit, Expectation(Z(0)), {"b": b, "a": a, "w": w}, on="numpy")
    np.testing.assert_allclose(program({"w": w}, [b, a]), expected, atol=1e-6)


def test_execute_options_reach_execute():
    circuit = Circuit(1).ry(Parameter("x"), 0)
    program = make_program(circuit, Counts(), "x", on="numpy", shots=50)
    found = program({}, [np.array(1.0)], jax.random.key(2))
    expected = execute(circuit, Counts(), {"x": 1.0}, on="numpy", shots=50, key=jax.random.key(2))
    np.testing.assert_array_equal(found.counts, expected.counts)
    with pytest.raises(QsimError, match="needs a key"):
        program({}, [np.array(1.0)])
    with pytest.raises(QsimError, match="cannot differentiate estimates"):
        make_program(circuit, [Expectation(Z(0))], "x", shots=5, gradient=Adjoint())({}, [1.0], jax.random.key(0))
    state = make_program(circuit, State(), "x", on="numpy", initial_state="1")
    np.testing.assert_allclose(state({}, [0.0]), [0, 1], atol=1e-6)
    with pytest.raises(QsimError, match="qubits"):
        make_program(circuit, State(), "x", qubits=[0, 0])({}, [0.0])


def test_initial_weights():
    program = make_program(CIRCUIT, RESULTS, "x")
    one, same, other = (program.initial(jax.random.key(k)) for k in (0, 0, 1))
    assert all(jnp.array_equal(one[name], same[name]) and not jnp.array_equal(one[name], other[name]) for name in one)
    many = make_program(data_reuploading(8, 40), RESULTS, "x").initial(jax.random.key(0))
    assert float(many["theta"].std()) == pytest.approx(0.1, rel=0.1)
    assert not jnp.array_equal(many["theta"][0, 0, :2], many["weight"][0, 0, :2])
    ones = program.initial(jax.random.key(0), jax.nn.initializers.ones)
    assert all((value == 1).all() for value in ones.values())
    mixed = program.initial(jax.random.key(0), {"theta": np.full((2, 2, 3), 0.5)})
    assert (mixed["theta"] == 0.5).all() and jnp.array_equal(mixed["weight"], one["weight"])


def test_programs_are_equal_where_they_do_the_same():
    make = lambda **options: make_program(data_reuploading(2, 2), RESULTS, "x", **options)  # noqa: E731
    assert make() == make() and hash(make()) == hash(make())
    assert make(method=Statevector()) == make(method=Statevector())
    different = [
        make(),
        make(shots=3),
        make(initial_state="01"),
        make(initial_state=np.ones(4) / 2),
        make_program(data_reuploading(2, 2), RESULTS, ()),
        make_program(data_reuploading(2, 3), RESULTS, "x"),
        make_program(data_reuploading(2, 2), [2 * RESULTS[0]], "x"),
    ]
    assert all((a == b) == (i == j) for i, a in enumerate(different) for j, b in enumerate(different))
    circuit = data_reuploading(2, 2)
    kept = make_program(circuit, RESULTS, "x")
    circuit.x(0)
    assert kept == make()


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: make_program("c", RESULTS), "`circuit` must be a Circuit"),
        (lambda: make_program(CIRCUIT, []), "`results` must hold results"),
        (lambda: make_program(CIRCUIT, RESULTS, "y"), "`inputs` names 'y', which is no parameter"),
        (lambda: make_program(CIRCUIT, RESULTS, "wieght"), "Did you mean 'weight'"),
        (lambda: make_program(CIRCUIT, RESULTS, ["x", "x"]), "'x' twice"),
        (lambda: make_program(CIRCUIT, RESULTS, 3), "inputs"),
        (lambda: make_program(CIRCUIT, RESULTS, method="statevector"), "method"),
        (lambda: make_program(CIRCUIT, RESULTS, gradient="adjoint"), "gradient"),
        (lambda: make_program(CIRCUIT, RESULTS, "x").initial(jax.random.key(0), {"x": 0}), "'x', no weight"),
        (lambda: make_program(CIRCUIT, RESULTS, "x").initial(jax.random.key(0), {"theta": 0}), r"shape \(2, 2, 3\)"),
        (lambda: make_program(CIRCUIT, RESULTS, "x").initial(jax.random.key(0), 0.1), "`init` must be a function"),
        (lambda: make_program(CIRCUIT, RESULTS, "x").initial(None), "must be one JAX key, but is None"),
        (lambda: layer_of("x")(), "given 0"),
        (lambda: layer_of("x")(np.ones(2), np.ones(2)), "given 2"),
        (lambda: layer_of("x")(np.ones((5, 3))), r"Parameter `x` has shape \(2,\).*\(5, 3\)"),
        (lambda: layer_of("x")("words"), "`x` must be real numbers"),
        (lambda: layer_of("x", [Probabilities([0]), Expectation(Z(0))], on="numpy")(np.ones(2)), "must have one shape"),
    ],
)
def test_bad_arguments_are_named(call, words):
    with pytest.raises(QsimError, match=words):
        call()


def layer_of(inputs, results=RESULTS, on=None):
    program = make_program(CIRCUIT, results, inputs, on=on)
    weights = program.initial(jax.random.key(0))
    return lambda *values: program(weights, values)


def test_a_missing_framework_is_one_error_with_its_fix():
    code = """
import importlib, sys
for name in ("flax", "equinox", "torch"):
    sys.modules[name] = None
    try:
        importlib.import_module("qsim.layers." + name)
    except Exception as error:
        print(type(error).__name__, error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    for line, name in zip(done.stdout.splitlines(), ("flax", "equinox", "torch"), strict=True):
        assert line.startswith(f"BackendError qsim.layers.{name} needs ")
        assert line.endswith(f'Try pip install "qsim-jax[{name}]".')


# ---------------------------------------------------------------- kernels

FEATURES = zz_feature_map(2)
X, Y = np.random.default_rng(3).normal(size=(2, 5, 2))
TRAINED = Circuit(2).ry(ParameterVector("x", 2) * 1.0, range(2)).rz(Parameter("w"), 0)


def test_kernel_matrix_is_the_overlap_of_each_pair():
    left, right = (np.asarray(execute(FEATURES, State(), {"x": data}, on="numpy")) for data in (X, Y))
    np.testing.assert_allclose(kernel_matrix(FEATURES, X, Y, on="numpy"), abs(left @ right.conj().T) ** 2, atol=1e-6)
    same = jax.jit(lambda x: kernel_matrix(FEATURES, x))(X)
    np.testing.assert_allclose(same, abs(left @ left.conj().T) ** 2, atol=1e-6)
    assert np.diag(same).tolist() == [1.0] * 5 and np.linalg.eigvalsh(same).min() > -1e-6
    np.testing.assert_allclose(kernel_matrix(FEATURES, X, on="numpy"), same, atol=1e-6)


def test_kernel_matrix_has_gradients_by_trained_parameters():
    circuit = Circuit(1).ry(ParameterVector("x", 1)[0] * Parameter("w"), 0)
    entry = lambda w: kernel_matrix(circuit, np.array([[0.7]]), np.array([[0.2]]), {"w": w})[0, 0]  # noqa: E731
    value, slope = jax.value_and_grad(entry)(1.5)
    assert float(value) == pytest.approx(np.cos(0.5 * 1.5 / 2) ** 2, abs=1e-6)
    assert float(slope) == pytest.approx(-0.25 * np.sin(0.5 * 1.5), abs=1e-5)


def test_sampled_kernels_scatter_as_they_should():
    shots, exact = 2000, np.asarray(kernel_matrix(FEATURES, X, Y, on="numpy"))
    found = kernel_matrix(FEATURES, X, Y, on="numpy", shots=shots, key=jax.random.key(0))
    pulls = (found - exact) / np.sqrt(exact * (1 - exact) / shots)
    assert 0.5 < np.std(pulls) < 1.5 and np.abs(pulls).max() < 5
    same = kernel_matrix(FEATURES, X, on="numpy", shots=shots, key=jax.random.key(0))
    assert np.array_equal(same, same.T) and np.diag(same).tolist() == [1.0] * 5


def test_kernels_of_a_backend_without_states_are_measured(monkeypatch):
    backend = type(find_backend("numpy"))
    monkeypatch.setattr(backend, "supports", lambda self, result: not isinstance(result, State))
    circuit = Circuit(2).ry(ParameterVector("x", 2) * 1.0, range(2)).rz(Parameter("w"), 0).cx(0, 1)
    exact = kernel_matrix(circuit, X, Y, {"w": 0.4}, on="numpy")
    states = [np.asarray(execute(circuit, State(), {"x": d, "w": 0.4})) for d in (X, Y)]
    np.testing.assert_allclose(exact, abs(states[0] @ states[1].conj().T) ** 2, atol=1e-6)
    assert {"w_other", "x_other"} <= set(fidelity_circuit(circuit).parameter_shapes())
    found = kernel_matrix(circuit, X, Y, {"w": 0.4}, on="numpy", shots=4000, key=jax.random.key(0))
    assert 0 < np.abs(found - exact).max() < 0.05


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: kernel_matrix(FEATURES, X[0]), r"`x` must be samples of shape \(m, 2\)"),
        (lambda: kernel_matrix(FEATURES, X, Y[:, :1]), r"`y` must be samples of shape \(m, 2\).*\(5, 1\)"),
        (lambda: kernel_matrix(FEATURES, [[1.0], [1.0, 2.0]]), "ragged"),
        (lambda: kernel_matrix(FEATURES, X, inputs="z"), "'z'"),
        (lambda: kernel_matrix(FEATURES, X, shots=5), "needs a key"),
        (lambda: kernel_matrix(FEATURES, X, shots=5, key=np.zeros(3)), "must be one JAX key"),
        (lambda: kernel_matrix(TRAINED, X, params={"w": np.zeros(5)}), r"without batch axes, but `w` has shape \(5,\)"),
        (lambda: kernel_matrix(TRAINED, X, params={"w": [[0], [0, 1]]}), "without batch axes.*ragged"),
        (lambda: kernel_matrix(FEATURES, X, shots=0, key=jax.random.key(0)), "shots"),
        (lambda: kernel_matrix(data_reuploading(2, 1), X), "No value for parameters `theta`, `weight`"),
        (lambda: kernel_matrix(FEATURES.copy().measure_all(), X), "measurements"),
        (lambda: kernel_matrix(X, FEATURES), "Circuit"),
    ],
)
def test_bad_kernels_are_named(call, words):
    with pytest.raises(QsimError, match=words):
        call()
