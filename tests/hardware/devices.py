"""Shared by the tests of the hardware: devices that count, or answer what they were told to."""

from __future__ import annotations

import jax
import numpy as np
import pytest

import hardware
from hardware.adapters.local import LocalDevice
from hardware.budget import temporary_budget
from qsim import Circuit, ParameterVector, Target, submit
from qsim.results import Counts

KEY = jax.random.key(0)
BELL = Circuit(2).h(0).cx(0, 1)
T = ParameterVector("t", 2)
TURNS = Circuit(2).ry(T[0], 0).cx(0, 1).rx(T[1], 1)
POINT = np.array([0.4, -0.7], np.float32)
NATIVES = ("rz", "sx", "x", "cz")


@pytest.fixture(autouse=True)
def own_budget():
    """A budget of its own for every test of a module that imports this."""
    with temporary_budget():
        yield


class Counting(LocalDevice):
    """Counts what it is given."""

    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        self.sent = []

    def send(self, programs):
        self.sent.append(list(programs))
        return super().send(programs)


class Saying(Counting):
    """Answers what it was told to, whatever it is asked."""

    def __init__(self, reply, **named):
        super().__init__(Target.ideal(2), "saying")
        self.reply = reply
        for name, value in named.items():
            setattr(self, name, value)

    def send(self, programs):
        job = super().send(programs)
        job.replies = lambda: self.reply
        return job


def ideal(n=2, **named):
    return Counting(Target.ideal(n), **named)


def slow(delay=0.6):
    device = ideal(delay=delay)
    device.patience = hardware.Patience(0.01, 1.0, 0.01)
    return device


def bell(device, shots=10, key=KEY):
    return submit(BELL, Counts(), on=device, shots=shots, key=key)
