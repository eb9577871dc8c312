"""Jobs on devices: their life, waiting for them, and reading what came of them."""

from __future__ import annotations

import math
import random
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from hardware.errors import DeviceBusy, DeviceError, InvalidReply, JobCancelled, JobFailed, JobTimeout
from hardware.programs import Measured, Program
from hardware.reply import bits_of
from qsim._typing import PyTree
from qsim.backends import Job, JobStatus

if TYPE_CHECKING:
    from hardware.device import Device

__all__ = ["Asked", "DeviceJob", "KeptJobs", "Patience", "RemoteJob", "Run"]

MAX_KEPT = 256
"""Jobs that `KeptJobs` remembers."""

READS = 5
"""How often a status or a reply, which changes nothing, is asked for before giving up."""


class RemoteJob(ABC):
    """A job as its vendor's software knows it: what an adapter gives for a submission.

    Every method may raise a vendor's exception; the adapter maps them (see `vendor_errors`).

    Attributes:
        asked: (measured qubits, shots, seed) of each program, told by `Run`, of resumed jobs too.
    """

    asked: Sequence[Asked] = ()

    @property
    @abstractmethod
    def id(self) -> str:
        """The vendor's own name for it."""

    @abstractmethod
    def status(self) -> JobStatus:
        """Where it is now. Never waits."""

    @abstractmethod
    def replies(self) -> Sequence[Any]:
        """For each program what the vendor answered, as `reply.bits_of` takes it; where it is done."""

    @abstractmethod
    def cancel(self) -> None:
        """Ask for it to be cancelled."""

    def queue_position(self) -> int | None:
        """How many jobs are before it; None where unknown."""
        return None

    def failure(self) -> str:
        """What the vendor said of why it failed."""
        return "no reason given"


class KeptJobs(dict[str, RemoteJob]):
    """The last jobs of a device that lives in this process, by id, the oldest first.

    Args:
        device: its name.
    """

    def __init__(self, device: str):
        super().__init__()
        self.device = device

    def keep(self, job: RemoteJob) -> None:
        """Remember a job, and forget the oldest where there are `MAX_KEPT`."""
        while len(self) >= MAX_KEPT:
            self.pop(next(iter(self)))
        self[job.id] = job

    def find(self, id: str) -> RemoteJob:
        """A job that was kept.

        Raises:
            DeviceError: there is none of that id.
        """
        if id not in self:
            raise DeviceError(f"Device `{self.device}` lives in this process, and has no job {id} in it.")
        return self[id]


@dataclass(frozen=True)
class Patience:
    """How a job is waited for: asked again after `first` seconds, then `factor` times longer each time, up to `most`.

    Every wait is drawn from 75 to 125 % of that, so that many processes do not ask at once.

    Args:
        first: seconds. factor: 1 or more. most: seconds.

    Example:
        >>> from hardware import Patience
        >>> 0.75 <= Patience(first=1.0).wait(0) <= 1.25
        True
    """

    first: float = 0.02
    factor: float = 1.5
    most: float = 10.0

    def wait(self, number: int) -> float:
        """The seconds before question `number` + 1."""
        exponent = min(number, 200)
        return min(self.most, self.first * self.factor**exponent) * random.uniform(0.75, 1.25)


@dataclass(frozen=True)
class Asked:
    """What is kept of a program: enough to read the reply."""

    digest: str
    measured: tuple[int, ...]
    shots: int
    seed: int


