"""Workloads as data: what is to be computed, without a word on who computes it or how."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise

import numpy as np

PauliTerm = tuple[tuple[tuple[int, str], ...], float]
"""((qubit, "X" | "Y" | "Z"), ...), coefficient."""


class Scale(Enum):
    """How large the workloads of a question are."""

    TINY = "tiny"  # the suite's own tests
    QUICK = "quick"  # all questions in five minutes
    FULL = "full"
    GPU = "gpu"  # FULL, and what only fits there


class Task(Enum):
    """What one call computes. The comment says what the answer is, in neutral order (qubit 0 most significant)."""

    GRADIENT = "value and gradient"  # {"value": (1,), "gradient": (P,)}
    BATCH = "batched loss and gradient"  # the same, of the mean of (<H>(theta, x_b) - y_b)^2
    VALUE = "expectation value"  # {"value": (1,)}
    STATE = "state"  # see `answers.of_state`
    SAMPLES = "samples"  # see `answers.of_samples`
    BUILD = "building a circuit"  # {"gates": (1,)}
    BIND = "binding parameters"  # {"gates": (1,)}
    PROGRAM = "OpenQASM to state"  # as STATE
    READ = "reading OpenQASM"  # {"qubits": (1,)}


@dataclass(frozen=True, slots=True)
class Slot:
    """An angle that varies: `factor` times element `index` of the vector `of`.

    Attributes:
        index: place in the vector. factor: what it is multiplied by.
        of: "theta", which is trained, or "x", the features of one sample.
    """

    index: int
    factor: float = 1.0
    of: str = "theta"


@dataclass(frozen=True, slots=True, eq=False)
class Gate:
    """One operation.

    Attributes:
        name: h x rx ry rz cx cz swap cp rzz, "unitary" or "evolution"; as Qiskit means it.
        qubits: where it acts, controls first, the first one most significant in `matrix`.
        angle: radians, for rx ry rz cp rzz; the time of an evolution.
        matrix: of a "unitary", complex (2^k, 2^k).
        paulis: of an "evolution" exp(-i angle sum_j c_j P_j): (label on `qubits`, c_j), all commuting.
    """

    name: str
    qubits: tuple[int, ...]
    angle: float | Slot | None = None
    matrix: np.ndarray | None = None
    paulis: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Repeat:
    """Where a circuit repeats itself: gates[start : start + size * times] are `times` copies of a body.

    Attributes:
        start: the first gate of the first copy. size: gates per copy. times: how many copies.
        params: how far the places in theta move from one copy to the next; copy 0 begins at place 0.
    """

    start: int
    size: int
    times: int
    params: int


@dataclass(frozen=True, slots=True, eq=False)
class Workload:
    """One line of the table.

    Attributes:
        name: unique within its question. task: what one call computes.
        num_qubits: the width. gates: the circuit.
        observable: a sum of Pauli terms. theta: float64 (P,), the parameters.
        features: float64 (B, F) and labels: float64 (B,), of a batch.
        shots: how many samples. text: an OpenQASM 2 program.
        repeat: the repeated part, for peers whose documentation says how to use it.
    """

    name: str
    task: Task
    num_qubits: int
    gates: tuple[Gate, ...] = ()
    observable: tuple[PauliTerm, ...] = ()
    theta: np.ndarray = field(default_factory=lambda: np.zeros(0))
    features: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    labels: np.ndarray = field(default_factory=lambda: np.zeros(0))
    shots: int = 0
    text: str = ""
    repeat: Repeat | None = None


def ladder(gate: Gate) -> list[Gate]:
    """An evolution as h, rx, cx and rz, for peers without rotations about Pauli strings."""
    assert gate.angle is not None
    out: list[Gate] = []
    for label, coefficient in gate.paulis:
        acting = [(q, p) for q, p in zip(gate.qubits, label, strict=True) if p != "I"]
        into = [Gate("h", (q,)) if p == "X" else Gate("rx", (q,), np.pi / 2) for q, p in acting if p != "Z"]
        back = [Gate("h", (q,)) if p == "X" else Gate("rx", (q,), -np.pi / 2) for q, p in acting if p != "Z"]
        chain = [Gate("cx", (a[0], b[0])) for a, b in pairwise(acting)]
        out += [*into, *chain, Gate("rz", (acting[-1][0],), scaled(gate.angle, 2 * coefficient)), *chain[::-1], *back]
    return out


def scaled(angle: float | Slot, factor: float) -> float | Slot:
    """An angle times a number."""
    if isinstance(angle, Slot):
        return Slot(angle.index, angle.factor * factor, angle.of)
    return angle * factor


def expanded(gates: tuple[Gate, ...]) -> list[Gate]:
    """The gates with every evolution as a `ladder`."""
    return [g for gate in gates for g in (ladder(gate) if gate.name == "evolution" else [gate])]
