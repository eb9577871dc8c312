"""Quantum processors and their control software, behind the same `execute`.

A device is found by name, `execute(circuit, results, on="vendor@device", shots=..., key=...)`, and
is differentiable: the value and all shifted circuits of a gradient are one job. Adapters
import their vendor's software only when they are asked for.
"""

from __future__ import annotations

from hardware.budget import Budget, budget, set_budget
from hardware.device import Device, Limits
from hardware.errors import DeviceError
from hardware.facts import DeviceFacts
from hardware.handle import JobHandle, resume, save
from hardware.job import DeviceJob, Patience, RemoteJob
from hardware.programs import Program
from hardware.together import submit_together

__all__ = [
    "Budget",
    "Device",
    "DeviceError",
    "DeviceFacts",
    "DeviceJob",
    "JobHandle",
    "Limits",
    "Patience",
    "Program",
    "RemoteJob",
    "budget",
    "resume",
    "save",
    "set_budget",
    "submit_together",
]
