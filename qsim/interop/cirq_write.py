"""Our circuits as Cirq's."""

from __future__ import annotations

import cmath
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from qsim._errors import CircuitError
from qsim.interop.base import OTHER_WORDS, different_labels, host_array, host_number, no_counterpart, vendor
from qsim.interop.cirq_gates import GATES, PHASES
from qsim.interop.symbols import to_sympy
from qsim.ir.circuit import Circuit
from qsim.ir.interface import checked_definition
from qsim.ir.operation import Barrier, Controlled, Gate, Measure, Reset, is_symbolic
from qsim.ir.ops import QFT, Diagonal, Unitary
from qsim.ir.ops.delay import Delay

WHERE = "to_cirq"


def to_cirq(circuit: Circuit, qubits: Iterable[Any] | None = None) -> Any:
    """A circuit as a `cirq.Circuit`: the same unitary, global phase included.

    Parameters become symbols of their name, elements of a vector `theta[0]`, `theta[1]`, ... in order. A classical
    register that is read whole, at the end, is one measurement with its name as the key; other bits have keys such as
    `c[0]`. Barriers are left out, and so is the layout of a transpiled circuit.

    Args:
        circuit: a circuit; JAX values must be concrete.
        qubits: Cirq's qubits in the order of ours; None takes `cirq.LineQubit(i)` for qubit i.

    Returns:
        A `cirq.Circuit`.

    Raises:
        CircuitError: an operation that has no counterpart there (it is named), a traced value, or too few qubits.
        BackendError: Cirq is not installed.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.interop import to_cirq
        >>> print(to_cirq(Circuit(2).h(0).cx(0, 1)))
        0: ───H───@───
                  │
        1: ───────X───
    """
    cirq = vendor("cirq", "cirq")
    if not isinstance(circuit, Circuit):
        raise CircuitError(f"{WHERE}: argument `circuit` must be a Circuit, but is {type(circuit).__name__}.")
    given = cirq.LineQubit.range(circuit.num_qubits) if qubits is None else qubits
    places = different_labels(WHERE, "qubits", given, CircuitError, circuit.num_qubits)
    if not all(isinstance(place, cirq.Qid) for place in places):
        raise CircuitError(f"{WHERE}: argument `qubits` must be qubits of Cirq's, but is {places}.")
    writer = _Writer(cirq)
    whole = _read_at_the_end(circuit)
    names = [(r.name, b - r.start) for r in circuit.cregs for b in range(r.start, r.start + r.size)]
    made = []
    for i in circuit.instructions:
        if not isinstance(i.operation, Measure):
            made += writer.operations(i.operation, [places[q] for q in i.qubits])
        elif names[i.clbits[0]][0] not in whole:
            register, number = names[i.clbits[0]]
            made.append(cirq.measure(places[i.qubits[0]], key=f"{register}[{number}]"))
    made += [cirq.measure(*[places[q] for q in read], key=name) for name, read in whole.items()]
    return cirq.Circuit(made)


def _read_at_the_end(circuit: Circuit) -> dict[str, list[int]]:
    """Classical registers that are written once, by qubits that nothing is done to afterwards: name -> qubits."""
    read: dict[int, int] = {}
    spoilt: set[int] = set()
    measured: dict[int, int] = {}
    for i in circuit.instructions:
        if isinstance(i.operation, Barrier):
            continue
        spoilt.update(measured[q] for q in i.qubits if q in measured)
        if isinstance(i.operation, Measure):
            bit = i.clbits[0]
            if bit in read:
                spoilt.add(bit)
            read[bit] = i.qubits[0]
            measured[i.qubits[0]] = bit
    found = {}
    for r in circuit.cregs:
        bits = range(r.start, r.start + r.size)
        if all(b in read and b not in spoilt for b in bits) and len({read[b] for b in bits}) == r.size:
            found[r.name] = [read[b] for b in bits]
    return found


