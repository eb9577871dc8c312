"""Steps psi(j) <- a(j) psi(j) + b(j) psi(j ^ x): Pauli rotations, controlled one-qubit gates.

One scan runs all steps; masks are data. Per step the state is read once in place and
once through a gather that leaves rows whole.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

from qsim.lower.plan import Flips


def _split(masks: Any, k: int) -> tuple[Any, Any]:
    """Masks (4,) as their parts over rows and over columns."""
    return masks >> k, masks & ((1 << k) - 1)


def _parity(bits: Any) -> Any:
    return lax.population_count(bits) & 1


class _Step:
    """The index arrays of one step on a state of `rows` rows with 2^k amplitudes each."""

    def __init__(self, masks: Any, rows: int, k: int):
        self.k = k
        (xr, zr, cr, vr), (xc, zc, cc, vc) = _split(masks, k)
        row = lax.optimization_barrier(jnp.arange(rows, dtype=jnp.int32))
        column = jnp.arange(1 << k, dtype=jnp.int32)
        self.base = lax.optimization_barrier((row ^ xr) << k)
        self.column = column ^ xc
        self.parity = _parity(row & zr)[:, None] ^ _parity(column & zc)[None, :]
        self.active = ((row & cr) == vr)[:, None] & ((column & cc) == vc)[None, :]
        self.flipped = _parity(masks[0] & masks[1])

    def partner(self, x: Any) -> Any:
        """psi(j ^ x) for x (rows, 2^k, 2)."""
        flat = x.reshape(-1, 2)
        index = self.base[:, None] | self.column[None, :]
        return flat.at[index].get(mode="promise_in_bounds", unique_indices=True)

    def pick(self, pair: Any, outside: float) -> tuple[Any, Any]:
        """The real and imaginary parts of pair[parity] where the step acts, `outside` elsewhere."""
        re = jnp.where(self.parity == 1, pair[1].real, pair[0].real)
        im = jnp.where(self.parity == 1, pair[1].imag, pair[0].imag)
        return jnp.where(self.active, re, outside), jnp.where(self.active, im, 0)


def _times(number: tuple[Any, Any], x: Any) -> tuple[Any, Any]:
    re, im = number
    return re * x[..., 0] - im * x[..., 1], re * x[..., 1] + im * x[..., 0]


def _apply(step: _Step, coefficients: Any, x: Any) -> Any:
    a, b = step.pick(coefficients[0], 1), step.pick(coefficients[1], 0)
    mine, other = _times(a, x), _times(b, step.partner(x))
    return jnp.stack([mine[0] + other[0], mine[1] + other[1]], axis=-1)


def _adjoint(step: _Step, coefficients: Any) -> Any:
    """The coefficients of the inverse step: conj a(j), conj b(j ^ x)."""
    a, b = coefficients[0].conj(), coefficients[1].conj()
    return jnp.stack([a, jnp.where(step.flipped == 1, b[::-1], b)])


def _cotangent(step: _Step, x: Any, ct: Any) -> Any:
    """The cotangent of the coefficients (2, 2), for the state before and the cotangent after."""
    sums = []
    for psi in (x, step.partner(x)):
        re = jnp.where(step.active, ct[..., 0] * psi[..., 0] + ct[..., 1] * psi[..., 1], 0)
        im = jnp.where(step.active, ct[..., 1] * psi[..., 0] - ct[..., 0] * psi[..., 1], 0)
        odd = [jnp.sum(jnp.where(step.parity == 1, part, 0)) for part in (re, im)]
        even = [jnp.sum(jnp.where(step.parity == 1, 0, part)) for part in (re, im)]
        # JAX's cotangent of a complex number holds the derivative by the imaginary part with a minus
        sums.append(jnp.stack([lax.complex(even[0], -even[1]), lax.complex(odd[0], -odd[1])]))
    return jnp.stack(sums)


def forward(segment: Flips, coefficients: Any, tables: Any, x: Any) -> Any:
    """Apply all steps to rows `x`; `coefficients` (T, 2, 2) complex."""
    shape = x.shape
    x = x.reshape(-1, 1 << segment.k, 2)
    masks = jnp.asarray(tables["masks"])

    def step(x: Any, at: Any) -> tuple[Any, None]:
        masks, numbers = at
        return _apply(_Step(masks, x.shape[0], segment.k), numbers, x), None

    return lax.scan(step, x, (masks, coefficients))[0].reshape(shape)


def backward(segment: Flips, coefficients: Any, tables: Any, x: Any, ct: Any) -> tuple[Any, Any, Any]:
    """Undo all steps on the state and pull its cotangent back; as `dense.backward`."""
    shape = x.shape
    x, ct = (a.reshape(-1, 1 << segment.k, 2) for a in (x, ct))
    masks = jnp.asarray(tables["masks"])

    def step(carry: Any, at: Any) -> tuple[Any, Any]:
        x, ct = carry
        masks, numbers = at
        s = _Step(masks, x.shape[0], segment.k)
        back = _adjoint(s, numbers)
        x = _apply(s, back, x)
        bar = _cotangent(s, x, ct) if segment.differentiable else None
        return (x, _apply(s, back, ct)), bar

    (x, ct), bars = lax.scan(step, (x, ct), (masks, coefficients), reverse=True)
    return x.reshape(shape), ct.reshape(shape), jnp.zeros_like(coefficients) if bars is None else bars
