"""Which operation goes into which column: one arrangement for text, HTML and figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from math import fsum, pi, remainder
from typing import Any

from qsim._errors import CircuitError
from qsim.draw.labels import angle_text, plain, shorten
from qsim.draw.shapes import Kind, Shape, shape_of
from qsim.ir.circuit import Circuit
from qsim.ir.instruction import Instruction
from qsim.ir.operation import Barrier, Conditional, Gate, is_constant

__all__ = ["Columns", "Element", "Row", "RowKind", "arrange"]

MAX_OPERATIONS = 4000
"""How many operations are looked at: the others are counted."""
MAX_NAME = 24
MAX_PHASES = 4


class RowKind(Enum):
    """What a line of the picture stands for."""

    QUBIT = "qubit"
    REGISTER = "register"
    GAP = "gap"


@dataclass(frozen=True, slots=True)
class Row:
    """A line from left to right: a qubit, a classical register, or what was left out. `label` left, `end` right."""

    kind: RowKind
    label: str
    end: str = ""


@dataclass(frozen=True, slots=True)
class Element:
    """One operation in its place.

    Attributes:
        column: which column, from 0.
        top, bottom: the first and the last row it needs.
        marks: (row, symbol) outside the box.
        box: (first row, last row) of the box, or None.
        ports: (row, number or symbol) inside the box, where the order of the qubits matters.
        inside: rows whose qubit is in the box.
        bits: (row, text) of the registers that a double line goes to.
        shape: how it looks.
    """

    column: int
    top: int
    bottom: int
    marks: tuple[tuple[int, str], ...]
    box: tuple[int, int] | None
    ports: tuple[tuple[int, str], ...]
    inside: tuple[int, ...]
    bits: tuple[tuple[int, str], ...]
    shape: Shape


@dataclass(frozen=True, slots=True)
class Columns:
    """A circuit arranged: its rows, its elements by column, the global phase in words, and how much is left out."""

    rows: tuple[Row, ...]
    elements: tuple[Element, ...]
    num_columns: int
    phase: str
    left_out: int

    def until(self, column: int) -> Columns:
        """The first columns alone."""
        kept = tuple(e for e in self.elements if e.column < column)
        return Columns(self.rows, kept, column, self.phase, self.left_out + len(self.elements) - len(kept))

    @property
    def notes(self) -> tuple[str, ...]:
        """What stands under the picture."""
        more = f"… {self.left_out:,} more operations" if self.left_out else ""
        hidden = [f"⋮ {row.label}" for row in self.rows if row.kind is RowKind.GAP]
        return tuple(filter(None, (*hidden, self.phase, more)))


def arrange(circuit: Circuit, max_columns: int | Callable[[int], int], max_rows: int) -> Columns:
    """Every operation as far to the left as the ones before it allow.

    Args:
        circuit: the circuit.
        max_columns: how many columns there may be, or that of the number of rows. The first operation
            beyond ends the picture.
        max_rows: how many qubits are shown, the busy ones or the first and the last, and how many registers.

    Raises:
        CircuitError: `circuit` is none.

    Example:
        >>> from qsim import Circuit
        >>> [e.column for e in arrange(Circuit(3).h(0).cx(0, 1).h(2), 10, 10).elements]
        [0, 0, 1]
    """
    if not isinstance(circuit, Circuit):
        raise CircuitError(f"Argument `circuit` must be a Circuit, but is {type(circuit).__name__}.")
    instructions = circuit.instructions
    rows, place, bits = _rows(circuit, instructions, max_rows)
    most = max_columns(len(rows)) if callable(max_columns) else max_columns
    free = [0] * len(rows)
    elements: list[Element] = []
    seen = 0
    for instruction in instructions[:MAX_OPERATIONS]:
        seen += 1
        element = _placed(instruction, circuit, rows, place, bits)
        if element is None:
            continue
        barrier = element.shape.kind is Kind.BARRIER
        needed: Sequence[int] = element.inside if barrier else range(element.top, element.bottom + 1)
        column = max(free[r] for r in needed)
        if column >= most:
            seen -= 1
            break
        for r in needed:
            free[r] = column + 1
        elements.append(replace(element, column=column))
    elements.sort(key=lambda e: e.column)
    left_out = len(instructions) - seen
    return Columns(rows, tuple(elements), max(free, default=0), _phase(instructions), left_out)


def _rows(
    circuit: Circuit, instructions: Sequence[Instruction], max_rows: int
) -> tuple[tuple[Row, ...], list[int], list[tuple[int, str]]]:
    """The rows; per qubit its row; per classical bit its row and its number in the register."""
    n = circuit.num_qubits
    shown: Sequence[int] = range(n)
    after, gap = n, ""
    if n > max_rows:
        head = instructions[:MAX_OPERATIONS]
        busy = sorted({q for i in head if not isinstance(i.operation, Barrier) for q in i.qubits})
        if len(busy) <= max_rows:
            shown, after, gap = busy, len(busy), f"{n - len(busy)} idle qubits"
        else:
            half = max(1, max_rows // 2)
            shown, after, gap = [*range(half), *range(n - half, n)], half, f"{n - 2 * half} more qubits"
    names, ends = _names(circuit)
    found = [Row(RowKind.QUBIT, names.get(q, f"q{q}"), ends.get(q, "")) for q in shown]
    place = [after] * n
    for row, q in enumerate(shown):
        place[q] = row + (row >= after and bool(gap))
    if gap:
        found.insert(after, Row(RowKind.GAP, gap))
    bits: list[tuple[int, str]] = []
    for number, register in enumerate(circuit.cregs):
        if number < max_rows:
            found.append(Row(RowKind.REGISTER, f"{shorten(plain(register.name), MAX_NAME)}/{register.size}"))
        elif number == max_rows:
            found.append(Row(RowKind.GAP, f"{len(circuit.cregs) - number} more registers"))
        inside = [str(b) if number < max_rows else "" for b in range(register.size)]
        bits += [(len(found) - 1, text) for text in inside]
    return tuple(found), place, bits


def _names(circuit: Circuit) -> tuple[dict[int, str], dict[int, str]]:
    """What stands left and right of a transpiled circuit's wires: the original qubit, and the place on the device."""
    layout = circuit.layout
    trivial = tuple(range(circuit.num_qubits))
    if layout.initial == layout.final == trivial:
        return {}, {}
    names = {p: str(p) for p in trivial} | {p: f"q{q} → {p}" for q, p in enumerate(layout.initial)}
    ends = {} if layout.initial == layout.final else {p: f"q{q}" for q, p in enumerate(layout.final)}
    return names, ends


