"""Amazon Braket: spellings, the order of bits, jobs, errors, and the devices at AWS as far as a double goes."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

pytest.importorskip("braket.devices")

from braket.circuits import Circuit as BraketCircuit
from braket.devices import LocalSimulator
from braket.ir.openqasm import Program as Source

import hardware
from hardware.adapters import braket as adapter
from hardware.adapters.braket import AwsBraketDevice, BraketDevice, device
from hardware.device import Limits
from hardware.errors import BudgetExceeded, CredentialsError, InvalidReply, JobFailed, RejectedProgram
from hardware.wire import BRAKET, write
from qsim import Circuit, Parameter, Z, execute, submit
from qsim.backends import JobStatus
from qsim.errors import BackendError, TargetError
from qsim.ir.table import row_of
from qsim.library import molecule, uccsd
from qsim.results import Counts, Expectation, Samples
from qsim.testing import check_backend

KEY = jax.random.key(3)
ASYMMETRIC = Circuit(3).x(0).h(1).cx(1, 2)
LIMIT = 10.83  # chi-square of one degree of freedom, exceeded once in a thousand


@pytest.fixture(autouse=True)
def seeded(monkeypatch):
    """Braket takes no seed: its generators, made without one, get the numbers 1, 2, ... instead."""
    make, numbers = np.random.default_rng, itertools.count(1)
    monkeypatch.setattr(np.random, "default_rng", lambda seed=None: make(next(numbers) if seed is None else seed))


@pytest.fixture(scope="module")
def sv():
    return device("sv")


def chi_square(counts, expected):
    counts = dict(counts)
    assert set(counts) <= set(expected), counts
    shots = sum(counts.values())
    return sum((counts.get(word, 0) - shots * p) ** 2 / (shots * p) for word, p in expected.items())


@pytest.mark.parametrize("qubits", [None, (20, 3, 11)])
def test_the_asymmetric_circuit(sv, qubits):
    counts = execute(ASYMMETRIC, Counts(), on=sv, shots=4000, key=KEY, qubits=qubits)
    assert chi_square(counts, {"100": 0.5, "111": 0.5}) < LIMIT


def test_some_bits_in_another_order(sv):
    circuit = Circuit(4, num_clbits=3).x(2).measure([2, 0, 3], [1, 2, 0])
    assert dict(execute(circuit, Counts(), on=sv, shots=20, key=KEY, qubits=(7, 9, 1, 4))) == {"010": 20}
    bits = np.asarray(execute(Circuit(3).x(1), Samples((2, 1)), on=sv, shots=5, key=KEY))
    assert bits.dtype == np.uint8 and bits.tolist() == [[0, 1]] * 5


@pytest.mark.parametrize("name", sorted(BRAKET.spellings))
def test_every_word_means_our_gate(sv, name):
    """The unitary that Braket makes of the text we send is that of our table, up to a global phase."""
    row = row_of(name)
    angles = [0.3, 1.1, -0.7][: len(row.params)]
    places = {1: [0], 2: [1, 0], 3: [1, 2, 0]}[row.num_qubits]
    circuit = Circuit(max(places) + 1).with_instructions(getattr(Circuit(3), name)(*angles, *places).instructions)
    theirs = BraketCircuit.from_ir(write(circuit, (), BRAKET)).to_unitary()
    ours = _placed(row.matrix(np, *angles), places, circuit.num_qubits)
    assert abs(np.vdot(ours, theirs)) == pytest.approx(len(ours), abs=1e-9)
    assert name in sv.target.natives


def _placed(matrix, places, num_qubits):
    """A matrix on some of the qubits, the first most significant."""
    size = len(places)
    whole = np.asarray(matrix).reshape([2] * (2 * size))
    identity = np.eye(1 << num_qubits).reshape([2] * (2 * num_qubits))
    made = np.tensordot(whole, identity, axes=(range(size, 2 * size), places))
    return np.moveaxis(made, range(size), places).reshape(1 << num_qubits, 1 << num_qubits)


def test_conformance(sv):
    check_backend(sv, shots=4000, atol=0.12)


@pytest.mark.filterwarnings("ignore:You are running a noise-free circuit on the density matrix simulator")
def test_density_matrices():
    counts = execute(ASYMMETRIC, Counts(), on="braket@dm", shots=4000, key=KEY, qubits=(10, 2, 5))
    assert chi_square(counts, {"100": 0.5, "111": 0.5}) < LIMIT


def test_a_gradient_step_is_one_submission(sv):
    t = Parameter("t")
    circuit = Circuit(2).ry(t, 0).cx(0, 1).rx(0.2, 1)

    def energy(x):
        return execute(circuit, Expectation(Z(1)), {"t": x}, on=sv, shots=4000, key=KEY)

    hardware.set_budget(max_submissions=1)
    try:
        value, slope = jax.value_and_grad(energy)(jnp.float32(0.4))
        assert hardware.budget().submissions == 1
    finally:
        hardware.set_budget()
    assert value == pytest.approx(np.cos(0.4) * np.cos(0.2), abs=0.08)
    assert slope == pytest.approx(-np.sin(0.4) * np.cos(0.2), abs=0.08)


def test_the_energy_of_hydrogen(sv):
    m = molecule("h2")
    circuit = uccsd(2, 4)
    angles = {"theta": np.array([0, 0, -0.1125], np.float32)}
    exact = float(execute(circuit, Expectation(m.hamiltonian), angles))
    found = execute(circuit, Expectation(m.hamiltonian, stderr=True), angles, on=sv, shots=4000, key=KEY)
    assert abs(found.value - exact) < 4 * found.stderr
    assert exact == pytest.approx(m.fci_energy, abs=5e-3)


def test_what_is_refused_before_submission(sv):
    with pytest.raises(TargetError, match="rzx"):
        execute(Circuit(2).rzx(0.1, 0, 1), Counts(), on=sv, shots=5, key=KEY, transpiler=lambda c, t: c)
    small = BraketDevice(LocalSimulator("braket_sv"), "small")
    small.limits = Limits(shots=10)
    with pytest.raises(RejectedProgram, match="10 shots"):
        execute(Circuit(1), Counts(), on=small, shots=11, key=KEY)
    with pytest.raises((TargetError, BackendError), match="26"):
        execute(Circuit(27), Counts(), on=sv, shots=5, key=KEY)
    with pytest.raises(BackendError, match="braket@sv"):
        device("qpu")


def test_a_failure_says_what_braket_said(monkeypatch):
    broken = BraketDevice(LocalSimulator("braket_sv"), "broken")
    monkeypatch.setattr(adapter, "_written", lambda program, device: Source(source="OPENQASM 3.0;\nqubit q;\nfoo q;"))
    job = submit(Circuit(1), Counts(), on=broken, shots=5, key=KEY)
    with pytest.raises(JobFailed, match="Gate foo is not defined"):
        job.result()
    assert job.status() is JobStatus.FAILED


def test_without_the_package(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(adapter, "import_module", missing)
    with pytest.raises(BackendError, match=r'pip install "qsim-jax\[braket\]"'):
        device("sv")


# ---------------------------------------------------------------- AWS, by a double


class Task:
    """What an `AwsQuantumTask` does, with a simulator's result."""

    def __init__(self, number, result):
        self.id, self._result, self._state = f"arn:aws:braket:us-east-1:0:quantum-task/{number}", result, "QUEUED"

    def state(self):
        return self._state

    def result(self):
        return self._result

    def cancel(self):
        self._state = "CANCELLED"

    def queue_position(self):
        return SimpleNamespace(queue_position=">2000")

    def metadata(self):
        return {"failureReason": "the fridge is warm"}


