"""What is known of a device's qubits and gates: the parts of a `Target`."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from qsim._errors import TargetError
from qsim.ir.json_nodes import Node
from qsim.ir.operation import is_constant

MAX_ANGLES = 10_000
MAX_DEFINED_QUBITS = 6
ANGLE_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Interval:
    """Angles from `low` to `high`, both included, in radians."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low <= self.high):
            raise TargetError(f"Interval: `low` must not be above `high`, but they are {self.low} and {self.high}.")
        object.__setattr__(self, "low", float(self.low))
        object.__setattr__(self, "high", float(self.high))

    def __contains__(self, angle: float) -> bool:
        return self.low - ANGLE_TOLERANCE <= angle <= self.high + ANGLE_TOLERANCE

    def __str__(self) -> str:
        return f"from {self.low:.6g} to {self.high:.6g}"


Angles = Interval | tuple[float, ...] | None
"""The angles a parameter may take: an interval, a list of values, or None for any."""


@dataclass(frozen=True, slots=True)
class Native:
    """What is known of a native gate at one place. Unknown is None.

    Args:
        duration: seconds. error: the average gate infidelity, from 0 to 1.
        angles: for each parameter the allowed angles (radians): an `Interval`, a tuple of
            values, or None for any; () means any for all of them.

    Raises:
        TargetError: a number that cannot be.
    """

    duration: float | None = None
    error: float | None = None
    angles: tuple[Angles, ...] = ()

    def __post_init__(self) -> None:
        _check("duration", self.duration, 0, math.inf)
        _check("error", self.error, 0, 1)
        clean = tuple(a if a is None or isinstance(a, Interval) else tuple(map(float, a)) for a in self.angles)
        object.__setattr__(self, "angles", clean)

    def refuses(self, params: Any) -> str | None:
        """Why the gate cannot be done with these arguments, or None where it can."""
        for param, allowed in zip(params, self.angles, strict=False):
            if allowed is None:
                continue
            words = str(allowed) if isinstance(allowed, Interval) else ", ".join(f"{a:.6g}" for a in allowed)
            if not is_constant(param):
                return f"its angle must be a number ({words}) to be known to be allowed, but is {param}"
            angle = float(param)
            if isinstance(allowed, Interval):
                fits = angle in allowed
            else:
                fits = any(abs(angle - a) <= ANGLE_TOLERANCE for a in allowed)
            if not fits:
                return f"its angle {angle:.6g} is not allowed ({words})"
        return None

    def to_data(self) -> dict[str, Any]:
        """As JSON data; what is unknown is left out."""
        data: dict[str, Any] = _known(self, "duration", "error")
        if self.angles:
            data["angles"] = [
                {"low": a.low, "high": a.high} if isinstance(a, Interval) else None if a is None else list(a)
                for a in self.angles
            ]
        return data

    @classmethod
    def from_node(cls, node: Node) -> Native:
        """From JSON data."""
        angles: list[Angles] = []
        for item in node.get("angles", []).items(16):
            if item.is_null:
                angles.append(None)
            elif isinstance(item.value, dict):
                angles.append(Interval(item.get("low").number(), item.get("high").number()))
            else:
                angles.append(tuple(a.number() for a in item.items(MAX_ANGLES)))
        return cls(_number(node, "duration"), _number(node, "error"), tuple(angles))


