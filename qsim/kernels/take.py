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


def optional_rows(table: Array, places: tuple[Array, Array], otherwise: float) -> Array:
    """`table[index]` where `meant`, `otherwise` elsewhere, for `places` (index, meant), (m,) each."""
    index, meant = places
    rows = take_rows(table, index)
    return jnp.where(lax.expand_dims(jnp.asarray(meant), tuple(range(1, rows.ndim))), rows, otherwise)
