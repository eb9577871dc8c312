"""What an operation looks like: marks on some of its qubits, a box over the others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from typing import Any

import numpy as np

from qsim.draw.labels import detail_text, plain, shorten
from qsim.ir.controlled import split_controls
from qsim.ir.operation import Barrier, Conditional, Controlled, Gate, GateRow, Measure, Reset, is_constant, rows

__all__ = ["CLOSED", "MARKS", "OPEN", "Kind", "Shape", "shape_of"]

CLOSED, OPEN = "●", "○"
MARKS = frozenset({CLOSED, OPEN, "⊕", "×"})
MAX_LABEL = 40


class Kind(Enum):
    """What sort of operation it is; pictures have a colour for each."""

    FIXED = "fixed"
    ANGLE = "angle"
    TRAINED = "trained"
    BLOCK = "block"
    MEASURE = "measure"
    RESET = "reset"
    BARRIER = "barrier"


@dataclass(frozen=True, slots=True)
class Shape:
    """The look of one operation.

    Attributes:
        marks: per qubit one of `MARKS`, or "" where the qubit is in the box.
        label: the text in the box.
        detail: its parameters.
        kind: its colour.
        ordered: True where the box must say which qubit is which.
        condition: what a classical register must read, or "".
    """

    marks: tuple[str, ...]
    label: str
    detail: str
    kind: Kind
    ordered: bool = False
    condition: str = ""


def shape_of(operation: Any) -> Shape:
    """The look of any operation: ours, and everything that has the operation interface.

    Example:
        >>> from qsim import gates
        >>> shape_of(gates.gate("crx", 0.5)).marks, shape_of(gates.gate("crx", 0.5)).label
        (('●', ''), 'RX')
    """
    if isinstance(operation, Conditional):
        inner = shape_of(operation.base)
        return replace(inner, condition=f"{operation.register}={operation.value}")
    if isinstance(operation, Controlled):
        base, count, state = split_controls(operation)
        inner = _target_of(base)
        controls = tuple(CLOSED if state >> (count - 1 - i) & 1 else OPEN for i in range(count))
        return replace(inner, marks=controls + inner.marks)
    if isinstance(operation, Gate):
        return _gate_shape(operation, operation.row.symbols)
    label = getattr(operation, "label", None)
    label = plain(label if isinstance(label, str) and label else str(operation.name))
    kind = next((kind for record, kind in _RECORDS.items() if isinstance(operation, record)), Kind.BLOCK)
    size = operation.num_qubits
    return Shape(("",) * size, shorten(label, MAX_LABEL), detail_text(operation.params), kind, size > 1)


_RECORDS = {Measure: Kind.MEASURE, Reset: Kind.RESET, Barrier: Kind.BARRIER}


def _gate_shape(gate: Gate, symbols: tuple[str, ...]) -> Shape:
    marks = tuple(s if s in MARKS else "" for s in symbols)
    label = next((s for s in symbols if s not in MARKS), "")
    kind = Kind.FIXED
    if gate.params:
        kind = Kind.ANGLE if all(map(is_constant, gate.params)) else Kind.TRAINED
    ordered = marks.count("") > 1 and not _is_symmetric(gate.row)
    return Shape(marks, label, detail_text(gate.params), kind, ordered)


def _target_of(base: Any) -> Shape:
    """The look of what stands under controls: ⊕ for an x, ● for a z."""
    if isinstance(base, Gate):
        return _gate_shape(base, _symbols_under_control(base.row))
    return shape_of(base)


@cache
def _symbols_under_control(row: GateRow) -> tuple[str, ...]:
    """The symbols of a row's targets in the row that is the same gate under control, where the table has one."""
    named = [r for r in rows() if r.base == row.name]
    return named[0].symbols[named[0].num_controls :] if named else row.symbols


@cache
def _is_symmetric(row: GateRow) -> bool:
    """True where exchanging any two neighbouring qubits changes nothing, whatever the angles."""
    n = row.num_qubits
    matrix = row.matrix(np, *np.linspace(0.4, 1.3, len(row.params))).reshape((2,) * 2 * n)
    for q in range(n - 1):
        order = list(range(2 * n))
        for a in (q, n + q):
            order[a], order[a + 1] = order[a + 1], order[a]
        if np.abs(matrix.transpose(order) - matrix).max() > 1e-9:
            return False
    return True
