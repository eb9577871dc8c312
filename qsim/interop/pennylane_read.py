"""PennyLane's tapes and QNodes as our circuits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from qsim._errors import CircuitError
from qsim.interop.base import MAX_DEPTH, MAX_MATRIX, MAX_SIZE, different_labels, no_counterpart, place, to_power, vendor
from qsim.interop.pennylane_gates import IN_OUR_WORDS, NAMES
from qsim.ir.circuit import Circuit
from qsim.ir.operation import is_constant
from qsim.ir.ops import QFT, Diagonal, PauliEvolution, PrepareState, Unitary
from qsim.ir.pauli import PauliSum

WHERE = "from_pennylane"
NOTHING = ("Snapshot", "WireCut")
FEEDBACK = ("MidMeasureMP", "MidMeasure", "Conditional", "PauliMeasure")


def from_pennylane(source: Any, *args: Any, wires: Iterable[Any] | None = None, **kwargs: Any) -> Circuit:
    """A tape, a QNode or a quantum function of PennyLane's as a circuit: the same unitary, global phase included.

    What is measured at the end is left out. Values of JAX, traced ones too, become JAX values in our gates, so that
    `jax.grad` goes through. Operations without a counterpart are decomposed, or become matrices.

    Args:
        source: a `qml.tape.QuantumScript`, a `qml.QNode` (after the transforms that the user gave it), or a function
            that queues operations.
        args, kwargs: what the QNode or the function is called with; nothing for a tape.
        wires: labels in the order of our qubits; None takes the wires of the QNode's device, else those of the
            operations: sorted where they are 0, 1, 2, ..., in order of appearance where not, as PennyLane's
            state vectors have them.

    Raises:
        CircuitError: an operation that has no counterpart here (it is named), a batch of parameters, or a wire that is
            not in `wires`.
        BackendError: PennyLane is not installed.

    Example:
        >>> import pennylane as qml
        >>> from qsim.interop import from_pennylane
        >>> @qml.qnode(qml.device("default.qubit"))
        ... def circuit(t):
        ...     qml.RX(t, 0)
        ...     qml.CNOT([0, 1])
        ...     return qml.expval(qml.Z(1))
        >>> from_pennylane(circuit, 0.5).count_ops()
        {'rx': 1, 'cx': 1}
    """
    qml = vendor("pennylane", "pennylane")
    tape = tape_of(source, args, kwargs)
    if wires is None and isinstance(source, qml.QNode):
        wires = source.device.wires
    labels = order_of(tape) if wires is None else different_labels(WHERE, "wires", wires, CircuitError)
    made = Circuit(len(labels))
    with qml.QueuingManager.stop_recording():
        reader = _Reader(made, {wire: q for q, wire in enumerate(labels)})
        for operation in tape.operations:
            reader.append(operation, 0)
    return made


def tape_of(source: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None) -> Any:
    """The tape of a tape, a QNode or a function that queues operations.

    Raises:
        CircuitError: something else.
    """
    qml = vendor("pennylane", "pennylane")
    if isinstance(source, qml.tape.QuantumScript):
        if args or kwargs:
            raise CircuitError(f"{WHERE}: a tape takes no arguments; its values are in it.")
        return source
    if isinstance(source, qml.QNode):
        return qml.workflow.construct_tape(source, level="user")(*args, **(kwargs or {}))
    if callable(source) and not isinstance(source, Circuit):
        return qml.tape.make_qscript(source)(*args, **(kwargs or {}))
    raise CircuitError(
        f"{WHERE}: argument `source` must be a tape, a QNode or a function, but is {type(source).__name__}."
    )


def order_of(tape: Any) -> list[Any]:
    """The wires of a tape in the order that PennyLane's state vectors have."""
    first = dict.fromkeys(wire for operation in tape.operations for wire in operation.wires)
    labels = list(first | dict.fromkeys(tape.wires))
    return sorted(labels) if set(labels) == set(range(len(labels))) else labels


