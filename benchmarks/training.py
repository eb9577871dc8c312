"""What the training loop costs: `python -m benchmarks.training [--qubits 8] [--steps 200] [--rounds 15]`.

The same VQE three ways: `minimize` with its progress bar, a bare `lax.scan`, a Python loop of steps that are not
jitted. The first two are run in turn, and medians compared. Both compile in every round, from JAX's cache on disk but
in the first one, whose time for compiling is the one shown.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from statistics import median
from typing import Any

import jax
import optax
from jax import lax

from benchmarks.machine import describe
from qsim import execute
from qsim.library import hardware_efficient, transverse_field_ising
from qsim.results import Expectation
from qsim.training import minimize

LAYERS = 3
OPTIMIZER = optax.adam(0.05)


def problem(num_qubits: int) -> tuple[Any, jax.Array]:
    """The energy of an Ising chain as a function of the angles, and angles to start from."""
    circuit, result = hardware_efficient(num_qubits, LAYERS), Expectation(transverse_field_ising(num_qubits))

    def energy(theta: jax.Array) -> jax.Array:
        return execute(circuit, result, {"theta": theta})

    return energy, 0.1 * jax.random.normal(jax.random.key(0), (LAYERS, 2, num_qubits))


def step(energy: Any, theta: Any, state: Any) -> Any:
    """One step as anyone would write it."""
    value, slope = jax.value_and_grad(energy)(theta)
    updates, state = OPTIMIZER.update(slope, state, theta)
    return optax.apply_updates(theta, updates), state, value


def bare(energy: Any, start: jax.Array, steps: int) -> tuple[Any, float]:
    """All steps as one compiled scan, and how long that took to compile."""

    def run(theta: jax.Array) -> Any:
        def body(carry: Any, _: None) -> Any:
            theta, state, value = step(energy, *carry)
            return (theta, state), value

        return lax.scan(body, (theta, OPTIMIZER.init(theta)), None, length=steps)

    begin = time.perf_counter()
    compiled = jax.jit(run).lower(start).compile()
    return compiled, time.perf_counter() - begin


def seconds(function: Any) -> float:
    """How long a call takes until its values are there."""
    begin = time.perf_counter()
    jax.block_until_ready(function())
    return time.perf_counter() - begin


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    made = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__.splitlines()[0])
    made.add_argument("--qubits", type=int, default=8)
    made.add_argument("--steps", type=int, default=200)
    made.add_argument("--rounds", type=int, default=15, help="how often each is timed (15)")
    made.add_argument("--slow-steps", type=int, default=10, help="steps of the loop that is not jitted (10)")
    options = made.parse_args(arguments)
    steps = options.steps
    energy, start = problem(options.qubits)
    print(" ".join(f"{k} {v};" for k, v in describe().items()), f"jax {jax.__version__}, {jax.default_backend()}")

    ours: list[float] = []
    scans: list[float] = []
    compiling: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        jax.config.update("jax_compilation_cache_dir", folder)
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
        for _ in range(options.rounds):
            result = minimize(energy, start, OPTIMIZER, steps=steps, progress=True)
            run, took = bare(energy, start, steps)
            ours.append(result.seconds)
            scans.append(seconds(lambda run=run: run(start)))
            compiling.append((result.compile_seconds, took))
        jax.config.update("jax_compilation_cache_dir", None)
    print(file=sys.stderr)

    begin = time.perf_counter()
    theta, state = start, OPTIMIZER.init(start)
    for _ in range(options.slow_steps):
        theta, state, _ = jax.block_until_ready(step(energy, theta, state))
    slow = (time.perf_counter() - begin) / options.slow_steps * steps

    mine, scan = median(ours), median(scans)
    whole = mine + compiling[0][0]
    print(f"{options.qubits} qubits, {LAYERS} layers, {steps} steps, median of {options.rounds}")
    print(f"steps:      minimize {1e3 * mine:.1f} ms, scan {1e3 * scan:.1f} ms, ratio {mine / scan:.3f}")
    print(
        f"best:       minimize {1e3 * min(ours):.1f} ms, scan {1e3 * min(scans):.1f} ms, {min(ours) / min(scans):.3f}"
    )
    print(f"compiling:  minimize {compiling[0][0]:.2f} s, scan {compiling[0][1]:.2f} s")
    print(f"not jitted: {slow:.2f} s, {slow / mine:.0f} times the steps, {slow / whole:.1f} times with compiling")
    return 0


if __name__ == "__main__":
    sys.exit(main())
