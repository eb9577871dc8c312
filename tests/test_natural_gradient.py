"""The metric and the natural gradient: against brute force, in every form, without a loop over parameters."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from benchmarks.optimisers import best, entries, ising, run
from qsim import Circuit, Parameter, ParameterVector, X, Z, execute
from qsim._errors import CircuitError, MemoryLimitError, MethodError, ParameterError, QsimError
from qsim.backends import Reference
from qsim.backends.logical import basis_amplitudes
from qsim.gradients import (
    Backprop,
    ConjugateGradient,
    Direct,
    metric_tensor,
    natural_gradient,
    parameter_layers,
    scale_by_metric,
)
from qsim.gradients.ansatz import Ansatz
from qsim.gradients.metric import metric_product
from qsim.gradients.solvers import solve_block
from qsim.library import hardware_efficient, transverse_field_ising
from qsim.methods import Statevector
from qsim.results import Expectation, State
from qsim.testing import trace_count


def double() -> Statevector:
    return Statevector("complex128")


def mixed() -> Circuit:
    """Expressions, a repeated parameter, a controlled rotation, a scalar beside a vector, names out of order."""
    t, s = ParameterVector("t", (2, 2)), Parameter("s")
    circuit = Circuit(3).h(range(3)).rx(t[0, 0], 0).crz(t[0, 1], 0, 2).ry(2 * s + 0.1, 1).rzz(t[1, 0], 1, 2)
    return circuit.cx(0, 1).rx(t[1, 0], 2).ry(t[1, 1] * t[0, 0], 0).rz(s, 0)


def point(circuit: Circuit) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(7)
    return {name: rng.normal(size=shape) for name, shape in circuit.parameter_shapes().items()}


def brute_force(circuit: Circuit, params: dict[str, np.ndarray]) -> np.ndarray:
    """One parameter after the other: differences of sixth order of the reference backend's states, in NumPy."""

    def state(params):
        return np.asarray(Reference().amplitudes(circuit.bind(params), basis_amplitudes("0" * circuit.num_qubits)))

    step, slopes = 1e-2, []
    weights = {1: 3 / 4, 2: -3 / 20, 3: 1 / 60}
    for name in sorted(params):
        for index in np.ndindex(params[name].shape):
            slope = 0
            for k, weight in weights.items():
                for sign in (1, -1):
                    value = np.array(params[name])
                    value[index] += sign * k * step
                    slope = slope + sign * weight / step * state({**params, name: value})
            slopes.append(slope)
    d, psi = np.array(slopes), state(params)
    return (d.conj() @ d.T - np.outer(d.conj() @ psi, (d.conj() @ psi).conj())).real


CIRCUITS = {"mixed": mixed(), "layered": hardware_efficient(3, 2)}


@pytest.fixture(scope="module")
def oracle():
    return {name: brute_force(circuit, point(circuit)) for name, circuit in CIRCUITS.items()}


@pytest.mark.parametrize("name", CIRCUITS)
def test_metric_equals_the_brute_force_one(name, oracle, x64):
    circuit, params, expected = CIRCUITS[name], point(CIRCUITS[name]), oracle[name]
    flat, unravel = Ansatz(circuit, double()).flat(params)
    layers = parameter_layers(circuit)
    vector = jnp.linspace(-1, 1, flat.size)

    @jax.jit
    def all_forms(params):
        whole = metric_tensor(circuit, params, method=double())
        chunks = metric_tensor(circuit, params, method=double(), chunk=2)
        blocks = metric_tensor(circuit, params, method=double(), blocks=layers)
        return whole, chunks, blocks, metric_product(Ansatz(circuit, double()), flat, unravel)(vector)

    found, chunks, blocks, product = all_forms(params)
    assert found.dtype == np.float64 and np.abs(expected).max() > 0.1
    np.testing.assert_allclose(found, expected, atol=1e-8, rtol=0)
    np.testing.assert_allclose(chunks, expected, atol=1e-8, rtol=0)
    flat = np.concatenate([layers[name].reshape(-1) for name in sorted(layers)])
    same = flat[:, None] == flat[None, :]
    assert not same.all()
    np.testing.assert_allclose(blocks, np.where(same, expected, 0), atol=1e-8, rtol=0)
    np.testing.assert_allclose(product, expected @ vector, atol=1e-8, rtol=0)


