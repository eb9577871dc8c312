"""The command line: arguments, messages, exit statuses, and the two main jobs on real input."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from conftest import shared_files

from qsim import cli
from qsim._errors import ResultError
from qsim.cli.lbfgs import minimize
from qsim.cli.vqe import verdict
from qsim.draw.bars import bar_chart

BELL = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[2];\nh q[0];\ncx q[0],q[1];\n'
LAST_LINE = re.compile(r"energy -?\d+\.\d+ Ha  FCI -?\d+\.\d+ Ha  error -?\d+\.\d+ mHa\Z")


@pytest.fixture
def bell(tmp_path):
    path = tmp_path / "bell.qasm"
    path.write_text(BELL)
    return str(path)


def fails(capsys, *argv: str) -> str:
    """The one line on standard error of a command that must end with status 2."""
    assert cli.main(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("qsim: error: ") and err.count("\n") == 1
    return err


def rejected(capsys, *argv: str) -> str:
    """What argparse says about arguments that cannot be."""
    with pytest.raises(SystemExit) as end:
        cli.main(argv)
    assert end.value.code == 2
    return capsys.readouterr().err


# -------------------------------------------------------------------- arguments and messages


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["--help"])
    assert end.value.code == 0
    out = capsys.readouterr().out
    assert all(name in out for name in ("vqe", "run", "explain", "calibrate", "info"))


def test_arguments_that_cannot_be(capsys, bell):
    assert "required: COMMAND" in rejected(capsys)
    assert "invalid choice: 'fly'" in rejected(capsys, "fly")
    assert "must be a whole number from 1" in rejected(capsys, "run", bell, "--shots", "0")
    assert "must be a whole number from 0" in rejected(capsys, "run", bell, "--seed", "-1")
    assert "must be a whole number from 1" in rejected(capsys, "run", bell, "--shots", "9" * 5000)
    assert "invalid choice: 'magic'" in rejected(capsys, "vqe", "h2", "--ansatz", "magic")


def test_errors_are_one_line_and_status_2(capsys, tmp_path, bell):
    assert "missing.qasm" in fails(capsys, "run", "missing.qasm")
    assert "missing.qasm" in fails(capsys, "explain", "missing.qasm")
    assert "missing.json" in fails(capsys, "vqe", "missing.json")
    assert "There is no molecule 'xenon' here, only h2" in fails(capsys, "vqe", "xenon")
    broken = tmp_path / "broken.qasm"
    broken.write_text(BELL + "cx q[0], q[7];\n")
    assert f"{broken}: line 6, column 10: index 7 is out of range" in fails(capsys, "run", str(broken))
    assert "each of the program's 2 qubits, but is 'ZZZ'" in fails(capsys, "run", bell, "--expect", "ZZZ")
    assert "but is 'AB'" in fails(capsys, "run", bell, "--expect", "ab")


def test_what_cannot_run_is_refused_by_name_and_line(capsys, tmp_path):
    path = tmp_path / "feedback.qasm"
    path.write_text(BELL + "creg c[2];\nmeasure q[0] -> c[0];\nif (c == 1) x q[1];\nreset q[0];\n")
    message = fails(capsys, "run", str(path))
    assert "line 8" in message or "line 7" in message


def test_a_state_larger_than_memory_is_refused_with_its_size(capsys, tmp_path):
    path = tmp_path / "large.qasm"
    path.write_text(BELL.replace("q[2]", "q[45]"))
    assert "TiB" in fails(capsys, "run", str(path))


def test_plot_is_checked_before_the_work(capsys, tmp_path, monkeypatch):
    assert "there is no folder" in fails(capsys, "vqe", "h2", "--plot", str(tmp_path / "no" / "h2.png"))
    assert "must end in one of" in fails(capsys, "vqe", "h2", "--plot", str(tmp_path / "h2.xyz"))
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert 'Try pip install "qsim-jax[plot]"' in fails(capsys, "vqe", "h2", "--plot", str(tmp_path / "h2.png"))


# -------------------------------------------------------------------- parts


def test_bar_chart():
    text = bar_chart({"01": 30, "10": 10, "11": 0}, width=40)
    first, second = text.splitlines()
    assert first.startswith("01  30  75.0 % ████") and second.startswith("10  10  25.0 % ██")
    assert len(first) == 40 and first.count("█") == 3 * second.count("█") + 1
    assert "#" in bar_chart({"0": 1}, width=30, ascii_only=True)
    assert bar_chart({}, width=30) == "no outcomes"
    many = bar_chart({f"{k:06b}": 1 + k for k in range(64)}, width=10)
    assert many.splitlines()[-1] == "and 32 more outcomes, 528 times in all"


def test_the_last_line_and_the_status():
    assert verdict(-1.137, -1.1372) == ("energy -1.137000 Ha  FCI -1.137200 Ha  error 0.200 mHa", 0)
    assert verdict(-1.1372 + 1.7e-3, -1.1372)[1] == 1
    assert verdict(-1.1372 - 1.7e-3, -1.1372)[1] == 1
    assert verdict(float("nan"), -1.1372)[1] == 1
    assert verdict(-1.0, None) == ("energy -1.000000 Ha  FCI unknown", 0)


def test_minimize_finds_minima_and_stops():
    import jax.numpy as jnp

    def valley(t):
        return (1 - t[0]) ** 2 + 10 * (t[1] - t[0] ** 2) ** 2

    energies = list(minimize(valley, np.array([-1.0, 1.0]), 99))
    assert energies[-1] < 1e-6 and len(energies) < 60
    assert all(b < a for a, b in pairwise(energies))
    assert list(minimize(lambda t: 2.0 + 0 * t.sum(), np.zeros(3), 9)) == [2.0]
    assert list(minimize(lambda t: jnp.float32(3.0) + t.sum(), np.zeros(0), 9)) == [3.0]
    with pytest.raises(ResultError, match="became nan"):
        list(minimize(lambda t: jnp.log(t[0]), np.array([-1.0]), 9))


# -------------------------------------------------------------------- the jobs


def test_run_counts_and_expectation_values(capsys, bell):
    assert cli.main(["run", bell, "--shots", "400", "--seed", "7", "--expect", "zz", "--expect", "XI"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert {line[:2] for line in out[:2]} == {"00", "11"}
    assert sum(int(line.split()[1]) for line in out[:2]) == 400
    assert out[2].startswith("<ZZ> = 1.000000 +- 0.0") and re.match(r"<XI> = -?0\.\d+ \+- 0\.0\d+$", out[3])
    assert cli.main(["run", bell, "--shots", "400", "--seed", "7", "--expect", "zz", "--expect", "XI"]) == 0
    assert capsys.readouterr().out.splitlines() == out


def test_run_without_shots_is_exact_where_a_value_is_asked_for(capsys, bell):
    assert cli.main(["run", bell, "--expect", "XX"]) == 0
    assert capsys.readouterr().out == "<XX> = 1.000000\n"


def test_run_reports_classical_bits_where_there_are_measurements(capsys, tmp_path):
    path = tmp_path / "one.qasm"
    path.write_text(BELL + "creg c[1];\nx q[1];\nmeasure q[1] -> c[0];\n")
    assert cli.main(["run", str(path), "--shots", "50"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {line.split()[0] for line in lines} == {"0", "1"}


def test_explain_and_info(capsys, bell):
    assert cli.main(["explain", bell]) == 0
    assert "tatevector" in capsys.readouterr().out
    assert cli.main(["explain", bell, "--measure"]) == 0
    assert capsys.readouterr().out.count("measured: ") == 3
    assert cli.main(["info"]) == 0
    out = capsys.readouterr().out
    assert "jax" in out and "devices" in out


def test_the_defaults_are_read(capsys, bell, monkeypatch):
    monkeypatch.setenv("QSIM_BACKEND", "numpy")
    assert cli.main(["run", bell, "--expect", "ZZ"]) == 0
    assert capsys.readouterr().out == "<ZZ> = 1.000000\n"
    monkeypatch.setenv("QSIM_BACKEND", "nowhere")
    assert "nowhere" in fails(capsys, "run", bell)


def vqe(capsys, *argv: str) -> tuple[int, float]:
    """Run the main job: its status, and the error of its last line in mHa."""
    status = cli.main(["vqe", *argv])
    last = capsys.readouterr().out.splitlines()[-1]
    assert LAST_LINE.match(last)
    return status, float(last.split()[-2])


def test_vqe_of_h2_reaches_chemical_accuracy_and_draws(capsys, tmp_path):
    status, error = vqe(capsys, "h2", "--plot", str(tmp_path / "h2.png"))
    assert status == 0 and 0 <= error + 1e-2 < 0.1
    assert (tmp_path / "h2.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_vqe_with_a_hardware_efficient_ansatz(capsys):
    status, error = vqe(capsys, "h2", "--ansatz", "hea")
    assert status == 0 and error < 1.6


def test_vqe_that_stops_early_says_so_by_its_status(capsys):
    status, error = vqe(capsys, "h4", "--steps", "1", "--ansatz", "hea", "--layers", "1")
    assert status == 1 and error > 1.6


def test_vqe_of_a_file_without_an_exact_energy(capsys, tmp_path):
    path = tmp_path / "two.json"
    terms = [["ZI", 0.5], ["IZ", 0.5], ["XX", 0.1], ["YY", 0.1]]
    path.write_text(json.dumps({"num_qubits": 2, "num_electrons": 1, "terms": terms}))
    assert cli.main(["vqe", str(path)]) == 0
    assert re.match(r"energy -?\d+\.\d{6} Ha  FCI unknown$", capsys.readouterr().out.splitlines()[-1])
    path.write_text(json.dumps({"num_qubits": 2, "num_electrons": 1, "terms": [["ZQ", 0.5]]}))
    assert str(path) in fails(capsys, "vqe", str(path))


@pytest.mark.parametrize("name", ["h4", *(pytest.param(name, marks=pytest.mark.slow) for name in ("lih", "beh2"))])
def test_vqe_of_larger_molecules_reaches_chemical_accuracy(capsys, name):
    status, error = vqe(capsys, name)
    assert status == 0 and -0.05 < error < 1.6


@pytest.mark.slow
@pytest.mark.parametrize("path", shared_files("hamiltonians", "beh2.json"), ids=lambda path: path.stem)
def test_vqe_of_a_hamiltonian_file(capsys, path):
    assert vqe(capsys, str(path))[0] == 0


@pytest.mark.slow
def test_vqe_of_h2_takes_less_than_half_a_minute_as_a_process():
    command = [sys.executable, "-c", "import sys; from qsim.cli import main; sys.exit(main(['vqe', 'h2']))"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert LAST_LINE.match(done.stdout.splitlines()[-1])
    assert "Traceback" not in done.stderr
