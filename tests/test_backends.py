"""Jobs, names of backends and transpilers, preparing circuits, and the seams of host backends."""

from __future__ import annotations

import threading
from importlib.metadata import EntryPoint

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qsim import Circuit, Layout, Padding, Parameter, Target, Z, execute, submit
from qsim._errors import BackendError, JobCancelled, JobTimeout, TargetError
from qsim.backends import (
    Backend,
    DoneJob,
    HostBackend,
    Job,
    JobStatus,
    LocalBackend,
    MappedJob,
    Reference,
    Request,
    find_backend,
    find_transpiler,
    prepare,
    registry,
    results_of_amplitudes,
)
from qsim.backends.atoms import atoms_of
from qsim.backends.prepare import _cache as prepare_cache
from qsim.ir.layout import pad
from qsim.ir.symbols import name_values
from qsim.results import Counts, Expectation, Map, Norm, Probabilities, State
from qsim.testing import assert_equivalent, check_backend, check_gradient

T = Parameter("t")


# ---------------------------------------------------------------- jobs


class SlowJob(Job):
    """A job that is done when the test says so."""

    def __init__(self):
        self.done, self.gone = threading.Event(), False
        self.value = None

    id = "slow-1"
    metadata = {"queue": 3}

    def status(self):
        if self.gone:
            return JobStatus.CANCELLED
        return JobStatus.DONE if self.done.is_set() else JobStatus.RUNNING

    def result(self, timeout=None):
        if self.gone:
            raise JobCancelled(f"Job {self.id} was cancelled.")
        if not self.done.wait(timeout):
            raise JobTimeout("not yet")
        return self.value

    def cancel(self):
        self.gone = True
        return True


class SlowBackend(HostBackend):
    name, target, transpiler = "slow", Target.ideal(), None

    def __init__(self):
        self.job = SlowJob()
        self.requests = None

    def supports(self, result):
        return True

    def submit_many(self, requests):
        self.requests = requests
        self.job.value = Reference().submit_many(requests).result()
        return self.job


def test_a_job_that_takes_its_time():
    backend = SlowBackend()
    job = submit(Circuit(1).rx(T, 0), 2 * Expectation(Z(0)), {"t": [0.0, np.pi]}, on=backend)
    assert job.status() is JobStatus.RUNNING and not job.status().is_final and job.id == "slow-1"
    with pytest.raises(JobTimeout):
        job.result(timeout=0.01)
    assert job.status() is JobStatus.RUNNING
    backend.job.done.set()
    np.testing.assert_allclose(job.result(), [2, -2], atol=1e-5)
    assert job.metadata["queue"] == 3 and job.metadata["requests"] == 2
    assert "slow-1" in repr(job)


def test_a_job_that_is_cancelled():
    job = submit(Circuit(1), on=SlowBackend())
    assert job.cancel() and job.status() is JobStatus.CANCELLED
    with pytest.raises(JobCancelled, match="slow-1"):
        job.result()


def test_mapped_job_applies_its_function_once():
    calls = []
    job = MappedJob(DoneJob(3, {"a": 1}), lambda value: calls.append(value) or value + 1, {"b": 2})
    assert job.result() == job.result() == 4 and calls == [3]
    assert job.metadata == {"a": 1, "b": 2}


def test_requests_for_hosts_are_plain():
    backend = SlowBackend()
    backend.job.done.set()
    c = Circuit(2).rx(2 * T, 0).ry(jnp.float32(0.2), 1).rz(0.1, 0)
    found = execute(c, Map(jnp.sin, Norm()) + Expectation(Z(0)), {"t": 0.3}, on=backend)
    [request] = backend.requests
    assert isinstance(request, Request) and not request.circuit.parameters and not request.circuit.values()
    assert [type(r) for r in request.results] == [Norm, Expectation] and request.params == {}
    np.testing.assert_allclose(found, np.sin(1) + np.cos(0.6), atol=1e-5)
    np.testing.assert_allclose(results_of_amplitudes(request, Reference().amplitudes(request.circuit))[0], 1)