def _placed(
    instruction: Instruction,
    circuit: Circuit,
    rows: tuple[Row, ...],
    place: list[int],
    bits: list[tuple[int, str]],
) -> Element | None:
    """One operation in its rows, in column 0; None where none of its qubits is shown."""
    at = [place[q] for q in instruction.qubits]
    shape = shape_of(instruction.operation)
    ends: list[tuple[int, str]] = []
    for row in sorted({bits[b][0] for b in instruction.clbits}):
        texts = [bits[b][1] for b in instruction.clbits if bits[b][0] == row]
        ends.append((row, ",".join(texts) if at else f"{shape.label} {','.join(texts)}"))
    if isinstance(instruction.operation, Conditional):
        first = next((r.start for r in circuit.cregs if r.name == instruction.operation.register), None)
        ends += [] if first is None else [(bits[first][0], shape.condition)]
    visible = [row for row in at if rows[row].kind is RowKind.QUBIT]
    if not visible and not (ends and not at):
        return None
    marks = {row: mark for row, mark in zip(at, shape.marks, strict=True) if mark}
    inside = tuple(row for row, mark in zip(at, shape.marks, strict=True) if not mark)
    if marks and not inside and not shape.label and shape.detail:
        row = at[-1]
        marks[row] += f"({shape.detail})"
    box = (min(inside), max(inside)) if inside else None
    touched = [*at, *(row for row, _ in ends)]
    ports: list[tuple[int, str]] = []
    if box is not None:
        ports = [(row, mark) for row, mark in marks.items() if box[0] <= row <= box[1]]
        spread = box[1] - box[0] + 1 > len(set(inside))
        if shape.ordered or (spread and len(inside) > 1):
            ports += [(row, str(k)) for k, row in enumerate(inside) if rows[row].kind is RowKind.QUBIT]
        marks = {row: mark for row, mark in marks.items() if not box[0] <= row <= box[1]}
    outside = tuple((row, mark) for row, mark in marks.items() if rows[row].kind is RowKind.QUBIT)
    return Element(0, min(touched), max(touched), outside, box, tuple(ports), inside, tuple(ends), shape)


def _phase(instructions: Sequence[Instruction]) -> str:
    """The global phase in words: the sum of what acts on no qubit."""
    alone = [i.operation for i in instructions if not i.qubits and not i.clbits]
    alone = [o for o in alone if not isinstance(o, Barrier)]
    if not alone:
        return ""
    numbers = [float(o.params[0]) for o in alone if isinstance(o, Gate) and is_constant(o.params[0])]
    words = [_phase_word(o) for o in alone if not (isinstance(o, Gate) and is_constant(o.params[0]))]
    total = remainder(fsum(numbers), 2 * pi)
    if numbers and (abs(total) > 1e-12 or not words):
        words.append(angle_text(total if abs(total) > 1e-12 else 0.0))
    more = len(words) - MAX_PHASES
    words = words[:MAX_PHASES] + ([f"{more} more"] if more > 0 else [])
    return "global phase: " + " + ".join(words)


def _phase_word(operation: Any) -> str:
    shape = shape_of(operation)
    return f"{shape.label}({shape.detail})" if shape.label else shape.detail
