"""The compiled loop: as many steps as it is told, one program for any number of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from qsim._typing import Array, Key, PyTree
from qsim.training.data import Minibatches, Whole
from qsim.training.problem import Problem

MOST_STEPS = 4096
"""How many steps the program takes at most before the host hears of it."""
ROW_BYTES = 1 << 20
"""How large the buffer of losses and metrics may be."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """What no step changes: the data, and the key of the training."""

    data: Minibatches | Whole
    key: Key


@jax.tree_util.register_dataclass
@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where a training stands: before step `step`, an int32 array."""

    step: Array
    params: PyTree
    opt_state: PyTree


@jax.tree_util.register_dataclass
@dataclass(frozen=True, slots=True, eq=False)
class Leg:
    """What one call of the program reports.

    Attributes:
        place: after the last step, good or not.
        fine: whether all losses, and the parameters there, are finite. Steps end with the first loss that is not.
        rows: name -> (capacity, ...), losses and metrics from the first step of this call on.
    """

    place: Place
    fine: Array
    rows: dict[str, Array]


@dataclass(frozen=True, eq=False)
class Loop:
    """The program: `run(place, stop, inputs)` steps from `place` until before step `stop`.

    Attributes:
        buffers: what the rows of a call look like, name -> shape (capacity, ...) and dtype.
        seconds: how long it took to trace and compile.
    """

    run: Callable[[Place, Any, Inputs], Leg]
    buffers: dict[str, Any]
    seconds: float

    @property
    def capacity(self) -> int:
        """How many steps a call may have."""
        return self.buffers["loss"].shape[0]

    def no_rows(self) -> dict[str, np.ndarray]:
        """The rows of no steps."""
        return {name: np.zeros((0, *s.shape[1:]), s.dtype) for name, s in self.buffers.items()}


def compile_loop(problem: Problem, place: Place, inputs: Inputs) -> Loop:
    """Trace and compile the program."""
    begin = time.perf_counter()

    @jax.jit  # traced once: for the shapes of its rows, and again from memory for the loop
    def step(place: Place, kept: PyTree, inputs: Inputs) -> Any:
        return _step(problem, place, kept, inputs)

    def run(place: Place, stop: Array, inputs: Inputs) -> Leg:
        shapes = jax.eval_shape(step, place, inputs.data.begin(), inputs)[2]
        rows = {name: jnp.zeros((capacity_of(shapes), *s.shape), s.dtype) for name, s in shapes.items()}
        first = place.step

        def goes_on(state: Any) -> Array:
            leg, _ = state
            return leg.fine & (leg.place.step < stop)

        def body(state: Any) -> Any:  # nothing but the step and its loss: what goes wrong is looked for afterwards
            leg, kept = state
            here = leg.place
            there, kept, row = step(here, kept, inputs)
            rows = {n: lax.dynamic_update_index_in_dim(leg.rows[n], row[n], here.step - first, 0) for n in row}
            return Leg(there, jnp.isfinite(row["loss"]), rows), kept

        begun = Leg(place, jnp.array(True), rows)
        leg = lax.while_loop(goes_on, body, (begun, inputs.data.begin()))[0]
        finite = [jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(leg.place.params)]
        return Leg(leg.place, leg.fine & jnp.all(jnp.stack(finite)), leg.rows)

    traced = jax.jit(run).trace(place, place.step, inputs)
    compiled = traced.lower().compile()
    return Loop(compiled, traced.out_info.rows, time.perf_counter() - begin)


def capacity_of(row: dict[str, Any]) -> int:
    """How many rows the buffer has."""
    size = sum(s.dtype.itemsize * int(np.prod(s.shape)) for s in row.values())
    return max(1, min(MOST_STEPS, ROW_BYTES // max(1, size)))


def trace_loop(problem: Problem, place: Place, inputs: Inputs, steps: int) -> tuple[Place, dict[str, Array], Array]:
    """All steps as one `lax.scan` inside of someone else's program: where it ends, the rows, the loss there."""

    def body(state: Any, _: None) -> Any:
        place, kept = state
        place, kept, row = _step(problem, place, kept, inputs)
        return (place, kept), row

    (place, kept), rows = lax.scan(body, (place, inputs.data.begin()), None, length=steps)
    batch, _ = inputs.data.take(place.step, kept)
    key = jax.random.fold_in(jax.random.fold_in(inputs.key, place.step), 0)
    return place, rows, problem.value(place.params, batch, key)


def _step(problem: Problem, place: Place, kept: PyTree, inputs: Inputs) -> tuple[Place, PyTree, dict[str, Array]]:
    """One step: where it leads, what the data keep from step to step, and its row of losses and metrics."""
    batch, kept = inputs.data.take(place.step, kept)
    params, opt_state, row = problem.step(place.params, place.opt_state, batch, inputs.key, place.step)
    return Place(place.step + 1, params, opt_state), kept, row
