"""Qiskit's circuits and operators in a PUB: recognised by their class, and only then is Qiskit imported."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from qsim.interop import from_qiskit
from qsim.ir.circuit import Circuit

VECTOR = "p"
"""The name under which our circuit has all parameters of Qiskit's, in Qiskit's order."""


def comes_from_qiskit(value: Any, *names: str) -> bool:
    """True for an object of one of Qiskit's classes of these names, or of a class derived from one."""
    return any(c.__name__ in names and c.__module__.partition(".")[0] == "qiskit" for c in type(value).__mro__)


def is_circuit(value: Any) -> bool:
    """True for a Qiskit `QuantumCircuit`."""
    return comes_from_qiskit(value, "QuantumCircuit")


def registers(circuit: Any) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """(name, classical bits) of each of its classical registers."""
    return tuple((r.name, tuple(circuit.find_bit(bit).index for bit in r)) for r in circuit.cregs)


def is_measured(circuit: Any) -> bool:
    """True where something is measured."""
    return any(instruction.operation.name == "measure" for instruction in circuit.data)


def converted(circuit: Any) -> Circuit:
    """Our circuit for one of Qiskit's: qubits and classical bits by number, parameters as elements of `VECTOR`."""
    names = import_module("qiskit.circuit").ParameterVector(VECTOR, circuit.num_parameters)
    return from_qiskit(circuit.assign_parameters(dict(zip(circuit.parameters, names, strict=True))))
