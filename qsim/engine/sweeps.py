"""Sweeps over windows of neighbouring qubits: the bits rotate until they are back where they began.

The blocks of one pass act on different qubits and commute, so that the backward pass
undoes them in the forward order, with the same fast rotations.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from qsim.kernels.packed import product
from qsim.lower.plan import Sweeps


def _rotate(x: Any, bits: int) -> Any:
    """Move the `bits` most significant bits to the least significant end."""
    shape = x.shape
    return x.reshape(1 << bits, -1, 2).transpose(1, 0, 2).reshape(shape)


def _sign(segment: Sweeps, pairs: Any, at: int) -> tuple[Any, Any, dict[int, Any]]:
    """The sign (-1)^(sum of bit_a bit_b): by rows, by columns, and for each column qubit by rows where it is 1."""
    n, k, table = segment.num_qubits, segment.k, segment.signs[at]
    rows = lax.optimization_barrier(jnp.arange(1 << (n - k), dtype=jnp.int32))
    shifts = jnp.asarray([n - k - 1 - q for q in range(n - k)], jnp.int32)
    bits = ((rows[:, None] >> shifts[None, :]) & 1).astype(jnp.float32)
    pairs = jnp.asarray(pairs).astype(jnp.float32)

    def sign(exponent: Any) -> Any:
        return 1 - 2 * jnp.mod(exponent, 2)

    inside = sign(jnp.sum(bits * (bits @ pairs[: n - k, : n - k]), axis=-1))
    across = {q - (n - k): sign(bits @ pairs[: n - k, q]) for q in range(n - k, n) if table[: n - k, q].any()}
    columns = _column_bits(k)
    own = (-1.0) ** np.sum(columns * (columns @ table[n - k :, n - k :]), axis=-1)
    return inside, jnp.asarray(own, jnp.float32), across


def _column_bits(k: int) -> np.ndarray:
    """The bits of the column index (2^k, k), most significant first."""
    return (np.arange(1 << k)[:, None] >> np.arange(k)[::-1]) & 1


def signs(segment: Sweeps, tables: Any) -> dict[int, Any]:
    """The signs of each pass that has some, made once per program."""
    used = [p for p in range(segment.num_passes + 1) if segment.signs[p].any()]
    return {p: _sign(segment, tables["signs"][p], p) for p in used}


def _times_sign(segment: Sweeps, x: Any, sign: Any) -> Any:
    if sign is None:
        return x
    # tied to the state, or XLA keeps the signs of all amplitudes outside a loop: half a state
    x, (inside, own, across) = lax.optimization_barrier((x, sign))
    columns = _column_bits(segment.k)
    whole = inside[:, None] * own[None, :]
    for bit, rows in across.items():
        whole = whole * jnp.where(columns[:, bit] == 1, rows[:, None], 1)
    shape = x.shape
    return (x.reshape(*whole.shape[:1], -1, 2) * whole[..., None].astype(x.dtype)).reshape(shape)


def forward(segment: Sweeps, matrices: Any, tables: Any, x: Any) -> Any:
    """Apply all passes to rows `x` (N/K, 2K); `matrices` (B, 2K, 2K)."""
    made = signs(segment, tables)
    place = {at: b for b, at in enumerate(segment.used)}
    for p in range(segment.num_passes):
        x = _times_sign(segment, x, made.get(p))
        for w, bits in enumerate(segment.moves):
            x = _rotate(x, bits)
            if (p, w) in place:
                x = product(x, matrices[place[p, w]].T)
    return _times_sign(segment, x, made.get(segment.num_passes))


def backward(segment: Sweeps, matrices: Any, tables: Any, x: Any, ct: Any) -> tuple[Any, Any, Any]:
    """Undo all passes on the state and pull its cotangent back; as `dense.backward`."""
    made = signs(segment, tables)
    place = {at: b for b, at in enumerate(segment.used)}
    bars: dict[int, Any] = {}
    for p in reversed(range(segment.num_passes)):
        x, ct = (_times_sign(segment, a, made.get(p + 1)) for a in (x, ct))
        for w, bits in enumerate(segment.moves):
            x, ct = _rotate(x, bits), _rotate(ct, bits)
            if (p, w) in place:
                b = place[p, w]
                x = product(x, matrices[b])
                if segment.differentiable:
                    bars[b] = product(ct.T, x)
                ct = product(ct, matrices[b])
            x, ct = lax.optimization_barrier((x, ct))  # window by window, or XLA runs ahead with one of them
    x, ct = (_times_sign(segment, a, made.get(0)) for a in (x, ct))
    if not segment.differentiable:
        return x, ct, jnp.zeros_like(matrices)
    return x, ct, jnp.stack([bars[b] for b in range(segment.num_blocks)])
