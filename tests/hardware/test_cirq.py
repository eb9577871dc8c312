"""Cirq's virtual processors: gates, places, the order of bits, refusals, jobs and noise."""

from __future__ import annotations

from threading import Event

import jax
import jax.numpy as jnp
import numpy as np
import pytest

pytest.importorskip("cirq_google")

import cirq

import hardware
from hardware.adapters import cirq as adapter
from hardware.adapters.cirq import GATES, CirqDevice, device
from hardware.errors import JobFailed, RejectedProgram
from hardware.programs import Program
from qsim import Circuit, Parameter, Z, execute, submit
from qsim.backends import JobStatus
from qsim.errors import BackendError, JobCancelled, TargetError
from qsim.ir.table import row_of
from qsim.results import Counts, Expectation, Samples
from qsim.testing import check_backend

KEY = jax.random.key(3)
ASYMMETRIC = Circuit(3).x(0).h(1).cx(1, 2)
NAMES = ("q(6, 2)", "q(4, 1)", "q(4, 2)")
LIMIT = 10.83  # chi-square of one degree of freedom, exceeded once in a thousand


@pytest.fixture(scope="module")
def rainbow():
    return device("rainbow")


def numbers(device, names=NAMES):
    return [device.target.qubit(name) for name in names]


def chi_square(counts, expected):
    counts = dict(counts)
    assert set(counts) <= set(expected), counts
    shots = sum(counts.values())
    return sum((counts.get(word, 0) - shots * p) ** 2 / (shots * p) for word, p in expected.items())


@pytest.mark.parametrize("names", [None, NAMES])
def test_the_asymmetric_circuit(rainbow, names):
    qubits = None if names is None else numbers(rainbow, names)
    counts = execute(ASYMMETRIC, Counts(), on=rainbow, shots=4000, key=KEY, qubits=qubits)
    assert chi_square(counts, {"100": 0.5, "111": 0.5}) < LIMIT


def test_some_bits_in_another_order(rainbow):
    bits = np.asarray(execute(Circuit(3).x(1), Samples((2, 1)), on="cirq@weber", shots=5, key=KEY))
    assert bits.dtype == np.uint8 and bits.tolist() == [[0, 1]] * 5
    again = execute(ASYMMETRIC, Samples(), on=rainbow, shots=50, key=KEY)
    assert np.array_equal(again, execute(ASYMMETRIC, Samples(), on=device("rainbow"), shots=50, key=KEY))


def test_the_program_that_is_submitted(rainbow):
    a, b = numbers(rainbow, ("q(4, 1)", "q(4, 2)"))
    circuit = Circuit(23).prx(0.5, 0.25, a).barrier().sqrt_iswap(b, a)
    expected = cirq.Circuit(
        cirq.PhasedXPowGate(exponent=0.5 / np.pi, phase_exponent=0.25 / np.pi, global_shift=-0.5)(cirq.GridQubit(4, 1)),
        cirq.SQRT_ISWAP(cirq.GridQubit(4, 2), cirq.GridQubit(4, 1)),
        cirq.measure(cirq.GridQubit(4, 2), cirq.GridQubit(4, 1), key="m"),
    )
    assert rainbow.written(Program(circuit, (b, a), 10)) == expected


@pytest.mark.parametrize("name", GATES)
def test_every_gate_is_ours(name):
    """Cirq's own unitary is that of our table, up to a global phase, in the order of the qubits."""
    angles = [0.3, 1.1, -0.7][: len(row_of(name).params)]
    ours, theirs = row_of(name).matrix(np, *angles), cirq.unitary(GATES[name](cirq, *angles))
    assert abs(np.vdot(ours, theirs)) == pytest.approx(len(ours), abs=1e-6)


@pytest.mark.parametrize("chip", ["rainbow", "weber", "willow_pink"])
def test_the_target_is_that_of_the_device(chip):
    made = device(chip)
    target, metadata = made.target, made.vendor.metadata
    assert sorted(target.names) == sorted(map(str, metadata.qubit_set))
    pairs = {frozenset((target.names[a], target.names[b])) for a, b in target.edges}
    assert pairs == {frozenset(map(str, pair)) for pair in metadata.qubit_pairs}
    assert {"cz", "prx", "rz"} <= set(target.natives) and ("sqrt_iswap" in target.natives) == (chip != "willow_pink")
    assert "iswap" not in target.natives


def test_facts():
    willow, noisy = device("willow_pink"), device("rainbow_noisy")
    assert willow.facts.gate("cz", ("q(0, 6)", "q(1, 6)")).duration == pytest.approx(42e-9)
    assert noisy.facts.qubit("q(3, 2)").t1 == pytest.approx(14.3e-6, rel=0.01)
    assert noisy.facts.qubit("q(3, 2)").readout_flips == (0.0124, 0.0472)
    assert noisy.facts.date.startswith("2021-11-16") and device("rainbow").facts.date is None


