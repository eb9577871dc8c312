"""Circuits as layers of PyTorch: values and gradients of `execute`, shared memory, training, saved state."""

from __future__ import annotations

import copy

import jax
import jax.numpy as jnp
import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from qsim import Circuit, Parameter, Z, execute
from qsim._errors import QsimError
from qsim.layers import torch as bridge
from qsim.layers.torch import QuantumLayer
from qsim.library import data_reuploading, hardware_efficient
from qsim.methods import Statevector
from qsim.results import Counts, Expectation, Probabilities, State
from qsim.testing import trace_count

CIRCUIT = data_reuploading(2, 2)
RESULTS = [Expectation(Z(0)), Expectation(Z(1))]
X = np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)


def layer_of(**options) -> QuantumLayer:
    return QuantumLayer(CIRCUIT, RESULTS, inputs="x", key=jax.random.key(0), **options)


def direct(weights, x):
    return jnp.stack(execute(CIRCUIT, RESULTS, {**weights, "x": x}), axis=-1)


def weights_of(layer):
    return {name: value.detach().numpy() for name, value in layer.weights.items()}


def test_values_and_gradients_are_those_of_execute():
    layer, x = layer_of(), torch.tensor(X, requires_grad=True)
    found = layer(x)
    assert found.dtype == torch.float32 and found.shape == (6, 2) and found.requires_grad
    np.testing.assert_allclose(found.detach(), direct(weights_of(layer), X), atol=1e-6)
    (found**2).sum().backward()
    slopes, by_x = jax.grad(lambda w, x: jnp.sum(direct(w, x) ** 2), argnums=(0, 1))(weights_of(layer), jnp.asarray(X))
    np.testing.assert_allclose(x.grad, by_x, atol=1e-5)
    for name, value in layer.weights.items():
        np.testing.assert_allclose(value.grad, slopes[name], atol=1e-5)
    with torch.no_grad():
        quiet = layer(x)
    assert not quiet.requires_grad
    np.testing.assert_allclose(quiet, found.detach(), atol=1e-6)


def test_double_precision_by_finite_differences(x64):
    layer = layer_of(dtype=torch.float64, method=Statevector(jnp.complex128))
    x = torch.tensor(X[:2], dtype=torch.float64, requires_grad=True)
    assert layer(x).dtype == torch.float64

    def by(theta, weight, x):
        return torch.func.functional_call(layer, {"weights.theta": theta, "weights.weight": weight}, (x,))

    values = [layer.weights[name].detach().clone().requires_grad_() for name in ("theta", "weight")]
    assert torch.autograd.gradcheck(by, (*values, x), eps=1e-6, atol=1e-6)


def test_complex_results_have_pytorchs_gradients(x64):
    circuit = Circuit(1).rx(Parameter("a"), 0).rz(Parameter("b"), 0)
    layer = QuantumLayer(
        circuit, State(), dtype=torch.float64, method=Statevector(jnp.complex128), init={"a": 0.3, "b": 0.8}
    )

    def by(a, b):
        return torch.func.functional_call(layer, {"weights.a": a, "weights.b": b}, ())

    values = [layer.weights[name].detach().clone().requires_grad_() for name in ("a", "b")]
    assert by(*values).dtype == torch.complex128
    assert torch.autograd.gradcheck(by, values, eps=1e-6, atol=1e-6)
    loss = lambda a, b: (by(a, b) * torch.tensor([0.3 + 0.1j, -0.2 + 1j], dtype=torch.complex128)).sum().abs()  # noqa: E731
    assert torch.autograd.gradcheck(loss, values, eps=1e-6, atol=1e-6)


def test_memory_is_shared_and_nothing_is_traced_again():
    tensor = torch.arange(6.0)
    (array,) = bridge._to_jax([tensor])
    assert array.unsafe_buffer_pointer() == tensor.data_ptr()
    array = jnp.arange(6.0)
    assert bridge._to_torch(array).data_ptr() == array.unsafe_buffer_pointer()
    layer = layer_of()
    x = torch.tensor(X)

    def step():
        layer(x).sum().backward()

    step()
    before = trace_count()
    step()
    assert trace_count() == before


