"""A device: a backend with facts, limits and jobs, behind the same `execute`."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from hardware.budget import spend
from hardware.errors import DeviceError, InvalidReply, RejectedProgram, Secret, vendor_errors, vendor_words
from hardware.facts import DeviceFacts
from hardware.job import DeviceJob, Patience, RemoteJob, Run
from hardware.programs import Program, programs_of_all
from qsim._recent import Recent
from qsim.backends import HostBackend, Job, JobStatus, Request
from qsim.backends.atoms import atoms_of
from qsim.errors import ResultError
from qsim.ir.target import Target
from qsim.methods.statevector import check_operations

__all__ = ["Device", "Limits"]

MAX_KEPT = 64


@dataclass(frozen=True)
class Limits:
    """The most that a device takes at once; None where there is no limit.

    Args:
        shots: of one program. programs: of one job. operations: of one program.

    Example:
        >>> from hardware import Limits
        >>> Limits(shots=100_000, programs=300).programs
        300
    """

    shots: int | None = None
    programs: int | None = None
    operations: int | None = 1_000_000


class Device(HostBackend):
    """A quantum processor, or what stands in for one: measured only, with shots, through jobs.

    An adapter says the attributes and how programs are submitted (`send`), and where the vendor
    keeps jobs, how they are found again (`retrieve`). Everything else is here: results become
    settings of measured bases, shots are shared out by coefficients, changes of basis are
    written in the device's gates; programs are checked, counted against the budget and sent as
    one job; replies are validated; runs of the same programs, shots and key are kept and read
    again, since compiled programs may ask more than once.

    Attributes:
        name: what messages call it. address: what `execute(on=...)` takes to find it again.
        target: its qubits, edges and gates. facts: the same with their source.
        limits: see `Limits`. patience: see `Patience`.
        paid: True where runs cost money; they then need a budget.
        progress: a line on stderr while waiting; None shows one on terminals alone.
        reverse_bits: True where the vendor writes the last bit first.
        hexadecimal_keys: True where the vendor's outcomes are hexadecimal numbers.
        errors: the vendor's exceptions -> ours.
        secrets: what must appear in no message.
    """

    address: str
    facts: DeviceFacts
    transpiler: Any = "default"
    limits: Limits = Limits(shots=10_000_000)
    patience: Patience = Patience()
    paid: bool = False
    progress: bool | None = None
    reverse_bits: bool = False
    hexadecimal_keys: bool = False
    errors: Mapping[type[BaseException], type[DeviceError]] = {}
    secrets: tuple[Secret, ...] = ()

    def __init__(self, name: str, target: Target, *, address: str | None = None, source: str | None = None):
        self.name, self.target = name, target
        self.address = name if address is None else address
        self.facts = DeviceFacts(name, target, source)
        self._kept = Recent(MAX_KEPT)

    @abstractmethod
    def send(self, programs: Sequence[Program]) -> RemoteJob:
        """Submit programs as one job. Not repeated where it fails.

        Args:
            programs: checked against the target and the limits, in the order of the replies.
        """

    def retrieve(self, id: str) -> RemoteJob:
        """A job that was submitted before, perhaps by another process.

        Raises:
            DeviceError: the vendor keeps none, or has none of that id.
        """
        raise DeviceError(
            f"Device `{self.name}` keeps no jobs beyond the process that submitted them, so job {id} cannot be resumed."
        )

    def supports(self, result: Any) -> bool:
        """True for what measurements can give."""
        return bool(result.is_measurable)

    def run(self, request: Request) -> Job:
        for atom in atoms_of(request.results):
            if request.shots is None and getattr(atom, "shots", None) is None:
                raise ResultError(
                    f"Device `{self.name}` measures, so {type(atom).__name__} needs a number of shots there. Try "
                    "execute(..., shots=1000, key=jax.random.key(0))."
                )
        check_operations(request.circuit, f"device `{self.name}`")
        return super().run(request)

    def submit_many(self, requests: Sequence[Request]) -> Job:
        asked, programs = programs_of_all(requests, self.target)
        layouts = {request.circuit.layout for request in requests}
        metadata = {"layout": layouts.pop() if len(layouts) == 1 else None}
        return DeviceJob(self.run_programs(programs), asked, metadata)

    def run_programs(self, programs: Sequence[Program]) -> Run:
        """The run of some programs: one that was submitted already, unless that was lost, or a new one.

        Raises:
            TargetError, RejectedProgram: as `check`. BudgetExceeded: nothing was submitted.
        """
        self.check(programs)
        if not programs:
            return Run(self, _Nothing(), [])
        key = tuple(program.digest for program in programs)

        def submitted() -> Run:
            spend(self.name, sum(program.shots for program in programs), self.paid)
            with self.translated("submitting"):
                return Run(self, self.send(programs), programs)

        run = self._kept.get(key, submitted)
        if run.is_lost:
            self._kept.forget(key)
            run = self._kept.get(key, submitted)
        return run

    def check(self, programs: Sequence[Program]) -> None:
        """Refuse, before anything is submitted, what the device cannot take.

        Raises:
            TargetError: a gate that is not native, or qubits that are not joined.
            RejectedProgram: too many programs, shots or operations.
        """
        limits = self.limits
        if limits.programs is not None and len(programs) > limits.programs:
            raise RejectedProgram(
                f"Device `{self.name}` takes {limits.programs} programs in a job, but this needs {len(programs)}. Ask "
                "for fewer results, a smaller batch, or gradient=SPSA()."
            )
        for program in programs:
            if limits.shots is not None and program.shots > limits.shots:
                raise RejectedProgram(
                    f"Device `{self.name}` takes {limits.shots} shots of a program, but this asks for {program.shots}. "
                    "Ask for fewer `shots`, or for several runs."
                )
            if limits.operations is not None and len(program.circuit) > limits.operations:
                raise RejectedProgram(
                    f"Device `{self.name}` takes {limits.operations} operations in a program, but this has "
                    f"{len(program.circuit)}."
                )
            self.target.validate(program.circuit)

    def translated(self, doing: str) -> AbstractContextManager[None]:
        """Raise what the vendor's software raises as one of our errors."""
        return vendor_errors(self.name, self.errors, doing, self.secrets)

    def without_secrets(self, words: Any) -> str:
        """A vendor's words on one line, credentials struck out."""
        return vendor_words(words, self.secrets)

    def invalid(self, words: str) -> InvalidReply:
        """The error for a reply that is not what was asked for."""
        return InvalidReply(f"Device `{self.name}` answered {words}. Nothing of the reply was used.")

    def __repr__(self) -> str:
        return f"<Device {self.name}>"


class _Nothing(RemoteJob):
    """The job of requests for which nothing has to be measured."""

    @property
    def id(self) -> str:
        return "none"

    def status(self) -> JobStatus:
        return JobStatus.DONE

    def replies(self) -> Sequence[Any]:
        return []

    def cancel(self) -> None:
        return None
