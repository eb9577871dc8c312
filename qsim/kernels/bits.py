"""Bits of indices as tables: small arrays from which sign patterns of any size are made by products."""

from __future__ import annotations

from typing import Any


def bit_table(xp: Any, num_bits: int, dtype: Any) -> Any:
    """The bits of 0 .. 2^k - 1, most significant first: (2^k, k) of `dtype`."""
    index = xp.arange(1 << num_bits)[:, None]
    places = xp.arange(num_bits - 1, -1, -1)[None, :]
    return xp.astype(xp.bitwise_and(xp.bitwise_right_shift(index, places), xp.asarray(1)), dtype)


def parity_signs(xp: Any, masks: Any, num_bits: int, dtype: Any) -> Any:
    """(-1)^(number of bits of mask & j) for every index j of k bits: ints (m,) -> (m, 2^k) of `dtype`; k at most 31."""
    common = xp.astype(masks, xp.uint32)[:, None] & xp.arange(1 << num_bits, dtype=xp.uint32)
    return 1 - 2 * xp.astype(xp.bitwise_count(common) & 1, dtype)


def sign_of(xp: Any, count: Any) -> Any:
    """(-1)^count of counts >= 0: 1 where they are even."""
    if xp.isdtype(count.dtype, "integral"):
        return 1 - 2 * xp.bitwise_and(count, xp.asarray(1, dtype=count.dtype))
    half = 0.5 * count
    return 1 - 4 * (half - xp.floor(half))


def pack(xp: Any, bits: Any) -> Any:
    """Rows of bits (..., k), first most significant, as uint32 (...,); k at most 32."""
    total = xp.zeros(bits.shape[:-1], dtype=xp.uint32)
    for column in range(bits.shape[-1]):
        total = 2 * total + xp.astype(bits[..., column], xp.uint32)
    return total
