"""`qiskit@...`: any Qiskit backend as a device: IBM's fake ones, Aer, the generic one, and those of IBM's service."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from hardware.device import Device, Limits
from hardware.errors import (
    CredentialsError,
    DeviceBusy,
    DeviceError,
    InvalidReply,
    JobCancelled,
    JobFailed,
    JobTimeout,
    RejectedProgram,
    Secret,
)
from hardware.job import RemoteJob
from hardware.programs import Program
from qsim.backends import JobStatus
from qsim.errors import BackendError
from qsim.interop.qiskit_gates import classes
from qsim.ir.operation import Barrier, Reset
from qsim.ir.ops.delay import Delay
from qsim.ir.target import Interval, Target
from qsim.ir.target_natives import SPELLINGS

try:
    import qiskit_ibm_runtime as runtime
    from qiskit import QuantumCircuit
    from qiskit.circuit.exceptions import CircuitError
    from qiskit.exceptions import QiskitError
    from qiskit.primitives import BaseSamplerV2, PrimitiveJob
    from qiskit.providers import BackendV2
    from qiskit.providers.basic_provider import BasicSimulator
    from qiskit.providers.exceptions import JobTimeoutError
    from qiskit.providers.fake_provider import GenericBackendV2
    from qiskit.transpiler.exceptions import TranspilerError
    from qiskit_aer import AerError, AerSimulator
    from qiskit_aer.backends.aerbackend import AerBackend
    from qiskit_ibm_runtime import fake_provider
    from qiskit_ibm_runtime.fake_provider.fake_backend import FakeBackendV2
except ImportError as missing:
    raise BackendError(
        f"Devices `qiskit@...` need Qiskit, Aer and IBM's runtime, but {missing.name} is not installed. Try "
        'pip install "qsim-jax[qiskit]".'
    ) from missing

__all__ = ["QiskitDevice", "device"]

GATES = classes()
"""Our name of a gate -> Qiskit's class of the same gate."""

FREE = (AerBackend, BasicSimulator, FakeBackendV2, GenericBackendV2)
"""Backends that run in this process."""

ERRORS: Mapping[type[BaseException], type[DeviceError]] = {
    QiskitError: DeviceError,
    AerError: DeviceError,
    CircuitError: RejectedProgram,
    TranspilerError: RejectedProgram,
    JobTimeoutError: JobTimeout,
    CancelledError: JobCancelled,
    runtime.IBMAccountError: CredentialsError,
    runtime.IBMNotAuthorizedError: CredentialsError,
    runtime.IBMInputValueError: RejectedProgram,
    runtime.IBMApiError: DeviceBusy,
    runtime.IBMBackendApiError: DeviceBusy,
    runtime.RuntimeJobFailureError: JobFailed,
    runtime.RuntimeJobMaxTimeoutError: JobFailed,
}

# Qiskit's job states, those of IBM's service among them -> ours
STATES = {
    "INITIALIZING": JobStatus.QUEUED,
    "QUEUED": JobStatus.QUEUED,
    "VALIDATING": JobStatus.QUEUED,
    "RUNNING": JobStatus.RUNNING,
    "DONE": JobStatus.DONE,
    "CANCELLED": JobStatus.CANCELLED,
    "ERROR": JobStatus.FAILED,
}
# the state of several jobs is the first of these that one of them is in
WORST_FIRST = (JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.RUNNING, JobStatus.QUEUED, JobStatus.DONE)


# what users can do nothing about: the sampler that is to follow takes one number of shots for all of a job
NOT_OURS = (
    "The SamplerV2 class is deprecated",
    "Specifying different 'shots' across pubs",
    "Qiskit backend .* has no QubitProperties",
)


