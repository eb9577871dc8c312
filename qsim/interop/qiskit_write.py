"""Our circuits as Qiskit's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from qsim._errors import CircuitError, ObservableError
from qsim.interop.base import OTHER_WORDS, host_array, host_number, no_counterpart, vendor
from qsim.interop.qiskit_gates import classes
from qsim.interop.qiskit_paulis import pauli_to_qiskit
from qsim.interop.symbols import FUNCTIONS, rewritten
from qsim.ir.circuit import Circuit
from qsim.ir.instruction import Instruction
from qsim.ir.interface import checked_definition
from qsim.ir.operation import Barrier, Controlled, Gate, Measure, Reset, is_symbolic
from qsim.ir.ops import QFT, Diagonal, PauliEvolution, Permutation, Unitary
from qsim.ir.ops.delay import Delay
from qsim.ir.parameter import Parameter

WHERE = "to_qiskit"


def to_qiskit(circuit: Circuit) -> Any:
    """A circuit as a `qiskit.QuantumCircuit`: the same unitary, global phase included.

    Qubit i is qubit i, and classical bit i classical bit i; the indices of matrices and state vectors read the other
    way round, since Qiskit's qubit 0 is the least significant. Named parameters stay parameters; a vector becomes a
    `ParameterVector` of its elements in order. Gates that Qiskit lacks are written in ones that it has; unitary,
    diagonal, Pauli evolution and QFT operations stay whole, other high-level ones become their definitions. The
    layout of a transpiled circuit is not carried over.

    Args:
        circuit: a circuit; JAX values must be concrete.

    Returns:
        A `qiskit.QuantumCircuit`.

    Raises:
        CircuitError: an operation that has no counterpart there (it is named), or a traced value.
        BackendError: Qiskit is not installed.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.interop import to_qiskit
        >>> dict(to_qiskit(Circuit(2).h(0).cx(0, 1)).count_ops())
        {'h': 1, 'cx': 1}
    """
    if not isinstance(circuit, Circuit):
        raise CircuitError(f"{WHERE}: argument `circuit` must be a Circuit, but is {type(circuit).__name__}.")
    qiskit = vendor("qiskit", "qiskit")
    registers = [qiskit.ClassicalRegister(register.size, register.name) for register in circuit.cregs]
    made = qiskit.QuantumCircuit(qiskit.QuantumRegister(circuit.num_qubits, "q"), *registers)
    _Writer(circuit.parameters).write(made, circuit.instructions)
    return made


class _Writer:
    """What is the same for a circuit and all the small ones inside it: classes, and parameters by name."""

    def __init__(self, parameters: Sequence[Parameter]):
        self.circuit = vendor("qiskit.circuit", "qiskit")
        self.library = vendor("qiskit.circuit.library", "qiskit")
        self.classes = classes()
        vectors = {p.vector.name: p.vector.size for p in parameters if p.vector is not None}
        made = {name: self.circuit.ParameterVector(name, size) for name, size in vectors.items()}
        self.parameters = {
            p: self.circuit.Parameter(p.name) if p.vector is None else made[p.vector.name][p.index] for p in parameters
        }
        self.algebra = SimpleNamespace(
            **{ours: _method(ours) for ours in FUNCTIONS.values()}, sqrt=lambda value: value**0.5
        )

    def write(self, made: Any, instructions: Sequence[Instruction]) -> None:
        """Append instructions to a circuit of Qiskit's."""
        for i in instructions:
            self.append(made, i.operation, i.qubits, i.clbits)

    def append(self, made: Any, operation: Any, qubits: tuple[int, ...], clbits: tuple[int, ...] = ()) -> None:
        """Append one operation."""
        if isinstance(operation, Gate) and operation.name in self.classes:
            gate = self.classes[operation.name](*[self.angle(p, operation.name) for p in operation.params])
            made._append(self.circuit.CircuitInstruction(gate, [made.qubits[q] for q in qubits]))
            return
        rule = _RULES.get(type(operation))
        if rule is not None:
            rule(self, made, operation, qubits, clbits)
        elif isinstance(operation, Gate) and operation.name == "gphase":
            made.global_phase += self.angle(operation.params[0], "gphase")
        elif isinstance(operation, Gate) and operation.name in OTHER_WORDS:
            steps = OTHER_WORDS[operation.name](Circuit(operation.num_qubits), *operation.params)
            self.inside(made, steps, qubits)
        elif hasattr(operation, "definition") and not clbits:
            self.inside(made, checked_definition(operation), qubits)
        elif hasattr(operation, "matrix") and not clbits:
            for p in operation.params:
                host_number(p, WHERE, operation.name)
            made.append(self.library.UnitaryGate(np.asarray(operation.matrix(np))), list(qubits[::-1]))
        else:
            fix = "Leave it out, or give it a definition()."
            raise no_counterpart(WHERE, operation.name, qubits, "Qiskit's gates", fix)

    def inside(self, made: Any, steps: Circuit, qubits: tuple[int, ...]) -> None:
        """Append what stands for one operation, a small circuit."""
        for i in steps.instructions:
            self.append(made, i.operation, tuple([qubits[q] for q in i.qubits]))

    def small(self, operation: Any) -> Any:
        """One operation as a circuit of Qiskit's of its own."""
        made = self.circuit.QuantumCircuit(operation.num_qubits, name=operation.name)
        self.append(made, operation, tuple(range(operation.num_qubits)))
        return made

    def angle(self, param: Any, name: str) -> Any:
        """An angle of ours as one of Qiskit's."""
        if type(param) is float:
            return param
        if is_symbolic(param):
            return rewritten(param, self.algebra, self.parameters.__getitem__)
        return host_number(param, WHERE, name)