def test_other_layouts_of_tensors():
    layer, expected = layer_of(), None
    wide = torch.randn(6, 5, dtype=torch.float64)
    for view in (wide[:, 1:3], wide[:, 1:3].contiguous(), wide.t()[1:3].t(), wide[:, 1:3].clone().float()):
        found = layer(view).detach()
        expected = found if expected is None else expected
        np.testing.assert_allclose(found, expected, atol=1e-6)
    assert layer(torch.zeros(2, 3, 2)).shape == (2, 3, 2) and layer(torch.zeros(2)).shape == (2,)
    assert layer(torch.zeros(0, 2)).shape == (0, 2)


def test_pytrees_of_results_and_frozen_weights():
    layer = QuantumLayer(CIRCUIT, {"e": RESULTS[0], "p": Probabilities()}, inputs="x")
    layer.requires_grad_(False)
    x = torch.tensor(X, requires_grad=True)
    found = layer(x)
    assert found["e"].shape == (6,) and found["p"].shape == (6, 4)
    found["e"].sum().backward()  # the other result has no gradient
    assert x.grad.abs().sum() > 0 and all(value.grad is None for value in layer.parameters())
    first = QuantumLayer(CIRCUIT, RESULTS, inputs="x", shots=200)
    torch.manual_seed(5)
    a = first(x)
    torch.manual_seed(5)
    np.testing.assert_array_equal(a.detach(), first(x).detach())
    assert not torch.equal(a, first(x)) and torch.equal(
        first(x, key=jax.random.key(1)), first(x, key=jax.random.key(1))
    )
    counts = QuantumLayer(CIRCUIT, Counts(shots=10), inputs="x")(torch.zeros(2), key=jax.random.key(0))
    assert int(counts.counts.sum()) == 10


def test_a_weight_changed_before_backward_is_noticed():
    layer = layer_of()
    found = layer(torch.tensor(X)).sum()
    with torch.no_grad():
        layer.weights["theta"].add_(1.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        found.backward()


def test_it_trains_is_saved_and_copied(tmp_path):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), layer_of(), torch.nn.Linear(2, 1))
    x = torch.tensor(X)
    target = torch.sign(x[:, 0] * x[:, 1])
    optimizer = torch.optim.Adam(model.parameters(), 0.1)
    losses = []
    for _ in range(40):
        optimizer.zero_grad()
        loss = torch.mean((model(x)[:, 0] - target) ** 2)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.1 * losses[0]
    assert {"1.weights.theta", "1.weights.weight"} <= set(model.state_dict())
    torch.save(model.state_dict(), tmp_path / "model.pt")
    other = torch.nn.Sequential(
        torch.nn.Linear(2, 2), QuantumLayer(CIRCUIT, RESULTS, inputs="x"), torch.nn.Linear(2, 1)
    )
    assert not torch.equal(other(x), model(x))
    other.load_state_dict(torch.load(tmp_path / "model.pt", weights_only=True))
    assert torch.equal(other(x), model(x)) and torch.equal(copy.deepcopy(model)(x), model(x))
    double = copy.deepcopy(model).double()
    np.testing.assert_allclose(double(x.double()).detach(), model(x).detach(), atol=1e-5)


def test_bad_arguments_are_named():
    assert QuantumLayer(hardware_efficient(2, 1), Expectation(Z(0)))().shape == ()
    assert QuantumLayer(Circuit(1).x(0), Expectation(Z(0)))().item() == -1
    for call, words in [
        (lambda: layer_of()(), "given 0"),
        (lambda: layer_of()(torch.zeros(6, 3)), r"shape \(2,\)"),
        (lambda: layer_of()(torch.zeros(6, 2), torch.zeros(6, 2)), "given 2"),
        (lambda: layer_of()(X), "must be a torch.Tensor"),
        (lambda: layer_of()(torch.zeros(6, 2, dtype=torch.int64)), "float32 or float64"),
        (lambda: layer_of()(torch.zeros(6, 2, device="meta")), "CPU"),
        (lambda: layer_of(dtype=torch.float16), "dtype"),
        (lambda: QuantumLayer(CIRCUIT, RESULTS, inputs="y"), "'y'"),
        (lambda: layer_of(init={"x": 0}), "no weight"),
    ]:
        with pytest.raises(QsimError, match=words):
            call()