class QiskitDevice(Device):
    """A Qiskit backend as a device.

    Programs go through `backend.run`, one vendor's job for each number of shots among them, since
    it takes one number for all its circuits; or through a sampler, which takes every program with
    its own shots as one job. Simulators that take `seed_simulator` are seeded with `key=`.

    Args:
        backend: any `qiskit.providers.BackendV2`.
        sampler: f(seed) -> a `BaseSamplerV2` that is on this backend; None uses `backend.run`. See
            `on_runtime` for those of IBM's service.
        paid: True where runs cost money, so that a budget is needed; None takes False for Qiskit's
            own simulators, True for all others.
        name: what messages call it; default the backend's.
        address: what `execute(on=...)` takes to find it again; default its name, and then
            `hardware.resume` needs `device=`.

    Raises:
        DeviceError: something that is no BackendV2.

    Example:
        >>> from qiskit.providers.fake_provider import GenericBackendV2
        >>> from hardware.adapters.qiskit import QiskitDevice
        >>> QiskitDevice(GenericBackendV2(3, seed=1))
        <Device generic_backend_3q>
    """

    reverse_bits = True
    errors = ERRORS

    def __init__(
        self,
        backend: BackendV2,
        *,
        sampler: Callable[[int | None], BaseSamplerV2] | None = None,
        paid: bool | None = None,
        name: str | None = None,
        address: str | None = None,
    ):
        if not isinstance(backend, BackendV2):
            raise DeviceError(
                f"Argument `backend` must be a qiskit.providers.BackendV2, but is {type(backend).__name__}. Try "
                "QiskitDevice(AerSimulator())."
            )
        source = f"Qiskit's target of backend {backend.name}"
        name = str(backend.name) if name is None else name
        super().__init__(name, _target(backend), address=address, source=source)
        self.backend, self.sampler = backend, sampler
        self.paid = not isinstance(backend, FREE) if paid is None else paid
        self.limits = Limits(shots=_max_shots(backend), programs=backend.max_circuits)

    @classmethod
    def on_runtime(
        cls, backend: BackendV2, mode: Any = None, *, options: Mapping[str, Any] | None = None
    ) -> QiskitDevice:
        """A backend of IBM's service, or a fake one, through its SamplerV2: any number of shots each, one job.

        Args:
            backend: such as `QiskitRuntimeService().backend("ibm_torino")`; the credentials stay in
                that object. Costs money, unless it is a fake one.
            mode: a `Session` or `Batch` that is open on the backend; None runs single jobs.
            options: of the vendor's sampler, as it documents them.

        Raises:
            DeviceError: something that is no BackendV2.
        """
        fake = isinstance(backend, FREE)

        def sampler(seed: int | None) -> BaseSamplerV2:
            chosen = dict(options or {})
            if fake and seed is not None:
                chosen["simulator"] = {**chosen.get("simulator", {}), "seed_simulator": seed}
            return runtime.SamplerV2(mode=backend if mode is None else mode, options=chosen)

        return cls(backend, sampler=sampler)

    @property
    def secrets(self) -> tuple[Secret, ...]:  # type: ignore[override]
        """The token of the account that the backend's service is signed in with, so that messages are without it."""
        service = getattr(self.backend, "service", None)
        account = service.active_account() if isinstance(service, runtime.QiskitRuntimeService) else None
        return (Secret(account["token"]),) if account and account.get("token") else ()

    def send(self, programs: Sequence[Program]) -> RemoteJob:
        circuits = [self.circuit(program, number) for number, program in enumerate(programs)]
        by_shots: dict[int, list[int]] = {}
        for number, program in enumerate(programs):
            by_shots.setdefault(program.shots, []).append(number)
        with warnings.catch_warnings():
            for words in NOT_OURS:
                warnings.filterwarnings("ignore", words)
            if self.sampler is not None:
                # local samplers start anew with the seed for each number of shots: equal numbers, errors that add up
                seed = programs[0].seed if len(by_shots) == 1 else None
                pubs: Any = [
                    (circuit, None, program.shots) for circuit, program in zip(circuits, programs, strict=True)
                ]
                return _SamplerJob(self, self.sampler(seed).run(pubs))
            takes_seed = hasattr(self.backend.options, "seed_simulator")
            jobs = []
            try:
                for shots, numbers in by_shots.items():
                    seeded = {"seed_simulator": programs[numbers[0]].seed} if takes_seed else {}
                    jobs.append(self.backend.run([circuits[number] for number in numbers], shots=shots, **seeded))
            except Exception:
                for job in jobs:  # nobody would know of them
                    job.cancel()
                raise
            return _BackendJob(self, jobs)

    def retrieve(self, id: str) -> RemoteJob:
        service = getattr(self.backend, "service", None)
        if isinstance(service, runtime.QiskitRuntimeService):
            return _SamplerJob(self, service.job(id))
        finder = getattr(self.backend, "retrieve_job", None)
        return _BackendJob(self, [finder(part) for part in id.split(",")]) if callable(finder) else super().retrieve(id)

    def circuit(self, program: Program, number: int = 0) -> QuantumCircuit:
        """A program as Qiskit's circuit on the backend's qubits: `measured[i]` is read into classical bit i.

        Args:
            program: in the backend's gates.
            number: of the program in its job; the circuit is named after it.

        Raises:
            RejectedProgram: an operation that Qiskit has no word for.
        """
        made = QuantumCircuit(program.circuit.num_qubits, len(program.measured), name=f"program-{number}")
        for instruction in program.circuit.instructions:
            operation, qubits = instruction.operation, instruction.qubits
            if isinstance(operation, Barrier):
                made.barrier(qubits)
            elif isinstance(operation, Reset):
                made.reset(qubits)
            elif isinstance(operation, Delay):
                self._delay(made, operation.seconds, qubits)
            elif operation.name in GATES:
                made.append(GATES[operation.name](*map(float, operation.params)), qubits, copy=False)
            else:
                raise RejectedProgram(
                    f"Device `{self.name}`: {operation.name} on qubits {qubits} is none of Qiskit's standard gates. "
                    "Use a transpiler that keeps to the device's gates."
                )
        made.measure(program.measured, range(len(program.measured)))
        return made

    def _delay(self, made: QuantumCircuit, seconds: float, qubits: tuple[int, ...]) -> None:
        """Wait; in the backend's own steps where it has such."""
        steps: Any = self.backend.target
        if steps.dt is None:
            made.delay(seconds, qubits, unit="s")
        else:
            grain = math.lcm(steps.granularity or 1, steps.pulse_alignment or 1)
            made.delay(round(seconds / steps.dt / grain) * grain, qubits, unit="dt")


