"""Cirq's circuits as ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from math import pi
from typing import Any

import numpy as np

from qsim._errors import CircuitError
from qsim.interop.base import MAX_DEPTH, MAX_MATRIX, MAX_SIZE, no_counterpart, permuted, place, vendor
from qsim.interop.cirq_gates import FIXED, POWERS, ROTATIONS
from qsim.interop.symbols import from_sympy, named
from qsim.ir.circuit import Circuit
from qsim.ir.operation import Reset
from qsim.ir.ops import QFT, Diagonal, PauliEvolution, PrepareState, Unitary
from qsim.ir.ops.delay import Delay
from qsim.ir.pauli import PauliSum

WHERE = "from_cirq"
_ELEMENT = re.compile(r"(.+)\[(\d{1,6})\]\Z")
SMALL = 3
"""Qubits up to which a matrix is preferred to Cirq's decompositions, which may lose the global phase."""


def from_cirq(circuit: Any, qubit_order: Any = None) -> Circuit:
    """A Cirq circuit as one of ours: the same unitary, global phase included.

    Powers of gates become gates of the table; matrix, diagonal, permutation and QFT gates stay whole. Symbols become
    parameters, `theta[0]`, `theta[1]`, ... elements of a vector. Each measurement key becomes a classical register.
    Moments are not kept.

    Args:
        circuit: a `cirq.Circuit`.
        qubit_order: Cirq's qubits in the order of ours, more of them too, or a `cirq.QubitOrder`; None sorts them.

    Raises:
        CircuitError: an operation that has no counterpart here (it is named): noise, classical control, qudits.
        ParameterError: an exponent that cannot be an expression here.
        BackendError: Cirq is not installed.

    Example:
        >>> import cirq
        >>> from qsim.interop import from_cirq
        >>> a, b = cirq.LineQubit.range(2)
        >>> from_cirq(cirq.Circuit(cirq.H(a), cirq.CX(a, b), cirq.measure(a, b, key="m"))).count_ops()
        {'h': 1, 'cx': 1, 'measure': 2}
    """
    cirq = vendor("cirq", "cirq")
    if not isinstance(circuit, cirq.AbstractCircuit):
        raise CircuitError(f"{WHERE}: argument `circuit` must be a cirq.Circuit, but is {type(circuit).__name__}.")
    try:
        order = cirq.QubitOrder.DEFAULT if qubit_order is None else cirq.QubitOrder.as_qubit_order(qubit_order)
        qubits = order.order_for(circuit.all_qubits())
    except ValueError as error:
        raise CircuitError(f"{WHERE}: argument `qubit_order` does not fit: {error}.") from None
    if any(cirq.is_measurement(op) for op in circuit.all_operations()):
        sizes = _registers(cirq, circuit)
    else:
        sizes = {}
    names = sorted(cirq.parameter_names(circuit))
    reader = _Reader(cirq, Circuit(len(qubits), num_clbits=sizes), dict(zip(names, _parameters(names), strict=True)))
    numbers = {qubit: q for q, qubit in enumerate(qubits)}
    for operation in circuit.all_operations():
        reader.append(operation, numbers, 0)
    return reader.made


def _parameters(names: Sequence[str]) -> list[Any]:
    found = [_ELEMENT.match(name) for name in names]
    sizes: dict[str, int] = {}
    for match in found:
        if match is not None:
            sizes[match[1]] = max(sizes.get(match[1], 0), int(match[2]) + 1)
    return named(
        (name, None if match is None else (match[1], sizes[match[1]], int(match[2])))
        for name, match in zip(names, found, strict=True)
    )


def _registers(cirq: Any, circuit: Any) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for operation in circuit.all_operations():
        gate = operation.gate
        if isinstance(gate, cirq.MeasurementGate):
            if gate.key in sizes:
                raise CircuitError(f"{WHERE}: key {gate.key!r} is measured more than once. Give each its own key.")
            sizes[gate.key] = gate.num_qubits()
    return sizes


