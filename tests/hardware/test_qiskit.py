"""Qiskit's backends as devices, compared with the vendor's own answers and with closed forms."""

from __future__ import annotations

import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

aer = pytest.importorskip("qiskit_aer")
runtime = pytest.importorskip("qiskit_ibm_runtime")

import qiskit  # noqa: E402
from qiskit.exceptions import QiskitError  # noqa: E402
from qiskit.primitives import StatevectorSampler  # noqa: E402
from qiskit.providers import BackendV2, JobStatus, JobV1, Options  # noqa: E402
from qiskit.quantum_info import Operator  # noqa: E402
from qiskit.transpiler import Target as QiskitTarget  # noqa: E402
from qiskit_ibm_runtime import fake_provider  # noqa: E402
from scipy.stats import chi2_contingency, chisquare  # noqa: E402

import hardware  # noqa: E402
from hardware.adapters.qiskit import FAKE, GATES, QiskitDevice, device  # noqa: E402
from hardware.errors import (  # noqa: E402
    BudgetExceeded,
    CredentialsError,
    DeviceError,
    JobFailed,
    RejectedProgram,
)
from hardware.programs import Program  # noqa: E402
from qsim import Circuit, X, Z, execute, submit  # noqa: E402
from qsim.backends import JobStatus as Status  # noqa: E402
from qsim.errors import BackendError, JobCancelled  # noqa: E402
from qsim.ir.operation import rows  # noqa: E402
from qsim.ir.ops.delay import Delay  # noqa: E402
from qsim.library import molecule, uccsd  # noqa: E402
from qsim.results import Counts, Expectation, Samples  # noqa: E402
from qsim.testing import check_backend  # noqa: E402

KEY = jax.random.key(3)
QUIET = ["qiskit@aer", "qiskit@generic5-noiseless"]
asymmetric = lambda: Circuit(3).x(0).h(1).cx(1, 2)  # noqa: E731


@pytest.fixture(autouse=True)
def _fresh_budget():
    hardware.set_budget()
    yield
    hardware.set_budget()


def agree(first: dict, second: dict) -> float:
    """The p-value of two samples coming from one distribution; what is rare is pooled."""
    keys = sorted({*first, *second}, key=lambda k: -(first.get(k, 0) + second.get(k, 0)))
    table = np.array([[c.get(k, 0) for k in keys] for c in (first, second)])
    rare = table.sum(axis=0) < 10
    table = np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)]) if rare.sum() > 1 else table
    return chi2_contingency(table).pvalue


# ---------------------------------------------------------------- gates and circuits


@pytest.mark.parametrize("row", [r for r in rows() if r.name in GATES], ids=lambda r: r.name)
def test_a_gate_is_qiskits_of_the_same_matrix(row):
    params = [0.3 + 0.4 * k for k in range(len(row.params))]
    made = qiskit.QuantumCircuit(row.num_qubits)
    made.append(GATES[row.name](*params), range(row.num_qubits))
    theirs = Operator(made.reverse_bits()).data  # the first qubit most significant, as here
    np.testing.assert_allclose(row.matrix(np, *params), theirs, atol=1e-7)


def test_all_gates_that_the_target_has_are_known():
    dev = device("aer")
    assert {name for table in dev.target.local.values() for name in table} - {"delay", "reset"} <= GATES.keys()


def test_programs_become_circuits_that_read_bit_i_from_qubit_i():
    dev = device("generic5")
    made = dev.circuit(Program(Circuit(5).sx(3).append(Delay(1e-6), 3).barrier([3, 1]).cx(3, 1), (3, 1), 10))
    words = [(i.operation.name, [made.find_bit(q).index for q in i.qubits]) for i in made.data]
    assert words[:4] == [("sx", [3]), ("delay", [3]), ("barrier", [3, 1]), ("cx", [3, 1])]
    assert [(made.find_bit(i.qubits[0]).index, made.find_bit(i.clbits[0]).index) for i in made.data[4:]] == [
        (3, 0),
        (1, 1),
    ]
    delay = made.data[1].operation
    assert delay.unit == "dt" and delay.duration * dev.backend.target.dt == pytest.approx(1e-6, rel=1e-3)
    with pytest.raises(RejectedProgram, match=r"fsim on qubits \(0, 1\)"):
        dev.circuit(Program(Circuit(5).fsim(0.1, 0.2, 0, 1), (0,), 10))


# ---------------------------------------------------------------- values


@pytest.mark.parametrize("name", QUIET)
@pytest.mark.parametrize("qubits", [None, [3, 1, 4]])
def test_bits_come_in_our_order(name, qubits):
    counts = dict(execute(asymmetric(), Counts(), on=name, shots=4000, key=KEY, qubits=qubits))
    assert set(counts) == {"100", "111"}
    assert chisquare(list(counts.values())).pvalue > 1e-3


