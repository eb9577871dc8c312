"""The gate table and the gates made from it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from qsim.ir.parameter import ArrayElement, is_symbolic

Matrix = Callable[..., Any]


@dataclass(frozen=True, slots=True, eq=False)
class GateRow:
    """One row of the gate table: everything qsim knows about a gate.

    Attributes:
        name: the name of the gate, and of the method of `Circuit`.
        num_qubits: how many qubits it acts on.
        matrix: f(xp, *params) -> (..., 2^k, 2^k) for parameters of shape (...); for a
            gate without parameters (2^k, 2^k). The first-named qubit is most significant.
        help: one line for the docstring and the documentation, with the equation.
        params: the names of its parameters, in order; radians.
        inverse: (name of a row, f(*params) -> its parameters).
        spectra: per parameter the angular frequencies w of U(t) = sum_w A_w exp(i w t).
        symbols: what a drawing shows on each qubit: ● ⊕ × stand alone, anything else is the text of a box.
        base: for a controlled gate, the name of the row under control (controls come first).
        num_controls: how many controls stand before the base.
        qasm: the OpenQASM 2 name, where it is not `name`, or where qelib1 has it.
        qasm_body: an OpenQASM 2 gate definition in terms of qelib1 names, where qelib1 lacks the gate.
        aliases: other OpenQASM 2 names of the same gate.
        power: f(exponent, *params) -> (name of a row, its parameters), where the gate has one
            generator, so that its real powers are gates of the table.
        under_control: the name of the row that is this one under one control, where that
            row acts on other qubits than the usual ones (the global phase).
    """

    name: str
    num_qubits: int
    matrix: Matrix
    help: str
    params: tuple[str, ...] = ()
    inverse: tuple[str, Callable[..., tuple[Any, ...]]] | None = None
    spectra: tuple[tuple[float, ...], ...] = ()
    symbols: tuple[str, ...] = ()
    base: str | None = None
    num_controls: int = 0
    qasm: str | None = None
    qasm_body: str | None = None
    aliases: tuple[str, ...] = ()
    power: Callable[..., tuple[str, tuple[Any, ...]]] | None = None
    under_control: str | None = None

    def __reduce__(self) -> tuple[Callable[[str], GateRow], tuple[str]]:
        return row_of, (self.name,)  # one row of a name, copied and pickled circuits included


class Gate:
    """A gate of the table with its parameters. Made by `qsim.gates` and the methods of `Circuit`."""

    __slots__ = ("row", "params")
    num_clbits = 0
    arrays: tuple[Any, ...] = ()

    def __init__(self, row: GateRow, params: tuple[Any, ...] = ()):
        self.row = row
        self.params = params

    @property
    def name(self) -> str:
        return self.row.name

    @property
    def num_qubits(self) -> int:
        return self.row.num_qubits

    @property
    def num_params(self) -> int:
        return len(self.row.params)

    @property
    def key(self) -> Hashable:
        return self.row.name

    @property
    def spectra(self) -> tuple[tuple[float, ...], ...]:
        return self.row.spectra

    def matrix(self, xp: Any = np) -> Any:
        """The matrix (2^k, 2^k); ParameterError where a parameter has no value."""
        return self.row.matrix(xp, *[number_of(p) for p in self.params])

    def inverse(self) -> Gate:
        assert self.row.inverse is not None
        name, function = self.row.inverse
        return Gate(row_of(name), function(*self.params))

    def replace(self, params: Sequence[Any], arrays: Sequence[Any] = ()) -> Gate:
        return Gate(self.row, tuple(params))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Gate) and self.row is other.row and self.params == other.params

    def __hash__(self) -> int:
        return hash((self.row.name, self.params))

    def __repr__(self) -> str:
        inside = ", ".join(map(str, self.params))
        return f"{self.row.name}({inside})" if self.params else self.row.name


_rows: dict[str, GateRow] = {}


def add_rows(rows: Sequence[GateRow]) -> None:
    """Enter rows into the table. Called once by each file under `qsim/ir/gates`."""
    for row in rows:
        _rows[row.name] = row


def row_of(name: str) -> GateRow:
    """The table's row of that name; KeyError where there is none."""
    return _rows[name]


def rows() -> tuple[GateRow, ...]:
    """All rows of the gate table."""
    return tuple(_rows.values())


def value_of(param: Any) -> Any:
    """A gate argument as something to calculate with (the element, for an `ArrayElement`)."""
    return param.value if isinstance(param, ArrayElement) else param


def number_of(param: Any) -> Any:
    """A gate argument as a number or a JAX scalar; ParameterError where it has no value."""
    return float(param) if is_symbolic(param) else value_of(param)
