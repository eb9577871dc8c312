"""Fermions as qubits: the Jordan-Wigner mapping, and excitations of electrons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from qsim._checks import check_int, check_memory
from qsim._errors import CircuitError, ObservableError
from qsim.ir.pauli import PauliSum
from qsim.ir.pauli_masks import strings_of

Ladder = tuple[int, bool]
"""One ladder operator: (spin orbital, True for its creation operator a^dagger, False for a)."""

Excitation = tuple[tuple[int, ...], tuple[int, ...]]
"""(spin orbitals that lose electrons, those that gain them), each sorted."""

MAX_FACTORS = 16


def jordan_wigner(terms: Mapping[tuple[Ladder, ...], complex]) -> PauliSum:
    """A sum of products of ladder operators as a Pauli sum: a_j = Z_0 .. Z_(j-1) (X_j + i Y_j) / 2.

    Spin orbital j is qubit j, and an occupied one is |1>. Reference: Jordan and Wigner,
    doi:10.1007/BF01331938.

    Args:
        terms: product -> coefficient. A product is a tuple of (orbital, creates), the leftmost
            factor first: ((2, True), (0, False)) is a^dagger_2 a_0, () the identity.

    Returns:
        The sum with equal strings merged, its coefficients real where all of them are.

    Raises:
        ObservableError: a product or coefficient that is not of that form.
        MemoryLimitError: too many terms for the memory there is.

    Example:
        >>> from qsim.library import jordan_wigner
        >>> jordan_wigner({((0, True), (0, False)): 1.0})
        0.5*I() - 0.5*Z(0)
    """
    if not isinstance(terms, Mapping):
        raise ObservableError(f"Argument `terms` must map products to coefficients, but is {type(terms).__name__}.")
    lengths: dict[int, list[tuple[list[Ladder], complex]]] = {}
    for product, coefficient in terms.items():
        ladders = [_ladder(factor, product) for factor in (product if isinstance(product, tuple) else (product,))]
        lengths.setdefault(len(ladders), []).append((ladders, _number(coefficient, product)))
    num_qubits = 1 + max((j for rows in lengths.values() for row, _ in rows for j, _ in row), default=-1)
    count = sum(len(rows) << length for length, rows in lengths.items())
    check_memory(f"The Jordan-Wigner form of {len(terms)} products", 4 * count * num_qubits)
    strings: list[Any] = []
    values = [np.zeros(0, complex)]
    for length, rows in lengths.items():
        x, z, weights = _expand(length, rows, num_qubits)
        strings += strings_of(x, z, range(num_qubits))
        values.append(weights)
    found = PauliSum(strings, np.concatenate(values)).simplify()
    scale = np.abs(found.coefficients).max(initial=0.0)
    if np.abs(found.coefficients.imag).max(initial=0.0) <= 1e-14 * scale:
        found = found.replace(found.coefficients.real).simplify()
    return found


def excitation(source: Sequence[int], target: Sequence[int]) -> PauliSum:
    """The generator G of one excitation: exp(-i theta G) = exp(theta (T - T^dagger)) under Jordan-Wigner.

    T = a^dagger_target[0] a_source[0] for a single, and
    T = a^dagger_target[0] a^dagger_target[1] a_source[1] a_source[0] for a double;
    a_j = Z_0 .. Z_(j-1) (X_j + i Y_j) / 2. The strings of G commute with each other.

    Args:
        source: spin orbitals that lose electrons. target: those that gain them, as many.

    Raises:
        ObservableError: a spin orbital named twice, or different numbers of them.

    Example:
        >>> from qsim.library import excitation
        >>> excitation([0], [1])
        -0.5*Y(0)@X(1) + 0.5*X(0)@Y(1)
    """
    ends = source, target
    if not all(isinstance(end, (Sequence, np.ndarray)) for end in ends) or (
        len(source) != len(target) or len({*source, *target}) < 2 * len(source)
    ):
        raise ObservableError(
            f"Arguments `source` and `target` must be as many different spin orbitals each, but are "
            f"{source} and {target}."
        )
    raising = (*((t, True) for t in target), *((s, False) for s in reversed(source)))
    lowering = tuple((orbital, not creates) for orbital, creates in reversed(raising))
    return jordan_wigner({raising: 1j, lowering: -1j})


def excitations(num_electrons: int, num_spin_orbitals: int) -> tuple[Excitation, ...]:
    """All spin-conserving singles, then all spin-conserving doubles, from the lowest spin orbitals filled.

    Even spin orbitals are alpha, odd ones beta.

    Args:
        num_electrons: how many spin orbitals are filled. num_spin_orbitals: how many there are.

    Raises:
        CircuitError: more electrons than spin orbitals, or negative numbers.

    Example:
        >>> from qsim.library import excitations
        >>> excitations(2, 4)
        (((0,), (2,)), ((1,), (3,)), ((0, 1), (2, 3)))
    """
    electrons, orbitals = check_electrons(num_electrons, num_spin_orbitals)
    occupied, virtual = range(electrons), range(electrons, orbitals)
    return tuple(
        (source, target)
        for order in (1, 2)
        for source in combinations(occupied, order)
        for target in combinations(virtual, order)
        if _conserves_spin(source, target)
    )


def generalized_excitations(num_spin_orbitals: int) -> tuple[Excitation, ...]:
    """All spin-conserving singles, then doubles, between any spin orbitals, each with its reverse counted once.

    Args:
        num_spin_orbitals: how many spin orbitals; even ones are alpha, odd ones beta.

    Raises:
        CircuitError: a negative number.

    Reference: Nooijen, doi:10.1103/PhysRevLett.84.2108; Lee et al., arXiv:1810.02327.

    Example:
        >>> from qsim.library import generalized_excitations
        >>> generalized_excitations(4)
        (((0,), (2,)), ((1,), (3,)), ((0, 1), (2, 3)), ((0, 3), (1, 2)))
    """
    orbitals = range(check_int("num_spin_orbitals", num_spin_orbitals, CircuitError))
    return tuple(
        (source, target)
        for order in (1, 2)
        for source, target in combinations(combinations(orbitals, order), 2)
        if not {*source} & {*target} and _conserves_spin(source, target)
    )


def check_electrons(num_electrons: Any, num_spin_orbitals: Any) -> tuple[int, int]:
    """Both as ints, the electrons at most the spin orbitals, else one error."""
    orbitals = check_int("num_spin_orbitals", num_spin_orbitals, CircuitError)
    electrons = check_int("num_electrons", num_electrons, CircuitError)
    if electrons > orbitals:
        raise CircuitError(
            f"Argument `num_electrons` must be from 0 to the {orbitals} spin orbitals, but is {electrons}."
        )
    return electrons, orbitals


def _conserves_spin(source: Sequence[int], target: Sequence[int]) -> bool:
    return sum(s % 2 for s in source) == sum(t % 2 for t in target)


def _ladder(factor: Any, product: Any) -> Ladder:
    if not isinstance(factor, tuple) or len(factor) != 2 or factor[1] not in (True, False):
        raise ObservableError(
            f"A product of ladder operators must be a tuple of (orbital, True or False), but is {product!r}."
        )
    return check_int("terms", factor[0], ObservableError), bool(factor[1])


def _number(coefficient: Any, product: Any) -> complex:
    try:
        value = complex(coefficient)
    except (TypeError, ValueError):
        raise ObservableError(f"The coefficient of {product!r} must be a number, but is {coefficient!r}.") from None
    if not np.isfinite(value):
        raise ObservableError(f"The coefficient of {product!r} must be finite, but is {value}.")
    return value


def _expand(
    length: int, rows: Sequence[tuple[list[Ladder], complex]], num_qubits: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Products of `length` factors as Pauli strings: bits x and z (R 2^length, n) and coefficients.

    With bits, a_j = (X^e Z^c - X^e Z^(c + e)) / 2 where e is bit j and c all below it, and
    a^dagger_j has a plus. X^x Z^z is (-i)^|x & z| times the Pauli string.
    """
    if length > MAX_FACTORS:
        raise ObservableError(f"A product must have at most {MAX_FACTORS} ladder operators, but one has {length}.")
    orbitals = np.array([[j for j, _ in row] for row, _ in rows], np.int64).reshape(len(rows), length)
    creates = np.array([[c for _, c in row] for row, _ in rows], bool).reshape(len(rows), length)
    choices = np.arange(1 << length)
    shape = (len(rows), 1 << length)
    x, z = (np.zeros((*shape, num_qubits), np.uint8) for _ in range(2))
    weights = np.broadcast_to(np.array([c for _, c in rows], complex)[:, None] / (1 << length), shape).copy()
    here = np.arange(num_qubits)
    for k in range(length):
        with_z = (choices >> (length - 1 - k) & 1).astype(np.uint8)
        place = orbitals[:, k]
        passed = np.take_along_axis(z, np.broadcast_to(place[:, None, None], (*shape, 1)), axis=2)[..., 0]
        odd = passed + with_z * ~creates[:, k, None]
        weights *= 1 - 2.0 * (odd & 1)
        x ^= (here == place[:, None]).astype(np.uint8)[:, None, :]
        z ^= (here < place[:, None]).astype(np.uint8)[:, None, :]
        z ^= (here == place[:, None]).astype(np.uint8)[:, None, :] * with_z[:, None]
    weights *= (-1j) ** (x & z).sum(axis=2, dtype=int)
    count = weights.size
    return x.reshape(count, num_qubits), z.reshape(count, num_qubits), weights.reshape(count)
