"""What a circuit holds: operations in their places, and registers of classical bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class Instruction:
    """One operation and where it acts: `operation`, `qubits`, `clbits` (tuples of ints)."""

    __slots__ = ("operation", "qubits", "clbits")

    def __init__(self, operation: Any, qubits: tuple[int, ...], clbits: tuple[int, ...] = ()):
        self.operation, self.qubits, self.clbits = operation, qubits, clbits

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Instruction) and (self.qubits, self.clbits, self.operation) == (
            other.qubits,
            other.clbits,
            other.operation,
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        bits = f" -> {self.clbits}" if self.clbits else ""
        return f"{self.operation!r} {self.qubits}{bits}"


@dataclass(frozen=True, slots=True)
class Register:
    """A named run of classical bits: `name`, the first bit `start`, and `size`."""

    name: str
    start: int
    size: int
