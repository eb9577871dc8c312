"""Sums of Pauli strings on a state, with the masks of the strings as data.

A Pauli string with masks x, z acts as P|k> = i^|x&z| (-1)^(z.k) |k ^ x>, so strings with the
same x share one permutation of the amplitudes and differ by a diagonal of signs. A sum of
m such diagonals is one product of two small sign tables, over the high and the low bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from qsim.kernels.bits import parity_signs

LOW_BITS = 4  # innermost dimension of 16 amplitudes: what vectorised gathers like


def halves(num_qubits: int) -> tuple[int, int]:
    """How many bits of an index, or of a mask, are high and how many low."""
    return num_qubits // 2, num_qubits - num_qubits // 2


def sign_tables(xp: Any, z: Any, num_qubits: int, dtype: Any) -> tuple[Any, Any]:
    """(-1)^(z.j) split over the high and the low bits of j: (m, 2^(n//2)), (m, 2^(n - n//2)).

    Args:
        z: the masks as integers, of the high and of the low bits (m, 2). The signs of a host's array stay on the host.
    """
    xp = np if isinstance(z, np.ndarray) else xp
    high, low = (parity_signs(xp, z[..., i], count, dtype) for i, count in enumerate(halves(num_qubits)))
    return high, low


def diagonal(xp: Any, z: Any, coefficients: Any, num_qubits: int) -> Any:
    """D(j) = sum_t c_t (-1)^(z_t.j): z (m, 2), real coefficients (m,) -> (2^n,). Of a host's z see `sign_tables`."""
    high, low = sign_tables(xp, z, num_qubits, coefficients.dtype)
    return xp.reshape(xp.matmul(xp.matrix_transpose(high * coefficients[:, None]), low), (-1,))


def sign_sums(xp: Any, z: Any, weights: Any, num_qubits: int) -> Any:
    """e_t = sum_j w(j) (-1)^(z_t.j), the transpose of `diagonal`: z (m, 2), weights (2^n,) -> (m,)."""
    high, low = sign_tables(xp, z, num_qubits, weights.dtype)
    table = xp.reshape(weights, (high.shape[-1], low.shape[-1]))
    return xp.sum(xp.matmul(high, table) * low, axis=-1)


def flip_parts(xp: Any, x: Any, num_qubits: int) -> tuple[Any, Any]:
    """The index j ^ x as two tables to be joined by `|`: high part (2^(n-l), 1) and low part (1, 2^l).

    Args:
        x: the mask as an integer scalar.
    """
    low = min(LOW_BITS, num_qubits)
    size = xp.asarray(1 << low, dtype=x.dtype)
    in_row = size - xp.asarray(1, dtype=x.dtype)
    high_part = xp.arange(1 << (num_qubits - low), dtype=x.dtype) * size ^ (x & ~in_row)
    low_part = xp.arange(1 << low, dtype=x.dtype) ^ (x & in_row)
    return high_part[:, None], low_part[None, :]
