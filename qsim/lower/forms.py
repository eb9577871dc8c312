"""Operations as phases: exp(i angle E) in a basis of Pauli eigenstates, E a sum of Z strings."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from qsim.ir.controlled import split_controls
from qsim.ir.interface import is_of_user
from qsim.ir.table import Gate, rows
from qsim.kernels.bits import parity_signs

MAX_QUBITS = 3

_H = np.array([[1, 1], [1, -1]]) / np.sqrt(2)
_S = np.diag([1, 1j])
BASES = {"Z": np.eye(2), "X": _H, "Y": _S @ _H}
"""Columns are eigenstates: P = C Z C^dagger."""


@dataclass(frozen=True, slots=True)
class Form:
    """An operation C exp(i angle sum_t c_t Z^t) C^dagger.

    Attributes:
        bases: the Pauli letter whose eigenbasis C is, for each qubit.
        terms: (subset of the qubits, c_t); the empty subset is a global phase.
    """

    bases: tuple[str, ...]
    terms: tuple[tuple[tuple[int, ...], float], ...]


def is_ours(operation: Any) -> bool:
    """Whether an operation is this package's under its controls: no other is asked at numbers it was not given.

    One of a user may have no matrix there, or be of another form than elsewhere.
    """
    base = split_controls(operation)[0]
    if isinstance(base, Gate):
        return base.row in rows()
    return not is_of_user(base)


def phase_form(operation: Any) -> Form | None:
    """The form of an operation of one angle, seen at angles without meaning; None where it has none, or is a user's."""
    m = operation.num_qubits
    if len(operation.params) != 1 or getattr(operation, "arrays", ()) or m > MAX_QUBITS:
        return None
    if not hasattr(operation, "matrix") or not is_ours(operation):
        return None
    tries = [np.asarray(operation.replace((angle,)).matrix(np)) for angle in (0.0, 0.6, 1.7)]
    if not np.allclose(tries[0], np.eye(1 << m), atol=1e-12):
        return None
    for bases in product("ZXY", repeat=m):
        basis = np.eye(1)
        for letter in bases:
            basis = np.kron(basis, BASES[letter])
        turned = [basis.conj().T @ matrix @ basis for matrix in tries[1:]]
        energies = np.angle(np.diagonal(turned[0])) / 0.6
        if all(
            np.allclose(found, np.diag(np.exp(1j * angle * energies)), atol=1e-12)
            for found, angle in zip(turned, (0.6, 1.7), strict=True)
        ):
            return Form(bases, _terms(energies, m))
    return None


def _terms(energies: np.ndarray, m: int) -> tuple[tuple[tuple[int, ...], float], ...]:
    """The coefficients of the Z strings whose sum has these eigenvalues (2^m,): a Walsh transform."""
    found = []
    for mask, signs in enumerate(parity_signs(np, np.arange(1 << m), m, float)):
        coefficient = float(np.mean(energies * signs))
        if abs(coefficient) > 1e-12:
            found.append((tuple(q for q in range(m) if mask >> (m - 1 - q) & 1), coefficient))
    return tuple(found)
