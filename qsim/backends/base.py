"""What runs circuits: the `Backend` interface, the `Request` it is given and the `Job` it returns."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any

import jax
import numpy as np

from qsim._recent import Recent
from qsim._typing import Array, Key, PyTree
from qsim.ir.circuit import Circuit
from qsim.ir.target import Target
from qsim.results.program import is_circuit

MAX_FORMS = 256

Transpiler = Callable[[Circuit, Target], Circuit]
"""A hashable callable; what it returns has a layout that says where the qubits went."""


class Form:
    """What requests have in common that differ in values alone; a key that is hashed once.

    Those of equal parts are one object, as long as `_forms` has it: mostly nothing is compared.

    Args:
        parts: what it is known by.
    """

    __slots__ = ("_hash", "parts")

    def __init__(self, parts: Hashable):
        self.parts, self._hash = parts, hash(parts)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Form) and self.parts == other.parts)


_forms = Recent(MAX_FORMS)


@dataclass(frozen=True)
class Request:
    """One circuit to be run, with everything that was asked about it.

    Attributes:
        circuit: transpiled to the backend's target, with its layout; from here on it stays as it is.
        params: name -> array, batch axes first; those of all parameters broadcast by NumPy's rules.
        results: any pytree of results.
        shots: how many shots, or None for exact results.
        key: a JAX key, or None where nothing is random.
        method: how to simulate, or None; for simulators.
        gradient: a gradient rule, or None for the backend's default.
        initial_state: amplitudes (batch..., 2^n) of the logical qubits, a bit string, or None.
            Only where the target has any number of qubits; a device gets gates in the circuit.
        facts: what a backend found out about it and all that are made of it by `again`.
    """

    circuit: Circuit
    params: Mapping[str, Array] = field(default_factory=dict)
    results: PyTree = None
    shots: int | None = None
    key: Key = None
    method: Any = None
    gradient: Any = None
    initial_state: Array | str | None = None
    facts: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def known(self) -> dict[str, Any]:
        """What was given and found out, but for the circuit and the values of its parameters."""
        return {name: value for name, value in vars(self).items() if name not in ("circuit", "params", "flat")}

    @classmethod
    def again(cls, known: Mapping[str, Any], circuit: Circuit, params: Mapping[str, Array]) -> Request:
        """A request that differs from one of which all is `known` in the values of its parameters alone."""
        new = object.__new__(cls)
        vars(new).update(known, circuit=circuit, params=params)
        return new

    @cached_property
    def given(self) -> tuple[list[Any], Any]:
        """The arrays of the results as they were given, circuits that they compare with, and their structure."""
        return jax.tree.flatten(self.results, is_leaf=is_circuit)

    @cached_property
    def flat(self) -> tuple[list[Any], Any]:
        """`given`, with host arrays as copies: JAX keeps a constant in the precision of the array's first use."""
        leaves, structure = self.given
        return [leaf.copy() if isinstance(leaf, np.ndarray) else leaf for leaf in leaves], structure

    @cached_property
    def form(self) -> Form:
        """Everything but the values of arrays: what is checked, chosen or compiled for one holds for all of a form."""
        leaves, structure = self.given
        state = self.initial_state
        parts = (
            self.circuit.key,
            structure,
            tuple([leaf.key if isinstance(leaf, Circuit) else np.shape(leaf) for leaf in leaves]),
            tuple([(name, value.shape) for name, value in self.params.items()]),
            self.shots,
            self.key is None,
            self.method,
            self.gradient,
            state is None or isinstance(state, str) or np.shape(state),
        )
        return _forms.get(parts, lambda: Form(parts))


class JobStatus(Enum):
    """Where a job is in its life."""

    CREATED = "created"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """True where it will not change any more."""
        return self in (JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED)


