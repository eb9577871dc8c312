"""What a PUB asks of its circuit: parameters in order, registers, and which end of a string is bit 0."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qsim._errors import CircuitError
from qsim._recent import Recent
from qsim.ir.circuit import Circuit
from qsim.ir.derived import derived
from qsim.ir.operation import Measure
from qsim.primitives import qiskit_circuit

MAX_SIGNATURES = 256

_signatures = Recent(MAX_SIGNATURES)


@dataclass(frozen=True, eq=False, slots=True)
class Signature:
    """The outside of a circuit.

    Attributes:
        num_qubits: how many qubits.
        labels: the open scalars in the order in which an array of values holds them.
        shapes: name -> declared shape of what `execute` takes.
        places: name -> for each element of its value the column of `labels`, None where the circuit has no use for it.
        registers: (name, classical bits) of each register.
        first: where character 0 of labels and bit strings stands: "left" for ours, "right" for Qiskit's.
        is_measured: whether anything is measured.
        metadata: what the circuit carries, for the metadata of results.
    """

    num_qubits: int
    labels: tuple[str, ...]
    shapes: Mapping[str, tuple[int, ...]]
    places: Mapping[str, tuple[int | None, ...]]
    registers: tuple[tuple[str, tuple[int, ...]], ...]
    first: str
    is_measured: bool
    metadata: Any = None

    @property
    def starts(self) -> dict[str, int | None]:
        """name -> the first of its columns, where they follow each other and all are there."""
        found: dict[str, int | None] = {}
        for name, places in self.places.items():
            first = places[0] if places else 0
            found[name] = None
            if first is not None and places == tuple(range(first, first + len(places))):
                found[name] = first
        return found

    @property
    def names(self) -> str:
        """The parameters in words."""
        return ", ".join(self.labels[:12]) + (", ..." if len(self.labels) > 12 else "") or "none"


def signature_of(circuit: Any) -> Signature:
    """The signature of one of our circuits or of Qiskit's.

    Raises:
        CircuitError: it is neither.
    """
    if isinstance(circuit, Circuit):
        return _own(circuit)
    if qiskit_circuit.is_circuit(circuit):
        return _qiskit(circuit)
    raise CircuitError(f"The circuit of a PUB must be a Circuit, but is {type(circuit).__name__}.")


@derived
def _own(circuit: Circuit) -> Signature:
    return _signatures.get(circuit.key, lambda: _of_structure(circuit))


def _of_structure(circuit: Circuit) -> Signature:
    shapes = circuit.parameter_shapes()
    places: dict[str, list[int | None]] = {name: [None] * math.prod(shape) for name, shape in shapes.items()}
    for column, parameter in enumerate(circuit.parameters):
        owner = parameter.name if parameter.vector is None else parameter.vector.name
        places[owner][parameter.index] = column
    return Signature(
        num_qubits=circuit.layout.num_qubits,
        labels=tuple(parameter.name for parameter in circuit.parameters),
        shapes=shapes,
        places={name: tuple(columns) for name, columns in places.items()},
        registers=tuple((r.name, tuple(range(r.start, r.start + r.size))) for r in circuit.cregs),
        first="left",
        is_measured=any(isinstance(i.operation, Measure) for i in circuit.instructions),
    )


def _qiskit(circuit: Any) -> Signature:
    count = circuit.num_parameters
    return Signature(
        num_qubits=circuit.num_qubits,
        labels=tuple(parameter.name for parameter in circuit.parameters),
        shapes={qiskit_circuit.VECTOR: (count,)} if count else {},
        places={qiskit_circuit.VECTOR: tuple(range(count))} if count else {},
        registers=qiskit_circuit.registers(circuit),
        first="right",
        is_measured=qiskit_circuit.is_measured(circuit),
        metadata=circuit.metadata,
    )
