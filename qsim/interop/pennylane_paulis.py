"""PennyLane's Pauli operators as ours, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from qsim._errors import ObservableError
from qsim.interop.base import different_labels, vendor
from qsim.ir.pauli import PauliSum
from qsim.ir.pauli_terms import namespace, real_if_real


def pauli_from_pennylane(operator: Any, wires: Iterable[Any] | None = None) -> PauliSum:
    """An operator of PennyLane's as a `PauliSum`: Hamiltonians, sums, products and multiples of Pauli operators.

    Args:
        operator: what has a `pauli_rep`; its coefficients may be traced by JAX.
        wires: labels in the order of our qubits; None where the wires are the numbers of the qubits.

    Raises:
        ObservableError: what is no combination of Pauli operators, or a wire that is not in `wires`.

    Example:
        >>> import pennylane as qml
        >>> from qsim.interop import pauli_from_pennylane
        >>> pauli_from_pennylane(0.5 * qml.X("a") @ qml.Z("b"), wires=["a", "b"])
        0.5*X(0)@Z(1)
    """
    sentence = getattr(operator, "pauli_rep", None)
    if sentence is None:
        raise ObservableError(
            f"pauli_from_pennylane: {type(operator).__name__} is no combination of Pauli operators. Try "
            "qml.pauli_decompose(qml.matrix(operator))."
        )
    labels = None if wires is None else different_labels("pauli_from_pennylane", "wires", wires, ObservableError)
    numbers = None if labels is None else {wire: number for number, wire in enumerate(labels)}
    strings = [{_qubit(wire, numbers): letter for wire, letter in word.items()} for word in sentence]
    values = list(sentence.values())
    xp = namespace(values)
    if xp is np:
        return PauliSum(strings, real_if_real(np.asarray(values, complex)))
    return PauliSum(strings, xp.stack([xp.asarray(value) for value in values]))


def pauli_to_pennylane(operator: PauliSum, wires: Iterable[Any] | None = None) -> Any:
    """A `PauliSum` as a `qml.Hamiltonian`.

    Args:
        operator: the sum; its coefficients may be JAX values.
        wires: labels in the order of our qubits; None takes the numbers of the qubits.

    Raises:
        ObservableError: no such sum, or fewer wires than qubits.

    Example:
        >>> from qsim import X, Z
        >>> from qsim.interop import pauli_to_pennylane
        >>> pauli_to_pennylane(0.5 * X(0) @ Z(1))
        0.5 * (X(0) @ Z(1))
    """
    qml = vendor("pennylane", "pennylane")
    if not isinstance(operator, PauliSum):
        raise ObservableError(f"Argument `operator` must be a PauliSum, but is {type(operator).__name__}.")
    given = range(operator.num_qubits) if wires is None else wires
    labels = different_labels("pauli_to_pennylane", "wires", given, ObservableError, operator.num_qubits)
    kinds = {"X": qml.X, "Y": qml.Y, "Z": qml.Z}
    first = labels[0] if labels else 0
    with qml.QueuingManager.stop_recording():
        words = [
            qml.prod(*[kinds[letter](labels[q]) for q, letter in string])
            if len(string) > 1
            else kinds[string[0][1]](labels[string[0][0]])
            if string
            else qml.Identity(first)
            for string in operator.strings
        ]
    return qml.Hamiltonian(operator.coefficients, words)


def _qubit(wire: Any, numbers: Mapping[Any, int] | None) -> int:
    if numbers is None:
        if isinstance(wire, (int, np.integer)) and not isinstance(wire, bool) and wire >= 0:
            return int(wire)
        raise ObservableError(
            f"pauli_from_pennylane: wire {wire!r} is no number of a qubit. Give the order of the wires with wires=."
        )
    if wire not in numbers:
        raise ObservableError(f"pauli_from_pennylane: wire {wire!r} is not in `wires`, {list(numbers)}.")
    return numbers[wire]
