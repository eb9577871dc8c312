"""Operations under controls as operations on one and two qubits, open angles kept symbolic.

References: Barenco et al., doi:10.1103/PhysRevA.52.3457; relative-phase Toffoli gates: Maslov,
arXiv:1508.03273; Iten et al., arXiv:1501.06911.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import pi
from typing import Any

import numpy as np

from qsim.ir.circuit import Circuit
from qsim.ir.controlled import split_controls
from qsim.ir.interface import checked_definition
from qsim.ir.operation import Controlled, Gate, is_constant
from qsim.ir.ops import Unitary
from qsim.ir.ops.block_zxz import unitary_eigen
from transpile.synthesis.angles import scaled
from transpile.synthesis.rotations import rotations_of

__all__ = ["definition_of", "wants_spare"]

Qubits = tuple[int, ...]


def definition_of(operation: Any, num_spare: int = 0) -> Circuit | None:
    """A circuit equal to the operation up to a global phase; None where there is none.

    Args:
        operation: any.
        num_spare: how many qubits may be borrowed, in any state, and given back in it; they come
            after the operation's own.
    """
    base, count, state = split_controls(operation)
    if count == 0 or operation.num_clbits:
        return checked_definition(operation) if hasattr(operation, "definition") else None
    circuit = Circuit(operation.num_qubits + num_spare)
    controls, targets = tuple(range(count)), tuple(range(count, operation.num_qubits))
    spare = tuple(range(operation.num_qubits, operation.num_qubits + num_spare))
    flips = [q for q in controls if not state >> count - 1 - q & 1]
    circuit.x(flips)
    if not _controlled(circuit, base, controls, targets, spare):
        return checked_definition(operation) if hasattr(operation, "definition") else None
    return circuit.x(flips)


def wants_spare(operation: Any) -> int:
    """How many borrowed qubits make the operation cheaper."""
    _, count, _ = split_controls(operation)
    return max(0, count - 2) if count > 3 else 0


def _controlled(circuit: Circuit, base: Any, controls: Qubits, targets: Qubits, spare: Qubits) -> bool:
    """Append a base under controls that must read 1; False where it has no rule."""
    if not controls:
        circuit.append(base, targets)
        return True
    name = base.row.name if type(base) is Gate else ""
    if name == "x":
        _mcx(circuit, controls, targets[0], spare)
    elif name in ("y", "z", "h"):
        around = {"y": circuit.sdg, "z": circuit.h, "h": lambda q: circuit.ry(-pi / 4, q)}[name]
        back = {"y": circuit.s, "z": circuit.h, "h": lambda q: circuit.ry(pi / 4, q)}[name]
        around(targets[0])
        _mcz(circuit, (*controls, targets[0]), spare) if name == "h" else _mcx(circuit, controls, targets[0], spare)
        back(targets[0])
    elif name == "swap":
        circuit.cx(targets[1], targets[0])
        _mcx(circuit, (*controls, targets[0]), targets[1], spare)
        circuit.cx(targets[1], targets[0])
    elif name == "p":
        _mcp(circuit, base.params[0], (*controls, targets[0]), spare)
    elif len(targets) == 1 and hasattr(base, "matrix") and _is_constant(base):
        _unitary(circuit, np.asarray(base.matrix(np), complex), controls, targets[0], spare)
    elif rotations_of(base) is not None:
        _rotations(circuit, base, controls, targets, spare)
    else:
        inner = definition_of(base)
        if inner is None and hasattr(base, "matrix") and _is_constant(base):
            inner = Unitary(base.matrix(np)).definition()
        if inner is None:
            return False
        for i in inner.instructions:
            places = tuple([targets[q] for q in i.qubits])
            if not places:
                _mcp(circuit, i.operation.params[0], controls, spare)
                continue
            deeper, more, state = split_controls(i.operation)
            flips = [places[q] for q in range(more) if not state >> more - 1 - q & 1]
            circuit.x(flips)
            if not _controlled(circuit, deeper, (*controls, *places[:more]), places[more:], spare):
                return False
            circuit.x(flips)
    return True


def _is_constant(base: Any) -> bool:
    return all(map(is_constant, base.params)) and all(isinstance(a, np.ndarray) for a in getattr(base, "arrays", ()))


def _unitary(circuit: Circuit, matrix: np.ndarray, controls: Qubits, target: int, spare: Qubits) -> None:
    """V diag V^dagger under controls: the difference of its phases on the target, the rest on the controls."""
    if len(controls) == 1:
        circuit.append(Controlled(Unitary(matrix)), (*controls, target))
        return
    phases, vectors = unitary_eigen(matrix)
    circuit.append(Unitary(vectors.conj().T), target)
    _mcrz(circuit, float(phases[1] - phases[0]), controls, target, spare)
    circuit.append(Unitary(vectors), target)
    _mcp(circuit, float(phases[0] + phases[1]) / 2, controls, spare)


def _rotations(circuit: Circuit, base: Any, controls: Qubits, targets: Qubits, spare: Qubits) -> None:
    for what, rest in rotations_of(base) or ():
        if not isinstance(what, str):
            _controlled(circuit, *_split_gate(what, tuple([targets[q] for q in rest]), controls), spare)
            continue
        acted = [q for q, letter in zip(targets, what, strict=True) if letter != "I"]
        if not acted:
            _mcp(circuit, scaled(rest, -0.5), controls, spare)
            continue
        enter = Circuit(circuit.num_qubits)
        for q, letter in zip(targets, what, strict=True):
            if letter == "X":
                enter.h(q)
            elif letter == "Y":
                enter.sx(q)
        for q in acted[:-1]:
            enter.cx(q, acted[-1])
        for i in enter.instructions:
            circuit.append(i.operation, i.qubits)
        _mcrz(circuit, rest, controls, acted[-1], spare)
        for i in enter.inverse().instructions:
            circuit.append(i.operation, i.qubits)


def _split_gate(operation: Any, places: Qubits, controls: Qubits) -> tuple[Any, Qubits, Qubits]:
    base, count, _ = split_controls(operation)
    return base, (*controls, *places[:count]), places[count:]


def _mcrz(circuit: Circuit, angle: Any, controls: Qubits, target: int, spare: Qubits) -> None:
    """rz under controls."""
    if len(controls) == 1:
        circuit.crz(angle, controls[0], target)
        return
    half = len(controls) // 2
    first, second = controls[:half], controls[half:]  # two commutators: each half has the other to borrow from
    for _ in range(2):
        circuit.rz(scaled(angle, 0.25), target)
        _mcx(circuit, first, target, (*second, *spare))
        circuit.rz(scaled(angle, -0.25), target)
        _mcx(circuit, second, target, (*first, *spare))


def _mcp(circuit: Circuit, angle: Any, qubits: Qubits, spare: Qubits) -> None:
    """A phase where all qubits read 1."""
    if len(qubits) == 1:
        circuit.p(angle, qubits[0])
    elif len(qubits) == 2:
        circuit.cp(angle, *qubits)
    else:
        _mcrz(circuit, angle, qubits[:-1], qubits[-1], spare)
        _mcp(circuit, scaled(angle, 0.5), qubits[:-1], (qubits[-1], *spare))


def _mcz(circuit: Circuit, qubits: Qubits, spare: Qubits) -> None:
    circuit.h(qubits[-1])
    _mcx(circuit, qubits[:-1], qubits[-1], spare)
    circuit.h(qubits[-1])


def _mcx(circuit: Circuit, controls: Qubits, target: int, spare: Qubits) -> None:
    """x under controls; spare qubits may be borrowed."""
    k = len(controls)
    if k == 0:
        circuit.x(target)
    elif k == 1:
        circuit.cx(controls[0], target)
    elif k == 2:
        _toffoli(circuit, controls[0], controls[1], target)
    elif k == 3:
        circuit.h(target)
        _gray_z(circuit, (*controls, target))
        circuit.h(target)
    elif len(spare) >= k - 2:
        _ladder(circuit, controls, target, spare[: k - 2])
    elif spare:
        half = (k + 2) // 2
        first, second = controls[:half], (*controls[half:], spare[0])
        for _ in range(2):
            _mcx(circuit, first, spare[0], (*controls[half:], target))
            _mcx(circuit, second, target, first)
    else:
        circuit.h(target)
        _mcp(circuit, pi, (*controls, target), ())
        circuit.h(target)


def _toffoli(circuit: Circuit, a: int, b: int, c: int) -> None:
    circuit.h(c).cx(b, c).tdg(c).cx(a, c).t(c).cx(b, c).tdg(c).cx(a, c).t(b).t(c).h(c).cx(a, b).t(a).tdg(b).cx(a, b)


def _gray_z(circuit: Circuit, qubits: Qubits) -> None:
    """-1 where all qubits read 1, by phases on all parities in the order of a Gray code: 14 cx for four qubits."""
    step = pi / (1 << len(qubits) - 1)
    for place, q in enumerate(qubits):
        circuit.p(step, q)
        previous = 0
        for n in range(1, 1 << place):
            code = n ^ n >> 1
            changed = (code ^ previous).bit_length() - 1
            circuit.cx(qubits[place - 1 - changed], q)
            circuit.p(step * (-1) ** code.bit_count(), q)
            previous = code
        if place:
            circuit.cx(qubits[0], q)


def _ladder(circuit: Circuit, controls: Qubits, target: int, spare: Sequence[int]) -> None:
    """x under k controls with k - 2 borrowed qubits: Toffoli gates on those need only be right up to phases."""
    k = len(controls)
    chain = (*spare, target)
    down = [(controls[i], chain[i - 2], chain[i - 1]) for i in range(k - 1, 1, -1)]
    for steps in (down, down[1:]):
        for places in steps:
            _step(circuit, places, target, False)
        _step(circuit, (controls[0], controls[1], chain[0]), target, False)
        for places in reversed(steps):
            _step(circuit, places, target, True)


def _step(circuit: Circuit, places: tuple[int, int, int], target: int, back: bool) -> None:
    if places[2] == target:
        _toffoli(circuit, *places)
    else:
        _relative(circuit, *places)


def _relative(circuit: Circuit, a: int, b: int, c: int) -> None:
    """A Toffoli gate up to phases of the basis states, its own inverse, with three cx."""
    turn = pi / 4
    circuit.ry(turn, c).cx(b, c).ry(turn, c).cx(a, c).ry(-turn, c).cx(b, c).ry(-turn, c)
