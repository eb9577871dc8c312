"""`local@...`: our simulator behind the device interface, with a topology, gates and jobs."""

from __future__ import annotations

import itertools
import re
import threading
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hardware.device import Device
from hardware.errors import DeviceError
from hardware.job import RemoteJob
from hardware.programs import Program
from qsim import Circuit, execute
from qsim.backends import JobStatus
from qsim.errors import BackendError
from qsim.ir.instruction import Instruction
from qsim.ir.operation import Barrier
from qsim.ir.target import Target
from qsim.results import Samples

__all__ = ["LocalDevice", "device"]

NATIVES = ("rz", "sx", "x", "cz")
MAX_KEPT = 256
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
        self.delay, self.failure = delay, failure
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._jobs: dict[str, _LocalJob] = {}

    def send(self, programs: Sequence[Program]) -> RemoteJob:
        job = _LocalJob(self, programs)
        while len(self._jobs) >= MAX_KEPT:
            self._jobs.pop(next(iter(self._jobs)))
        self._jobs[job.id] = job
        return job

    def retrieve(self, id: str) -> RemoteJob:
        if id not in self._jobs:
            raise DeviceError(f"Device `{self.name}` lives in this process, and has no job {id} in it.")
        return self._jobs[id]


class _LocalJob(RemoteJob):
    def __init__(self, device: LocalDevice, programs: Sequence[Program]):
        self._id = f"{device.name}-{uuid.uuid4().hex[:12]}"
        self._device, self._programs = device, tuple(programs)
        self._started, self._stop = threading.Event(), threading.Event()
        x64 = jnp.zeros((), float).dtype == np.float64  # a setting of the caller's thread
        self._future: Future[list[Any]] = device._pool.submit(self._work, x64)

    @property
    def id(self) -> str:
        return self._id

    def status(self) -> JobStatus:
        if self._stop.is_set() or self._future.cancelled():
            return JobStatus.CANCELLED
        if not self._future.done():
            return JobStatus.RUNNING if self._started.is_set() else JobStatus.QUEUED
        return JobStatus.FAILED if self._future.exception() else JobStatus.DONE

    def queue_position(self) -> int | None:
        before = itertools.takewhile(lambda job: job is not self, self._device._jobs.values())
        return sum(not job.status().is_final for job in before)

    def replies(self) -> Sequence[Any]:
        return self._future.result()

    def cancel(self) -> None:
        if not self._future.done():
            self._stop.set()
            self._future.cancel()

    def failure(self) -> str:
        return str(self._future.exception())

    def _work(self, x64: bool) -> list[Any]:
        self._pause()
        self._started.set()
        with jax.enable_x64(x64), jax.default_device(jax.local_devices(backend="cpu")[0]):
            replies = [_samples(program) for program in self._programs]
        self._pause()
        if self._device.failure is not None:
            raise DeviceError(self._device.failure)
        return replies

    def _pause(self) -> None:
        end = time.monotonic() + self._device.delay / 2
        while (left := end - time.monotonic()) > 0:
            if self._stop.wait(min(left, 0.05)):
                raise CancelledError


def _samples(program: Program) -> np.ndarray:
    """The bits (shots, k) of a program, by the simulator."""
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
