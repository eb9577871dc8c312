"""Qiskit's circuits and operators in a PUB: recognised by their class, and only then is Qiskit imported."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from qsim._errors import CircuitError, ObservableError
from qsim.ir.circuit import Circuit
from qsim.ir.parameter import ParameterVector
from qsim.ir.table import GateRow, rows

VECTOR = "p"
"""The name under which our circuit has all parameters of Qiskit's, in Qiskit's order."""

MAX_DEPTH = 64
"""Of definitions in definitions."""


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
    return _from_qiskit(circuit.assign_parameters(dict(zip(circuit.parameters, names, strict=True))))


def import_qiskit(module: str) -> Any:
    """A module of Qiskit, for somebody who handed over one of its objects."""
    return import_module(f"qiskit.{module}")


# --------------------------------------------------------------------------- to be replaced by qsim.interop


def _from_qiskit(given: Any) -> Circuit:
    circuit = Circuit(given.num_qubits, num_clbits=given.num_clbits)
    vector = ParameterVector(VECTOR, given.num_parameters) if given.num_parameters else ()
    _append(circuit, given, range(given.num_qubits), range(given.num_clbits), vector, 0)
    return circuit


def _append(
    circuit: Circuit, given: Any, qubits: Sequence[int], clbits: Sequence[int], vector: Any, depth: int
) -> None:
    standard, table = _standard()
    for instruction in given.data:
        operation = instruction.operation
        name = operation.name
        places = [qubits[given.find_bit(q).index] for q in instruction.qubits]
        bits = [clbits[given.find_bit(b).index] for b in instruction.clbits]
        if name in table and getattr(operation, "base_class", None) is standard[name].base_class:
            getattr(circuit, table[name].name)(*[_angle(p, vector) for p in operation.params], *places)
        elif name == "measure":
            circuit.measure(places, bits)
        elif name == "barrier":
            circuit.barrier(places)
        elif name != "delay":
            definition = getattr(operation, "definition", None)
            if definition is None or depth == MAX_DEPTH:
                raise CircuitError(
                    f"Operation {name!r} on qubits {places} of Qiskit's circuit {given.name!r} has no counterpart "
                    "here, and no definition. Try qiskit.transpile(circuit, basis_gates=['u', 'cx'])."
                )
            _append(circuit, definition, places, bits, vector, depth + 1)


def _standard() -> tuple[dict[str, Any], dict[str, GateRow]]:
    standard = import_qiskit("circuit.library.standard_gates").get_standard_gate_name_mapping()
    table = {w: row for row in rows() for w in (row.qasm, row.name) if w in standard and row.num_qubits}
    return standard, table  # pyright: ignore[reportReturnType]


def _angle(param: Any, vector: Any) -> Any:
    inside = sorted(getattr(param, "parameters", ()), key=lambda p: p.index)  # a set: in an order of its own
    if not inside:
        return float(param)
    total = float(param.bind(dict.fromkeys(inside, 0.0)).numeric())
    slopes = [param.gradient(p) for p in inside]
    if not all(isinstance(slope, (int, float)) or not getattr(slope, "parameters", (0,)) for slope in slopes):
        raise CircuitError(f"The angle {param} of Qiskit's circuit is no linear function of its parameters.")
    sum_ = total if total else 0
    for parameter, slope in zip(inside, slopes, strict=True):
        number = float(np.real(complex(slope)))
        element = vector[parameter.index]
        sum_ = sum_ + (element if number == 1.0 else number * element)
    return sum_