@pytest.mark.parametrize("name", QUIET)
def test_the_same_key_gives_the_same_shots(name):
    def counts(key):
        return dict(execute(Circuit(4).h(range(4)), Counts(), on=device(name.partition("@")[2]), shots=500, key=key))

    assert counts(KEY) == counts(KEY) != counts(jax.random.key(4))


def test_measured_classical_bits():
    circuit = Circuit(3, num_clbits=3).x(0).measure([0, 2], [2, 0])
    assert dict(execute(circuit, Counts(), on="qiskit@aer", shots=20, key=KEY)) == {"001": 20}
    samples = execute(asymmetric(), Samples([2, 0]), on="qiskit@aer", shots=20, key=KEY)
    assert samples.shape == (20, 2) and np.all(samples[:, 1] == 1)


def _noisy_agrees(name, qubits):
    dev = device(name)
    job = submit(asymmetric(), Counts(), on=dev, shots=4000, key=KEY, qubits=qubits)
    ours = dict(job.result())
    made = qiskit.QuantumCircuit(dev.target.num_qubits, 3)
    made.x(qubits[0])
    made.h(qubits[1])
    made.cx(qubits[1], qubits[2])
    made.measure(qubits, range(3))
    made = qiskit.transpile(made, dev.backend, initial_layout=range(dev.target.num_qubits), optimization_level=1)
    theirs = dev.backend.run(made, shots=4000, seed_simulator=11).result().get_counts()
    assert set(ours) > {"100", "111"}, "noise was expected"
    assert agree(ours, {key[::-1]: count for key, count in theirs.items()}) > 1e-3


@pytest.mark.parametrize("name, qubits", [("fake_manila", [2, 3, 4]), ("generic5", [1, 2, 3])])
def test_a_noisy_device_gives_what_the_vendor_gives(name, qubits):
    _noisy_agrees(name, qubits)


@pytest.mark.slow  # Aer takes 24 s to make the noise of 133 qubits, and 10 s a run to read it
def test_torino_gives_what_the_vendor_gives():
    _noisy_agrees("fake_torino", [1, 2, 3])


def test_the_conformance_kit():
    check_backend(device("aer"), shots=4000, atol=0.12)


def test_programs_keep_their_shots_and_their_places():
    h = 2.0 * Z(0) + 0.5 * X(1) + 0.1 * Z(0) @ X(1)
    circuit = Circuit(2).ry(0.4, 0).ry(1.1, 1)
    wanted = {
        "a": Expectation(h),
        "b": Counts(shots=70),
        "c": Samples([1], shots=30),
        "d": Expectation(X(1), stderr=True),
    }
    for dev in (device("aer"), QiskitDevice.on_runtime(device("fake_manila").backend)):
        job = submit(circuit, wanted, on=dev, shots=4000, key=KEY)
        value = job.result()
        assert len({p.shots for p in job.job.run.programs}) > 2
        assert sum(dict(value["b"]).values()) == 70 and value["c"].shape == (30, 1)
        assert float(value["d"].value) == pytest.approx(np.sin(1.1), abs=0.15)
        assert float(value["a"]) == pytest.approx(float(execute(circuit, Expectation(h))), abs=0.35)


@pytest.mark.parametrize("name", QUIET)
def test_a_step_of_h2_is_one_submission_and_its_energy_is_right(name):
    h2 = molecule("h2")
    ansatz = uccsd(2, 4)
    point = jnp.asarray([0.02, -0.01, 0.11])
    exact = float(execute(ansatz, Expectation(h2.hamiltonian), {"theta": point}))
    wanted = Expectation(h2.hamiltonian, stderr=True)

    def energy(theta):
        estimate = execute(ansatz, wanted, {"theta": theta}, on=name, shots=4000, key=KEY)
        return estimate.value, estimate.stderr

    (value, stderr), slope = jax.value_and_grad(energy, has_aux=True)(point)
    assert hardware.budget().submissions == 1
    assert abs(float(value) - exact) < 4 * float(stderr) and float(stderr) < 0.05
    right = jax.grad(lambda t: execute(ansatz, Expectation(h2.hamiltonian), {"theta": t}))(point)
    np.testing.assert_allclose(slope, right, atol=0.2)


# ---------------------------------------------------------------- facts


