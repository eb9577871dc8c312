"""Qibolab: the pulses that are submitted, the order of qubits, shapes and errors. The dummy's values are random."""

from __future__ import annotations

import signal
import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest

pytest.importorskip("qibolab")

import qibolab
from qibolab import Acquisition, Delay, Pulse, PulseSequence, Readout, VirtualZ

import hardware
from hardware.adapters import qibolab as adapter
from hardware.adapters.qibolab import device
from hardware.errors import JobFailed
from hardware.programs import Program
from qsim import Circuit, Parameter, Z, execute, submit
from qsim.backends import JobStatus
from qsim.errors import BackendError, TargetError
from qsim.results import Counts, Expectation, Samples
from qsim.testing import assert_equivalent
from transpile import transpile

pytestmark = pytest.mark.filterwarnings("ignore:Accessing the 'model_fields' attribute")

KEY = jax.random.key(3)
ASYMMETRIC = Circuit(3).x(0).h(1).cx(1, 2)


@pytest.fixture
def dummy():
    return device("dummy")


@pytest.fixture
def played(dummy, monkeypatch):
    """What the instruments are given, and answers that name the qubit: qubit q reads (q > 1), whatever was played."""
    calls = []

    def play(self, configs, sequences, options, sweepers):
        calls.append((sequences, options.nshots))
        return {
            acquisition.id: np.full(options.nshots, int(channel.split("/")[0]) > 1)
            for sequence in sequences
            for channel, acquisition in sequence.acquisitions
        }

    monkeypatch.setattr(type(dummy.platform.instruments["dummy"]), "play", play)
    return calls


def unitary(platform, sequence, qubits):
    """What a sequence does, from its pulses alone: frames, rotations about axes in the plane, and CZ."""
    natives, size = platform.natives, len(qubits)
    state = np.eye(1 << size, dtype=complex)
    frames, events, clock = dict.fromkeys(qubits, 0.0), [], {}
    for channel, pulse in sequence:
        start = clock.get(channel, 0.0)
        clock[channel] = start + pulse.duration
        events.append((start, channel, pulse))

    def on(matrices):
        whole = np.eye(1)
        for q in qubits:
            whole = np.kron(whole, matrices.get(q, np.eye(2)))
        return whole

    for _, channel, pulse in sorted(events, key=lambda event: round(event[0], 6)):
        kind, qubit = channel.split("/")[1], channel.split("/")[0]
        if isinstance(pulse, VirtualZ):
            frames[int(qubit)] += pulse.phase
        elif isinstance(pulse, Pulse) and kind == "drive":
            q = int(qubit)
            full = natives.single_qubit[q].RX90[0][1].amplitude
            angle, axis = np.pi / 2 * pulse.amplitude / full, pulse.relative_phase + frames[q]
            turned = np.array([[0, np.exp(-1j * axis)], [np.exp(1j * axis), 0]])
            state = on({q: np.cos(angle / 2) * np.eye(2) - 1j * np.sin(angle / 2) * turned}) @ state
        elif isinstance(pulse, Pulse) and kind == "flux" and not channel.startswith("coupler"):
            pair = next(p for p in platform.pairs if set(p) <= set(qubits) and int(qubit) in p)
            state = (np.eye(1 << size) - 2 * on({q: np.diag([0, 1]) for q in pair})) @ state
    final = on({q: np.diag([1, np.exp(-1j * frames[q])]) for q in qubits})
    return final @ state


def test_shapes_and_the_order_of_qubits(dummy, played):
    circuit = Circuit(3, num_clbits=2).measure([2, 0], [0, 1])
    counts = execute(circuit, Counts(), on=dummy, shots=7, key=KEY, qubits=[dummy.target.qubit(n) for n in "142"])
    assert dict(counts) == {"10": 7}  # qubit 2 of the circuit is "2", which reads 1; qubit 0 is "1", which reads 0
    bits = np.asarray(execute(Circuit(2), Samples((1, 0)), on=dummy, shots=5, key=KEY, qubits=(0, 2)))
    assert bits.dtype == np.uint8 and bits.tolist() == [[1, 0]] * 5


def test_the_random_values_of_the_dummy():
    bits = np.asarray(execute(ASYMMETRIC, Samples(), on="qibolab@dummy", shots=400, key=KEY))
    assert bits.shape == (400, 3) and np.abs(bits.mean(axis=0) - 0.5).max() < 0.15


def test_the_target_is_that_of_the_platform(dummy):
    target = dummy.target
    assert target.names == ("0", "1", "2", "3", "4")
    assert target.edge_set == {(a, b) for pair in dummy.platform.pairs for a, b in (pair, pair[::-1])}
    assert set(target.natives_at(0)) == {"x", "sx", "prx", "rz"} and set(target.natives_at((3, 2))) == {"cz"}
    assert dummy.facts.gate("x", "0").duration == pytest.approx(22.3453e-9)
    assert dummy.facts.gate("cz", ("0", "2")).duration == pytest.approx(30e-9)
    assert dummy.facts.qubit("1").frequency == 4.2e9 and dummy.facts.qubit("1").readout_duration == pytest.approx(2e-6)
    assert dummy.facts.qubit("1").t1 is None