# ---------------------------------------------------------------- names


def test_names_that_are_built_in():
    assert find_backend(None) == LocalBackend() and find_backend("cpu@0") == LocalBackend("cpu", 0)
    assert find_backend("numpy") == Reference()
    backend = Reference()
    assert find_backend(backend) is backend


def test_names_that_others_register(monkeypatch):
    class Toy(Reference):
        pass

    made = []
    points = {
        registry.BACKENDS: [("acme", lambda device: made.append(device) or Toy()), ("bad", lambda device: 7)],
        registry.TRANSPILERS: [("same", lambda circuit, target: circuit)],
    }

    def entry_points(group):
        return [FakePoint(name, group, value) for name, value in points[group]]

    class FakePoint:
        def __init__(self, name, group, value):
            self.name, self.group, self.value = name, group, value

        def load(self):
            return self.value

    monkeypatch.setattr(registry, "entry_points", entry_points)
    registry._backend_of.cache_clear()
    assert isinstance(find_backend("acme@mars"), Toy) and made == ["mars"]
    assert find_backend("acme@mars") is find_backend("acme@mars") and made == ["mars"]
    assert isinstance(find_backend("acme"), Toy) and made == ["mars", None]
    with pytest.raises(BackendError, match="must give a Backend, but gave int"):
        find_backend("bad")
    with pytest.raises(BackendError, match=r"'acm@e'.*'acme'.*'cpu'.*Did you mean 'acme'"):
        find_backend("acm@e")
    assert find_transpiler("same")(1, 2) == 1
    with pytest.raises(TargetError, match=r"'sme'.*There are: 'same'. Did you mean 'same'"):
        find_transpiler("sme")
    registry._backend_of.cache_clear()


def test_an_entry_point_that_does_not_load(monkeypatch):
    point = EntryPoint("broken", "no_such_module:thing", registry.TRANSPILERS)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])
    with pytest.raises(TargetError, match=r"'broken'.*no_such_module:thing.*cannot be loaded"):
        find_transpiler("broken")


# ---------------------------------------------------------------- preparing


class Device(Backend):
    name, target, transpiler = "device", Target.line(4, ["rx", "rz", "cz", "swap", "measure"]), "never-looked-up"

    def supports(self, result):
        return True

    def run(self, request):
        return DoneJob(request)


def test_a_circuit_in_the_target_needs_no_transpiler():
    c = Circuit(4).rx(0.1, 0).cz(1, 2)
    assert prepare(c, Device()) == (c, {})
    assert prepare(c, Device(), qubits=[0, 1, 2, 3])[0].layout == Layout.trivial(4)
    moved, _ = prepare(Circuit(2).cz(0, 1), Device(), qubits=[3, 2])
    assert moved.layout == Layout((3, 2), (3, 2)) and moved.instructions[0].qubits == (3, 2)
    with pytest.raises(TargetError, match="never-looked-up"):
        prepare(Circuit(4).h(0), Device())


def to_rx(circuit, target):
    """h becomes rx; what the transpiler saw is kept for the test."""
    to_rx.seen.append((circuit, target))
    new = Circuit(circuit.num_qubits)
    for i in circuit.instructions:
        if i.operation.name == "h":
            new.rx(np.pi / 2, i.qubits[0])
        else:
            new.append(i.operation, i.qubits)
    return new.with_layout(circuit.layout)


