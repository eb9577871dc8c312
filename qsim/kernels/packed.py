"""The state as real numbers: rows of K amplitudes with real and imaginary parts interleaved last.

A state of n qubits is a real array (N/K, 2K), N = 2^n, K = 2^k. The k least
significant bits of the amplitude index run along a row, so that a gate on them is a
product with one real (2K, 2K) matrix. Real products get the fast libraries, and rows
of 32 floats are what XLA vectorises copies of.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from qsim.kernels.bits import bit_table
from qsim.kernels.take import take_places

Array = Any
ORDERED = 1 << 17
"""Floats of a state from which on the order of steps matters for the memory."""


def pack(psi: Array, k: int) -> Array:
    """Complex amplitudes (2^n,) -> rows (2^(n-k), 2^(k+1))."""
    return jnp.stack([psi.real, psi.imag], axis=-1).reshape(-1, 2 << k)


def unpack(x: Array) -> Array:
    """Rows -> complex amplitudes (2^n,)."""
    pairs = x.reshape(-1, 2)
    return lax.complex(pairs[:, 0], pairs[:, 1])


def realify(matrix: Array) -> Array:
    """Complex (..., K, K) -> real (..., 2K, 2K) acting on interleaved real and imaginary parts."""
    re, im = matrix.real, matrix.imag
    rows = jnp.stack([jnp.stack([re, -im], axis=-1), jnp.stack([im, re], axis=-1)], axis=-3)
    size = 2 * matrix.shape[-1]
    return rows.reshape(*matrix.shape[:-2], size, size)


def product(x: Array, matrix: Array) -> Array:
    """Rows times a real matrix, in full precision."""
    return jnp.matmul(x, matrix, precision=lax.Precision.HIGHEST)


def tied(array: Array, x: Array) -> Array:
    """The array, not to be had before `x` is: the order of steps, where an order saves a state of memory.

    Small states are not worth the kernel.
    """
    return array if max(array.size, x.size) < ORDERED else after(array, x)


def after(array: Array, x: Array) -> Array:
    """The array, not to be had before `x` is.

    XLA drops optimization barriers before it orders the steps of a program; it keeps a comparison that never holds,
    which leaves the array as it is where `x` is NaN, too: of a batch, another run may be.
    """
    first = lax.slice(x, (0,) * x.ndim, (1,) * x.ndim).reshape(())
    return array + (first > np.inf).astype(array.dtype)


def index_parts(src: Array, low: int, count: int) -> Array:
    """Index parts (..., 2^count), uint32, of new bits low .. low+count-1, which come from old bits `src` (..., n)."""
    bits = bit_table(np, count, np.uint32)[:, ::-1].T
    src = lax.convert_element_type(lax.slice_in_dim(src, low, low + count, axis=-1), jnp.uint32)
    shape = (*src.shape, 1 << count)
    parts = lax.shift_left(jnp.broadcast_to(bits, shape), jnp.broadcast_to(src[..., None], shape))
    return parts.sum(axis=-2, dtype=jnp.uint32)


def gather_tables(src: Array, k: int) -> tuple[Array, Array, Array]:
    """Three small index tables of a bit permutation: high rows, low rows, columns.

    Args:
        src: (..., n) ints; new bit i holds what was bit src[i] (bit 0 least significant).
        k: bits in a row.
    """
    rest = src.shape[-1] - k
    low = rest // 2
    return index_parts(src, k + low, rest - low), index_parts(src, k, low), index_parts(src, 0, k)


def gather(x: Array, tables: tuple[Array, Array, Array]) -> Array:
    """Permute the bits of the amplitude index; the result has rows of as many columns as `x`."""
    high, low, columns = tables
    base = lax.optimization_barrier(jnp.bitwise_or(high[:, None], low[None, :]).reshape(-1))
    index = base[:, None] | columns[None, :]
    return take_places(x.reshape(-1, 2), index[..., None], unique=True).reshape(x.shape)


def columns(x: Array) -> Array:
    """The columns (C, R) of rows (R, C): with a copy, products are faster on XLA:CPU than without."""
    return lax.optimization_barrier(x.T)
