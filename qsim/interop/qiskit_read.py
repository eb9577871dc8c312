"""Qiskit's circuits as ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from qsim._errors import BackendError, CircuitError, ObservableError, ParameterError
from qsim.interop.base import MAX_DEPTH, MAX_SIZE, no_counterpart, permuted, place, to_power, vendor
from qsim.interop.qiskit_gates import IN_OUR_WORDS, ours, standard
from qsim.interop.qiskit_paulis import pauli_from_qiskit
from qsim.interop.symbols import from_sympy, named
from qsim.ir.circuit import Circuit
from qsim.ir.operation import Reset
from qsim.ir.ops import QFT, Diagonal, PauliEvolution, PrepareState, Unitary
from qsim.ir.ops.delay import Delay
from qsim.ir.parameter import Parameter

WHERE = "from_qiskit"
SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "ps": 1e-12}
NO_FEEDBACK = "Operations that depend on measured bits cannot be run: write the circuit without them."


def from_qiskit(circuit: Any, *, dt: float | None = None) -> Circuit:
    """A Qiskit circuit as one of ours: the same unitary, global phase included.

    Qubit i is qubit i, and classical bit i classical bit i; the indices of matrices and state vectors read the other
    way round, since Qiskit's qubit 0 is the least significant. Classical registers keep their names, parameters
    too where ours can have them; `qiskit_parameters` has both. Standard gates become gates of the table; unitary,
    diagonal, permutation, Pauli evolution and QFT gates stay whole; controls of any state stay controls;
    what else has a definition becomes that. A reset of a qubit that nothing was done to is left out, and
    `initialize` becomes `prepare_state`.

    Args:
        circuit: a `qiskit.QuantumCircuit`.
        dt: seconds of one step of Qiskit's dt, for delays that are given in those.

    Raises:
        CircuitError: an operation that has no counterpart here (it is named), or classical registers that share bits.
        ParameterError: an angle that cannot be an expression here.
        BackendError: Qiskit is not installed.

    Example:
        >>> from qiskit import QuantumCircuit
        >>> from qsim.interop import from_qiskit
        >>> bell = QuantumCircuit(2)
        >>> _ = bell.h(0), bell.cx(0, 1)
        >>> from_qiskit(bell).count_ops()
        {'h': 1, 'cx': 1}
    """
    qiskit = vendor("qiskit", "qiskit")
    if not isinstance(circuit, qiskit.QuantumCircuit):
        raise CircuitError(
            f"{WHERE}: argument `circuit` must be a qiskit.QuantumCircuit, but is {type(circuit).__name__}."
        )
    made = Circuit(circuit.num_qubits, num_clbits=_registers(circuit))
    reader = _Reader(made, dict(zip(circuit.parameters, qiskit_parameters(circuit), strict=True)), dt)
    reader.read(circuit, range(circuit.num_qubits), range(circuit.num_clbits), 0)
    return made


def qiskit_parameters(circuit: Any) -> tuple[Parameter, ...]:
    """The parameters of `from_qiskit(circuit)`, in the order of Qiskit's `circuit.parameters`.

    Elements of Qiskit's vectors are elements of a vector here, which is bound as a whole: see `qiskit_values`.

    Args:
        circuit: a `qiskit.QuantumCircuit`.

    Example:
        >>> from qiskit import QuantumCircuit
        >>> from qiskit.circuit import Parameter, ParameterVector
        >>> from qsim.interop import qiskit_parameters
        >>> circuit = QuantumCircuit(1)
        >>> _ = circuit.rx(Parameter("the angle"), 0), circuit.ry(ParameterVector("v", 3)[1], 0)
        >>> qiskit_parameters(circuit)
        (Parameter('the_angle'), Parameter('v[1]'))
    """
    found = []
    for p in circuit.parameters:
        vector = getattr(p, "vector", None)
        found.append((p.name, None if vector is None else (vector.name, len(vector), p.index)))
    return tuple(named(found))


def qiskit_values(circuit: Any, values: Any) -> dict[str, Any]:
    """Values in the order of Qiskit's `circuit.parameters` as `params` for `execute(from_qiskit(circuit), ...)`.

    Args:
        circuit: a `qiskit.QuantumCircuit` with P parameters.
        values: (..., P), NumPy or JAX; the axes before the last are batch axes.

    Returns:
        name -> (...) for scalars, (..., size) for vectors; elements that the circuit does not mention are 0.

    Raises:
        ParameterError: the last axis is not P long, or what are no numbers.

    Example:
        >>> import numpy as np
        >>> from qiskit import QuantumCircuit
        >>> from qiskit.circuit import Parameter, ParameterVector
        >>> from qsim.interop import qiskit_values
        >>> circuit = QuantumCircuit(1)
        >>> _ = circuit.rx(Parameter("a"), 0), circuit.ry(ParameterVector("v", 3)[1], 0)
        >>> {name: value.tolist() for name, value in qiskit_values(circuit, np.array([0.1, 0.2])).items()}
        {'a': 0.1, 'v': [0.0, 0.2, 0.0]}
    """
    parameters = qiskit_parameters(circuit)
    try:
        values = values if hasattr(values, "__array_namespace__") else np.asarray(values, float)
    except (TypeError, ValueError):
        raise ParameterError(
            f"Argument `values` must be an array of numbers, but is {type(values).__name__} {str(values)[:40]!r}."
        ) from None
    if not values.shape or values.shape[-1] != len(parameters):
        raise ParameterError(
            f"Argument `values` must have shape (..., {len(parameters)}), one for each of Qiskit's circuit.parameters, "
            f"but has shape {tuple(values.shape)}."
        )
    xp = values.__array_namespace__()
    found: dict[str, Any] = {}
    parts: dict[str, list[Any]] = {}
    for column, p in enumerate(parameters):
        if p.vector is None:
            found[p.name] = values[..., column]
        else:
            rest = parts.setdefault(p.vector.name, [xp.zeros_like(values[..., 0])] * p.vector.size)
            rest[p.index] = values[..., column]
    return found | {name: xp.stack(columns, axis=-1) for name, columns in parts.items()}


def _registers(circuit: Any) -> dict[str, int]:
    """Names and sizes of the classical registers, in the order of the bits; bits without one get one of their own."""
    owner: list[str | None] = [None] * circuit.num_clbits
    for register in circuit.cregs:
        places = [circuit.find_bit(bit).index for bit in register]
        if any(owner[b] is not None for b in places) or any(b != places[0] + k for k, b in enumerate(places)):
            raise CircuitError(
                f"{WHERE}: classical register {register.name!r} shares bits with another one, or is not in one piece. "
                "Give each classical bit one register."
            )
        for b in places:
            owner[b] = register.name
    taken = {register.name for register in circuit.cregs}
    sizes: dict[str, int] = {}
    loose = ""
    for b, name in enumerate(owner):
        if name is None and (b == 0 or owner[b - 1] is not None):
            loose = next(n for n in ("c", *(f"c{k}" for k in range(len(taken) + 1))) if n not in taken)
            taken.add(loose)
        sizes[name or loose] = sizes.get(name or loose, 0) + 1
    return sizes


class _Reader:
    """A circuit that is being read into one of ours, or a gate into a small one of its own."""

    def __init__(self, made: Circuit, parameters: Mapping[Any, Any], dt: float | None):
        self.made, self.parameters, self.dt = made, parameters, dt
        self.standard, self.ours = standard(), ours()
        self.symbolic = vendor("qiskit.circuit", "qiskit").ParameterExpression
        self.touched: set[int] = set()
        self.memo: dict[Any, Any] = {}
        self.seen = 0

    def read(self, given: Any, qubits: Sequence[int], clbits: Sequence[int], depth: int) -> None:
        """Append a circuit of Qiskit's, its qubit i on `qubits[i]`."""
        self.seen += len(given.data)
        if self.seen > MAX_SIZE or depth > MAX_DEPTH:
            raise CircuitError(
                f"{WHERE}: the circuit has definitions deeper than {MAX_DEPTH}, or more than {MAX_SIZE} operations."
            )
        places = {bit: qubits[i] for i, bit in enumerate(given.qubits)}
        bits = {bit: clbits[i] for i, bit in enumerate(given.clbits)}
        for instruction in given.data:
            operation = instruction.operation
            self.append(
                operation, [places[q] for q in instruction.qubits], [bits[b] for b in instruction.clbits], depth
            )
        phase = self.angle(given.global_phase)
        if type(phase) is not float or phase != 0:
            self.made.gphase(phase)

    def append(self, operation: Any, places: list[int], bits: list[int], depth: int) -> None:
        """Append one operation of Qiskit's."""
        name = operation.name
        if getattr(operation, "base_class", None) is self.standard.get(name, self):
            if name in self.ours:
                self.touched.update(places)
                params = [self.angle(p) for p in operation.params]
                if name == "u" and len(params) == 4:  # the base of a cu under further controls
                    self.made.gphase(params.pop())
                getattr(self.made, self.ours[name])(*params, *places)
                return
            if name in IN_OUR_WORDS:
                self.touched.update(places)
                steps = Circuit(len(places))
                place(self.made, IN_OUR_WORDS[name](steps, *[self.angle(p) for p in operation.params]), places)
                return
        for kind in type(operation).__mro__:
            rule = _RULES.get(kind.__name__) if (kind.__module__ or "").startswith("qiskit.") else None
            if rule is not None and rule(self, operation, places, bits, depth):
                if rule not in (_barrier, _reset):
                    self.touched.update(places)
                return
        definition = getattr(operation, "definition", None)
        if definition is not None:
            self.read(definition, places, bits, depth + 1)
        elif hasattr(operation, "to_circuit"):
            self.read(operation.to_circuit(), places, bits, depth + 1)
        elif hasattr(operation, "__array__") and not bits:
            self.made.unitary(np.asarray(operation.__array__()), places[::-1])
            self.touched.update(places)
        else:
            raise no_counterpart(
                WHERE, repr(name), places, "qsim", "It has no definition. Give it one, or decompose the circuit."
            )

    def local(self, operation: Any, depth: int) -> Circuit:
        """One operation as a small circuit on its own qubits."""
        inner = _Reader(Circuit(operation.num_qubits), self.parameters, self.dt)
        inner.memo, inner.seen = self.memo, self.seen
        inner.append(operation, list(range(operation.num_qubits)), [], depth + 1)
        self.seen = inner.seen
        return inner.made

    def angle(self, value: Any) -> Any:
        """An angle of Qiskit's as one of ours."""
        if type(value) is float:
            return value
        if not isinstance(value, self.symbolic):
            return value.real if isinstance(value, complex) and not value.imag else value
        if value not in self.memo:
            self.memo[value] = self._expression(value)
        return self.memo[value]

    def _expression(self, value: Any) -> Any:
        open_ones = sorted(value.parameters, key=lambda p: p.name)
        if not open_ones:
            return float(value.numeric())
        unknown = [p.name for p in open_ones if p not in self.parameters]
        if unknown:
            raise ParameterError(f"{WHERE}: {unknown[0]} in a definition is no parameter of the circuit.")
        if value == open_ones[0]:
            return self.parameters[open_ones[0]]
        found = self._affine(value, open_ones)
        if found is not None:
            return found
        try:
            tree = value.sympify()
        except ImportError:
            raise BackendError(
                f"{WHERE}: the angle {value} is read with SymPy, which is not installed. Try pip install sympy."
            ) from None
        return from_sympy(tree, {p.name: self.parameters[p] for p in open_ones}, WHERE)

    def _affine(self, value: Any, open_ones: Sequence[Any]) -> Any:
        """A sum of multiples of parameters and a number, the usual expression; None for any other."""
        try:
            slopes = [value.gradient(p) for p in open_ones]
        except RuntimeError:  # a function without a derivative
            return None
        if not all(isinstance(slope, (int, float)) for slope in slopes):
            return None
        rest = value.bind(dict.fromkeys(open_ones, 0.0)).numeric()
        found: Any = rest or None
        for slope, p in zip(slopes, open_ones, strict=True):
            ours = self.parameters[p]
            term = ours if slope == 1 else -ours if slope == -1 else float(slope) * ours
            found = term if found is None else found + term
        return found


