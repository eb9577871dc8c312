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
  others in their place; without it all its numbers must be constants, or there is a
  definition, by which it is run;
- `key`: a hashable of strings, numbers, bytes and tuples that fixes everything but the values
  of `params` and `arrays`, the structure of `definition()` included;
- `label`: what a drawing writes in its box, where that is not the name;
- `spectra`: per parameter, the angular frequencies w of U(t) = sum_w A_w exp(i w t),
  which the parameter-shift rule needs; None in the place of one where they are not known.

This module is the door; the records live in `table`, `controlled` and `records`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

from qsim.ir.controlled import Controlled, controlled, parse_control_state
from qsim.ir.keys import is_defined, is_replaceable, key_of
from qsim.ir.parameter import is_number, is_symbolic
from qsim.ir.records import Barrier, Conditional, Measure, Reset
from qsim.ir.table import Gate, GateRow, add_rows, row_of, rows, value_of

__all__ = [
    "Barrier",
    "Conditional",
    "Controlled",
    "Gate",
    "GateRow",
    "Measure",
    "Operation",
    "Reset",
    "add_maker",
    "add_rows",
    "controlled",
    "is_constant",
    "is_defined",
    "is_jax_value",
    "is_replaceable",
    "key_of",
    "maker_of",
    "parse_control_state",
    "row_of",
    "rows",
    "value_of",
]


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


Maker = Callable[..., tuple[Any, Any]]
_makers: dict[str, Maker] = {}


def add_maker(name: str, maker: Maker) -> None:
    """Enter f(*arguments) -> (operation, qubits): what the method `name` of `Circuit` appends."""
    _makers[name] = maker


def maker_of(name: str) -> Maker:
    """What the method `name` of `Circuit` appends; KeyError where there is none."""
    return _makers[name]


def is_constant(param: Any) -> bool:
    """True where a gate argument is a host number, that passes may read."""
    return isinstance(param, float) or is_number(param)


def is_jax_value(param: Any) -> bool:
    """True where a gate argument is an array of a device library: a parameter without a name."""
    return not is_constant(param) and not is_symbolic(param)
