"""Circuits and operators of other frameworks as ours, and back: Qiskit, PennyLane, Cirq, each an extra of the package."""

from __future__ import annotations

from qsim.interop.qiskit_paulis import pauli_from_qiskit, pauli_to_qiskit
from qsim.interop.qiskit_read import from_qiskit, qiskit_parameters, qiskit_values
from qsim.interop.qiskit_write import to_qiskit

__all__ = [
    "from_qiskit",
    "pauli_from_qiskit",
    "pauli_to_qiskit",
    "qiskit_parameters",
    "qiskit_values",
    "to_qiskit",
]
