"""`qdmi@...`: devices behind the C interface QDMI: MQT's decision-diagram simulator, IQM Garnet's facts, any library.

Munich Quantum Software Stack, QDMI 1.4, https://munich-quantum-software-stack.github.io/QDMI.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from hardware.adapters._qdmi_abi import (
    DeviceProperty,
    JobProperty,
    OperationProperty,
    ProgramFormat,
    RawJob,
    ResultKind,
    Session,
    SessionParameter,
    SiteProperty,
)
from hardware.device import Device
from hardware.errors import DeviceError, RejectedProgram, Secret
from hardware.job import KeptJobs, RemoteJob
from hardware.programs import Program
from hardware.wire import QDMI_QASM2, QDMI_QASM3, write
from qsim.backends import JobStatus
from qsim.errors import BackendError
from qsim.ir.json_nodes import read_file
from qsim.ir.layout import Layout, Padding, pad, restrict
from qsim.ir.target import Native, QubitFacts, Target
from qsim.ir.target_natives import ARITY

__all__ = ["QdmiDevice", "device"]

INSTALLED = {
    "ddsim": "mqt.ddsim.default",
    "garnet": "mqt.sc.iqm.garnet",
    "emerald": "mqt.sc.iqm.emerald",
}
"""Our short names of the devices that come with mqt-core -> the names in its manifests."""

SEEDS = {"MQT_DDSIM": 999_999_995}
"""Prefix of a library -> the parameter of its jobs that is the seed, uint32, of every program of a job."""

DIALECTS = {ProgramFormat.QASM2: QDMI_QASM2, ProgramFormat.QASM3: QDMI_QASM3}
"""Those of OpenQASM, the preferred one first."""

UNITS = {"s": "1", "ms": "1e-3", "us": "1e-6", "ns": "1e-9", "ps": "1e-12"}
STATES = (
    JobStatus.CREATED,
    JobStatus.QUEUED,
    JobStatus.QUEUED,
    JobStatus.RUNNING,
    JobStatus.DONE,
    JobStatus.CANCELLED,
    JobStatus.FAILED,
)
"""Of a job, by QDMI's numbers."""

MAX_QUBITS = 100_000
MAX_PLACES = 1_000_000

_WORDS = {word: name for name, word in QDMI_QASM2.spellings.items()}


