"""`python -m hardware`: info and check."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import hardware.__main__ as command
from hardware.adapters.local import LocalDevice
from qsim import Target
from qsim.ir.target import Native, QubitFacts

ROOT = Path(command.__file__).parents[1]


def lines(capsys):
    found = capsys.readouterr()
    return found.out.splitlines(), found.err.splitlines()


def use(monkeypatch, device):
    monkeypatch.setattr(command, "find_backend", lambda name: device)


def test_info(capsys, monkeypatch):
    assert command.main(["info", "local@grid2x2"]) == 0
    out, err = lines(capsys)
    assert err == [] and out == [
        "device   local@grid2x2",
        "qubits   4",
        "edges    4: 0-1 0-2 1-3 2-3",
        "natives  cz rz sx x",
        "facts    of no date, made up",
    ]
    target = Target(2, None, {"x": Native()}, qubits=[QubitFacts(usable=False), QubitFacts()], date="2026-01-01")
    device = LocalDevice(target)
    device.paid = True
    use(monkeypatch, device)
    assert command.main(["info", "some@thing"]) == 0
    out, _ = lines(capsys)
    assert out[1:] == [
        "qubits   2, of which 1 are usable",
        "edges    every pair",
        "natives  x",
        "facts    of 2026-01-01, made up",
        "paid     yes: runs need a budget",
    ]
    monkeypatch.undo()
    assert command.main(["info", "numpy"]) == 0
    assert lines(capsys)[0][1:] == [
        "qubits   any number",
        "edges    every pair",
        "natives  every gate",
        "facts    of no date",
    ]


def test_check_passes(capsys):
    assert command.main(["check", "local@line2", "--shots", "1000", "--no-gradients"]) == 0
    out, err = lines(capsys)
    assert err == [] and out[0].startswith("local@line2: passed: values, composed results, batches")
    assert out[1].endswith("within 0.253 of the exact values") and "jobs" in out[1]


class Upside(LocalDevice):
    """Writes the last bit first, and does not say so."""

    def send(self, programs):
        job = super().send(programs)
        replies = job.replies
        job.replies = lambda: [bits[:, ::-1] for bits in replies()]
        return job


class Moody(LocalDevice):
    """Takes one job, which is one outside jit and the next inside."""

    taken = 0

    def send(self, programs):
        self.taken += 1
        if self.taken > 2:
            raise ValueError("not\nagain")
        return super().send(programs)


@pytest.mark.parametrize(
    ("device", "status", "words"),
    [
        (Upside(Target.ideal(2), "upside"), 1, "some@thing: failed: measured bits are reported as {'10': 50}"),
        (Moody(Target.ideal(2), "moody"), 2, "Device `moody`, submitting: ValueError: not again"),
    ],
)
def test_check_says_what_did_not_pass(device, status, words, capsys, monkeypatch):
    use(monkeypatch, device)
    assert command.main(["check", "some@thing", "--no-gradients", "--shots", "500"]) == status
    out, err = lines(capsys)
    assert out == [] and len(err) == 1 and words in err[0] and "Traceback" not in err[0]


def test_a_paid_device_is_checked_within_a_budget(capsys, monkeypatch):
    device = LocalDevice(Target.ideal(2), "gold")
    device.paid = True
    use(monkeypatch, device)
    assert command.main(["check", "gold"]) == 2
    assert "costs money" in capsys.readouterr().err
    assert command.main(["check", "gold", "--max-shots", "10"]) == 2
    assert "the budget is 10" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["nowhere@all", "local@moon", "local"])
def test_unknown_devices_are_one_sentence(name, capsys):
    for what in ("info", "check"):
        assert command.main([what, name]) == 2
        out, err = lines(capsys)
        assert out == [] and len(err) == 1 and err[0].startswith("hardware: error: Unknown")


@pytest.mark.parametrize("arguments", [[], ["info"], ["check", "local@line2", "--shots", "0"], ["sell", "local@line2"]])
def test_bad_arguments(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        command.main(arguments)
    assert "Traceback" not in capsys.readouterr().err


def test_as_a_program():
    done = subprocess.run(
        [sys.executable, "-m", "hardware", "info", "local@line3"], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0 and "0-1 1-2" in done.stdout and done.stderr == ""
