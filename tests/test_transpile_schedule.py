"""Durations, delays and decoupling: nothing overlaps, nothing takes longer, and the action stays the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qsim import Circuit, Parameter, Z, execute, gates, qasm
from qsim._errors import CircuitError, QasmError, TargetError
from qsim.ir.operation import Conditional
from qsim.ir.serial import from_json, to_json
from qsim.ir.target import Native, QubitFacts, Target
from qsim.results import Expectation
from qsim.testing import assert_equivalent
from tests.transpile_circuits import random_circuit
from transpile import Delay, Pipeline, preset, transpile
from transpile.passes import Decouple, Schedule, start_times
from transpile.passes.schedule import duration_of

NS = 1e-9
NATIVES = {
    "rz": Native(duration=0.0),
    "sx": Native(duration=30 * NS),
    "x": Native(duration=30 * NS),
    "y": Native(duration=30 * NS),
    "cz": Native(duration=100 * NS),
    "delay": Native(),
}
DEVICE = Target(
    4,
    [(a, b) for a in range(4) for b in range(4) if abs(a - b) == 1],
    NATIVES,
    qubits=[QubitFacts(readout_duration=500 * NS)] * 4,
    virtual_z=True,
)


def ends(circuit: Circuit, starts: tuple[float, ...]) -> list[float]:
    return [s + duration_of(i, DEVICE) for i, s in zip(circuit.instructions, starts, strict=True)]


def test_early_and_late_by_hand():
    circuit = Circuit(3, num_clbits=1).x(0).cz(0, 1).cz(1, 2).x(0).measure(2, 0)
    early = np.array(start_times(circuit, DEVICE)) / NS
    late = np.array(start_times(circuit, DEVICE, late=True)) / NS
    np.testing.assert_allclose(early, [0, 30, 130, 130, 230], atol=1e-6)
    np.testing.assert_allclose(late, [0, 30, 130, 700, 230], atol=1e-6)
    waits = [(i.qubits[0], round(i.operation.seconds / NS)) for i in made_delays(Schedule(True), circuit)]
    assert waits == [(1, 30), (2, 130), (0, 570)]


def made_delays(schedule: Schedule, circuit: Circuit) -> list:
    return [i for i in schedule(circuit, DEVICE).instructions if i.operation.name == "delay"]


@pytest.mark.parametrize("late", [False, True])
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_schedules_of_random_circuits(late: bool, seed: int):
    circuit = transpile(random_circuit(4, 20, seed), DEVICE, effort=1).copy()
    before = circuit.copy()
    starts = start_times(circuit, DEVICE, late)
    total = max(ends(circuit, starts), default=0.0)
    busy: dict[int, float] = {}
    for i, start, end in zip(circuit.instructions, starts, ends(circuit, starts), strict=True):
        assert start >= max((busy.get(q, 0.0) for q in i.qubits), default=0.0) - 1e-15
        busy |= dict.fromkeys(i.qubits, end)
    assert abs(total - max(ends(circuit, start_times(circuit, DEVICE)), default=0.0)) < 1e-15
    made = Schedule(late)(circuit, DEVICE)
    assert circuit == before and DEVICE.first_violation(made) is None
    assert_equivalent(circuit, made)
    again = start_times(made, DEVICE)  # played as soon as can be
    kept = [s for s, i in zip(again, made.instructions, strict=True) if i.operation.name != "delay"]
    np.testing.assert_allclose(kept, starts, atol=1e-15)
    assert Schedule(late)(made, DEVICE) is made or late


@pytest.mark.parametrize("pulses", [("x", "x"), ("x", "y", "x", "y")])
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_decoupled_circuits_do_the_same_in_the_same_time(pulses: tuple[str, ...], seed: int):
    circuit = random_circuit(4, 20, seed)
    pipeline = Pipeline((preset(1), Schedule(late=True)))
    waiting = pipeline(circuit, DEVICE)
    made = Decouple(pulses)(waiting, DEVICE)
    assert DEVICE.first_violation(made) is None
    assert_equivalent(circuit, made)
    last = [max(ends(c, start_times(c, DEVICE)), default=0.0) for c in (waiting, made)]
    assert abs(last[0] - last[1]) < 1e-15


def test_pulses_stand_at_even_distances_and_qubits_in_their_ground_state_are_left_alone():
    circuit = Circuit(1).append(Delay(1e-6), 0).x(0).append(Delay(1e-6), 0).append(Delay(5e-8), 0)
    made = Decouple()(circuit, DEVICE)
    found = [(i.operation.name, *[round(p / NS) for p in i.operation.params]) for i in made.instructions]
    filled = [("delay", 235), ("x",), ("delay", 470), ("x",), ("delay", 235)]
    assert found == [("delay", 1000), ("x",), *filled, ("delay", 50)]
    assert Decouple()(Circuit(2).x(0).cz(0, 1), DEVICE).count_ops() == {"cz": 1, "x": 1}


def test_delays_run_and_classical_bits_are_waited_for():
    circuit = Circuit(2).x(0).append(Delay(1e-6), 0).cz(0, 1)
    np.testing.assert_allclose(execute(circuit, Expectation(Z(0))), -1.0, atol=1e-6)
    assert Delay(0.5) == Delay(0.5).inverse() and hash(Delay(0.5)) == hash(Delay(0.5)) and Delay(1) != Delay(2)
    told = Circuit(2, num_clbits={"c": 1}).x(0).measure(0, 0)
    told.append(Conditional(gates.x(0).operation, "c", 1), (1,))
    np.testing.assert_allclose(np.array(start_times(told, DEVICE)) / NS, [0, 30, 530], atol=1e-6)


def test_barriers_are_waited_for():
    circuit = Circuit(2).x(0).barrier().x(1)
    np.testing.assert_allclose(np.array(start_times(circuit, DEVICE)) / NS, [0, 30, 30], atol=1e-6)


def test_what_is_missing_is_said():
    with pytest.raises(TargetError, match=r"Instruction 0.*duration of h on qubits \(0,\).*needed"):
        Schedule()(Circuit(1).h(0), DEVICE)
    natives = {name: native for name, native in NATIVES.items() if name != "delay"}
    with pytest.raises(TargetError, match="no `delay`.*needed"):
        Schedule()(Circuit(2).x(0).cz(0, 1), Target.from_edges(2, [(0, 1)], natives))
    with pytest.raises(TargetError, match="identity in all"):
        Decouple(("x", "y"))
    for pulses in ((), ("rx", "rx"), ("cz", "cz"), ("nothing",)):
        with pytest.raises(TargetError, match="pulses"):
            Decouple(pulses)
    with pytest.raises(TargetError, match="needs z on qubit 0.*needed"):
        Decouple(("z", "z"))(Circuit(1).x(0).append(Delay(1e-6), 0), DEVICE)


def test_delays_are_saved_and_refused_by_what_has_none():
    circuit = Circuit(1).x(0).append(Delay(1e-6), 0).append(Delay(2 * Parameter("t")), 0)
    assert from_json(to_json(circuit)) == circuit
    with pytest.raises(QasmError, match="OpenQASM 2 has no delays"):
        qasm.dumps(circuit)
    for seconds in (-1e-9, float("inf"), float("nan")):
        with pytest.raises(CircuitError, match="delay: .* must be"):
            Delay(seconds)
