"""Circuits and operators of Qiskit, PennyLane and Cirq as ours, and back; each is an extra of the package."""

from __future__ import annotations

from qsim.interop.cirq_paulis import pauli_from_cirq, pauli_to_cirq
from qsim.interop.cirq_read import from_cirq
from qsim.interop.cirq_write import to_cirq
from qsim.interop.pennylane_paulis import pauli_from_pennylane, pauli_to_pennylane
from qsim.interop.pennylane_read import from_pennylane
from qsim.interop.pennylane_write import to_pennylane
from qsim.interop.qiskit_paulis import pauli_from_qiskit, pauli_to_qiskit
from qsim.interop.qiskit_read import from_qiskit, qiskit_parameters, qiskit_values
from qsim.interop.qiskit_write import to_qiskit

__all__ = [
    "from_cirq",
    "from_pennylane",
    "from_qiskit",
    "pauli_from_cirq",
    "pauli_from_pennylane",
    "pauli_from_qiskit",
    "pauli_to_cirq",
    "pauli_to_pennylane",
    "pauli_to_qiskit",
    "qiskit_parameters",
    "qiskit_values",
    "to_cirq",
    "to_pennylane",
    "to_qiskit",
]
