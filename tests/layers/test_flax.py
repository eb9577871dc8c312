"""Circuits as layers of flax.nnx: values and gradients of `execute`, transforms, training, state."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

pytest.importorskip("flax")

from flax import nnx

from qsim import Z, execute
from qsim._errors import QsimError
from qsim.layers.flax import QuantumLayer
from qsim.library import data_reuploading, hardware_efficient
from qsim.results import Expectation

CIRCUIT = data_reuploading(2, 2)
RESULTS = [Expectation(Z(0)), Expectation(Z(1))]
X = np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)


def layer_of(seed: int = 0, **options) -> QuantumLayer:
    return QuantumLayer(CIRCUIT, RESULTS, inputs="x", rngs=nnx.Rngs(seed), **options)


def direct(weights, x):
    return jnp.stack(execute(CIRCUIT, RESULTS, {**weights, "x": x}), axis=-1)


def weights_of(layer):
    return {name: layer.weights[name][...] for name in ("theta", "weight")}


def test_values_and_gradients_are_those_of_execute():
    layer = layer_of()
    np.testing.assert_allclose(layer(X), direct(weights_of(layer), X), atol=1e-6)
    found = nnx.grad(lambda m: jnp.sum(m(X) ** 2))(layer)
    expected = jax.grad(lambda w: jnp.sum(direct(w, X) ** 2))(weights_of(layer))
    for name, slope in expected.items():
        np.testing.assert_allclose(found["weights"][name][...], slope, atol=1e-5)
    slopes = jax.grad(lambda x: jnp.sum(layer(x)))(jnp.asarray(X))
    np.testing.assert_allclose(slopes, jax.grad(lambda x: jnp.sum(direct(weights_of(layer), x)))(X), atol=1e-5)


def test_transforms_and_shapes():
    layer = layer_of()
    expected = layer(X)
    assert expected.shape == (6, 2) and layer(X[0]).shape == (2,) and layer(X.reshape(2, 3, 2)).shape == (2, 3, 2)
    np.testing.assert_allclose(nnx.jit(lambda m, x: m(x))(layer, X), expected, atol=1e-6)
    np.testing.assert_allclose(nnx.vmap(lambda m, x: m(x), in_axes=(None, 0))(layer, X), expected, atol=1e-6)
    assert jax.tree.structure(nnx.split(layer)[0]) == jax.tree.structure(nnx.split(layer_of(1))[0])
    assert nnx.split(layer)[0] == nnx.split(layer_of(1))[0]


def test_it_trains_between_other_layers():
    class Model(nnx.Module):
        def __init__(self, rngs):
            self.before, self.circuit, self.after = nnx.Linear(2, 2, rngs=rngs), layer_of(), nnx.Linear(2, 1, rngs=rngs)

        def __call__(self, x):
            return self.after(self.circuit(self.before(x)))[:, 0]

    model, target = Model(nnx.Rngs(1)), jnp.sign(X[:, 0] * X[:, 1])
    optimizer = nnx.Optimizer(model, optax.adam(0.1), wrt=nnx.Param)

    @nnx.jit
    def step(model, optimizer):
        loss, slopes = nnx.value_and_grad(lambda m: jnp.mean((m(X) - target) ** 2))(model)
        optimizer.update(model, slopes)
        return loss

    losses = [float(step(model, optimizer)) for _ in range(40)]
    assert losses[-1] < 0.1 * losses[0]
    state = nnx.state(model)
    other = Model(nnx.Rngs(2))
    nnx.update(other, state)
    np.testing.assert_array_equal(other(X), model(X))


def test_without_inputs_with_shots_and_bad_arguments():
    bare = QuantumLayer(hardware_efficient(2, 1), Expectation(Z(0)), rngs=nnx.Rngs(0))
    assert bare().shape == ()
    sampled = layer_of(shots=100)
    assert sampled(X, key=jax.random.key(0)).shape == (6, 2)
    for call, words in [
        (lambda: sampled(X), "key"),
        (lambda: layer_of()(), "given 0"),
        (lambda: layer_of()(np.ones((6, 3))), r"shape \(2,\)"),
        (lambda: QuantumLayer(CIRCUIT, RESULTS, inputs="y", rngs=nnx.Rngs(0)), "'y'"),
        (lambda: layer_of(init={"x": 0}), "no weight"),
    ]:
        with pytest.raises(QsimError, match=words):
            call()
