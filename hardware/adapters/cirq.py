"""`cirq@...`: the virtual processors of Cirq's Google package, which refuse what the chip they stand for would."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import numpy as np

from hardware.device import Device, Limits
from hardware.errors import DeviceBusy, DeviceError, RejectedProgram
from hardware.job import KeptJobs, RemoteJob
from hardware.programs import Program
from qsim.backends import JobStatus
from qsim.errors import BackendError
from qsim.interop.cirq_gates import GATES
from qsim.ir.operation import Barrier
from qsim.ir.table import row_of
from qsim.ir.target import Native, QubitFacts, Target

__all__ = ["CirqDevice", "device"]

KEY = "m"
NOISY = "_noisy"
MAX_NOISY_QUBITS = 10
"""A density matrix of 2^20 elements for each program."""
MAX_SHOTS, MAX_MOMENTS = 5_000_000, 9_999
"""What Google's engine takes of a program, the moment of the measurement left out."""
STATES = {
    "READY": JobStatus.QUEUED,
    "RUNNING": JobStatus.RUNNING,
    "CANCELLING": JobStatus.RUNNING,
    "CANCELLED": JobStatus.CANCELLED,
    "SUCCESS": JobStatus.DONE,
    "FAILURE": JobStatus.FAILED,
}
ERRORS: dict[type[BaseException], type[DeviceError]] = {
    ValueError: RejectedProgram,
    RuntimeError: RejectedProgram,
    TimeoutError: DeviceBusy,
}
PI = math.pi

NATIVES = "id x y z h s sdg t tdg sx sxdg rx ry rz p prx u cz iswap sqrt_iswap fsim".split()
"""Gates that a device may have; Cirq's are equal to ours up to a global phase."""

ANY_ANGLES = (0.1, 0.2, 0.3)
ANGLES = {"fsim": (PI / 2, PI / 6)}
"""Angles at which a gate is native where it is not at others: the Sycamore gate."""


class CirqDevice(Device):
    """A virtual processor of a `cirq_google` engine.

    Args:
        processor: what gives, for the seed of the shots, the `SimulatedLocalProcessor` of one job.
        name: what messages call it. address: what `execute(on=...)` takes to find it again.
        noisy: True where density matrices are simulated, which takes programs of few qubits.

    Raises:
        BackendError: a processor whose device does not say its qubits and gates.
    """

    limits = Limits(shots=MAX_SHOTS)
    errors = ERRORS

    def __init__(self, processor: Callable[[int], Any], name: str, *, address: str | None = None, noisy: bool = False):
        self._processor, self.noisy = processor, noisy
        one = processor(0)
        self.vendor, calibration = one.get_device(), one.get_current_calibration() if noisy else None
        if self.vendor.metadata is None:
            raise BackendError(f"Device `{name}` does not say its qubits and gates. Choose one with metadata.")
        self._places = tuple(sorted(self.vendor.metadata.qubit_set))
        super().__init__(
            name,
            _target(self.vendor.metadata, self._places, calibration),
            address=address,
            source="the device specification and the median calibration that cirq-google ships",
        )
        self._cirq = import_module("cirq")
        self._jobs = KeptJobs(name)

    def check(self, programs: Sequence[Program]) -> None:
        super().check(programs)
        for program in programs:
            used = {q for i in program.circuit.instructions for q in i.qubits}.union(program.measured)
            if self.noisy and len(used) > MAX_NOISY_QUBITS:
                raise RejectedProgram(
                    f"Device `{self.name}` simulates noise on up to {MAX_NOISY_QUBITS} qubits, but this program uses "
                    f"{len(used)}. Use fewer qubits, or the device without noise."
                )

    def send(self, programs: Sequence[Program]) -> RemoteJob:
        circuits = [self.written(program) for program in programs]
        for circuit in circuits:
            self.vendor.validate_circuit(circuit)
            if len(circuit) > MAX_MOMENTS:
                raise RejectedProgram(
                    f"Device `{self.name}` takes {MAX_MOMENTS} moments, but this circuit has {len(circuit)}. Use a "
                    "shorter one."
                )
        job = _EngineJob(
            self._processor(programs[0].seed).run_sweep(
                circuits,
                job_id=f"{self.name}-{uuid.uuid4().hex[:12]}",
                repetitions=[program.shots for program in programs],
            )
        )
        self._jobs.keep(job)
        return job

    def retrieve(self, id: str) -> RemoteJob:
        return self._jobs.find(id)

    def written(self, program: Program) -> Any:
        """A program as a `cirq.Circuit` that ends with one measurement, of key "m"."""
        cirq, places = self._cirq, self._places
        operations = [
            GATES[i.operation.name](cirq, *map(float, i.operation.params))(*[places[q] for q in i.qubits])
            for i in program.circuit.instructions
            if not isinstance(i.operation, Barrier)
        ]
        return cirq.Circuit(*operations, cirq.measure(*[places[q] for q in program.measured], key=KEY))