def _measure(reader: _Reader, operation: Any, places: list[int], bits: list[int], depth: int) -> bool:
    reader.made.measure(places, bits)
    return True


def _reset(reader: _Reader, operation: Any, places: list[int], bits: list[int], depth: int) -> bool:
    if places[0] in reader.touched:
        reader.made.append(Reset(), places)
        reader.touched.discard(places[0])
    return True


def _barrier(reader: _Reader, operation: Any, places: list[int], bits: list[int], depth: int) -> bool:
    reader.made.barrier(places)
    return True


def _delay(reader: _Reader, operation: Any, places: list[int], bits: list[int], depth: int) -> bool:
    step = reader.dt if operation.unit == "dt" else SECONDS.get(operation.unit)
    if step is None:
        raise no_counterpart(
            WHERE,
            f"a delay of {operation.duration} {operation.unit}",
            places,
            "qsim, whose delays are in seconds",
            "Try from_qiskit(circuit, dt=...).",
        )
    duration = reader.angle(operation.duration)
    reader.made.append(Delay(duration * step), places)
    return True


def _unitary(reader: _Reader, operation: Any, places: list[int], bits: list[int], depth: int) -> bool:
    reader.made.append(Unitary(np.asarray(operation.params[0])), places[::-1])
    return True


def _diagonal(reader: _Reader, operation: Any, places: list[int], bits: list[int], depth: int) -> bool:
    reader.made.append(Diagonal(np.asarray(operation.params, complex)), places[::-1])
    return True