class QdmiDevice(Device):
    """A device behind a QDMI device library, a dynamic library with a C interface.

    Gates are native where the library reports them by a name of `hardware.wire.QDMI_QASM2`; others are
    left out. Programs are OpenQASM 2, or 3 where the library takes that alone, on a register `q` of
    all sites; of a device whose sites are all alike, as MQT's simulators say of themselves, on a
    register of the qubits in use.

    All programs of a QDMI job have one number of shots: a job is run with the largest that is asked
    for, and of each program a random subset of the shots asked for is used, drawn with its seed.
    A job of a single program on DDSIM is sampled with the program's seed; of a job of several the
    library would draw the same numbers for all, so that these are left unseeded.

    QDMI carries no reason of a failure; libraries write one to stderr.

    Args:
        library: its absolute path. Loading runs the library's own code: name those you trust.
        prefix: of its functions, as in prefix_QDMI_device_initialize; default the one that it exports.
        name: what messages call it. address: what `execute(on=...)` takes.
        base_url, token, auth_file, auth_url, username, password: how the library reaches and convinces
            the device; which of them it takes is for the library to say.
        configuration: a file that describes the device, for MQT's superconducting library.

    Raises:
        BackendError: a relative path, no QDMI device library, or one of another version.
        CredentialsError: credentials that are missing, not accepted, or of a kind that it does not take.
        DeviceError: a device that cannot be described. InvalidReply: properties that cannot be.
    """

    reverse_bits = True

    def __init__(
        self,
        library: str | Path,
        *,
        prefix: str | None = None,
        name: str | None = None,
        address: str | None = None,
        base_url: str | Secret | None = None,
        token: str | Secret | None = None,
        auth_file: str | Path | Secret | None = None,
        auth_url: str | Secret | None = None,
        username: str | Secret | None = None,
        password: str | Secret | None = None,
        configuration: Path | None = None,
    ):
        path = Path(library)
        address = f"qdmi@{path}" if address is None else address
        name = address if name is None else name
        given = {
            SessionParameter.BASE_URL: base_url,
            SessionParameter.TOKEN: token,
            SessionParameter.AUTH_FILE: auth_file,
            SessionParameter.AUTH_URL: auth_url,
            SessionParameter.USERNAME: username,
            SessionParameter.PASSWORD: password,
        }
        parameters = {key: _secret(value) for key, value in given.items() if value is not None}
        self.secrets = tuple(parameters.values())
        if configuration is not None:
            parameters[SessionParameter.CUSTOM2] = Secret(str(configuration))
        self._session = Session(path, prefix, name, parameters)
        says = self.without_secrets(self._session.text(self._session.of_device(DeviceProperty.NAME)))
        super().__init__(name, _target(self._session), address=address, source=f"{says}, by QDMI")
        formats = self._session.numbers(self._session.of_device(DeviceProperty.PROGRAM_FORMATS), "i")
        self._format = next((f for f in DIALECTS if f in formats), None)
        self._alike = _is_homogeneous(self._session)
        self._jobs = KeptJobs(name)

    def send(self, programs: Sequence[Program]) -> RemoteJob:
        if self._format is None:
            raise RejectedProgram(f"Device `{self.name}` takes no OpenQASM 2 or 3; it is there for its facts alone.")
        dialect = DIALECTS[self._format]
        texts = [write(*self._placed(program), dialect, self.name) for program in programs]
        seed = SEEDS.get(self._session.library.prefix)
        parameters = {}
        if seed is not None and len(programs) == 1:
            parameters[seed] = (programs[0].seed + 1).to_bytes(4, sys.byteorder)  # it refuses 0
        raw = self._session.create()
        raw.submit(texts, self._format, max(program.shots for program in programs), parameters)
        job = _QdmiJob(self, raw)
        self._jobs.keep(job)
        return job

    def retrieve(self, id: str) -> RemoteJob:
        raw = self._session.retrieve(id)
        if raw is not None:
            return _QdmiJob(self, raw)
        if id not in self._jobs:
            raise DeviceError(
                f"The library of device `{self.name}` cannot find jobs again, and this process submitted no job {id}."
            )
        return self._jobs[id]

    def _placed(self, program: Program) -> tuple[Any, tuple[int, ...]]:
        """The circuit on the register that is sent, and the qubits to read there."""
        if not self._alike:
            return pad(program.circuit, self.target.num_qubits or 0), program.measured
        circuit = restrict(program.circuit.with_layout(Layout(program.measured, program.measured)))
        return circuit, circuit.layout.final


class _QdmiJob(RemoteJob):
    def __init__(self, device: QdmiDevice, raw: RawJob):
        self._device, self._raw, self._session = device, raw, raw.session
        id = self._session.text(raw.property(JobProperty.ID))
        if not id:
            raise device.invalid("with a job that has no id")
        self._id = id

    @property
    def id(self) -> str:
        return self._id

    def status(self) -> JobStatus:
        state = self._raw.state()
        if not 0 <= state < len(STATES):
            raise self._device.invalid(f"with the unknown job state {state}")
        return STATES[state]

    def queue_position(self) -> int | None:
        return self._session.number(self._raw.property(JobProperty.QUEUE_POSITION))

    def cancel(self) -> None:
        self._raw.cancel()

    def failure(self) -> str:
        states = [self._raw.state_of_program(index) for index in range(len(self.asked))]
        failed = [str(i) for i, state in enumerate(states) if state is not None and STATES[state] is JobStatus.FAILED]
        which = f"programs {', '.join(failed)} of {len(states)}" if failed else "it does not say which programs"
        return f"{which}; QDMI carries no reasons, the library may have written one to stderr"

    def replies(self) -> Sequence[Any]:
        """Of each program the shots that were asked for, a random subset of those of the job."""
        most = max((asked.shots for asked in self.asked), default=0)
        return [self._reply(index, asked.shots, most, asked.seed) for index, asked in enumerate(self.asked)]

    def _reply(self, index: int, shots: int, most: int, seed: int) -> Any:
        words = self._words(index, ResultKind.COUNT_KEYS, most)
        if words is None:
            words = self._words(index, ResultKind.SHOTS, most) or []
            if len(words) != most:
                raise self._device.invalid(f"{len(words)} shots instead of {most}")
            return words if shots == most else np.random.default_rng(seed).choice(words, shots, replace=False).tolist()
        counts = self._session.numbers(self._raw.result(index, ResultKind.COUNT_VALUES))
        if len(words) != len(counts) or len(set(words)) < len(words) or sum(counts) != most:
            raise self._device.invalid(
                f"{len(words)} outcomes with {len(counts)} counts that add up to {sum(counts)} instead of {most}"
            )
        if shots < most:
            counts = np.random.default_rng(seed).multivariate_hypergeometric(counts, shots).tolist()
        return dict(zip(words, counts, strict=True))

    def _words(self, index: int, kind: ResultKind, most: int) -> list[str] | None:
        """A list of at most so many outcomes; None where the library has none of that kind."""
        text = self._session.text(self._raw.result(index, kind))
        if text is not None and text.count(",") >= most:
            raise self._device.invalid(f"{text.count(',') + 1} outcomes of {most} shots")
        return None if text is None else text.split(",")


