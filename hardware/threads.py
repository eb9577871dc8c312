"""Jobs of vendors' software that only knows calls that wait: they are made in a thread, one after the other."""

from __future__ import annotations

import itertools
import threading
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import Any

from hardware.job import KeptJobs, RemoteJob
from qsim.backends import JobStatus
from qsim.errors import QsimError

__all__ = ["Worker"]


class Worker:
    """The thread of one device. It keeps its last jobs, so that they can be found again in this process.

    Args:
        name: of the device; a part of the ids of its jobs.
        delay: seconds that every job takes at least, half of them in the queue.

    Attributes:
        jobs: the last ones.

    Example:
        >>> from hardware.threads import Worker
        >>> job = Worker("mill").submit([lambda: {"0": 3}, lambda: {"1": 2}])
        >>> job.id.startswith("mill-"), job.replies()
        (True, [{'0': 3}, {'1': 2}])
    """

    def __init__(self, name: str, delay: float = 0.0):
        self.name, self.delay = name, delay
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=name)
        self.jobs = KeptJobs(name)

    def submit(self, calls: Sequence[Callable[[], Any]]) -> RemoteJob:
        """A job whose replies are what the calls give; it can be cancelled between two of them."""
        job = _ThreadJob(self, f"{self.name}-{uuid.uuid4().hex[:12]}", calls)
        self.jobs.keep(job)
        return job


class _ThreadJob(RemoteJob):
    def __init__(self, worker: Worker, id: str, calls: Sequence[Callable[[], Any]]):
        self._worker, self._id, self._calls = worker, id, tuple(calls)
        self._started, self._stop = threading.Event(), threading.Event()
        self._future: Future[list[Any]] = worker._pool.submit(self._work)

    @property
    def id(self) -> str:
        return self._id

    def status(self) -> JobStatus:
        if self._stop.is_set() or self._future.cancelled():
            return JobStatus.CANCELLED
        if not self._future.done():
            return JobStatus.RUNNING if self._started.is_set() else JobStatus.QUEUED
        return JobStatus.FAILED if self._future.exception() else JobStatus.DONE

    def queue_position(self) -> int | None:
        before = itertools.takewhile(lambda job: job is not self, list(self._worker.jobs.values()))
        return sum(not job.status().is_final for job in before)

    def replies(self) -> Sequence[Any]:
        return self._future.result()

    def cancel(self) -> None:
        if not self._future.done():
            self._stop.set()
            self._future.cancel()

    def failure(self) -> str:
        failure = self._future.exception()
        return str(failure) if isinstance(failure, QsimError) else f"{type(failure).__name__}: {failure}"

    def _work(self) -> list[Any]:
        self._pause()
        self._started.set()
        try:
            return [self._made(call) for call in self._calls]
        finally:
            self._pause()

    def _made(self, call: Callable[[], Any]) -> Any:
        if self._stop.is_set():
            raise CancelledError
        return call()

    def _pause(self) -> None:
        if self._stop.wait(self._worker.delay / 2):
            raise CancelledError
