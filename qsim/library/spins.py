"""Spin models on chains and other graphs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from qsim._checks import check_int
from qsim._errors import ObservableError
from qsim.ir.parameter import is_number
from qsim.ir.pauli import PauliSum
from qsim.library.lattice import Edge, chain_edges, check_coupling, check_edges


def transverse_field_ising(
    num_qubits: int,
    j: Any = 1.0,
    h: Any = 1.0,
    periodic: bool = False,
    *,
    longitudinal: Any = 0.0,
    edges: Iterable[Edge] | None = None,
) -> PauliSum:
    """The Ising model in a transverse field, H = -j sum_(a,b) Z_a Z_b - h sum_i X_i - longitudinal sum_i Z_i.

    Args:
        num_qubits: the number of spins, 1 or more.
        j: the coupling, a number or a JAX scalar. h: the field along x, likewise.
        periodic: True where the chain's last spin couples to the first (from 3 spins on).
        longitudinal: the field along z; the number 0 leaves its terms out.
        edges: the pairs that couple; None is the chain.

    Raises:
        ObservableError: no spins, or edges that are no pairs of them.

    Example:
        >>> from qsim.library import transverse_field_ising
        >>> transverse_field_ising(2, j=1.0, h=0.5)
        -1.0*Z(0)@Z(1) - 0.5*X(0) - 0.5*X(1)
    """
    bonds = _bonds(num_qubits, periodic, edges)
    j, h, longitudinal = map(check_coupling, ("j", "h", "longitudinal"), (j, h, longitudinal))
    model = j * _pairs("Z", bonds, -1.0) + h * _singles("X", num_qubits, -1.0)
    return model if _is_zero(longitudinal) else model + longitudinal * _singles("Z", num_qubits, -1.0)


def heisenberg(
    num_qubits: int,
    j: Any = 1.0,
    h: Any = 0.0,
    periodic: bool = False,
    *,
    edges: Iterable[Edge] | None = None,
) -> PauliSum:
    """The Heisenberg model, H = sum_(a,b) (jx X_a X_b + jy Y_a Y_b + jz Z_a Z_b) + h sum_i Z_i.

    In Pauli matrices, not spins of 1/2: with those, divide j by 4 and h by 2. A positive j is
    antiferromagnetic.

    Args:
        num_qubits: the number of spins, 1 or more.
        j: the coupling, a number or a JAX scalar, or three of them (jx, jy, jz).
        h: the field along z; the number 0 leaves its terms out.
        periodic: True where the chain's last spin couples to the first (from 3 spins on).
        edges: the pairs that couple; None is the chain.

    Raises:
        ObservableError: no spins, edges that are no pairs of them, or a `j` of another length than 3.

    Example:
        >>> from qsim.library import heisenberg
        >>> heisenberg(2, j=0.5)
        0.5*X(0)@X(1) + 0.5*Y(0)@Y(1) + 0.5*Z(0)@Z(1)
    """
    bonds = _bonds(num_qubits, periodic, edges)
    couplings = (j, j, j) if not getattr(j, "shape", ()) and not isinstance(j, (tuple, list)) else tuple(j)
    if len(couplings) != 3:
        raise ObservableError(
            f"Argument `j` must be one coupling or three, (jx, jy, jz), but there are {len(couplings)}."
        )
    model = PauliSum([], [])
    for coupling, letter in zip(couplings, "XYZ", strict=True):
        model = model + check_coupling("j", coupling) * _pairs(letter, bonds, 1.0)
    return model if _is_zero(check_coupling("h", h)) else model + h * _singles("Z", num_qubits, 1.0)


def xxz(
    num_qubits: int,
    j: Any = 1.0,
    delta: Any = 1.0,
    h: Any = 0.0,
    periodic: bool = False,
    *,
    edges: Iterable[Edge] | None = None,
) -> PauliSum:
    """The XXZ model, H = j sum_(a,b) (X_a X_b + Y_a Y_b + delta Z_a Z_b) + h sum_i Z_i.

    Args:
        num_qubits: the number of spins, 1 or more.
        j: the coupling, a number or a JAX scalar. delta: the anisotropy, likewise.
        h: the field along z; the number 0 leaves its terms out.
        periodic: True where the chain's last spin couples to the first (from 3 spins on).
        edges: the pairs that couple; None is the chain.

    Raises:
        ObservableError: no spins, or edges that are no pairs of them.

    Example:
        >>> from qsim.library import xxz
        >>> xxz(2, delta=0.5)
        1.0*X(0)@X(1) + 1.0*Y(0)@Y(1) + 0.5*Z(0)@Z(1)
    """
    j, delta = check_coupling("j", j), check_coupling("delta", delta)
    return heisenberg(num_qubits, (j, j, j * delta), h, periodic, edges=edges)


def _bonds(num_qubits: int, periodic: bool, edges: Iterable[Edge] | None) -> tuple[Edge, ...]:
    check_int("num_qubits", num_qubits, ObservableError, minimum=1)
    if edges is None:
        return chain_edges(num_qubits, periodic)
    if periodic:
        raise ObservableError("Argument `periodic` closes the chain, but `edges` says already what couples. Give one.")
    return check_edges(edges, num_qubits, ObservableError)


def _pairs(letter: str, bonds: Iterable[Edge], coefficient: float) -> PauliSum:
    strings = [((min(bond), letter), (max(bond), letter)) for bond in bonds]
    return PauliSum(strings, np.full(len(strings), coefficient))


def _singles(letter: str, num_qubits: int, coefficient: float) -> PauliSum:
    return PauliSum([((i, letter),) for i in range(num_qubits)], np.full(num_qubits, coefficient))


def _is_zero(value: Any) -> bool:
    return is_number(value) and value == 0
