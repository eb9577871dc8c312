"""Our simulators and devices as a Qiskit backend: Qiskit's circuits in, Qiskit's results out."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import jax
import numpy as np

from hardware.errors import DeviceError, RejectedProgram
from qsim import Circuit, execute
from qsim.backends import find_backend
from qsim.errors import BackendError, CircuitError, ParameterError
from qsim.interop import from_qiskit
from qsim.interop.qiskit_gates import classes
from qsim.ir.operation import Reset
from qsim.ir.table import row_of
from qsim.ir.target import Native, Target
from qsim.results import Samples

try:
    from qiskit import QuantumCircuit
    from qiskit.circuit import Delay, Measure, Parameter
    from qiskit.providers import BackendV2, JobStatus, JobV1, Options
    from qiskit.result import Result
    from qiskit.result.models import ExperimentResult, ExperimentResultData
    from qiskit.transpiler import InstructionProperties, QubitProperties
    from qiskit.transpiler import Target as QiskitTarget
except ImportError as missing:
    raise BackendError(
        f'QsimBackend needs Qiskit, but {missing.name} is not installed. Try pip install "qsim-jax[qiskit]".'
    ) from missing

__all__ = ["QsimBackend"]


class QsimBackend(BackendV2):
    """What qsim runs on, as a Qiskit `BackendV2`, for `BackendSamplerV2` and `BackendEstimatorV2` too.

    Measurements are the last operations on their qubits. Circuits are read by `qsim.interop.from_qiskit`; what has no
    counterpart (control flow, resets in the middle) is refused by name.

    Args:
        on: what runs the circuits, as in `execute(on=...)`; None is the local simulator.
        target: what Qiskit's transpiler is told of it; default that of `on`. A target of any number of
            qubits and gates becomes all the standard gates, on any qubits.

    Raises:
        BackendError: `on` is no backend.

    Example:
        >>> from qiskit import QuantumCircuit
        >>> from hardware.bridges.qiskit import QsimBackend
        >>> circuit = QuantumCircuit(2, 2)
        >>> _ = circuit.x(0)
        >>> _ = circuit.measure([0, 1], [0, 1])
        >>> QsimBackend().run(circuit, shots=7, seed_simulator=1).result().get_counts()
        {'01': 7}
    """

    def __init__(self, on: Any = None, *, target: Target | None = None):
        self._on = find_backend(on)
        super().__init__(name=f"qsim on {self._on.name}", description="qsim-jax")
        self._described = _target(self._on.target if target is None else target)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="qsim")

    @property
    def target(self) -> QiskitTarget:
        """What it can run, as Qiskit says it."""
        return self._described

    @property
    def max_circuits(self) -> None:
        """Any number in one job."""
        return None

    @classmethod
    def _default_options(cls) -> Options:
        return Options(shots=1024, memory=False, seed_simulator=None)

    def run(
        self,
        run_input: QuantumCircuit | Sequence[QuantumCircuit],
        *,
        shots: int | None = None,
        memory: bool | None = None,
        seed_simulator: int | None = None,
    ) -> _QsimJob:
        """Run circuits, as one job.

        Args:
            run_input: one circuit or several, parameters bound.
            shots: of each; default 1024. memory: True keeps every shot. seed_simulator: default a random one.

        Returns:
            A job whose result is a `qiskit.result.Result` with counts, keys as Qiskit writes them:
            the last classical bit first, registers apart.

        Raises:
            RejectedProgram: an operation that cannot be run, or an unbound parameter.
        """
        given = [run_input] if isinstance(run_input, QuantumCircuit) else list(run_input)
        default: Any = self.options
        count = default.shots if shots is None else shots
        keep = default.memory if memory is None else memory
        seed = default.seed_simulator if seed_simulator is None else seed_simulator
        seed = secrets.randbits(31) if seed is None else int(seed)
        circuits = [_read(circuit) for circuit in given]

        def work() -> list[ExperimentResult]:
            keys = jax.random.split(jax.random.key(seed), max(len(circuits), 1))
            return [
                self._experiment(one, ours, int(count), bool(keep), seed, key)
                for one, ours, key in zip(given, circuits, keys, strict=False)
            ]

        job = _QsimJob(self, work)
        job.submit()
        return job

    def _experiment(
        self, given: QuantumCircuit, circuit: Circuit, shots: int, memory: bool, seed: int, key: Any
    ) -> ExperimentResult:
        found: dict[str, Any] = {}
        if any(instruction.clbits for instruction in circuit.instructions):
            bits = np.asarray(execute(circuit, Samples(), on=self._on, shots=shots, key=key))
            packed = np.packbits(bits, axis=1, bitorder="little")
            words, inverse, counts = np.unique(packed, axis=0, return_inverse=True, return_counts=True)
            names = [hex(int.from_bytes(word.tobytes(), "little")) for word in words]
            found["counts"] = dict(zip(names, counts.tolist(), strict=True))
            if memory:
                found["memory"] = [names[number] for number in inverse.ravel()]
        header = {
            "name": given.name,
            "n_qubits": given.num_qubits,
            "memory_slots": given.num_clbits,
            "qreg_sizes": [[register.name, register.size] for register in given.qregs],
            "creg_sizes": [[register.name, register.size] for register in given.cregs],
            "global_phase": float(given.global_phase),
            "metadata": given.metadata or {},
        }
        data = ExperimentResultData(**found)
        return ExperimentResult(shots, True, data, status="DONE", seed=seed, header=header)


class _QsimJob(JobV1):
    """Circuits that run in a thread of their backend."""

    _async = True

    def __init__(self, backend: QsimBackend, work: Callable[[], list[ExperimentResult]]):
        super().__init__(backend, str(uuid.uuid4()))
        self._owner, self._work = backend, work
        self._future: Future[list[ExperimentResult]] | None = None

    def submit(self) -> None:
        """Start it.

        Raises:
            DeviceError: it was started before.
        """
        if self._future is not None:
            raise DeviceError(f"Job {self.job_id()} was submitted before.")
        self._future = self._owner._pool.submit(self._work)

    def result(self, timeout: float | None = None) -> Result:
        """Wait for the result, `timeout` seconds at most.

        Raises:
            TimeoutError: it took longer. QsimError: a circuit could not be run.
        """
        return Result(
            backend_name=self._owner.name,
            backend_version=self._owner.backend_version,
            job_id=self.job_id(),
            success=True,
            status="COMPLETED",
            results=self._running.result(timeout),
        )

    def status(self) -> JobStatus:
        """Where it is now."""
        future = self._running
        if future.cancelled():
            return JobStatus.CANCELLED
        if future.done():
            return JobStatus.DONE if future.exception() is None else JobStatus.ERROR
        return JobStatus.RUNNING if future.running() else JobStatus.QUEUED

    def cancel(self) -> bool:
        """Take it out of the queue; False where it runs already."""
        return self._running.cancel()

    @property
    def _running(self) -> Future[list[ExperimentResult]]:
        if self._future is None:
            raise DeviceError(f"Job {self.job_id()} was not submitted. Call submit() first.")
        return self._future


def _read(given: QuantumCircuit) -> Circuit:
    """A Qiskit circuit as one of ours, every parameter bound; steps of dt, which a simulator has not, take no time.

    Raises:
        RejectedProgram: an operation that has no counterpart here, or an unbound parameter.
    """
    try:
        circuit = from_qiskit(given, dt=0.0)
    except (CircuitError, ParameterError) as error:
        raise RejectedProgram(f"Qiskit's circuit {given.name!r} cannot be run. {error}") from None
    if circuit.parameters:
        names = ", ".join(p.name for p in given.parameters)
        raise RejectedProgram(
            f"Qiskit's circuit {given.name!r} has unbound parameters: {names}. Try circuit.assign_parameters(...)."
        )
    for i in circuit.instructions:
        if isinstance(i.operation, Reset):
            raise RejectedProgram(
                f"Qiskit's circuit {given.name!r} has a 'reset' on qubits {i.qubits} after other operations, which "
                "cannot be run. Take another qubit instead."
            )
    return circuit


def _target(target: Target) -> QiskitTarget:
    """Our target as Qiskit says it."""
    facts = [QubitProperties(t1=q.t1, t2=q.t2, frequency=q.frequency) for q in target.qubits]
    made = QiskitTarget("qsim", target.num_qubits, qubit_properties=facts or None)
    for name, gate in classes().items():
        row = row_of(name)
        places = _places(target, name, row.num_qubits)
        if places is None or places:
            made.add_instruction(gate(*[Parameter(p) for p in row.params]), places)
    readout = {
        (q,): InstructionProperties(facts.readout_duration, facts.readout_error)
        for q, facts in enumerate(target.qubits)
    }
    made.add_instruction(Measure(), readout or None)
    made.add_instruction(Delay(Parameter("t")))
    return made


def _places(target: Target, name: str, size: int) -> dict[tuple[int, ...], InstructionProperties] | None:
    """Where a gate is native, and what is known of it there; None means everywhere, {} nowhere."""
    listed = [place for place in target.local if len(place) == size]
    if size == 1 and (listed or target.edges is not None):
        listed = [(q,) for q in target.usable_qubits]
    elif size == 2 and target.edges is not None:
        listed = list(target.edges)
    elif not listed and (size < 3 or target.edges is None):
        return None if target.natives is None or name in target.natives else {}
    found = {}
    for place in listed:
        table: Any = target.natives_at(place)
        if table is None or name in table:
            native = Native() if table is None else table[name]
            found[place] = InstructionProperties(native.duration, native.error)
    return found
