"""Layered circuits of one-qubit rotations and entangling gates."""

from __future__ import annotations

from qsim._errors import CircuitError
from qsim.ir.circuit import Circuit
from qsim.ir.parameter import ParameterVector


def hardware_efficient(num_qubits: int, layers: int, periodic: bool = False, name: str = "theta") -> Circuit:
    """Layers of RY and RZ on every qubit, each closed by a chain of CZ.

    Layer l applies rz(theta[l, 1, q]) ry(theta[l, 0, q]) to each qubit q, then cz(q, q+1) for
    every q. Reference: Kandala et al., DOI 10.1038/nature23879.

    Args:
        num_qubits: how many qubits, 1 or more. layers: how many layers.
        periodic: True to close the chain to a ring (from 3 qubits on).
        name: the name of the `ParameterVector`, of shape (layers, 2, num_qubits), radians.

    Raises:
        CircuitError: no qubits, or a negative number of layers.

    Example:
        >>> from qsim.library import hardware_efficient
        >>> circuit = hardware_efficient(4, layers=2)
        >>> circuit.count_ops(), circuit.parameter_shapes()
        ({'ry': 8, 'rz': 8, 'cz': 6}, {'theta': (2, 2, 4)})
    """
    if num_qubits < 1 or layers < 0:
        raise CircuitError(
            f"hardware_efficient: needs 1 qubit or more and 0 layers or more, but has {num_qubits} and {layers}."
        )
    theta = ParameterVector(name, (layers, 2, num_qubits))
    circuit = Circuit(num_qubits)
    for layer in range(layers):
        circuit.ry(theta[layer, 0], range(num_qubits)).rz(theta[layer, 1], range(num_qubits))
        for qubit in range(num_qubits - 1):
            circuit.cz(qubit, qubit + 1)
        if periodic and num_qubits > 2:
            circuit.cz(num_qubits - 1, 0)
    return circuit