class _Reader:
    """A circuit that operations are read into."""

    def __init__(self, cirq: Any, made: Circuit, symbols: Mapping[str, Any]):
        self.cirq, self.made, self.symbols = cirq, made, symbols
        self.starts = {register.name: register.start for register in made.cregs}
        self.touched: set[int] = set()
        self.seen = 0

    def append(self, operation: Any, numbers: Mapping[Any, int], depth: int) -> None:
        """Append one operation of Cirq's; `numbers` are the places of its qubits."""
        self.seen += 1
        if depth > MAX_DEPTH or self.seen > MAX_SIZE:
            raise CircuitError(
                f"{WHERE}: the circuit has decompositions deeper than {MAX_DEPTH}, or more than {MAX_SIZE} operations."
            )
        operation = operation.untagged
        gate = operation.gate
        places = [numbers[qubit] for qubit in operation.qubits]
        rule = _rule(type(operation if gate is None else gate))
        if rule is None or not rule(self, operation, gate, places, depth):
            self._other(operation, numbers, places, depth)
        if rule is not _reset:
            self.touched.update(places)

    def local(self, operation: Any, depth: int) -> Circuit:
        """One operation as a small circuit on its own qubits."""
        inner = _Reader(self.cirq, Circuit(len(operation.qubits)), self.symbols)
        inner.seen = self.seen
        inner.append(operation, {qubit: q for q, qubit in enumerate(operation.qubits)}, depth + 1)
        self.seen = inner.seen
        return inner.made

    def number(self, value: Any) -> Any:
        """A number or a symbolic expression of Cirq's as ours."""
        return from_sympy(value, self.symbols, WHERE) if hasattr(value, "free_symbols") else float(value)

    def _other(self, operation: Any, numbers: Mapping[Any, int], places: list[int], depth: int) -> None:
        """Append an operation by its matrix where that is small, else by its decomposition."""
        cirq = self.cirq
        words = str(operation)
        if any(dimension != 2 for dimension in cirq.qid_shape(operation)):
            raise no_counterpart(WHERE, words, operation.qubits, "qsim", "It acts on qudits; there are qubits only.")
        known = not cirq.is_parameterized(operation) and cirq.has_unitary(operation)
        if known and len(places) <= SMALL:
            self.made.append(Unitary(cirq.unitary(operation)), places)
            return
        steps = cirq.decompose_once(operation, None, flatten=True) if _may_decompose(cirq, operation) else None
        if steps is not None and all(qubit in numbers for step in steps for qubit in step.qubits):
            for step in steps:
                self.append(step, numbers, depth + 1)
        elif known and len(places) <= MAX_MATRIX:
            self.made.append(Unitary(cirq.unitary(operation)), places)
        else:
            fix = "It is not unitary, or has no decomposition and no matrix of at most 8 qubits. Leave it out."
            raise no_counterpart(WHERE, words, operation.qubits, "qsim", fix)


def _may_decompose(cirq: Any, operation: Any) -> bool:
    """Noise and classical control are not taken apart."""
    return not isinstance(operation, cirq.ClassicallyControlledOperation)


def _power(reader: _Reader, operation: Any, gate: Any, places: list[int], depth: int) -> bool:
    kind = next(cls.__name__ for cls in type(gate).__mro__ if cls.__name__ in POWERS)
    exponent, shift = reader.number(gate.exponent), float(gate.global_shift)
    if shift == -0.5 and kind in ROTATIONS:
        getattr(reader.made, ROTATIONS[kind])(pi * exponent, *places)
        return True
    name = FIXED.get((kind, exponent)) if isinstance(exponent, float) else None
    if name is not None:
        getattr(reader.made, name)(*places)
    else:
        place(reader.made, POWERS[kind](Circuit(len(places)), exponent), places)
    if shift:
        reader.made.gphase(pi * shift * exponent)
    return True


def _phased_x(reader: _Reader, operation: Any, gate: Any, places: list[int], depth: int) -> bool:
    exponent, phase = reader.number(gate.exponent), reader.number(gate.phase_exponent)
    reader.made.prx(pi * exponent, pi * phase, *places)
    if gate.global_shift != -0.5:
        reader.made.gphase(pi * (gate.global_shift + 0.5) * exponent)
    return True


def _phased_xz(reader: _Reader, operation: Any, gate: Any, places: list[int], depth: int) -> bool:
    x, z, axis = (reader.number(v) for v in (gate.x_exponent, gate.z_exponent, gate.axis_phase_exponent))
    reader.made.prx(pi * x, pi * axis, *places).gphase(pi / 2 * x).p(pi * z, *places)
    return True


