"""Block matrices from angles: one sum for all gates of one angle, a scan per level of products."""

from __future__ import annotations

import math
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from qsim.ir.operation import Gate
from qsim.kernels.packed import realify
from qsim.kernels.take import optional_rows, places_of, take_places, take_rows
from qsim.lower import cost
from qsim.lower.compose import permutation_rows
from qsim.lower.plan import Compose, Dense, Flips, Kind, Repeat, Rotations, Segment, Sweeps, Waves
from qsim.lower.reads import read_range
from qsim.lower.waves import widened

SMALL_PRODUCT = 64
"""Two matrices with so many numbers are multiplied in a loop."""


def kind_matrices(kind: Kind, tables: Any, angles: Any, data: Any, dtype: Any) -> Any:
    """The matrices of one kind, (m, d, d) complex, for angles (A,) and data (D,)."""
    size = 1 << kind.num_qubits
    if kind.constant is not None:
        return jnp.broadcast_to(jnp.asarray(kind.constant, dtype), (kind.count, size, size))
    params = [read_range(angles, kind.angles[:, i]) for i in range(kind.angles.shape[1])]
    if isinstance(kind.operation, Gate):
        return kind.operation.row.matrix(jnp, *params).astype(dtype)
    arrays = [read_array(slot, start, data) for slot, start in zip(kind.arrays, tables, strict=True)]

    def one(params: list[Any], arrays: list[Any]) -> Any:
        return jnp.asarray(kind.operation.replace(tuple(params), tuple(arrays)).matrix(jnp), dtype)

    return jax.vmap(one)(params, arrays)


def read_array(slot: Any, starts: Any, data: Any) -> Any:
    """The arrays of a slot, (m, *shape), out of data (D,)."""
    if slot.starts.shape[0] == 1:
        begin = int(slot.starts[0])
        flat = data[None, begin : begin + slot.length]
    else:
        flat = take_rows(data, jnp.asarray(starts, jnp.int32)[:, None] + np.arange(slot.length, dtype=np.int32))
    if slot.is_complex:
        pairs = flat.reshape(*flat.shape[:-1], -1, 2)
        flat = lax.complex(pairs[..., 0], pairs[..., 1])
    return flat.reshape(flat.shape[0], *slot.shape)


def wave_matrices(waves: Waves, tables: Any, angles: Any, data: Any, dtype: Any) -> Any:
    """The matrices of waves, (m, d, d) complex: all kinds of them together."""
    scales, kinds, coefficients = tables
    phase = jnp.asarray(scales, angles.dtype) * read_range(angles, waves.angles)
    if coefficients is not None:
        phase = phase * optional_rows(data, coefficients, 1)
    fixed, cosine, sine = (take_rows(np.asarray(p, dtype), kinds) for p in np.moveaxis(waves.parts, 1, 0))
    cos, sin = (lax.expand_dims(f(phase).astype(dtype), (1, 2)) for f in (jnp.cos, jnp.sin))
    return fixed + cos * cosine + sin * sine


def rotation_angles(rotations: Rotations, tables: Any, angles: Any, data: Any) -> Any:
    """factor * time * coefficient, (t,): half the rotation angles."""
    factor, coefficient = tables
    return jnp.asarray(factor, angles.dtype) * read_range(angles, rotations.time) * take_rows(data, coefficient)


class Steps(NamedTuple):
    """The tables of products in S steps: `children` (S, B, 1) that each multiplies by, the places of the rows of all
    products at the `start` (B, K, 1), or None where the program holds them, and in their `orders` after each step, and
    the `inverse` ones, (S, B, K, 1); `home` is the place of each child among those of all steps (C,)."""

    children: Any
    start: Any
    orders: Any
    inverse: Any
    home: Any


def steps_of(segment: Segment, tables: Any) -> Any:
    """The tables of a segment with those of products as gathers take them: made once, in front of all loops."""
    if isinstance(segment, Repeat):
        if segment.parts:
            return [jax.vmap(partial(steps_of, segment.body[0]))(tables[0])]
        return [steps_of(s, t) for s, t in zip(segment.body, tables, strict=True)]
    if not isinstance(segment, (Dense, Sweeps)):
        return tables
    specs = {"pairs": segment.pairs, "blocks": segment.blocks}
    return tables | {name: _steps(spec, tables[name]) for name, spec in specs.items() if spec.num_blocks}