def test_the_sycamore_gate_at_its_angles_alone(rainbow):
    edge = rainbow.target.edges[0]
    sycamore = Circuit(23).fsim(np.pi / 2, np.pi / 6, *edge)
    assert rainbow.target.first_violation(sycamore) is None
    assert "not allowed" in rainbow.target.first_violation(Circuit(23).fsim(0.2, 0.1, *edge))
    rainbow.vendor.validate_circuit(rainbow.written(Program(sycamore, edge, 1)))


def test_conformance(rainbow):
    check_backend(rainbow, shots=4000, atol=0.12)


def test_a_gradient_step_is_one_submission(rainbow):
    t = Parameter("t")
    circuit = Circuit(2).ry(t, 0).cx(0, 1).rx(0.2, 1)

    def energy(x):
        return execute(circuit, Expectation(Z(1)), {"t": x}, on=rainbow, shots=4000, key=KEY)

    hardware.set_budget(max_submissions=1)
    try:
        value, slope = jax.value_and_grad(energy)(jnp.float32(0.4))
        assert hardware.budget().submissions == 1
    finally:
        hardware.set_budget()
    assert value == pytest.approx(np.cos(0.4) * np.cos(0.2), abs=0.08)
    assert slope == pytest.approx(-np.sin(0.4) * np.cos(0.2), abs=0.08)


def test_noise():
    noisy = device("rainbow_noisy")
    counts = dict(execute(ASYMMETRIC, Counts(), on=noisy, shots=4000, key=KEY, qubits=numbers(noisy)))
    right = (counts["100"] + counts["111"]) / 4000
    assert 0.8 < right < 0.99 and len(counts) > 2
    with pytest.raises(RejectedProgram, match="noise on up to 10 qubits"):
        execute(Circuit(11).h(range(11)), Counts(), on=noisy, shots=5, key=KEY)


def test_what_is_refused_before_submission(rainbow, monkeypatch):
    def as_it_is(circuit, target):
        return circuit

    a, b = numbers(rainbow, ("q(3, 2)", "q(9, 4)"))
    with pytest.raises(TargetError, match="not joined by an edge"):
        execute(Circuit(23).cz(a, b), Counts((a, b)), on=rainbow, shots=5, key=KEY, transpiler=as_it_is)
    with pytest.raises(TargetError, match="rzz"):
        execute(Circuit(23).rzz(0.1, *rainbow.target.edges[0]), on=rainbow, shots=5, key=KEY, transpiler=as_it_is)
    with pytest.raises(RejectedProgram, match="5000000 shots"):
        execute(Circuit(1), Counts(), on=rainbow, shots=5_000_001, key=KEY)
    with pytest.raises(RejectedProgram, match="ValueError"), rainbow.translated("submitting"):
        rainbow.send([Program(Circuit(23).cz(a, b), (a, b), 5)])
    monkeypatch.setattr(adapter, "MAX_MOMENTS", 3)
    with pytest.raises(RejectedProgram, match="3 moments"):
        rainbow.send([Program(Circuit(23).x(a).y(a).x(a), (a,), 5)])
    with pytest.raises(BackendError, match="cirq@rainbow, cirq@weber"):
        device("bristlecone")


def test_jobs(rainbow, tmp_path):
    job = submit(ASYMMETRIC, Counts(), on=rainbow, shots=300, key=jax.random.key(8))
    hardware.save(job, tmp_path / "job.json")
    again = hardware.resume(tmp_path / "job.json", rainbow)
    assert dict(again.result()) == dict(job.result()) and job.status() is JobStatus.DONE
    with pytest.raises(hardware.DeviceError, match="has no job other"):
        rainbow.retrieve("other")


def sampling(sampler):
    """The rainbow chip with another sampler."""
    engine = adapter.import_module("cirq_google").engine
    chip = engine.create_device_from_processor_id("rainbow")
    kind = engine.local_simulation_type.LocalSimulationType.ASYNCHRONOUS
    return CirqDevice(
        lambda seed: engine.SimulatedLocalProcessor(
            processor_id="other", sampler=sampler, device=chip, simulation_type=kind
        ),
        "other",
    )


class Other(cirq.Sampler):
    """Waits until it is told what to do."""

    def __init__(self, go):
        self.go = go

    def run_sweep(self, program, params, repetitions=1):
        self.go()
        return cirq.Simulator().run_sweep(program, params, repetitions)


def test_a_failure_says_what_cirq_said():
    def fail():
        raise RuntimeError("the fridge is warm")

    job = submit(ASYMMETRIC, Counts(), on=sampling(Other(fail)), shots=5, key=KEY)
    with pytest.raises(JobFailed, match="500 the fridge is warm"):
        job.result()


def test_a_job_that_is_cancelled_stays_so():
    go = Event()
    job = submit(ASYMMETRIC, Counts(), on=sampling(Other(go.wait)), shots=5, key=KEY)
    assert not job.status().is_final and job.cancel()
    go.set()
    with pytest.raises(JobCancelled):
        job.result()


def test_without_the_package(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(adapter, "import_module", missing)
    with pytest.raises(BackendError, match=r'pip install "qsim-jax\[cirq\]"'):
        device("rainbow")