@dataclass(frozen=True, slots=True)
class QubitFacts:
    """What is known of one qubit. Unknown is None.

    Args:
        name: what the device calls it; "" means its number.
        usable: False where circuits must stay off it.
        t1, t2: relaxation and dephasing times, seconds. frequency: of the transition, hertz.
        readout_error: the probability that a measurement reads the wrong value.
        readout_flips: (probability to read 1 in |0>, to read 0 in |1>).
        readout_duration: seconds.

    Raises:
        TargetError: a number that cannot be.
    """

    name: str = ""
    usable: bool = True
    t1: float | None = None
    t2: float | None = None
    readout_error: float | None = None
    readout_flips: tuple[float, float] | None = None
    readout_duration: float | None = None
    frequency: float | None = None

    def __post_init__(self) -> None:
        for key in ("t1", "t2", "readout_duration", "frequency"):
            _check(key, getattr(self, key), 0, math.inf)
        _check("readout_error", self.readout_error, 0, 1)
        for flip in self.readout_flips or ():
            _check("readout_flips", flip, 0, 1)

    def to_data(self) -> dict[str, Any]:
        """As JSON data; what is unknown or usual is left out."""
        data = _known(self, "t1", "t2", "readout_error", "readout_duration", "frequency")
        if self.name:
            data["name"] = self.name
        if not self.usable:
            data["usable"] = False
        if self.readout_flips is not None:
            data["readout_flips"] = [float(flip) for flip in self.readout_flips]
        return data

    @classmethod
    def from_node(cls, node: Node) -> QubitFacts:
        """From JSON data."""
        flips = node.get("readout_flips", None)
        pair = None if flips.is_null else [flip.number() for flip in flips.items(2, size=2)]
        numbers = {key: _number(node, key) for key in ("t1", "t2", "readout_error", "readout_duration", "frequency")}
        return cls(
            name=node.get("name", "").text(100),
            usable=node.get("usable", True).boolean(),
            readout_flips=None if pair is None else (pair[0], pair[1]),
            **numbers,
        )


@dataclass(frozen=True, slots=True, eq=False)
class DefinedGate:
    """A native gate that is not in the gate table: its name and its unitary matrix (2^k, 2^k).

    Raises:
        TargetError: a matrix that is not unitary, or too large.
    """

    name: str
    matrix: np.ndarray

    def __post_init__(self) -> None:
        matrix = np.array(self.matrix, dtype=np.complex128) + 0.0  # no negative zeros: equal targets, equal JSON
        size = matrix.shape[0] if matrix.ndim == 2 else 0
        if matrix.shape != (size, size) or size < 2 or size & size - 1 or size > 1 << MAX_DEFINED_QUBITS:
            raise TargetError(
                f"The matrix of native gate {self.name!r} must be (2^k, 2^k) with k from 1 to {MAX_DEFINED_QUBITS}, "
                f"but has shape {matrix.shape}."
            )
        if not np.allclose(matrix @ matrix.conj().T, np.eye(size), atol=1e-8):
            raise TargetError(f"The matrix of native gate {self.name!r} must be unitary, but is not.")
        matrix.flags.writeable = False
        object.__setattr__(self, "matrix", matrix)

    @property
    def num_qubits(self) -> int:
        """The number of qubits it acts on."""
        return self.matrix.shape[0].bit_length() - 1

    def to_data(self) -> dict[str, Any]:
        """As JSON data: the matrix row by row, real and imaginary parts in turn."""
        parts = np.stack([np.real(self.matrix), np.imag(self.matrix)], axis=-1).reshape(-1)
        return {"name": self.name, "num_qubits": self.num_qubits, "matrix": parts.tolist()}

    @classmethod
    def from_node(cls, node: Node) -> DefinedGate:
        """From JSON data."""
        size = 1 << node.get("num_qubits").integer(1, MAX_DEFINED_QUBITS)
        parts = [n.number() for n in node.get("matrix").items(2 * size * size, size=2 * size * size)]
        return cls(node.get("name").text(100), np.asarray(parts).view(np.complex128).reshape(size, size))


def _check(name: str, value: float | None, least: float, most: float) -> None:
    if value is not None and not least <= value <= most:
        raise TargetError(f"`{name}` must be from {least} to {most}, or None where unknown, but is {value}.")


def _known(record: Any, *names: str) -> dict[str, Any]:
    """The named fields that are known."""
    assert set(names) <= {f.name for f in fields(record)}
    return {name: float(getattr(record, name)) for name in names if getattr(record, name) is not None}


def _number(node: Node, key: str) -> float | None:
    value = node.get(key, None)
    return None if value.is_null else value.number()