def test_facts_are_the_vendors_to_the_last_digit():
    vendor = fake_provider.FakeTorino()
    facts, theirs = device("fake_torino").facts, vendor.properties()
    assert facts.date == theirs.last_update_date.isoformat()
    assert facts.target.num_qubits == 133 and set(facts.target.edges) == set(vendor.coupling_map.get_edges())
    assert facts.target.virtual_z
    for q in range(133):
        mine = facts.qubit(q)
        assert (mine.t1, mine.t2) == (theirs.t1(q), theirs.t2(q))
        assert (mine.readout_error, mine.readout_duration) == (theirs.readout_error(q), theirs.readout_length(q))
    for name in ("sx", "cz"):
        for place, known in vendor.target[name].items():
            mine = facts.gate(name, place)
            assert (mine.error, mine.duration) == (known.error, known.duration)
            assert mine.error == theirs.gate_error(name, place)


def test_frequencies():
    facts, vendor = device("generic5").facts, device("generic5").backend
    assert [facts.qubit(q).frequency for q in range(5)] == [p.frequency for p in vendor.target.qubit_properties]
    assert facts.date is None and facts.gate("rz", 0).duration == 0


def test_bounded_angles_are_read():
    dev = device("fake_fractional")
    (interval,) = dev.facts.gate("rzz", (0, 1)).angles
    assert interval.low == pytest.approx(0, abs=1e-12) and interval.high == pytest.approx(np.pi / 2, abs=1e-12)
    assert ("rzz", (0, 1)) in dev.target


# ---------------------------------------------------------------- a vendor with jobs, made up


class CloudJob(JobV1):
    _async = True

    def __init__(self, cloud, number, result, states, words=""):
        super().__init__(cloud, f"cloud-{number}")
        self._result, self._states, self._words = result, list(states), words

    def submit(self):
        raise AssertionError("the backend submits")

    def result(self):
        return self._result

    def status(self):
        return JobStatus[self._states.pop(0) if len(self._states) > 1 else self._states[0]]

    def cancel(self):
        self._states = ["CANCELLED"]
        return True

    def queue_position(self):
        return 7

    def error_message(self):
        return self._words


class Cloud(BackendV2):
    """A vendor's backend that is no simulator of Qiskit's: it costs money and keeps its jobs."""

    def __init__(self, states=("QUEUED", "RUNNING", "DONE"), words="", success=True, raises=None):
        super().__init__(name="cloud")
        self._target = QiskitTarget.from_configuration(["rz", "sx", "cz"], 3, aer.AerSimulator().coupling_map)
        self.states, self.words, self.success, self.raises = states, words, success, raises
        self.kept, self.aer, self.most_jobs = {}, aer.AerSimulator(), None

    @property
    def target(self):
        return self._target

    @property
    def max_circuits(self):
        return 4

    @classmethod
    def _default_options(cls):
        return Options(shots=100)

    def run(self, run_input, **options):
        if self.raises is not None:
            raise self.raises
        if len(self.kept) == self.most_jobs:
            raise QiskitError("the queue is full")
        result = self.aer.run(run_input, seed_simulator=5, **options).result()
        result.success, result.status = self.success, "broken" if not self.success else "COMPLETED"
        job = CloudJob(self, len(self.kept), result, self.states, self.words)
        self.kept[job.job_id()] = job
        return job

    def retrieve_job(self, job_id):
        return self.kept[job_id]


def cloud(**options):
    return QiskitDevice(Cloud(**options))


WANTED = {"a": Counts(shots=40), "b": Samples([0], shots=30)}


def test_unknown_vendors_cost_money():
    with pytest.raises(BudgetExceeded, match="costs money"):
        execute(asymmetric(), Counts(), on=cloud(), shots=10, key=KEY)
    assert not QiskitDevice(Cloud(), paid=False).paid and not device("aer").paid


def test_a_jobs_life_and_its_resumption(tmp_path):
    hardware.set_budget(max_submissions=10)
    dev = cloud()
    job = submit(asymmetric(), WANTED, on=dev, shots=10, key=KEY)
    assert job.id == "cloud-0,cloud-1"
    assert job.status() is Status.QUEUED and job.job.run.remote.queue_position() == 7
    assert job.status() is Status.RUNNING
    hardware.save(job, tmp_path / "job.json")
    value = job.result()
    assert set(value["a"]) <= {"100", "111"} and np.all(value["b"] == 1) and job.status() is Status.DONE
    again = hardware.resume(tmp_path / "job.json", dev).result()
    assert dict(again["a"]) == dict(value["a"]) and np.array_equal(again["b"], value["b"])


