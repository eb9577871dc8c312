"""The matrices of many constant operations at once, and products along runs of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from qsim._errors import TargetError
from qsim.ir.operation import Barrier, Conditional, Gate, Measure, Reset, is_constant
from qsim.ir.ops.delay import Delay

__all__ = [
    "SWAPPED",
    "embedded",
    "has_constant_matrix",
    "matrices",
    "pair_products",
    "products",
    "reordered",
    "unitary_of",
]

SWAPPED = (0, 2, 1, 3)
"""The basis states of two qubits, the other qubit first."""

_NEVER = (Barrier, Measure, Reset, Conditional, Delay)
_fixed: dict[str, np.ndarray] = {}


def has_constant_matrix(operation: Any) -> bool:
    """True for an operation of host numbers alone that offers `matrix(xp)`: passes may read it."""
    if type(operation) is Gate:
        for p in operation.params:
            if type(p) is not float and not is_constant(p):
                return False
        return True
    return (
        not isinstance(operation, _NEVER)
        and not operation.num_clbits
        and all(map(is_constant, operation.params))
        and all(isinstance(a, np.ndarray) for a in getattr(operation, "arrays", ()))
        and hasattr(operation, "matrix")
    )


def matrices(operations: Sequence[Any], num_qubits: int) -> np.ndarray:
    """The matrices of constant operations on `num_qubits` qubits each, complex128 (N, 2^k, 2^k).

    Gates of one kind are evaluated together.
    """
    size = 1 << num_qubits
    out = np.empty((len(operations), size, size), complex)
    kinds: dict[str, list[int]] = {}
    for i, operation in enumerate(operations):
        if type(operation) is Gate:
            kinds.setdefault(operation.row.name, []).append(i)
        else:
            out[i] = unitary_of(operation)
    for name, places in kinds.items():
        row = operations[places[0]].row
        if not row.params:
            if name not in _fixed:
                _fixed[name] = np.asarray(row.matrix(np), complex)
            out[places] = _fixed[name]
        else:
            angles = np.array([operations[i].params for i in places], float)
            out[places] = row.matrix(np, *angles.T)
    return out


def unitary_of(operation: Any) -> np.ndarray:
    """The matrix of an operation that is not in the table of gates."""
    matrix = np.asarray(operation.matrix(np), complex)
    if not np.allclose(matrix @ matrix.conj().T, np.eye(len(matrix)), atol=1e-5):
        raise TargetError(
            f"{operation.name} has a matrix that is not unitary, so it cannot be written in gates. What would be "
            "needed: a unitary matrix(xp)."
        )
    return matrix


def embedded(ones: np.ndarray, second: np.ndarray) -> np.ndarray:
    """One-qubit matrices (N, 2, 2) on two qubits, (N, 4, 4): on the second one where `second` (N,) says so."""
    out = np.zeros((len(ones), 2, 2, 2, 2), complex)
    first = ~second
    for i in range(2):
        out[first, :, i, :, i] = ones[first]
        out[second, i, :, i, :] = ones[second]
    return out.reshape(-1, 4, 4)


def reordered(twos: np.ndarray) -> np.ndarray:
    """Two-qubit matrices (..., 4, 4) with the qubits named in the other order."""
    return twos[..., SWAPPED, :][..., :, SWAPPED]


def pair_products(runs: Sequence[Sequence[tuple[Any, tuple[int, ...]]]], lows: Sequence[int]) -> np.ndarray:
    """The products (N, 4, 4) of runs of constant (operation, qubits) on one pair each.

    The less significant qubit of each pair is `lows[i]`. No run is empty.
    """
    ones, twos, one_places, two_places, second, turned = [], [], [], [], [], []
    total = 0
    for run, low in zip(runs, lows, strict=True):
        for operation, qubits in run:
            if len(qubits) == 1:
                ones.append(operation)
                one_places.append(total)
                second.append(qubits[0] == low)
            else:
                twos.append(operation)
                two_places.append(total)
                turned.append(qubits[0] == low)
            total += 1
    factors = np.empty((total, 4, 4), complex)
    if ones:
        factors[one_places] = embedded(matrices(ones, 1), np.array(second))
    if twos:
        found, flags = matrices(twos, 2), np.array(turned)
        found[flags] = reordered(found[flags])
        factors[two_places] = found
    return products(factors, [len(run) for run in runs])


def products(
    factors: np.ndarray,
    lengths: Sequence[int] | np.ndarray,
    multiply: Callable[[np.ndarray, np.ndarray], np.ndarray] = np.matmul,
) -> np.ndarray:
    """The product of each run of factors, the first one acting first.

    Args:
        factors: (N, ...), run after run.
        lengths: how many factors each run has, at least 1; they add up to N.
        multiply: the product of each of some factors (M, ...), from the left, and of as many others.

    Returns:
        (len(lengths), ...), in about log2(longest run) batched multiplications.
    """
    counts = np.asarray(lengths)
    while len(factors) > len(counts):
        place = np.arange(len(factors)) - np.repeat(np.cumsum(counts) - counts, counts)
        even = place % 2 == 0
        paired = np.flatnonzero(even & (place + 1 < np.repeat(counts, counts)))
        new = factors[even]
        new[np.cumsum(even)[paired] - 1] = multiply(factors[paired + 1], factors[paired])
        factors, counts = new, (counts + 1) // 2
    return factors
