"""The benchmark suite's own machinery, on its smallest workloads; what it measures is not tested here."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import time

import numpy as np
import pytest

from benchmarks import answers, fermions
from benchmarks.__main__ import main
from benchmarks.data import Gate, Scale, Slot, Task, Workload, ladder
from benchmarks.peers import PEERS
from benchmarks.peers import qsim as ours
from benchmarks.questions import QUESTIONS
from benchmarks.report import as_json, as_markdown, facts, outcomes_of, table
from benchmarks.schedule import OURS, ROOT, Late, Outcome, Row, Server, Settings, run_suite, run_workload
from qsim import Circuit, PauliSum, execute
from qsim.library import excitation, excitations

SETTINGS = Settings(Scale.TINY, 1, "cpu", 60.0, 0.01, 2)


def workload(question: str, at: int = 0) -> Workload:
    return QUESTIONS[question].workloads(Scale.TINY)[at]


# -------------------------------------------------------------------- workloads


@pytest.mark.parametrize(
    "scale", [Scale.TINY, Scale.QUICK, pytest.param(Scale.GPU, marks=pytest.mark.slow)], ids=lambda s: s.value
)
@pytest.mark.parametrize("name", [n for n in QUESTIONS if n != "openqasm"])
def test_workloads_are_whole(name, scale):
    made = QUESTIONS[name].workloads(scale)
    assert made and len({w.name for w in made}) == len(made)
    for w in made:
        for gate in w.gates:
            assert all(0 <= q < w.num_qubits for q in gate.qubits), gate
            if isinstance(gate.angle, Slot):
                size = len(w.theta) if gate.angle.of == "theta" else w.features.shape[1]
                assert 0 <= gate.angle.index < size
        if w.repeat is not None:
            assert_repeats(w)


def assert_repeats(w: Workload) -> None:
    """Each copy of the body is the first one, its places moved."""
    repeat = w.repeat
    assert repeat.start + repeat.size * repeat.times == len(w.gates)
    assert repeat.params * repeat.times == len(w.theta)
    for copy in range(1, min(repeat.times, 3)):
        for k in range(repeat.size):
            first, later = w.gates[repeat.start + k], w.gates[repeat.start + copy * repeat.size + k]
            assert (first.name, first.qubits) == (later.name, later.qubits)
            if isinstance(first.angle, Slot):
                moved = repeat.params * copy if first.angle.of == "theta" else 0
                assert later.angle == Slot(first.angle.index + moved, first.angle.factor, first.angle.of)


def test_the_full_suite_has_what_is_asked():
    names = [w.name for w in QUESTIONS["vqe"].workloads(Scale.FULL)]
    assert {"gradient n=20 layers=100", "gradient n=16 layers=1000"} <= set(names)
    assert "gradient n=20 layers=1000" not in names


def test_openqasm_takes_the_programs_of_a_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("QSIM_SHARED", str(tmp_path))
    assert QUESTIONS["openqasm"].workloads(Scale.FULL) == []
    (tmp_path / "circuits").mkdir()
    for name, width in (("narrow", 3), ("wide", 40)):
        (tmp_path / "circuits" / f"{name}.qasm").write_text(
            f'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[{width}];\nh q[0];\n'
        )
    tasks = {w.name: w.task for w in QUESTIONS["openqasm"].workloads(Scale.FULL)}
    assert tasks == {"narrow": Task.PROGRAM, "wide": Task.READ}


def test_excitations_are_those_of_the_library():
    assert fermions.excitations(4, 8) == list(excitations(4, 8))
    for source, target in fermions.excitations(4, 8):
        qubits, paulis = fermions.generator(source, target)
        strings = [tuple((q, p) for q, p in zip(qubits, label, strict=True) if p != "I") for label, _ in paulis]
        rest = (PauliSum(strings, [c for _, c in paulis]) - excitation(source, target)).simplify()
        assert np.abs(rest.coefficients).max(initial=0) < 1e-12


def test_a_ladder_is_the_evolution():
    gate = Gate("evolution", (2, 0, 1), 0.4, paulis=(("XYZ", 0.7), ("IXX", -0.3)))
    first = [Gate("ry", (q,), 0.5 + q) for q in range(3)]
    states = [
        execute(ours.circuit_of(Workload("w", Task.STATE, 3, (*first, *gates)))) for gates in ((gate,), ladder(gate))
    ]
    np.testing.assert_allclose(*states, atol=1e-6)


# -------------------------------------------------------------------- answers


def test_equal_answers_agree_and_others_do_not():
    w = workload("vqe")
    good = answers.of_gradient(-1.0, [0.5, -0.25])
    near = answers.of_gradient(-1.00001, [0.50001, -0.25])
    assert answers.disagreements(w, {"a": good, "b": near, "c": good}) == {}
    for bad in (
        answers.of_gradient(-1.1, [0.5, -0.25]),
        answers.of_gradient(-1.0, [0.5, 0.25]),
        answers.of_gradient(-1.0, [0.5, np.nan]),
        answers.of_gradient(-1.0, [0.5]),
    ):
        assert set(answers.disagreements(w, {"a": good, "b": bad, "c": near})) == {"b"}
    assert set(answers.disagreements(w, {"a": good, "b": answers.of_gradient(-1.1, [0.5, -0.25])})) == {"a", "b"}


def test_states_are_compared_up_to_phase_and_in_order():
    w = Workload("w", Task.STATE, 3)
    rng = np.random.default_rng(0)
    psi = rng.normal(size=8) + 1j * rng.normal(size=8)
    psi /= np.linalg.norm(psi)
    right = answers.of_state(psi, 3)
    assert answers.disagreements(w, {"a": right, "b": answers.of_state(1j * psi, 3), "c": right}) == {}
    backwards = psi.reshape(2, 2, 2).transpose(2, 1, 0)
    one_phase = psi * np.where(np.arange(8) == 3, 1j, 1)
    for other in (backwards, one_phase, psi.conj(), 2 * psi):
        assert set(answers.disagreements(w, {"a": right, "b": answers.of_state(other, 3), "c": right})) == {"b"}
    assert right["ones"][0] == pytest.approx(np.sum(np.abs(psi[4:]) ** 2))


def test_samples_are_compared_by_their_spread():
    w = Workload("w", Task.SAMPLES, 3, shots=2000)
    drawn = [answers.of_samples(np.random.default_rng(s).random((2000, 3)) < 0.3) for s in (0, 1)]
    biased = answers.of_samples(np.random.default_rng(2).random((2000, 3)) < 0.5)
    assert answers.disagreements(w, {"a": drawn[0], "b": drawn[1]}) == {}
    assert set(answers.disagreements(w, {"a": drawn[0], "b": biased, "c": drawn[1]})) == {"b"}


@pytest.mark.parametrize("name", ["vqe", "qml", "uccsd"])
def test_the_answers_of_qsim_are_those_of_its_reference(name):
    w = workload(name)
    runner = ours.TASKS[w.task](w)
    got = runner.answer(runner.call(w.theta))
    circuit, step = ours.circuit_of(w), 1e-2

    def value(theta: np.ndarray) -> float:
        found = []
        for x in w.features if w.features.size else [None]:
            values = {"theta": theta} | ({} if x is None else {"x": x})
            psi = np.asarray(execute(circuit.bind(values), on="numpy"))
            found.append((psi.conj() @ ours.observable_of(w).to_matrix(w.num_qubits) @ psi).real)
        return float(np.mean((found - w.labels) ** 2) if w.features.size else found[0])

    eye = step * np.eye(len(w.theta))[:3]
    slopes = [(value(w.theta + e) - value(w.theta - e)) / (2 * step) for e in eye]
    np.testing.assert_allclose(got["value"], [value(w.theta)], atol=1e-5)
    np.testing.assert_allclose(got["gradient"][:3], slopes, atol=1e-3)


# -------------------------------------------------------------------- processes


def test_a_run_in_processes_from_the_command_line(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    names = {suffix: tmp_path / f"out.{suffix}" for suffix in ("json", "md", "png")}
    settings = ["--quick", "--rounds", "1", "--json", str(names["json"]), "--plot", str(names["png"])]
    code = main(["dispatch", "--only", "execute", "--peers", "qsim", *settings, "--results", str(names["md"])])
    printed = capsys.readouterr().out
    assert code == 0 and "dispatch: execute n=2" in printed and "not compared: fewer than two peers" in printed
    (row,) = json.loads(names["json"].read_text())["rows"]
    assert not row["note"] and not row["checked"] and row["samples"] >= 3
    assert 0 < row["warm"] < row["second"] < row["first"] and row["memory"] > 0
    assert row["first_minus_warm"] == row["first"] - row["warm"]
    assert "Do not edit" in names["md"].read_text() and names["png"].stat().st_size > 1000


def test_unknown_names_are_refused(capsys):
    with pytest.raises(SystemExit):
        main(["vqee"])
    assert "no question 'vqee'" in capsys.readouterr().err


class Fake(Server):
    """A server that answers from a list."""

    def __init__(self, replies):
        self.replies, self.asked = list(replies), []

    def ask(self, question, workload, cache, seconds):
        self.asked.append(seconds)
        return self.replies[min(len(self.asked), len(self.replies)) - 1]


def reply(value: float, warm: float = 0.1) -> dict:
    return {
        "first": 2.0,
        "build": 0.5,
        "warm": [warm] * 3,
        "memory": 1e6,
        "answer": answers.of_gradient(value, [value, 1.0]),
    }


def run_fakes(servers: dict) -> Outcome:
    return run_workload("vqe", workload("vqe"), servers, {"qibojit": "missing: not installed"}, SETTINGS)


def test_who_answers_otherwise_is_not_timed():
    servers = {"qsim": Fake([reply(1.0)]), "aer": Fake([reply(1.0, 0.3)]), "qulacs": Fake([reply(1.5)])}
    outcome = run_fakes(servers)
    rows = {row.peer: row for row in outcome.rows}
    assert rows["qulacs"].note.startswith("answers differ") and rows["qulacs"].warm is None
    assert servers["qulacs"].asked == [0.0], "only the check, which repeats nothing"
    assert servers["qsim"].asked == servers["aer"].asked == [0.0, SETTINGS.seconds, SETTINGS.seconds]
    assert outcome.checked and outcome.ratios(rows["aer"])["warm"] == pytest.approx(3.0)
    assert rows["qibojit"].note == "missing: not installed" and "missing" in table(outcome)


def test_two_that_differ_are_both_named():
    outcome = run_fakes({"qsim": Fake([reply(1.0)]), "aer": Fake([reply(2.0)])})
    assert [row.note[:14] for row in outcome.rows if row.peer != "qibojit"] == ["answers differ"] * 2
    assert not outcome.checked


def test_answers_that_change_are_named():
    outcome = run_fakes({"qsim": Fake([reply(1.0), reply(1.0), reply(1.7)]), "aer": Fake([reply(1.0)])})
    assert outcome.rows[0].peer == OURS and outcome.rows[0].note.startswith("answers change")


def test_what_takes_too_long_fails_or_cannot_is_said_so():
    servers = {
        "qsim": Fake([reply(1.0)]),
        "aer": Fake([{"cannot": "value and gradient: not offered"}]),
        "qulacs": Fake([{"failed": "MemoryError"}]),
        "pennylane": Fake([reply(1.0), {"timeout": 600.0}]),
        "tensorcircuit": Fake([{"timeout": 600.0}]),
    }
    notes = {row.peer: row.note for row in run_fakes(servers).rows}
    assert notes["tensorcircuit"] == notes["pennylane"] == "not done in 600 s"
    assert notes["qulacs"] == "failed: MemoryError" and notes["aer"].startswith("cannot")


def test_missing_peers_are_rows(monkeypatch):
    monkeypatch.setattr(type(PEERS["aer"]), "versions", lambda self: None)
    (outcome,) = run_suite([("vqe", workload("vqe"))], ["aer", "qulacs"], SETTINGS)
    assert [row.note for row in outcome.rows] == ["missing: not installed"] * 2


def test_a_fork_gives_its_reply_or_says_why_not():
    """In a process of its own: this one has run JAX, after which nothing may fork."""
    code = """
