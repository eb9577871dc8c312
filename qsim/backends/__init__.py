"""What runs circuits: the local simulator, the reference, and everything that registers itself."""

from __future__ import annotations

from qsim.backends.base import Backend, DoneJob, Job, JobStatus, MappedJob, Request
from qsim.backends.host import HostBackend
from qsim.backends.local import LocalBackend
from qsim.backends.prepare import prepare
from qsim.backends.reference import Reference, results_of_amplitudes
from qsim.backends.registry import find_backend, find_transpiler

__all__ = [
    "Backend",
    "DoneJob",
    "HostBackend",
    "Job",
    "JobStatus",
    "LocalBackend",
    "MappedJob",
    "Reference",
    "Request",
    "find_backend",
    "find_transpiler",
    "prepare",
    "results_of_amplitudes",
]
