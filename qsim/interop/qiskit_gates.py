"""Gates of the table and those of Qiskit's library that are the same: one name for each, one class for each."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from math import pi
from typing import Any

from qsim.interop.base import Steps, vendor
from qsim.ir import gates
from qsim.ir.table import rows

assert gates.__name__  # imported so that the table is filled

IN_OUR_WORDS: Mapping[str, Steps] = {
    "u2": lambda c, phi, lam: c.u(pi / 2, phi, lam, 0),
    "cu3": lambda c, theta, phi, lam: c.cu(theta, phi, lam, 0.0, 0, 1),
    "xx_minus_yy": lambda c, theta, beta: c.rz(-beta, 1).rxx(theta / 2, 0, 1).ryy(-theta / 2, 0, 1).rz(beta, 1),
}
"""Qiskit's standard gates that are no row of the table; parameters, then qubits, in Qiskit's order."""


@cache
def standard() -> Mapping[str, Any]:
    """Qiskit's name of a standard gate -> its class."""
    library = vendor("qiskit.circuit.library.standard_gates", "qiskit")
    return {name: one.base_class for name, one in library.get_standard_gate_name_mapping().items()}


@cache
def ours() -> Mapping[str, str]:
    """Qiskit's name of a standard gate -> ours of the same gate: u, u3 and their like are all there."""
    known = standard()
    words = [(word, row) for row in rows() for word in (row.qasm, *row.aliases, row.name) if word in known]
    return {str(word): row.name for word, row in words if row.num_qubits}


@cache
def classes() -> Mapping[str, Any]:
    """Our name of a gate -> Qiskit's class of the same gate, under our name or that of OpenQASM 2 (prx is r)."""
    known = standard()
    return {
        row.name: known[word]
        for row in rows()
        for word in (row.qasm, row.name)  # the second stands, where there are both
        if word is not None and word in known and row.num_qubits
    }
