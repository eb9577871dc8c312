"""Cancel what undoes itself, merge rotations, and turn swaps into a permutation, in one sweep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi
from typing import Any

from qsim.ir.circuit import Circuit
from qsim.ir.gates import gate
from qsim.ir.instruction import Instruction
from qsim.ir.layout import Layout
from qsim.ir.operation import Gate, is_constant
from qsim.ir.parameter import is_symbolic
from qsim.ir.target import Target
from transpile.synthesis.angles import is_multiple, total, wrapped
from transpile.synthesis.axes import axes_of, is_symmetric
from transpile.synthesis.quaternion import Quaternion, axis_of, euler_of, quaternion_of, times

__all__ = ["Canonicalise"]

_AXIS_OF_ROTATION = {"rx": "x", "ry": "y", "rz": "z", "p": "z"}
_ROTATION = {"x": "rx", "y": "ry", "z": "rz"}


class _Entry:
    """One operation of the new circuit, until something cancels it."""

    __slots__ = ("instruction", "angle", "quaternion", "axis", "alive")

    def __init__(self, instruction: Instruction | None, axis: str = "", angle: Any = None, quaternion: Any = None):
        self.instruction = instruction  # None: a one-qubit gate that was merged
        self.axis = axis
        self.angle = angle  # of a rotation about `axis`
        self.quaternion: Quaternion | None = quaternion  # of another constant one-qubit gate
        self.alive = True


class _Run:
    """Operations on one qubit that commute there, because all let rotations about `axis` pass."""

    __slots__ = ("axis", "rotation", "pairs", "size")

    def __init__(self, axis: str):
        self.axis = axis
        self.rotation: _Entry | None = None
        self.pairs: dict[Any, list[_Entry]] = {}
        self.size = 0


@dataclass(frozen=True)
class Canonicalise:
    """Cancel inverse gates and merge rotations, also across gates that commute with them on every qubit.

    Rotations by open angles are merged too: the sum stays symbolic. Constant one-qubit gates
    next to each other become one.

    Args:
        elide: True turns swaps into a permutation of the qubits, which the layout remembers; for
            circuits that are not placed yet.

    Example:
        >>> from qsim import Circuit, Parameter
        >>> from qsim.ir.target import Target
        >>> from transpile.passes.canonicalise import Canonicalise
        >>> c = Circuit(3).cx(0, 1).rz(Parameter("t"), 0).cx(0, 2).rz(0.5, 0).cx(0, 1)
        >>> Canonicalise()(c, Target.ideal()).count_ops()
        {'rz': 1, 'cx': 1}
    """

    elide: bool = False

    def __call__(self, circuit: Circuit, target: Target) -> Circuit:
        """The shorter circuit, or the same one where nothing is to be done."""
        sweep = _Sweep(circuit.num_qubits)
        where = list(range(circuit.num_qubits))
        moved = False
        for instruction in circuit.instructions:
            operation, qubits = instruction.operation, instruction.qubits
            if self.elide and type(operation) is Gate and operation.row.name == "swap":
                a, b = qubits
                where[a], where[b] = where[b], where[a]
                moved = True
                continue
            if moved:
                qubits = tuple([where[q] for q in qubits])
                instruction = Instruction(operation, qubits, instruction.clbits)
            sweep.take(instruction)
        if not (sweep.changed or moved):
            return circuit
        new = circuit.with_instructions(sweep.finish())
        if not moved:
            return new
        return new.with_layout(circuit.layout.then(Layout(tuple(range(circuit.num_qubits)), tuple(where))))


class _Sweep:
    """The state of one sweep: for each qubit a stack of runs."""

    def __init__(self, num_qubits: int):
        self.wires: list[list[_Run]] = [[] for _ in range(num_qubits)]
        self.entries: list[tuple[_Entry, int]] = []
        self.changed = False

    def take(self, instruction: Instruction) -> None:
        """Append an operation, or let it merge with what is there."""
        operation, qubits = instruction.operation, instruction.qubits
        if type(operation) is not Gate or instruction.clbits:
            self._append(instruction, ("",) * len(qubits))
        elif len(qubits) == 1:
            self._take_one(instruction, qubits[0])
        elif len(qubits) == 2:
            self._take_two(instruction)
        else:
            self._append(instruction, axes_of(operation))

    def finish(self) -> list[Instruction]:
        """The operations that are left, in order."""
        out = []
        for entry, qubit in self.entries:
            if not entry.alive:
                continue
            if entry.instruction is not None:
                out.append(entry.instruction)
            elif entry.axis:
                out.append(Instruction(gate(_ROTATION[entry.axis], entry.angle), (qubit,)))
            else:
                assert entry.quaternion is not None
                out.append(Instruction(gate("u", *euler_of(entry.quaternion)), (qubit,)))
        return out

    # ---------------------------------------------------------------- one qubit

    def _take_one(self, instruction: Instruction, q: int) -> None:
        operation = instruction.operation
        axis = _AXIS_OF_ROTATION.get(operation.row.name)
        if axis is not None:
            angle = operation.params[0]
            if type(angle) is float or is_constant(angle) or is_symbolic(angle):
                self._rotate(instruction, q, axis, angle)
            else:
                self._append(instruction, (axis,))
            return
        for p in operation.params:
            if not is_constant(p):
                self._append(instruction, axes_of(operation))
                return
        self._turn(instruction, q, quaternion_of(operation))

    def _rotate(self, instruction: Instruction | None, q: int, axis: str, angle: Any) -> None:
        """A rotation about x, y or z, at the end of the wire."""
        if is_multiple(angle, 2 * pi):
            self.changed = True
            return
        runs = self.wires[q]
        top = runs[-1] if runs else None
        if top is not None and top.axis == axis:
            old = top.rotation
            if old is None:
                top.rotation = self._new(instruction, q, axis, angle)
                top.size += 1
                return
            self.changed = True
            old.angle = total(old.angle, angle)
            if type(old.angle) is not float:
                old.angle = wrapped(old.angle)
            old.instruction = None
            if is_multiple(old.angle, 2 * pi):
                self._drop(old, top)
                self._settle(q)
            return
        if top is not None and top.size == 1 and type(angle) is float and self._alone(top) is not None:
            self._turn(instruction, q, quaternion_of(gate(_ROTATION[axis], angle)))
            return
        run = _Run(axis)
        run.rotation = self._new(instruction, q, axis, angle)
        run.size = 1
        runs.append(run)

    def _turn(self, instruction: Instruction | None, q: int, quaternion: Quaternion) -> None:
        """Any constant one-qubit gate, at the end of the wire."""
        runs = self.wires[q]
        top = runs[-1] if runs else None
        if top is not None and top.size == 1:
            old = self._alone(top)
            if old is not None:
                self.changed = True
                quaternion = times(quaternion, old)
                entry = top.rotation
                assert entry is not None
                entry.alive = False
                runs.pop()
                self._settle(q)
                instruction = None
        axis, angle = axis_of(quaternion)
        if axis == "i":
            self.changed = True
            return
        if axis:
            runs = self.wires[q]
            if runs and runs[-1].axis == axis:
                self._rotate(instruction, q, axis, angle)
                return
            run = _Run(axis)
            run.rotation = self._new(instruction, q, axis, angle)
        else:
            run = _Run("")
            run.rotation = self._new(instruction, q, "", None, quaternion)
        run.size = 1
        self.wires[q].append(run)

    def _alone(self, run: _Run) -> Quaternion | None:
        """The quaternion of a run that is one constant one-qubit gate."""
        entry = run.rotation
        if entry is None:
            return None
        if entry.quaternion is not None:
            return entry.quaternion
        return quaternion_of(gate(_ROTATION[entry.axis], entry.angle)) if type(entry.angle) is float else None

    # ---------------------------------------------------------------- two qubits

    def _take_two(self, instruction: Instruction) -> None:
        operation = instruction.operation
        a, b = instruction.qubits
        axes = axes_of(operation)
        tops = [self.wires[q][-1] if self.wires[q] else None for q in (a, b)]
        if all(t is not None and t.axis == x and (x or t.size == 1) for t, x in zip(tops, axes, strict=True)):
            first, second = tops
            assert first is not None and second is not None
            key = (a, b) if a < b else (b, a)
            for old in first.pairs.get(key, ()):
                if old in second.pairs.get(key, ()) and self._merge(old, instruction, first, second, key):
                    return
        self._append(instruction, axes)

    def _merge(self, old: _Entry, instruction: Instruction, first: _Run, second: _Run, key: Any) -> bool:
        there = old.instruction
        assert there is not None
        merged = merged_pair(there, instruction)
        if merged is None:
            return False
        self.changed = True
        operation = merged[0]
        if operation is not None:
            old.instruction = Instruction(operation, there.qubits)
            return True
        old.alive = False
        for run in (first, second):
            run.pairs[key].remove(old)
            run.size -= 1
        for q in key:
            self._settle(q)
        return True

    # ---------------------------------------------------------------- inside

    def _new(self, instruction: Instruction | None, q: int, axis: str, angle: Any, quaternion: Any = None) -> _Entry:
        entry = _Entry(instruction, axis, angle, quaternion)
        self.entries.append((entry, q))
        return entry

    def _append(self, instruction: Instruction, axes: Sequence[str]) -> None:
        entry = _Entry(instruction)
        qubits = instruction.qubits
        self.entries.append((entry, qubits[0] if qubits else -1))
        key = tuple(sorted(qubits)) if len(qubits) == 2 else None
        for q, axis in zip(qubits, axes, strict=True):
            runs = self.wires[q]
            if not (runs and axis and runs[-1].axis == axis):
                runs.append(_Run(axis))
            run = runs[-1]
            run.pairs.setdefault(key, []).append(entry)
            run.size += 1

    def _drop(self, entry: _Entry, run: _Run) -> None:
        entry.alive = False
        run.rotation = None
        run.size -= 1

    def _settle(self, q: int) -> None:
        """Take empty runs off the wire, and join two of one axis that meet."""
        runs = self.wires[q]
        while runs and runs[-1].size == 0:
            runs.pop()


def merged_pair(first: Instruction, second: Instruction) -> tuple[Any] | None:
    """(one operation for two on the same pair,), (None,) where they cancel; None where they do not merge.

    Both are gates of the table; the second one directly follows the first.
    """
    one, two = first.operation, second.operation
    same_order = first.qubits == second.qubits or is_symmetric(two)
    if type(one) is not Gate or type(two) is not Gate or not same_order:
        return None
    if one.row.inverse is not None and _is_inverse(one, two):
        return (None,)
    base_one, base_two = _generated(one), _generated(two)
    if base_one is None or base_two is None or base_one[0] != base_two[0]:
        return None
    name = base_one[0]
    if not all(is_constant(p) or is_symbolic(p) for p in (base_one[1], base_two[1])):
        return None
    angle = total(base_one[1], base_two[1])
    if is_constant(angle):
        period = 2 * pi if name in _SHORT else 4 * pi
        if is_multiple(angle, period):
            return (None,)
    return (gate(name, angle),)


_SHORT = ("cp", "rzz", "rxx", "ryy", "rzx")
"""Gates of one angle that are the identity up to a phase after 2 pi."""


def _generated(operation: Gate) -> tuple[str, Any] | None:
    """(name, angle) of a gate that has one generator and one angle."""
    if operation.row.power is None:
        return None
    if len(operation.params) == 1:
        return operation.row.name, operation.params[0]
    name, params = operation.row.power(1.0, *operation.params)
    return (name, params[0]) if len(params) == 1 else None


def _is_inverse(one: Gate, two: Gate) -> bool:
    if not all(is_constant(p) or is_symbolic(p) for p in (*one.params, *two.params)):
        return False
    return one.inverse() == two or two.inverse() == one