def test_the_pulses_that_are_submitted(dummy):
    """Natives at their times: the CZ waits for both qubits, and all are read at once, after all that went before."""
    natives = dummy.platform.natives
    circuit = Circuit(5).x(0).sx(2).rz(0.25, 2).cz(0, 2).prx(0.5, 0.25, 2)
    sequence, acquisitions = dummy.written(Program(circuit, (2, 0), 10))
    rx, rx90, cz = natives.single_qubit[0].RX, natives.single_qubit[2].RX90, natives.two_qubit[0, 2].CZ
    drives = list(sequence.channel("2/drive"))
    assert sequence[0] == rx[0] and drives[0] == rx90[0][1] and drives[1] == VirtualZ(phase=-0.25)
    longest = max(rx.duration, rx90.duration)
    assert list(sequence.channel("2/flux")) == [Delay(duration=longest), cz[0][1]]
    last = drives[-1]
    assert last.relative_phase == 0.25 and last.amplitude == pytest.approx(rx90[0][1].amplitude * 0.5 / (np.pi / 2))
    end = longest + 30 + last.duration
    for q in (0, 2):
        wait, readout = sequence.channel(f"{q}/acquisition")
        assert wait.duration == pytest.approx(end) and isinstance(readout, Readout)
    assert acquisitions == [list(sequence.channel(f"{q}/acquisition"))[-1].id for q in (2, 0)]
    assert not any(isinstance(pulse, Acquisition) for _, pulse in sequence)


@pytest.mark.parametrize(
    "circuit",
    [
        Circuit(5).sx(2),
        Circuit(5).prx(np.pi, 0.0, 0),
        Circuit(5).prx(0.4, 1.1, 0),
        Circuit(5).prx(-2.4, 0.3, 2),
        Circuit(5).prx(5.0, -0.3, 2),
        Circuit(5).sx(0).rz(0.7, 0).sx(0).rz(-0.2, 0),
        Circuit(5).cz(0, 2),
        Circuit(5).sx(0).sx(2).rz(0.3, 2).cz(2, 0).prx(0.4, 0.2, 0).rz(1.3, 0).sx(2),
    ],
    ids=str,
)
def test_the_pulses_mean_our_gates(dummy, circuit):
    sequence, _ = dummy.written(Program(circuit, (0,), 1))
    found = unitary(dummy.platform, PulseSequence([e for e in sequence if not e[0].endswith("acquisition")]), [0, 2])
    names = {0: 0, 2: 1}
    ours = np.eye(4, dtype=complex)
    for instruction in circuit.instructions:
        matrix, places = instruction.operation.matrix(np), [names[q] for q in instruction.qubits]
        if len(places) == 1:
            matrix = np.kron(matrix, np.eye(2)) if places == [0] else np.kron(np.eye(2), matrix)
        ours = matrix @ ours
    assert abs(np.vdot(ours, found)) == pytest.approx(4, abs=1e-9)


def test_the_asymmetric_circuit_in_natives(dummy):
    made = transpile(ASYMMETRIC, dummy.target)
    assert dummy.target.first_violation(made) is None
    assert_equivalent(ASYMMETRIC, made)


def test_a_gradient_step_is_one_submission_and_one_execution(dummy, played):
    t = Parameter("t")
    circuit = Circuit(2).ry(t, 0).cx(0, 1)

    def energy(x):
        return execute(circuit, Expectation(Z(1)), {"t": x}, on=dummy, shots=100, key=KEY)

    hardware.set_budget(max_submissions=1)
    try:
        value, slope = jax.value_and_grad(energy)(jnp.float32(0.4))
        assert hardware.budget().submissions == 1
    finally:
        hardware.set_budget()
    assert np.isfinite(value) and np.isfinite(slope)
    ((sequences, shots),) = played
    assert len(sequences) >= 3 and shots == 100
    assert not dummy.platform.is_connected


def test_what_is_refused_before_submission(dummy, played):
    def as_it_is(circuit, target):
        return circuit

    with pytest.raises(TargetError, match="not joined by an edge"):
        execute(Circuit(5).cz(0, 1), Counts(), on=dummy, shots=5, key=KEY, transpiler=as_it_is)
    with pytest.raises(TargetError, match="iswap"):
        execute(Circuit(5).iswap(0, 2), Counts(), on=dummy, shots=5, key=KEY, transpiler=as_it_is)
    assert played == []
    for name in ("../dummy", "nowhere", None):
        with pytest.raises(BackendError, match="qibolab@dummy"):
            device(name)


def test_a_failure_says_what_qibolab_said(dummy, monkeypatch):
    def connect(self):
        raise OSError("no fridge at 0.0.0.0")

    monkeypatch.setattr(type(dummy.platform.instruments["dummy"]), "connect", connect)
    job = submit(Circuit(1), Counts(), on=dummy, shots=5, key=KEY)
    with pytest.raises(JobFailed, match="no fridge at 0.0.0.0"):
        job.result()
    assert job.status() is JobStatus.FAILED


def test_ctrl_c_stays_ours():
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    device("dummy")
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    errors = []

    def open_it():
        try:
            device("dummy")
        except BackendError as error:
            errors.append(str(error))

    thread = threading.Thread(target=open_it)
    thread.start()
    thread.join()
    assert len(errors) == 1 and "open platforms in the main thread" in errors[0]


def test_without_the_package(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(adapter, "import_module", missing)
    with pytest.raises(BackendError, match=r'pip install "qsim-jax\[qibolab\]"'):
        device("dummy")


def test_the_version_that_this_was_written_for():
    assert tuple(map(int, qibolab.__version__.split(".")[:2])) == (0, 2)
