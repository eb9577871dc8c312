"""Optimisers on one problem, from one start: `python -m benchmarks.optimisers [--quick]`.

The ground energy of the Ising chain in a transverse field, n = 8, j = h = 1, from layers of RZZ on every bond
and RX on every qubit, each gate with an angle of its own. Prints for each optimiser the step at which the energy
is first within 1e-3 of the exact one, at the best of a few learning rates, and the seconds of a warm step.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from qsim import Circuit, ParameterVector, PauliSum, execute
from qsim.gradients import (
    ConjugateGradient,
    GradientFree,
    natural_gradient,
    parameter_layers,
    qn_spsa,
    rotosolve,
    spsa,
)
from qsim.library import transverse_field_ising
from qsim.results import Expectation

TOLERANCE = 1e-3


@dataclass(frozen=True)
class Problem:
    """A circuit, what to minimise, where to begin, and what there is to reach."""

    circuit: Circuit
    hamiltonian: PauliSum
    start: dict[str, Any]
    exact: float

    def energy(self, params: Any) -> Any:
        """<H>."""
        return execute(self.circuit, Expectation(self.hamiltonian), params)


@dataclass(frozen=True)
class Entry:
    """One optimiser: `make(learning_rate)`, the learning rates to try, how many steps at most, and what one costs."""

    make: Callable[[Any], optax.GradientTransformation]
    rates: tuple[Any, ...]
    steps: int
    cost: str


@dataclass(frozen=True)
class Outcome:
    """A run: the first step within the tolerance, None where there is none; the error at the end; seconds a step."""

    rate: Any
    reached: int | None
    error: float
    seconds: float


def ising(num_qubits: int = 8, layers: int = 6, seed: int = 0) -> Problem:
    """The problem, with angles of some 0.1 to start from."""
    bonds, field = ParameterVector("zz", (layers, num_qubits - 1)), ParameterVector("x", (layers, num_qubits))
    circuit = Circuit(num_qubits).h(range(num_qubits))
    for layer in range(layers):
        for qubit in range(num_qubits - 1):
            circuit.rzz(bonds[layer, qubit], qubit, qubit + 1)
        circuit.rx(field[layer], range(num_qubits))
    rng = np.random.default_rng(seed)
    start = {v.name: jnp.asarray(rng.normal(0, 0.1, v.shape), jnp.float32) for v in (bonds, field)}
    hamiltonian = transverse_field_ising(num_qubits)
    return Problem(circuit, hamiltonian, start, hamiltonian.ground_state()[0])


def entries(problem: Problem) -> dict[str, Entry]:
    """What is compared."""
    circuit = problem.circuit
    size = sum(a.size for a in problem.start.values())
    layers = parameter_layers(circuit)
    return {
        "adam": Entry(optax.adam, (0.1, 0.2, 0.3, 0.5), 600, "1 gradient"),
        "natural gradient, full": Entry(
            lambda rate: natural_gradient(circuit, rate), (0.05, 0.1), 60, f"1 gradient, {size} tangents"
        ),
        "natural gradient, CG": Entry(
            lambda rate: natural_gradient(circuit, rate, solver=ConjugateGradient()),
            (0.1,),
            100,
            "1 gradient, some tangents and adjoint passes",
        ),
        "natural gradient, blocks": Entry(
            lambda rate: natural_gradient(circuit, rate, blocks=layers, damping=1e-2),
            (0.005, 0.01, 0.02),
            500,
            f"1 gradient, {size} tangents",
        ),
        "rotosolve": Entry(lambda _: rotosolve(circuit), (None,), 200, f"{3 * size} values"),
        "spsa": Entry(lambda rate: spsa(rate, 0.05), (0.3, 1.0), 5000, "2 values"),
        "qn_spsa": Entry(
            lambda rate: qn_spsa(circuit, rate, 0.05, damping=0.1, blocking=0.0),
            (0.1, 0.5),
            3000,
            "3 values, 4 fidelities",
        ),
    }


def run(problem: Problem, entry: Entry, rate: Any) -> Outcome:
    """All steps in one compiled scan, once to compile and once for the time."""
    made = entry.make(rate)
    optimizer = optax.with_extra_args_support(made)

    def step(carry: Any, key: Any) -> tuple[Any, Any]:
        params, state = carry
        if isinstance(made, GradientFree):
            value, gradient = problem.energy(params), jax.tree.map(jnp.zeros_like, params)
        else:
            value, gradient = jax.value_and_grad(problem.energy)(params)
        extra = {"value": value, "grad": gradient, "value_fn": problem.energy, "key": key}
        updates, state = optimizer.update(gradient, state, params, **extra)
        return (optax.apply_updates(params, updates), state), value

    train = jax.jit(lambda start, keys: jax.lax.scan(step, (start, optimizer.init(start)), keys)[1])
    keys = jax.random.split(jax.random.key(1), entry.steps)
    train(problem.start, keys).block_until_ready()
    begin = time.perf_counter()
    errors = np.asarray(train(problem.start, keys)) - problem.exact
    seconds = (time.perf_counter() - begin) / entry.steps
    reached = np.flatnonzero(errors < TOLERANCE)
    return Outcome(rate, int(reached[0]) if reached.size else None, float(errors[-1]), seconds)


def best(outcomes: list[Outcome]) -> Outcome:
    """The run that was there first, or came closest."""
    return min(outcomes, key=lambda o: (o.reached is None, o.reached, o.error) if o.reached else (True, 0, o.error))


def main(arguments: list[str] | None = None) -> int:
    """Run and print."""
    made = argparse.ArgumentParser(prog="python -m benchmarks.optimisers", description=__doc__)
    made.add_argument("--quick", action="store_true", help="4 qubits, 3 layers")
    made.add_argument("--only", metavar="TEXT", default="", help="optimisers whose name has this in it")
    made.add_argument("--seed", type=int, default=0, help="of the start")
    options = made.parse_args(arguments)
    problem = ising(4, 3, options.seed) if options.quick else ising(seed=options.seed)
    size = sum(a.size for a in problem.start.values())
    print(f"{problem.circuit.num_qubits} qubits, {size} parameters, ground energy {problem.exact:.6f}")
    print(f"{'optimiser':26} {'rate':>6} {'steps':>6} {'last error':>11} {'ms a step':>10} {'seconds':>8}  a step is")
    for name, entry in entries(problem).items():
        if options.only in name:
            found = best([run(problem, entry, rate) for rate in entry.rates])
            reached = f"> {entry.steps}" if found.reached is None else str(found.reached)
            total = "-" if found.reached is None else f"{found.reached * found.seconds:.2f}"
            rate = "-" if found.rate is None else f"{found.rate:g}"
            line = f"{name:26} {rate:>6} {reached:>6} {found.error:11.1e} {1e3 * found.seconds:10.2f} {total:>8}"
            print(f"{line}  {entry.cost}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
