"""Rows of a table by data: gathers without checks of bounds, which XLA would make kernels of."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

Array = Any


def take_rows(table: Array, index: Array) -> Array:
    """`table[index]` for a table (R, ...) and ints (...), all of them within 0 .. R - 1."""
    table, index = jnp.asarray(table), lax.convert_element_type(index, jnp.int32)
    rest = table.shape[1:]
    if not index.size:
        return jnp.zeros((*index.shape, *rest), table.dtype)
    numbers = lax.GatherDimensionNumbers(
        offset_dims=tuple(range(index.ndim, index.ndim + len(rest))), collapsed_slice_dims=(0,), start_index_map=(0,)
    )
    places = lax.expand_dims(index, (index.ndim,))
    return lax.gather(table, places, numbers, (1, *rest), mode=lax.GatherScatterMode.PROMISE_IN_BOUNDS)


def optional_rows(table: Array, places: tuple[Array, Array]) -> Array:
    """`table[index]` where `meant`, 1 elsewhere, for `places` (index, meant)."""
    index, meant = places
    return jnp.where(meant, take_rows(table, index), 1)
