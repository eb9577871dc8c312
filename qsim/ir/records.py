"""What else a circuit may hold: barriers, measurements, resets, classical conditions."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

from qsim.ir.keys import key_of


class Barrier:
    """A line that passes do not move operations across. Does nothing when run."""

    __slots__ = ("num_qubits",)
    name, num_clbits, num_params, params, arrays = "barrier", 0, 0, (), ()

    def __init__(self, num_qubits: int):
        self.num_qubits = num_qubits

    @property
    def key(self) -> Hashable:
        return ("barrier", self.num_qubits)

    def inverse(self) -> Barrier:
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Barrier) and self.num_qubits == other.num_qubits

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return "barrier"


class Measure:
    """Measure one qubit in the Z basis into one classical bit.

    `line` is the line of the file it was read from, for messages; no part of what it is.
    """

    __slots__ = ("line",)
    name, num_qubits, num_clbits, num_params, params, arrays, key = "measure", 1, 1, 0, (), (), "measure"
    label = "M"

    def __init__(self, line: int | None = None):
        self.line = line

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Measure)

    def __hash__(self) -> int:
        return hash("measure")

    def __repr__(self) -> str:
        return "measure"


class Reset:
    """Put one qubit into |0>. Held and written, not run by the methods of today. `line` as in `Measure`."""

    __slots__ = ("line",)
    name, num_qubits, num_clbits, num_params, params, arrays, key = "reset", 1, 0, 0, (), (), "reset"
    label = "|0⟩"

    def __init__(self, line: int | None = None):
        self.line = line

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reset)

    def __hash__(self) -> int:
        return hash("reset")

    def __repr__(self) -> str:
        return "reset"


class Conditional:
    """An operation done only where a classical register reads `value`. Held, not run by the methods of today.

    The register's first bit is the least significant of `value`, as in OpenQASM 2; `line` as in `Measure`.
    """

    __slots__ = ("base", "register", "value", "line")

    def __init__(self, base: Any, register: str, value: int, line: int | None = None):
        self.base, self.register, self.value, self.line = base, register, value, line

    @property
    def name(self) -> str:
        return f"if_{self.base.name}"

    @property
    def num_qubits(self) -> int:
        return self.base.num_qubits

    @property
    def num_clbits(self) -> int:
        return self.base.num_clbits

    @property
    def num_params(self) -> int:
        return self.base.num_params

    @property
    def params(self) -> Sequence[Any]:
        return self.base.params

    @property
    def arrays(self) -> tuple[Any, ...]:
        return getattr(self.base, "arrays", ())

    @property
    def key(self) -> Hashable:
        return ("if", key_of(self.base), self.register, self.value)

    @property
    def replace(self) -> Callable[..., Conditional]:
        """replace(params, arrays) -> the same with other values, where the base has it."""
        base = self.base.replace
        return lambda params, arrays=(): Conditional(base(params, arrays), self.register, self.value, self.line)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Conditional) and (self.base, self.register, self.value) == (
            other.base,
            other.register,
            other.value,
        )

    def __hash__(self) -> int:
        return hash((self.base, self.register, self.value))

    def __repr__(self) -> str:
        return f"if({self.register} == {self.value}) {self.base!r}"
