"""Blocks of k qubits: a product per block, a bit permutation between blocks.

The state is never permuted back between blocks. As a tape, the positions are data and
one scan runs all blocks; unrolled, each block is a traced step of its own.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

from qsim.kernels.packed import gather, gather_tables, outer, product, tied
from qsim.lower.plan import Dense


def _at(tables: Any, b: int) -> Any:
    return tuple(t[b] for t in tables)


def forward(segment: Dense, matrices: Any, tables: Any, x: Any) -> Any:
    """Apply all blocks to rows `x` (N/K, 2K); `matrices` (B, 2K, 2K)."""
    shape = x.shape
    x = x.reshape(-1, 2 << segment.k)
    index = gather_tables(tables["src"], segment.k)
    x = gather(x, _at(index, 0))
    if segment.unrolled:
        for b in range(segment.num_blocks):
            x = gather(product(x, matrices[b].T), _at(index, b + 1))
        return x.reshape(shape)

    def step(x: Any, at: Any) -> tuple[Any, None]:
        matrix, index = at
        return gather(product(x, matrix.T), index), None

    rest = tuple(t[1:] for t in index)
    return lax.scan(step, x, (matrices, rest))[0].reshape(shape)


def backward(segment: Dense, matrices: Any, tables: Any, x: Any, ct: Any) -> tuple[Any, Any, Any]:
    """Undo all blocks on the state and pull its cotangent back.

    Returns:
        The state before, the cotangent before, and the matrices' cotangent.
    """
    shape = x.shape
    k = segment.k
    index = gather_tables(tables["inverse"], k)
    last = _at(index, segment.num_blocks)
    x, ct = (gather(a.reshape(-1, 2 << k), last) for a in (x, ct))

    def step(carry: Any, at: Any) -> tuple[Any, Any]:
        x, ct = carry
        matrix, index = at
        x = product(x, matrix)
        bar = outer(ct, x) if segment.differentiable else None
        ct = product(ct, tied(matrix, x))
        return (gather(x, index), gather(ct, index)), bar

    if segment.unrolled:
        bars = []
        carry = (x, ct)
        for b in reversed(range(segment.num_blocks)):
            carry, bar = step(carry, (matrices[b], _at(index, b)))
            bars.append(bar)
        bars = jnp.stack(bars[::-1]) if segment.differentiable else None
    else:
        steps = (matrices, tuple(t[:-1] for t in index))
        carry, bars = lax.scan(step, (x, ct), steps, reverse=True)
    x, ct = (a.reshape(shape) for a in carry)
    return x, ct, jnp.zeros_like(matrices) if bars is None else bars