def test_cancelled_failed_and_refused():
    hardware.set_budget(max_submissions=10)
    job = submit(asymmetric(), Counts(), on=cloud(states=["QUEUED"]), shots=10, key=KEY)
    assert job.cancel()
    with pytest.raises(JobCancelled):
        job.result()
    with pytest.raises(JobFailed, match="cryostat is warm"):
        execute(asymmetric(), Counts(), on=cloud(states=["ERROR"], words="cryostat is warm"), shots=10, key=KEY)
    with pytest.raises(JobFailed, match="broken"):
        execute(asymmetric(), Counts(), on=cloud(success=False), shots=10, key=KEY)
    with pytest.raises(RejectedProgram, match="takes 4 programs"):
        execute(asymmetric(), [Counts()] * 5, on=cloud(), shots=10, key=KEY)
    table = {
        QiskitError("no"): DeviceError,
        runtime.IBMNotAuthorizedError("token expired"): CredentialsError,
        runtime.IBMInputValueError("bad"): RejectedProgram,
    }
    for raised, ours in table.items():
        with pytest.raises(ours, match="submitting") as caught:
            execute(asymmetric(), Counts(), on=cloud(raises=raised), shots=10, key=KEY)
        assert type(caught.value) is ours and caught.value.__cause__ is None


def test_what_was_submitted_is_cancelled_where_the_rest_is_refused():
    hardware.set_budget(max_submissions=1)
    dev = cloud()
    dev.backend.most_jobs = 1
    with pytest.raises(DeviceError, match="queue is full"):
        execute(asymmetric(), WANTED, on=dev, shots=10, key=KEY)
    assert [job.status() for job in dev.backend.kept.values()] == [JobStatus.CANCELLED]


def test_a_token_is_in_no_message_and_not_in_the_device():
    class Service(runtime.QiskitRuntimeService):
        def __new__(cls):
            return object.__new__(cls)

        def __init__(self):
            pass

        def active_account(self):
            return {"channel": "ibm_cloud", "token": "very-secret-token"}

        def job(self, job_id):
            raise runtime.RuntimeJobNotFound(f"no {job_id} for very-secret-token")

    hardware.set_budget(max_submissions=1)
    dev = cloud(raises=runtime.IBMNotAuthorizedError("token very-secret-token is expired"))
    dev.backend.service = Service()
    with pytest.raises(CredentialsError, match=r"token \*\*\* is expired"):
        execute(asymmetric(), Counts(), on=dev, shots=10, key=KEY)
    with pytest.raises(DeviceError, match=r"RuntimeJobNotFound: .no some-id for \*\*\*"), dev.translated("looking"):
        dev.retrieve("some-id")
    assert "very-secret-token" not in f"{dev!r} {vars(dev)}"


def test_simulators_keep_no_jobs(tmp_path):
    dev = device("aer")
    job = submit(asymmetric(), Counts(), on=dev, shots=10, key=KEY)
    hardware.save(job, tmp_path / "job.json")
    with pytest.raises(DeviceError, match="keeps no jobs"):
        hardware.resume(tmp_path / "job.json")
    deadline = time.monotonic() + 60
    while not job.status().is_final and time.monotonic() < deadline:
        time.sleep(0.01)
    assert job.status() is Status.DONE and not job.cancel()
    assert job.metadata["device"] == "qiskit@aer"


def test_the_runtimes_sampler():
    dev = QiskitDevice.on_runtime(device("fake_manila").backend)
    ours = dict(execute(asymmetric(), Counts(), on=dev, shots=4000, key=KEY, qubits=[2, 3, 4]))
    plain = dict(execute(asymmetric(), Counts(), on="qiskit@fake_manila", shots=4000, key=KEY, qubits=[2, 3, 4]))
    assert agree(ours, plain) > 1e-3
    assert not dev.paid and hardware.budget().submissions == 2
    same = QiskitDevice.on_runtime(device("fake_manila").backend)
    assert dict(execute(asymmetric(), Counts(), on=same, shots=4000, key=KEY, qubits=[2, 3, 4])) == ours


def test_any_sampler():
    perfect = QiskitDevice(device("generic5").backend, sampler=lambda seed: StatevectorSampler(seed=seed))
    assert set(execute(asymmetric(), Counts(), on=perfect, shots=100, key=KEY)) == {"100", "111"}


def test_names():
    assert device("generic7").target.num_qubits == 7 and "fake_brisbane" in FAKE
    assert device("generic5").target == device("generic5").target
    for bad in (None, "", "generic", "generic0", "generic1000", "fake_torin", "../aer", "aer5"):
        with pytest.raises(BackendError, match="Unknown device 'qiskit@"):
            device(bad)
    with pytest.raises(BackendError, match="qiskit@fake_torino"):
        execute(asymmetric(), Counts(), on="qiskit@fake_torin", shots=10, key=KEY)
    with pytest.raises(DeviceError, match="BackendV2"):
        QiskitDevice("aer")  # type: ignore[arg-type]
    assert repr(device("aer")) == "<Device qiskit@aer>"
