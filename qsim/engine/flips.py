"""Steps psi(j) <- a(j) psi(j) + b(j) psi(j ^ x): Pauli rotations, controlled one-qubit gates.

One scan runs all steps; masks are data. Per step the state is read once in place and
once through a gather that leaves rows whole. A tape of nothing but rotations exp(t G), G = -i P
where the controls hold, takes their angles t: with psi = exp(t G) phi the derivative by t is G psi, and
exp(-t G) psi needs G psi as well.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from qsim.kernels.packed import after
from qsim.kernels.take import take_places
from qsim.lower.plan import Flips

Array = Any


def _split(masks: Any, k: int) -> tuple[Any, Any]:
    """Masks (4,) as their parts over rows and over columns."""
    return masks >> k, masks & ((1 << k) - 1)


def _parity(bits: Any) -> Any:
    return lax.population_count(bits) & 1


class _Step:
    """The index arrays of one step on a state of `rows` rows with 2^k amplitudes each.

    `parity` and `active` are each a pair, by row (R,) and by column (K,): of j & z the sum of both, and whether
    the controls hold in both.
    """

    def __init__(self, masks: Any, rows: int, k: int):
        self.k = k
        (xr, zr, cr, vr), (xc, zc, cc, vc) = _split(masks, k)
        row = lax.optimization_barrier(jnp.arange(rows, dtype=jnp.uint32))
        column = jnp.arange(1 << k, dtype=jnp.uint32)
        self.base = lax.optimization_barrier((row ^ xr) << k)
        self.column = column ^ xc
        self.parity = _parity(row & zr), _parity(column & zc)
        self.active = (row & cr) == vr, (column & cc) == vc
        self.flipped = _parity(masks[0] & masks[1])

    def partner(self, x: Any) -> Any:
        """psi(j ^ x) for x (rows, 2^k, 2)."""
        index = self.base[:, None] | self.column[None, :]
        return take_places(x.reshape(-1, 2), index[..., None], unique=True)

    def is_odd(self) -> Any:
        row, column = self.parity
        return row[:, None] != column[None, :]

    def acts(self) -> Any:
        row, column = self.active
        return row[:, None] & column[None, :]

    def pick(self, pair: Any, outside: float) -> tuple[Any, Any]:
        """The real and imaginary parts of pair[parity] where the step acts, `outside` elsewhere."""
        odd, acts = self.is_odd()[..., None], self.acts()[..., None]
        re, im = (jnp.where(odd, part(pair[1]), part(pair[0])) for part in (jnp.real, jnp.imag))
        return jnp.where(acts, re, outside), jnp.where(acts, im, 0)


def _turned(x: Array) -> Array:
    """i x for interleaved real and imaginary parts."""
    return lax.rev(x, (2,)) * np.array([-1, 1], x.dtype)


def _times(number: tuple[Any, Any], x: Any) -> Any:
    re, im = number
    return re * x + im * _turned(x)


def _apply(step: _Step, coefficients: Any, x: Any) -> Any:
    a, b = step.pick(coefficients[0], 1), step.pick(coefficients[1], 0)
    return _times(a, x) + _times(b, step.partner(x))


def _adjoint(step: _Step, coefficients: Any) -> Any:
    """The coefficients of the inverse step: conj a(j), conj b(j ^ x)."""
    a, b = coefficients[0].conj(), coefficients[1].conj()
    return jnp.stack([a, jnp.where(step.flipped == 1, b[::-1], b)])


def _cotangent(step: _Step, x: Any, ct: Any) -> Any:
    """The cotangent of the coefficients (2, 2), for the state before and the cotangent after."""
    is_odd, acts = step.is_odd(), step.acts()
    sums = []
    for psi in (x, step.partner(x)):
        re = jnp.where(acts, ct[..., 0] * psi[..., 0] + ct[..., 1] * psi[..., 1], 0)
        im = jnp.where(acts, ct[..., 1] * psi[..., 0] - ct[..., 0] * psi[..., 1], 0)
        odd = [jnp.sum(jnp.where(is_odd, part, 0)) for part in (re, im)]
        even = [jnp.sum(jnp.where(is_odd, 0, part)) for part in (re, im)]
        # JAX's cotangent of a complex number holds the derivative by the imaginary part with a minus
        sums.append(jnp.stack([lax.complex(even[0], -even[1]), lax.complex(odd[0], -odd[1])]))
    return jnp.stack(sums)


class _Rotation:
    """exp(t G) of one step without gates: G psi(j) = phase (-1)^(bits of j & z) psi(j ^ x) where controls hold."""

    def __init__(self, segment: Flips, at: Any, rows: int, dtype: Any):
        masks, phase = at
        step = _Step(masks, rows, segment.k)
        self.partner, self.phase = step.partner, (phase.real.astype(dtype), phase.imag.astype(dtype))
        self.acts = None
        self.signs = [1 - 2 * parity.astype(dtype) for parity in step.parity]
        if segment.controlled:
            self.acts = [active.astype(dtype) for active in step.active]
            self.signs = [sign * active for sign, active in zip(self.signs, self.acts, strict=True)]

    def generator(self, x: Array) -> Array:
        """G x."""
        return _outer(self.signs) * _times(self.phase, self.partner(x))

    def turn(self, x: Array, gx: Array, angle: Array) -> Array:
        """exp(t G) x, for G x."""
        cos, sin = jnp.cos(angle), jnp.sin(angle)
        return (cos if self.acts is None else 1 + (cos - 1) * _outer(self.acts)) * x + sin * gx


def _outer(pair: list[Array]) -> Array:
    """The products of numbers by row and by column, (R, K, 1)."""
    row, column = pair
    return row[:, None, None] * column[None, :, None]


def forward(segment: Flips, numbers: Any, tables: Any, x: Any) -> Any:
    """Apply all steps to rows `x`; `numbers` as `flip_numbers` makes them."""
    shape = x.shape
    x = x.reshape(-1, 1 << segment.k, 2)

    def step(x: Any, at: Any) -> tuple[Any, None]:
        masks, number = at
        return _apply(_Step(masks, x.shape[0], segment.k), number, x), None

    def turn(x: Any, at: Any) -> tuple[Any, None]:
        what, angle = at
        rotation = _Rotation(segment, what, x.shape[0], x.dtype)
        return rotation.turn(x, rotation.generator(x), angle), None

    run = step if segment.kinds else turn
    return lax.scan(run, x, (_steps(segment, tables), numbers))[0].reshape(shape)


def backward(segment: Flips, numbers: Any, tables: Any, x: Any, ct: Any) -> tuple[Any, Any, Any]:
    """Undo all steps on the state and pull its cotangent back; as `dense.backward`."""
    shape = x.shape
    x, ct = (a.reshape(-1, 1 << segment.k, 2) for a in (x, ct))

    def step(carry: Any, at: Any) -> tuple[Any, Any]:
        x, ct = carry
        masks, number = at
        s = _Step(masks, x.shape[0], segment.k)
        back = _adjoint(s, number)
        x = _apply(s, back, x)
        bar = _cotangent(s, x, ct) if segment.differentiable else None
        return (x, _apply(s, back, ct)), bar

    def turn(carry: Any, at: Any) -> tuple[Any, Any]:
        x, ct = carry
        what, angle = at
        rotation = _Rotation(segment, what, x.shape[0], x.dtype)
        gx = rotation.generator(x)
        bar = jnp.sum(ct * gx) if segment.differentiable else None
        x = rotation.turn(x, gx, -angle)
        angle = angle if bar is None else after(angle, bar)  # or XLA keeps what the cotangent was
        return (x, rotation.turn(ct, rotation.generator(ct), -angle)), bar

    run = step if segment.kinds else turn
    (x, ct), bars = lax.scan(run, (x, ct), (_steps(segment, tables), numbers), reverse=True)
    return x.reshape(shape), ct.reshape(shape), jnp.zeros_like(numbers) if bars is None else bars


def _steps(segment: Flips, tables: Any) -> Any:
    """The masks of all steps, with the phases of rotations where there is nothing else."""
    masks = jnp.asarray(tables["masks"])
    return masks if segment.kinds else (masks, jnp.asarray(tables["phase"]))
