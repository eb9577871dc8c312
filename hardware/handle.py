"""Jobs that outlive the process: what `save` writes down of one, and `resume` finds again."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from hardware.errors import DeviceError
from hardware.job import Asked, DeviceJob, Run
from hardware.programs import Measured, measured
from qsim._typing import PyTree
from qsim.backends import Job, MappedJob, find_backend
from qsim.backends.atoms import atoms_of
from qsim.backends.host import composed
from qsim.backends.hostdata import batch_shape
from qsim.errors import SerialError
from qsim.ir.json_nodes import Node, envelope, open_envelope, parse, read_file
from qsim.results.base import Context
from qsim.results.codec import from_json, to_json
from qsim.results.program import check_all

if TYPE_CHECKING:
    from hardware.device import Device

__all__ = ["JobHandle", "resume", "save"]

KIND = "job_handle"
MAX_PROGRAMS, MAX_REQUESTS, MAX_BITS = 1_000_000, 1_000_000, 10_000


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

    Example:
        >>> import jax
        >>> from hardware import JobHandle
        >>> from qsim import Circuit, submit
        >>> from qsim.results import Counts
        >>> job = submit(Circuit(1).x(0), Counts(), on="local@line5", shots=10, key=jax.random.key(0))
        >>> handle = JobHandle.of(job)
        >>> JobHandle.from_json(handle.to_json()) == handle
        True
    """

    device: str
    id: str
    programs: tuple[Asked, ...]
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
        if isinstance(job, _ResumedJob):
            return job.handle
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
        device = inner.run.device
        return cls(device.address, inner.id, inner.run.programs, requests, layout, results, batch, device.target.date)

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
                Asked(
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
                pairs = tuple(_pair(p) for p in bits.items(MAX_BITS))
            requests.append(
                (
                    json.dumps(item.get("results").value),
                    item.get("num_qubits").integer(0, MAX_BITS),
                    item.get("num_clbits").integer(0, MAX_BITS),
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
    if not isinstance(job, Job):
        raise DeviceError(f"Argument `job` must be a job that submit() gave, but is {job!r}.")
    handle = JobHandle.of(job)
    try:
        file = Path(path).expanduser()
        if file.exists() and not file.is_file():
            raise DeviceError(f"Argument `path` must be a file, but {str(path)!r} is something else.")
        draft = file.with_name(file.name + ".part")
        draft.write_text(handle.to_json(), "utf-8")
        os.replace(draft, file)
    except (OSError, ValueError, TypeError) as error:
        raise DeviceError(
            f"The job cannot be saved at {path!r}: {error}. Give a path in a folder that is there."
        ) from None
    return handle


def resume(path: str | Path, device: Device | None = None) -> Job:
    """The job that `save` wrote down, found again; its result is what `submit` would have given.

    Args:
        path: the file. device: where it is, for devices that have no name; default by the saved name.

    Raises:
        SerialError: a file that is no handle. DeviceError: a device that does not know the job any more.

    Example:
        >>> import jax, hardware, tempfile, os
        >>> from qsim import Circuit, Z, submit
        >>> from qsim.results import Expectation
        >>> path = os.path.join(tempfile.mkdtemp(), "job.json")
        >>> job = submit(Circuit(1).x(0), Expectation(Z(0)), on="local@line5", shots=10, key=jax.random.key(0))
        >>> handle = hardware.save(job, path)
        >>> float(hardware.resume(path).result())
        -1.0
    """
    handle = JobHandle._from_node(read_file(path))
    requests = _requests(handle)
    wanted = None if handle.results is None else from_json(handle.results)
    if handle.results is not None:
        check_all(wanted, _with_key(requests[0].context))
        kinds = [type(atom) for atom in atoms_of(wanted)]
        if any([type(result) for result in m.results] != kinds for m in requests):
            raise SerialError(f"{path}: the requests measure something else than the results need.")
    where = find_backend(handle.device) if device is None else device
    if not hasattr(where, "retrieve"):
        raise DeviceError(f"Backend `{where.name}` is no device, so it keeps no jobs.")
    with where.translated(f"looking for job {handle.id}"):  # type: ignore[attr-defined]
        remote = where.retrieve(handle.id)  # type: ignore[attr-defined]
    if remote.asked and tuple(remote.asked) != handle.programs:
        raise DeviceError(
            f"Job {handle.id} on device `{where.name}` ran other programs than {path} says. Use the file that save() "
            "wrote for it."
        )
    job = DeviceJob(Run(where, remote, handle.programs), requests, {"resumed": True})  # type: ignore[arg-type]

    def finish(lists: list[list[PyTree]]) -> PyTree:
        if wanted is None:
            return lists
        stacked = jax.tree.map(lambda *leaves: np.stack(leaves).reshape((*handle.batch, *leaves[0].shape)), *lists)
        return composed(wanted, stacked, requests[0].context, len(handle.batch))

    return _ResumedJob(job, finish, handle)


class _ResumedJob(MappedJob):
    """A job that was found again; it can be saved again."""

    def __init__(self, job: DeviceJob, function: Callable[[Any], PyTree], handle: JobHandle):
        super().__init__(job, function)
        self.handle = handle


def _pair(node: Node) -> tuple[int, int]:
    first, second = node.items(2, size=2)
    return first.integer(0, 1 << 30), second.integer(0, 1 << 30)


def _with_key(context: Context) -> Context:
    """The context as it was checked when the job was submitted; the key itself is not saved."""
    return replace(context, key=jax.random.key(0))


def _requests(handle: JobHandle) -> list[Measured]:
    """What each request of a handle measures.

    Raises:
        SerialError: something else than the handle's programs measured. ResultError: results that cannot be measured.
    """
    requests = []
    for results, n, clbits, bits, shots in handle.requests:
        context = Context(num_qubits=n, num_clbits=clbits, measured=bits, shots=shots)
        asked = from_json(results)
        check_all(asked, _with_key(context))
        requests.append(measured(asked, context))
    settings = [setting for m in requests for some in m.settings for setting in some]
    found = [(len(setting.qubits), setting.shots) for setting in settings]
    if found != [(len(program.measured), program.shots) for program in handle.programs]:
        raise SerialError("A job handle's programs are not what its requests measure. It cannot be resumed.")
    if handle.results is not None and (not requests or math.prod(handle.batch) != len(requests)):
        raise SerialError(f"A job handle of batch {handle.batch} has {len(requests)} requests. It cannot be resumed.")
    return requests
