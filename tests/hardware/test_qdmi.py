"""`qdmi@...`: DDSIM's jobs, the facts of installed devices against the vendor's own numbers, and libraries that lie."""

import gc
import json
import logging
import shutil
import subprocess
import sys
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hardware
from hardware.adapters import _qdmi_abi
from hardware.adapters.qdmi import QdmiDevice, device
from hardware.errors import (
    CredentialsError,
    DeviceError,
    InvalidReply,
    JobFailed,
    JobTimeout,
    RejectedProgram,
    Secret,
)
from hardware.programs import Program
from hardware.wire import QDMI_QASM2
from qsim import Circuit, Parameter, X, Z, execute, submit
from qsim.backends import JobStatus
from qsim.errors import BackendError, JobCancelled
from qsim.ir.table import rows
from qsim.ir.target import Padding
from qsim.results import Counts, Expectation, Probabilities, Samples
from qsim.testing import check_backend

pytest.importorskip("mqt.core")
stats = pytest.importorskip("scipy.stats")

LIBRARIES = Path(find_spec("mqt.core").submodule_search_locations[0]) / "lib64"
KEY = jax.random.key(7)
CANARY = "canary-4f1c9"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def ddsim():
    return device("ddsim")


@pytest.fixture(scope="module")
def asymmetric():
    return Circuit(3).x(0).h(1).cx(1, 2)


def assert_distribution(counts, probabilities, shots):
    """Chi-square of the outcomes that can be; none that cannot."""
    assert set(counts) <= set(probabilities)
    share = np.array(list(probabilities.values()), np.float64)
    found = np.array([counts.get(word, 0) for word in probabilities])
    assert stats.chisquare(found, shots * share / share.sum()).pvalue > 1e-4


# ---------------------------------------------------------------- values


@pytest.mark.parametrize("qubits", [None, [3, 0, 2], [65_534, 7, 300]])
def test_bits_come_in_our_order(ddsim, asymmetric, qubits):
    counts = dict(execute(asymmetric, Counts(), on=ddsim, shots=4000, key=KEY, qubits=qubits))
    assert_distribution(counts, {"100": 0.5, "111": 0.5}, 4000)


def test_measured_bits_and_chosen_qubits(ddsim):
    circuit = Circuit(4, num_clbits=3).ry(1.0, 3).x(1).measure([3, 1, 0], [2, 0, 1])
    one = np.sin(0.5) ** 2
    counts = dict(execute(circuit, Counts(), on=ddsim, shots=4000, key=KEY))
    assert_distribution(counts, {"100": 1 - one, "101": one}, 4000)
    bits = execute(Circuit(4).ry(1.0, 3).x(1), Samples([1, 3]), on=ddsim, shots=4000, key=KEY)
    assert bits[:, 0].all() and abs(float(bits[:, 1].mean()) - one) < 0.05


def test_a_single_program_is_sampled_with_the_key(asymmetric):
    def ask(key):
        return dict(execute(asymmetric, Counts(), on=QdmiDevice(_library("ddsim")), shots=997, key=key))

    assert ask(KEY) == ask(KEY) != ask(jax.random.key(8))


def test_programs_of_a_job_are_independent(ddsim):
    both = [Counts(shots=2000), Counts(shots=2000)]
    first, second = execute(Circuit(5).h(range(5)), both, on=ddsim, key=KEY)
    assert dict(first) != dict(second)


def test_programs_of_a_job_have_their_own_shots(ddsim, asymmetric):
    wanted = {"few": Samples(shots=40), "many": Counts(shots=4000)}
    found = execute(asymmetric, wanted, on=ddsim, key=KEY)
    assert found["few"].shape == (40, 3) and found["few"][:, 0].all() and 4 < found["few"][:, 1].sum() < 36
    assert_distribution(dict(found["many"]), {"100": 0.5, "111": 0.5}, 4000)


def _rows():
    known = device("ddsim").target.natives
    return [row for row in rows() if row.name in known]


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row.name)
def test_every_native_gate_is_the_one_meant(ddsim, row):
    """Amplitudes to probabilities between turned qubits, exact on our side, with DDSIM's gate of that name."""
    angles, n = (0.7, 0.4, -1.1)[: len(row.params)], row.num_qubits
    circuit = Circuit(n).ry([0.4 + 0.3 * q for q in range(n)], range(n)).rz([0.3 + q for q in range(n)], range(n))
    getattr(circuit, row.name)(*angles, *range(n))
    circuit.ry([0.7 + 0.4 * q for q in range(n)], range(n))
    expected = np.asarray(execute(circuit, Probabilities(), on="numpy"))
    counts = dict(execute(circuit, Counts(), on=ddsim, shots=20_000, key=KEY))
    table = {format(i, f"0{n}b"): float(p) for i, p in enumerate(expected)}
    assert_distribution(counts, table, 20_000)


