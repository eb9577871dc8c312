"""Cirq's Pauli operators as ours, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from qsim._errors import ObservableError
from qsim.interop.base import different_labels, vendor
from qsim.ir.pauli import PauliSum
from qsim.ir.pauli_terms import host, real_if_real


def pauli_from_cirq(operator: Any, qubits: Iterable[Any] | None = None) -> PauliSum:
    """A `cirq.PauliSum`, a `cirq.PauliString` or a Pauli operation as a `PauliSum`.

    Args:
        operator: of numbers.
        qubits: Cirq's qubits in the order of ours; None where they are `cirq.LineQubit(i)` for our qubit i.

    Raises:
        ObservableError: something else, a qubit that is not in `qubits`, or coefficients that have symbols.

    Example:
        >>> import cirq
        >>> from qsim.interop import pauli_from_cirq
        >>> a, b = cirq.LineQubit.range(2)
        >>> pauli_from_cirq(0.5 * cirq.X(a) * cirq.Z(b) + cirq.Y(b))
        0.5*X(0)@Z(1) + 1.0*Y(1)
    """
    cirq = vendor("cirq", "cirq")
    if isinstance(operator, (cirq.PauliString, cirq.GateOperation)):
        try:
            operator = cirq.PauliSum.from_pauli_strings([cirq.PauliString(operator)])
        except TypeError:
            pass
    if not isinstance(operator, cirq.PauliSum):
        raise ObservableError(
            f"pauli_from_cirq: argument `operator` must be a cirq.PauliSum or a cirq.PauliString, but is {operator!r}."
        )
    labels = None if qubits is None else different_labels("pauli_from_cirq", "qubits", qubits, ObservableError)
    numbers = None if labels is None else {qubit: number for number, qubit in enumerate(labels)}
    strings, values = [], []
    for term in operator:
        strings.append({_qubit(cirq, qubit, numbers): str(letter) for qubit, letter in term.items()})
        values.append(term.coefficient)
    try:
        found = np.asarray(values, complex)
    except TypeError:
        raise ObservableError("pauli_from_cirq: the coefficients have symbols. Resolve them first.") from None
    return PauliSum(strings, real_if_real(found))


def pauli_to_cirq(operator: PauliSum, qubits: Iterable[Any] | None = None) -> Any:
    """A `PauliSum` as a `cirq.PauliSum`; Cirq merges equal terms.

    Args:
        operator: of host numbers.
        qubits: Cirq's qubits in the order of ours; None takes `cirq.LineQubit(i)` for qubit i.

    Raises:
        ObservableError: no such sum, traced coefficients, or too few qubits.

    Example:
        >>> from qsim import X, Z
        >>> from qsim.interop import pauli_to_cirq
        >>> print(pauli_to_cirq(0.5 * X(0) @ Z(1)))
        0.500*X(q(0))*Z(q(1))
    """
    cirq = vendor("cirq", "cirq")
    if not isinstance(operator, PauliSum):
        raise ObservableError(f"Argument `operator` must be a PauliSum, but is {type(operator).__name__}.")
    given = cirq.LineQubit.range(operator.num_qubits) if qubits is None else qubits
    places = different_labels("pauli_to_cirq", "qubits", given, ObservableError, operator.num_qubits)
    letters = {"X": cirq.X, "Y": cirq.Y, "Z": cirq.Z}
    coefficients = host(operator.coefficients, "pauli_to_cirq").tolist()
    return cirq.PauliSum.from_pauli_strings(
        [
            cirq.PauliString({places[q]: letters[letter] for q, letter in string}, coefficient=value)
            for string, value in zip(operator.strings, coefficients, strict=True)
        ]
    )


def _qubit(cirq: Any, qubit: Any, numbers: Mapping[Any, int] | None) -> int:
    if numbers is None and isinstance(qubit, cirq.LineQubit) and qubit.x >= 0:
        return qubit.x
    if numbers is None or qubit not in numbers:
        raise ObservableError(f"pauli_from_cirq: {qubit!r} has no number here. Give the order with qubits=.")
    return numbers[qubit]
