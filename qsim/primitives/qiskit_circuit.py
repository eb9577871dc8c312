"""Qiskit's circuits and operators in a PUB: recognised by their class, and only then is Qiskit imported."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from qsim._errors import ObservableError
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


def terms(operator: Any) -> list[tuple[str, complex]]:
    """(label, coefficient) of a `Pauli`, `SparsePauliOp` or `SparseObservable`; the last qubit first.

    Raises:
        ObservableError: an observable with projectors.
    """
    if comes_from_qiskit(operator, "SparseObservable"):
        found = operator.to_sparse_list()
        n = operator.num_qubits
        labels = []
        for letters, qubits, coefficient in found:
            if set(letters) - set("XYZ"):
                raise ObservableError(
                    "A SparseObservable must be made of X, Y and Z here, but has projectors. Try "
                    "observable.as_paulis()."
                )
            label = ["I"] * n
            for letter, q in zip(letters, qubits, strict=True):
                label[n - 1 - q] = letter
            labels.append(("".join(label), complex(coefficient)))
        return labels or [("I" * n, 0j)]
    if comes_from_qiskit(operator, "SparsePauliOp"):
        return [(label, complex(coefficient)) for label, coefficient in operator.to_list()]
    label = operator.to_label()
    letters = label.lstrip("+-i")
    return [(letters, {"": 1, "-": -1, "i": 1j, "-i": -1j}[label[: len(label) - len(letters)]])]


def converted(circuit: Any) -> Circuit:
    """Our circuit for one of Qiskit's: qubits and classical bits by number, parameters as elements of `VECTOR`."""
    names = import_qiskit("circuit").ParameterVector(VECTOR, circuit.num_parameters)
    return from_qiskit(circuit.assign_parameters(dict(zip(circuit.parameters, names, strict=True))))


def import_qiskit(module: str) -> Any:
    """A module of Qiskit, for somebody who handed over one of its objects."""
    return import_module(f"qiskit.{module}")
