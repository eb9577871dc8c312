"""`qibolab@...`: platforms of Qibolab, which take pulses: programs become sequences of their calibrated gates."""

from __future__ import annotations

import math
import re
import signal
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from hardware.device import Device
from hardware.errors import DeviceBusy, DeviceError, RejectedProgram
from hardware.job import RemoteJob
from hardware.programs import Program
from hardware.threads import Worker
from qsim.errors import BackendError
from qsim.ir.operation import Barrier
from qsim.ir.target import Native, QubitFacts, Target

__all__ = ["QibolabDevice", "device"]

NANO = 1e-9
SHORTEST = 1e-6
"""Nanoseconds below which a wait is rounding."""
ERRORS: dict[type[BaseException], type[DeviceError]] = {
    KeyError: RejectedProgram,
    ValueError: RejectedProgram,
    RuntimeError: DeviceBusy,
}


class QibolabDevice(Device):
    """A Qibolab platform: qubits, their channels, and the pulses of their gates.

    The gates are RX (x), RX90 (sx), both at any phase (prx), rotations of the drive's frame (rz)
    and CZ. A platform's CNOT and iSWAP are left out: a frame does not pass through them unchanged,
    and Qibolab does not carry it over.

    Args:
        platform: a `qibolab.Platform`.
        name: what messages call it. address: what `execute(on=...)` takes to find it again.
    """

    errors = ERRORS

    def __init__(self, platform: Any, name: str, *, address: str | None = None):
        self.platform = platform
        self._ids = tuple(platform.qubits)
        super().__init__(name, _target(platform), address=address, source="the parameters of the platform")
        self._worker = Worker(name)

    def send(self, programs: Sequence[Program]) -> RemoteJob:
        batches: dict[int, _Batch] = defaultdict(lambda: _Batch(self.platform))
        calls: list[Callable[[], Any]] = []
        for program in programs:
            batch = batches[program.shots]
            calls.append(partial(batch.reply, len(batch.sequences), program.shots))
            batch.add(*self.written(program))
        return self._worker.submit(calls)

    def retrieve(self, id: str) -> RemoteJob:
        return self._worker.jobs.find(id)

    def written(self, program: Program) -> tuple[Any, list[Any]]:
        """A program as a `qibolab.PulseSequence`, and the ids of its acquisitions in the order of the bits."""
        score = _Score(self.platform)
        for instruction in program.circuit.instructions:
            qubits = [self._ids[q] for q in instruction.qubits]
            if isinstance(instruction.operation, Barrier):
                score.play([], qubits)
            else:
                angles = map(float, instruction.operation.params)
                score.play(RULES[instruction.operation.name](self.platform, *angles, *qubits), qubits)
        measured = [self._ids[q] for q in program.measured]
        readouts = [self.platform.natives.single_qubit[q].ensure("MZ").create_sequence() for q in measured]
        score.play([element for readout in readouts for element in readout], measured)
        return score.sequence, [readout.acquisitions[0][1].id for readout in readouts]


class _Batch:
    """Programs of the same number of shots, which the platform executes at once."""

    def __init__(self, platform: Any):
        self.platform = platform
        self.sequences: list[Any] = []
        self.acquisitions: list[list[Any]] = []
        self._results: Any = None

    def add(self, sequence: Any, acquisitions: list[Any]) -> None:
        self.sequences.append(sequence)
        self.acquisitions.append(acquisitions)

    def reply(self, number: int, shots: int) -> np.ndarray:
        """The bits (shots, k) of a program; the first that is asked for has all executed."""
        if self._results is None:
            qibolab = import_module("qibolab")
            self.platform.connect()
            try:
                self._results = self.platform.execute(
                    self.sequences,
                    nshots=shots,
                    acquisition_type=qibolab.AcquisitionType.DISCRIMINATION,
                    averaging_mode=qibolab.AveragingMode.SINGLESHOT,
                )
            finally:
                self.platform.disconnect()
        return np.stack([self._results[id] for id in self.acquisitions[number]], axis=-1)


class _Score:
    """A pulse sequence that is written gate by gate: each starts when all its qubits are free."""

    def __init__(self, platform: Any):
        qibolab = import_module("qibolab")
        self.sequence, self._part, self._delay = qibolab.PulseSequence(), qibolab.PulseSequence, qibolab.Delay
        self._qubits, self._owners = platform.qubits, platform.qubit_channels
        self._written: dict[str, float] = defaultdict(float)
        self._free: dict[str, float] = defaultdict(float)

    def play(self, elements: Iterable[Any], qubits: Iterable[Any]) -> None:
        """Append pulses on their channels; their qubits and those of the gate are taken until all have ended."""
        part = self._part(elements)
        used = list(dict.fromkeys(channel for channel, _ in part))
        owners = {*qubits, *(self._owners[channel] for channel in used if channel in self._owners)}
        taken = {*used, *(channel for q in owners for channel in self._qubits[q].channels)}
        start = max((self._free[channel] for channel in taken), default=0.0)
        for channel in used:
            wait = start - self._written[channel]
            if wait > SHORTEST:
                self.sequence.append((channel, self._delay(duration=wait)))
            self._written[channel] = start + part.channel_duration(channel)
        self.sequence.extend(part)
        for channel in taken:
            self._free[channel] = start + part.duration


