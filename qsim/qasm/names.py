"""What the names of OpenQASM 2 mean, derived from the gate table.

qelib1 names mean our gates, as Qiskit reads them, not their qelib1 bodies: those drop
global phases, which matter once a gate is put under control.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import qsim.ir.gates  # noqa: F401  (fills the gate table)
from qsim.ir.operation import Controlled, Gate, GateRow, row_of, rows

QELIB1 = frozenset(
    """u3 u2 u1 cx id u0 u p x y z h s sdg t tdg rx ry rz sx sxdg cz cy swap ch ccx cswap crx cry crz cu1 cp cu3
    csx cu rxx rzz rccx rc3x c3x c3sqrtx c4x""".split()
)
"""The gates of the file that everybody includes."""

CONTROLLED = {"c3x": ("x", 3), "c4x": ("x", 4), "c3sqrtx": ("sx", 3)}
"""Names of controlled gates that have no row of their own: base and number of controls."""

BUILTIN = """
gate U(theta, phi, lambda) q { u(theta, phi, lambda) q; }
gate CX a, b { cx a, b; }
"""
"""What is known without any include."""

SYNONYMS = """
gate u0(gamma) q { id q; }
gate u1(lambda) q { p(lambda) q; }
gate u2(phi, lambda) q { u(pi/2, phi, lambda) q; }
gate u3(theta, phi, lambda) q { u(theta, phi, lambda) q; }
gate cu1(lambda) a, b { cp(lambda) a, b; }
gate cu3(theta, phi, lambda) a, b { cu(theta, phi, lambda, 0) a, b; }
gate rccx a, b, c { h c; t c; cx b, c; tdg c; cx a, c; t c; cx b, c; tdg c; h c; }
gate rc3x a, b, c, d {
  h d; t d; cx c, d; tdg d; h d; cx a, d; t d; cx b, d; tdg d; cx a, d; t d; cx b, d; tdg d; h d;
  t d; cx c, d; tdg d; h d;
}
"""
"""qelib1 gates that are other gates of ours, global phase included."""

STEPS = """
gate swap a, b { cx a, b; cx b, a; cx a, b; }
gate rzz(theta) a, b { cx a, b; rz(theta) b; cx a, b; }
gate rxx(theta) a, b { h a; h b; cx a, b; rz(theta) b; cx a, b; h a; h b; }
gate cu(theta, phi, lambda, gamma) a, b {
  p(gamma + (lambda+phi)/2) a; p((lambda-phi)/2) b; cx a, b; u(-theta/2, 0, -(phi+lambda)/2) b; cx a, b;
  u(theta/2, phi, 0) b;
}
"""
"""What qelib1 gates on several qubits consist of, for when they are put under control."""


@dataclass(frozen=True, slots=True, eq=False)
class Native:
    """A name that stands for one operation: `build(params)` makes it."""

    name: str
    num_params: int
    num_qubits: int
    build: Callable[[tuple[float, ...]], Any]
    cost: int = 1


def qasm_name(row: GateRow) -> str:
    """The name that a row is written under."""
    return row.qasm or row.name


def row_native(row: GateRow) -> Native:
    """The gate of one row."""
    if row.params:
        return Native(qasm_name(row), len(row.params), row.num_qubits, partial(Gate, row))
    gate = Gate(row)
    return Native(qasm_name(row), 0, row.num_qubits, lambda params: gate)


def natives() -> dict[str, Native]:
    """The qelib1 names that are one operation of ours."""
    found = {row.qasm: row_native(row) for row in rows() if row.qasm in QELIB1}
    for name, (base, num_controls) in CONTROLLED.items():
        gate = Controlled(Gate(row_of(base)), num_controls)
        found[name] = Native(name, 0, gate.num_qubits, lambda params, gate=gate: gate)
    return found


def definitions() -> dict[str, GateRow]:
    """The gates that qelib1 lacks and whose row says how to define them, by the name they are written under."""
    return {qasm_name(row): row for row in rows() if row.qasm_body is not None and qasm_name(row) not in QELIB1}
