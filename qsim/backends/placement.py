"""Where a program runs: devices by name, and the agreement of `on=` with a caller's jit."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import ShapedArray, Tracer
from jax.extend.core import Primitive, get_opaque_trace_state
from jax.interpreters import ad, batching, mlir

from qsim._errors import BackendError
from qsim._typing import Array, PyTree

PLATFORMS = {"cpu": ("cpu",), "gpu": ("cuda", "rocm", "gpu"), "tpu": ("tpu",)}

_unstaged: Any = None  # where JAX last said that nothing is being traced


def find_device(platform: str, index: int = 0) -> Any:
    """JAX's device number `index` of that platform.

    Raises:
        BackendError: JAX has no such device here; those that it has are named.
    """
    try:
        devices = jax.devices(platform)
    except RuntimeError:
        there = ", ".join(sorted({d.platform for d in jax.devices()} | {"cpu"}))
        raise BackendError(
            f"Backend `{platform}` is not there: JAX finds devices of {there} on this machine. For an NVIDIA GPU "
            'install the extra "cuda".'
        ) from None
    if index >= len(devices):
        raise BackendError(f"Backend `{platform}@{index}` is not there: JAX finds {len(devices)} of {platform}.")
    return devices[index]


def is_staged() -> bool:
    """True inside a jit (or scan) that is being traced, where nothing has a device yet."""
    global _unstaged
    state = get_opaque_trace_state(convention="qsim")
    if state == _unstaged:  # to ask JAX costs a tenth of a warm call
        return False
    if isinstance(_staged_p.bind(), Tracer):
        return True
    _unstaged = state
    return False


def pin(values: PyTree, platform: str) -> PyTree:
    """`values`, with the promise that the program they are part of is compiled for `platform`.

    Raises:
        BackendError: when the caller's jit is lowered for another platform.
    """
    return jax.tree.map(lambda value: _pin_p.bind(jnp.asarray(value), platform=platform), values)


def _lower(context: Any, value: Any, *, platform: str) -> list[Any]:
    there = context.platforms or context.module_context.platforms
    if not set(there) & set(PLATFORMS[platform]):
        raise BackendError(
            f'execute(on="{platform}") stands inside a jit that runs on {", ".join(there)}. Leave out `on` to run '
            f"where that jit runs, or run that jit on {platform}: with jax.default_device(jax.devices"
            f'("{platform}")[0]).'
        )
    return [value]


def _jvp(primals: tuple[Array], tangents: tuple[Array], *, platform: str) -> tuple[Array, Array]:
    return _pin_p.bind(*primals, platform=platform), tangents[0]


_staged_p = Primitive("qsim_staged")  # an array of JAX would cost ten times as much
_staged_p.def_impl(lambda: False)
_staged_p.def_abstract_eval(lambda: ShapedArray((), np.dtype(bool)))
mlir.register_lowering(_staged_p, mlir.lower_fun(lambda: jnp.zeros((), bool), multiple_results=False))

_pin_p = Primitive("qsim_pin")
_pin_p.def_impl(lambda value, *, platform: value)
_pin_p.def_abstract_eval(lambda value, *, platform: value)
mlir.register_lowering(_pin_p, _lower)
ad.primitive_jvps[_pin_p] = _jvp
batching.defvectorized(_pin_p)