class Run:
    """Programs that a device was given: waiting for them, and the bits that come of them.

    Args:
        device: where they were submitted. remote: the vendor's job.
        programs: in the order of the replies.
    """

    def __init__(self, device: Device, remote: RemoteJob, programs: Sequence[Program | Asked]):
        self.device, self.remote = device, remote
        self.programs = tuple(Asked(p.digest, p.measured, p.shots, p.seed) for p in programs)
        remote.asked = self.programs
        self._begin = time.monotonic()
        self._lock = threading.Lock()
        self._bits: list[np.ndarray] | None = None
        self._final: JobStatus | None = None
        self.is_lost = False
        """True where it is known that it will give no bits."""

    @property
    def id(self) -> str:
        """The vendor's own name for it."""
        return self.remote.id

    @property
    def elapsed(self) -> float:
        """Seconds since it was submitted, or picked up again."""
        return time.monotonic() - self._begin

    def status(self) -> JobStatus:
        """Where it is now. Never waits."""
        if self._final is not None:
            return self._final
        status = self._read(self.remote.status, "asking for its status")
        if status.is_final:
            self._final = status
            self.is_lost = status is not JobStatus.DONE
        return status

    def queue_position(self) -> int | None:
        """How many jobs are before it; None where unknown."""
        return self._read(self.remote.queue_position, "asking for its place in the queue")

    def cancel(self) -> bool:
        """Ask for it to be cancelled; True where it is."""
        if not self.status().is_final:
            with self.device.translated(f"job {self.id}, cancelling"):
                self.remote.cancel()
        return self.status() is JobStatus.CANCELLED

    def bits(self, timeout: float | None = None) -> list[np.ndarray]:
        """Of each program the bits, uint8 (shots, k); waits for them, in any number of threads."""
        if timeout is not None and (
            isinstance(timeout, (bool, str)) or not isinstance(timeout, Real) or timeout != timeout
        ):
            raise DeviceError(f"Argument `timeout` must be a number of seconds or None, but is {timeout!r}.")
        if self._bits is None:
            self._wait(timeout)
            with self._lock:
                if self._bits is None:
                    self._bits = self._collect()
        return self._bits

    def _wait(self, timeout: float | None) -> None:
        begin, number, line = time.monotonic(), 0, _Line(self)
        try:
            while not (status := self.status()).is_final:
                passed = time.monotonic() - begin
                left = math.inf if timeout is None else timeout - passed
                if left <= 0:
                    raise JobTimeout(
                        f"Job {self.id} on device `{self.device.name}` is {status.value} after {passed:.3g} s. It goes "
                        "on: ask for result() again, or hardware.save(job, path) and hardware.resume(path) later."
                    )
                line.show(status)
                time.sleep(min(self.device.patience.wait(number), left))
                number += 1
        finally:
            line.end()
        if status is JobStatus.CANCELLED:
            raise JobCancelled(f"Job {self.id} on device `{self.device.name}` was cancelled before it had a result.")
        if status is JobStatus.FAILED:
            said = self.device.without_secrets(self._read(self.remote.failure, "asking why it failed"))
            raise JobFailed(f"Job {self.id} on device `{self.device.name}` failed: {said}")

    def _collect(self) -> list[np.ndarray]:
        replies = self._read(self.remote.replies, "reading its results")
        if not isinstance(replies, Sequence) or len(replies) != len(self.programs):
            count = len(replies) if isinstance(replies, Sequence) else type(replies).__name__
            self.is_lost = True
            raise self.device.invalid(f"{count} replies for {len(self.programs)} programs")
        try:
            return [
                bits_of(
                    reply,
                    width=len(asked.measured),
                    shots=asked.shots,
                    seed=asked.seed,
                    device=f"{self.device.name}, job {self.id}",
                    reverse=self.device.reverse_bits,
                    hexadecimal=self.device.hexadecimal_keys,
                )
                for asked, reply in zip(self.programs, replies, strict=True)
            ]
        except InvalidReply as error:
            self.is_lost = True
            raise InvalidReply(self.device.without_secrets(error)) from None

    def _read(self, question: Any, doing: str) -> Any:
        """Ask what changes nothing; again where the device is busy."""
        for attempt in range(READS):
            try:
                with self.device.translated(f"job {self.id}, {doing}"):
                    return question()
            except DeviceBusy:
                if attempt == READS - 1:
                    raise
                time.sleep(self.device.patience.wait(attempt))
        raise AssertionError("unreachable")


class _Line:
    """One line on a terminal that says how a job is doing."""

    AFTER = 1.0

    def __init__(self, run: Run):
        self.run, self.shown = run, 0
        wanted = run.device.progress
        self.wanted = sys.stderr.isatty() if wanted is None else wanted
        self.start = time.monotonic()

    def show(self, status: JobStatus) -> None:
        if not self.wanted or time.monotonic() - self.start < (self.AFTER if self.run.device.progress is None else 0):
            return
        position = self.run.queue_position() if status is JobStatus.QUEUED else None
        place = "" if position is None else f", {position} before it"
        text = f"{self.run.device.name} {self.run.id}: {status.value}{place}, {self.run.elapsed:.0f} s"
        sys.stderr.write("\r" + text.ljust(self.shown))
        sys.stderr.flush()
        self.shown = max(self.shown, len(text))

    def end(self) -> None:
        if self.shown:
            sys.stderr.write("\n")


class DeviceJob(Job):
    """What some requests ask of a run.

    The result is a list: for each request the values of its results. `hardware.save` writes what
    is needed to find the job again; `hardware.resume` does. Jobs of the same programs, shots and key are one
    run on the device: cancelling one of them cancels all; what is submitted after that is run again.

    Args:
        run: the programs on the device; other jobs may ask the same run for other results.
        requests: the results that each request asked for, in the order of the programs.
        metadata: what else is known.

    Example:
        >>> import jax
        >>> from qsim import Circuit, submit
        >>> from qsim.results import Counts
        >>> job = submit(Circuit(1).x(0), Counts(), on="local@line5", shots=10, key=jax.random.key(0)).job
        >>> type(job).__name__, job.result()
        ('DeviceJob', [[{'1': 10}]])
    """

    def __init__(self, run: Run, requests: Sequence[Measured], metadata: Mapping[str, Any] | None = None):
        self.run, self.requests = run, tuple(requests)
        self._metadata = dict(metadata or {})
        self._values: list[list[PyTree]] | None = None

    @property
    def id(self) -> str:
        return self.run.id

    @property
    def metadata(self) -> Mapping[str, Any]:
        device, programs = self.run.device, self.run.programs
        return {
            "device": device.name,
            "id": self.id,
            "programs": len(programs),
            "shots": sum(p.shots for p in programs),
            "facts_date": device.target.date,
            **self._metadata,
        }

    def status(self) -> JobStatus:
        return self.run.status()

    def cancel(self) -> bool:
        return self.run.cancel()

    def result(self, timeout: float | None = None) -> list[list[PyTree]]:
        read = self.run.bits(timeout)
        if self._values is None:
            bits, values = iter(read), []
            for request in self.requests:
                values.append(request.values([next(bits) for _ in range(request.num_programs)]))
            self._values = values
        return self._values

    def __repr__(self) -> str:
        return f"<Job {self.id} on {self.run.device.name}: {len(self.run.programs)} programs>"
