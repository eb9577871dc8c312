"""Numerical resynthesis of three-qubit parts."""

from __future__ import annotations

import numpy as np
import pytest

from qsim import Circuit
from qsim.ir.ops.base import apply_circuit
from qsim.ir.target import Target
from qsim.testing import assert_equivalent
from tests.transpile_circuits import num_two_qubit, random_circuit, random_unitaries
from transpile import preset, transpile
from transpile.passes import Deepen, Resynthesise, consolidate, one_qubit_chains
from transpile.synthesis.resynthesis import circuit_matrix, fewer

TARGET = Target.line(5, ["rz", "sx", "x", "cz"])


def test_a_circuit_with_needless_gates_is_found_shorter():
    pairs = [(0, 1), (1, 2), (0, 1), (1, 2), (0, 1)]
    ones = random_unitaries(2, 18, 0).reshape(6, 3, 2, 2)
    ones[2], ones[3] = np.eye(2), np.eye(2)  # cz 12, cz 01, cz 12: two of them cancel
    unitary = circuit_matrix(pairs, ones)
    found = fewer(unitary, pairs, ones, np.random.default_rng(0))
    assert found is not None and len(found[0]) <= 3
    overlap = np.abs(np.vdot(unitary, circuit_matrix(*found))) / 8
    assert overlap > 1 - 1e-12


def test_what_cannot_be_shorter_is_left():
    unitary = apply_circuit(np, Circuit(3).cx(0, 1).cx(1, 2), np.eye(8, dtype=complex))
    pairs = [(0, 1), (1, 2)]
    h = (np.array([[1, 1], [1, -1]]) / np.sqrt(2)).astype(complex)
    ones = np.broadcast_to(np.eye(2, dtype=complex), (3, 3, 2, 2)).copy()
    ones[0, 1], ones[1, 1], ones[1, 2], ones[2, 2] = h, h, h, h
    np.testing.assert_allclose(circuit_matrix(pairs, ones), unitary, atol=1e-12)
    assert fewer(unitary, pairs, ones, np.random.default_rng(0)) is None


@pytest.mark.parametrize("natives", [["rz", "sx", "x", "cz"], ["u", "cx"], ["rz", "sx", "ecr"], ["rz", "sx", "iswap"]])
def test_the_pass_keeps_the_action_and_gains_no_gates(natives: list[str]):
    target = Target.line(4, natives)
    circuit = transpile(Circuit(4).ccx(0, 1, 2).ccx(3, 2, 1).cswap(0, 1, 3), target, effort=1)
    made = one_qubit_chains(consolidate(Resynthesise()(circuit, target), target), target)
    assert target.first_violation(made) is None
    assert num_two_qubit(made) <= num_two_qubit(circuit)
    assert_equivalent(circuit, made)


def test_a_toffoli_gate_on_a_line_takes_eight_gates():
    made = transpile(Circuit(3).ccx(0, 1, 2), Target.line(3, ["rz", "sx", "x", "cz"]), effort=3)
    assert num_two_qubit(made) <= 8
    assert_equivalent(Circuit(3).ccx(0, 1, 2), made)


def test_a_report_says_whether_wall_time_cut_the_search_short():
    circuit = transpile(Circuit(4).ccx(0, 1, 2).ccx(3, 2, 1).cswap(0, 1, 3), TARGET, effort=1)
    search = Deepen((consolidate, one_qubit_chains), seconds=1e-6)
    assert search.outcome(circuit, TARGET) == (circuit, True)
    assert Resynthesise(seconds=0.0).outcome(circuit, TARGET) == (circuit, True)
    short = preset(3, time_budget=1e-6).report(circuit, TARGET)
    assert short.cut_short and [s.name for s in short.steps if s.cut_short] == ["Deepen"]
    assert "cut short by time" in str(short)
    for effort in (1, 3):
        report = preset(effort, time_budget=100.0).report(Circuit(3).ccx(0, 1, 2), TARGET)
        assert not report.cut_short and report.steps[-1].two_qubit_gates == num_two_qubit(report.circuit)
        assert report.circuit == transpile(Circuit(3).ccx(0, 1, 2), TARGET, effort=effort)


@pytest.mark.parametrize("parameters", [0, pytest.param(2, marks=pytest.mark.slow)])
def test_effort_3_keeps_the_action_and_is_the_same_every_time(parameters: int):
    circuit = random_circuit(4, 9, 2, max_qubits=3, parameters=parameters)
    first, second = (transpile(circuit, TARGET, effort=3, time_budget=100) for _ in range(2))
    assert first == second and TARGET.first_violation(first) is None
    assert num_two_qubit(first) <= num_two_qubit(transpile(circuit, TARGET, effort=2))
    assert_equivalent(circuit, first)
