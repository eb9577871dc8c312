"""The cost model: its prices, the file they are kept in, measuring them, and predictions beside measurements."""

from __future__ import annotations

import json
import warnings
from dataclasses import astuple, fields, replace

import jax
import numpy as np
import pytest
from circuits import layered, unstructured

import qsim
from qsim import Circuit, Parameter, X, Y, Z, _compile, calibration, cli, explain
from qsim.lower import calibration as kept
from qsim.lower.build import build_plan
from qsim.lower.calibration import DEFAULT, Calibration, Costs, Machine, default_costs, read_costs, this_machine
from qsim.lower.cost import BLOCK_QUBITS, busy_seconds, count, predict
from qsim.lower.plan import Dense, Sweeps
from qsim.results import Counts, Expectation, State
from qsim.testing import trace_count

NAMES = [f.name for f in fields(Costs)]


@pytest.fixture
def small(monkeypatch):
    """Programs small and short enough for a test."""
    monkeypatch.setattr(calibration, "SIZES", (6, 7))
    monkeypatch.setattr(calibration, "FAR_SIZE", 8)
    monkeypatch.setattr(calibration, "SECONDS", 0.0)
    monkeypatch.setattr(calibration, "FEWEST_RUNS", 1)
    monkeypatch.setattr(calibration, "LIMIT", 2.0)


@pytest.fixture
def fresh(monkeypatch):
    """Costs are read again before and after; JAX keeps nothing in the folder meanwhile."""
    monkeypatch.setattr(_compile, "keep_executables", lambda: None)
    kept.costs.cache_clear()
    yield
    kept.costs.cache_clear()


def write(folder, **changes):
    """The file of this machine, with some costs changed."""
    path = folder / this_machine().file_name
    qsim.save(Calibration(this_machine(), replace(DEFAULT, **changes)), path)
    return path


# -------------------------------------------------------------------- the file


def test_costs_are_read_once_and_only_from_the_folder_named(tmp_path, monkeypatch, fresh):
    monkeypatch.delenv("QSIM_CACHE_DIR", raising=False)
    write(tmp_path, gather=7.0)
    assert kept.costs() is default_costs()
    monkeypatch.setenv("QSIM_CACHE_DIR", str(tmp_path))
    assert kept.costs() is default_costs(), "what a process began with is what it goes by"
    kept.costs.cache_clear()
    assert kept.costs() == replace(DEFAULT, gather=7.0)
    write(tmp_path, gather=8.0)
    assert kept.costs().gather == 7.0


def test_measured_costs_decide_how_a_circuit_is_run(tmp_path, monkeypatch, fresh):
    monkeypatch.setenv("QSIM_CACHE_DIR", str(tmp_path))
    write(tmp_path, gather=0.001)
    assert isinstance(build_plan(layered(8, 8), BLOCK_QUBITS).segments[0].body[0], Dense)
    assert isinstance(build_plan(layered(8, 8), BLOCK_QUBITS, costs=DEFAULT).segments[0].body[0], Sweeps)


def test_without_a_file_or_on_another_machine_the_sensible_costs_hold(tmp_path):
    assert read_costs(tmp_path / "missing") is default_costs()
    other = Machine("another processor", "cpu", "0.0.1")
    qsim.save(Calibration(other, replace(DEFAULT, step=9.0)), tmp_path / other.file_name)
    assert other.file_name != this_machine().file_name
    assert read_costs(tmp_path) is default_costs()


def without(document, name):
    return {**document, "costs": {k: v for k, v in document["costs"].items() if k != name}}


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (lambda d: "not json", "is not JSON"),
        (lambda d: "", "is not JSON"),
        (lambda d: json.dumps({**d, "version": 99}), "a newer qsim"),
        (lambda d: json.dumps({**d, "kind": "layout"}), "initial"),
        (lambda d: json.dumps(without(d, "flip")), "needs a member 'flip'"),
        (lambda d: json.dumps({**d, "costs": {**d["costs"], "step": -1.0}}), "step"),
        (lambda d: json.dumps({**d, "costs": {**d["costs"], "step": "fast"}}), "must be a finite number"),
        (lambda d: json.dumps({**d, "processor": "another"}), "another machine"),
        (lambda d: qsim.ir.serial.to_json(Circuit(1)), "must be a calibration"),
    ],
)
def test_a_broken_file_is_one_warning_that_names_it_and_the_fix(tmp_path, broken, words):
    path = write(tmp_path)
    path.write_text(broken(json.loads(path.read_text())))
    with pytest.warns(UserWarning) as seen:
        assert read_costs(tmp_path) is default_costs()
    assert len(seen) == 1
    text = str(seen[0].message)
    assert str(path) in text and "qsim calibrate" in text and words in text


def test_a_folder_in_the_place_of_the_file_is_a_warning_too(tmp_path):
    (tmp_path / this_machine().file_name).mkdir()
    with pytest.warns(UserWarning, match="cannot be read"):
        assert read_costs(tmp_path) is default_costs()


# -------------------------------------------------------------------- measuring


