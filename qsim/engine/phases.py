"""Diagonals exp(i sum_t angle_t Z^t) on a batch of states.

A Z string is a sign by the row times a sign by the column. The angles of the strings are
summed per row and group of equal column bits, where signs by rows are products of two small
tables, then per amplitude: both are small matrix products. Cosines and sines are made per
amplitude, in plain arithmetic, as the state is multiplied.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from qsim.kernels.packed import after
from qsim.kernels.take import optional_rows
from qsim.kernels.trig import exp_i
from qsim.lower.plan import Phases, index_signs
from qsim.lower.reads import read_range

Array = Any
PART = 1 << 16
"""Floats of a state that are multiplied at a time."""


class Energies(NamedTuple):
    """E by parts: `columns` (B, 1, K), and what is made by row and group of column bits; None where it is 0.

    The latter, (B, R, G), is the product of `high` (B, H, T), the angles times the signs by the high half of the row,
    and `low` (L G, T), the signs by the low half with 0 in other groups; it is made where the state is multiplied,
    part by part.
    """

    columns: Array | None
    high: Array | None
    low: Array | None


def angles_of(phases: Phases, tables: Any, turns: Array, data: Array) -> Array:
    """The angles (T, B) of the strings, for the angles (A, B) of all phases and data (D,)."""
    found = jnp.asarray(tables["factors"], turns.dtype)[:, None] * read_range(turns, phases.places)
    if tables["coefficients"] is None:
        return found
    return found * optional_rows(data, tables["coefficients"], 1)[:, None].astype(found.dtype)


def energies(phases: Phases, tables: Any, angles: Array) -> Energies:
    """The parts of E for angles (T, B)."""
    angles = jnp.asarray(angles)
    own, spread, low = None, None, None
    if phases.own:
        own = _matmul(angles[: phases.own].T, _own_signs(phases, angles.dtype).T)[:, None, :]
    if phases.groups:
        high, low = (jnp.asarray(tables[half], angles.dtype) for half in ("high", "low"))
        spread = angles[phases.own :].T[:, None, :] * high
    return Energies(own, spread, low)


def multiply(phases: Phases, parts: Energies, x: Array, sign: Array | None) -> Array:
    """exp(iE), times real signs (R, K) or (R, 1), on a state (B, R, 2K)."""
    (x,), _ = _by_parts(phases, parts, (x,), sign, also=lambda *_: None)
    return x


def undo(
    phases: Phases, tables: Any, parts: Energies, x: Array, ct: Array, sign: Array | None, *, wanted: bool
) -> tuple[tuple[Array, Array], Array | None]:
    """The inverse, whose parts are given, on a state (B, R, 2K) and its cotangent, and the cotangent (T, B) of the
    angles if it is wanted."""
    batch = x.shape[0]
    sums = partial(_sums, phases, parts.low) if wanted else lambda *_: (None, None)
    made, (own, by_row) = _by_parts(phases, parts, (x, ct), sign, also=sums)
    if not wanted:
        return made, None
    found = []
    if own is not None:
        found.append(own.reshape(-1, batch, phases.own).sum(axis=0).T)
    if by_row is not None:
        high = jnp.asarray(tables["high"], x.dtype)
        found.append(jnp.sum(by_row.reshape(batch, *high.shape) * high, axis=1).T)
    return made, jnp.concatenate(found)


def _sums(phases: Phases, low: Array | None, x: Array, ct: Array) -> tuple[Array | None, Array | None]:
    """Of the cotangents of all phases: their sums by column (B, own), and by the high half of the row (B, H, T)."""
    a, b = (v.reshape(*v.shape[:-1], -1, 2) for v in (x, ct))
    weight = b[..., 1] * a[..., 0] - b[..., 0] * a[..., 1]
    own = _matmul(weight.sum(axis=1), _own_signs(phases, x.dtype)) if phases.own else None
    if low is None:
        return own, None
    by_group = _matmul(weight, _group_signs(phases, x.dtype))
    return own, _matmul(by_group.reshape(x.shape[0], -1, low.shape[0]), low)


def _by_parts(
    phases: Phases, parts: Energies, states: tuple[Array, ...], sign: Array | None, *, also: Any
) -> tuple[Any, Any]:
    """States times the diagonal, part by part, and `also` of each part as it was, by part where there
    are several."""
    batch, rows, _ = states[0].shape
    table = _group_signs(phases, states[0].dtype)

    def part(states: tuple[Array, ...], own: Array | None, high: Array | None, sign: Array | None) -> Any:
        by_row = None
        if high is not None and low is not None:
            by_row = _matmul(high, low.T).reshape(len(high), -1, len(phases.groups))
        if by_row is None:
            whole = exp_i(own)
        elif any(phases.groups):
            energy = _matmul(by_row, table.T)
            whole = exp_i(energy if own is None else energy + own)
        else:
            whole = exp_i(by_row) if own is None else exp_i(by_row) * exp_i(own)
        whole = whole if sign is None else whole * sign
        found = also(*states)
        if several:  # read before they are written to, or XLA copies the states
            for first in jax.tree.leaves(found):
                whole = after(whole, first)
        return tuple(_times(x, whole) for x in states), found

    own, high, low = parts
    batches = {batch} | {a.shape[0] for a in (own, high) if a is not None}
    parts_by_rows = _parts(rows if high is None else high.shape[1], states[0].size) if batch == 1 else 1
    parts_by_batch = _parts(batch, states[0].size) if len(batches) == 1 else 1
    several = max(parts_by_rows, parts_by_batch) > 1
    if parts_by_rows > 1:
        # without the axis of the batch: for an axis of length 1 at another place XLA copies
        cut = lambda a: None if a is None else a.reshape(parts_by_rows, -1, a.shape[-1])  # noqa: E731

        def rows_of(states: tuple[Array, ...], at: tuple[Array | None, Array | None]) -> Any:
            made, found = part(tuple(x[None] for x in states), own, None if at[0] is None else at[0][None], at[1])
            return tuple(x[0] for x in made), found

        made, found = _in_place(rows_of, tuple(map(cut, states)), (cut(high), cut(sign)))
    elif parts_by_batch > 1:
        cut = lambda a: None if a is None else a.reshape(parts_by_batch, -1, *a.shape[1:])  # noqa: E731
        made, found = _in_place(
            lambda x, at: part(x, at[0], at[1], sign), tuple(map(cut, states)), (cut(own), cut(high))
        )
    else:
        made, found = part(states, own, high, sign)
    return tuple(a.reshape(x.shape) for a, x in zip(made, states, strict=True)), found


def _parts(length: int, size: int) -> int:
    """In how many equal parts to go over an axis of a state of `size` floats: each of a few caches' size."""
    count = 1
    while count * PART < size and length % (2 * count) == 0:
        count *= 2
    return count