@pytest.mark.parametrize(
    ("padding", "qubits", "seen", "layout"),
    [
        (None, None, 4, (0, 1)),
        (Padding.BEFORE, None, 4, (0, 1)),
        (Padding.AFTER, None, 2, (0, 1)),
        (Padding.NONE, None, 2, (0, 1)),
        (None, (3, 2), 2, (3, 2)),
        (Padding.BEFORE, (3, 2), 4, (3, 2)),
        (Padding.AFTER, (3, 2), 2, (3, 2)),
        (Padding.NONE, (3, 2), 4, (3, 2)),
    ],
)
def test_padding_around_any_transpiler(padding, qubits, seen, layout):
    to_rx.seen = []
    c = Circuit(2).h(0).cz(0, 1).rx(0.01 * len(str(padding)) + 0.1 * len(str(qubits)), 1)
    made, _ = prepare(c, Device(), to_rx, padding, qubits)
    [(given, target)] = to_rx.seen
    assert given.num_qubits == seen and made.layout == Layout(layout, layout)
    assert target.num_qubits == (2 if padding is Padding.AFTER or (padding is None and qubits) else 4)
    assert made.num_qubits == (2 if padding is Padding.NONE and qubits is None else 4)


def test_transpiled_circuits_are_kept_by_structure_and_constants():
    to_rx.seen = []
    make = lambda angle, constant: Circuit(2).h(0).rx(angle, 1).rz(constant, 0)  # noqa: E731
    first, values = prepare(make(jnp.float32(0.1), 0.123), Device(), to_rx)
    again, others = prepare(make(jnp.float32(0.7), 0.123), Device(), to_rx)
    assert again is first and len(to_rx.seen) == 1
    assert [float(*v.values()) for v in (values, others)] == pytest.approx([0.1, 0.7])
    prepare(make(jnp.float32(0.1), 0.456), Device(), to_rx)
    prepare(make(T, 0.123), Device(), to_rx)
    assert len(to_rx.seen) == 3


def test_at_most_256_transpiled_circuits_are_kept():
    to_rx.seen = []
    for k in range(260):
        prepare(Circuit(1).h(0).rz(float(k), 0), Device(), to_rx)
    assert len(prepare_cache) == 256


def test_no_tracer_reaches_a_transpiler_or_stays():
    to_rx.seen = []

    def loss(t):
        c = Circuit(2).h(0).rx(t, [0, 1]).rx(t[0] + 1, 0)
        made, values = prepare(c, Device(), to_rx)
        assert not made.values() and len(values) == 2
        return sum(jnp.sum(v) for v in values.values())

    with jax.checking_leaks():
        jax.jit(jax.grad(loss))(jnp.ones(2))
    assert len(to_rx.seen) <= 1


def test_name_values_keeps_equal_circuits_equal():
    make = lambda t: Circuit(2).ry(t, [0, 1]).rz(t[1], 0).rx(T, 1)  # noqa: E731
    (a, values), (b, _) = name_values(make(jnp.array([1.0, 2.0]))), name_values(make(jnp.array([3.0, 4.0])))
    assert a.key == b.key and len(values) == 2 and not a.values()
    plain = Circuit(1).rx(T, 0)
    assert name_values(plain) == (plain, {})


# ---------------------------------------------------------------- host backends that misbehave


class Wrong(HostBackend):
    name, target, transpiler = "wrong", Target.ideal(), None

    def __init__(self, answer):
        self.answer = answer

    def supports(self, result):
        return True

    def submit_many(self, requests):
        return DoneJob(self.answer(requests))


def fail(requests):
    raise BackendError("the fridge is warm")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda requests: [], r"was given \d requests, but returned 0"),
        (lambda requests: [[]] * len(requests), "returned 0 arrays for results that have 1"),
        (lambda requests: [[np.zeros(3)]] * len(requests), r"shape \(3,\) where a result has shape \(2,\)"),
        (fail, "the fridge is warm"),
    ],
)
def test_wrong_answers_are_named(answer, message):
    run = lambda t: execute(Circuit(1).rx(t, 0), Probabilities(), on=Wrong(answer))[0]  # noqa: E731
    with pytest.raises(BackendError, match=message):
        run(0.1)
    with pytest.raises(BackendError, match=message):
        jax.grad(run)(0.1)
    with pytest.raises(Exception, match=message):
        jax.jit(run)(0.1).block_until_ready()