def test_calibrate_measures_writes_and_prints(tmp_path, small, monkeypatch, capsys, fresh):
    monkeypatch.setenv("QSIM_CACHE_DIR", str(tmp_path / "new"))
    assert cli.main(["calibrate"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in NAMES) and str(tmp_path / "new") in out
    document = json.loads((tmp_path / "new" / this_machine().file_name).read_text())
    assert (document["format"], document["version"], document["kind"]) == ("qsim", 1, "calibration")
    kept.costs.cache_clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert astuple(kept.costs()) == tuple(document["costs"].values())


def test_calibrate_needs_a_folder_and_says_how_to_name_it(monkeypatch, capsys, tmp_path):
    monkeypatch.delenv("QSIM_CACHE_DIR", raising=False)
    assert cli.main(["calibrate"]) == 2
    assert "Set the environment variable QSIM_CACHE_DIR" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("QSIM_CACHE_DIR", str(tmp_path / "file"))
    assert cli.main(["calibrate"]) == 2
    assert "cannot be made a folder" in capsys.readouterr().err


def test_the_fit_finds_the_prices_that_times_were_made_of():
    true = Costs(3.0, 0.8, 0.6, 0.7, 0.3, 0.4, 2.0, 1.5, 9.0, 4.0, 1.6, 2.5, 5.0, 1.0, 80.0)
    timings = []
    for name, n, gradient, make, costs, k in calibration._programs():
        n = min(n, 10)
        counts = count(build_plan(make(n), k, costs=costs))[1]
        for size in (10, 16, 20):
            seconds = busy_seconds(counts, true, size) * (1 + true.backward * gradient)
            timings.append(calibration.Timing(name, size, gradient, counts, seconds))
    found, worst = calibration.fit(timings, DEFAULT)
    assert worst < 1.1
    for name in ("gather", "product_2", "product_3", "product_4", "flip", "wide", "backward", "block", "far"):
        assert getattr(found, name) == pytest.approx(getattr(true, name), rel=0.2), name


def test_the_programs_are_what_they_are_called():
    plans = {(name, k): build_plan(make(10), k, costs=costs) for name, _, _, make, costs, k in calibration._programs()}
    assert {plan.k for plan in plans.values()} == {2, 3, 4}
    assert all(plan.k == k for (_, k), plan in plans.items())
    assert {k for name, k in plans if name == "layers with signs"} == {2, 3, 4}
    counts = {name: count(plan)[1].amplitudes for (name, _), plan in plans.items()}
    assert counts["layers with signs"]["sign"] > 0 and counts["layers with phases"]["phase"] > 0
    assert set(counts["blocks at any place"]) == {"gather"} and set(counts["Pauli rotations"]) == {"flip"}
    assert counts["Fourier transforms"]["wide"] == 4


# -------------------------------------------------------------------- predictions


def test_predictions_grow_with_what_is_done():
    short, long = (predict(build_plan(layered(12, layers), BLOCK_QUBITS)) for layers in (5, 50))
    assert long.seconds > 3 * short.seconds and long.compile_seconds == short.compile_seconds
    assert long.memory == short.memory
    plan = build_plan(unstructured(12, 300), BLOCK_QUBITS)
    one, many = predict(plan), predict(plan, 64)
    assert many.seconds > 8 * one.seconds and many.memory > 8 * one.memory
    assert predict(plan, 64, 4).memory < many.memory


def test_explain_traces_nothing_unless_it_measures():
    circuit, energy = layered(4, 3), Expectation(Z(0) @ X(3))
    before = trace_count()
    text = str(explain(circuit, energy))
    assert trace_count() == before and "measured" not in text
    found = explain(circuit, energy, measure=True)
    assert trace_count() > before
    assert [line for line in str(found).splitlines() if "measured: " not in line] == text.splitlines()
    assert str(found).count("measured: ") == 3
    assert found.measured is not None and found.measured.gradient is not None
    for part in (found.measured.value, found.measured.gradient):
        assert part.compile_seconds > 0 and part.seconds > 0
        assert part.bytes is None or part.bytes > 0


def test_measured_gradients_are_where_there_is_something_to_differentiate():
    bell = Circuit(2).h(0).cx(0, 1)
    assert explain(bell, measure=True).measured.gradient is None
    turned = Circuit(2).rx(Parameter("t"), 0).cx(0, 1)
    assert explain(turned, State(), measure=True).measured.gradient is not None
    assert explain(turned, Counts(), shots=10, measure=True).measured.gradient is None
    assert explain(turned, Expectation(Y(0)), {"t": np.zeros(3)}, shots=10, measure=True).measured.gradient is not None
    assert explain(turned, Expectation(Y(0)), on="cpu", measure=True).measured.gradient is not None


def test_measuring_elsewhere_is_refused():
    circuit = Circuit(1).rx(Parameter("t"), 0)
    with pytest.raises(qsim.errors.MethodError, match="backend `numpy`"):
        explain(circuit, on="numpy", measure=True)

    def inside(t):
        explain(circuit, Expectation(Z(0)), {"t": t}, measure=True)
        return t

    with pytest.raises(qsim.errors.MethodError, match=r"inside jax\.jit"):
        jax.jit(inside)(0.1)