class _EngineJob(RemoteJob):
    def __init__(self, job: Any):
        self._job, self._cancelled = job, False

    @property
    def id(self) -> str:
        return self._job.id()

    def status(self) -> JobStatus:
        if self._cancelled:
            return JobStatus.CANCELLED
        return STATES.get(self._job.execution_status().name, JobStatus.RUNNING)

    def replies(self) -> Sequence[np.ndarray]:
        return [result.measurements[KEY] for result in self._job.results()]

    def cancel(self) -> None:
        self._job.cancel()
        self._cancelled = True  # a virtual one goes on, and would call itself successful

    def failure(self) -> str:
        return " ".join(self._job.failure() or ("no reason given",))


def _target(metadata: Any, places: Sequence[Any], calibration: Any) -> Target:
    """The qubits, the pairs, and the gates of the table that the device's gate set takes."""
    natives = {}
    for name in NATIVES:
        for angles in (ANY_ANGLES[: len(row_of(name).params)], ANGLES.get(name)):
            native = None if angles is None else _native(name, angles, metadata)
            if native is not None:
                natives[name] = native
                break
    number = {place: q for q, place in enumerate(places)}
    pairs = [(number[a], number[b]) for a, b in metadata.qubit_pairs]
    return Target(
        len(places),
        [*pairs, *[(b, a) for a, b in pairs]],
        natives,
        qubits=[_facts(place, calibration) for place in places],
        virtual_z=True,
        date=None if calibration is None else datetime.fromtimestamp(calibration.timestamp / 1000, UTC).isoformat(),
    )


def _native(name: str, angles: tuple[float, ...], metadata: Any) -> Native | None:
    """What is known of a gate; None where the device does not take it at these angles. A duration of 0 is unknown."""
    cirq = import_module("cirq")
    gate = GATES[name](cirq, *angles)
    operation = gate.on(*cirq.LineQubit.range(gate.num_qubits()))
    if operation not in metadata.gateset:
        return None
    times = [time.total_picos() for family, time in (metadata.gate_durations or {}).items() if operation in family]
    fixed = tuple((angle,) for angle in angles) if angles is ANGLES.get(name) else ()
    return Native(duration=float(max(times, default=0)) * 1e-12 or None, angles=fixed)


def _facts(place: Any, calibration: Any) -> QubitFacts:
    """What a calibration says of a qubit: T1, and how often it is read wrongly."""
    if calibration is None:
        return QubitFacts(str(place))
    micros, high, low = (
        calibration[key].get((place,), (None,))[0] if key in calibration else None
        for key in ("single_qubit_idle_t1_micros", "single_qubit_p00_error", "single_qubit_p11_error")
    )
    return QubitFacts(
        str(place),
        t1=None if micros is None else micros * 1e-6,
        readout_flips=None if high is None or low is None else (high, low),
    )


def device(name: str | None) -> CirqDevice:
    """The entry point: a virtual processor of cirq-google, "rainbow" (23 qubits), "weber" (53) or "willow_pink" (105).

    These draw from the exact state. "rainbow_noisy" and the like add the noise of the chip's
    median calibration, on up to 10 qubits.

    Raises:
        BackendError: cirq-google is not installed, or there is no such processor.
    """
    try:
        cirq, google = import_module("cirq"), import_module("cirq_google")
    except ImportError:
        raise BackendError(f'Device `cirq@{name}` needs cirq-google. Try pip install "qsim-jax[cirq]".') from None
    chip = (name or "").removesuffix(NOISY)
    noisy = chip != name
    engine = google.engine
    known = engine.list_virtual_processors()
    if name is None or chip not in known:
        raise BackendError(
            f"Unknown device 'cirq@{name}'. Try {', '.join(f'cirq@{one}' for one in known)}, or cirq@{known[0]}{NOISY} "
            "with noise."
        )
    vendor = engine.create_device_from_processor_id(chip)
    calibration = engine.load_median_device_calibration(chip)
    noise = google.NoiseModelFromGoogleNoiseProperties(engine.load_device_noise_properties(chip)) if noisy else None

    def processor(seed: int) -> Any:
        return engine.SimulatedLocalProcessor(
            processor_id=name,
            sampler=cirq.DensityMatrixSimulator(noise=noise, seed=seed) if noisy else cirq.Simulator(seed=seed),
            device=vendor,
            validator=engine.engine_validator.create_engine_validator(),
            program_validator=engine.engine_validator.create_program_validator(),
            simulation_type=engine.local_simulation_type.LocalSimulationType.ASYNCHRONOUS,
            calibrations={calibration.timestamp // 1000: calibration} if noisy else None,
        )

    return CirqDevice(processor, f"cirq@{name}", address=f"cirq@{name}", noisy=noisy)
