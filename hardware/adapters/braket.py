"""`braket@...`: Amazon Braket's simulators on this machine, and devices at AWS."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from hardware.device import Device, Limits
from hardware.errors import CredentialsError, DeviceBusy, DeviceError, InvalidReply, RejectedProgram, vendor_errors
from hardware.job import RemoteJob
from hardware.programs import Program
from hardware.threads import Worker
from hardware.wire import BRAKET, write
from qsim.backends import JobStatus
from qsim.errors import BackendError
from qsim.ir.layout import Padding
from qsim.ir.target import Target

__all__ = ["AwsBraketDevice", "BraketDevice", "device"]

SIMULATORS = {"sv": "braket_sv", "dm": "braket_dm"}
MAX_SHOTS = 1 << 31
MAX_TASKS = 100
"""Tasks of one job at AWS, so that the ids of all fit in a saved job."""
OPENQASM = "braket.ir.openqasm.program"
READ = re.compile(r"^c\[\d+\] = measure q\[(\d+)\];$", re.MULTILINE)
STATES = {
    "CREATED": JobStatus.QUEUED,
    "QUEUED": JobStatus.QUEUED,
    "RUNNING": JobStatus.RUNNING,
    "CANCELLING": JobStatus.RUNNING,
    "CANCELLED": JobStatus.CANCELLED,
    "FAILED": JobStatus.FAILED,
    "COMPLETED": JobStatus.DONE,
}


class BraketDevice(Device):
    """A simulator of Braket's on this machine: its programs are run in a thread, one after the other.

    Braket takes no seed for it, so the same key draws other shots in another process.

    Args:
        vendor: a `braket.devices.LocalSimulator`.
        name: what messages call it. address: what `execute(on=...)` takes to find it again.

    Raises:
        BackendError: a device that takes no OpenQASM 3, or does not say its number of qubits.
    """

    def __init__(self, vendor: Any, name: str, *, address: str | None = None):
        super().__init__(name, _target(vendor, name), address=address, source="the properties that Braket gives")
        self.vendor, self.errors, self.limits = vendor, _errors(), _limits(vendor)
        self._worker = Worker(name)

    def send(self, programs: Sequence[Program]) -> RemoteJob:
        return self._worker.submit([partial(self._run, _written(p, self), p.shots) for p in programs])

    def retrieve(self, id: str) -> RemoteJob:
        return self._worker.jobs.find(id)

    def _run(self, specification: Any, shots: int) -> np.ndarray:
        return _bits(self.vendor.run(specification, shots=shots).result(), self.name)


class AwsBraketDevice(Device):
    """A device at AWS, in the user's own session; runs cost money, so they need a budget.

    Every program is one task, and all tasks of a job are submitted in one call. They are sent
    without verbatim boxes: Braket's service routes them, and writes them in the native gates.

    Args:
        vendor: a `braket.aws.AwsDevice`, or what behaves like one.

    Raises:
        BackendError: a device that takes no OpenQASM 3, or does not say its number of qubits.
    """

    paid = True

    def __init__(self, vendor: Any):
        name = f"braket@{vendor.arn}"
        super().__init__(name, _target(vendor, name), source="the properties that Braket gives")
        self.vendor, self.errors, self.limits = vendor, _errors(), _limits(vendor, MAX_TASKS)

    def send(self, programs: Sequence[Program]) -> RemoteJob:
        specifications = [_written(program, self) for program in programs]
        batch = self.vendor.run_batch(specifications, shots=[program.shots for program in programs])
        return _TasksJob(batch.tasks, self.name)

    def retrieve(self, id: str) -> RemoteJob:
        start, slash, rest = id.rpartition("/")
        find = import_module("braket.aws").AwsQuantumTask
        return _TasksJob([find(start + slash + word) for word in rest.split(",")], self.name)


class _TasksJob(RemoteJob):
    """The tasks of one job: done where all are, failed or cancelled where one is."""

    def __init__(self, tasks: Sequence[Any], device: str):
        self._tasks, self._device = tuple(tasks), device

    @property
    def id(self) -> str:
        start, slash, _ = self._tasks[0].id.rpartition("/")
        return start + slash + ",".join(task.id.rpartition("/")[2] for task in self._tasks)

    def status(self) -> JobStatus:
        found = {STATES.get(task.state(), JobStatus.RUNNING) for task in self._tasks}
        order = (JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.RUNNING, JobStatus.QUEUED)
        return next((status for status in order if status in found), JobStatus.DONE)

    def queue_position(self) -> int | None:
        position = str(self._tasks[-1].queue_position().queue_position)
        return int(position) if position.isdecimal() else None

    def replies(self) -> Sequence[Any]:
        return [_bits(task.result(), self._device) for task in self._tasks]

    def cancel(self) -> None:
        for task in self._tasks:
            if not STATES.get(task.state(), JobStatus.RUNNING).is_final:
                task.cancel()

    def failure(self) -> str:
        lost = next(task for task in self._tasks if task.state() == "FAILED")
        return str(lost.metadata().get("failureReason", "no reason given"))


def _written(program: Program, device: Device) -> Any:
    text = write(program.circuit, program.measured, BRAKET, device.name)
    return import_module("braket.ir.openqasm").Program(source=text)


def _bits(result: Any, device: str) -> np.ndarray:
    """The bits of a result in the order of the program that it says it is of."""
    asked = [int(q) for q in READ.findall(str(result.additional_metadata.action.source))]
    columns = [int(q) for q in result.measured_qubits]
    if sorted(columns) != sorted(asked):
        raise InvalidReply(f"Device `{device}` measured qubits {columns} instead of {asked}. Submit the job again.")
    return np.asarray(result.measurements)[:, [columns.index(q) for q in asked]]


def _target(vendor: Any, name: str) -> Target:
    """All qubits joined, and the gates of the table that the device has a word for."""
    properties = vendor.properties
    action = next((a for kind, a in properties.action.items() if str(getattr(kind, "value", kind)) == OPENQASM), None)
    size = getattr(properties.paradigm, "qubitCount", None)
    if action is None or size is None:
        raise BackendError(f"Device `{name}` takes no OpenQASM 3 programs on qubits. Choose a gate-based device.")
    words = {word.lower() for word in action.supportedOperations}
    natives = [ours for ours, theirs in BRAKET.spellings.items() if theirs.lower() in words]
    return Target(int(size), None, natives, padding=Padding.NONE)


def _limits(vendor: Any, programs: int | None = None) -> Limits:
    return Limits(shots=min(int(vendor.properties.service.shotsRange[1]), MAX_SHOTS), programs=programs)


def _errors() -> Mapping[type[BaseException], type[DeviceError]]:
    """What Braket's software and AWS's raise -> ours."""
    aws = import_module("botocore.exceptions")
    return {
        aws.NoCredentialsError: CredentialsError,
        aws.PartialCredentialsError: CredentialsError,
        aws.ProfileNotFound: CredentialsError,
        aws.NoRegionError: CredentialsError,
        aws.EndpointConnectionError: DeviceBusy,
        aws.ConnectTimeoutError: DeviceBusy,
        ValueError: RejectedProgram,
    }


def device(name: str | None) -> Device:
    """The entry point: "sv" (state vector), "dm" (density matrix), or the ARN of a device at AWS.

    Raises:
        BackendError: Braket is not installed, or there is no such device. CredentialsError: AWS knows no user.
    """
    try:
        devices = import_module("braket.devices")
    except ImportError:
        raise BackendError(
            f'Device `braket@{name}` needs the Amazon Braket SDK. Try pip install "qsim-jax[braket]".'
        ) from None
    if name in SIMULATORS:
        return BraketDevice(devices.LocalSimulator(SIMULATORS[name]), f"braket@{name}")
    if name is not None and name.startswith("arn:aws"):
        with vendor_errors(f"braket@{name}", _errors(), "opening it"):
            return AwsBraketDevice(import_module("braket.aws").AwsDevice(name))
    raise BackendError(f"Unknown device 'braket@{name}'. Try braket@sv, braket@dm, or braket@ and the ARN of a device.")