def _steps(spec: Compose, tables: Any) -> Steps:
    index, perms, home = tables
    rows = permutation_rows(spec.qubits)
    inverse = np.argsort(rows, axis=1).astype(np.int32)
    first = rows.shape[1] * np.arange(spec.num_blocks, dtype=np.int32)[:, None]
    orders, undone = (places_of(take_rows(table, perms[1:]) + first) for table in (rows, inverse))
    # parts, whose tables are data, are padded
    known = spec.num_blocks * rows.shape[1] ** 2 <= cost.KNOWN_ENTRIES and not spec.padded
    start = None if known else places_of(take_rows(rows, perms[0]))
    return Steps(places_of(index), start, orders, undone, home)


def compose(spec: Compose, tables: Steps, children: Any, *, reversible: bool) -> Any:
    """Products of children (C, d, d) and the constant ones into blocks (B, K, K).

    Args:
        tables: as `steps_of` makes them.
        reversible: pull cotangents back by undoing the products, as the engine does with states: unitary
            children only, reverse mode only, and a program a third as long as that of plain differentiation.
    """
    if not spec.num_blocks:
        return jnp.zeros((0, 1 << spec.qubits, 1 << spec.qubits), children.dtype)
    if not reversible:
        return _products(spec, tables, children)

    @jax.custom_vjp
    def product(children: Any, tables: Steps) -> Any:
        return _products(spec, tables, children)

    def product_forward(children: Any, tables: Steps) -> tuple[Any, Any]:
        made = _products(spec, tables, children)
        return made, (children, made, tables)

    def product_backward(kept: Any, ct: Any) -> tuple[Any, None]:
        children, made, tables = kept
        return _undo_products(spec, children, made, tables, ct), None

    product.defvjp(product_forward, product_backward)
    return product(children, jax.tree.map(jnp.asarray, tables))


def _with_constants(spec: Compose, children: Any) -> Any:
    return jnp.concatenate([children, spec.constants.astype(children.dtype)])


def _products(spec: Compose, tables: Steps, children: Any) -> Any:
    size, d = 1 << spec.qubits, children.shape[-1]
    children = _with_constants(spec, children)
    # the identity with its rows permuted
    if tables.start is None:
        start = permutation_rows(spec.qubits)[spec.perms[0]][..., None] == np.arange(size)
    else:
        start = lax.eq(*jnp.broadcast_arrays(tables.start, np.arange(size, dtype=np.int32)))

    def step(acc: Any, at: tuple[Any, Any]) -> tuple[Any, None]:
        child, order = at
        acc = _times(take_places(children, child), acc.reshape(spec.num_blocks, d, -1))
        return take_places(acc.reshape(-1, size), order), None

    first = jnp.asarray(start, children.dtype)
    return lax.scan(step, first, (tables.children, tables.orders))[0]


def _undo_products(spec: Compose, children: Any, made: Any, tables: Steps, ct: Any) -> Any:
    """The cotangent of the children (C, d, d), for the products made and their cotangent (B, K, K)."""
    size, d = 1 << spec.qubits, children.shape[-1]
    children = _with_constants(spec, children)

    def step(both: Any, at: tuple[Any, Any]) -> tuple[Any, Any]:
        child, order = at
        inverse = take_places(children, child).conj().swapaxes(-1, -2)
        after = take_places(both.reshape(-1, 2 * size), order).reshape(spec.num_blocks, d, -1)
        before = _times(inverse, after)
        after, before = (a.reshape(spec.num_blocks, d, -1, 2, size) for a in (after, before))
        bar = _times(
            after[:, :, :, 1].conj().reshape(spec.num_blocks, d, -1),
            before[:, :, :, 0].reshape(spec.num_blocks, d, -1).swapaxes(1, 2),
        )
        return before.reshape(-1, size, 2 * size), bar

    # the cotangent conjugated, so that both are undone by the same matrices
    both = jnp.concatenate([made, ct.conj()], axis=-1)
    bars = lax.scan(step, both, (tables.children, tables.inverse), reverse=True)[1].reshape(-1, d, d)
    return optional_rows(bars, tables.home, 0) if spec.padded else take_rows(bars, tables.home)