def _phased_iswap(reader: _Reader, operation: Any, gate: Any, places: list[int], depth: int) -> bool:
    exponent, phase = reader.number(gate.exponent), reader.number(gate.phase_exponent)
    reader.made.xx_plus_yy(-pi * exponent, 2 * pi * phase, *places)
    if gate.global_shift:
        reader.made.gphase(pi * gate.global_shift * exponent)
    return True


def _fsim(reader: _Reader, operation: Any, gate: Any, places: list[int], depth: int) -> bool:
    reader.made.fsim(reader.number(gate.theta), reader.number(gate.phi), *places)
    return True


def _identity(reader: _Reader, operation: Any, gate: Any, places: list[int], depth: int) -> bool:
    if any(dimension != 2 for dimension in reader.cirq.qid_shape(operation)):
        return False
    reader.made.id(places)
    return True


def _cswap(reader: _Reader, operation: Any, gate: Any, places: list[int], depth: int) -> bool:
    reader.made.cswap(*places)
    return True


def _phase(reader: _Reader, operation: Any, gate: Any, places: list[int], depth: int) -> bool:
    coefficient = gate.coefficient
    if not hasattr(coefficient, "free_symbols"):
        reader.made.gphase(float(np.angle(complex(coefficient))))
        return True
    if coefficient.func.__name__ != "exp":
        raise no_counterpart(WHERE, str(operation), (), "qsim", "Write the phase as exp(I * angle).")
    angle = -vendor("sympy", "cirq").I * coefficient.args[0]
    reader.made.gphase(from_sympy(angle.expand(), reader.symbols, WHERE))
    return True


def _matrix(reader: _Reader, operation: Any, gate: Any, places: list[int], depth: int) -> bool:
    if any(dimension != 2 for dimension in reader.cirq.qid_shape(gate)):
        return False
    reader.made.append(Unitary(reader.cirq.unitary(gate)), places)
    return True


def _diagonal(reader: _Reader, operation: Any, gate: Any, places: list[int], depth: int) -> bool:
    if reader.cirq.is_parameterized(gate) or len(places) > MAX_MATRIX:
        return False
    reader.made.append(Diagonal(np.diag(reader.cirq.unitary(gate))), places)
    return True


def _qft(reader: _Reader, operation: Any, gate: Any, places: list[int], depth: int) -> bool:
    if gate._without_reverse:
        return False
    reader.made.append(QFT(len(places)), places)
    return True


def _permutation(reader: _Reader, operation: Any, gate: Any, places: list[int], depth: int) -> bool:
    permuted(reader.made, list(gate.permutation), places)
    return True


def _controlled(reader: _Reader, operation: Any, gate: Any, places: list[int], depth: int) -> bool:
    """One controlled operation for each state that the controls may be in."""
    outer, cirq = operation if gate is None else gate, reader.cirq
    values = outer.control_values
    count = len(operation.qubits) - (cirq.num_qubits(outer.sub_operation if gate is None else outer.sub_gate))
    if any(dimension != 2 for dimension in cirq.qid_shape(operation)):
        return False
    rest = operation.qubits[count:]
    inner = reader.local(outer.sub_operation if gate is None else outer.sub_gate.on(*rest), depth)
    for state in dict.fromkeys(values.expand()):
        place(reader.made, inner.controlled(count, "".join(map(str, state))), places)
    return True


def _phasor(reader: _Reader, operation: Any, gate: Any, places: list[int], depth: int) -> bool:
    """e^(i pi p) where a Pauli string reads +1, e^(i pi m) where it reads -1."""
    holder = operation if gate is None else gate
    dense = gate.dense_pauli_string if gate is not None else None
    letters = operation.pauli_string.items() if dense is None else zip(operation.qubits, dense, strict=True)
    sign = holder.pauli_string.coefficient if dense is None else dense.coefficient
    number = dict(zip(operation.qubits, range(len(places)), strict=True))
    string = {number[q]: str(p) for q, p in letters if str(p) != "I"}
    plus, minus = reader.number(holder.exponent_pos), reader.number(holder.exponent_neg)
    half = -pi / 2 * float(complex(sign).real) * (plus - minus)
    reader.made.append(PauliEvolution(PauliSum([string], [1.0]), half, 1, 1, len(places)), places)
    reader.made.gphase(pi / 2 * (plus + minus))
    return True


