"""Jobs on devices: their life, waiting for them, and picking them up again in another process."""

from __future__ import annotations

import json
import math
import os
import random
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from hardware.errors import DeviceBusy, DeviceError, JobCancelled, JobFailed, JobTimeout
from hardware.programs import Measured, Program, measured
from hardware.reply import bits_of
from qsim._typing import PyTree
from qsim.backends import Job, JobStatus, MappedJob, find_backend
from qsim.backends.host import composed
from qsim.backends.hostdata import batch_shape
from qsim.errors import SerialError
from qsim.ir.json_nodes import Node, envelope, open_envelope, parse, read_file
from qsim.results.base import Context
from qsim.results.codec import from_json, to_json

if TYPE_CHECKING:
    from hardware.device import Device

__all__ = ["DeviceJob", "JobHandle", "Patience", "RemoteJob", "resume", "save"]

KIND = "job_handle"
MAX_PROGRAMS, MAX_REQUESTS, MAX_BITS = 1_000_000, 1_000_000, 10_000
READS = 5
"""How often a status or a reply, which changes nothing, is asked for before giving up."""


class RemoteJob(ABC):
    """A job as its vendor's software knows it: what an adapter gives for a submission.

    Every method may raise a vendor's exception; the adapter maps them (see `vendor_errors`).

    Attributes:
        asked: (measured qubits, shots, seed) of each program, told by `DeviceJob`, of resumed jobs too.
    """

    asked: Sequence[_Asked] = ()

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


@dataclass(frozen=True)
class Patience:
    """How a job is waited for: asked again after `first` seconds, then `factor` times longer each time, up to `most`.

    Every wait is drawn from 75 to 125 % of that, so that many processes do not ask at once.
    """

    first: float = 0.02
    factor: float = 1.5
    most: float = 10.0

    def wait(self, number: int) -> float:
        """The seconds before question `number` + 1."""
        exponent = min(number, 200)
        return min(self.most, self.first * self.factor**exponent) * random.uniform(0.75, 1.25)