def _permutation(reader: _Reader, operation: Any, places: list[int], bits: list[int], depth: int) -> bool:
    permuted(reader.made, np.argsort(operation.pattern).tolist(), places)
    return True


def _qft(reader: _Reader, operation: Any, places: list[int], bits: list[int], depth: int) -> bool:
    reader.made.append(QFT(len(places)), places[::-1])
    return True


def _evolution(reader: _Reader, operation: Any, places: list[int], bits: list[int], depth: int) -> bool:
    """Product formulas stay whole; other ways to evolve become their definition."""
    formula, operator = operation.synthesis, operation.operator
    plain = type(formula).__name__ in ("LieTrotter", "SuzukiTrotter") and not isinstance(operator, list)
    if not plain or not formula.preserve_order or formula.insert_barriers or formula.atomic_evolution is not None:
        return False
    try:
        hamiltonian = pauli_from_qiskit(operator)
        made = PauliEvolution(
            hamiltonian, reader.angle(operation.time), formula.order, formula.reps, operation.num_qubits
        )
    except (CircuitError, ObservableError):
        return False
    reader.made.append(made, places)
    return True


def _initialize(reader: _Reader, operation: Any, places: list[int], bits: list[int], depth: int) -> bool:
    amplitudes = np.asarray(operation.params) if len(operation.params) == 1 << len(places) else np.array("")
    if amplitudes.dtype.kind not in "ifc":
        return False  # a label or an int: its definition says it
    for q in places:
        _reset(reader, operation, [q], bits, depth)
    reader.made.append(PrepareState(amplitudes.astype(complex)), places[::-1])
    return True


