"""Operations under control."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np

from qsim._errors import CircuitError
from qsim.ir.interface import check_operation, checked_definition
from qsim.ir.keys import key_of
from qsim.ir.table import Gate, row_of, rows


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

    # What follows is there only where the base has what it needs: asking with hasattr gives the right answer.

    @property
    def spectra(self) -> tuple[tuple[float, ...] | None, ...]:
        """Those of the base, and 0."""
        return tuple(None if s is None else tuple(sorted({*s, 0.0})) for s in self.base.spectra)

    @property
    def matrix(self) -> Callable[..., Any]:
        """matrix(xp) -> (2^k, 2^k)."""
        base = self.base.matrix
        return lambda xp=np: self._embed(xp, base(xp))

    @property
    def apply(self) -> Callable[..., Any]:
        """apply(xp, columns) -> (2^k, m)."""
        base = self.base.apply if hasattr(self.base, "apply") else _by_matrix(self.base.matrix)

        def apply(xp: Any, columns: Any) -> Any:
            size = columns.shape[0] >> self.num_controls
            start = self.control_state * size
            inner = base(xp, columns[start : start + size, :])
            return xp.concat([columns[:start, :], inner, columns[start + size :, :]], axis=0)

        return apply

    @property
    def definition(self) -> Callable[[], Any]:
        """definition() -> the definition of the base, under the same controls."""
        _ = self.base.definition
        return lambda: checked_definition(self.base).controlled(self.num_controls, self.control_state)

    @property
    def inverse(self) -> Callable[[], Controlled]:
        """inverse() -> the inverse of the base, under the same controls."""
        base = self.base.inverse
        return lambda: Controlled(base(), self.num_controls, self.control_state)

    @property
    def replace(self) -> Callable[..., Controlled]:
        """replace(params, arrays) -> the same with other values."""
        base = self.base.replace
        return lambda params, arrays=(): Controlled(base(params, arrays), self.num_controls, self.control_state)

    def _embed(self, xp: Any, inner: Any) -> Any:
        inner = xp.asarray(inner)
        size, blocks = inner.shape[-1], 1 << self.num_controls
        idle = np.ones(size * blocks)
        idle[self.control_state * size : (self.control_state + 1) * size] = 0
        place = np.zeros((blocks, 1, blocks, 1))
        place[self.control_state, 0, self.control_state, 0] = 1
        active = xp.reshape(xp.asarray(place, dtype=inner.dtype) * inner[None, :, None, :], (size * blocks,) * 2)
        return active + xp.asarray(np.diag(idle), dtype=inner.dtype)

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


def _by_matrix(matrix: Callable[..., Any]) -> Callable[..., Any]:
    return lambda xp, columns: xp.astype(matrix(xp), columns.dtype) @ columns


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


def controlled(operation: Any, num_controls: int = 1, control_state: int | str | None = None) -> Any:
    """An operation under controls, which come first: a gate of the table where it has one, else `Controlled`.

    Args:
        operation: any operation without classical bits.
        num_controls: how many controls, 0 or more.
        control_state: the bits that the controls must read, as in `Controlled`; None means all ones.

    Raises:
        CircuitError: a number of controls or a control state that cannot be, or an operation on classical bits.

    Example:
        >>> from qsim import ops, gates
        >>> ops.controlled(gates.gate("x"), 2)
        ccx
        >>> ops.controlled(gates.gate("rx", 0.5), 2, "01")
        Controlled(rx(0.5), 2, 01)
    """
    check_operation(operation)
    if operation.num_clbits:
        raise CircuitError(f"controlled: {operation.name} acts on classical bits and cannot be put under control.")
    if num_controls == 0:
        return operation
    made = Controlled(operation, num_controls, control_state)
    base, count, state = split_controls(made)
    if not isinstance(base, Gate):
        return made
    row = base.row
    if row.under_control is not None and state & 1:
        row, count, state = row_of(row.under_control), count - 1, state >> 1
    inner = Gate(row, base.params)
    if count == 0:
        return inner
    if state == (1 << count) - 1:
        for named in rows():
            if named.base == row.name and named.num_controls == count:
                return Gate(named, base.params)
    return Controlled(inner, count, state)


def split_controls(operation: Any) -> tuple[Any, int, int]:
    """What stands under an operation's controls, how many controls, and the state they must read.

    Example:
        >>> from qsim import gates
        >>> split_controls(gates.gate("ccx"))
        (x, 2, 3)
    """
    base, count, state = operation, 0, 0
    if isinstance(operation, Controlled):
        base, count, state = operation.base, operation.num_controls, operation.control_state
    if isinstance(base, Gate) and base.row.base is not None:
        inner = base.row.num_controls
        base, count, state = Gate(row_of(base.row.base), base.params), count + inner, (state + 1 << inner) - 1
    return base, count, state