class _Writer:
    """Cirq, and how angles are said there."""

    def __init__(self, cirq: Any):
        self.cirq, self.sympy = cirq, vendor("sympy", "cirq")

    def operations(self, operation: Any, qubits: list[Any]) -> Iterator[Any]:
        """One operation in Cirq's words."""
        if isinstance(operation, Gate):
            yield from self._gate(operation, qubits)
            return
        rule = _RULES.get(type(operation))
        if rule is not None:
            yield from rule(self, operation, qubits)
        elif hasattr(operation, "definition") and not operation.num_clbits:
            yield from self.inside(checked_definition(operation), qubits)
        elif hasattr(operation, "matrix") and not operation.num_clbits:
            for p in operation.params:
                host_number(p, WHERE, operation.name)
            yield self.cirq.MatrixGate(np.asarray(operation.matrix(np))).on(*qubits)
        else:
            fix = "Leave it out, or give it a definition()."
            raise no_counterpart(WHERE, operation.name, qubits, "Cirq's gates", fix)

    def inside(self, steps: Circuit, qubits: list[Any]) -> Iterator[Any]:
        """What stands for one operation, a small circuit."""
        for i in steps.instructions:
            yield from self.operations(i.operation, [qubits[q] for q in i.qubits])

    def phase(self, angle: Any) -> Any:
        """A global phase."""
        if isinstance(angle, float):
            return self.cirq.global_phase_operation(cmath.exp(1j * angle))
        return self.cirq.GlobalPhaseGate(self.sympy.exp(self.sympy.I * angle)).on()

    def angle(self, param: Any, name: str) -> Any:
        """An angle of ours as a number, or as SymPy's."""
        if type(param) is float:
            return param
        return to_sympy(param, self.sympy) if is_symbolic(param) else host_number(param, WHERE, name)

    def _gate(self, operation: Gate, qubits: list[Any]) -> Iterator[Any]:
        name = operation.name
        if name in GATES:
            angles = [self.angle(p, name) for p in operation.params]
            yield GATES[name](self.cirq, *angles).on(*qubits)
            if name in PHASES:
                yield self.phase(PHASES[name](*angles))
        elif name in OTHER_WORDS:
            yield from self.inside(OTHER_WORDS[name](Circuit(len(qubits)), *operation.params), qubits)
        elif not qubits:
            yield self.phase(self.angle(operation.params[0], name))
        else:
            values = [host_number(p, WHERE, name) for p in operation.params]
            yield self.cirq.MatrixGate(np.asarray(operation.row.matrix(np, *values))).on(*qubits)


def _controlled(writer: _Writer, operation: Controlled, qubits: list[Any]) -> Iterator[Any]:
    count = operation.num_controls
    values = [int(bit) for bit in f"{operation.control_state:0{count}b}"]
    for inner in writer.operations(operation.base, qubits[count:]):
        yield inner.controlled_by(*qubits[:count], control_values=values)


def _unitary(writer: _Writer, operation: Unitary, qubits: list[Any]) -> Iterator[Any]:
    matrix = host_array(operation.arrays[0], WHERE, "unitary").astype(complex)
    yield writer.cirq.MatrixGate(matrix).on(*qubits) if qubits else writer.phase(float(np.angle(matrix[0, 0])))


def _diagonal(writer: _Writer, operation: Diagonal, qubits: list[Any]) -> Iterator[Any]:
    angles = np.angle(host_array(operation.arrays[0], WHERE, "diagonal")).tolist()
    yield writer.cirq.DiagonalGate(angles).on(*qubits) if qubits else writer.phase(angles[0])


def _qft(writer: _Writer, operation: QFT, qubits: list[Any]) -> Iterator[Any]:
    if qubits:
        made = writer.cirq.QuantumFourierTransformGate(len(qubits)).on(*qubits)
        yield writer.cirq.inverse(made) if operation.adjoint else made


def _barrier(writer: _Writer, operation: Barrier, qubits: list[Any]) -> Iterator[Any]:
    return iter(())


def _reset(writer: _Writer, operation: Reset, qubits: list[Any]) -> Iterator[Any]:
    yield writer.cirq.reset(qubits[0])


def _delay(writer: _Writer, operation: Delay, qubits: list[Any]) -> Iterator[Any]:
    picos = writer.angle(operation.seconds, "delay") * 1e12
    yield writer.cirq.wait(qubits[0], picos=picos)


_RULES: Mapping[type, Callable[[_Writer, Any, list[Any]], Iterator[Any]]] = {
    Barrier: _barrier,
    Controlled: _controlled,
    Delay: _delay,
    Diagonal: _diagonal,
    QFT: _qft,
    Reset: _reset,
    Unitary: _unitary,
}