class _BackendJob(RemoteJob):
    """What `backend.run` gave, once for each number of shots."""

    def __init__(self, device: QiskitDevice, jobs: Sequence[Any]):
        self._device, self._jobs = device, tuple(jobs)

    @property
    def id(self) -> str:
        return ",".join(str(job.job_id()) for job in self._jobs)

    def status(self) -> JobStatus:
        states = {_state(job) for job in self._jobs}
        return next(state for state in WORST_FIRST if state in states)

    def replies(self) -> Sequence[Any]:
        results = [job.result() for job in self._jobs]
        for job, result in zip(self._jobs, results, strict=True):
            if not result.success:
                said = {result.status, *(getattr(part, "status", None) for part in result.results)} - {None}
                words = self._device.without_secrets("; ".join(sorted(map(str, said))))
                raise JobFailed(f"Job {job.job_id()} on device `{self._device.name}` failed: {words}")
        if len(results) == 1:
            return [results[0].get_counts(number) for number in range(len(results[0].results))]
        found: dict[str, Any] = {}
        for result in results:
            for number, part in enumerate(result.results):
                found[str((part.header or {}).get("name"))] = result.get_counts(number)
        try:
            return [found[f"program-{number}"] for number in range(len(found))]
        except KeyError as lost:
            raise InvalidReply(f"Device `{self._device.name}` answered nothing for {lost}. Submit it again.") from None

    def cancel(self) -> None:
        for job in self._jobs:
            job.cancel()

    def queue_position(self) -> int | None:
        ask = getattr(self._jobs[-1], "queue_position", None)
        place = ask() if callable(ask) else None
        return place if isinstance(place, int) else None

    def failure(self) -> str:
        return next((_failure(job) for job in self._jobs if _state(job) is JobStatus.FAILED), "no reason given")


class _SamplerJob(RemoteJob):
    """What `SamplerV2.run` gave."""

    def __init__(self, device: QiskitDevice, job: Any):
        self._device, self._job = device, job
        # a PrimitiveJob takes itself for failed, for good, where it is asked before its thread has begun
        self._local = ThreadPoolExecutor(1).submit(job.result) if isinstance(job, PrimitiveJob) else None

    @property
    def id(self) -> str:
        return str(self._job.job_id())

    def status(self) -> JobStatus:
        if self._local is not None and not self._local.done():
            return JobStatus.RUNNING
        return _state(self._job)

    def replies(self) -> Sequence[Any]:
        return [part.data.c.get_counts() for part in self._job.result()]

    def cancel(self) -> None:
        self._job.cancel()

    def failure(self) -> str:
        return _failure(self._job)