class _Reader:
    """A circuit that operations are read into, and the qubit of each wire."""

    def __init__(self, made: Circuit, numbers: Mapping[Any, int]):
        self.made, self.numbers, self.seen = made, numbers, 0

    def append(self, operation: Any, depth: int) -> None:
        """Append one operation of PennyLane's."""
        self.seen += 1
        if depth > MAX_DEPTH or self.seen > MAX_SIZE:
            raise CircuitError(
                f"{WHERE}: the tape has decompositions deeper than {MAX_DEPTH}, or more than {MAX_SIZE} operations."
            )
        name = operation.name
        try:
            qubits = [self.numbers[wire] for wire in operation.wires]
        except KeyError as missing:
            raise CircuitError(f"{WHERE}: {name} acts on wire {missing}, which is not in `wires`.") from None
        if getattr(operation, "batch_size", None) is not None:
            raise CircuitError(
                f"{WHERE}: {name} on wires {operation.wires.tolist()} has a batch of {operation.batch_size} values. "
                "Try qml.transforms.broadcast_expand, or jax.vmap around the conversion."
            )
        if name in NAMES:
            getattr(self.made, NAMES[name])(*[_angle(p, name) for p in operation.data], *qubits)
        elif name in IN_OUR_WORDS:
            steps = Circuit(len(qubits))
            place(self.made, IN_OUR_WORDS[name](steps, *[_angle(p, name) for p in operation.data]), qubits)
        elif not self._whole(operation, name, qubits) and not self._nested(operation, qubits, depth):
            self._other(operation, name, qubits, depth)

    def _whole(self, operation: Any, name: str, qubits: list[int]) -> bool:
        """Append what stays one operation here; False where it is none of those."""
        kind = type(operation).__name__
        if name in NOTHING:
            return True
        if name == "Barrier":
            self.made.barrier(qubits)
        elif name == "QubitUnitary":
            self.made.append(Unitary(_array(operation.data[0])), qubits)
        elif name == "DiagonalQubitUnitary":
            self.made.append(Diagonal(_array(operation.data[0])), qubits)
        elif name in ("MultiRZ", "PauliRot"):
            word = "Z" * len(qubits) if name == "MultiRZ" else operation.hyperparameters["pauli_word"]
            evolved = PauliSum.from_label(word)
            self.made.append(PauliEvolution(evolved, _angle(operation.data[0], name) / 2, 1, 1, len(qubits)), qubits)
        elif name == "QFT":
            self.made.append(QFT(len(qubits)), qubits)
        elif "StatePrep" in {cls.__name__ for cls in type(operation).__mro__}:
            state = operation.state_vector(wire_order=operation.wires)
            self.made.append(PrepareState(_array(state).reshape(-1)), qubits)
        elif kind in FEEDBACK:
            raise no_counterpart(
                WHERE, kind, operation.wires, "qsim", "Mid-circuit measurements: try qml.defer_measurements first."
            )
        else:
            return False
        return True

    def _nested(self, operation: Any, qubits: list[int], depth: int) -> bool:
        """Append an operation made from another one; False where it is none."""
        kind = {cls.__name__ for cls in type(operation).__mro__ if cls.__module__.startswith("pennylane.")}
        if "Adjoint" in kind:
            steps = self._local(operation.base, operation.wires, depth).inverse()
        elif "Pow" in kind and is_constant(operation.z):
            steps = to_power(self._local(operation.base, operation.wires, depth), float(operation.z), WHERE)
        elif "Controlled" in kind:
            count = len(operation.control_wires)
            state = "".join("1" if value else "0" for value in operation.control_values)
            # the wires of the operation begin with the controls, and end with those that only help
            qubits = [self.numbers[w] for w in (*operation.control_wires, *operation.base.wires)]
            steps = self._local(operation.base, operation.base.wires, depth).controlled(count, state)
        elif "Prod" in kind:
            for factor in reversed(operation.operands):
                self.append(factor, depth + 1)
            return True
        else:
            return False
        place(self.made, steps, qubits)
        return True

    def _local(self, operation: Any, wires: Any, depth: int) -> Circuit:
        """One operation as a small circuit on the given wires."""
        inner = _Reader(Circuit(len(wires)), {wire: q for q, wire in enumerate(wires)})
        inner.seen = self.seen
        inner.append(operation, depth + 1)
        self.seen = inner.seen
        return inner.made

    def _other(self, operation: Any, name: str, qubits: list[int], depth: int) -> None:
        """Append an operation by its decomposition, else by its matrix."""
        if operation.has_decomposition:
            for step in operation.decomposition():
                self.append(step, depth + 1)
        elif operation.has_matrix and len(qubits) <= MAX_MATRIX:
            self.made.append(Unitary(_array(operation.matrix())), qubits)
        else:
            fix = "It has no decomposition, and no matrix of at most 8 wires. Leave it out, or give it one."
            raise no_counterpart(WHERE, name, operation.wires, "qsim", fix)


def _angle(value: Any, name: str) -> Any:
    """A number as a float; a value of JAX as it is; those of other libraries as floats."""
    if is_constant(value) or hasattr(value, "__array_namespace__"):
        return value
    try:
        return float(value)
    except (TypeError, ValueError):
        raise CircuitError(
            f"{WHERE}: an angle of {name} is {type(value).__name__}, not a number or a JAX value. For gradients, use "
            "JAX around the conversion."
        ) from None


def _array(value: Any) -> Any:
    """An array of JAX as it is, any other one as NumPy's."""
    return value if hasattr(value, "__array_namespace__") else np.asarray(value)