def _cu(reader: _Reader, operation: Any, places: list[int], bits: list[int], depth: int) -> bool:
    reader.made.x(places[0]).cu(*[reader.angle(p) for p in operation.params], *places).x(places[0])
    return True


def _controlled(reader: _Reader, operation: Any, places: list[int], bits: list[int], depth: int) -> bool:
    count = operation.num_ctrl_qubits
    if count + operation.base_gate.num_qubits != operation.num_qubits:
        return False  # a gate on several targets
    place(reader.made, reader.local(operation.base_gate, depth).controlled(count, _state(operation, count)), places)
    return True


def _annotated(reader: _Reader, operation: Any, places: list[int], bits: list[int], depth: int) -> bool:
    steps = reader.local(operation.base_op, depth)
    for modifier in operation.modifiers:
        kind = type(modifier).__name__
        if kind == "InverseModifier":
            steps = steps.inverse()
        elif kind == "ControlModifier":
            steps = steps.controlled(modifier.num_ctrl_qubits, _state(modifier, modifier.num_ctrl_qubits))
        elif kind == "PowerModifier":
            steps = to_power(steps, float(modifier.power), WHERE)
        else:
            raise no_counterpart(WHERE, kind, places, "qsim", "Write the circuit without it.")
    place(reader.made, steps, places)
    return True


def _state(thing: Any, count: int) -> str:
    """Qiskit's control state, its first control least significant, as bits with the first control first."""
    state = thing.ctrl_state
    return f"{(1 << count) - 1 if state is None else state:0{count}b}"[::-1]


def _feedback(reader: _Reader, operation: Any, places: list[int], bits: list[int], depth: int) -> bool:
    raise no_counterpart(WHERE, repr(operation.name), places, "qsim", NO_FEEDBACK)


_RULES: Mapping[str, Callable[[_Reader, Any, list[int], list[int], int], bool]] = {
    "AnnotatedOperation": _annotated,
    "Barrier": _barrier,
    "CUGate": _cu,
    "ControlFlowOp": _feedback,
    "ControlledGate": _controlled,
    "Delay": _delay,
    "DiagonalGate": _diagonal,
    "Initialize": _initialize,
    "Measure": _measure,
    "PauliEvolutionGate": _evolution,
    "PermutationGate": _permutation,
    "QFTGate": _qft,
    "Reset": _reset,
    "Store": _feedback,
    "UnitaryGate": _unitary,
}
"""Qiskit's classes with a rule: f(reader, operation, qubits, bits, depth) -> False where it does not apply."""