def _measure(reader: _Reader, operation: Any, gate: Any, places: list[int], depth: int) -> bool:
    if any(gate.full_invert_mask()) or gate.confusion_map:
        fix = "It inverts or confuses bits: measure without, and do that to the samples."
        raise no_counterpart(WHERE, str(operation), operation.qubits, "qsim", fix)
    start = reader.starts.get(gate.key)
    if start is None:
        raise no_counterpart(WHERE, str(operation), operation.qubits, "qsim", "It is inside another operation.")
    reader.made.measure(places, range(start, start + len(places)))
    return True


def _reset(reader: _Reader, operation: Any, gate: Any, places: list[int], depth: int) -> bool:
    for q in places:
        if q in reader.touched:
            reader.made.append(Reset(), q)
            reader.touched.discard(q)
    return True


def _prepare(reader: _Reader, operation: Any, gate: Any, places: list[int], depth: int) -> bool:
    _reset(reader, operation, gate, places, depth)
    reader.made.append(PrepareState(np.asarray(gate.state, complex)), places)
    return True


def _wait(reader: _Reader, operation: Any, gate: Any, places: list[int], depth: int) -> bool:
    seconds = reader.number(gate.duration.total_picos()) * 1e-12
    for q in places:
        reader.made.append(Delay(seconds), q)
    return True


def _inside(reader: _Reader, operation: Any, gate: Any, places: list[int], depth: int) -> bool:
    """A circuit in a circuit, as often as it says."""
    numbers = dict(zip(operation.qubits, places, strict=True))
    repeated = operation.repetitions
    if not isinstance(repeated, (int, np.integer)) or operation.repeat_until or reader.cirq.is_measurement(operation):
        fix = "Loops and measurements inside of operations cannot be run: unroll the circuit."
        raise no_counterpart(WHERE, "a circuit operation", operation.qubits, "qsim", fix)
    size = abs(int(repeated)) * sum(1 for _ in operation.circuit.all_operations())
    if size + reader.seen > MAX_SIZE:
        raise CircuitError(f"{WHERE}: a circuit operation makes more than {MAX_SIZE} operations.")
    for step in operation.mapped_circuit(deep=False).all_operations():
        reader.append(step, numbers, depth + 1)
    return True


def _feedback(reader: _Reader, operation: Any, gate: Any, places: list[int], depth: int) -> bool:
    fix = "Operations that depend on measured bits cannot be run: write the circuit without them."
    raise no_counterpart(WHERE, str(operation), operation.qubits, "qsim", fix)


Rule = Callable[[_Reader, Any, Any, list[int], int], bool]
_RULES: Mapping[str, Rule] = {
    **dict.fromkeys(POWERS, _power),
    "CSwapGate": _cswap,
    "CircuitOperation": _inside,
    "ClassicallyControlledOperation": _feedback,
    "ControlledGate": _controlled,
    "ControlledOperation": _controlled,
    "DiagonalGate": _diagonal,
    "FSimGate": _fsim,
    "GlobalPhaseGate": _phase,
    "IdentityGate": _identity,
    "MatrixGate": _matrix,
    "MeasurementGate": _measure,
    "PauliStringPhasor": _phasor,
    "PauliStringPhasorGate": _phasor,
    "PhasedISwapPowGate": _phased_iswap,
    "PhasedXPowGate": _phased_x,
    "PhasedXZGate": _phased_xz,
    "QuantumFourierTransformGate": _qft,
    "QubitPermutationGate": _permutation,
    "ResetChannel": _reset,
    "StatePreparationChannel": _prepare,
    "ThreeQubitDiagonalGate": _diagonal,
    "TwoQubitDiagonalGate": _diagonal,
    "WaitGate": _wait,
}
"""Cirq's classes with a rule: f(reader, operation, gate, qubits, depth) -> False where it does not apply."""


@lru_cache(maxsize=1024)
def _rule(kind: type) -> Rule | None:
    """The rule of a class of Cirq's, or of the nearest one it derives from."""
    for cls in kind.__mro__:
        if cls.__name__ in _RULES and cls.__module__.startswith("cirq."):
            return _RULES[cls.__name__]
    return None
