"""The training loop: the way it goes, what it is given, what stops it, and where it may stand."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qsim import Circuit, Parameter, ParameterVector, X, Z, execute
from qsim.errors import DivergedError, TrainingError
from qsim.gradients.free import GradientFree
from qsim.results import Expectation
from qsim.training import TrainingResult, minibatches, minimize
from qsim.training.pace import Pace

KEY = jax.random.key(3)
START = jnp.array([0.3, -0.2, 0.9])
CENTRE = jnp.array([1.0, 2.0, 3.0])


def bowl(t):
    return jnp.sum((t - CENTRE) ** 2)


def quiet(loss, params, *args, steps=20, **rest):
    return minimize(loss, params, *args, steps=steps, progress=False, **rest)


def same(first, second) -> bool:
    """Whether two pytrees of arrays are equal to the last bit."""
    pairs = zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True)
    return all(np.asarray(a).tobytes() == np.asarray(b).tobytes() for a, b in pairs)


def by_hand(loss, params, optimizer, steps):
    """The same steps in Python: the parameters, the losses before each step, and the loss at the end."""

    @jax.jit
    def step(params, state):
        value, grads = jax.value_and_grad(loss)(params)
        updates, state = optax.with_extra_args_support(optimizer).update(
            grads, state, params, value=value, grad=grads, value_fn=loss
        )
        return optax.apply_updates(params, updates), state, value

    state, losses = optimizer.init(params), []
    for _ in range(steps):
        params, state, value = step(params, state)
        losses.append(float(value))
    return params, losses, float(loss(params))


# -------------------------------------------------------------------- the way


ANSATZ = ParameterVector("theta", (2, 2))
CIRCUIT = Circuit(2).ry(ANSATZ[0], range(2)).cx(0, 1).ry(ANSATZ[1], range(2))


ENERGY = Z(0) @ Z(1) + 0.5 * X(0) + 0.5 * X(1)


def energy(p):
    return execute(CIRCUIT, Expectation(ENERGY), p)


def test_a_circuit_is_trained_and_the_loss_is_traced_once():
    calls = []

    def loss(p):
        calls.append(1)
        return energy(p)

    start = {"theta": np.linspace(0.1, 1.0, 4).reshape(2, 2)}
    result = minimize(loss, start, steps=120)
    assert len(calls) == 1
    exact = [float(execute(CIRCUIT, Expectation(ENERGY), p, on="numpy")) for p in (start, result.params)]
    assert [result.history["loss"][0], result.loss] == pytest.approx(exact, abs=1e-5)
    assert result.loss == pytest.approx(-np.sqrt(2), abs=1e-2)  # ground energy of ZZ + (X + X) / 2
    assert (result.step, result.ended, type(result.loss)) == (120, "steps", float)


OPTIMIZERS = {
    "adam": optax.adam(0.1),
    "momentum": optax.sgd(0.05, momentum=0.9),
    "schedule": optax.sgd(optax.cosine_decay_schedule(0.2, 20)),
    "chain": optax.chain(optax.clip_by_global_norm(1.0), optax.rmsprop(0.05)),
    "polyak": optax.polyak_sgd(1.0),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_go_the_way_they_go_by_hand(name):
    def loss(t):
        return bowl(t) + jnp.sum(jnp.cos(3 * t))

    steps = 8
    result = quiet(loss, START, OPTIMIZERS[name], steps=steps)
    params, losses, last = by_hand(loss, START, OPTIMIZERS[name], steps)
    np.testing.assert_allclose(result.history["loss"], losses, rtol=1e-3)
    np.testing.assert_allclose(result.params, params, rtol=1e-3)
    assert result.loss == pytest.approx(last, rel=1e-3)
    assert jax.tree.structure(result.opt_state) == jax.tree.structure(OPTIMIZERS[name].init(START))


def test_a_line_search_finds_the_minimum():
    result = quiet(lambda t: jnp.sum((t - CENTRE) ** 2 * CENTRE), START, optax.lbfgs(), steps=8)
    np.testing.assert_allclose(result.params, CENTRE, atol=1e-4)


def test_pieces_of_any_size_are_the_same_way():
    whole = quiet(bowl, START, steps=30)
    for every in (7, 1):
        seen = []
        result = quiet(bowl, START, steps=30, callback=lambda *a, s=seen: s.append(a) and None, every=every)
        assert same((result.params, result.history, result.opt_state), (whole.params, whole.history, whole.opt_state))
        assert [step for step, _, _ in seen] == list(range(every, 31, every))
        assert [loss for _, _, loss in seen] == [float(whole.history["loss"][s - 1]) for s, _, _ in seen]
    assert same(seen[-1][1], whole.params)


def test_the_host_looks_rarely():
    seen = []
    quiet(bowl, START, steps=20_000, callback=lambda *a: seen.append(a[0]))
    assert seen[-1] == 20_000 and 5 <= len(seen) < 1000  # a look takes at most 4096 steps


def test_no_steps():
    result = quiet(bowl, START, steps=0)
    assert result.loss == pytest.approx(float(bowl(START))) and result.step == 0
    assert result.history["loss"].shape == (0,) and same(result.params, START)
    assert "0 steps" in repr(result)


@given(
    took=st.lists(st.floats(1e-7, 10.0), max_size=6),
    steps=st.integers(1, 10**6),
    marks=st.lists(st.integers(1, 300), max_size=2),
)
def test_every_pace_arrives_at_every_mark(took, steps, marks):
    pace, step, stops = Pace(512, tuple(marks)), 0, []
    for seconds in took:
        if step == steps:
            break
        stop = pace.stop(step, steps)
        assert step < stop <= min(step + 512, steps)
        assert not [m for m in marks if step // m != (stop - 1) // m]  # no mark is jumped over
        pace.took(stop - step, seconds)
        stops, step = [*stops, stop], stop


# -------------------------------------------------------------------- what it is given


@jax.tree_util.register_dataclass
@dataclass
class Layer:
    weights: jax.Array
    bias: float


class Pair(NamedTuple):
    first: Layer
    second: tuple[float, None]


def test_any_pytree_is_trained():
    start = {"pair": Pair(Layer(np.zeros((2, 3)), 1.0), (np.float32(2.0), None)), "list": [np.ones(2, np.float16)]}
    result = quiet(lambda p: sum(jnp.sum((leaf - 0.5) ** 2) for leaf in jax.tree.leaves(p)), start, steps=100)
    assert jax.tree.structure(result.params) == jax.tree.structure(start)
    assert result.params["list"][0].dtype == jnp.float16
    for leaf in jax.tree.leaves(result.params):
        np.testing.assert_allclose(leaf, 0.5, atol=0.05)


def test_double_precision(x64):
    result = quiet(lambda t: jnp.sum((t - CENTRE) ** 2), np.zeros(3), optax.sgd(0.4), steps=40)
    assert result.params.dtype == result.history["loss"].dtype == np.float64
    assert result.loss < 1e-50
    single = quiet(lambda t: jnp.sum(t**2), jnp.ones(2, jnp.float32), steps=3)
    assert single.params.dtype == np.float32


def test_each_step_has_its_own_key_and_the_optimizer_another():
    def update(grads, state, params, *, key, **rest):
        return jax.tree.map(jnp.zeros_like, params), jax.random.key_data(key)

    watch = optax.GradientTransformationExtraArgs(lambda params: jnp.zeros(2, jnp.uint32), update)
    draws = quiet(lambda t, key: jax.random.normal(key) + 0 * t, 1.0, watch, key=KEY, steps=12)
    losses = draws.history["loss"]
    assert len(set(losses.tolist())) == 12
    step = jax.random.fold_in(KEY, 5)
    assert losses[5] == jax.random.normal(jax.random.fold_in(step, 0))
    last = jax.random.fold_in(jax.random.fold_in(KEY, 11), 1)
    assert same(draws.opt_state, jax.random.key_data(last))
    assert draws.loss == jax.random.normal(jax.random.fold_in(jax.random.fold_in(KEY, 12), 0))
    again = quiet(lambda t, *, key: jax.random.normal(key) + 0 * t, 1.0, watch, key=KEY, steps=12)
    assert same(again.history, draws.history)
    without = quiet(lambda t: t**2, 1.0, watch, steps=12)
    last = jax.random.fold_in(jax.random.fold_in(jax.random.key(0), 11), 1)
    assert same(without.opt_state, jax.random.key_data(last))


def test_a_key_goes_where_it_is_taken():
    assert quiet(lambda t: t**2, 1.0, key=KEY).step == 20
    assert quiet(lambda t, **rest: t**2 + 0 * jax.random.normal(rest["key"]), 1.0, key=KEY).step == 20
    # here `key` is the name of the batch
    assert quiet(lambda t, key: jnp.sum(key * t**2), 1.0, data=jnp.ones(2)).step == 20


def test_metrics_are_kept_for_every_step():
    def metrics(t, *, key):
        return {"where": t, "noise": jax.random.normal(key), "sum": t.sum()}

    result = quiet(lambda t, key: bowl(t) + jax.random.normal(key), START, key=KEY, metrics=metrics, steps=9)
    assert {name: row.shape for name, row in result.history.items()} == {
        "loss": (9,),
        "where": (9, 3),
        "noise": (9,),
        "sum": (9,),
    }
    where = result.history["where"]
    assert same(where[0], START)
    np.testing.assert_allclose(result.history["sum"], where.sum(1), rtol=1e-6)
    values = [float(bowl(t)) for t in where]
    np.testing.assert_allclose(result.history["loss"] - result.history["noise"], values, rtol=1e-5)


def spread(params):
    return optax.EmptyState()


def test_an_optimizer_without_gradients_asks_for_what_it_needs():
    def update(grads, state, params, *, value, grad, value_fn, key):
        move = 0.3 * jax.random.normal(key, params.shape)
        return jnp.where(value_fn(params + move) < value, move, grads), state

    def loss(t):  # its gradient is not finite
        return jnp.sum(jnp.sqrt(jnp.abs(t - t)) + jnp.abs(t))

    result = quiet(loss, jnp.array([1.0, -1.0]), GradientFree(spread, update), steps=300, key=KEY)
    assert result.loss < 0.2 and result.history["loss"][0] == 2.0
    with pytest.raises(DivergedError):
        quiet(loss, jnp.array([1.0, -1.0]))


def test_an_optimizer_without_gradients_may_report_the_loss_itself():
    class Told(NamedTuple):
        value: jax.Array

    runs = []

    def update(grads, state, params, *, value_fn, **rest):
        return -0.1 * params, Told(value_fn(params) + 1.0)

    def pure(t):
        return jax.pure_callback(lambda t: (runs.append(1), np.sum(t**2))[1], jax.ShapeDtypeStruct((), t.dtype), t)

    told = GradientFree(lambda params: Told(jnp.zeros(())), update)
    result = quiet(pure, jnp.ones(2), told, steps=5)
    np.testing.assert_allclose(result.history["loss"], 1 + 2 * 0.81 ** np.arange(5), rtol=1e-5)
    assert len(runs) == 6  # once a step, and once at the end: nobody computes the loss that nobody reads


# -------------------------------------------------------------------- data


@pytest.mark.parametrize("drop", [True, False])
@pytest.mark.parametrize("size", [1, 3, 7])
def test_minibatches_are_epochs_in_another_order_each(size, drop):
    batches = minibatches({"x": np.arange(7), "y": 10 * np.arange(7)}, size, key=KEY, drop_remainder=drop)
    per_epoch = 7 // size if drop else -(-7 // size)
    assert len(batches) == per_epoch and batches.num_examples == 7
    orders = []
    for epoch in range(3):
        found = [batches.batch(epoch * per_epoch + i) for i in range(per_epoch)]
        assert all(b["x"].shape == (size,) for b in found)
        assert all(same(10 * b["x"], b["y"]) for b in found)
        order = np.asarray(jax.random.permutation(jax.random.fold_in(KEY, epoch), 7))
        wanted = np.concatenate([order, order])[: per_epoch * size]
        assert np.concatenate([b["x"] for b in found]).tolist() == wanted.tolist()
        orders.append(wanted.tolist())
    assert size == 7 or orders[0] != orders[1]


def test_minibatches_without_a_key_are_in_order():
    batches = minibatches(np.arange(5.0), 2)
    assert [batches.batch(s).tolist() for s in range(4)] == [[0, 1], [2, 3], [0, 1], [2, 3]]
    kept = minibatches(np.arange(5.0), 2, drop_remainder=False)
    assert [kept.batch(s).tolist() for s in range(3)] == [[0, 1], [2, 3], [4, 0]]


def test_the_loop_takes_the_batches_of_its_steps():
    batches = minibatches((np.arange(10.0), np.arange(10)), 3, key=KEY)

    def loss(t, batch):
        return jnp.sum(batch[0]) + 0 * t

    def metrics(t, batch):
        return {"rows": batch[1]}

    result = quiet(loss, 0.0, data=batches, metrics=metrics, steps=11, callback=lambda *a: None, every=4)
    assert [row.tolist() for row in result.history["rows"]] == [batches.batch(s)[1].tolist() for s in range(11)]
    assert result.history["loss"].tolist() == result.history["rows"].sum(1).tolist()
    assert result.loss == float(jnp.sum(batches.batch(11)[0]))


def test_data_that_are_no_minibatches_are_given_whole():
    result = quiet(lambda t, batch: jnp.mean((t * batch["x"] - batch["y"]) ** 2), 0.0, steps=200, data={
        "x": np.arange(4.0), "y": 2 * np.arange(4.0)
    })  # fmt: skip
    assert float(result.params) == pytest.approx(2.0, abs=1e-2)


# -------------------------------------------------------------------- what stops it


def test_nan_stops_with_the_step_and_the_parameters_named():
    def loss(p):  # the square root of a[1] after it is below 0
        return jnp.sum(jnp.sqrt(p["a"])) + p["b"] ** 2

    start = {"a": jnp.array([50.0, 1.0]), "b": 1.0}
    with pytest.raises(
        DivergedError, match=r"loss became nan in step (\d+) .*not finite in `a\[1\]`: |`a\[1\]`\."
    ) as e:
        quiet(loss, start, optax.sgd(0.1), steps=50)
    result = e.value.result
    assert f"in step {result.step} " in str(e.value) and 5 < result.step < 30
    assert result.ended == "diverged" and len(result.history["loss"]) == result.step
    assert np.isnan(result.loss) and np.isfinite(result.history["loss"]).all()
    good = quiet(loss, start, optax.sgd(0.1), steps=result.step - 1)
    assert same(good.history["loss"], result.history["loss"][:-1])
    assert jax.tree.all(jax.tree.map(lambda x: bool(jnp.isfinite(x).all()), result.opt_state))


def test_parameters_that_are_not_finite_are_not_taken():
    def update(grads, state, params, **rest):
        return jax.tree.map(lambda g: jnp.where(state == 3, jnp.inf, -0.1 * g), grads), state + 1

    odd = optax.GradientTransformationExtraArgs(lambda params: jnp.zeros((), jnp.int32), update)
    with pytest.raises(DivergedError, match=r"became NaN or infinite in step 3, at loss .*`x`, `y\[0\]`") as e:
        quiet(lambda p: p["x"] ** 2 + jnp.sum(p["y"] ** 2), {"x": 1.0, "y": jnp.ones(1)}, odd)
    assert e.value.result.step == 3 and int(e.value.result.opt_state) == 3
    assert float(e.value.result.params["x"]) == pytest.approx(0.8**3)


def test_nan_at_the_end_and_at_the_beginning():
    def loss(t):
        return jnp.where(t < 0.75, jnp.nan, t)

    with pytest.raises(DivergedError, match=r"in step 3 ") as e:
        quiet(loss, 1.0, optax.sgd(0.1), steps=3)
    assert e.value.result.step == 3 and len(e.value.result.history["loss"]) == 3
    with pytest.raises(DivergedError, match=r"loss became nan in step 0 ") as e:
        quiet(loss, 0.0)
    assert e.value.result.step == 0
    with pytest.raises(DivergedError, match=r"became inf in step 0 "):
        quiet(lambda t: t + jnp.inf, 0.0)


@pytest.mark.parametrize("how", ["raised", "signal"])
def test_ctrl_c_returns_what_was_reached(how):
    def stop(step, params, loss):
        if step == 12:
            if how == "raised":
                raise KeyboardInterrupt
            signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a process in the background ignores it
    try:
        result = quiet(bowl, START, steps=100, callback=stop, every=6)
    finally:
        signal.signal(signal.SIGINT, before)
    first = quiet(bowl, START, steps=12)
    assert (result.step, result.ended) == (12, "interrupt") and "ended by interrupt" in repr(result)
    assert same((result.params, result.history), (first.params, first.history))
    assert result.loss == float(first.history["loss"][-1])


def test_a_callback_may_end_it():
    result = quiet(bowl, START, steps=100, callback=lambda step, params, loss: loss < 5.0, every=1)
    assert result.ended == "callback" and result.step == len(result.history["loss"]) < 100
    assert (result.history["loss"] < 5.0).tolist() == [False] * (result.step - 1) + [True]
    assert result.loss == pytest.approx(float(bowl(result.params)))
    with pytest.raises(ZeroDivisionError):
        quiet(bowl, START, callback=lambda *a: 1 / 0)


def test_the_bar_shows_loss_and_speed(capsys):
    minimize(bowl, START, steps=50)
    out, err = capsys.readouterr()
    assert out == "" and "50/50" in err and "step/s" in err and "loss" in err and "compiling" in err
    quiet(bowl, START)
    assert capsys.readouterr() == ("", "")


TURN = Circuit(1).ry(Parameter("t"), 0)


def test_what_runs_on_the_host_is_trained_inside_the_loop():
    result = quiet(lambda t: execute(TURN, Expectation(Z(0)), {"t": t}, on="numpy"), 0.7, optax.sgd(0.4), steps=4)
    angles = [0.7]
    for _ in range(4):
        angles.append(angles[-1] + 0.4 * np.sin(angles[-1]))
    np.testing.assert_allclose([*result.history["loss"], result.loss], np.cos(angles), atol=1e-5)
    assert float(result.params) == pytest.approx(angles[-1], abs=1e-5)


def test_a_device_is_trained_inside_the_loop():
    def loss(t, key):
        return execute(TURN, Expectation(Z(0)), {"t": t}, on="local@line5", shots=2000, key=key)

    result = quiet(loss, 0.7, optax.sgd(0.4), steps=6, key=KEY)
    assert result.loss < -0.5 < result.history["loss"][0]


# -------------------------------------------------------------------- inside other programs


def test_inside_jit_vmap_and_grad():
    starts = jnp.stack([START, -START])
    each = [quiet(bowl, start, steps=15) for start in starts]
    many = jax.jit(jax.vmap(lambda t: minimize(bowl, t, steps=15)))(starts)
    assert isinstance(many, TrainingResult) and many.history["loss"].shape == (2, 15)
    for i, one in enumerate(each):
        np.testing.assert_allclose(many.params[i], one.params, rtol=1e-5)
        np.testing.assert_allclose(many.history["loss"][i], one.history["loss"], rtol=1e-5)
        assert float(many.loss[i]) == pytest.approx(one.loss, rel=1e-5)
    # what the loss closes over is mapped: 3 centres at once
    found = jax.vmap(lambda a: quiet(lambda t: (t - a) ** 2, 0.0, optax.sgd(0.5), steps=2).params)(CENTRE)
    np.testing.assert_allclose(found, CENTRE)
    # t_k = (1 - 2 rate)^k, so that the loss after 3 steps has the slope -12 (1 - 2 rate)^5
    slope = jax.grad(lambda rate: quiet(lambda t: t**2, 1.0, optax.sgd(rate), steps=3).loss)(0.1)
    assert float(slope) == pytest.approx(-12 * 0.8**5, rel=1e-5)
    assert "loss=" in repr(many)


@pytest.mark.parametrize("name", ["callback", "checkpoint"])
def test_what_cannot_be_inside_other_programs(name, tmp_path):
    value = {"callback": print, "checkpoint": tmp_path / "run.npz"}[name]
    for wrap in (jax.jit, jax.grad, lambda f: jax.vmap(f, axis_size=2, in_axes=None)):
        with pytest.raises(TrainingError, match=f"`{name}` cannot be used inside jax.jit"):
            wrap(lambda t: quiet(lambda x: (x - t) ** 2, 0.0, **{name: value}).loss)(1.0)
    assert not list(tmp_path.iterdir())


# -------------------------------------------------------------------- bad input


def of(loss=bowl, params=START, *args, **rest):
    return lambda: quiet(loss, params, *args, **rest)


BAD = {
    "steps below 0": (of(steps=-1), r"`steps` must be an int of at least 0, but is -1"),
    "steps that are no int": (of(steps=2.0), r"`steps` .* 2\.0"),
    "steps that are a bool": (of(steps=True), r"`steps` .* True"),
    "too many steps": (of(steps=2**31), r"`steps` must be below 2\^31"),
    "no loss": (of(3), r"`loss` must be a function, but is 3"),
    "a loss without arguments": (of(lambda: 1.0), r"`loss` must take \(params\), but has the arguments \(\)"),
    "a loss without a batch": (of(data=np.ones(3)), r"`loss` must take \(params, batch\), for there are data"),
    "a loss of many numbers": (of(lambda t: t), r"one number, but returns an array of shape \(3,\)"),
    "a loss of one number in an array": (of(lambda t: t[:1]), r"array of shape \(1,\)"),
    "a complex loss": (of(lambda t: t.sum() * 1j), r"real number, but returns complex64.* real part"),
    "a loss of ints": (of(lambda t: jnp.array(2)), r"real number, but returns int32"),
    "a loss with more": (of(lambda t: (t.sum(), t)), r"one number, but returns tuple.*`metrics`"),
    "a loss of nothing": (of(lambda t: None), r"one number, but returns NoneType"),
    "a loss that needs a key": (of(lambda t, *, key: t.sum()), r"`loss` takes a key, but there is none"),
    "metrics that need a key": (of(metrics=lambda t, key: {}), r"`metrics` takes a key, but there is none"),
    "metrics without names": (of(metrics=lambda t: t.sum()), r"`metrics` must return a dict.*returns an array"),
    "metrics called loss": (of(metrics=lambda t: {"loss": t}), r"other names than 'loss'"),
    "metrics that are no arrays": (of(metrics=lambda t: {"a": "b"}), r"'a': str"),
    "metrics that are no function": (of(metrics={"a": bowl}), r"`metrics` must be a function"),
    "params of ints": (of(params=np.arange(3)), r"floating-point numbers, but `params` is int.*asarray"),
    "params of bools": (of(params={"on": True}), r"`on` is bool"),
    "complex params": (of(params={"z": jnp.ones(2, complex)}), r"`z` is complex64.* real and imaginary"),
    "params of strings": (of(params={"a": [1.0, "b"]}), r"`a\.1` is str"),
    "params of a class": (of(params=object()), r"`params` is object.*register_dataclass"),
    "params that are not finite": (of(params={"t": [1.0, np.array([0, np.nan])]}), r"is not in `t\.1\[1\]`"),
    "no params": (of(params={}), r"has none: \{\}"),
    "empty params": (of(params=np.zeros((0, 2))), r"`params` must hold parameters"),
    "no optimizer": (of(bowl, START, 0.1), r"`optimizer` must be an optax transformation.* 0\.1"),
    "an optimizer that was not called": (of(bowl, START, optax.adam), r"`optimizer` must be an optax"),
    "an optimizer that changes its state": (
        of(bowl, START, optax.GradientTransformation(spread, lambda g, s, p: (g, (1.0,)))),
        r"`optimizer` must keep the structure of its state",
    ),
    "an optimizer that changes shapes": (
        of(bowl, START, optax.GradientTransformation(lambda p: p[0], lambda g, s, p: (g, g))),
        r"`optimizer` must keep the shapes in its state, but makes \(3,\) of \(\)",
    ),
    "a key that is none": (of(key=5), r"`key` must be one JAX key, but is 5"),
    "many keys": (of(key=jax.random.split(KEY)), r"`key` must be one JAX key"),
    "a callback that is none": (of(callback=3), r"`callback` must be a function"),
    "every 0": (of(every=0), r"`every` must be an int of at least 1"),
    "a checkpoint that is no file": (of(checkpoint=3), r"`checkpoint` must be a file name or a Checkpoint, but is 3"),
    "data of strings": (of(lambda t, b: t.sum(), data=["a"]), r"`data` must be arrays of numbers, but `0` is of <U1"),
    "batches of different length": (
        lambda: minibatches((np.ones(3), np.ones((2, 3))), 1),
        r"same number of examples first, but has `0` \(3,\), `1` \(2, 3\)",
    ),
    "batches of no arrays": (lambda: minibatches(None, 1), r"has no arrays"),
    "batches of numbers": (lambda: minibatches({"a": 1.0}, 1), r"has `a` \(\)"),
    "batches of 0": (lambda: minibatches(np.ones(3), 0), r"`batch_size` must be an int of at least 1"),
    "batches larger than the data": (lambda: minibatches(np.ones(3), 4), r"but is 4, and there are 3"),
    "batches of no examples": (lambda: minibatches(np.zeros((0, 2)), 1), r"but is 1, and there are 0"),
    "ragged batches": (lambda: minibatches({"a": np.array([1, "b"], object)}, 1), r"`a` is of object"),
    "batches with a key that is none": (lambda: minibatches(np.ones(3), 1, key=3), r"`key` must be one JAX key"),
    "drop_remainder that is no bool": (lambda: minibatches(np.ones(3), 1, drop_remainder=0), r"must be True or False"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_clear_error(name):
    call, message = BAD[name]
    with pytest.raises(TrainingError, match=message):
        call()


def test_progress_must_be_a_bool():
    with pytest.raises(TrainingError, match="`progress` must be True or False, but is 1"):
        minimize(bowl, START, steps=3, progress=1)