def test_the_kit_for_backends(ddsim):
    check_backend(ddsim, shots=4000, atol=0.12)


def test_a_gradient_step_is_one_job(ddsim, monkeypatch):
    sent = []
    send = QdmiDevice.send
    monkeypatch.setattr(QdmiDevice, "send", lambda self, programs: sent.append(len(programs)) or send(self, programs))
    a = Parameter("a")
    circuit = Circuit(2).ry(a, 0).cx(0, 1).rx(2 * a, 1)
    energy = lambda t: execute(circuit, Expectation(Z(1) + X(0)), {"a": t}, on=ddsim, shots=20_000, key=KEY)  # noqa: E731
    value, slope = jax.value_and_grad(energy)(jnp.asarray(0.3))
    exact = lambda t: execute(circuit, Expectation(Z(1) + X(0)), {"a": t})  # noqa: E731
    assert len(sent) == 1 and sent[0] > 2
    assert abs(value - exact(0.3)) < 0.05 and abs(slope - jax.grad(exact)(jnp.asarray(0.3))) < 0.1


# ---------------------------------------------------------------- jobs


def _slow(width=22):
    rng = np.random.default_rng(0)
    circuit = Circuit(width)
    for _ in range(4000):
        a, b = rng.choice(width, 2, replace=False).tolist()
        circuit.rx(float(rng.random()), a).cx(a, b)
    return circuit


def test_a_job_that_takes_long_times_out_alive_and_is_cancelled(ddsim):
    job = submit(_slow(), Counts(), on=ddsim, shots=10, key=KEY)
    assert job.status() in (JobStatus.QUEUED, JobStatus.RUNNING) and job.id.isdigit()
    with pytest.raises(JobTimeout, match="It goes on"):
        job.result(timeout=0.2)
    assert job.status() is JobStatus.RUNNING
    assert job.cancel() and job.status() is JobStatus.CANCELLED
    with pytest.raises(JobCancelled):
        job.result()


def test_a_job_is_saved_and_found_again_in_this_process(ddsim, asymmetric, tmp_path):
    named = device("ddsim")
    job = submit(asymmetric, [Counts(), Expectation(Z(0))], on=named, shots=100, key=KEY)
    handle = hardware.save(job, tmp_path / "job.json")
    assert handle.device == "qdmi@ddsim" and handle.id == job.id
    again = hardware.resume(tmp_path / "job.json", named)
    for a, b in zip(jax.tree.leaves(again.result()), jax.tree.leaves(job.result()), strict=True):
        assert np.array_equal(a, b)
    with pytest.raises(DeviceError, match="cannot find jobs again"):
        hardware.resume(tmp_path / "job.json", QdmiDevice(_library("ddsim")))


def test_a_failed_job_says_which_program(ddsim, monkeypatch):
    monkeypatch.setattr("hardware.adapters.qdmi.write", lambda *_: "OPENQASM 2.0;\nnonsense")
    job = submit(Circuit(1).x(0), Counts(), on=ddsim, shots=11, key=KEY)
    with pytest.raises(JobFailed, match="programs 0 of 1; QDMI carries no reasons"):
        job.result(timeout=60)
    assert job.status() is JobStatus.FAILED


def test_jobs_are_freed(monkeypatch, asymmetric):
    gc.collect()  # jobs of other tests, whose addresses may come again
    freed = []
    free = _qdmi_abi._free
    monkeypatch.setattr(
        _qdmi_abi, "_free", lambda where, name, handle: freed.append(handle) or free(where, name, handle)
    )
    own = QdmiDevice(_library("ddsim"))
    job = submit(asymmetric, Counts(), on=own, shots=10, key=KEY)
    job.result()
    running = own.send([Program(_slow(), (0,), 5)])
    assert running.status() in (JobStatus.QUEUED, JobStatus.RUNNING)
    handles = [own._session.handle, running._raw.handle, own._jobs[job.id]._raw.handle]
    del own, job, running
    gc.collect()
    assert sorted(h for h in freed if h in handles) == sorted(handles)


# ---------------------------------------------------------------- facts


def _library(name):
    return next(LIBRARIES.glob(f"*qdmi-{name}-device.*so"))


