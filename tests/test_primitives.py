"""Primitives: shapes as Qiskit's documentation states them, values as Qiskit's own, errors, one program a PUB."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import chi2_contingency

import qsim
from hardware.adapters.local import LocalDevice, device
from qsim import Circuit, Parameter, ParameterVector, PauliSum, Target, X, Y, Z
from qsim.backends import Reference
from qsim.errors import CircuitError, ObservableError, ParameterError, QsimError, ResultError
from qsim.methods import Statevector
from qsim.primitives import (
    BindingsArray,
    BitArray,
    DataBin,
    Estimator,
    EstimatorPub,
    ObservablesArray,
    PrimitiveResult,
    Pub,
    PubResult,
    Sampler,
    SamplerPub,
    make_data_bin,
)
from qsim.testing import trace_count

KEY = jax.random.key(7)
A, B = Parameter("a"), Parameter("b")


def ansatz() -> Circuit:
    """Two qubits, two parameters; bit strings and labels that read differently backwards."""
    return Circuit(2).ry(A, 0).rx(B, 1).cx(0, 1).rz(0.3, 1).rx(0.7, 1)


def exact(circuit: Circuit, observable: PauliSum, **values) -> float:
    """<psi|H|psi> in NumPy, gate by gate."""
    psi = Reference().amplitudes(circuit.bind(values))
    return float(np.vdot(psi, observable.to_matrix(circuit.num_qubits) @ psi).real)


def evs(*pub, **options):
    return Estimator(**options).run([pub]).result()[0].data.evs


# --------------------------------------------------------------------------- shapes


# (parameter sets, observables, estimates): the rows of the guide "primitive inputs and outputs", then of RFC 0017
# and of the docstring of StatevectorEstimator; then empty ones
BROADCASTING = {
    "single observable": ((5,), (), (5,)),
    "zip": ((5,), (5,), (5,)),
    "outer": ((1, 6), (4, 1), (4, 6)),
    "nd": ((3, 6), (2, 3, 1), (2, 3, 6)),
    "rules 1": ((6,), (), (6,)),
    "one set, many observables": ((), (5,), (5,)),
    "rfc nd": ((3, 6), (2, 1, 1), (2, 3, 6)),
    "docstring": ((100,), (3, 1), (3, 100)),
    "length one": ((1,), (1,), (1,)),
    "none": ((), (), ()),
    "no sets": ((0,), (), (0,)),
    "no observables": ((3, 1), (0,), (3, 0)),
}
REFUSED = {"different": ((3,), (4,)), "outer without an axis": ((5, 3), (5, 1, 4))}


def test_shapes_broadcast_as_the_documentation_says():
    rng = np.random.default_rng(0)
    pool = ["ZI", "XY", {"YI": 0.5, "IX": -1.0}, 2 * Z(1)]
    pubs, asked = [], []
    for sets, observables, expected in BROADCASTING.values():
        values = rng.normal(size=(*sets, 2))
        labels = np.empty(int(np.prod(observables, dtype=int)), object)
        labels[:] = [pool[i % 4] for i in range(len(labels))]
        pubs.append(EstimatorPub.coerce((ansatz(), labels.reshape(observables), values)))
        assert pubs[-1].shape == expected
        wide = np.broadcast_to(values, (*np.broadcast_shapes(sets, observables), 2))
        what = np.broadcast_to(np.arange(len(labels)).reshape(observables), expected)
        asked.append((labels, wide, what))
    for pub, (labels, wide, what), result in zip(pubs, asked, Estimator().run(pubs).result(), strict=True):
        data = result.data
        assert data.shape == data.evs.shape == data.stds.shape == pub.shape and not data.stds.any()
        for place in list(np.ndindex(pub.shape))[::5]:
            (h,), (a, b) = ObservablesArray(labels[what[place]]).sums(), wide[place]
            assert data.evs[place] == pytest.approx(exact(ansatz(), h, a=a, b=b), abs=1e-5)


@pytest.mark.parametrize("sets, observables", REFUSED.values(), ids=REFUSED)
def test_shapes_that_do_not_broadcast_are_both_named(sets, observables):
    labels = np.full(observables, "ZI", object)
    pub = (ansatz(), labels, np.zeros((*sets, 2)))
    with pytest.raises(ResultError) as error:
        Estimator().run([(ansatz(), "ZI", [0, 0]), pub])
    words = str(error.value)
    assert words.startswith("PUB 1: ") and str(sets) in words and str(observables) in words


def test_one_parameter_needs_no_axis_of_its_own():
    circuit = Circuit(1).rx(A, 0)
    for values, shape in (
        (0.3, ()),
        ([0.3], ()),
        ([0.3, 0.4], (2,)),
        ([[0.3], [0.4]], (2,)),
        (np.ones((1, 4)), (1, 4)),
    ):
        assert SamplerPub.coerce((circuit.copy().measure_all(), values)).shape == shape


def test_parameters_by_name_vector_tuple_and_array_are_the_same():
    x = ParameterVector("x", (2, 2))
    circuit = Circuit(2).ry(x[0], range(2)).rx(x[1], range(2)).rz(A, 0).cx(0, 1)
    rng = np.random.default_rng(1)
    a, v = rng.normal(size=3), rng.normal(size=(3, 2, 2))
    whole = np.concatenate([a[:, None], v.reshape(3, 4)], axis=1)
    names = ("x[0,0]", "x[0,1]", "x[1,0]", "x[1,1]")
    forms = [
        whole,
        whole.tolist(),
        {"a": a, "x": v},
        {A: a, x: v},
        {("a", *names): whole},
        {"a": a, names: v.reshape(3, 4)},
        {"x[0,0]": v[:, 0, 0], names[1:]: v.reshape(3, 4)[:, 1:], A: a},
        BindingsArray({A: a, x: v}),
        BindingsArray({"a": a, "x": v}, shape=3),
        BindingsArray({x: v, A: a}).reshape(3, 1).ravel(),
    ]

    def params(circuit, form):
        pub = EstimatorPub.coerce((circuit, "Z" * circuit.num_qubits, form))
        return pub.parameter_values.params(pub.signature), pub.shape

    for form in forms:
        got, shape = params(circuit, form)
        assert shape == (3,) and set(got) == {"a", "x"}
        np.testing.assert_array_equal(got["a"], a)
        np.testing.assert_array_equal(got["x"], v)
    want = [exact(circuit, Z(0) @ X(1), a=a[i], x=v[i]) for i in range(3)]
    found = [pub.data.evs for pub in Estimator().run([(circuit, "ZX", form) for form in forms]).result()]
    np.testing.assert_allclose(found, [want] * len(forms), atol=1e-6)
    partly = Circuit(1).rx(x[1, 1], 0)
    assert params(partly, {"x": v})[0]["x"] is not None and params(partly, a)[0]["x"].shape == (3, 2, 2)
    np.testing.assert_array_equal(params(partly, a)[0]["x"][:, 1, 1], a)
    got, shape = params(circuit, {"a": a[:, None], "x": v})
    assert shape == (3, 3) and got["a"].shape == (3, 1)  # what does not vary is not spread out


# --------------------------------------------------------------------------- programs


def test_a_pub_is_one_program_and_each_set_of_values_is_simulated_once(monkeypatch):
    from qsim import _program

    runs: list[int] = []
    whole = _program.Runner.__call__

    def spy(self, tables, values):
        runs.append(max(int(np.prod(np.shape(v))) for v in values.params.values()))
        return whole(self, tables, values)

    monkeypatch.setattr(_program.Runner, "__call__", spy)
    circuit = Circuit(3).ry(A, range(3)).cx(0, 1).cx(1, 2).h(0)
    before = trace_count()
    data = Estimator().run([(circuit, [["ZII", "IZI", "IIX", "XYZ", {"ZZI": 1, "XXX": 2}]], np.ones((6, 1, 1)))])
    assert data.result()[0].data.evs.shape == (6, 5)
    assert trace_count() - before == 1 and runs == [6] and len(data.jobs) == 1
    for values in (np.zeros((6, 1, 1)), np.full((6, 1, 1), 2.0)):
        Estimator().run([(circuit, [["ZII", "IZI", "IIX", "XYZ", {"ZZI": 3, "XXX": 2}]], values)]).result()
    assert trace_count() - before == 1


@pytest.mark.parametrize("precision", [0, 0.1])
def test_pubs_of_one_structure_run_together(precision):
    def made():
        return Circuit(2).ry(A, 0).rx(B, 1).cx(0, 1)

    same = made()
    values = np.random.default_rng(2).normal(size=(20, 2))
    pubs = [(same if i % 2 else made(), "ZZ", {"a": v[0], "b": v[1]} if i % 3 else v) for i, v in enumerate(values)]
    pubs += [(same, "ZZ", values.reshape(4, 5, 2)), (made(), "XX", values)]
    before = trace_count()
    job = Estimator(key=KEY).run(pubs, precision=precision)
    found = job.result()
    assert len(job.jobs) == (2 if precision else 1)  # what is not asked for is not measured
    assert trace_count() - before <= 2
    together = np.array([pub.data.evs for pub in found[:20]])
    want = [exact(same, Z(0) @ Z(1), a=a, b=b) for a, b in values]
    np.testing.assert_allclose(together, want, atol=6 * precision + 1e-6)
    assert found[20].data.evs.shape == (4, 5) and found[0].data.evs.shape == ()
    np.testing.assert_allclose(found[20].data.evs.ravel(), want, atol=6 * precision + 1e-6)
    if not precision:
        base = found[0].data.evs.base
        assert all(pub.data.evs.base is base for pub in found)


def test_circuits_with_other_constants_are_not_mixed_up():
    pubs = [(Circuit(1).rx(t, 0), "Z") for t in (0.1, 0.9)] + [
        (Circuit(1).rx(jnp.asarray(t), 0), "Z") for t in (0.1, 0.9)
    ]
    found = [float(pub.data.evs) for pub in Estimator().run(pubs).result()]
    np.testing.assert_allclose(found, np.cos([0.1, 0.9, 0.1, 0.9]), atol=1e-6)


@pytest.mark.slow
def test_many_observables_over_few_strings_in_pubs_of_their_own():
    rng = np.random.default_rng(3)
    weights, values = rng.normal(size=(30, 3)), rng.normal(size=(30, 2))
    sums = [w[0] * Z(0) + w[1] * X(1) @ X(0) + w[2] * Z(0) @ Z(1) + 0.1 for w in weights]
    pubs = [(ansatz(), h, v) for h, v in zip(sums, values, strict=True)]
    want = [exact(ansatz(), h, a=a, b=b) for h, (a, b) in zip(sums, values, strict=True)]
    got = [float(pub.data.evs) for pub in Estimator().run(pubs).result()]
    np.testing.assert_allclose(got, want, atol=2e-6)
    np.testing.assert_allclose(np.diag(evs(ansatz(), [[h] for h in sums], values)), want, atol=2e-6)
    data = Estimator(key=KEY).run([(ansatz(), sums, values)], precision=0.05).result()[0].data
    assert (np.abs(data.evs - want) < 5 * data.stds).all() and (data.stds > 0).all()


# --------------------------------------------------------------------------- shots


STATISTICS = {
    "one string": Z(0),
    "sum in two settings": 0.5 * Z(0) @ Z(1) + 0.8 * X(0) - 0.3 * Z(1) + 2.0,
    "by string": [0.5 * Z(0), 0.2 * Z(0) - Z(0) @ Z(1), Z(0) + Z(0) @ Z(1) + 1],
}


@pytest.mark.parametrize("observables", STATISTICS.values(), ids=STATISTICS)
def test_estimates_scatter_as_the_standard_errors_say(observables):
    times = 200
    circuit, point = ansatz(), np.array([0.9, 0.4])
    values = np.broadcast_to(point, (times, 1, 2))
    data = Estimator(key=KEY).run([(circuit, observables, values)], precision=0.1).result()[0].data
    a, b = point
    sums = observables if isinstance(observables, list) else [observables]
    want = np.array([exact(circuit, h, a=a, b=b) for h in sums])
    scatter = np.sqrt(((data.evs - want) ** 2).mean(axis=0))
    told = np.sqrt((data.stds**2).mean(axis=0))
    np.testing.assert_allclose(scatter, told, rtol=0.15)
    np.testing.assert_allclose(data.evs.mean(axis=0), want, atol=5 * told.max() / np.sqrt(times))


def test_stds_of_one_string_are_the_binomial_ones_and_follow_the_precision():
    circuit = Circuit(1).ry(A, 0)
    for precision, shots in ((0.1, 100), (1 / 64, 4096), (1 / 70, 4900)):  # the last in two blocks
        result = Estimator(key=KEY).run([(circuit, "Z", 1.0, precision)], precision=0.5).result()[0]
        mean = float(result.data.evs)
        assert result.metadata["shots"] == shots and result.metadata["target_precision"] == precision
        assert mean == pytest.approx(np.cos(1.0), abs=5 * precision)
        assert float(result.data.stds) == pytest.approx(np.sqrt((1 - mean**2) / (shots - 1)), rel=1e-3)


def test_points_without_parameters_are_measured_apart():
    circuit = Circuit(1).h(0)
    data = Estimator(key=KEY).run([(circuit, ["Z"], np.zeros((8, 0)))], precision=0.1).result()[0].data
    assert data.evs.shape == (8,) and len(set(data.evs.tolist())) > 3
    pubs = [(circuit, "Z", None, 0.1)] * 8
    assert len({float(pub.data.evs) for pub in Estimator(key=KEY).run(pubs).result()}) > 3
    sampled = Sampler(key=KEY).run([circuit.copy().measure_all()] * 8, shots=50).result()
    assert len({tuple(pub.data.meas.get_bitstrings()) for pub in sampled}) == 8
    nothing = Estimator(key=KEY).run([(ansatz(), "ZZ", np.zeros((0, 2)))], precision=0.1).result()[0].data
    assert nothing.evs.shape == nothing.stds.shape == (0,)
    assert evs(circuit, ["Z", "X"], None).tolist() == pytest.approx([0, 1], abs=1e-6)


def test_keys_repeat_runs_and_missing_ones_come_from_the_system():
    pub = (Circuit(3).h(range(3)).measure_all(),)
    first = Sampler().run([pub], shots=40).result()
    again = Sampler(key=first.metadata["key"]).run([pub], shots=40).result()
    other = Sampler().run([pub], shots=40).result()
    assert first[0].data.meas == again[0].data.meas and not first[0].data.meas == other[0].data.meas
    assert Sampler(seed=5).run([pub]).result()[0].data.meas == Sampler(seed=5).run([pub]).result()[0].data.meas
    assert Estimator().run([(ansatz(), "ZZ", [0, 1])]).result().metadata["key"] is None
    with pytest.raises(ResultError, match="two words for one thing"):
        Sampler(key=KEY, seed=1)
    noisy = lambda t: Estimator().run([(Circuit(1).rx(A, 0), "Z", t)], precision=0.1).result()[0].data.evs  # noqa: E731
    for transform in (jax.jit, jax.grad, jax.vmap):
        with pytest.raises(ResultError, match=r"Estimator\(key=key\)"):
            transform(noisy)(0.1 if transform is not jax.vmap else jnp.ones(2))


# --------------------------------------------------------------------------- transformations, backends


def test_estimator_under_jit_and_grad(x64):
    h = [Z(0), 0.5 * X(0) + Y(1)]

    def energy(values):
        return Estimator(method=Statevector(jnp.complex128)).run([(ansatz(), h, values)]).result()[0].data.evs

    point = jnp.array([0.4, -1.1])
    value, slopes = jax.jit(lambda t: (energy(t), jax.jacrev(energy)(t)))(point)
    for place, observable in enumerate(h):
        assert value[place] == pytest.approx(exact(ansatz(), observable, a=0.4, b=-1.1), abs=1e-12)
        for name, column in (("a", 0), ("b", 1)):
            up, down = ({"a": 0.4, "b": -1.1, name: float(point[column]) + step} for step in (1e-5, -1e-5))
            difference = (exact(ansatz(), observable, **up) - exact(ansatz(), observable, **down)) / 2e-5
            assert slopes[place, column] == pytest.approx(difference, abs=1e-8)


def test_gradients_through_several_pubs_and_through_coefficients():
    def total(t, c):
        pubs = [(ansatz(), PauliSum(Z(0).strings, c), [t, 0.1 * i]) for i in range(3)]
        return sum(pub.data.evs for pub in Estimator().run(pubs).result()).sum()

    slopes = jax.grad(total, (0, 1))(0.4, 2 * jnp.ones(1))
    assert slopes[0] == pytest.approx(-6 * np.sin(0.4), abs=1e-5)
    assert slopes[1] == pytest.approx(3 * np.cos(0.4), abs=1e-5)
    assert isinstance(evs(ansatz(), "ZI", jnp.ones(2)), np.ndarray)


@pytest.mark.slow
def test_estimator_under_vmap():
    mapped = jax.vmap(lambda t: evs(ansatz(), "ZI", [t, 0.1]))(jnp.array([0.4, 1.0]))
    np.testing.assert_allclose(mapped, np.cos([0.4, 1.0]), atol=1e-6)


@pytest.mark.slow
def test_gradients_of_estimates_from_shots():
    energy = lambda t, key: Estimator(key=key).run([(Circuit(1).rx(A, 0), "Z", t)], precision=0.01).result()[0].data.evs  # noqa: E731
    assert jax.jit(jax.grad(energy))(0.7, KEY) == pytest.approx(-np.sin(0.7), abs=0.05)


def test_sampler_under_jit_gives_the_same_bits():
    circuit = Circuit(2).rx(A, 0).h(1).measure_all()
    run = lambda t: Sampler(key=KEY).run([(circuit, t)], shots=64).result()[0].data.meas  # noqa: E731
    traced = jax.jit(lambda t: run(t).array)(0.4)
    np.testing.assert_array_equal(traced, run(0.4).array)
    with pytest.raises(ResultError, match="traced"):
        jax.jit(lambda t: len(run(t).get_counts()))(0.4)


@pytest.mark.parametrize("name", ["numpy", "local@line5"])
def test_primitives_on_other_backends(name):
    on = device("line5") if name == "local@line5" else name
    values = np.array([[0.2, 0.5], [1.0, -0.4]])
    pub = (ansatz(), [["ZI"], ["XX"], [{"IZ": 0.5, "YI": 1.0}]], values)
    want = evs(*pub)
    data = Estimator(on=on, key=KEY).run([pub], precision=0 if name != "local@line5" else None).result()[0].data
    assert data.shape == (3, 2)
    np.testing.assert_allclose(data.evs, want, atol=1e-5 if name != "local@line5" else 0.1)
    assert (data.stds > 0).all() == (name == "local@line5")
    circuit = Circuit(3, num_clbits={"one": 1, "two": 2}).x(0).rx(A, 2).measure([0, 1, 2], [0, 1, 2])
    found = Sampler(on=on, key=KEY).run([(circuit, [0.0, np.pi])], shots=20).result()[0].data
    assert found.one.get_counts(0) == {"1": 20} and found.two.get_counts(1) == {"01": 20}
    assert list(found) == ["one", "two"] and found.shape == found.two.shape == (2,)


def test_devices_measure_only_what_is_asked_for(monkeypatch):
    sent: list[int] = []
    whole = LocalDevice.send
    monkeypatch.setattr(
        LocalDevice, "send", lambda self, programs: (sent.append(len(programs)), whole(self, programs))[1]
    )
    values = np.array([[0.2, 0.5], [1.0, -0.4], [0.7, 0.1], [0.2, 1.5]])
    labels = np.array([["ZI"], ["XX"]])
    zipped = np.array(["ZI", "XX", "ZI", "YY"])
    line = LocalDevice(Target.line(2, ["rz", "sx", "x", "cz"]))
    data = Estimator(on=line, key=KEY).run([(ansatz(), zipped, values)], precision=0.05).result()[0].data
    assert sum(sent) == 4
    for at, (label, (a, b)) in enumerate(zip(zipped, values, strict=True)):
        assert abs(data.evs[at] - exact(ansatz(), PauliSum.from_label(label), a=a, b=b)) < 5 * data.stds[at]
    sent.clear()
    data = Estimator(on=line, key=KEY).run([(ansatz(), labels, values[:2])], precision=0.05).result()[0].data
    assert sum(sent) == 4 and data.evs.shape == (2, 2)


# --------------------------------------------------------------------------- containers


def test_bits_are_read_as_strings_read():
    rng = np.random.default_rng(4)
    for n in (1, 3, 8, 11, 70):
        bits = rng.integers(0, 2, (2, 5, n)).astype(bool)
        for first in ("left", "right"):
            array = BitArray.from_bool_array(bits, first=first)
            assert (array.num_bits, array.num_shots, array.shape) == (n, 5, (2,))
            texts = ["".join("01"[int(b)] for b in row) for row in bits.reshape(10, n)]
            assert array.get_bitstrings() == texts
            assert array.get_counts(1) == {t: texts[5:].count(t) for t in texts[5:]}
            assert array.get_int_counts(0) == {int(t, 2): texts[:5].count(t) for t in texts[:5]}
            np.testing.assert_array_equal(array.to_bool_array(), bits)
            np.testing.assert_array_equal(array.bitcount(), bits.sum(axis=-1))
            kept = [0, n - 1] if n > 1 else [0]
            want = bits if first == "left" else bits[..., ::-1]
            got = array.slice_bits(kept).to_bool_array("big" if first == "left" else "little")
            np.testing.assert_array_equal(got, want[..., kept])
            chosen = array.postselect([0], [1])
            assert chosen.num_shots == want[..., 0].sum()
            again = BitArray.from_counts([array.get_counts(i) for i in range(2)], num_bits=n, first=first)
            assert again.get_counts() == array.get_counts() and again.shape == (2,)
            assert (array ^ array).bitcount().sum() == 0 and (~array | array) == ~(array & ~array)
            assert array.slice_shots([1, 1]).get_bitstrings(0) == [texts[1], texts[1]]
            assert BitArray.concatenate([array, array]).shape == (4,)
            assert BitArray.concatenate_shots([array, array]).num_shots == 10
            joined = BitArray.concatenate_bits([array, ~array])
            assert joined.slice_bits(range(n)) == array and joined.slice_bits(range(n, 2 * n)) == ~array
            assert array.reshape(10).num_shots == 10 and array.reshape((2, 1)).transpose().shape == (1, 2)
            assert array[1].get_bitstrings() == texts[5:] and array == array.reshape(2, 5)[:]


def test_bit_arrays_agree_with_qiskit():
    containers = pytest.importorskip("qiskit.primitives.containers")
    rng = np.random.default_rng(5)
    bits = rng.integers(0, 2, (3, 40, 5)).astype(bool)
    mine, theirs = BitArray.from_bool_array(bits, first="right"), containers.BitArray.from_bool_array(bits)
    np.testing.assert_array_equal(mine.array, theirs.array)
    assert mine.get_counts(2) == theirs.get_counts(2) and mine.get_int_counts() == theirs.get_int_counts()
    assert mine.slice_bits([1, 4]).get_bitstrings() == theirs.slice_bits([1, 4]).get_bitstrings()
    assert mine.postselect([0, 3], [1, 0]).get_counts() == theirs.postselect([0, 3], [1, 0]).get_counts()
    labels = [["ZIIIZ"], [{"IIZIZ": 0.5, "IIIII": 1.0}]]
    np.testing.assert_allclose(mine.expectation_values(labels), theirs.expectation_values(labels), atol=1e-12)
    both = BitArray.concatenate_bits([mine, ~mine]).get_bitstrings()
    assert both == containers.BitArray.concatenate_bits([theirs, ~theirs]).get_bitstrings()


def test_bits_that_cannot_be_are_refused_and_counts_are_of_experiments():
    one = BitArray.from_counts({"01": 2, "11": 0})
    two = BitArray(np.zeros((2, 3, 0), np.uint8), 0)
    assert one.get_counts(()) == {"01": 2} and two.get_counts() == {"": 6} and two.get_counts(1) == {"": 3}
    for bad in (
        lambda: BitArray(np.zeros((3, 0), np.uint8), -3),
        lambda: BitArray(np.zeros((3, 1), np.uint8), "1"),
        lambda: BitArray.from_counts({"01": -1, "11": 3}),
        lambda: BitArray.from_counts({"01": 1.5}),
        lambda: one.get_counts(0),  # a shot
        lambda: two.get_bitstrings((0, 0)),
        lambda: BindingsArray({"a": np.zeros(3)}, shape="x"),
    ):
        with pytest.raises(ResultError):
            bad()


def test_shots_of_a_batch_are_drawn_in_parts_that_fit_the_caches(monkeypatch):
    """In parts or at once, the bits of each point are the same."""
    found, parts = [], []
    kept = jax.lax.map
    monkeypatch.setattr(jax.lax, "map", lambda f, xs: parts.append(len(jax.tree.leaves(xs)[0])) or kept(f, xs))
    for name, chunk in (("whole", 1 << 17), ("parts", 100)):
        monkeypatch.setattr("qsim.lower.cost.CHUNK", chunk)
        circuit = Circuit(1).rx(Parameter(name), 0).measure_all()
        found.append(Sampler(seed=3).run([(circuit, np.linspace(0, 3, 8))], shots=50).result()[0].data.meas)
    assert found[0] == found[1] and parts == [4]


def test_data_bins_and_results_read_like_records_and_sequences():
    data = DataBin(evs=np.zeros((2, 3)), other=BitArray.from_samples(["01", "10"]).reshape(2, 1), shape=(2,))
    assert data["evs"] is data.evs and "evs" in data and list(data.keys()) == ["evs", "other"] and len(data) == 2
    assert [k for k, _ in data.items()] == list(data) and data.ndim == 1 and data.size == 2
    for bad in (lambda: data.nothing, lambda: setattr(data, "evs", 1)):
        with pytest.raises(AttributeError):
            bad()
    with pytest.raises(KeyError, match="nothing"):
        data["nothing"]
    for bad in (lambda: DataBin(evs=np.zeros(3), shape=(2,)), lambda: DataBin(keys=np.zeros(3))):
        with pytest.raises(ResultError):
            bad()
    Kind = make_data_bin([("evs", np.ndarray), ("stds", np.ndarray)], shape=(2,))
    assert Kind(evs=np.zeros(2), stds=np.zeros(2)).shape == (2,) and issubclass(Kind, DataBin)
    with pytest.raises(ResultError, match="fields"):
        Kind(evs=np.zeros(2))

    class Tagged(PubResult):
        """Of somebody else."""

    results = PrimitiveResult([Tagged(data), Tagged(data)], {"version": 2})
    assert [r.data for r in results] == [data, data] and len(results) == 2 and len(results[:1]) == 1
    assert isinstance(results[-1], Tagged) and results.metadata == {"version": 2}
    with pytest.raises(IndexError):
        results[2]

    class Named(EstimatorPub):
        """With a name."""

    assert isinstance(Named.coerce((ansatz(), "ZZ", [0, 0])), Named) and issubclass(Named, Pub)
    assert float(evs(*[ansatz(), "ZI", [0, 0]])) == float(
        Estimator().run([Named.coerce((ansatz(), "ZI", [0, 0]))]).result()[0].data.evs
    )


def test_jobs():
    job = Estimator().run([(ansatz(), "ZZ", [0, 0])])
    assert job.done() and job.in_final_state() and not job.running() and not job.cancel() and not job.cancelled()
    assert job.job_id() == job.id and job.result(timeout=1) is job.result() and "jobs" in job.metadata
    assert len(Estimator().run([]).result()) == len(Sampler().run([]).result()) == 0


# --------------------------------------------------------------------------- bad input


SAMPLED = Circuit(1).rx(A, 0).measure_all()
GOOD = (ansatz(), "ZI", [0.1, 0.2])
BAD_ESTIMATES = {
    "observable on too many qubits": (
        (ansatz(), Z(2), [0, 0]),
        ObservableError,
        "qubit 2, but the circuit has 2 qubits",
    ),
    "label of another size": ((ansatz(), "ZII", [0, 0]), ObservableError, "3 qubits, but the circuit has 2"),
    "letters": ((ansatz(), "ZA", [0, 0]), ObservableError, "I, X, Y and Z"),
    "not Hermitian": ((ansatz(), 1j * Z(0), [0, 0]), ObservableError, "Hermitian"),
    "ragged": ((ansatz(), [["ZI"], ["ZI", "IZ"]], [0, 0]), ObservableError, "shapes"),
    "no observable": ((ansatz(), 3, [0, 0]), ObservableError, "but is int"),
    "empty mapping": ((ansatz(), {}, [0, 0]), ObservableError, "must have an entry"),
    "unknown name": ((ansatz(), "ZI", {"a": 0, "b": 0, "c": 1}), ParameterError, "Unknown parameter `c`.*a, b"),
    "missing name": ((ansatz(), "ZI", {"a": 0}), ParameterError, "No value for parameter `b`"),
    "twice": ((ansatz(), "ZI", {"a": 0, ("a", "b"): [0, 0]}), ParameterError, "`a` is given twice"),
    "missing": ((ansatz(), "ZI"), ParameterError, "No value for parameters `a`, `b`"),
    "last axis": ((ansatz(), "ZI", np.zeros((4, 3))), ParameterError, r"must have 2 entries.*\(a, b\).*\(4, 3\)"),
    "NaN": ((ansatz(), "ZI", [np.nan, 0]), ParameterError, "NaN"),
    "words": ((ansatz(), "ZI", ["x", "y"]), ParameterError, "real numbers"),
    "complex of JAX": ((ansatz(), "ZI", jnp.array([1j, 0])), ParameterError, "real numbers"),
    "complex": ((ansatz(), "ZI", [1j, 0]), ParameterError, "real numbers"),
    "ragged values": ((ansatz(), "ZI", [[1, 2], [3]]), ParameterError, "real numbers"),
    "none needed": ((Circuit(1), "Z", [1.0]), ParameterError, "0 entries"),
    "batches": ((ansatz(), "ZI", {"a": np.zeros(2), "b": np.zeros(3)}), ParameterError, "do not broadcast"),
    "negative precision": ((*GOOD, -0.1), ResultError, "0 .exact. or more, but is -0.1"),
    "NaN precision": ((*GOOD, np.nan), ResultError, "precision"),
    "bool precision": ((*GOOD, True), ResultError, "precision"),
    "tiny precision": ((*GOOD, 1e-9), ResultError, "at least 3e-05"),
    "five parts": ((*GOOD, 0.1, 1), ResultError, "has 5 parts"),
    "circuit alone": (ansatz(), CircuitError, "must be a tuple"),
    "no circuit": (("circuit", "ZI"), CircuitError, "must be a Circuit, but is str"),
}
BAD_SAMPLES = {
    "no measurement": ((ansatz(), [0, 0]), ResultError, "measures nothing"),
    "no shots": ((SAMPLED, [0.0], 0), ResultError, "1 or more, but is 0"),
    "negative shots": ((SAMPLED, [0.0], -5), ResultError, "1 or more"),
    "float shots": ((SAMPLED, [0.0], 1.5), ResultError, "1 or more"),
    "many shots": ((SAMPLED, [0.0], 2**40), ResultError, "at most"),
    "four parts": ((SAMPLED, [0.0], 1, 1), ResultError, "has 4 parts"),
    "missing": (SAMPLED, ParameterError, "No value for parameter `a`"),
    "taken name": (Circuit(1, num_clbits={"shape": 1}).measure(0, 0), ResultError, "'shape' .* is taken"),
    "array": (np.zeros(3), CircuitError, "must be a Circuit"),
}


@pytest.mark.parametrize("pub, kind, words", BAD_ESTIMATES.values(), ids=BAD_ESTIMATES)
def test_bad_pubs_of_the_estimator_are_named(pub, kind, words):
    with pytest.raises(kind, match=f"PUB 1: .*{words}"):
        Estimator().run([GOOD, pub])


@pytest.mark.parametrize("pub, kind, words", BAD_SAMPLES.values(), ids=BAD_SAMPLES)
def test_bad_pubs_of_the_sampler_are_named(pub, kind, words):
    with pytest.raises(kind, match=f"PUB 2: .*{words}"):
        Sampler().run([(SAMPLED, [0.0]), (SAMPLED, 0.0, 3), pub])


def test_bad_runs():
    for bad in (ansatz(), EstimatorPub.coerce(GOOD), "pubs", 3):
        with pytest.raises(ResultError, match=r"run\(\[pub\]\)"):
            Estimator().run(bad)
    for bad in (lambda: Estimator().run([GOOD], precision=-1), lambda: Estimator(default_precision="x")):
        with pytest.raises(ResultError, match="precision"):
            bad()
    for bad in (lambda: Sampler(key=3), lambda: Estimator(key=jax.random.split(KEY)), lambda: Sampler(seed=-1)):
        with pytest.raises(ResultError, match="`(key|seed)` must be"):
            bad()
    with pytest.raises(ResultError, match="PUB 1: .*`precision` must be more than 0 on backend `local@line5`"):
        Estimator(on=device("line5")).run([GOOD, (*GOOD, 0)])
    for bad in (lambda: Sampler().run([SAMPLED], shots=0), lambda: Sampler(default_shots=True)):
        with pytest.raises(ResultError, match="shots"):
            bad()
    with pytest.raises(QsimError, match="PUB 0: .*nothing@here|nothing"):
        Estimator(on="nothing@here").run([GOOD])
    with pytest.raises(QsimError, match="^PUB 1: .*[Rr]eset"):
        from qsim.ir.operation import Reset

        Estimator().run([GOOD, (Circuit(1).append(Reset(), 0), "Z")])


def test_it_is_there_without_being_asked_for():
    assert qsim.primitives.Estimator is Estimator


def test_samples_follow_the_state():
    circuit = ansatz().measure_all()
    values = np.random.default_rng(6).normal(size=(3, 2))
    found = Sampler(key=KEY).run([(circuit, values)], shots=4000).result()[0].data.meas
    states = [np.abs(Reference().amplitudes(ansatz().bind({"a": a, "b": b}))) ** 2 for a, b in values]
    for place in range(3):
        counts = found.get_int_counts(place)
        seen = np.array([counts.get(i, 0) for i in range(4)])
        assert chi2_contingency([seen, states[place] * 4000])[1] > 1e-3
