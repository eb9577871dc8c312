"""`local@...`: our simulator behind the device interface, with a topology, gates and jobs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hardware.device import Device
from hardware.errors import DeviceError
from hardware.job import RemoteJob
from hardware.programs import Program
from hardware.threads import Worker
from qsim import Circuit, execute
from qsim.errors import BackendError
from qsim.ir.instruction import Instruction
from qsim.ir.operation import Barrier
from qsim.ir.target import Target
from qsim.results import Samples

__all__ = ["LocalDevice", "device"]

NATIVES = ("rz", "sx", "x", "cz")
MAX_DIRECT = 10
"""Qubits up to which drawing from the amplitudes takes less than compiling a program does."""


class LocalDevice(Device):
    """A device that our simulator plays, in a thread of its own: the double that others are compared with.

    Args:
        target: its qubits, edges and gates; an unrestricted one is played too.
        name: what messages call it.
        delay: seconds that every job takes at least, half of them in the queue.
        failure: what jobs fail with, for tests of what comes then; None lets them succeed.

    Example:
        >>> import jax
        >>> from hardware.adapters.local import LocalDevice
        >>> from qsim import Circuit, execute
        >>> from qsim.ir.target import Target
        >>> from qsim.results import Counts
        >>> star = LocalDevice(Target.star(4, ["rz", "sx", "cz"]))
        >>> execute(Circuit(3).x(0).cx(0, 2), Counts(), on=star, shots=7, key=jax.random.key(0))
        {'101': 7}
    """

    def __init__(
        self,
        target: Target,
        name: str = "local",
        *,
        delay: float = 0.0,
        failure: str | None = None,
        address: str | None = None,
    ):
        super().__init__(name, target, address=address, source="made up")
        self.failure = failure
        self._worker = Worker(name, delay)

    def send(self, programs: Sequence[Program]) -> RemoteJob:
        x64 = jnp.zeros((), float).dtype == np.float64  # a setting of the caller's thread
        calls: list[Any] = [partial(_samples, program, x64) for program in programs]
        return self._worker.submit(calls if self.failure is None else [*calls, self._fail])

    def retrieve(self, id: str) -> RemoteJob:
        return self._worker.jobs.find(id)

    def _fail(self) -> None:
        raise DeviceError(self.failure)


def _samples(program: Program, x64: bool) -> np.ndarray:
    """The bits (shots, k) of a program, by the simulator, in double precision or not."""
    with jax.enable_x64(x64), jax.default_device(jax.local_devices(backend="cpu")[0]):
        return _drawn(program)


def _drawn(program: Program) -> np.ndarray:
    gates = [i for i in program.circuit.instructions if not isinstance(i.operation, Barrier)]
    used = sorted({*program.measured, *(q for i in gates for q in i.qubits)})
    number = {q: n for n, q in enumerate(used)}
    moved = [Instruction(i.operation, tuple([number[q] for q in i.qubits])) for i in gates]
    places, circuit = [number[q] for q in program.measured], Circuit(len(used)).with_instructions(moved)
    if len(used) > MAX_DIRECT:
        wanted = Samples(places, shots=program.shots)
        return np.asarray(execute(circuit, wanted, on="cpu", key=jax.random.key(program.seed)))
    weights = np.abs(execute(circuit, on="numpy")) ** 2
    weights = weights.astype(float) / weights.sum(dtype=float)
    outcomes = np.random.default_rng(program.seed).choice(len(weights), program.shots, p=weights)
    return (outcomes[:, None] >> (len(used) - 1 - np.array(places, int)) & 1).astype(np.uint8)


SHAPES: dict[str, Any] = {
    "line": lambda n: Target.line(n, NATIVES),
    "ring": lambda n: Target.ring(n, NATIVES),
    "star": lambda n: Target.star(n, NATIVES),
    "heavyhex": lambda d: Target.heavy_hex(d, NATIVES),
    "all": lambda n: Target(n, None, NATIVES),
}
MOST_QUBITS = 1_000


def device(name: str | None) -> LocalDevice:
    """The entry point: "line5", "ring5", "star5", "grid2x3", "heavyhex" (distance 3, or "heavyhex5"), "all4"."""
    grid = re.fullmatch(r"grid(\d{1,3})x(\d{1,3})", name or "")
    shape = re.fullmatch(r"([a-z]+?)(\d{0,4})", name or "")
    address = f"local@{name}"
    if grid:
        rows, columns = int(grid[1]), int(grid[2])
        if 1 <= rows * columns <= MOST_QUBITS:
            return LocalDevice(Target.grid(rows, columns, NATIVES), address, address=address)
    elif shape and shape[1] in SHAPES and (shape[2] or shape[1] == "heavyhex"):
        size = int(shape[2] or 3)
        most = 21 if shape[1] == "heavyhex" else MOST_QUBITS
        if 1 <= size <= most and (shape[1] != "heavyhex" or size % 2):
            return LocalDevice(SHAPES[shape[1]](size), address, address=address)
    raise BackendError(
        f"Unknown device {address!r}. Try local@line5, local@ring5, local@star5, local@grid2x3, local@heavyhex "
        f"(distance 3) or local@all4, with up to {MOST_QUBITS} qubits."
    )
