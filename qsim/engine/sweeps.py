"""Sweeps over windows of neighbouring qubits: the bits rotate until they are back where they began.

The blocks of one pass act on different qubits and commute, so that the backward pass
undoes them in the forward order, with the same fast rotations. The states of a batch that
share their matrices are run together, as more rows.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import lax

from qsim.engine import phases
from qsim.kernels.bits import bit_table, sign_of
from qsim.kernels.packed import product, tied
from qsim.lower import cost
from qsim.lower.plan import Sweeps

Array = Any


class Numbers(NamedTuple):
    """What the angles make of a segment: `matrices` (B, 2K, 2K), and the angles (T, batch) of each diagonal."""

    matrices: Array
    angles: list[Array]


def _rotate(x: Array, bits: int) -> Array:
    """Move the `bits` most significant bits of the amplitude index to the least significant end."""
    shape = x.shape
    if bits == 0 or x.shape[1] == 1:
        return x
    return x.reshape(shape[0], 1 << bits, -1, 2).transpose(0, 2, 1, 3).reshape(shape)


def _columns(x: Array, bits: int, k: int) -> Array:
    """The columns of `_rotate(x, bits)` (2K, B R) of all states together, in one transposition.

    A column's k bits are the last of those that move, and where they are fewer, the last of the others too.
    """
    moved = min(bits, k)
    parts = x.reshape(x.shape[0], 1 << bits - moved, 1 << moved, -1, 1 << k - moved, 2)
    return lax.optimization_barrier(parts.transpose(4, 2, 5, 0, 3, 1).reshape(x.shape[-1], -1))


class Sign(NamedTuple):
    """(-1)^(sum of bit_a bit_b): by rows (R,), by columns (K,), and for each column qubit by rows where it is 1.

    `own`, that by columns, is None where no pair is among them.
    """

    inside: Array
    own: Array | None
    across: dict[int, Array]


def _sign(segment: Sweeps, at: int) -> Sign:
    """The sign before pass `at`; that of a small state is known beforehand."""
    n, k, table = segment.num_qubits, segment.k, segment.signs[at]
    size = n - k  # bits of a row
    xp: Any = np
    rows = np.arange(1 << size, dtype=np.uint32)
    if 1 << n > cost.KNOWN_ENTRIES:
        xp, rows = jnp, lax.optimization_barrier(jnp.arange(1 << size, dtype=jnp.uint32))

    def of_odd(bits: Array) -> Array:
        """-1 where the number of bits (R, m) is odd."""
        return sign_of(xp, xp.sum(xp.bitwise_count(bits), axis=-1, dtype=np.int32)).astype(np.float32)

    # pairs of row bits as many places apart: the places of the lower ones
    lower: dict[int, int] = {}
    for p, q in np.argwhere(table[:size, :size]).tolist():
        lower[abs(p - q)] = lower.get(abs(p - q), 0) ^ 1 << size - 1 - max(p, q)
    apart, masks = (np.asarray([*values], np.uint32) for values in (lower, lower.values()))
    inside = of_odd(rows[:, None] & rows[:, None] >> apart & masks)
    partners = (1 << np.arange(size, dtype=np.uint32)[::-1]) @ table[:size]  # of each qubit, among the row bits
    across = {q - size: of_odd((rows & partners[q])[:, None]) for q in range(size, n) if partners[q]}
    within, own = table[size:, size:], None
    if within.any():
        columns = bit_table(np, k, np.int64)
        own = jnp.asarray((-1.0) ** np.sum(columns * (columns @ within), axis=-1), jnp.float32)
    return Sign(inside, own, across)


class _Diagonals:
    """The signs and phases between the passes of a segment, made once per program."""

    def __init__(self, segment: Sweeps, numbers: Numbers, tables: Any):
        self.segment = segment
        self.tables = dict(zip(segment.phases, tables["phases"], strict=True))
        used = [p for p in range(segment.num_passes + 1) if segment.signs[p].any()]
        self.signs = {p: _sign(segment, p) for p in used}
        turns = zip(segment.phases.items(), numbers.angles, strict=True)
        self.parts = {at: phases.energies(record, self.tables[at], angles) for (at, record), angles in turns}

    def multiply(self, at: int, x: Array) -> Array:
        """The diagonal before pass `at` on a state (batch, R, 2K)."""
        if at in self.parts:
            return phases.multiply(self.segment.phases[at], self.parts[at], x, self.whole(at))
        return self.signed(at, x)[0]

    def undo(self, at: int, x: Array, ct: Array) -> tuple[Array, Array, Array | None]:
        """Where the angles are the inverse's: a state and its cotangent undone, and the cotangent of the angles."""
        if at not in self.parts:
            return *self.signed(at, x, ct), None
        record, table, parts = self.segment.phases[at], self.tables[at], self.parts[at]
        wanted = self.segment.differentiable
        made, bar = phases.undo(record, table, parts, x, ct, self.whole(at), wanted=wanted)
        return *made, bar

    def whole(self, at: int) -> Array | None:
        """The signs of all amplitudes as `_whole` makes them, where there are any."""
        return _whole(self.segment, self.signs[at]) if at in self.signs else None

    def signed(self, at: int, *states: Array) -> tuple[Array, ...]:
        """States times the signs before pass `at`."""
        if at not in self.signs:
            return states
        # tied to the state, or XLA keeps the signs of all amplitudes outside a loop: half a state
        states, sign = lax.optimization_barrier((states, self.signs[at]))
        whole = _whole(self.segment, sign)[..., None].astype(states[0].dtype)
        # the factor first: one kernel for state and cotangent
        return tuple((whole * x.reshape(*x.shape[:-1], -1, 2)).reshape(x.shape) for x in states)