import os, time
from benchmarks.worker import in_fork
large = {"large": [0.1] * 100_000}
assert in_fork(lambda: large, 10.0) == large
assert in_fork(lambda: time.sleep(60) or {}, 0.2) == {"timeout": 0.2}
assert "signal 9" in in_fork(lambda: os.kill(os.getpid(), 9) or {}, 10.0)["failed"]
assert "ZeroDivisionError" in in_fork(lambda: 1 / 0, 10.0)["failed"]
"""
    begin = time.monotonic()
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, cwd=ROOT)
    assert time.monotonic() - begin < 30


# -------------------------------------------------------------------- report


def test_results_say_machine_versions_date_and_command():
    rows = [Row(OURS, "", 2.0, 0.5, 1e-3, 1e8, 0.1, 9), Row("aer", "failed: a | b")]
    outcomes = [Outcome("vqe", "n=3", "state", False, rows)]
    known = facts("python -m benchmarks vqe", SETTINGS, [OURS, "aer"])
    run = json.loads(json.dumps(as_json(known, outcomes)))
    assert outcomes_of(run) == outcomes
    text = as_markdown([run])
    for words in ("python -m benchmarks vqe", known["date"], "Python 3.", "| qsim |", "1 ms", "95 MB", "a / b"):
        assert words in text
    assert "| 1 | vqe: n=3 | 2 s | 499 ms | 1 ms | - |" in text


def test_runs_are_joined_from_their_json(tmp_path, capsys):
    files = []
    for name, warm in (("a", 1e-3), ("b", 2e-3)):
        known = facts(f"python -m benchmarks {name}", SETTINGS, [OURS])
        run = as_json(known, [Outcome(name, "n=3", "state", False, [Row(OURS, "", 2.0, 0.5, warm)])])
        files.append(str(tmp_path / f"{name}.json"))
        (tmp_path / f"{name}.json").write_text(json.dumps(run))
    assert main(["--join", *files, "--results", str(tmp_path / "R.md")]) == 0
    text = (tmp_path / "R.md").read_text()
    assert "| 1 | a: n=3 |" in text and "| 2 | b: n=3 |" in text and "## Run 2" in text
    with pytest.raises(SystemExit):
        main(["vqe", "--join", *files, "--results", str(tmp_path / "R.md")])
    assert "--join takes --results" in capsys.readouterr().err


def test_who_ran_out_of_time_is_not_tried_at_a_larger_size():
    small, large = QUESTIONS["vqe"].workloads(Scale.FULL)[4:6]  # 12 qubits, 5 and 10 layers
    late = Late()
    late.add("vqe", small, Outcome("vqe", small.name, "", True, [Row("aer", "not done in 8 s"), Row(OURS)]))
    assert late.of("vqe", large) == {"aer": f"not tried: not done in 8 s for {small.name}"}
    assert late.of("qft", large) == {} == late.of("vqe", workload("vqe"))


@pytest.mark.parametrize("peer", list(PEERS))
def test_every_peer_that_is_installed_has_tasks(peer):
    if peer in ("tensorcircuit", "qibojit") or PEERS[peer].versions() is None:
        pytest.skip("not installed, or changes the process that imports it")
    module = importlib.import_module(f"benchmarks.peers.{PEERS[peer].module}")
    assert module.TASKS and set(module.TASKS) <= set(Task) and callable(module.use_cache)


def test_qsim_does_every_task():
    assert set(ours.TASKS) == set(Task)
    assert isinstance(ours.circuit_of(workload("qft")), Circuit)