def _state(job: Any) -> JobStatus:
    """A job's state; the service has words, all others an enumeration."""
    status = job.status()
    word = status if isinstance(status, str) else status.name
    if word not in STATES:
        raise InvalidReply(f"Job {job.job_id()} is in the state {word!r}, which is none of {', '.join(STATES)}.")
    return STATES[word]


def _failure(job: Any) -> str:
    """Why a job failed: its message, else what asking for the result raises."""
    ask = getattr(job, "error_message", None)
    words = ask() if callable(ask) else None
    if words:
        return str(words)
    try:
        job.result()
    except Exception as failure:
        return f"{type(failure).__name__}: {failure}"
    return "no reason given"


def _target(backend: BackendV2) -> Target:
    """The backend's qubits, gates and facts, with their date and the angles that its gates take."""
    target = Target.from_qiskit(backend)
    theirs: Any = backend.target
    read = getattr(backend, "properties", None)
    date = getattr(read() if callable(read) else None, "last_update_date", None)
    bounded = getattr(theirs, "gate_has_angle_bounds", lambda name: False)
    angles = {SPELLINGS.get(name, name): _angles(theirs, name) for name in theirs.operation_names if bounded(name)}
    tables: Any = target.local
    local = {
        place: {
            name: replace(native, angles=angles.get(name, ()))
            for name, native in table.items()
            if angles.get(name, ()) is not None
        }
        for place, table in tables.items()
    }
    frames = [table["rz"] for table in tables.values() if "rz" in table]
    return replace(
        target,
        local=local,
        virtual_z=bool(frames) and all(native.duration == 0 and native.error == 0 for native in frames),
        date=None if date is None else date.isoformat(),
    )


def _angles(theirs: Any, name: str) -> tuple[Interval] | None:
    """The angles that a gate of one parameter takes, found by asking for them; None where they are no interval."""
    if len(theirs.operation_from_name(name).params) != 1:
        return None
    widest, allowed = 4 * math.pi, lambda angle: theirs.supported_angle_bound(name, [angle])
    inside = [angle for angle in (k * math.pi / 8 for k in range(-32, 33)) if allowed(angle)]
    if not inside:
        return None
    ends = []
    for last, out in ((inside[0], -widest), (inside[-1], widest)):
        while not allowed(out) and abs(out - last) > 1e-13:
            middle = (last + out) / 2
            last, out = (middle, out) if allowed(middle) else (last, middle)
        ends.append(out if allowed(out) else last)
    return (Interval(*ends),)


def _max_shots(backend: BackendV2) -> int | None:
    read = getattr(backend, "configuration", None)
    shots = getattr(read() if callable(read) else None, "max_shots", None)
    return shots if isinstance(shots, int) and shots > 0 else None


FAKE = {
    kind.backend_name: kind
    for kind in vars(fake_provider).values()
    if isinstance(kind, type) and issubclass(kind, FakeBackendV2) and kind.backend_name
}
SEED = 2026
"""Of what the generic backend makes up: the same device in every process."""

MOST_QUBITS = 100


def device(name: str | None) -> QiskitDevice:
    """The entry point: "aer", "generic5", "generic5-noiseless", or a fake backend of IBM's such as "fake_torino".

    Raises:
        BackendError: an unknown name.
    """
    address = f"qiskit@{name}"
    backend: BackendV2 | None = None
    generic = re.fullmatch(r"generic(\d{1,3})(-noiseless)?", name or "")
    if name == "aer":
        backend = AerSimulator()
    elif generic and 1 < int(generic[1]) <= MOST_QUBITS:
        backend = GenericBackendV2(int(generic[1]), seed=SEED, noise_info=not generic[2])
    elif name in FAKE:
        backend = FAKE[name]()
    if backend is None:
        near = get_close_matches(name or "", FAKE, 1)
        raise BackendError(
            f"Unknown device {address!r}. Try qiskit@aer, qiskit@generic5 or qiskit@generic5-noiseless (2 to "
            f"{MOST_QUBITS} qubits), or a fake backend of IBM's: qiskit@{near[0] if near else 'fake_torino'}. "
            "For one of IBM's service pass on=QiskitDevice.on_runtime(backend)."
        )
    return QiskitDevice(backend, name=address, address=address)
