"""What may stand in a circuit: the operation interface, and the two gate records.

An operation is anything with `name`, `num_qubits`, `num_clbits`, `num_params` and
`params`. Beyond that it may offer, and ours do:

- `matrix(xp)`: its matrix (2^k, 2^k) on any array-API namespace, the first-named
  qubit most significant;
- `apply(xp, columns)`: its action on an array (2^k, m), where that is cheaper than
  the matrix;
- `definition()`: a `Circuit` on its own qubits, equal to it, global phase included;
- `inverse()`: the inverse operation;
- `arrays`: numeric arrays that belong to it (a tuple; NumPy arrays are constants,
  JAX arrays are parameters), and `replace(params, arrays)`: the same operation with
  others in their place;
- `key`: a hashable that fixes everything but the values of `params` and `arrays`;
- `spectra`: per parameter, the angular frequencies w of U(t) = sum_w A_w exp(i w t),
  which the parameter-shift rule needs.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np

from qsim._errors import CircuitError
from qsim.ir.parameter import ArrayElement, is_number, is_symbolic


@runtime_checkable
class Operation(Protocol):
    """The interface that anything in a circuit has. See the module's docstring for what it may add."""

    @property
    def name(self) -> str: ...
    @property
    def num_qubits(self) -> int: ...
    @property
    def num_clbits(self) -> int: ...
    @property
    def num_params(self) -> int: ...
    @property
    def params(self) -> Sequence[Any]: ...


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
        symbols: what a drawing shows on each qubit.
        base: for a controlled gate, the name of the row under control (controls come first).
        num_controls: how many controls stand before the base.
        qasm: the OpenQASM 2 (qelib1) name, or None where qelib1 has none.
        qasm_body: an OpenQASM 2 gate body in terms of qelib1 names, where `qasm` is None.
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
    aliases: tuple[str, ...] = field(default=())


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
        return self.row.matrix(xp, *[value_of(p) for p in self.params])

    def inverse(self) -> Gate:
        assert self.row.inverse is not None
        name, function = self.row.inverse
        return Gate(row_of(name), function(*[value_of(p) for p in self.params]))

    def replace(self, params: Sequence[Any], arrays: Sequence[Any] = ()) -> Gate:
        return Gate(self.row, tuple(params))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Gate) and self.row is other.row and self.params == other.params

    def __hash__(self) -> int:
        return hash((self.row.name, self.params))

    def __repr__(self) -> str:
        inside = ", ".join(map(str, self.params))
        return f"{self.row.name}({inside})" if self.params else self.row.name


class Controlled:
    """Any operation under any number of controls; acts where the controls read `control_state`.

    The qubits are the controls, then the qubits of the base.

    Args:
        base: the operation under control.
        num_controls: how many controls.
        control_state: a bit string such as "101", first control first, or an int of
            those bits; None means all ones.

    Raises:
        CircuitError: fewer than one control, or a control state that does not fit.
    """

    __slots__ = ("base", "num_controls", "control_state")
    num_clbits = 0

    def __init__(self, base: Any, num_controls: int = 1, control_state: int | str | None = None):
        if num_controls < 1:
            raise CircuitError(f"Argument `num_controls` must be at least 1, but is {num_controls}.")
        if isinstance(base, Controlled):
            inner, base_state = base, base.control_state
            outer = parse_control_state(num_controls, control_state)
            num_controls, control_state = (
                num_controls + inner.num_controls,
                outer << inner.num_controls | base_state,
            )
            base = inner.base
        self.base = base
        self.num_controls = num_controls
        self.control_state = parse_control_state(num_controls, control_state)

    @property
    def name(self) -> str:
        ones = (1 << self.num_controls) - 1
        state = "" if self.control_state == ones else f"_o{self.control_state:0{self.num_controls}b}"
        count = "" if self.num_controls == 1 else str(self.num_controls)
        return f"c{count}_{self.base.name}{state}"

    @property
    def num_qubits(self) -> int:
        return self.num_controls + self.base.num_qubits

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
        return ("controlled", key_of(self.base), self.num_controls, self.control_state)

    @property
    def spectra(self) -> tuple[tuple[float, ...], ...]:
        return tuple(tuple(sorted({*s, 0.0})) for s in self.base.spectra)

    def matrix(self, xp: Any = np) -> Any:
        inner = self.base.matrix(xp)
        size, place = inner.shape[-1], self.control_state
        whole = np.eye(size << self.num_controls)
        hole = np.zeros_like(whole)
        at = slice(place * size, (place + 1) * size)
        whole[at, at] = 0
        hole[at, at] = 1
        blocks = xp.tile(inner, (1 << self.num_controls, 1 << self.num_controls))
        zero = 0 * blocks
        return xp.where(xp.asarray(hole) > 0, blocks, zero + xp.astype(xp.asarray(whole), zero.dtype))

    def definition(self) -> Any:
        return self.base.definition().controlled(self.num_controls, self.control_state)

    def inverse(self) -> Controlled:
        return Controlled(self.base.inverse(), self.num_controls, self.control_state)

    def replace(self, params: Sequence[Any], arrays: Sequence[Any] = ()) -> Controlled:
        return Controlled(self.base.replace(params, arrays), self.num_controls, self.control_state)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Controlled) and (self.base, self.num_controls, self.control_state) == (
            other.base,
            other.num_controls,
            other.control_state,
        )

    def __hash__(self) -> int:
        return hash((self.base, self.num_controls, self.control_state))

    def __repr__(self) -> str:
        return f"Controlled({self.base!r}, {self.num_controls}, {self.control_state:0{self.num_controls}b})"


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

    def replace(self, params: Sequence[Any], arrays: Sequence[Any] = ()) -> Conditional:
        return Conditional(self.base.replace(params, arrays), self.register, self.value, self.line)

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


def key_of(operation: Any) -> Hashable:
    """The structural key of an operation; for third-party ones their type, name and sizes."""
    key = getattr(operation, "key", None)
    if key is not None:
        return key
    o = operation
    return (type(o).__module__, type(o).__qualname__, o.name, o.num_qubits, o.num_clbits, o.num_params)


def value_of(param: Any) -> Any:
    """A gate argument as something to calculate with (the element, for an `ArrayElement`)."""
    return param.value if isinstance(param, ArrayElement) else param


def is_constant(param: Any) -> bool:
    """True where a gate argument is a host number, that passes may read."""
    return isinstance(param, float) or is_number(param)


def is_jax_value(param: Any) -> bool:
    """True where a gate argument is an array of a device library: a parameter without a name."""
    return not is_constant(param) and not is_symbolic(param)


def parse_control_state(num_controls: int, state: int | str | None) -> int:
    """The control state as an int, first control most significant."""
    if state is None:
        return (1 << num_controls) - 1
    if isinstance(state, str):
        if len(state) != num_controls or set(state) - {"0", "1"}:
            raise CircuitError(
                f"Argument `control_state` must be {num_controls} characters of 0 and 1, but is {state!r}."
            )
        return int(state, 2)
    if not 0 <= int(state) < 1 << num_controls:
        raise CircuitError(
            f"Argument `control_state` must be between 0 and {(1 << num_controls) - 1} for {num_controls} "
            f"controls, but is {state}."
        )
    return int(state)
