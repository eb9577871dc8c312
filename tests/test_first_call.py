"""The first call: value and gradient in a fresh process, no cache, imports not counted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys, time
import jax, jax.numpy as jnp
from circuits import layered, unstructured
from qsim import execute
from qsim.library import transverse_field_ising
from qsim.results import Expectation

make, n, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
jnp.zeros(2).block_until_ready()

def timed(f):
    start = time.perf_counter()
    f()
    return time.perf_counter() - start

circuit = {"layered": layered, "unstructured": unstructured}[make](n, size)
(shape,) = circuit.parameter_shapes().values()
theta = jnp.full(shape, 0.3)
energy = lambda t: execute(circuit, Expectation(transverse_field_ising(n)), {"theta": t})
step = jax.jit(jax.value_and_grad(energy)) if "jit" in sys.argv else jax.value_and_grad(energy)
first = timed(lambda: jax.block_until_ready(step(theta)))
warm = min(timed(lambda: jax.block_until_ready(step(theta))) for _ in range(3))
print(first - warm, warm)
"""


@pytest.mark.slow
@pytest.mark.parametrize("jit", ["jit", "eager"])
@pytest.mark.parametrize("make, n, size", [("layered", 20, 10), ("layered", 12, 1000), ("unstructured", 16, 5000)])
def test_the_first_call_takes_seconds_at_any_depth(make, n, size, jit):
    folder = str(Path(__file__).parent)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([folder, os.environ.get("PYTHONPATH", "")])}
    environment.pop("JAX_COMPILATION_CACHE_DIR", None)
    command = [sys.executable, "-c", SCRIPT, make, str(n), str(size), jit]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd=Path(folder).parent)
    compile_seconds, warm = map(float, done.stdout.split())
    print(f"{make} n={n} size={size} {jit}: first call minus warm {compile_seconds:.2f} s, warm {1e3 * warm:.1f} ms")
    assert compile_seconds <= 5
