"""The job of a primitive: the jobs of its backend, and what is made of their results."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from qsim.backends.base import Job, JobStatus

T = TypeVar("T")

_numbers = itertools.count(1)
_ORDER = (JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.RUNNING, JobStatus.QUEUED, JobStatus.CREATED)


class PrimitiveJob(Job, Generic[T]):
    """Something that a primitive was given to run.

    Args:
        jobs: the backend's jobs.
        finish: what makes the result of theirs, called once.
        metadata: what is known of the run.

    Example:
        >>> from qsim import Circuit, Z
        >>> from qsim.primitives import Estimator
        >>> job = Estimator().run([(Circuit(1).x(0), Z(0))])
        >>> job.status().value, float(job.result()[0].data.evs)
        ('done', -1.0)
    """

    def __init__(self, jobs: Sequence[Job], finish: Callable[[list[Any]], T], metadata: Mapping[str, Any]):
        self._jobs = tuple(jobs)
        self._finish, self._metadata = finish, dict(metadata)
        self._done: tuple[T] | None = None
        self._id = self._jobs[0].id if len(self._jobs) == 1 else f"primitive-{next(_numbers)}"

    @property
    def id(self) -> str:
        return self._id

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The backend's jobs: one for PUBs that run together."""
        return self._jobs

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What is known of the run: the backend, the key, the jobs' own metadata."""
        return {**self._metadata, "jobs": tuple(dict(job.metadata) for job in self._jobs)}

    def status(self) -> JobStatus:
        found = {job.status() for job in self._jobs}
        return next((status for status in _ORDER if status in found), JobStatus.DONE)

    def result(self, timeout: float | None = None) -> T:
        if self._done is None:
            end = None if timeout is None else time.monotonic() + timeout
            values = [job.result(None if end is None else max(0.0, end - time.monotonic())) for job in self._jobs]
            self._done = (self._finish(values),)
        return self._done[0]

    def cancel(self) -> bool:
        return all([job.cancel() for job in self._jobs]) and bool(self._jobs)

    # Qiskit's words for the same

    def job_id(self) -> str:
        """Its `id`."""
        return self.id

    def done(self) -> bool:
        """True where it has a result."""
        return self.status() is JobStatus.DONE

    def running(self) -> bool:
        """True while it runs."""
        return self.status() is JobStatus.RUNNING

    def cancelled(self) -> bool:
        """True where it was cancelled."""
        return self.status() is JobStatus.CANCELLED

    def in_final_state(self) -> bool:
        """True where its status will not change any more."""
        return self.status().is_final

    def __repr__(self) -> str:
        return f"<Job {self.id}: {self.status().value}>"