def _secret(value: str | Path | Secret) -> Secret:
    return value if isinstance(value, Secret) else Secret(str(value))


def _is_homogeneous(session: Session) -> bool:
    """True where the device says, by MQT's custom property, that its sites are all alike and all joined."""
    raw = session.of_device(DeviceProperty.CUSTOM1)
    return raw == b"mqt.compiler-target.v1:all-to-all-homogeneous\0"


def _target(session: Session) -> Target:
    """The sites, edges and operations of a device, with all that it says of them in SI units."""
    num_qubits = session.number(session.of_device(DeviceProperty.NUM_QUBITS))
    if num_qubits is None or num_qubits > MAX_QUBITS:
        raise session.invalid(f"{num_qubits} qubits, of which {MAX_QUBITS} are taken")
    sites = session.numbers(session.of_device(DeviceProperty.SITES))
    if len(sites) != num_qubits:
        raise session.invalid(f"{len(sites)} sites for {num_qubits} qubits")
    number = {site: i for i, site in enumerate(sites)}
    alike = _is_homogeneous(session)
    if not alike and any(session.number(session.of_site(site, SiteProperty.IS_ZONE), "?") for site in sites):
        raise DeviceError(f"Device `{session.device}` has zones, which are not supported; only single sites are.")
    second = _duration_unit(session)
    natives: dict[str, Native] = {}
    local: dict[tuple[int, ...], dict[str, Native]] = {}
    readout: dict[tuple[int, ...], Native] = {}
    for operation in session.numbers(session.of_device(DeviceProperty.OPERATIONS)):
        word = session.text(session.of_operation(operation, OperationProperty.NAME)) or ""
        size = session.number(session.of_operation(operation, OperationProperty.NUM_QUBITS))
        name = _WORDS.get(word)
        if word != "measure" and (name is None or ARITY[name] != size):
            continue
        for place in _places(session, operation, size, number):
            known = _native(session, operation, place, sites, second)
            if word == "measure":
                readout[place] = known
            elif name is not None and place:
                local.setdefault(place, {})[name] = known
            elif name is not None:
                natives[name] = known
    for place, table in local.items():
        table.update({name: known for name, known in natives.items() if ARITY[name] == len(place)})
    pairs = session.numbers(session.of_device(DeviceProperty.COUPLING_MAP))
    if len(pairs) % 2 or not number.keys() >= set(pairs):
        raise session.invalid("a coupling map that is no list of pairs of its sites")
    edges = {(number[a], number[b]) for a, b in zip(pairs[::2], pairs[1::2], strict=True)}
    edges |= {(place[0], place[1]) for place in local if len(place) == 2}
    facts = () if alike else [_qubit(session, site, q, readout, second) for q, site in enumerate(sites)]
    return Target(
        num_qubits, edges or None, natives, local=local, qubits=facts, padding=Padding.NONE if alike else Padding.BEFORE
    )


