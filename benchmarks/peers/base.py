"""What a peer's module returns for a workload."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.answers import Answer
from benchmarks.data import Gate, Slot


class Unsupported(Exception):
    """The peer cannot do this; says why."""


@dataclass(frozen=True, slots=True)
class Runner:
    """A prepared workload.

    Attributes:
        call: (theta) -> what the peer calls a result; one whole run, finished when it returns.
        answer: that result as an `Answer`; not timed.
    """

    call: Callable[[np.ndarray], Any]
    answer: Callable[[Any], Answer]


def no_cache(folder: str) -> None:
    """For peers that compile nothing that could be kept."""


def reversed_qubits(amplitudes: Any, num_qubits: int) -> np.ndarray:
    """Amplitudes with the last qubit most significant, in neutral order."""
    state = np.asarray(amplitudes).reshape((2,) * num_qubits)
    return state.transpose(range(num_qubits)[::-1]).reshape(-1)


def angle_of(gate: Gate, theta: Any, x: Any = None) -> Any:
    """The angle of a gate from the vectors that vary; a number stays one."""
    angle = gate.angle
    if not isinstance(angle, Slot):
        return angle
    source = theta if angle.of == "theta" else x
    value = source[..., angle.index]
    return value if angle.factor == 1.0 else angle.factor * value


def split(gates: Sequence[Gate]) -> tuple[list[Gate], list[Gate]]:
    """(gates up to the last that varies, the constant rest), for peers that can fuse constants only."""
    at = max((k + 1 for k, gate in enumerate(gates) if isinstance(gate.angle, Slot)), default=0)
    return list(gates[:at]), list(gates[at:])