def test_metric_of_functions_equals_that_of_the_circuit(oracle, x64):
    circuit, params = CIRCUITS["mixed"], point(CIRCUITS["mixed"])
    forms = [
        lambda p: circuit.bind(p),
        lambda p: 2 * execute(circuit, State(), p, method=double(), gradient=Backprop()),  # normalised
    ]
    for form in forms:
        found = jax.jit(lambda p, form=form: metric_tensor(form, p, method=double()))(params)
        np.testing.assert_allclose(found, oracle["mixed"], atol=1e-8, rtol=0)


def test_metric_in_single_precision_and_under_jit_and_vmap(oracle):
    circuit, params = CIRCUITS["mixed"], point(CIRCUITS["mixed"])
    one = jax.tree.map(lambda a: jnp.asarray(a, jnp.float32), params)
    many = jax.tree.map(lambda a: jnp.stack([a, a]), one)
    found = jax.jit(jax.vmap(lambda p: metric_tensor(circuit, p)))(many)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [oracle["mixed"]] * 2, atol=1e-5)


def test_parameter_layers():
    zz, x = ParameterVector("zz", 2), ParameterVector("x", 3)
    chain = Circuit(3).h(range(3)).rzz(zz[0], 0, 1).rzz(zz[1], 1, 2).rx(x, range(3)).rx(x[0], 0)
    assert {k: v.tolist() for k, v in parameter_layers(chain).items()} == {"x": [1, 1, 1], "zz": [0, 0]}
    t = ParameterVector("t", 4)
    crossed = Circuit(2).rx(t[0], 0).cx(0, 1).rx(t[1], 1).ry(t[3], 0)
    assert parameter_layers(crossed)["t"].tolist() == [0, 1, 0, 1]
    assert parameter_layers(Circuit(1).h(0)) == {}


def equations(jaxpr) -> int:
    """How many equations a program has, those inside of others included."""
    inner = [
        v for e in jaxpr.eqns for v in jax.tree.leaves(list(e.params.values()), is_leaf=lambda v: hasattr(v, "eqns"))
    ]
    bodies = [getattr(v, "jaxpr", v) for v in inner if hasattr(v, "eqns") or hasattr(v, "jaxpr")]
    return len(jaxpr.eqns) + sum(map(equations, bodies))


@pytest.mark.parametrize("solver", [Direct(), Direct(chunk=3), ConjugateGradient()], ids=["direct", "chunks", "cg"])
def test_no_loop_over_parameters(solver):
    """A program of 4 times as many parameters is as long, and runs the simulation as often."""
    sizes, runs = [], []
    for layers in (8, 32):
        circuit = hardware_efficient(3, layers)
        params = {"theta": jnp.zeros((layers, 2, 3))}
        optimizer = natural_gradient(circuit, 0.1, solver=solver)
        before = trace_count()
        jaxpr = jax.make_jaxpr(lambda g, p, o=optimizer: o.update(g, o.init(p), p)[0])(params, params)
        runs.append(trace_count() - before)
        sizes.append(equations(jaxpr.jaxpr))
    assert sizes[0] > 100
    assert sizes[1] <= sizes[0] + 10
    assert runs[0] == runs[1] <= 2


def test_solvers_agree_and_solve_the_equation(x64):
    circuit, params = CIRCUITS["layered"], point(CIRCUITS["layered"])
    gradient = jax.tree.map(lambda a: np.cos(a), params)
    right = gradient["theta"].reshape(-1)
    metric = np.asarray(jax.jit(lambda p: metric_tensor(circuit, p, method=double()))(params))
    expected = np.linalg.solve(metric + 0.05 * np.eye(12), right)
    for solver in (Direct(), Direct(rcond=0.0), ConjugateGradient(tol=1e-12)):
        optimizer = scale_by_metric(circuit, damping=0.05, solver=solver, method=double())
        update, _ = jax.jit(optimizer.update)(gradient, optimizer.init(params), params)
        np.testing.assert_allclose(update["theta"].reshape(-1), expected, atol=1e-7, err_msg=str(solver))
    layers = parameter_layers(circuit)
    flat = layers["theta"].reshape(-1)
    blocked = np.where(flat[:, None] == flat[None, :], metric, 0) + 0.05 * np.eye(12)
    optimizer = scale_by_metric(circuit, blocks=layers, damping=0.05, method=double())
    update, _ = jax.jit(optimizer.update)(gradient, optimizer.init(params), params)
    np.testing.assert_allclose(update["theta"].reshape(-1), np.linalg.solve(blocked, right), atol=1e-7)


SOLVE = jax.jit(solve_block, static_argnames=("damping", "rcond"))


