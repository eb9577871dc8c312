"""Every result through `execute`: jit is no jit, a batch and vmap are loops, samples have their distribution."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import oracle
import pytest
from results_table import EXACT, SAMPLED, SHOTS, SMALL, N, exact, random_state
from scipy import stats

from qsim import Circuit, ParameterVector, PauliSum, Z, execute
from qsim.methods import Statevector
from qsim.methods import Unitary as UnitaryMethod
from qsim.methods.pure import PureState
from qsim.results import (
    Amplitudes,
    Counts,
    DiagonalObservable,
    Entropy,
    Expectation,
    Fidelity,
    Map,
    MutualInformation,
    Norm,
    Operator,
    Overlap,
    Probabilities,
    Projector,
    Purity,
    ReducedState,
    Samples,
    State,
    Variance,
)
from qsim.results.program import evaluate_all

V = ParameterVector("v", (2, N))
CIRCUIT = Circuit(N)
for layer in range(2):
    CIRCUIT.ry(V[layer], range(N)).rz(V[layer, ::-1], range(N)).cx(range(N - 1), range(1, N)).crx(V[layer, 0], 3, 0)
BATCH = (2, 2)
POINTS = np.random.default_rng(4).uniform(-2, 2, (*BATCH, 2, N))
PLACES = list(product(*map(range, BATCH)))
KEYS = jax.random.split(jax.random.key(8), BATCH)


def run(values: Any, key: Any = None, *, wanted: Any = None, shots: int | None = None, **options: Any) -> Any:
    """The whole table in one pass: exact results, or the sampled ones where there are shots."""
    table = EXACT if shots is None else SAMPLED
    return execute(CIRCUIT, wanted or table, {"v": values}, shots=shots, key=key, **options)


def assert_close(found: Any, expected: Any, atol: float = 5e-6, what: str = "") -> None:
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), atol=atol, rtol=atol, err_msg=what)


def stack(parts: dict[tuple[int, int], Any]) -> Any:
    return jax.tree.map(lambda *leaves: jnp.stack(leaves).reshape(*BATCH, *leaves[0].shape), *parts.values())


# ---------------------------------------------------------------- every result: jit, batch, vmap, dtype


@cache
def ways() -> dict[str, Any]:
    """All exact results in a loop, under jit, in a batch, and by vmap; nested in one another."""
    loop = {place: run(POINTS[place]) for place in PLACES}
    return {
        "loop": stack(loop),
        "loop of jit": stack({place: jax.jit(run)(POINTS[place]) for place in PLACES}),
        "batch": run(POINTS),
        "jit of batch": jax.jit(run)(POINTS),
        "vmap": jax.vmap(jax.vmap(run))(POINTS),
        "vmap of batch": jax.vmap(run)(POINTS),
        "jit of vmap": jax.jit(jax.vmap(jax.vmap(run)))(POINTS),
    }


@pytest.mark.parametrize("name", EXACT)
def test_jit_batch_and_vmap_are_a_loop(name):
    found = ways()
    for way, values in found.items():
        assert_close(values[name], found["loop"][name], what=way)


@pytest.mark.parametrize("name", EXACT)
def test_values_are_those_of_the_oracle(name):
    psi = oracle.statevector(CIRCUIT.bind({"v": POINTS[1, 0]}))
    wanted = evaluate_all(EXACT[name], PureState(jnp.asarray(psi, jnp.complex64)), exact())
    assert_close(jax.tree.map(lambda a: a[1, 0], ways()["loop"][name]), wanted, 1e-5)


@cache
def sampled_ways() -> dict[str, Any]:
    sample = partial(run, shots=SHOTS)
    return {
        "loop": stack({place: sample(POINTS[place], KEYS[place]) for place in PLACES}),
        "loop of jit": stack({place: jax.jit(sample)(POINTS[place], KEYS[place]) for place in PLACES}),
        "vmap": jax.vmap(jax.vmap(sample))(POINTS, KEYS),
        "jit of vmap": jax.jit(jax.vmap(jax.vmap(sample)))(POINTS, KEYS),
    }


@pytest.mark.parametrize("name", SAMPLED)
def test_sampled_jit_and_vmap_are_a_loop(name):
    """The same key gives the same numbers, bit for bit where they are bits."""
    found = sampled_ways()
    for values in found.values():
        assert_close(values[name], found["loop"][name])


@pytest.mark.parametrize("dtype", ["complex64", pytest.param("complex128", marks=pytest.mark.slow)])
def test_dtypes(dtype, x64):
    real = np.zeros(0, dtype).real.dtype
    method = Statevector(dtype)
    # copies: where jit took an array as a constant with x64 off, JAX 0.11 hands its float32 buffer out with x64 on
    exact_, shots_ = (jax.tree.map(np.copy, table) for table in (EXACT, SAMPLED))
    found = run(POINTS[0, 0], wanted=exact_, method=method)
    found["shots"] = run(POINTS[0, 0], KEYS[0, 0], wanted=shots_, shots=SHOTS, method=method)
    integers = {np.dtype("uint8"), np.dtype("int32")}
    for path, leaf in jax.tree_util.tree_leaves_with_path(found):
        assert leaf.dtype in {np.dtype(dtype), real} | integers, (jax.tree_util.keystr(path), leaf.dtype)
        assert leaf.dtype not in integers or ("Samples" in str(path) or "Counts" in str(path))
    for name in ("State", "Amplitudes", "Overlap", "ReducedState"):
        assert found[name].dtype == np.dtype(dtype)
    operator = execute(CIRCUIT, Operator(), {"v": POINTS[0, 0]}, method=UnitaryMethod(dtype))
    assert operator.dtype == np.dtype(dtype)


def test_operator_jit_batch_and_vmap_are_a_loop():
    f = lambda v: execute(CIRCUIT, {"u": Operator(), "m": 2 * Operator()}, {"v": v}, method=UnitaryMethod())  # noqa: E731
    loop = stack({place: f(POINTS[place]) for place in PLACES})
    for way in (jax.jit(f), jax.vmap(f), jax.jit(jax.vmap(jax.vmap(f)))):
        assert_close(way(POINTS), loop)
    assert_close(f(POINTS), loop)
    assert_close(loop["u"][..., 0], ways()["loop"]["State"])


def test_batches_of_initial_states():
    """They broadcast with those of the parameters, traced or not."""
    starts = np.stack([random_state(N, seed) for seed in range(2)]).astype(np.complex64)
    wanted = {"s": State(), "e": Expectation(SMALL)}
    f = lambda v, psi: run(v, wanted=wanted, initial_state=psi)  # noqa: E731
    loop = stack({(i, j): f(POINTS[i, 0], starts[j]) for i, j in PLACES})
    assert_close(f(POINTS[:, :1], starts), loop)
    assert_close(jax.jit(f)(POINTS[:, :1], starts), loop)
    assert_close(jax.vmap(lambda v: jax.vmap(lambda psi: f(v, psi))(starts))(POINTS[:, 0]), loop)
    alone = execute(Circuit(N).h(0), State(), initial_state=starts)
    assert_close(alone, jnp.stack([execute(Circuit(N).h(0), State(), initial_state=psi) for psi in starts]))


def test_gradients_through_a_batch_are_those_of_a_loop():
    """Also where all of a batch share a parameter, and with respect to the initial states."""
    starts = jnp.stack([random_state(N, seed) for seed in range(2)]).astype(jnp.complex64)
    wanted = {"e": Expectation(SMALL), "p": Probabilities([1, 2]), "s": State()}
    weights = jax.random.normal(jax.random.key(1), (2, 16))

    def loss(found, weight):
        real = jnp.concatenate([found["e"][None], found["p"] ** 2])
        return jnp.sum(real * weight[: real.size]) + jnp.sum(jnp.abs(found["s"] * weight) ** 4)

    def batched(v, psi):
        return jnp.sum(jax.vmap(loss)(run(v, wanted=wanted, initial_state=psi), weights))

    def looped(v, psi):
        rows = [v[i] if v.ndim == 3 else v for i in range(2)]
        return sum(loss(run(rows[i], wanted=wanted, initial_state=psi[i]), weights[i]) for i in range(2))

    for v in (jnp.asarray(POINTS[0], jnp.float32), jnp.asarray(POINTS[0, 0], jnp.float32)):
        expected = jax.grad(looped, (0, 1))(v, starts)
        assert_close(jax.grad(batched, (0, 1))(v, starts), expected, 1e-4)
        assert_close(jax.jit(jax.grad(batched, (0, 1)))(v, starts), expected, 1e-4)


# ---------------------------------------------------------------- samples have their distribution


def numbers(bits: Any) -> np.ndarray:
    """Bit strings (..., k) as ints."""
    bits = np.asarray(bits).astype(int)
    return bits @ (1 << np.arange(bits.shape[-1])[::-1])


def assert_drawn(seen: Any, wanted: Any) -> None:
    """A chi-square test of counts (m,) against probabilities (m,); what cannot be was not seen."""
    seen, wanted = np.asarray(seen, float), np.asarray(wanted, float)
    likely = wanted > 1e-6
    assert not seen[~likely].any()
    if likely.sum() > 1:
        expected = wanted[likely] / wanted[likely].sum() * seen.sum()
        assert stats.chisquare(seen[likely], expected).pvalue > 1e-3


def marginal(place: tuple[int, int], qubits: list[int]) -> np.ndarray:
    psi = oracle.statevector(CIRCUIT.bind({"v": POINTS[place]})).reshape((2,) * N)
    other = tuple(q for q in range(N) if q not in qubits)
    weights = (np.abs(psi) ** 2).sum(axis=other)
    order = np.argsort(np.argsort(qubits))
    return np.transpose(weights, order).reshape(-1)


@cache
def many() -> Any:
    """A batch, a vmap over keys outside it, all kinds of samples in one pass."""
    wanted = {"all": Samples(), "two": Samples([3, 0]), "counts": Counts([2, 1]), "p": Probabilities([1, 3])}
    return run(POINTS, jax.random.key(2), wanted=wanted, shots=20_000)


@pytest.mark.parametrize("place", PLACES)
def test_batched_samples_have_the_distribution_of_their_element(place):
    found = jax.tree.map(lambda a: a[place], many())
    assert_drawn(np.bincount(numbers(found["all"]), minlength=16), marginal(place, [0, 1, 2, 3]))
    assert_drawn(np.bincount(numbers(found["two"]), minlength=4), marginal(place, [3, 0]))
    assert_drawn(found["counts"].counts, marginal(place, [2, 1])[numbers(found["counts"].outcomes)])
    assert_drawn(np.rint(np.asarray(found["p"]) * 20_000), marginal(place, [1, 3]))


def test_elements_of_a_batch_and_results_of_a_pass_are_independent():
    """Equal circuits side by side: the pair of their outcomes is distributed as a product."""
    shots, place = 20_000, (0, 1)
    same = np.broadcast_to(POINTS[place], (3, 2, N))
    found = run(same, jax.random.key(6), wanted=[Samples([0, 2]), Samples([0, 2])], shots=shots)
    one = marginal(place, [0, 2])
    streams = [numbers(samples[i]) for samples in found for i in range(3)]
    for i, a in enumerate(streams):
        for b in streams[:i]:
            assert_drawn(np.bincount(4 * a + b, minlength=16), np.outer(one, one).ravel())
        assert_drawn(np.bincount(4 * a[1:] + a[:-1], minlength=16), np.outer(one, one).ravel())


def test_no_key_is_used_twice():
    """Other keys, other samples; the same key, the same samples."""
    f = lambda seed: np.asarray(run(POINTS[0, 0], jax.random.key(seed), wanted=Samples(), shots=64))  # noqa: E731
    assert (f(1) == f(1)).all() and (f(1) != f(2)).any()


@pytest.mark.parametrize("name", [name for name in SAMPLED if "Samples" not in name and "Counts" not in name])
def test_estimates_are_the_exact_values_within_their_errors(name):
    wanted, repeats = SAMPLED[name], 200
    exactly = np.asarray(jax.tree.leaves(run(POINTS[1, 1], wanted=wanted))[0])
    keys = jax.random.split(jax.random.key(12), repeats)
    found = jax.jit(jax.vmap(lambda k: run(POINTS[1, 1], k, wanted=wanted, shots=SHOTS)))(keys)
    values = np.asarray(jax.tree.leaves(found)[0])
    spread = values.std(axis=0, ddof=1)
    assert (spread > 0).all()
    assert (np.abs(values.mean(axis=0) - exactly) < 4 * spread / repeats**0.5 + 1e-5).all()
    if hasattr(found, "stderr"):
        np.testing.assert_allclose(np.sqrt(np.mean(found.stderr**2, axis=0)), spread, rtol=0.2)


def test_the_last_qubits_of_twenty():
    """Through the front door: GHZ-like tails and a biased last qubit, where a cumulative sum in float32 is blind."""
    n, shots = 20, 30_000
    c = Circuit(n).h(range(n - 1)).ry(2 * np.arcsin(np.sqrt(2 / 3)), n - 1)
    wanted = [Samples(), Samples([n - 1, 0, n - 2])]
    whole, part = execute(c, wanted, shots=shots, key=jax.random.key(0))
    assert_drawn(np.bincount(numbers(whole[:, -3:]), minlength=8), np.tile([1 / 12, 2 / 12], 4))
    assert_drawn(np.bincount(numbers(whole[:, :4]), minlength=16), np.full(16, 1 / 16))
    assert_drawn(np.bincount(numbers(part), minlength=8), np.repeat([1 / 12, 2 / 12], 4))


# ---------------------------------------------------------------- pytrees, mixtures, registers, tiny circuits


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Wanted:
    energy: Any
    rest: Any


def test_any_pytree_and_exact_beside_sampled():
    """One pass gives what each gives alone, in the shape of the question."""
    tree = Wanted({"e": Expectation(SMALL), "t": (Norm(), [State()])}, [Samples(shots=30), Counts([1], shots=500)])
    found = run(POINTS[0, 0], jax.random.key(5), wanted=tree)
    assert isinstance(found, Wanted) and isinstance(found.energy["t"], tuple)
    for part, wanted in ((found.energy["e"], Expectation(SMALL)), (found.energy["t"][1][0], State())):
        assert_close(part, run(POINTS[0, 0], wanted=wanted))
    assert found.rest[0].shape == (30, N) and found.rest[1].counts.sum() == 500
    assert_drawn(found.rest[1].counts, marginal((0, 0), [1])[numbers(found.rest[1].outcomes)])
    batch = run(POINTS, jax.random.key(5), wanted=tree)
    assert batch.rest[0].shape == (*BATCH, 30, N) and batch.energy["t"][1][0].shape == (*BATCH, 16)
    assert_close(jax.jit(partial(run, wanted=tree))(POINTS[0, 0], jax.random.key(5)), found)
    slope = jax.grad(lambda v: run(v, jax.random.key(5), wanted=tree).energy["e"])(POINTS[0, 0])
    assert_close(slope, jax.grad(lambda v: run(v, wanted=Expectation(SMALL)))(POINTS[0, 0]))


def measured() -> Circuit:
    """Three qubits, five classical bits; bit 0 is never written, bit 4 twice."""
    c = Circuit(3, num_clbits={"a": 2, "b": 3}).ry(1.1, 0).cx(0, 1).ry(0.4, 2)
    return c.measure(2, 1).measure(0, 3).measure(0, 4).measure(1, 4)


def test_classical_registers():
    c, shots = measured(), 20_000
    wanted = {"s": Samples(), "c": Counts(), "q": Samples([2]), "p": Probabilities([2]), "e": Expectation(Z(0))}
    found = execute(c, wanted, shots=shots, key=jax.random.key(4))
    one, two = np.sin(0.55) ** 2, np.sin(0.2) ** 2
    bits = np.asarray(found["s"])
    assert bits.shape == (shots, 5) and not bits[:, [0, 2]].any() and (bits[:, 3] == bits[:, 4]).all()
    joint = np.outer([1 - two, two], [1 - one, one]).ravel()
    assert_drawn(np.bincount(numbers(bits[:, [1, 3]]), minlength=4), joint)
    counts = found["c"].to_dict()
    assert counts.keys() == {"00000", "01000", "00011", "01011"} and sum(counts.values()) == shots
    assert_drawn([counts[w] for w in ("00000", "00011", "01000", "01011")], joint)
    assert_drawn(np.bincount(np.asarray(found["q"])[:, 0], minlength=2), [1 - two, two])
    assert abs(found["e"] - np.cos(1.1)) < 5 / shots**0.5 and abs(found["p"][1] - two) < 5 / shots**0.5
    state = execute(c)
    assert_close(state, execute(Circuit(3).ry(1.1, 0).cx(0, 1).ry(0.4, 2)))
    again = jax.jit(lambda key: execute(c, wanted, shots=shots, key=key))(jax.random.key(4))
    assert_close(again, found)


def test_named_registers_and_measure_all():
    found = execute(Circuit(3).x(0).x(2).measure_all(), Counts(), shots=7, key=jax.random.key(0))
    assert found.to_dict() == {"101": 7}


@pytest.mark.parametrize("n", [0, 1])
@pytest.mark.parametrize("on", [None, "numpy"])
def test_tiny_circuits(n, on):
    """No qubit, one qubit, no gate: every kind of result, plain and in a batch."""
    t = ParameterVector("t", 1)
    bits = "1" * n
    c = Circuit(n).gphase(t[0])
    if n:
        c.x(0)
    identity = PauliSum.from_label("I" * n) * 0.5
    sure = np.eye(1 << n)[-1]
    wanted = {
        **{"State": State(), "Amplitudes": Amplitudes([bits]), "Norm": Norm(), "Overlap": Overlap(sure)},
        **{"Fidelity": Fidelity(sure), "ReducedState": ReducedState(), "Probabilities": Probabilities()},
        **{"Expectation": Expectation(identity), "Variance": Variance(identity), "Purity": Purity()},
        **{"Diagonal": Expectation(DiagonalObservable([3.0], [])), "Projector": Expectation(Projector("", []))},
        **{"Entropy": Entropy(), "Renyi": Entropy(alpha=2), "MutualInformation": MutualInformation([], [])},
        **{"Samples": Samples(shots=6), "Counts": Counts(shots=6)},
    }
    phase = np.exp(0.3j)
    expected = {
        **{"State": phase * sure, "Amplitudes": [phase], "Norm": 1, "Overlap": phase, "Fidelity": 1},
        **{"ReducedState": np.outer(sure, sure), "Probabilities": sure, "Expectation": 0.5, "Variance": 0, "Purity": 1},
        **{"Diagonal": 3, "Projector": 1, "Entropy": 0, "Renyi": 0, "MutualInformation": 0},
        "Samples": np.ones((6, n)),
    }
    one = execute(c, wanted, {"t": [0.3]}, on=on, key=jax.random.key(0))
    batch = execute(c, wanted, {"t": [[0.3], [0.3]]}, on=on, key=jax.random.key(0))
    for name, value in expected.items():
        np.testing.assert_allclose(one[name], value, atol=1e-6, err_msg=name)
        assert batch[name].shape == (2, *np.shape(value)), name
        np.testing.assert_allclose(batch[name][1], value, atol=1e-6, err_msg=name)
    assert one["Counts"].to_dict() == {bits: 6}
    estimates = {"e": Expectation(identity, stderr=True), "p": Probabilities(), "v": Variance(identity)}
    found = execute(c, estimates, {"t": [0.3]}, on=on, key=jax.random.key(0), shots=10)
    assert_close(jax.tree.map(np.float32, found["e"]), type(found["e"])(np.float32(0.5), np.float32(0)))
    np.testing.assert_allclose(found["p"], sure)
    slope = jax.grad(lambda v: execute(c, Map(jnp.real, Overlap(sure)), {"t": v}, on=on))(jnp.array([0.3]))
    np.testing.assert_allclose(slope, [-np.sin(0.3)], atol=1e-5)
