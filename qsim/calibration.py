"""Measure what the cost model is made of, on this machine: `qsim calibrate`.

A few small plans, one for each way to run things, are compiled and timed with and without
their gradient. The prices of `Costs` are fitted to the times: Gauss-Newton steps on the
logarithms of both, drawn a little to the defaults, so that prices that no plan here tells
apart stay in proportion.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from qsim._compile import tables_of
from qsim._errors import QsimError
from qsim._execute import execute
from qsim._program import ZERO_STATE, Runner, Values
from qsim.ir.circuit import Circuit
from qsim.ir.parameter import Parameter, ParameterVector
from qsim.ir.pauli import X, Z
from qsim.ir.serial import save
from qsim.lower.build import build_plan
from qsim.lower.calibration import DEFAULT, LEAST, MOST, Calibration, Costs, default_costs, this_machine
from qsim.lower.cost import BLOCK_QUBITS, NARROWER, Counts, busy_seconds, count
from qsim.methods import Statevector
from qsim.results import Expectation
from qsim.rules import Adjoint

__all__ = ["Costs", "Report", "Timing", "calibrate", "measure"]

SIZES = (8, 16)
"""Qubits of the states that prices are measured on: one where steps decide, one where amplitudes do."""
FAR_SIZE = 20
"""Qubits of a state that lies outside the nearest caches."""
SECONDS, FEWEST_RUNS, MOST_RUNS = 0.25, 5, 200
"""How long a program is run again and again for its shortest time, and how often at least and at most."""
LONG = 1e-3
"""Seconds of a run that may well be interrupted."""
LIMIT = 60.0
"""Seconds after which no further program is compiled: what was measured by then must do."""
CALL = 3e-5
"""Seconds added to all times: smaller differences matter to nobody."""
PULL = 0.05
"""How much a price is drawn to its default, against being off by as much in one time."""
STEPS = 60

TAPE, SWEEPS = replace(DEFAULT, gather=LEAST), replace(DEFAULT, gather=MOST)
"""Prices by which all blocks run as a tape, or in sweeps where they can."""


@dataclass(frozen=True, slots=True)
class Timing:
    """One program and its shortest run.

    Attributes:
        name: what it is. num_qubits: of the state. gradient: whether its gradient is computed too.
        counts: how often it does what.
        seconds: what a run took.
    """

    name: str
    num_qubits: int
    gradient: bool
    counts: Counts
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """What `calibrate` measured. Prints as a table of old and new prices.

    Attributes:
        path: the file that was written.
        old, new: the prices.
        timings: what the new ones were fitted to.
        programs: how many there are to be timed; where there was time for fewer, some prices stay as they were.
        worst: the largest factor between a time and what the new prices make of it.
    """

    path: Path
    old: Costs
    new: Costs
    timings: tuple[Timing, ...]
    programs: int
    worst: float

    def __str__(self) -> str:
        units = {"far": "x", "backward": "x", "block": "us", "step": "us", "call": "us"}
        lines = [f"{'':10}{'default':>9}{'measured':>10}"]
        for name in (f.name for f in fields(Costs)):
            values = f"{getattr(self.old, name):9.3g}{getattr(self.new, name):10.3g}"
            lines.append(f"{name:10}{values}  {units.get(name, 'ns per amplitude')}")
        timed = f"{len(self.timings)} of {self.programs} programs timed"
        return "\n".join([*lines, f"{timed}, fitted within a factor of {self.worst:.2f}"])


def calibrate(folder: str | Path | None = None) -> Report:
    """Measure the prices of the cost model on JAX's default device and keep them for this machine.

    Takes about 30 seconds. Processes that start afterwards, with QSIM_CACHE_DIR naming the same
    folder, plan and predict by what was measured; this one goes on as it began.

    Args:
        folder: where the file is written; None takes the folder that QSIM_CACHE_DIR names.

    Returns:
        The old and the new prices; prints as a table.

    Raises:
        QsimError: no folder is named.
        SerialError: the file cannot be written.

    Example:
        >>> from qsim.calibration import calibrate
        >>> calibrate("measured/here")  # doctest: +SKIP
    """
    folder = os.environ.get("QSIM_CACHE_DIR") if folder is None else folder
    if not folder:
        raise QsimError(
            "There is no folder to keep the measurement in. Set the environment variable QSIM_CACHE_DIR to one, here "
            "and where programs are to use it: QSIM_CACHE_DIR=FOLDER qsim calibrate."
        )
    machine = this_machine()
    path = Path(folder) / machine.file_name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise QsimError(f"{path.parent}: cannot be made a folder ({error.strerror}). Name another one.") from None
    timings, call = measure()
    old = default_costs()
    new, worst = fit(timings, replace(old, call=call))
    save(Calibration(machine, new), path)
    return Report(path, old, new, timings, len(_programs()), worst)


def measure() -> tuple[tuple[Timing, ...], float]:
    """Time the programs. Also the microseconds of a call of `execute` that does nothing.

    Example:
        >>> from qsim.calibration import measure
        >>> timings, call = measure()  # doctest: +SKIP
    """
    begin = time.perf_counter()
    trivial = Circuit(1).rx(Parameter("t"), 0)
    one = np.float32(0.3)
    call = 1e6 * _shortest(lambda: execute(trivial, Expectation(Z(0)), {"t": one}))
    idle = _time(Circuit(1).rx(ParameterVector("t", 1)[0], 0), SWEEPS, BLOCK_QUBITS, gradient=False)[1]
    found: list[Timing] = []
    for name, num_qubits, gradient, make, costs, k in _programs():
        if found and time.perf_counter() - begin > LIMIT:
            break
        counts, seconds = _time(make(num_qubits), costs, k, gradient=gradient)
        found.append(Timing(name, num_qubits, gradient, counts, max(seconds - idle, 0.05 * seconds)))
    return tuple(found), call


def fit(timings: Sequence[Timing], start: Costs) -> tuple[Costs, float]:
    """The prices that explain the times best, and the largest factor by which one is missed."""
    names = [f.name for f in fields(Costs) if f.name != "call"]
    first = np.log(np.array(astuple(start)))[: len(names)]
    measured = np.log([t.seconds + CALL for t in timings])

    def predicted(logs: np.ndarray) -> np.ndarray:
        costs = replace(start, **dict(zip(names, np.exp(logs).tolist(), strict=True)))
        busy = np.array([busy_seconds(t.counts, costs, t.num_qubits) for t in timings])
        return np.log(busy * (1 + costs.backward * np.array([t.gradient for t in timings])) + CALL)

    logs = first
    for _ in range(STEPS):
        here = predicted(logs)
        slopes = np.stack([predicted(logs + 1e-5 * e) - here for e in np.eye(len(logs))], axis=1) / 1e-5
        matrix = np.concatenate([slopes, PULL * np.eye(len(logs))])
        rest = np.concatenate([measured - here, PULL * (first - logs)])
        logs = np.clip(logs + 0.5 * np.linalg.lstsq(matrix, rest, rcond=None)[0], np.log(LEAST), np.log(MOST))
    worst = float(np.exp(np.abs(predicted(logs) - measured).max()))
    return replace(start, **dict(zip(names, (float(f"{v:.4g}") for v in np.exp(logs)), strict=True))), worst


def _programs() -> list[tuple[str, int, bool, Callable[[int], Circuit], Costs, int]]:
    """(name, qubits, gradient, circuit, prices to plan by, qubits of a block), what matters most first."""
    widths, (small, large), far = (BLOCK_QUBITS, *NARROWER), SIZES, FAR_SIZE
    layers = [("layers with signs", n, True, _signs, SWEEPS, k) for n in (large, small) for k in widths]
    others = [
        (name, n, gradient, make, costs, BLOCK_QUBITS)
        for name, make, costs, gradients in (
            ("blocks at any place", _scattered, TAPE, (False, True)),
            ("Pauli rotations", _strings, DEFAULT, (False, True)),
            ("layers with signs", _signs, SWEEPS, (False,)),
            ("layers with phases", _phases, SWEEPS, (False,)),
            ("Fourier transforms", _wide, DEFAULT, (False,)),
            ("one gate", _one, DEFAULT, (False,)),
        )
        for gradient in gradients
        for n in (large, small)
    ]
    return [
        *layers,
        *others,
        *(("layers with signs", far, gradient, _signs, SWEEPS, BLOCK_QUBITS) for gradient in (False, True)),
    ]


def _time(circuit: Circuit, costs: Costs, k: int, *, gradient: bool) -> tuple[Counts, float]:
    """What the circuit's plan by these prices in blocks of k qubits does, and its shortest run in seconds."""
    plan = build_plan(circuit, k, costs=costs)
    result = Expectation(Z(0))
    leaves, structure = jax.tree.flatten(result)
    runner = Runner(
        plan=plan,
        shared=False,
        structure=structure,
        method=Statevector(),
        gradient=Adjoint(),
        shots=None,
        spectra=None,
        declared={"t": 1},
        amplitudes=False,
        num_clbits=0,
        measured=None,
    )
    host = jax.device_put(tables_of(plan, runner.gradient))
    numbers = circuit.numbers()

    def energy(t: Any, host: Any) -> Any:
        return runner(host, Values(numbers, {"t": t}, circuit.values(), leaves, ZERO_STATE, None))

    function = jax.jit(jax.value_and_grad(energy) if gradient else energy)
    t = jnp.linspace(0.1, 1.0, circuit.parameter_shapes()["t"][0])
    return count(plan)[1], _shortest(lambda: function(t, host))


