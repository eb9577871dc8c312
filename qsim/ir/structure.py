"""What is structure in a circuit and what is a value: the digest, the host numbers, the JAX values; its depth.

The first three go through the instructions in order, and through the parameters before the
arrays of each operation.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import numpy as np

from qsim.ir.instruction import Instruction
from qsim.ir.keys import key_of
from qsim.ir.parameter import ArrayElement, Expression, Parameter, is_number, is_symbolic
from qsim.ir.records import Barrier
from qsim.ir.table import Gate

CHUNK = 4096

_lock = threading.RLock()  # the key of an operation may ask for that of its definition


@dataclass(slots=True)
class Digest:
    """The structural digest, brought up to date for the first `done` instructions."""

    done: int = 0
    state: Any = field(default_factory=lambda: blake2b(digest_size=16))
    slots: dict[int, int] = field(default_factory=dict)

    def copy(self) -> Digest:
        """The same digest, to go on with on its own."""
        with _lock:
            return Digest(self.done, self.state.copy(), dict(self.slots))

    def finish(self, instructions: Sequence[Instruction], rest: str) -> bytes:
        """Take in the instructions that came since the last time; the digest of them all and of `rest`."""
        with _lock:  # threads may share a circuit
            size = len(instructions)
            for start in range(self.done, size, CHUNK):
                stop = min(start + CHUNK, size)
                self.state.update("".join([self.text(i) for i in instructions[start:stop]]).encode())
                self.done = stop
            end = self.state.copy()
        end.update(rest.encode())
        return end.digest()

    def text(self, instruction: Instruction) -> str:
        """Everything but the values of one instruction."""
        operation = instruction.operation
        params = operation.params
        if type(operation) is Gate:
            kinds = [self.kind(p) for p in params] if params else ""
            return f"{operation.row.name}{kinds}{instruction.qubits}{instruction.clbits};"
        kinds = [self.kind(p) for p in params]
        shapes = [self.shape(a) for a in getattr(operation, "arrays", ())]
        return f"{key_of(operation)!r}{kinds}{shapes}{instruction.qubits}{instruction.clbits};"

    def kind(self, param: Any) -> Any:
        """What is structure about a gate argument."""
        if isinstance(param, float) or is_number(param):
            return 0
        if isinstance(param, Parameter):
            return param.name if param.vector is None else (param.vector.name, param.vector.shape, param.index)
        if isinstance(param, Expression):
            numbers = [self.kind(p) for p in param.numbers] if any_elements(param) else ""
            return param.code, numbers, [self.kind(p) for p in param.params]
        if isinstance(param, ArrayElement):
            return self.slot(param.array), tuple(param.array.shape), param.index
        return self.slot(param), ()

    def shape(self, array: Any) -> Any:
        """What is structure about an array of an operation."""
        kind = np.dtype(array.dtype).kind
        if isinstance(array, np.ndarray):
            return kind, array.shape
        return self.slot(array), kind, tuple(array.shape)

    def slot(self, value: Any) -> int:
        """The number of a JAX value, from 1: equal numbers, one value."""
        return self.slots.setdefault(id(value), len(self.slots) + 1)


def host_numbers(instructions: Sequence[Instruction]) -> np.ndarray:
    """All host numbers in order, float64 (m,); complex arrays as real and imaginary parts in turn."""
    parts: list[Any] = []
    found: list[float] = []
    for instruction in instructions:
        operation = instruction.operation
        for param in operation.params:
            if isinstance(param, float) or is_number(param):
                found.append(param)
            elif isinstance(param, Expression):
                found.extend(n for n in param.numbers if not isinstance(n, ArrayElement))
        for array in getattr(operation, "arrays", ()):
            if isinstance(array, np.ndarray):
                parts += [found, flat_numbers(array)]
                found = []
    if not parts:
        return np.asarray(found, dtype=np.float64)
    return np.concatenate([np.asarray(p, dtype=np.float64) for p in (*parts, found)])


def flat_numbers(array: np.ndarray) -> np.ndarray:
    """The entries of a host array, float64; of a complex one the real and imaginary parts in turn."""
    if array.dtype.kind == "c":
        array = np.stack([np.real(array), np.imag(array)], axis=-1)
    return np.asarray(array, dtype=np.float64).reshape(-1)


def device_values(instructions: Sequence[Instruction]) -> list[Any]:
    """The JAX values in order of first use, each array once, as given."""
    seen: dict[int, Any] = {}
    for instruction in instructions:
        operation = instruction.operation
        for param in operation.params:
            if isinstance(param, float):
                continue
            if isinstance(param, ArrayElement):
                seen.setdefault(id(param.array), param.array)
            elif isinstance(param, Expression):
                for number in param.numbers:
                    if isinstance(number, ArrayElement):
                        seen.setdefault(id(number.array), number.array)
            elif not is_number(param) and not is_symbolic(param):
                seen.setdefault(id(param), param)
        for array in getattr(operation, "arrays", ()):
            if not isinstance(array, np.ndarray):
                seen.setdefault(id(array), array)
    return list(seen.values())


def any_elements(expression: Expression) -> bool:
    """Whether numbers of an expression are elements of a JAX array: in a circuit that is an argument of jit."""
    return any(isinstance(n, ArrayElement) for n in expression.numbers)


def longest_path(instructions: Sequence[Instruction], num_qubits: int, num_clbits: int) -> int:
    """The longest path through the instructions, in operations; barriers align but do not count."""
    qubit, clbit = [0] * num_qubits, [0] * num_clbits
    for instruction in instructions:
        levels = [qubit[q] for q in instruction.qubits] + [clbit[b] for b in instruction.clbits]
        level = max(levels, default=0) + (not isinstance(instruction.operation, Barrier))
        for q in instruction.qubits:
            qubit[q] = level
        for b in instruction.clbits:
            clbit[b] = level
    return max(qubit + clbit, default=0)