def _whole(segment: Sweeps, sign: Sign) -> Array:
    """The signs of all amplitudes (R, K), or (R, 1) where they are the same in all columns."""
    inside, own, across = sign
    columns = bit_table(np, segment.k, np.int64)
    whole = jnp.asarray(inside)[:, None]
    whole = whole if own is None else whole * own[None, :]
    for bit, rows in across.items():
        whole = whole * jnp.where(columns[:, bit] == 1, rows[:, None], 1)
    return whole


class Run(NamedTuple):
    """Windows with blocks one after the other, each reached by rotating as many bits: more than one are a loop."""

    bits: int
    first: int
    count: int


def _runs(segment: Sweeps, p: int) -> tuple[list[Run], int]:
    """The windows of pass p that have a block, and the bits left to rotate at its end."""
    place = {at: b for b, at in enumerate(segment.used)}
    found: list[Run] = []
    pending = 0
    for w, bits in enumerate(segment.moves):
        pending += bits
        if (p, w) not in place:
            continue
        if found and found[-1].bits == pending:
            found[-1] = found[-1]._replace(count=found[-1].count + 1)
        else:
            found.append(Run(pending, place[p, w], 1))
        pending = 0
    return found, pending


def _batched(segment: Sweeps, x: Array) -> Array:
    """Rows (R, 2K), or those of a batch (B, R, 2K), as (B, R, 2K)."""
    return x.reshape(-1, 1 << (segment.num_qubits - segment.k), 2 << segment.k)


def forward(segment: Sweeps, numbers: Numbers, tables: Any, x: Array) -> Array:
    """Apply all passes to rows `x` (R, 2K) or (batch, R, 2K)."""
    shape, x = x.shape, _batched(segment, x)
    between = _Diagonals(segment, numbers, tables)
    for p in range(segment.num_passes):
        x = between.multiply(p, x)
        runs, left = _runs(segment, p)
        for bits, first, count in runs:
            step = lambda x, matrix, bits=bits: (product(_rotate(x, bits), matrix.T), None)  # noqa: E731
            if count > 1:
                x, _ = lax.scan(step, x, numbers.matrices[first : first + count])
            else:
                x, _ = step(x, numbers.matrices[first])
        x = _rotate(x, left)
    x = between.multiply(segment.num_passes, x)
    return x.reshape(shape)


def backward(segment: Sweeps, numbers: Numbers, tables: Any, x: Array, ct: Array) -> tuple[Array, Array, Numbers]:
    """Undo all passes on the state and pull its cotangent back; as `dense.backward`."""
    shape = x.shape
    x, ct = _batched(segment, x), _batched(segment, ct)
    # of the inverse, so that what multiplies is one kernel
    between = _Diagonals(segment, numbers._replace(angles=[-a for a in numbers.angles]), tables)
    bars: dict[int, Array] = {}  # by the first block of a part
    angle_bars: dict[int, Array] = {}

    def undo(at: int, x: Array, ct: Array) -> tuple[Array, Array]:
        x, ct, bar = between.undo(at, x, ct)
        if bar is not None:
            angle_bars[at] = bar
        return x, ct

    def window(x: Array, ct: Array, matrix: Array, bits: int, is_open: bool) -> tuple[Array, Array, Array | None]:
        x = product(_rotate(x, bits), tied(matrix, ct))
        if not is_open:
            return x, product(_rotate(ct, bits), tied(matrix, x)), None
        bar = product(_columns(ct, bits, segment.k), x.reshape(-1, x.shape[-1]))
        return x, product(_rotate(tied(ct, bar), bits), matrix), bar

    for p in reversed(range(segment.num_passes)):
        x, ct = undo(p + 1, x, ct)
        runs, left = _runs(segment, p)
        for bits, first, count in runs:
            is_open = any(segment.open[first : first + count])

            def step(both: Any, matrix: Array, bits: int = bits, is_open: bool = is_open) -> tuple[Any, Array | None]:
                x, ct, bar = window(both[0], both[1], matrix, bits, is_open)
                return (x, ct), bar

            if count > 1:
                (x, ct), bar = lax.scan(step, (x, ct), numbers.matrices[first : first + count])
            else:
                (x, ct), bar = step((x, ct), numbers.matrices[first])
                bar = None if bar is None else bar[None]
            if bar is not None:
                bars[first] = bar
        x, ct = _rotate(x, left), _rotate(ct, left)
    x, ct = undo(0, x, ct)
    return x.reshape(shape), ct.reshape(shape), _cotangents(segment, numbers, bars, angle_bars)


def _cotangents(segment: Sweeps, numbers: Numbers, bars: dict[int, Array], angle_bars: dict[int, Array]) -> Numbers:
    matrices = jnp.zeros_like(numbers.matrices)
    if bars:
        none = jnp.zeros((1, *matrices.shape[1:]), matrices.dtype)
        parts: list[Array] = []
        while (b := sum(map(len, parts))) < segment.num_blocks:
            parts.append(bars.get(b, none))
        matrices = jnp.concatenate(parts) if len(parts) > 1 else parts[0]
    angles = [
        angle_bars[at].astype(a.dtype) if at in angle_bars else jnp.zeros_like(a)
        for at, a in zip(segment.phases, numbers.angles, strict=True)
    ]
    if angles:
        pairs = zip(angles, numbers.angles, strict=True)
        angles = [a if a.shape == b.shape else a.sum(1, keepdims=True) for a, b in pairs]  # one for a whole batch
    return Numbers(matrices, angles)