def _places(session: Session, operation: int, size: int | None, number: dict[int, int]) -> list[tuple[int, ...]]:
    """Where an operation may act; the empty place means everywhere."""
    sites = session.numbers(session.of_operation(operation, OperationProperty.SITES))
    if not sites or not size:
        return [()]
    if len(sites) % size or len(sites) > MAX_PLACES or not number.keys() >= set(sites):
        raise session.invalid(f"{len(sites)} sites of an operation of {size} qubits, or others than it has")
    numbers = [number[site] for site in sites]
    return [tuple(numbers[i : i + size]) for i in range(0, len(numbers), size)]


def _native(
    session: Session, operation: int, place: tuple[int, ...], sites: Sequence[int], second: Decimal | None
) -> Native:
    where = [sites[q] for q in place]
    fidelity = session.number(session.of_operation(operation, OperationProperty.FIDELITY, where), "d")
    raw = session.number(session.of_operation(operation, OperationProperty.DURATION, where))
    if fidelity is not None and not 0 <= fidelity <= 1:
        raise session.invalid(f"the fidelity {fidelity}")
    return Native(_seconds(session, raw, second), None if fidelity is None else 1 - fidelity)


def _qubit(
    session: Session, site: int, qubit: int, readout: dict[tuple[int, ...], Native], second: Decimal | None
) -> QubitFacts:
    measure = readout.get((qubit,), readout.get((), Native()))
    return QubitFacts(
        name=session.text(session.of_site(site, SiteProperty.NAME)) or "",
        t1=_seconds(session, session.number(session.of_site(site, SiteProperty.T1)), second),
        t2=_seconds(session, session.number(session.of_site(site, SiteProperty.T2)), second),
        readout_error=measure.error,
        readout_duration=measure.duration,
    )


def _duration_unit(session: Session) -> Decimal | None:
    """The seconds of a duration of 1; None where the device says no unit."""
    unit = session.text(session.of_device(DeviceProperty.DURATION_UNIT))
    scale = session.number(session.of_device(DeviceProperty.DURATION_SCALE), "d")
    if unit is None:
        return None
    factor = Decimal(repr(1.0 if scale is None else scale))
    if unit not in UNITS or not factor.is_finite() or factor <= 0:
        raise session.invalid(f"durations in an unknown unit, with the factor {factor}; known are {', '.join(UNITS)}")
    return factor * Decimal(UNITS[unit])


def _seconds(session: Session, raw: int | None, second: Decimal | None) -> float | None:
    """A duration in seconds, rounded once."""
    if raw is None:
        return None
    if second is None:
        raise session.invalid("a duration, but no unit of durations")
    return float(raw * second)


def device(name: str | None) -> QdmiDevice:
    """The entry point: "ddsim", "garnet" or "emerald" (facts alone), or the absolute path of a QDMI device library.

    Raises:
        BackendError: another name, or mqt-core is not installed.
    """
    if name in INSTALLED:
        return _installed(name)
    if name and (name.endswith((".so", ".dylib", ".dll")) or Path(name).is_absolute()):
        return QdmiDevice(name)
    known = ", ".join(f"qdmi@{word}" for word in INSTALLED)
    raise BackendError(
        f"Unknown device {f'qdmi@{name}' if name else 'qdmi'!r}. Try {known}, or qdmi@ and the absolute path of a "
        "QDMI device library."
    )


def _installed(name: str) -> QdmiDevice:
    """A device that comes with mqt-core, as its manifests describe it."""
    try:
        spec = find_spec("mqt.core")
    except ImportError:
        spec = None
    folders = [] if spec is None else list(spec.submodule_search_locations or ())
    for manifest in sorted(file for folder in folders for file in Path(folder).glob("lib*/*.qdmi.json")):
        for entry in read_file(manifest).get("qdmi").get("devices").items(1000):
            if entry.get("id").text() != INSTALLED[name]:
                continue
            file = entry.get("session", {}).get("device-config", {}).get("file", None)
            return QdmiDevice(
                manifest.parent / entry.get("library").text(),
                prefix=entry.get("prefix").text(),
                address=f"qdmi@{name}",
                configuration=None if file.is_null else manifest.parent / file.text(),
            )
    raise BackendError(
        f'Device `qdmi@{name}` comes with mqt-core, which is not installed. Try pip install "qsim-jax[qdmi]".'
    )