class Aws:
    """What an `AwsDevice` does."""

    arn = "arn:aws:braket:::device/quantum-simulator/amazon/double"

    def __init__(self):
        self.simulator, self.tasks, self.state = LocalSimulator("braket_sv"), [], "COMPLETED"
        self.properties = self.simulator.properties

    def run_batch(self, specifications, shots):
        results = [self.simulator.run(s, shots=n).result() for s, n in zip(specifications, shots, strict=True)]
        self.tasks = [Task(number, result) for number, result in enumerate(results)]
        for task in self.tasks:
            task._state = self.state
        return SimpleNamespace(tasks=self.tasks)


@pytest.fixture
def aws(monkeypatch):
    made = AwsBraketDevice(Aws())
    hardware.set_budget(max_submissions=2)
    yield made
    hardware.set_budget()


def test_aws_needs_a_budget(aws):
    hardware.set_budget()
    with pytest.raises(BudgetExceeded, match="costs money"):
        execute(ASYMMETRIC, Counts(), on=aws, shots=5, key=KEY)


def test_aws_gives_its_tasks_back_in_another_process(aws, monkeypatch, tmp_path):
    wanted = {"counts": Counts(), "energy": Expectation(Z(0) + 0.5 * Z(2))}
    job = submit(ASYMMETRIC, wanted, on=aws, shots=400, key=KEY, qubits=(5, 9, 2))
    assert job.id == "arn:aws:braket:us-east-1:0:quantum-task/0,1"
    hardware.save(job, tmp_path / "job.json")
    tasks = {task.id: task for task in aws.vendor.tasks}
    package = SimpleNamespace(AwsQuantumTask=tasks.__getitem__)
    monkeypatch.setattr(adapter, "import_module", lambda name: package)
    first, again = job.result(), hardware.resume(tmp_path / "job.json", aws).result()
    assert dict(again["counts"]) == dict(first["counts"]) and set(dict(again["counts"])) == {"100", "111"}
    assert float(again["energy"]) == float(first["energy"])


def test_aws_tasks_that_fail_or_are_cancelled(aws):
    aws.vendor.state = "QUEUED"
    job = submit(ASYMMETRIC, Counts(), on=aws, shots=5, key=KEY)
    assert job.status() is JobStatus.QUEUED
    assert job.cancel() and job.status() is JobStatus.CANCELLED
    aws.vendor.state = "FAILED"
    with pytest.raises(JobFailed, match="the fridge is warm"):
        execute(ASYMMETRIC, Counts(), on=aws, shots=6, key=KEY)


def test_aws_columns_that_are_not_what_was_measured(aws):
    job = submit(ASYMMETRIC, Counts(), on=aws, shots=5, key=KEY)
    aws.vendor.tasks[0]._result.measured_qubits = [0, 1, 5]
    with pytest.raises(InvalidReply, match=r"measured qubits \[0, 1, 5\] instead of \[0, 1, 2\]"):
        job.result()


def test_aws_without_credentials(monkeypatch, tmp_path):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(CredentialsError, match="You must specify a region"):
        device(Aws.arn)