def test_pseudoinverse_and_singular_metrics():
    rng = np.random.default_rng(0)
    half = rng.normal(size=(5, 2))
    metric = jnp.asarray(half @ half.T, jnp.float32)
    right = jnp.asarray(half @ rng.normal(size=2), jnp.float32)
    expected = np.linalg.pinv(half @ half.T) @ np.asarray(right)
    np.testing.assert_allclose(SOLVE(metric, right, damping=0.0, rcond=None), expected, atol=1e-3)
    zero = jnp.zeros((3, 3))
    for damping, rcond in ((0.0, None), (1e-3, None), (1e-30, None), (1e-3, 1e-2)):
        for matrix in (zero, jnp.ones((3, 3)), metric[:3, :3]):
            found = SOLVE(matrix, jnp.ones(3), damping=damping, rcond=rcond)
            assert np.isfinite(found).all(), (damping, rcond)
    t = ParameterVector("t", 2)
    still = Circuit(1).rz(t[0], 0).rz(t[1], 0)  # a phase: the metric is 0
    params = {"t": jnp.ones(2)}
    optimizers = [
        natural_gradient(still, 0.1, damping=damping, solver=solver)
        for damping, solver in ((0.0, Direct()), (1e-3, Direct()), (1e-3, ConjugateGradient()))
    ]
    run = jax.jit(lambda p: (metric_tensor(still, p), [o.update(p, o.init(p), p)[0]["t"] for o in optimizers]))
    metric, moves = run(params)
    np.testing.assert_allclose(metric, np.zeros((2, 2)), atol=1e-6)
    assert np.isfinite(moves).all()


