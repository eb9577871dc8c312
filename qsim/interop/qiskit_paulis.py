"""Qiskit's Pauli operators as ours, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from qsim._errors import ObservableError
from qsim.interop.base import vendor
from qsim.ir.pauli import PauliSum
from qsim.ir.pauli_terms import host, real_if_real

LETTERS = np.array(["I", "X", "Z", "Y"])


def pauli_from_qiskit(operator: Any) -> PauliSum:
    """A Pauli operator of Qiskit's as a `PauliSum`: qubit i is qubit i, though labels read the other way round.

    Args:
        operator: a `SparsePauliOp`, a `Pauli`, or a `SparseObservable` without projectors.

    Raises:
        ObservableError: something else, or coefficients that have parameters.

    Example:
        >>> from qiskit.quantum_info import SparsePauliOp
        >>> from qsim.interop import pauli_from_qiskit
        >>> pauli_from_qiskit(SparsePauliOp(["IX", "ZZ"], [0.5, 1.0]))
        0.5*X(0) + 1.0*Z(0)@Z(1)
    """
    info = vendor("qiskit.quantum_info", "qiskit")
    if isinstance(operator, getattr(info, "SparseObservable", ())):
        terms = operator.to_sparse_list()
        if any(set(letters) - set("XYZ") for letters, _, _ in terms):
            raise ObservableError(
                "pauli_from_qiskit: the observable has projectors, which are no Pauli letters. Try "
                "SparsePauliOp.from_sparse_observable(observable)."
            )
        strings = [dict(zip(qubits, letters, strict=True)) for letters, qubits, _ in terms]
        return PauliSum(strings, real_if_real(np.array([c for _, _, c in terms], complex)))
    if isinstance(operator, info.Pauli):
        operator = info.SparsePauliOp(operator)
    if not isinstance(operator, info.SparsePauliOp):
        raise ObservableError(
            f"pauli_from_qiskit: argument `operator` must be a SparsePauliOp or a Pauli, but is "
            f"{type(operator).__name__}. Try SparsePauliOp.from_operator(operator)."
        )
    try:
        coefficients = np.asarray(operator.coeffs, complex)
    except TypeError:
        raise ObservableError(
            "pauli_from_qiskit: the coefficients have parameters. Try operator.assign_parameters(...) first."
        ) from None
    letters = LETTERS[operator.paulis.x + 2 * operator.paulis.z]
    strings = [tuple((int(q), str(row[q])) for q in np.flatnonzero(row != "I")) for row in letters]
    return PauliSum(strings, real_if_real(coefficients))


def pauli_to_qiskit(operator: PauliSum, num_qubits: int | None = None) -> Any:
    """A `PauliSum` as Qiskit's `SparsePauliOp`: qubit i is qubit i.

    Args:
        operator: the sum, of host numbers.
        num_qubits: how many qubits it is on; default one more than the highest that it acts on, 1 at least.

    Raises:
        ObservableError: traced coefficients, or too few qubits.

    Example:
        >>> from qsim import X, Z
        >>> from qsim.interop import pauli_to_qiskit
        >>> pauli_to_qiskit(0.5 * X(0) + Z(0) @ Z(1)).to_list()
        [('IX', (0.5+0j)), ('ZZ', (1+0j))]
    """
    info = vendor("qiskit.quantum_info", "qiskit")
    if not isinstance(operator, PauliSum):
        raise ObservableError(f"Argument `operator` must be a PauliSum, but is {type(operator).__name__}.")
    size = max(operator.num_qubits, 1) if num_qubits is None else num_qubits
    x, z = operator.masks(size)
    paulis = info.PauliList.from_symplectic(z.astype(bool), x.astype(bool))
    return info.SparsePauliOp(paulis, host(operator.coefficients, "pauli_to_qiskit").astype(complex))
