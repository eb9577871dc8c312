"""Our circuits as PennyLane's tapes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from qsim._errors import CircuitError
from qsim.interop.base import OTHER_WORDS, different_labels, host_number, no_counterpart, vendor
from qsim.interop.pennylane_gates import IN_THEIR_WORDS, NAMES
from qsim.ir.circuit import Circuit
from qsim.ir.interface import checked_definition
from qsim.ir.operation import Barrier, Controlled, Gate, Measure, Reset, is_symbolic, value_of
from qsim.ir.ops import QFT, Diagonal, PauliEvolution, Unitary
from qsim.ir.ops.delay import Delay

WHERE = "to_pennylane"
FIXES = {
    "measure": "Leave it out, and give what is measured with measurements=[qml.sample()].",
    "reset": "Leave it out.",
    "delay": "Leave it out: PennyLane knows no times.",
}


def to_pennylane(circuit: Circuit, measurements: Sequence[Any] = (), *, wires: Iterable[Any] | None = None) -> Any:
    """A circuit as a `qml.tape.QuantumScript`: the same unitary, global phase included.

    To have it in a QNode, queue its operations there: `for op in tape.operations: qml.apply(op)`.

    Args:
        circuit: without open parameters (`circuit.bind` gives them values); values of JAX, traced ones too, go into
            PennyLane's operations as they are.
        measurements: PennyLane's, such as `[qml.expval(qml.Z(0))]`.
        wires: labels in the order of our qubits; None takes their numbers.

    Returns:
        A `qml.tape.QuantumScript`.

    Raises:
        CircuitError: an operation that has no counterpart there (it is named), an open parameter, or fewer wires than
            qubits.
        BackendError: PennyLane is not installed.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.interop import to_pennylane
        >>> to_pennylane(Circuit(2).h(0).cx(0, 1), wires="ab").operations
        [H('a'), CNOT(wires=['a', 'b'])]
    """
    qml = vendor("pennylane", "pennylane")
    if not isinstance(circuit, Circuit):
        raise CircuitError(f"{WHERE}: argument `circuit` must be a Circuit, but is {type(circuit).__name__}.")
    given = range(circuit.num_qubits) if wires is None else wires
    labels = different_labels(WHERE, "wires", given, CircuitError, circuit.num_qubits)
    made: list[Any] = []
    with qml.QueuingManager.stop_recording():
        for i in circuit.instructions:
            made += _operations(qml, i.operation, [labels[q] for q in i.qubits])
    return qml.tape.QuantumScript(made, list(measurements))


@cache
def _classes() -> Mapping[str, Any]:
    """Our name of a gate -> PennyLane's class of the same."""
    qml = vendor("pennylane", "pennylane")
    return {ours: getattr(qml, theirs) for theirs, ours in NAMES.items() if "(" not in theirs}


def _operations(qml: Any, operation: Any, wires: list[Any]) -> list[Any]:
    """One operation in PennyLane's words."""
    if isinstance(operation, Gate):
        params = [_value(p, operation.name) for p in operation.params]
        if operation.name in _classes():
            return [_classes()[operation.name](*params, wires=wires)]
        if operation.name in IN_THEIR_WORDS:
            return IN_THEIR_WORDS[operation.name](qml, wires, *params)
        if operation.name in OTHER_WORDS:
            return _inside(qml, OTHER_WORDS[operation.name](Circuit(len(wires)), *params), wires)
    rule = _RULES.get(type(operation))
    if rule is not None:
        return rule(qml, operation, wires)
    if type(operation) in (Measure, Reset, Delay) or operation.num_clbits:
        fix = FIXES.get(operation.name, "Leave it out.")
        raise no_counterpart(WHERE, operation.name, wires, "PennyLane's operations", fix)
    if hasattr(operation, "definition"):
        return _inside(qml, checked_definition(operation), wires)
    if hasattr(operation, "matrix"):
        for p in operation.params:
            _value(p, operation.name)
        return [qml.QubitUnitary(np.asarray(operation.matrix(np)), wires=wires)]
    raise no_counterpart(
        WHERE, operation.name, wires, "PennyLane's operations", "Leave it out, or give it a definition()."
    )


def _inside(qml: Any, steps: Circuit, wires: list[Any]) -> list[Any]:
    return [made for i in steps.instructions for made in _operations(qml, i.operation, [wires[q] for q in i.qubits])]


def _value(param: Any, name: str) -> Any:
    """A number or a JAX scalar; one error for an open parameter."""
    return host_number(param, WHERE, name) if is_symbolic(param) else value_of(param)


def _controlled(qml: Any, operation: Controlled, wires: list[Any]) -> list[Any]:
    count = operation.num_controls
    values = [bit == "1" for bit in f"{operation.control_state:0{count}b}"]
    inner = _operations(qml, operation.base, wires[count:])
    return [qml.ctrl(one, wires[:count], control_values=values) for one in inner]


def _unitary(qml: Any, operation: Unitary, wires: list[Any]) -> list[Any]:
    if not wires:
        return [qml.GlobalPhase(-np.angle(np.asarray(operation.arrays[0])[0, 0]))]
    return [qml.QubitUnitary(operation.arrays[0], wires=wires)]


def _diagonal(qml: Any, operation: Diagonal, wires: list[Any]) -> list[Any]:
    if not wires:
        return [qml.GlobalPhase(-np.angle(np.asarray(operation.arrays[0])[0]))]
    return [qml.DiagonalQubitUnitary(operation.arrays[0], wires=wires)]


def _qft(qml: Any, operation: QFT, wires: list[Any]) -> list[Any]:
    if not wires:
        return []
    made = qml.QFT(wires=wires)
    return [qml.adjoint(made)] if operation.adjoint else [made]


def _evolution(qml: Any, operation: PauliEvolution, wires: list[Any]) -> list[Any]:
    """One Pauli rotation after the other."""
    time = _value(operation.params[0], operation.name)
    _, _, terms, factors = operation.rotations()
    made = []
    for term, factor, (qubits, letters) in zip(
        terms.tolist(), factors.tolist(), operation.local_rotations(), strict=True
    ):
        angle = factor * time * operation.arrays[0][term]
        if letters:
            made.append(qml.PauliRot(2 * angle, letters, [wires[q] for q in qubits]))
        else:
            made.append(qml.GlobalPhase(angle))
    return made


def _barrier(qml: Any, operation: Barrier, wires: list[Any]) -> list[Any]:
    return [qml.Barrier(wires)] if wires else []


_RULES: Mapping[type, Callable[[Any, Any, list[Any]], list[Any]]] = {
    Barrier: _barrier,
    Controlled: _controlled,
    Diagonal: _diagonal,
    PauliEvolution: _evolution,
    QFT: _qft,
    Unitary: _unitary,
}