@pytest.mark.parametrize("name", ["garnet", "emerald"])
def test_facts_are_the_vendors_numbers(name):
    found = device(name)
    source = json.loads((LIBRARIES / f"iqm-{name}.json").read_text())
    assert source["name"] in found.facts.source and found.facts.date is None
    assert found.target.num_qubits == source["numQubits"]
    assert set(map(tuple, source["couplings"])) <= found.target.edge_set
    unit = source["durationUnit"]
    second = Decimal(str(unit["scaleFactor"])) * Decimal({"us": "1e-6", "ns": "1e-9"}[unit["unit"]])
    seconds = lambda raw: None if raw is None else float(raw * second)  # noqa: E731
    for entry in source["qubitProperties"]["overrides"]:
        facts = found.facts.qubit(entry["qubit"])
        assert facts.name == entry.get("name", "")
        assert (facts.t1, facts.t2) == (seconds(entry.get("t1")), seconds(entry.get("t2")))
    checked = 0
    for operation in source["operations"]:
        for entry in operation.get("siteOverrides", []):
            if operation["name"] == "measure":
                facts = found.facts.qubit(entry["sites"][0])
                error, duration = facts.readout_error, facts.readout_duration
            elif operation["name"] in QDMI_QASM2.spellings.values():
                native = found.facts.gate({"r": "prx"}.get(operation["name"], operation["name"]), entry["sites"])
                error, duration = native.error, native.duration
            else:
                continue
            if "fidelity" in entry:
                assert 1 - error == entry["fidelity"]
            assert duration == seconds(entry.get("duration", operation.get("duration")))
            checked += 1
    assert checked > 40
    assert hardware.DeviceFacts.from_json(found.facts.to_json()) == found.facts


def test_garnet_is_what_the_vendors_own_python_says():
    program = """
import json, sys
from mqt.core.qdmi.builtin_driver import open_device
device = open_device("mqt.sc.iqm.garnet")
sites = list(device.sites())
gates = {op.name(): op for op in device.operations()}
rows = [[s.name(), s.t1(), s.t2(), gates["r"].fidelity([s]), gates["measure"].fidelity([s])] for s in sites]
pairs = [[a.index(), b.index(), gates["cz"].fidelity([a, b])] for a, b in device.coupling_map()]
json.dump([device.duration_unit(), device.duration_scale_factor(), rows, pairs], sys.stdout)
"""
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    unit, scale, qubits, pairs = json.loads(answer)
    facts = device("garnet").facts
    assert unit == "us" and facts.target.names == tuple(row[0] for row in qubits)
    for q, (_, t1, t2, turn, read) in enumerate(qubits):
        known = facts.qubit(q)
        assert (known.t1, known.t2) == tuple(float(t * Decimal(repr(scale)) * Decimal("1e-6")) for t in (t1, t2))
        assert (1 - facts.gate("prx", q).error, 1 - known.readout_error) == (turn, read)
    assert facts.target.edge_set == {(a, b) for a, b, _ in pairs}
    assert all(1 - facts.gate("cz", (a, b)).error == fidelity for a, b, fidelity in pairs)


def test_garnet_runs_nothing_but_is_a_target(asymmetric):
    with pytest.raises(RejectedProgram, match="facts alone"):
        execute(asymmetric, Counts(), on=device("garnet"), shots=10, key=KEY)


def test_ddsim_is_all_joined():
    target = device("ddsim").target
    assert target.num_qubits == 65_535 and target.edges is None and target.padding is Padding.NONE
    assert target.natives["cx"].error == 0 and target.natives["cx"].duration is None


# ---------------------------------------------------------------- libraries


