"""Circuits as layers of equinox: values and gradients of `execute`, transforms, training, saved leaves."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

pytest.importorskip("equinox")

import equinox as eqx

from qsim import Z, execute
from qsim._errors import QsimError
from qsim.layers.equinox import QuantumLayer
from qsim.library import data_reuploading, hardware_efficient
from qsim.results import Expectation

CIRCUIT = data_reuploading(2, 2)
RESULTS = [Expectation(Z(0)), Expectation(0.5 * Z(1))]
X = np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)


def layer_of(seed: int = 0, **options) -> QuantumLayer:
    return QuantumLayer(CIRCUIT, RESULTS, inputs="x", key=jax.random.key(seed), **options)


def direct(weights, x):
    return jnp.stack(execute(CIRCUIT, RESULTS, {**weights, "x": x}), axis=-1)


def test_values_and_gradients_are_those_of_execute():
    layer = layer_of()
    np.testing.assert_allclose(layer(X), direct(layer.weights, X), atol=1e-6)
    found = eqx.filter_grad(lambda m: jnp.sum(m(X) ** 2))(layer)
    expected = jax.grad(lambda w: jnp.sum(direct(w, X) ** 2))(layer.weights)
    assert jax.tree.structure(found.weights) == jax.tree.structure(expected)
    assert len(jax.tree.leaves(found)) == len(jax.tree.leaves(layer)) == 2, "weights and nothing else are trained"
    for name, slope in expected.items():
        np.testing.assert_allclose(found.weights[name], slope, atol=1e-5)


def test_transforms_and_shapes():
    layer = layer_of()
    expected = layer(X)
    assert expected.shape == (6, 2) and layer(X[0]).shape == (2,) and layer(X.reshape(2, 3, 2)).shape == (2, 3, 2)
    np.testing.assert_allclose(eqx.filter_jit(layer)(X), expected, atol=1e-6)
    np.testing.assert_allclose(jax.vmap(layer)(X), expected, atol=1e-6)
    many = eqx.filter_vmap(lambda k: QuantumLayer(CIRCUIT, RESULTS, inputs="x", key=k))(
        jax.random.split(jax.random.key(0), 3)
    )
    assert eqx.filter_vmap(lambda m, x: m(x), in_axes=(0, None))(many, X).shape == (3, 6, 2)
    assert jax.tree.structure(layer) == jax.tree.structure(layer_of(1))
    np.testing.assert_allclose(jax.tree.map(lambda a, b: a - b, layer, layer).weights["theta"], 0)


def test_it_trains_and_is_saved(tmp_path):
    first, last = jax.random.split(jax.random.key(3))
    before = eqx.nn.Linear(2, 2, key=first)
    after = eqx.nn.Linear(2, 1, key=last)
    model, target = (before, layer_of(), after), jnp.sign(X[:, 0] * X[:, 1])
    optimizer = optax.adam(0.1)
    state = optimizer.init(eqx.filter(model, eqx.is_inexact_array))

    def loss(model):
        before, circuit, after = model
        return jnp.mean((jax.vmap(after)(circuit(jax.vmap(before)(X)))[:, 0] - target) ** 2)

    @eqx.filter_jit
    def step(model, state):
        value, slopes = eqx.filter_value_and_grad(loss)(model)
        change, state = optimizer.update(slopes, state)
        return eqx.apply_updates(model, change), state, value

    losses = []
    for _ in range(40):
        model, state, value = step(model, state)
        losses.append(float(value))
    assert losses[-1] < 0.1 * losses[0]
    eqx.tree_serialise_leaves(tmp_path / "layer.eqx", model[1])
    loaded = eqx.tree_deserialise_leaves(tmp_path / "layer.eqx", layer_of(5))
    np.testing.assert_array_equal(loaded(X), model[1](X))


def test_without_inputs_with_shots_and_bad_arguments():
    bare = QuantumLayer(hardware_efficient(2, 1), Expectation(Z(0)), key=jax.random.key(0))
    assert bare().shape == ()
    sampled = layer_of(shots=100)
    assert sampled(X, key=jax.random.key(0)).shape == (6, 2)
    for call, words in [
        (lambda: sampled(X), "key"),
        (lambda: layer_of()(), "given 0"),
        (lambda: layer_of()(np.ones((6, 3))), r"shape \(2,\)"),
        (lambda: QuantumLayer(CIRCUIT, RESULTS, inputs="y", key=jax.random.key(0)), "'y'"),
        (lambda: layer_of(init={"x": 0}), "no weight"),
    ]:
        with pytest.raises(QsimError, match=words):
            call()
