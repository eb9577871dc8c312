"""Several circuits side by side on one device, at the same time: one job for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hardware.device import Device
from hardware.errors import DeviceError, RejectedProgram
from hardware.job import Run
from hardware.programs import Measured, Program, programs_of_all
from qsim import submit
from qsim._typing import Key, PyTree
from qsim.backends import HostBackend, Job, JobStatus, MappedJob, Request, find_backend
from qsim.backends.base import Transpiler
from qsim.ir.circuit import Circuit
from qsim.ir.layout import Padding
from qsim.methods.statevector import check_operations

__all__ = ["TogetherJob", "submit_together"]

TRACED = "Job {} of submit_together holds traced values. Call it outside jax.jit, grad and vmap."


def submit_together(
    jobs: Sequence[tuple[Circuit, PyTree, Sequence[int]]],
    *,
    on: Device | str,
    shots: int,
    key: Key,
    transpiler: Transpiler | str | None = None,
) -> TogetherJob:
    """Run several circuits at the same time, each on its own qubits of a device.

    Each circuit is transpiled on its part of the device. The first programs of all circuits are merged
    into one that measures all of them, then the second ones, and so on: as many programs as the
    circuit with the most settings needs, each with the shots of the one that needs most, of which
    the others take the first. Neighbours may disturb each other on a device (crosstalk), and a
    short circuit waits for a long one before its qubits are read.

    Args:
        jobs: (circuit, results, device qubits) of each; circuits of numbers, no qubit twice.
        on: a device, or its name "vendor@device".
        shots: how many for each result. key: a JAX key.
        transpiler: as `execute` takes it.

    Returns:
        A job whose result is a list: of each circuit what `execute` would give.

    Raises:
        RejectedProgram: no jobs, or qubits of two of them. DeviceError: traced values, or no device.
        QsimError: what `submit` refuses.

    Example:
        >>> import jax, hardware
        >>> from qsim import Circuit
        >>> from qsim.results import Counts
        >>> bell, flip = Circuit(2).x(0).cx(0, 1), Circuit(1).x(0)
        >>> jobs = [(bell, Counts(), [0, 1]), (flip, Counts(), [4])]
        >>> hardware.submit_together(jobs, on="local@line5", shots=10, key=jax.random.key(0)).result()
        [{'11': 10}, {'1': 10}]
    """
    device = find_backend(on)
    if not isinstance(device, Device):
        raise DeviceError(f"Backend `{device.name}` is no device. Call execute() once for each circuit there.")
    owner: dict[int, int] = {}
    if not jobs:
        raise RejectedProgram("Argument `jobs` must hold at least one (circuit, results, qubits), but is empty.")
    parts: list[_Part] = []
    wholes: list[Job] = []
    for number, job in enumerate(jobs):
        if not isinstance(job, (tuple, list)) or len(job) != 3:
            raise RejectedProgram(
                f"Argument `jobs` must hold tuples (circuit, results, qubits), but job {number} is none."
            )
        circuit, results, qubits = job
        part = _Part(device, number)
        whole = submit(
            circuit, results, on=part, transpiler=transpiler, padding=Padding.AFTER, qubits=qubits, shots=shots, key=key
        )
        if not isinstance(whole, MappedJob):
            raise DeviceError(TRACED.format(number))
        wholes.append(whole)
        for q in map(int, qubits):
            if owner.setdefault(q, number) != number:
                raise RejectedProgram(
                    f"Qubit {q} of device `{device.name}` is in job {owner[q]} and in job {number}. Circuits side by "
                    "side need different qubits; run these one after the other."
                )
        parts.append(part)
    run = device.run_programs(_merged([part.programs for part in parts]))
    at = [0] * len(run.programs)
    for part in parts:
        part.begin(run, at)
    return TogetherJob(run, wholes)


class TogetherJob(Job):
    """One run of several circuits; its result is the list of theirs.

    Attributes:
        run: the programs on the device. parts: for each circuit a job, whose result is its own.
    """

    def __init__(self, run: Run, parts: Sequence[Job]):
        self.run, self.parts = run, tuple(parts)

    @property
    def id(self) -> str:
        return self.run.id

    @property
    def metadata(self) -> Mapping[str, Any]:
        return {
            "device": self.run.device.name,
            "id": self.id,
            "programs": len(self.run.programs),
            "shots": sum(program.shots for program in self.run.programs),
            "layouts": [part.metadata["layout"] for part in self.parts],
        }

    def status(self) -> JobStatus:
        return self.run.status()

    def cancel(self) -> bool:
        return self.run.cancel()

    def result(self, timeout: float | None = None) -> list[PyTree]:
        self.run.bits(timeout)
        return [part.result() for part in self.parts]

    def __repr__(self) -> str:
        return f"<Job {self.id} on {self.run.device.name}: {len(self.parts)} circuits side by side>"


class _Part(HostBackend):
    """Stands in for the device while one circuit is prepared: it notes the programs, and submits nothing."""

    def __init__(self, device: Device, number: int):
        self.device, self.number = device, number
        self.name, self.target, self.transpiler = device.name, device.target, device.transpiler
        self.asked: list[Measured] = []
        self.programs: list[Program] = []
        self.run_of_all: Run | None = None
        self.columns: list[slice] = []

    def supports(self, result: Any) -> bool:
        return self.device.supports(result)

    def submit_many(self, requests: Sequence[Request]) -> Job:
        for request in requests:
            check_operations(request.circuit, f"device `{self.name}`")
        self.asked, self.programs = programs_of_all(requests, self.target)
        return _PartJob(self)

    def begin(self, run: Run, at: list[int]) -> None:
        """Take the next columns of each program's bits; `at` says which those are."""
        self.run_of_all = run
        for k, program in enumerate(self.programs):
            self.columns.append(slice(at[k], at[k] + len(program.measured)))
            at[k] += len(program.measured)


class _PartJob(Job):
    """What one circuit asks of the run of all."""

    def __init__(self, part: _Part):
        self.part = part

    @property
    def run(self) -> Run:
        run = self.part.run_of_all
        if run is None:
            raise DeviceError(TRACED.format(self.part.number))
        return run

    @property
    def id(self) -> str:
        return self.run.id

    @property
    def metadata(self) -> Mapping[str, Any]:
        return {"device": self.part.name, "id": self.id}

    def status(self) -> JobStatus:
        return self.run.status()

    def cancel(self) -> bool:
        return self.run.cancel()

    def result(self, timeout: float | None = None) -> list[list[PyTree]]:
        whole = zip(self.run.bits(timeout), self.part.columns, self.part.programs, strict=False)
        bits = iter([rows[: program.shots, columns] for rows, columns, program in whole])
        return [m.values([next(bits) for _ in range(m.num_programs)]) for m in self.part.asked]


def _merged(lists: Sequence[Sequence[Program]]) -> list[Program]:
    """The k-th programs of all lists as one that measures what each of them does, in order."""
    merged = []
    for k in range(max(map(len, lists))):
        some = [programs[k] for programs in lists if k < len(programs)]
        instructions = [instruction for program in some for instruction in program.circuit.instructions]
        circuit = Circuit(some[0].circuit.num_qubits).with_instructions(instructions)
        measured = tuple(q for program in some for q in program.measured)
        merged.append(Program(circuit, measured, max(program.shots for program in some), some[0].seed))
    return merged
