"""What a program of the local simulator takes, measured by running it: `explain(..., measure=True)`."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp

from qsim._errors import MethodError
from qsim.backends.atoms import atoms_of
from qsim.backends.base import Backend, Request
from qsim.backends.local import LocalBackend
from qsim.backends.placement import find_device, is_staged

SECONDS, FEWEST, MOST = 0.5, 3, 100
"""How long a compiled program is run again and again, and how often at least and at most."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one program took.

    Attributes:
        compile_seconds: tracing, and compiling or reading it from the folder that QSIM_CACHE_DIR names.
        seconds: the median of a few warm runs.
        bytes: its arguments, results and what it keeps meanwhile; None where JAX does not say.
    """

    compile_seconds: float
    seconds: float
    bytes: int | None


@dataclass(frozen=True, slots=True)
class Measurement:
    """The values, and values and gradient; the latter None where there is nothing to differentiate."""

    value: Measured
    gradient: Measured | None


def measure_request(backend: Backend, request: Request) -> Measurement:
    """Compile and run what `backend` would run for `request`; parameters are the programs' arguments.

    The gradient is that of the sum of all results.

    Raises:
        MethodError: another backend than the local simulator, or inside a jit.
    """
    if not isinstance(backend, LocalBackend):
        raise MethodError(
            f"Argument `measure` must be False on backend `{backend.name}`, where nothing is compiled. Time execute() "
            "instead, or leave out `on`."
        )
    if is_staged():
        raise MethodError("Argument `measure` must be False inside jax.jit. Call explain() outside of it.")
    params = {name: jnp.asarray(value) for name, value in request.params.items()}
    smooth = {name: value for name, value in params.items() if jnp.issubdtype(value.dtype, jnp.floating)}

    def values(some: Any) -> Any:
        return backend.run(replace(request, params={**params, **some})).result()

    def total(some: Any) -> Any:
        return sum(jnp.sum(jnp.real(leaf)) for leaf in jax.tree.leaves(values(some)))

    place = nullcontext()
    if backend.platform is not None:
        place = jax.default_device(find_device(backend.platform, backend.index))
    with place:
        value = _measure(values, params)
        if not smooth or not all(result.differentiable for result in atoms_of(request.results)):
            return Measurement(value, None)
        return Measurement(value, _measure(jax.value_and_grad(total), smooth))


def _measure(function: Callable[[Any], Any], argument: Any) -> Measured:
    begin = time.perf_counter()
    program = jax.jit(function).lower(argument).compile()
    compiled = time.perf_counter() - begin
    jax.block_until_ready(program(argument))
    times: list[float] = []
    while len(times) < FEWEST or (sum(times) < SECONDS and len(times) < MOST):
        begin = time.perf_counter()
        jax.block_until_ready(program(argument))
        times.append(time.perf_counter() - begin)
    return Measured(compiled, sorted(times)[len(times) // 2], _bytes(program.memory_analysis()))


def _bytes(analysis: Any) -> int | None:
    """All that a program has in memory at a time."""
    if analysis is None:
        return None
    sizes = (analysis.argument_size_in_bytes, analysis.output_size_in_bytes, analysis.temp_size_in_bytes)
    return sum(sizes) - analysis.alias_size_in_bytes
