"""Run a plan on a state: forward, and a reversible backward pass in constant memory.

The backward pass uncomputes: the state before a segment is the inverse segment on the
state after it, so that only the final state is kept. The state's cotangent goes back
through the same inverses; on the way each block yields the cotangent of its matrix,
from which automatic differentiation goes on to the parameters. It is the adjoint method
(arXiv:2009.02823) for any function of the state.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from qsim.engine import dense, flips, phases, sweeps, wide
from qsim.lower.matrices import dense_matrices, flip_numbers, read_array, steps_of
from qsim.lower.plan import Dense, Flips, Plan, Range, Repeat, Segment, Sweeps, Vectors, Wide

SMALL_STATE, FEW_BLOCKS = 1 << 17, 1024
"""Floats of a state, and blocks, up to which what makes the matrices is kept for the backward pass."""


def prepare(segment: Segment, tables: Any, vectors: Vectors, origin: Range, *, reversible: bool) -> Any:
    """What a segment needs of vectors that begin at `origin`."""
    vectors = vectors.within(segment.range, origin)
    if isinstance(segment, Repeat):
        return vectors.split(segment.count)
    angles, data, turns = vectors
    if isinstance(segment, Sweeps):
        turns = angles[:, None] if turns is None else turns
        records = zip(segment.phases.values(), tables["phases"], strict=True)
        made = [phases.angles_of(record, table, turns, data) for record, table in records]
        return sweeps.Numbers(dense_matrices(segment, tables, angles, data, reversible=reversible), made)
    if isinstance(segment, Dense):
        return dense_matrices(segment, tables, angles, data, reversible=reversible)
    if isinstance(segment, Flips):
        return flip_numbers(segment, tables, angles, data)
    params = [angles[i] for i in range(segment.num_params)]
    arrays = [read_array(slot, at, data)[0] for slot, at in zip(segment.arrays, tables, strict=True)]
    return params, arrays


def _prepare_one(segment: Repeat, tables: Any, numbers: Vectors, *, reversible: bool) -> list[Any]:
    """The matrices of one repetition, made inside the loop: memory does not grow with the count."""
    body = zip(segment.body, tables, strict=True)
    return [prepare(s, t, numbers, segment.range, reversible=reversible) for s, t in body]


def forward(segment: Segment, matrices: Any, tables: Any, x: Any) -> Any:
    """Run one segment on rows `x`."""
    if isinstance(segment, Dense):
        return dense.forward(segment, matrices, tables, x)
    if isinstance(segment, Flips):
        return flips.forward(segment, matrices, tables, x)
    if isinstance(segment, Wide):
        return wide.forward(segment, matrices, tables, x)
    if isinstance(segment, Sweeps):
        return sweeps.forward(segment, matrices, tables, x)

    def step(x: Any, at: Any) -> tuple[Any, None]:
        numbers, used = at[0], at[1] or tables
        # plainly: forward over reverse differentiates this
        matrices = _prepare_one(segment, used, numbers, reversible=False)
        return forward_all(segment.body, matrices, used, x), None

    return lax.scan(step, x, (matrices, _own(segment, tables)))[0]


def backward(segment: Segment, matrices: Any, tables: Any, x: Any, ct: Any) -> tuple[Any, Any, Any]:
    """Undo one segment: the state before, its cotangent, and the cotangent of the matrices."""
    if isinstance(segment, Dense):
        return dense.backward(segment, matrices, tables, x, ct)
    if isinstance(segment, Flips):
        return flips.backward(segment, matrices, tables, x, ct)
    if isinstance(segment, Wide):
        return wide.backward(segment, matrices, tables, x, ct)

    if isinstance(segment, Sweeps):
        return sweeps.backward(segment, matrices, tables, x, ct)

    def step(carry: Any, at: Any) -> tuple[Any, Any]:
        numbers, used = at[0], at[1] or tables
        matrices, pull = jax.vjp(lambda m: _prepare_one(segment, used, m, reversible=True), numbers)
        x, ct, bars = backward_all(segment.body, matrices, used, *carry)
        return (x, ct), pull(bars)[0]

    (x, ct), bars = lax.scan(step, (x, ct), (matrices, _own(segment, tables)), reverse=True)
    return x, ct, bars


def _own(segment: Repeat, tables: Any) -> Any:
    """The tables that each repetition has of its own."""
    return jax.tree.map(jnp.asarray, tables) if segment.parts else None


def forward_all(segments: Any, matrices: Any, tables: Any, x: Any) -> Any:
    """Run segments in order."""
    for segment, m, t in zip(segments, matrices, tables, strict=True):
        x = forward(segment, m, t, x)
    return x


def backward_all(segments: Any, matrices: Any, tables: Any, x: Any, ct: Any) -> tuple[Any, Any, list[Any]]:
    """Undo segments in reverse order."""
    bars: list[Any] = []
    for segment, m, t in zip(reversed(segments), reversed(matrices), reversed(tables), strict=True):
        x, ct, bar = backward(segment, m, t, x, ct)
        bars.append(bar)
    return x, ct, bars[::-1]


def prepare_all(plan: Plan, tables: Any, vectors: Vectors, size: int, *, reversible: bool) -> list[Any]:
    """Matrices of all segments, for a state of `size` floats.

    Beside a large state, or where they are many, they are made again in the backward pass, not kept.
    """
    blocks = sum(s.num_blocks for s in plan.segments if isinstance(s, (Dense, Sweeps)))

    def make(vectors: Vectors) -> list[Any]:
        start = Range(0, 0, 0, 0)
        body = zip(plan.segments, tables, strict=True)
        return [prepare(s, t, vectors, start, reversible=reversible) for s, t in body]

    kept = size <= SMALL_STATE and blocks <= FEW_BLOCKS
    return (make if kept else jax.checkpoint(make))(vectors)


def run(plan: Plan, tables: Any, vectors: Vectors, x: Any, *, reversible: bool) -> Any:
    """The plan on rows `x` (N/K, 2K), or those of a batch (B, N/K, 2K) by a plan for one (see `build_batched_plan`).

    Args:
        reversible: use the uncomputing backward pass (reverse mode only); otherwise
            plain automatic differentiation, which keeps every step's state.
    """
    tables = [steps_of(s, t) for s, t in zip(plan.segments, tables, strict=True)]
    matrices = prepare_all(plan, tables, vectors, x.size, reversible=reversible)
    if not reversible or not plan.segments:
        return forward_all(plan.segments, matrices, tables, x)

    @jax.custom_vjp
    def apply(matrices: Any, x: Any, tables: Any) -> Any:
        return forward_all(plan.segments, matrices, tables, x)

    def apply_forward(matrices: Any, x: Any, tables: Any) -> tuple[Any, Any]:
        # not `apply`: forward over reverse differentiates this, and custom_vjp has no forward mode
        at = matrices, x
        if x.ndim > 2:  # or JAX makes the matrices in front of a loop over chunks, and writes them down
            at = lax.optimization_barrier(at)
        y = forward_all(plan.segments, at[0], tables, at[1])
        return y, (matrices, y, tables)

    def apply_backward(kept: Any, ct: Any) -> tuple[Any, Any, None]:
        matrices, y, tables = kept
        _, ct, bars = backward_all(plan.segments, matrices, tables, y, ct)
        return bars, ct, None

    apply.defvjp(apply_forward, apply_backward)
    return apply(matrices, x, jax.tree.map(jnp.asarray, tables))
