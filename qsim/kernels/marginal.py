"""Marginals and reduced matrices of states over some of their qubits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def squared(xp: Any, psi: Any) -> Any:
    """|psi|^2, real, of the same shape."""
    return xp.real(psi) ** 2 + xp.imag(psi) ** 2


def runs(num_qubits: int, qubits: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Neighbouring qubits merged where all or none are in `qubits`: (sizes, axes that are in it)."""
    chosen = set(qubits)
    sizes: list[int] = []
    axes: list[int] = []
    for q in range(num_qubits):
        if q > 0 and (q in chosen) == (q - 1 in chosen):
            sizes[-1] *= 2
        else:
            if q in chosen:
                axes.append(len(sizes))
            sizes.append(2)
    return tuple(sizes), tuple(axes)


def reorder(xp: Any, array: Any, qubits: Sequence[int]) -> Any:
    """Rows (2^k, ...) over sorted `qubits`, brought into the order in which `qubits` are given."""
    k = len(qubits)
    order = sorted(qubits)
    axes = tuple(order.index(q) for q in qubits)
    if axes == tuple(range(k)):
        return array
    rest = array.shape[1:]
    shaped = xp.reshape(array, (2,) * k + rest)
    moved = xp.permute_dims(shaped, axes + tuple(range(k, k + len(rest))))
    return xp.reshape(moved, (1 << k, *rest))


def marginal(xp: Any, weights: Any, num_qubits: int, qubits: Sequence[int]) -> Any:
    """Sum weights (2^n,) over all but `qubits`: (2^k,), the qubits in the order given."""
    sizes, axes = runs(num_qubits, qubits)
    others = tuple(a for a in range(len(sizes)) if a not in axes)
    kept = xp.sum(xp.reshape(weights, sizes), axis=others) if others else weights
    return reorder(xp, xp.reshape(kept, (-1,)), qubits)


def rows(xp: Any, psi: Any, num_qubits: int, qubits: Sequence[int]) -> Any:
    """psi (2^n,) as a matrix (2^k, 2^(n-k)) with `qubits`, in the order given, as its rows."""
    sizes, axes = runs(num_qubits, qubits)
    others = tuple(a for a in range(len(sizes)) if a not in axes)
    moved = xp.permute_dims(xp.reshape(psi, sizes), axes + others)
    return reorder(xp, xp.reshape(moved, (1 << len(qubits), -1)), qubits)


def unrows(xp: Any, matrix: Any, num_qubits: int, qubits: Sequence[int]) -> Any:
    """The inverse of `rows`: (2^k, 2^(n-k)) -> (2^n,)."""
    k = len(qubits)
    others = [q for q in range(num_qubits) if q not in set(qubits)]
    order = [*qubits, *others]
    if order == list(range(num_qubits)):
        return xp.reshape(matrix, (-1,))
    ranks = tuple(sorted(qubits).index(q) for q in sorted(qubits))
    back = tuple(list(qubits).index(q) for q in sorted(qubits))
    if back != ranks:
        shaped = xp.reshape(matrix, (2,) * k + (-1,))
        matrix = xp.permute_dims(shaped, (*back, k))
    sizes, axes = runs(num_qubits, qubits)
    rest = tuple(a for a in range(len(sizes)) if a not in axes)
    places = axes + rest
    shaped = xp.reshape(matrix, tuple(sizes[a] for a in places))
    return xp.reshape(xp.permute_dims(shaped, tuple(places.index(a) for a in range(len(sizes)))), (-1,))


def density(xp: Any, matrix: Any) -> Any:
    """M M^dagger, (2^k, 2^k), of the matrix that `rows` gives."""
    return xp.matmul(matrix, xp.conj(xp.matrix_transpose(matrix)))