class DeviceJob(Job):
    """Programs that a device was given, and the values that come of them.

    The result is a list: for each request the values of its results. `save` writes what is
    needed to find the job again; `resume` does.

    Args:
        device: where it was submitted. remote: the vendor's job.
        programs: (measured qubits, shots, seed) of each.
        requests: the results that each request asked for, in the order of the programs.
        metadata: what else is known.
    """

    def __init__(
        self,
        device: Device,
        remote: RemoteJob,
        programs: Sequence[Program | _Asked],
        requests: Sequence[Measured],
        metadata: Mapping[str, Any] | None = None,
    ):
        self.device, self.remote = device, remote
        self.programs = tuple(_Asked(p.digest, p.measured, p.shots, p.seed) for p in programs)
        self.requests = tuple(requests)
        remote.asked = self.programs
        self._metadata = dict(metadata or {})
        self._begin = time.monotonic()
        self._lock = threading.Lock()
        self._values: list[list[PyTree]] | None = None
        self._final: JobStatus | None = None

    @property
    def id(self) -> str:
        return self.remote.id

    @property
    def metadata(self) -> Mapping[str, Any]:
        return {
            "device": self.device.name,
            "id": self.id,
            "programs": len(self.programs),
            "shots": sum(p.shots for p in self.programs),
            "facts_date": self.device.target.date,
            **self._metadata,
        }

    def status(self) -> JobStatus:
        if self._final is not None:
            return self._final
        status = self._read(self.remote.status, "asking for its status")
        if status.is_final:
            self._final = status
        return status

    def cancel(self) -> bool:
        if not self.status().is_final:
            with self.device.translated(f"job {self.id}, cancelling"):
                self.remote.cancel()
        return self.status() is JobStatus.CANCELLED

    def result(self, timeout: float | None = None) -> list[list[PyTree]]:
        with self._lock:
            if self._values is None:
                self._wait(timeout)
                self._values = self._collect()
            return self._values

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

    def _collect(self) -> list[list[PyTree]]:
        replies = self._read(self.remote.replies, "reading its results")
        if not isinstance(replies, Sequence) or len(replies) != len(self.programs):
            count = len(replies) if isinstance(replies, Sequence) else type(replies).__name__
            raise self.device.invalid(f"{count} replies for {len(self.programs)} programs")
        bits = [
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
        values, at = [], 0
        for request in self.requests:
            values.append(request.values(bits[at : at + request.num_programs]))
            at += request.num_programs
        return values

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

    def __repr__(self) -> str:
        return f"<Job {self.id} on {self.device.name}: {len(self.programs)} programs>"

    @property
    def elapsed(self) -> float:
        """Seconds since it was submitted, or picked up again."""
        return time.monotonic() - self._begin


@dataclass(frozen=True)
class _Asked:
    """What is kept of a program: enough to read the reply."""

    digest: str
    measured: tuple[int, ...]
    shots: int
    seed: int


class _Line:
    """One line on a terminal that says how a job is doing."""

    AFTER = 1.0

    def __init__(self, job: DeviceJob):
        self.job, self.shown = job, 0
        wanted = job.device.progress
        self.wanted = sys.stderr.isatty() if wanted is None else wanted
        self.start = time.monotonic()

    def show(self, status: JobStatus) -> None:
        if not self.wanted or time.monotonic() - self.start < (self.AFTER if self.job.device.progress is None else 0):
            return
        position = self.job.remote.queue_position() if status is JobStatus.QUEUED else None
        place = "" if position is None else f", {position} before it"
        text = f"{self.job.device.name} {self.job.id}: {status.value}{place}, {self.job.elapsed:.0f} s"
        sys.stderr.write("\r" + text.ljust(self.shown))
        sys.stderr.flush()
        self.shown = max(self.shown, len(text))

    def end(self) -> None:
        if self.shown:
            sys.stderr.write("\n")


@dataclass(frozen=True)
class JobHandle:
    """What is needed to find a job again, and to make its results of what the device answers.

    Attributes:
        device: the name that `execute(on=...)` takes. id: the vendor's.
        programs: of each the digest, the measured qubits, the shots and the seed.
        requests: of each (results as JSON, qubits, classical bits, measurements, shots).
        layout: (initial, final) places of the circuit's qubits.
        results: what was asked for, as JSON; None where it cannot be written, then single results come back.
        batch: the batch axes. facts_date: the date of the device's facts.
    """

    device: str
    id: str
    programs: tuple[_Asked, ...]
    requests: tuple[tuple[str, int, int, tuple[tuple[int, int], ...] | None, int | None], ...]
    layout: tuple[tuple[int, ...], tuple[int, ...]] | None = None
    results: str | None = None
    batch: tuple[int, ...] = ()
    facts_date: str | None = None

    @classmethod
    def of(cls, job: Job) -> JobHandle:
        """The handle of a job that `submit` gave.

        Raises:
            DeviceError: a job that is not on a device, or results that cannot be written as JSON.
        """
        request, inner = (job.request, job.job) if isinstance(job, MappedJob) else (None, job)
        if not isinstance(inner, DeviceJob):
            raise DeviceError(
                f"Job {job.id} is not on a device, so it ends with this process. Only jobs that "
                "submit(..., on=device) gave can be saved."
            )
        try:
            requests = tuple(
                (
                    to_json(list(m.results)),
                    m.context.num_qubits,
                    m.context.num_clbits,
                    m.context.measured,
                    m.context.shots,
                )
                for m in inner.requests
            )
            results = None if request is None else to_json(request.results)
        except SerialError as error:
            raise DeviceError(f"Job {job.id} cannot be saved, since its results cannot: {error}") from error
        batch = () if request is None else batch_shape(request, request.circuit.parameter_shapes())
        layout = None if request is None else (request.circuit.layout.initial, request.circuit.layout.final)
        return cls(
            inner.device.address, inner.id, inner.programs, requests, layout, results, batch, inner.device.target.date
        )

    def to_json(self) -> str:
        """As JSON text."""
        return envelope(
            KIND,
            {
                "device": self.device,
                "id": self.id,
                "programs": [[p.digest, list(p.measured), p.shots, p.seed] for p in self.programs],
                "requests": [
                    {
                        "results": json.loads(results),
                        "num_qubits": qubits,
                        "num_clbits": clbits,
                        "measured": None if bits is None else [list(pair) for pair in bits],
                        "shots": shots,
                    }
                    for results, qubits, clbits, bits, shots in self.requests
                ],
                "layout": None if self.layout is None else [list(places) for places in self.layout],
                "results": None if self.results is None else json.loads(self.results),
                "batch": list(self.batch),
                "facts_date": self.facts_date,
            },
        )

    @classmethod
    def from_json(cls, text: str) -> JobHandle:
        """From JSON text.

        Raises:
            SerialError: text that is no handle.
        """
        return cls._from_node(parse(text, "a job handle"))

    @classmethod
    def _from_node(cls, node: Node) -> JobHandle:
        open_envelope(node, KIND)
        programs = []
        for item in node.get("programs").items(MAX_PROGRAMS):
            digest, qubits, shots, seed = item.items(4, size=4)
            programs.append(
                _Asked(
                    digest.text(100),
                    qubits.integers(MAX_BITS, 0, 1 << 30),
                    shots.integer(1, 1 << 31),
                    seed.integer(0, 1 << 32),
                )
            )
        requests = []
        for item in node.get("requests").items(MAX_REQUESTS):
            bits, shots = item.get("measured", None), item.get("shots", None)
            pairs = None
            if not bits.is_null:
                pairs = tuple((a, b) for a, b in (p.integers(2, 0, 1 << 30) for p in bits.items(MAX_BITS)))
            requests.append(
                (
                    json.dumps(item.get("results").value),
                    item.get("num_qubits").integer(0, 1 << 30),
                    item.get("num_clbits").integer(0, 1 << 30),
                    pairs,
                    None if shots.is_null else shots.integer(1, 1 << 31),
                )
            )
        layout, results, date = (node.get(key, None) for key in ("layout", "results", "facts_date"))
        places = None
        if not layout.is_null:
            first, last = (p.integers(MAX_BITS, 0, 1 << 30) for p in layout.items(2, size=2))
            places = (first, last)
        return cls(
            device=node.get("device").text(4000),
            id=node.get("id").text(4000),
            programs=tuple(programs),
            requests=tuple(requests),
            layout=places,
            results=None if results.is_null else json.dumps(results.value),
            batch=node.get("batch").integers(32, 0, 1 << 30),
            facts_date=None if date.is_null else date.text(),
        )


def save(job: Job, path: str | Path) -> JobHandle:
    """Write what is needed to find a job again; JSON, no credentials.

    Args:
        job: what `submit(..., on=device)` gave. path: the file; replaced where it is there.

    Raises:
        DeviceError: a job that is on no device, or results that cannot be written as JSON.

    Example:
        >>> import jax, hardware, tempfile, os
        >>> from qsim import Circuit, submit
        >>> from qsim.results import Counts
        >>> job = submit(Circuit(2).x(0), Counts(), on="local@line5", shots=10, key=jax.random.key(0))
        >>> path = os.path.join(tempfile.mkdtemp(), "job.json")
        >>> hardware.save(job, path).device
        'local@line5'
        >>> hardware.resume(path).result()
        {'10': 10}
    """
    handle = JobHandle.of(job)
    path = Path(path)
    draft = path.with_name(path.name + ".part")
    draft.write_text(handle.to_json(), "utf-8")
    os.replace(draft, path)
    return handle


def resume(path: str | Path, device: Device | None = None) -> Job:
    """The job that `save` wrote down, found again; its result is what `submit` would have given.

    Args:
        path: the file. device: where it is, for devices that have no name; default by the saved name.

    Raises:
        SerialError: a file that is no handle. DeviceError: a device that does not know the job any more.
    """
    handle = JobHandle._from_node(read_file(path))
    where = find_backend(handle.device) if device is None else device
    requests = [
        measured(from_json(results), Context(num_qubits=n, num_clbits=clbits, measured=bits, shots=shots))
        for results, n, clbits, bits, shots in handle.requests
    ]
    if not hasattr(where, "retrieve"):
        raise DeviceError(f"Backend `{where.name}` is no device, so it keeps no jobs.")
    with where.translated(f"looking for job {handle.id}"):  # type: ignore[attr-defined]
        remote = where.retrieve(handle.id)  # type: ignore[attr-defined]
    job = DeviceJob(where, remote, handle.programs, requests, {"resumed": True})  # type: ignore[arg-type]
    wanted = None if handle.results is None else from_json(handle.results)
    context = requests[0].context

    def finish(lists: list[list[PyTree]]) -> PyTree:
        if wanted is None:
            return lists
        stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves).reshape((*handle.batch, *leaves[0].shape)), *lists)
        return composed(wanted, stacked, context, len(handle.batch))

    return MappedJob(job, finish)