def _method(name: str) -> Callable[[Any], Any]:
    return lambda value: getattr(value, name)()


def _controlled(writer: _Writer, made: Any, operation: Controlled, qubits: Any, clbits: Any) -> None:
    base, count = operation.base, operation.num_controls
    state = int(f"{operation.control_state:0{count}b}"[::-1], 2)
    if isinstance(base, Gate) and base.name in writer.classes:
        gate = writer.classes[base.name](*[writer.angle(p, base.name) for p in base.params])
    elif isinstance(base, Unitary):
        gate = _matrix_gate(writer, base)
        qubits = (*qubits[:count], *qubits[count:][::-1])
    elif base.num_qubits == 0:
        steps = Circuit(count)
        for q, bit in enumerate(f"{operation.control_state:0{count}b}"):
            if bit == "0":
                steps.x(q)
        gamma = base.params[0] if isinstance(base, Gate) else float(np.angle(np.asarray(base.matrix(np))[0, 0]))
        phase = Circuit(1).p(gamma, 0).controlled(count - 1)
        flips = steps.copy()
        writer.inside(made, steps.extend(phase).extend(flips), qubits)
        return
    else:
        gate = writer.small(base).to_gate()
    made.append(gate.control(count, ctrl_state=state, annotated=True), list(qubits))


def _matrix_gate(writer: _Writer, operation: Unitary) -> Any:
    return writer.library.UnitaryGate(host_array(operation.arrays[0], WHERE, operation.name).astype(complex))


def _unitary(writer: _Writer, made: Any, operation: Unitary, qubits: Any, clbits: Any) -> None:
    made.append(_matrix_gate(writer, operation), list(qubits[::-1]))


def _diagonal(writer: _Writer, made: Any, operation: Diagonal, qubits: Any, clbits: Any) -> None:
    entries = host_array(operation.arrays[0], WHERE, "diagonal").astype(complex)
    if len(entries) == 1:
        made.global_phase += float(np.angle(entries[0]))
    else:
        made.append(writer.library.DiagonalGate((entries / np.abs(entries)).tolist()), list(qubits[::-1]))


def _qft(writer: _Writer, made: Any, operation: QFT, qubits: Any, clbits: Any) -> None:
    gate = writer.library.QFTGate(operation.num_qubits) if operation.num_qubits else None
    if gate is not None:
        made.append(gate.inverse() if operation.adjoint else gate, list(qubits[::-1]))


def _permutation(writer: _Writer, made: Any, operation: Permutation, qubits: Any, clbits: Any) -> None:
    """Whole where it moves qubits."""
    k = operation.num_qubits
    moved = operation.table[[1 << (k - 1 - q) for q in range(k)]].tolist()
    places = [k - int(m).bit_length() for m in moved]
    if sorted(places) == list(range(k)) and np.array_equal(Permutation.of_qubits(places).table, operation.table):
        made.append(writer.library.PermutationGate(np.argsort(places).tolist()), list(qubits))
    else:
        writer.inside(made, operation.definition(), qubits)


def _evolution(writer: _Writer, made: Any, operation: PauliEvolution, qubits: Any, clbits: Any) -> None:
    synthesis = vendor("qiskit.synthesis", "qiskit")
    formula = synthesis.SuzukiTrotter(operation.order, operation.steps) if operation.order > 1 else None
    formula = formula or synthesis.LieTrotter(operation.steps)
    if not operation.strings:
        return
    try:
        operator = pauli_to_qiskit(operation.hamiltonian, operation.num_qubits)
    except ObservableError as error:
        raise CircuitError(f"{WHERE}: pauli_evolution on qubits {qubits}: {error}") from None
    time = writer.angle(operation.params[0], "pauli_evolution")
    made.append(writer.library.PauliEvolutionGate(operator, time, synthesis=formula), list(qubits))


def _barrier(writer: _Writer, made: Any, operation: Barrier, qubits: Any, clbits: Any) -> None:
    made.barrier(list(qubits))


def _measure(writer: _Writer, made: Any, operation: Measure, qubits: Any, clbits: Any) -> None:
    made.measure(qubits, clbits)


def _reset(writer: _Writer, made: Any, operation: Reset, qubits: Any, clbits: Any) -> None:
    made.reset(qubits)


def _delay(writer: _Writer, made: Any, operation: Delay, qubits: Any, clbits: Any) -> None:
    made.delay(writer.angle(operation.seconds, "delay"), qubits, unit="s")


_RULES: Mapping[type, Callable[[_Writer, Any, Any, Any, Any], None]] = {
    Barrier: _barrier,
    Controlled: _controlled,
    Delay: _delay,
    Diagonal: _diagonal,
    Measure: _measure,
    PauliEvolution: _evolution,
    Permutation: _permutation,
    QFT: _qft,
    Reset: _reset,
    Unitary: _unitary,
}
