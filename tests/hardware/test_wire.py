"""Circuits as text for devices: read back by our own reader, or compared letter by letter."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from hardware.errors import RejectedProgram
from hardware.wire import BRAKET, QASM2, QASM3, Dialect, write
from qsim import Circuit, gates, qasm
from qsim.ir.ops.delay import Delay
from qsim.testing import assert_equivalent


def one_of(name):
    """A circuit with one gate of the table, all angles different."""
    gate = getattr(Circuit, name)
    arguments = [p for p in inspect.signature(gate).parameters if p != "self"]
    circuit = Circuit(3).h(0).ry(0.3, 1).rx(0.4, 2)
    size = sum(p.startswith(("qubit", "control", "target")) for p in arguments)
    angles = [0.1 * (i + 1) for i in range(len(arguments) - size)]
    return getattr(circuit, name)(*angles, *range(size))


@pytest.mark.parametrize("name", sorted(QASM2.spellings))
def test_openqasm_2_reads_back(name):
    circuit = one_of(name)
    text = write(circuit, [2, 0], QASM2)
    again = qasm.loads(text)
    assert_equivalent(again, circuit)
    assert [(i.qubits, i.clbits) for i in again.instructions if i.operation.name == "measure"] == [
        ((2,), (0,)),
        ((0,), (1,)),
    ]


@pytest.mark.parametrize("dialect", [QASM2, QASM3, BRAKET], ids=lambda d: d.name)
def test_every_spelling_is_of_the_table(dialect):
    assert all(hasattr(gates, name) for name in dialect.spellings)


CIRCUIT = Circuit(3).rx(0.5, 1).u(0.1, -0.2, 1e-7, 0).cx(1, 0).barrier([0, 2]).append(Delay(3e-8), 2).swap(0, 2)


def test_openqasm_3():
    assert write(CIRCUIT, [1, 0], QASM3).splitlines() == [
        "OPENQASM 3.0;",
        'include "stdgates.inc";',
        "qubit[3] q;",
        "bit[2] c;",
        "rx(0.5) q[1];",
        "U(0.1, -0.2, 1e-07) q[0];",
        "cx q[1], q[0];",
        "barrier q[0], q[2];",
        "delay[30.0ns] q[2];",
        "swap q[0], q[2];",
        "c[0] = measure q[1];",
        "c[1] = measure q[0];",
    ]


def test_physical_qubits_and_no_measurement():
    physical = Dialect("physical", 3, BRAKET.spellings, physical=True)
    circuit = Circuit(9).rx(-0.5, 7).cx(7, 8).sdg(8)
    assert (
        write(circuit, [8], physical)
        == "OPENQASM 3.0;\nbit[1] c;\nrx(-0.5) $7;\ncnot $7, $8;\nsi $8;\nc[0] = measure $8;\n"
    )
    assert write(circuit, [], physical) == "OPENQASM 3.0;\nrx(-0.5) $7;\ncnot $7, $8;\nsi $8;\n"


def test_angles_are_exact():
    angle = 0.1 + 1e-16 + np.pi
    (rx,) = qasm.loads(write(Circuit(1).rx(angle, 0), [], QASM2)).instructions
    assert rx.operation.params[0] == angle


def test_what_has_no_word_is_refused():
    with pytest.raises(
        RejectedProgram, match=r"Device `some`: instruction 1, unitary on qubits \(0,\), has no word in OpenQASM 3"
    ):
        write(Circuit(1).x(0).unitary(np.eye(2), 0), [0], QASM3, "some")
    with pytest.raises(RejectedProgram, match="delay"):
        write(Circuit(1).append(Delay(1e-6), 0), [0], QASM2)


def test_too_long_a_program_is_refused_before_it_is_written(monkeypatch):
    monkeypatch.setattr("hardware.wire.MAX_BYTES", 4_800)
    with pytest.raises(RejectedProgram, match="This device: the program would be about"):
        write(Circuit(100).x(range(100)), [0], QASM3)
