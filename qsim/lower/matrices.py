"""Block matrices from angles: one batched call per kind of gate, one scan per level of products."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from qsim.ir.operation import Gate
from qsim.kernels.packed import realify
from qsim.lower.compose import permutation_rows
from qsim.lower.plan import Compose, Dense, Flips, Kind, Rotations, Sweeps

SCAN_FROM = 6

_P = [np.eye(2), np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1, -1])]
PAULI_PAIRS = np.array([[np.kron(a, b) for b in _P] for a in _P]).reshape(16, 4, 4)
"""Two-qubit Paulis by 4 * first + second, in the order I X Y Z."""


def kind_matrices(kind: Kind, tables: Any, angles: Any, data: Any, dtype: Any) -> Any:
    """The matrices of one kind, (m, d, d) complex, for angles (A,) and data (D,)."""
    size = 1 << kind.num_qubits
    if kind.constant is not None:
        return jnp.broadcast_to(jnp.asarray(kind.constant, dtype), (kind.count, size, size))
    places, starts = tables
    params = [angles[places[:, i]] for i in range(kind.angles.shape[1])]
    if isinstance(kind.operation, Gate):
        return kind.operation.row.matrix(jnp, *params).astype(dtype)
    arrays = [read_array(slot, start, data) for slot, start in zip(kind.arrays, starts, strict=True)]

    def one(params: list[Any], arrays: list[Any]) -> Any:
        return kind.operation.replace(tuple(params), tuple(arrays)).matrix(jnp).astype(dtype)

    return jax.vmap(one)(params, arrays)


def read_array(slot: Any, starts: Any, data: Any) -> Any:
    """The arrays of a slot, (m, *shape), out of data (D,)."""
    length = int(np.prod(slot.shape, dtype=np.int64)) * (2 if slot.is_complex else 1)
    if slot.starts.shape[0] == 1:
        begin = int(slot.starts[0])
        flat = data[None, begin : begin + length]
    else:
        flat = data[jnp.asarray(starts, jnp.int32)[:, None] + jnp.arange(length, dtype=jnp.int32)]
    if slot.is_complex:
        pairs = flat.reshape(*flat.shape[:-1], -1, 2)
        flat = lax.complex(pairs[..., 0], pairs[..., 1])
    return flat.reshape(flat.shape[0], *slot.shape)


def rotation_angles(rotations: Rotations, tables: Any, angles: Any, data: Any) -> Any:
    """factor * time * coefficient, (t,): half the rotation angles."""
    factor, time, coefficient, _ = tables
    return jnp.asarray(factor, angles.dtype) * angles[time] * data[coefficient]


def widen(matrices: Any, num_qubits: int) -> Any:
    """Matrices (..., d, d) as matrices on `num_qubits` qubits: the identity on the less significant ones."""
    size = matrices.shape[-1]
    extra = (1 << num_qubits) // size
    if extra == 1:
        return matrices
    eye = jnp.eye(extra, dtype=matrices.dtype)
    out = matrices[..., :, None, :, None] * eye[None, :, None, :]
    return out.reshape(*matrices.shape[:-2], size * extra, size * extra)


def compose(spec: Compose, tables: Any, children: Any) -> Any:
    """Products of children (C, d, d) into blocks (B, K, K)."""
    index, perms = tables
    d = children.shape[-1]
    size = 1 << spec.qubits
    blocks = spec.index.shape[1]
    eye = jnp.eye(d, dtype=children.dtype)
    children = jnp.concatenate([children, eye[None]])
    rows = jnp.asarray(permutation_rows(spec.qubits))
    start = jnp.eye(size, dtype=children.dtype)[rows[perms[0].astype(jnp.int32)]]

    def step(acc: Any, at: tuple[Any, Any]) -> tuple[Any, None]:
        child, perm = at
        acc = acc.reshape(blocks, d, -1)
        acc = jnp.einsum("bij,bjc->bic", child, acc, precision=lax.Precision.HIGHEST)
        acc = acc.reshape(blocks, size, size)
        order = rows[perm.astype(jnp.int32)]
        return jnp.take_along_axis(acc, order[:, :, None], axis=1), None

    depth = spec.index.shape[0]
    picked = children[index.astype(jnp.int32)]
    if depth > SCAN_FROM:
        return lax.scan(step, start, (picked, perms[1:]))[0]
    for s in range(depth):
        start, _ = step(start, (picked[s], perms[s + 1]))
    return start


def dense_matrices(segment: Dense | Sweeps, tables: Any, angles: Any, data: Any) -> Any:
    """The real block matrices (B, 2K, 2K) of a dense segment."""
    dtype = jnp.result_type(angles.dtype, jnp.complex64)
    made = compose_blocks(segment, tables, angles, data, dtype) if segment.blocks.num_blocks else None
    if tables["fixed"] is None:
        return realify(made)
    fixed, order = tables["fixed"]
    fixed = jnp.asarray(fixed, dtype)
    return realify(fixed if made is None else jnp.concatenate([made, fixed])[order])


def compose_blocks(segment: Dense | Sweeps, tables: Any, angles: Any, data: Any, dtype: Any) -> Any:
    """The block matrices (B, K, K) that depend on numbers: kinds, then pairs, then blocks."""
    made = [kind_matrices(k, t, angles, data, dtype) for k, t in zip(segment.kinds, tables["kinds"], strict=True)]
    small = [m for m in made if m.shape[-1] <= 1 << segment.pairs.child_qubits]
    big = [m for m in made if m.shape[-1] > 1 << segment.pairs.child_qubits]
    small = [widen(m, segment.pairs.child_qubits) for m in small]
    if len(segment.rotations):
        half = rotation_angles(segment.rotations, tables["rotations"], angles, data)[..., None, None]
        paulis = jnp.asarray(PAULI_PAIRS, dtype)[tables["rotations"][3]]
        small.append(jnp.cos(half) * jnp.eye(4, dtype=dtype) - 1j * jnp.sin(half) * paulis)
    pairs = _join(small, 1 << segment.pairs.child_qubits, dtype)
    pairs = compose(segment.pairs, tables["pairs"], pairs)
    children = [widen(m, segment.blocks.child_qubits) for m in (pairs, *big)]
    children = _join(children, 1 << segment.blocks.child_qubits, dtype)
    return compose(segment.blocks, tables["blocks"], children)


def flip_coefficients(segment: Flips, tables: Any, angles: Any, data: Any) -> Any:
    """The numbers a and b of each step for even and odd parity, (T, 2, 2) complex: [a or b, parity]."""
    dtype = jnp.result_type(angles.dtype, jnp.complex64)
    parts = []
    if len(segment.rotations):
        half = rotation_angles(segment.rotations, tables["rotations"], angles, data)
        phase = jnp.asarray(tables["phase"], dtype)
        cos, sin = jnp.cos(half).astype(dtype), jnp.sin(half).astype(dtype)
        b = -1j * sin * phase
        parts.append(jnp.stack([jnp.stack([cos, cos], -1), jnp.stack([b, -b], -1)], -2))
    for kind, table in zip(segment.kinds, tables["kinds"], strict=True):
        m = kind_matrices(kind, table, angles, data, dtype)
        diagonal = jnp.stack([m[..., 0, 0], m[..., 1, 1]], -1)
        parts.append(jnp.stack([diagonal, jnp.stack([m[..., 0, 1], m[..., 1, 0]], -1)], -2))
    return jnp.concatenate(parts)[tables["order"]]


def _join(children: list[Any], size: int, dtype: Any) -> Any:
    if not children:
        return jnp.zeros((0, size, size), dtype)
    return jnp.concatenate(children) if len(children) > 1 else children[0]