def _shortest(run: Callable[[], Any]) -> float:
    """The shortest of many runs in seconds, after one to compile and one to warm up.

    A run on the CPU that other processes interrupt takes no longer than its time on the processor.
    """
    for _ in range(2):
        jax.block_until_ready(run())
    on_cpu = jax.default_backend() == "cpu"
    best, begin = float("inf"), time.perf_counter()
    for number in range(MOST_RUNS):
        before, busy = time.perf_counter(), time.process_time()
        jax.block_until_ready(run())
        now, busy = time.perf_counter(), time.process_time() - busy
        seconds = now - before
        best = min(best, busy if on_cpu and LONG < busy < seconds else seconds)
        if now - begin > SECONDS and number + 1 >= FEWEST_RUNS:
            break
    return best


def _signs(n: int) -> Circuit:
    """Layers of RY, RZ and a chain of CZ."""
    layers = 5 if n >= FAR_SIZE else 10
    t, circuit = ParameterVector("t", (2 * n * layers,)), Circuit(n)
    for layer in range(layers):
        for q in range(n):
            circuit.ry(t[2 * (n * layer + q)], q).rz(t[2 * (n * layer + q) + 1], q)
        for q in range(n - 1):
            circuit.cz(q, q + 1)
    return circuit


def _phases(n: int) -> Circuit:
    """Layers of RX and a chain of RZZ."""
    t, circuit = ParameterVector("t", 20), Circuit(n)
    for layer in range(10):
        for q in range(n):
            circuit.rx(t[2 * layer], q)
        for q in range(n - 1):
            circuit.rzz(t[2 * layer + 1], q, q + 1)
    return circuit


def _scattered(n: int) -> Circuit:
    """Rotations and CX anywhere."""
    rng = np.random.default_rng(0)
    t, circuit = ParameterVector("t", 120), Circuit(n)
    for g in range(120):
        a, b = map(int, rng.choice(n, 2, replace=False))
        circuit.ry(t[g], a).cx(a, b)
    return circuit


def _strings(n: int) -> Circuit:
    """Rotations by Pauli strings on five qubits."""
    rng = np.random.default_rng(0)
    t, circuit = ParameterVector("t", 20), Circuit(n)
    for g in range(20):
        a, b, c, d, e = map(int, rng.choice(n, 5, replace=False))
        circuit.pauli_evolution(X(a) @ Z(b) @ Z(c) @ Z(d) @ X(e), t[g])
    return circuit


def _wide(n: int) -> Circuit:
    """Fourier transforms on more than half of the qubits, with rotations between."""
    t, circuit = ParameterVector("t", 4), Circuit(n)
    for g in range(4):
        circuit.rx(t[g], 0).qft([(g + q) % n for q in range(n // 2 + 1)])
    return circuit


def _one(n: int) -> Circuit:
    return Circuit(n).rx(ParameterVector("t", 1)[0], 0)