class Job(ABC):
    """Something that has been submitted."""

    @property
    @abstractmethod
    def id(self) -> str:
        """A name by which the backend knows the job."""

    @property
    @abstractmethod
    def metadata(self) -> Mapping[str, Any]:
        """What is known about the run: layout, timings, method chosen, dtype, shots; None where unknown."""

    @abstractmethod
    def status(self) -> JobStatus:
        """Where the job is now. Never waits."""

    @abstractmethod
    def result(self, timeout: float | None = None) -> PyTree:
        """Wait for the results.

        Args:
            timeout: how long to wait at most, in seconds; None waits as long as it takes.

        Raises:
            JobTimeout: it took longer; the job lives on.
            JobCancelled: it was cancelled.
            JobError: it failed.
        """

    @abstractmethod
    def cancel(self) -> bool:
        """Ask for the job to be cancelled; True where it will not give a result."""


_numbers = itertools.count(1)


class DoneJob(Job):
    """A job that was finished when it was made.

    Args:
        value: what `result()` gives.
        metadata: what is known about the run.
        id: its name; None numbers it.

    Example:
        >>> from qsim.backends import DoneJob
        >>> DoneJob([1, 2]).result()
        [1, 2]
    """

    def __init__(self, value: PyTree, metadata: Mapping[str, Any] | None = None, id: str | None = None):
        self._value = value
        self._metadata = dict(metadata or {})
        self._id: str | int = next(_numbers) if id is None else id

    @property
    def id(self) -> str:
        return self._id if isinstance(self._id, str) else f"local-{self._id}"

    @property
    def metadata(self) -> Mapping[str, Any]:
        return self._metadata

    def status(self) -> JobStatus:
        return JobStatus.DONE

    def result(self, timeout: float | None = None) -> PyTree:
        return self._value

    def cancel(self) -> bool:
        return False

    def __repr__(self) -> str:
        return f"<Job {self.id}: done>"


class MappedJob(Job):
    """Another job whose result is passed through a function, once.

    Args:
        job: the job that does the work.
        function: what to make of its result.
        metadata: what to add to its metadata.
        request: what was asked for, where the result is that of a request.

    Attributes:
        job, request: as given.
    """

    def __init__(
        self,
        job: Job,
        function: Callable[[Any], PyTree],
        metadata: Mapping[str, Any] | None = None,
        request: Request | None = None,
    ):
        self.job, self.request = job, request
        self._function, self._extra = function, dict(metadata or {})
        self._done: tuple[PyTree] | None = None

    @property
    def id(self) -> str:
        return self.job.id

    @property
    def metadata(self) -> Mapping[str, Any]:
        return {**self.job.metadata, **self._extra}

    def status(self) -> JobStatus:
        return self.job.status()

    def result(self, timeout: float | None = None) -> PyTree:
        if self._done is None:
            self._done = (self._function(self.job.result(timeout)),)
        return self._done[0]

    def cancel(self) -> bool:
        return self.job.cancel()

    def __repr__(self) -> str:
        return f"<Job {self.id}: {self.status().value}>"


class Backend(ABC):
    """Something that runs circuits: a simulator, or a quantum processor.

    A backend that JAX can trace (it is itself a JAX program) derives from this class; one
    that cannot derives from `HostBackend`, which makes it differentiable, batchable and
    usable under jit.

    Attributes:
        name: what messages call it.
        target: its qubits, their connectivity and native gates; `Target.ideal()` for a
            simulator, which runs everything.
        transpiler: how circuits are brought to the target: a callable
            `(Circuit, Target) -> Circuit`, a name in the entry-point group
            `qsim.transpilers`, or None. Used only for circuits that are not in the target.
    """

    name: str
    target: Target
    transpiler: Transpiler | str | None = None

    @abstractmethod
    def supports(self, result: Any) -> bool:
        """True where the backend can give this result; anything else is refused before it runs."""

    @abstractmethod
    def run(self, request: Request) -> Job:
        """Run one request. On a backend that can be traced, its arrays may be traced values."""