def _rz(platform: Any, theta: float, qubit: Any) -> Any:
    return [(platform.qubits[qubit].drive, import_module("qibolab").VirtualZ(phase=-theta))]


def _prx(platform: Any, theta: float, phi: float, qubit: Any) -> Any:
    turn = theta % (2 * math.pi)
    if turn > math.pi:  # the other way round, about the opposite axis
        turn, phi = 2 * math.pi - turn, phi + math.pi
    return platform.natives.single_qubit[qubit].R(theta=turn, phi=phi)


def _cz(platform: Any, first: Any, second: Any) -> Any:
    return _natives_of(platform, first, second).ensure("CZ").create_sequence()


RULES: dict[str, Callable[..., Any]] = {
    "x": lambda platform, qubit: platform.natives.single_qubit[qubit].ensure("RX").create_sequence(),
    "sx": lambda platform, qubit: platform.natives.single_qubit[qubit].ensure("RX90").create_sequence(),
    "prx": _prx,
    "rz": _rz,
    "cz": _cz,
}
"""Our gates -> their pulses, as Qibolab's own compiler has them."""


def _natives_of(platform: Any, first: Any, second: Any) -> Any:
    """The gates of a pair in either order, since CZ has none; Qibolab's table refuses one that has a CNOT too."""
    table = dict(platform.natives.two_qubit)
    return table.get((first, second)) or table[second, first]


def _target(platform: Any) -> Target:
    """The qubits, the pairs that have a CZ, the gates of each, with durations and drive frequencies."""
    ids = list(platform.qubits)
    local: dict[tuple[int, ...], dict[str, Native]] = {}
    facts = []
    for number, id in enumerate(ids):
        natives, qubit = platform.natives.single_qubit[id], platform.qubits[id]
        pulses = {"x": natives.RX, "sx": natives.RX90, "prx": natives.RX90 or natives.RX}
        local[(number,)] = {name: _native(pulse) for name, pulse in pulses.items() if pulse is not None}
        local[(number,)]["rz"] = Native(duration=0.0, error=0.0)
        frequency = getattr(platform.config(qubit.drive), "frequency", None)
        facts.append(
            QubitFacts(
                str(id),
                usable=natives.MZ is not None,
                frequency=None if frequency is None else float(frequency),
                readout_duration=None if natives.MZ is None else natives.MZ.duration * NANO,
            )
        )
    for (a, b), natives in platform.natives.two_qubit.items():
        if natives.CZ is not None:
            for pair in ((ids.index(a), ids.index(b)), (ids.index(b), ids.index(a))):
                local[pair] = {"cz": _native(natives.CZ)}
    edges = [(place[0], place[1]) for place in local if len(place) == 2]
    return Target(len(ids), edges, (), local=local, qubits=facts, virtual_z=True)


def _native(pulses: Any) -> Native:
    return Native(duration=float(pulses.duration) * NANO)


@contextmanager
def _own_signals() -> Iterator[None]:
    """Keep how this process takes Ctrl-C and SIGTERM: a Qibolab platform sets handlers of its own."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is not handler:
                signal.signal(number, handler)


def device(name: str | None) -> QibolabDevice:
    """The entry point: "dummy", whose results are random, or a platform in the folders that QIBOLAB_PLATFORMS names.

    Raises:
        BackendError: Qibolab is not installed, or there is no such platform.
    """
    try:
        qibolab = import_module("qibolab")
    except ImportError:
        raise BackendError(f'Device `qibolab@{name}` needs Qibolab. Try pip install "qsim-jax[qibolab]".') from None
    if name is None or not re.fullmatch(r"[\w-]+", name):
        raise BackendError(f"Unknown device 'qibolab@{name}'. Try qibolab@dummy, or the name of a platform.")
    try:
        with _own_signals():
            platform = qibolab.create_platform(name)
    except (OSError, RuntimeError, ValueError) as failure:
        raise BackendError(
            f"Platform 'qibolab@{name}' cannot be opened: {failure} Try qibolab@dummy, and open platforms in the main "
            "thread."
        ) from failure
    return QibolabDevice(platform, f"qibolab@{name}", address=f"qibolab@{name}")