@pytest.fixture(scope="module")
def double(tmp_path_factory):
    """Compiles the double, with some of its macros set."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler")

    def build(**macros):
        folder = tmp_path_factory.mktemp("double")
        flags = [f"-D{name}={value}" for name, value in macros.items()]
        source = Path(__file__).with_name("qdmi_double.c")
        subprocess.run([compiler, "-shared", "-fPIC", *flags, str(source), "-o", str(folder / "double.so")], check=True)
        return folder / "double.so"

    return build


def test_any_library_by_its_path(double, tmp_path):
    path = double()
    found = device(str(path))
    assert found.address == f"qdmi@{path}" and found._session.library.prefix == "DOUBLE"
    assert found.target.edge_set == {(0, 1), (1, 2)} and found.facts.qubit(2).t1 == 25e-6
    assert found.facts.gate("cz", (0, 1)).error == 0.25 and found.facts.gate("h", 0).duration == 2e-6
    assert found.facts.qubit(1).readout_error == 0.25 and found.facts.qubit(1).readout_duration == 2e-6
    circuit = Circuit(3).h(0)
    assert dict(execute(circuit, Counts(), on=found, shots=50, key=KEY)) == {"100": 50}
    job = submit(circuit, [Counts(shots=20), Counts(shots=50)], on=f"qdmi@{path}", key=KEY)
    assert [dict(counts) for counts in job.result()] == [{"100": 20}, {"100": 50}]
    hardware.save(job, tmp_path / "job.json")
    program = "import hardware, sys; print([dict(c) for c in hardware.resume(sys.argv[1]).result()])"
    command = [sys.executable, "-c", program, str(tmp_path / "job.json")]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert answer.strip() == "[{'100': 20}, {'100': 50}]"


@pytest.mark.parametrize(
    "macros, error, words",
    [
        ({"VERSION": '"2.0.0"'}, BackendError, "is for QDMI 2.0.0, but QDMI 1.4 or a later 1.x is needed"),
        ({"VERSION": '"1.3.9"'}, BackendError, "is for QDMI 1.3.9"),
        ({"VERSION": '"latest"'}, BackendError, "does not say which version"),
        ({"CLAIM": 1 << 30}, InvalidReply, "1073741824 bytes"),
        ({"INIT": -8}, CredentialsError, "QDMI_ERROR_PERMISSIONDENIED: permission denied; check the credentials"),
        ({"INIT": -77}, DeviceError, "status -77"),
        ({"UNIT": '"fortnights"'}, InvalidReply, "unknown unit"),
        ({"UNIT": r'"\377"'}, InvalidReply, "not UTF-8"),
    ],
)
def test_a_library_that_is_wrong_is_refused(double, macros, error, words):
    with pytest.raises(error, match=words):
        QdmiDevice(double(**macros))


@pytest.mark.parametrize(
    "macros, error",
    [({"PROGRAMS": -9}, RejectedProgram), ({"PROGRAMS": -7}, RejectedProgram), ({"PROGRAMS": -8}, CredentialsError)],
)
def test_programs_that_are_refused(double, macros, error):
    with pytest.raises(error, match="job_set_programs said"):
        execute(Circuit(1).h(0), Counts(), on=QdmiDevice(double(**macros)), shots=10, key=KEY)


@pytest.mark.parametrize("reply", ["0a1", "01", ""])
def test_replies_that_cannot_be(double, reply):
    with pytest.raises(InvalidReply):
        execute(Circuit(3).h(0), Counts(), on=QdmiDevice(double(RESULT=f'"{reply}"')), shots=10, key=KEY)


def test_paths(tmp_path):
    other = tmp_path / "other.so"
    shutil.copy(sys.executable, other)
    empty = tmp_path / "empty.so"
    empty.touch()
    named = tmp_path / "named.so"
    named.write_bytes(b"\0SOME_QDMI_device_initialize\0")
    for name, words in {
        "some/where.so": "absolute path",
        "where.so": "absolute path",
        str(tmp_path / "none.so"): "no QDMI device library at",
        str(other): "is no QDMI device library",
        str(empty): "is no QDMI device library",
        str(named): "cannot be loaded",
        "nothing": "Unknown device 'qdmi@nothing'",
        None: "Unknown device 'qdmi'",
    }.items():
        with pytest.raises(BackendError, match=words):
            device(name)


def test_credentials_appear_nowhere(double, tmp_path, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    found = QdmiDevice(double(), token=CANARY)
    assert found.secrets == (Secret(CANARY),)
    job = submit(Circuit(3).h(0), Counts(), on=found, shots=5, key=KEY)
    job.result()
    hardware.save(job, tmp_path / "job.json")
    said = [repr(found), str(vars(found)), found.facts.to_json(), repr(job), str(job.metadata)]
    said += [(tmp_path / "job.json").read_text(), caplog.text, *capfd.readouterr()]
    for macros in ({"INIT": -8}, {"VERSION": '"2.0"'}, {"UNIT": '"m"'}):
        with pytest.raises(Exception) as caught:
            QdmiDevice(double(**macros), token=Secret(CANARY))
        said.append(str(caught.getrepr(style="short")))
    with pytest.raises(CredentialsError, match="takes no password. Leave out the argument password="):
        QdmiDevice(double(), password=CANARY)
    for text in said:
        assert CANARY not in text