def test_it_is_a_pure_optax_transformation():
    """One scan, a schedule, a chain: descends, and each is the same without jit."""
    circuit = hardware_efficient(3, 2)
    energy = lambda p: execute(circuit, Expectation(transverse_field_ising(3)), p)  # noqa: E731
    params = {"theta": jnp.asarray(np.random.default_rng(3).normal(size=(2, 2, 3)), jnp.float32)}
    whole = natural_gradient(circuit, optax.constant_schedule(0.1))
    chained = optax.chain(scale_by_metric(circuit), optax.scale(-0.1))
    ends = []
    for optimizer in (whole, chained):

        def step(carry, _, optimizer=optimizer):
            params, state = carry
            value, gradient = jax.value_and_grad(energy)(params)
            updates, state = optimizer.update(gradient, state, params, value=value)
            return (optax.apply_updates(params, updates), state), value

        (end, _), values = jax.jit(lambda p, step=step, o=optimizer: jax.lax.scan(step, (p, o.init(p)), length=20))(
            params
        )
        assert values[-1] < values[0] - 1
        ends.append(end["theta"])
    np.testing.assert_allclose(*ends, atol=1e-5)
    gradient = {"theta": jnp.ones((2, 2, 3))}
    eager, jitted = (
        update(gradient, whole.init(params), params)[0] for update in (whole.update, jax.jit(whole.update))
    )
    # single precision, and a metric with eigenvalues from the damping of 1e-3 up to 1
    np.testing.assert_allclose(eager["theta"], jitted["theta"], rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_steps_do_not_depend_on_how_the_circuit_is_parametrised(x64):
    """With damping 0, twice the angle per parameter gives half the step of the parameter."""
    u = ParameterVector("u", 2)
    steps = []
    for factor in (1.0, 2.0):
        circuit = Circuit(2).ry(factor * u[0], 0).ry(factor * u[1], 1).cx(0, 1)
        params = {"u": jnp.array([0.4, 1.1]) / factor}
        energy = lambda p, c=circuit: execute(c, Expectation(Z(0) @ Z(1) + X(0)), p, method=double())  # noqa: E731
        optimizer = natural_gradient(circuit, 0.1, damping=0.0, method=double())
        move = jax.jit(lambda p, o=optimizer, e=energy: o.update(jax.grad(e)(p), o.init(p), p)[0])
        steps.append(factor * move(params)["u"])
    np.testing.assert_allclose(*steps, atol=1e-10)


@pytest.mark.slow
def test_it_needs_at_most_half_of_the_steps_of_adam():
    """The Ising chain of 8 spins, to 1e-3: from one start, Adam at its best learning rate of four."""
    problem = ising()
    found = {}
    for name, entry in entries(problem).items():
        if name in ("adam", "natural gradient, full"):
            found[name] = best([run(problem, entry, rate) for rate in entry.rates]).reached
    assert found["natural gradient, full"] is not None
    assert found["adam"] is None or 2 * found["natural gradient, full"] <= found["adam"]


def test_nothing_to_train():
    circuit = Circuit(2).h(0)
    assert metric_tensor(circuit, {}).shape == (0, 0)
    assert metric_tensor(lambda p: circuit, {"a": jnp.zeros((0, 3))}).shape == (0, 0)
    for solver in (Direct(), ConjugateGradient()):
        optimizer = natural_gradient(circuit, 0.1, solver=solver)
        assert optimizer.update({}, optimizer.init({}), {})[0] == {}


ONE = Circuit(1).ry(Parameter("t"), 0)
BAD = {
    "not a circuit": (CircuitError, "Circuit", lambda: natural_gradient("ry", 0.1)),
    "what it returns": (CircuitError, "returned", lambda: metric_tensor(lambda p: 3, {"t": 0.1})),
    "a matrix": (CircuitError, r"shape \(2, 2\)", lambda: metric_tensor(lambda p: jnp.eye(2) * p, 0.1)),
    "complex": (ParameterError, "`t` is of complex", lambda: natural_gradient(ONE, 0.1).init({"t": jnp.array(1j)})),
    "int": (ParameterError, "`t` is of int", lambda: metric_tensor(ONE, {"t": jnp.array(1)})),
    "python int": (ParameterError, "`t` is int", lambda: natural_gradient(ONE, 0.1).init({"t": 1})),
    "string": (ParameterError, "`t` is str", lambda: metric_tensor(ONE, {"t": "x"})),
    "unknown": (ParameterError, "'t'", lambda: natural_gradient(ONE, 0.1).init({"tt": 0.1, "t": 0.1})),
    "missing": (ParameterError, "`t`", lambda: natural_gradient(ONE, 0.1).init({})),
    "no names": (ParameterError, "map the names", lambda: natural_gradient(ONE, 0.1).init(jnp.zeros(1))),
    "batch": (ParameterError, "vmap", lambda: natural_gradient(ONE, 0.1).init({"t": jnp.zeros(3)})),
    "no params": (ParameterError, "params", lambda: scale_by_metric(ONE).update({"t": 0.1}, None)),
    "no rate": (MethodError, "learning_rate", lambda: natural_gradient(ONE, None)),
    "nan rate": (MethodError, "learning_rate", lambda: natural_gradient(ONE, float("nan"))),
    "rate of a word": (MethodError, "learning_rate", lambda: natural_gradient(ONE, "0.1")),
    "damping": (MethodError, "damping", lambda: natural_gradient(ONE, 0.1, damping=-1.0)),
    "nan damping": (MethodError, "damping", lambda: natural_gradient(ONE, 0.1, damping=float("nan"))),
    "solver": (MethodError, "solver", lambda: natural_gradient(ONE, 0.1, solver="cg")),
    "cg undamped": (MethodError, "damping", lambda: natural_gradient(ONE, 0.1, damping=0, solver=ConjugateGradient())),
    "cg blocks": (
        MethodError,
        "blocks",
        lambda: natural_gradient(ONE, 0.1, blocks={"t": 0}, solver=ConjugateGradient()),
    ),
    "tol": (MethodError, "tol", lambda: ConjugateGradient(tol=0)),
    "max_steps": (MethodError, "max_steps", lambda: ConjugateGradient(max_steps=0)),
    "rcond": (MethodError, "rcond", lambda: Direct(rcond=2.0)),
    "chunk": (MethodError, "chunk", lambda: metric_tensor(ONE, {"t": 0.1}, chunk=0)),
    "method": (MethodError, "method", lambda: metric_tensor(ONE, {"t": 0.1}, method="statevector")),
    "blocks": (ParameterError, "blocks", lambda: metric_tensor(ONE, {"t": 0.1}, blocks={"u": 0})),
    "block kinds": (ParameterError, "ints", lambda: metric_tensor(ONE, {"t": 0.1}, blocks={"t": 0.5})),
    "gradient": (
        ParameterError,
        "gradient has 2",
        lambda: natural_gradient(ONE, 0.1).update({"t": jnp.zeros(2)}, (None, None), {"t": 0.1}),
    ),
    "layers": (CircuitError, "Circuit", lambda: parameter_layers(lambda p: p)),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_clear_error(name):
    error, words, call = BAD[name]
    with pytest.raises(error, match=words) as caught:
        call()
    assert isinstance(caught.value, QsimError)


def test_tangents_that_do_not_fit_are_refused_before_they_are_made(monkeypatch):
    monkeypatch.setattr("qsim.gradients.metric.device_memory", lambda: 1 << 10)
    with pytest.raises(MemoryLimitError, match="ConjugateGradient"):
        metric_tensor(hardware_efficient(4, 4), {"theta": jnp.zeros((4, 2, 4))})
