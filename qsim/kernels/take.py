"""Rows of a table by data: gathers without checks of bounds, which XLA would make kernels of."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

Array = Any


def take_rows(table: Array, index: Array) -> Array:
    """`table[index]` for a table (R, ...) and ints (...), all of them within 0 .. R - 1."""
    return take_places(table, places_of(index))


def places_of(index: Array) -> Array:
    """Ints (...) as gathers take them, (..., 1) int32: in front of a loop, where they are what it goes over."""
    index = lax.convert_element_type(index, jnp.int32)
    return lax.expand_dims(index, (index.ndim,))


def take_places(table: Array, places: Array, *, unique: bool = False) -> Array:
    """`take_rows` for places (..., 1), uint32 where R is beyond 2^31; `unique` where no place comes twice."""
    table, count = jnp.asarray(table), places.ndim - 1
    rest = table.shape[1:]
    if not places.size:
        return jnp.zeros((*places.shape[:-1], *rest), table.dtype)
    numbers = lax.GatherDimensionNumbers(
        offset_dims=tuple(range(count, count + len(rest))), collapsed_slice_dims=(0,), start_index_map=(0,)
    )
    mode = lax.GatherScatterMode.PROMISE_IN_BOUNDS
    return lax.gather(table, places, numbers, (1, *rest), mode=mode, unique_indices=unique)


def optional_rows(table: Array, places: tuple[Array, Array], otherwise: float) -> Array:
    """`table[index]` where `meant`, `otherwise` elsewhere, for `places` (index, meant), (m,) each."""
    index, meant = places
    rows = take_rows(table, index)
    return jnp.where(lax.expand_dims(jnp.asarray(meant), tuple(range(1, rows.ndim))), rows, otherwise)