def _times(a: Any, b: Any) -> Any:
    """Products of matrices (B, i, j) and (B, j, k). Those of few numbers are sums: XLA:CPU calls a library for each."""
    if a.shape[2] <= 2 or math.prod(a.shape[1:]) + math.prod(b.shape[1:]) <= SMALL_PRODUCT:
        return (lax.expand_dims(a, (3,)) * lax.expand_dims(b, (1,))).sum(axis=2)
    return jnp.matmul(a, b, precision=lax.Precision.HIGHEST)


def dense_matrices(segment: Dense | Sweeps, tables: Any, angles: Any, data: Any, *, reversible: bool) -> Any:
    """The real block matrices (B, 2K, 2K) of a dense segment; `reversible` as in `compose`."""
    dtype = jnp.result_type(angles.dtype, jnp.complex64)
    made = None
    if segment.blocks.num_blocks:
        made = compose_blocks(segment, tables, angles, data, dtype, reversible=reversible)
    if tables["fixed"] is None:
        return jnp.zeros((0, 2 << segment.k, 2 << segment.k), angles.dtype) if made is None else realify(made)
    fixed, order = tables["fixed"]
    fixed = jnp.asarray(fixed, dtype)
    return realify(fixed if made is None else take_rows(jnp.concatenate([made, fixed]), order))


def compose_blocks(
    segment: Dense | Sweeps, tables: Any, angles: Any, data: Any, dtype: Any, *, reversible: bool
) -> Any:
    """The block matrices (B, K, K) that depend on numbers: waves and kinds, then pairs, then blocks."""
    made = [kind_matrices(k, t, angles, data, dtype) for k, t in zip(segment.kinds, tables["kinds"], strict=True)]
    pairs, blocks = segment.pairs, segment.blocks
    small = [widened(m, pairs.child_qubits) for m in made if m.shape[-1] <= 1 << pairs.child_qubits]
    big = [m for m in made if m.shape[-1] > 1 << pairs.child_qubits]
    if len(segment.waves):
        small.insert(0, wave_matrices(segment.waves, tables["waves"], angles, data, dtype))
    if pairs.num_blocks:
        joined = _join(small, 1 << pairs.child_qubits, dtype)
        small = [compose(pairs, tables["pairs"], joined, reversible=reversible)]
    children = [widened(m, blocks.child_qubits) for m in (*small, *big)]
    return compose(blocks, tables["blocks"], _join(children, 1 << blocks.child_qubits, dtype), reversible=reversible)


def flip_numbers(segment: Flips, tables: Any, angles: Any, data: Any) -> Any:
    """Of rotations alone their angles (T,); else a and b of each step for even and odd parity, (T, 2, 2) complex."""
    parts, dtype = [], jnp.result_type(angles.dtype, jnp.complex64)
    if len(segment.rotations):
        half = rotation_angles(segment.rotations, tables["rotations"], angles, data)
        if not segment.kinds:
            return half
        cos = jnp.cos(half).astype(dtype)
        b = jnp.sin(half).astype(dtype) * jnp.asarray(tables["phase"], dtype)
        parts.append(jnp.stack([jnp.stack([cos, cos], -1), jnp.stack([b, -b], -1)], -2))
    for kind, table in zip(segment.kinds, tables["kinds"], strict=True):
        m = kind_matrices(kind, table, angles, data, dtype)
        diagonal = jnp.stack([m[..., 0, 0], m[..., 1, 1]], -1)
        parts.append(jnp.stack([diagonal, jnp.stack([m[..., 0, 1], m[..., 1, 0]], -1)], -2))
    return take_rows(jnp.concatenate(parts), tables["order"])


def _join(children: list[Any], size: int, dtype: Any) -> Any:
    if not children:
        return jnp.zeros((0, size, size), dtype)
    return jnp.concatenate(children) if len(children) > 1 else children[0]
