"""Cosine and sine of many angles at once, in plain arithmetic that XLA vectorises.

XLA:CPU calls a scalar library function per cosine and sine: 14 ns a pair in single precision, where the reduction to
an eighth of a turn and two short polynomials take 0.6 to 1.3 ns (Cody and Waite, "Software Manual for the
Elementary Functions", 1980; polynomials of the Cephes library).
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.experimental.xla_metadata import set_xla_metadata
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

Array = Any

# pi / 2 in three parts; the first two have so few digits that their products with a count of quarters are exact
_PARTS = (1.5703125, 4.837512969970703125e-4, 7.54978995489188216e-8)


@jax.custom_jvp
def cos_sin(x: Array) -> tuple[Array, Array]:
    """(cos x, sin x) of real angles, radians; in float32 to 2e-7 for |x| up to 1e4, in float64 those of the library.

    In float32 they are those of some angle whatever x is: a state keeps its norm.
    """
    # of `lax` alone: functions of `jnp` are calls, which `exp_i` would keep apart
    if x.dtype != jnp.float32:
        return jnp.cos(x), jnp.sin(x)
    quarters = lax.round(x * jnp.float32(2 / np.pi), lax.RoundingMethod.TO_NEAREST_EVEN)
    r = x
    for part in _PARTS:
        r = r - quarters * jnp.float32(part)
    # or large angles, which no float32 reduces, would give any number
    r = lax.clamp(jnp.float32(-0.8), r, jnp.float32(0.8))
    square = r * r
    sine = r + r * square * (-1.6666654611e-1 + square * (8.3321608736e-3 + square * -1.9515295891e-4))
    cosine = (
        1
        - 0.5 * square
        + square * square * (4.166664568298827e-2 + square * (-1.388731625493765e-3 + square * 2.443315711809948e-5))
    )
    quarter = quarters.astype(jnp.int32) & 3
    odd = (quarter & 1) == 1
    near, far = lax.select(odd, sine, cosine), lax.select(odd, cosine, sine)
    return lax.select((quarter == 1) | (quarter == 2), -near, near), lax.select(quarter >= 2, -far, far)


@cos_sin.defjvp
def _cos_sin_jvp(primals: tuple[Array], tangents: tuple[Array]) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    (x,), (dx,) = primals, tangents
    cosine, sine = cos_sin(x)
    return (cosine, sine), (-sine * dx, cosine * dx)


def exp_i(x: Array) -> Array:
    """exp(i x) of real angles, radians, by `cos_sin`; made once, where XLA:CPU would make it again for each reader."""
    return _exp_i_p.bind(x)


def _exp_i(x: Array) -> Array:
    return lax.complex(*cos_sin(x))


def _apart(x: Array) -> Array:
    """The same as a call, which ends a fusion of XLA:CPU (a barrier does not). Other compilers may have no calls."""
    with set_xla_metadata(inlineable="false"):
        return jax.jit(_exp_i)(x)


def _exp_i_jvp(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    y, dx = exp_i(*primals), tangents[0]
    return y, lax.complex(-lax.imag(y) * dx, lax.real(y) * dx)


_exp_i_p = Primitive("qsim_exp_i")
_exp_i_p.def_impl(jax.jit(_exp_i))
_exp_i_p.def_abstract_eval(lambda x: x.update(dtype=np.result_type(x.dtype, np.complex64), weak_type=False))
mlir.register_lowering(_exp_i_p, mlir.lower_fun(_exp_i, multiple_results=False))
mlir.register_lowering(_exp_i_p, mlir.lower_fun(_apart, multiple_results=False), platform="cpu")
ad.primitive_jvps[_exp_i_p] = _exp_i_jvp
batching.defvectorized(_exp_i_p)
