"""Spin models."""

from __future__ import annotations

from typing import Any

from qsim._errors import ObservableError
from qsim.ir.pauli import PauliSum


def transverse_field_ising(num_qubits: int, j: Any = 1.0, h: Any = 1.0, periodic: bool = False) -> PauliSum:
    """The Ising chain in a transverse field, H = -j sum_i Z_i Z_(i+1) - h sum_i X_i.

    Args:
        num_qubits: the length of the chain, 1 or more.
        j: the coupling, a number or a JAX scalar. h: the field, likewise.
        periodic: True where the last spin couples to the first (from 3 spins on).

    Raises:
        ObservableError: a chain without spins.

    Example:
        >>> from qsim.library import transverse_field_ising
        >>> transverse_field_ising(2, j=1.0, h=0.5)
        -1.0*Z(0)@Z(1) - 0.5*X(0) - 0.5*X(1)
    """
    if num_qubits < 1:
        raise ObservableError(f"Argument `num_qubits` must be 1 or more, but is {num_qubits}.")
    bonds = [((i, "Z"), (i + 1, "Z")) for i in range(num_qubits - 1)]
    if periodic and num_qubits > 2:
        bonds.append(((0, "Z"), (num_qubits - 1, "Z")))
    coupling = PauliSum(bonds, [-1.0] * len(bonds))
    field = PauliSum([((i, "X"),) for i in range(num_qubits)], [-1.0] * num_qubits)
    return j * coupling + h * field