def test_no_tracer_leaks_from_a_host_backend():
    with jax.checking_leaks():
        value = jax.jit(jax.grad(lambda t: execute(Circuit(1).rx(t, 0), Expectation(Z(0)), on="numpy")))(0.3)
    np.testing.assert_allclose(value, -np.sin(0.3), atol=1e-5)


def test_atoms_of_composed_results():
    e, n = Expectation(Z(0)), Norm()
    assert atoms_of({"a": e + 2 * n, "b": Map(sum, [n, e])}) == [e, n, n, e]


# ---------------------------------------------------------------- the kit


@pytest.mark.parametrize(
    "backend", [LocalBackend(), pytest.param(LocalBackend("cpu"), marks=pytest.mark.slow), Reference()], ids=repr
)
def test_conformance(backend):
    check_backend(backend, num_qubits=2)


@pytest.mark.slow
def test_conformance_with_shots():
    check_backend(LocalBackend(), num_qubits=2, shots=40_000, atol=0.05)


def test_the_kit_finds_faults():
    swapped = lambda requests: [  # noqa: E731
        results_of_amplitudes(r, Reference().amplitudes(r.circuit).reshape(2, 2).T.reshape(-1)) for r in requests
    ]
    with pytest.raises(AssertionError, match="a value"):
        check_backend(Wrong(swapped), num_qubits=2)


def test_the_kit_finds_a_backend_that_ignores_the_initial_state():
    deaf = lambda requests: [  # noqa: E731
        results_of_amplitudes(r, Reference().amplitudes(r.circuit)) for r in requests
    ]
    with pytest.raises(AssertionError, match="an initial state"):
        check_backend(Wrong(deaf), num_qubits=2)


def test_equivalence():
    a = Circuit(3).h(0).cx(0, 2).rz(T, 2)
    assert_equivalent(a, a.copy().gphase(0.3))
    assert_equivalent(a, pad(a, 6, [5, 0, 2]))
    routed = Circuit(3).h(0).swap(0, 1).cx(1, 2).rz(T, 2).with_layout(Layout((0, 1, 2), (1, 0, 2)))
    assert_equivalent(a, routed)
    with pytest.raises(AssertionError, match="largest difference"):
        assert_equivalent(a, a.copy().t(1))
    with pytest.raises(AssertionError, match=r"ancillas are not back"):
        assert_equivalent(Circuit(1), Circuit(2).x(1).with_layout(Layout((0,), (0,))))
    with pytest.raises(AssertionError, match="3 and 2 logical"):
        assert_equivalent(a, Circuit(2))


def test_equivalence_of_large_clifford_circuits():
    n = 60
    a = Circuit(n).h(range(n)).cz(range(n - 1), range(1, n)).s(range(n))
    assert_equivalent(a, pad(a, n + 5, range(5, n + 5)))
    with pytest.raises(AssertionError, match="stabilizers"):
        assert_equivalent(a, a.copy().z(7))
    with pytest.raises(AssertionError, match="no Clifford gate"):
        assert_equivalent(a, a.copy().t(7))


def test_check_gradient_finds_faults():
    @jax.custom_jvp
    def wrong(x):
        return jnp.sin(x)

    wrong.defjvp(lambda primals, tangents: (jnp.sin(*primals), 1.1 * jnp.cos(*primals) * tangents[0]))
    with pytest.raises(AssertionError, match=r"element \(\)"):
        check_gradient(wrong, 0.3)
    check_gradient(lambda t: execute(Circuit(1).rx(t[0], 0), State()), jnp.array([0.4]))


def test_counts_on_hosts_have_their_shape():
    counts = execute(Circuit(3).h(0), Counts(), shots=5, key=jax.random.key(0), on="numpy")
    assert counts.outcomes.shape == (5, 3) and int(counts.counts.sum()) == 5