def _times(x: Array, factor: Array) -> Array:
    """The state times the factor, which comes first: so XLA makes one kernel of this for state and cotangent."""
    pairs = x.reshape(*x.shape[:-1], -1, 2)
    re, im = pairs[..., 0], pairs[..., 1]
    c, s = factor.real, factor.imag
    return jnp.stack([c * re - s * im, s * re + c * im], axis=-1).reshape(x.shape)


def _own_signs(phases: Phases, dtype: Any) -> Array:
    """The signs by column of the strings without row bits, (K, own)."""
    return jnp.asarray(index_signs(phases.num_columns, phases.columns[: phases.own]), dtype)


def _group_signs(phases: Phases, dtype: Any) -> Array:
    """The signs of the groups by column, (K, G)."""
    return jnp.asarray(index_signs(phases.num_columns, phases.groups), dtype)


def _in_place(function: Any, states: tuple[Array, ...], others: Any) -> tuple[tuple[Array, ...], Any]:
    """`function` on one part of the states and of `others` after the other; a new part takes the old one's place.

    It returns the new parts and something else, which is stacked.
    """

    def step(carry: tuple[Array, tuple[Array, ...]], others: Any) -> tuple[Any, Any]:
        i, states = carry
        made, also = function(tuple(lax.dynamic_index_in_dim(a, i, keepdims=False) for a in states), others)
        new = (lax.dynamic_update_index_in_dim(x, part, i, 0) for x, part in zip(states, made, strict=True))
        return (i + 1, tuple(new)), also

    (_, states), also = lax.scan(step, (jnp.int32(0), states), others, length=states[0].shape[0])
    return states, also


def _matmul(a: Array, b: Array) -> Array:
    return jnp.matmul(a, b, precision=lax.Precision.HIGHEST)
