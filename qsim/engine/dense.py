"""Blocks of k qubits: a product per block, a bit permutation between blocks.

The state is never permuted back between blocks. As a tape, the positions are data and
one scan runs all blocks; unrolled, each block is a traced step of its own.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

from qsim.kernels.packed import columns, gather, gather_tables, product, tied
from qsim.lower.plan import Dense


def _at(tables: Any, b: int) -> Any:
    return tuple(t[b] for t in tables)


def forward(segment: Dense, matrices: Any, tables: Any, x: Any) -> Any:
    """Apply all blocks to rows `x` (N/K, 2K); `matrices` (B, 2K, 2K)."""
    shape = x.shape
    x = x.reshape(-1, 2 << segment.k)
    index = gather_tables(tables["src"], segment.k)

    def step(x: Any, at: Any) -> tuple[Any, None]:
        matrix, index = at
        return product(gather(x, index), matrix.T), None

    count = segment.num_blocks
    if segment.unrolled:
        for b in range(count):
            x, _ = step(x, (matrices[b], _at(index, b)))
    else:
        x, _ = lax.scan(step, x, (matrices, tuple(t[:count] for t in index)))
    return (gather(x, _at(index, count)) if _goes_home(segment) else x).reshape(shape)


def _goes_home(segment: Dense) -> bool:
    return len(segment.src) > segment.num_blocks


def backward(segment: Dense, matrices: Any, tables: Any, x: Any, ct: Any) -> tuple[Any, Any, Any]:
    """Undo all blocks on the state and pull its cotangent back.

    Returns:
        The state before, the cotangent before, and the matrices' cotangent.
    """
    shape = x.shape
    k = segment.k
    index = gather_tables(tables["inverse"], k)
    count = segment.num_blocks
    x, ct = (a.reshape(-1, 2 << k) for a in (x, ct))
    if _goes_home(segment):
        x, ct = (gather(a, _at(index, count)) for a in (x, ct))

    def step(carry: Any, at: Any) -> tuple[Any, Any]:
        x, ct = carry
        matrix, index = at
        # made first, or it is one more state beside those before and after
        by_column = columns(ct) if segment.differentiable else None
        x = product(x, matrix if by_column is None else tied(matrix, by_column))
        bar = None if by_column is None else product(by_column, x)
        ct = product(ct, tied(matrix, x))
        return (gather(x, index), gather(ct, index)), bar

    if segment.unrolled:
        bars = []
        carry = (x, ct)
        for b in reversed(range(count)):
            carry, bar = step(carry, (matrices[b], _at(index, b)))
            bars.append(bar)
        bars = jnp.stack(bars[::-1]) if segment.differentiable else None
    else:
        steps = (matrices, tuple(t[:count] for t in index))
        carry, bars = lax.scan(step, (x, ct), steps, reverse=True)
    x, ct = (a.reshape(shape) for a in carry)
    return x, ct, jnp.zeros_like(matrices) if bars is None else bars
