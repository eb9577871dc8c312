"""The circuit: a list of operations on qubits, and little else."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from types import SimpleNamespace
from typing import Any, Self

import numpy as np

from qsim._errors import CircuitError, ParameterError
from qsim.ir.arguments import MAX_QUBITS, clean_param, count, ints, spread_param
from qsim.ir.gates.methods import GateMethods
from qsim.ir.instruction import Instruction, Register
from qsim.ir.layout import Layout
from qsim.ir.operation import (
    Barrier,
    Controlled,
    Gate,
    Measure,
    is_constant,
    key_of,
    row_of,
)
from qsim.ir.parameter import (
    ArrayElement,
    Parameter,
    ParameterVector,
    is_number,
    is_symbolic,
    parameters_of,
)

hooks = SimpleNamespace(execute=None, text=None, html=None)
"""Functions from higher layers that `qsim/__init__` fills in once: nothing else is injected."""


@dataclass(slots=True)
class _Digest:
    """The structural digest, brought up to date for the first `done` instructions."""

    done: int = 0
    state: Any = field(default_factory=lambda: blake2b(digest_size=16))
    slots: dict[int, int] = field(default_factory=dict)

    def slot(self, value: Any) -> int:
        """The number of a JAX value: equal numbers, one value."""
        return self.slots.setdefault(id(value), len(self.slots))

    def kind(self, param: Any) -> Any:
        """What is structure about a gate argument."""
        if isinstance(param, float):
            return "f"
        if isinstance(param, Parameter):
            return param._key, None if param.vector is None else param.vector.shape
        if is_symbolic(param):
            return param.code, [self.kind(p) for p in param.params]
        if isinstance(param, ArrayElement):
            return self.slot(param.array), param.array.shape, param.index
        return self.slot(param)

    def shape(self, array: Any) -> Any:
        """What is structure about an array of an operation."""
        if isinstance(array, np.ndarray):
            return array.dtype.kind, array.shape
        return self.slot(array), array.dtype.kind, array.shape


class Circuit(GateMethods):
    """A quantum circuit on `num_qubits` qubits, all in |0> at the start.

    Gate methods (`c.h(0)`, `c.rx(theta, 0)`, `c.cx(0, 1)`; parameters first, then
    qubits), `append`, `measure`, `measure_all` and `barrier` append in place and return
    the circuit; they broadcast over sequences of qubits and arrays of parameters.
    Every other method returns a new circuit. Qubit 0 is the most significant: the
    amplitude of |q0 q1 ... q(n-1)> is at index sum_i q_i 2^(n-1-i).

    Args:
        num_qubits: how many qubits, 0 or more.
        instructions: instructions to start with, such as `[gates.h(0), gates.cx(0, 1)]`.
        num_clbits: how many classical bits (a register named "c"), or a mapping of
            register names to sizes.

    Raises:
        CircuitError: a number of qubits or bits that cannot be, an instruction that does not fit.

    Example:
        >>> from qsim import Circuit
        >>> Circuit(2).h(0).cx(0, 1).count_ops()
        {'h': 1, 'cx': 1}
    """

    __slots__ = ("num_qubits", "cregs", "num_clbits", "_instructions", "_layout", "_digest")

    def __init__(
        self,
        num_qubits: int,
        instructions: Iterable[Instruction] = (),
        num_clbits: int | Mapping[str, int] = 0,
    ):
        self.num_qubits = count("num_qubits", num_qubits)
        sizes = {"c": num_clbits} if not isinstance(num_clbits, Mapping) else num_clbits
        self.cregs: tuple[Register, ...] = ()
        self.num_clbits = 0
        for name, size in sizes.items():
            self._add_register(name, count(f"num_clbits[{name!r}]", size))
        self._instructions: list[Instruction] = []
        self._layout: Layout | None = None
        self._digest = _Digest()
        for instruction in instructions:
            self.append(instruction.operation, instruction.qubits, instruction.clbits)

    # ---------------------------------------------------------------- what it holds

    @property
    def instructions(self) -> Sequence[Instruction]:
        """The instructions in order; read only."""
        return tuple(self._instructions)

    @property
    def layout(self) -> Layout:
        """Where each qubit of the original circuit is, before and after."""
        return self._layout if self._layout is not None else Layout.trivial(self.num_qubits)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters that are open, sorted by name; elements of a vector by index."""
        found = {p for i in self._instructions for a in i.operation.params for p in parameters_of(a)}
        return tuple(sorted(found, key=lambda p: p._key))

    @property
    def key(self) -> bytes:
        """A digest of the structure: everything but the values of numbers and arrays.

        Circuits with equal keys run through the same compiled program.
        """
        digest = self._digest
        update = digest.state.update
        for instruction in self._instructions[digest.done :]:
            operation = instruction.operation
            params = operation.params
            kinds = [digest.kind(p) for p in params] if params else ""
            shapes = [digest.shape(a) for a in _arrays(operation)]
            row = operation.row.name if type(operation) is Gate else key_of(operation)
            update(f"{row}|{kinds}|{shapes}|{instruction.qubits}|{instruction.clbits};".encode())
        digest.done = len(self._instructions)
        end = digest.state.copy()
        end.update(f"{self.num_qubits}|{self.cregs}|{self._layout}".encode())
        return end.digest()

    def numbers(self) -> np.ndarray:
        """All host numbers of the circuit in order, float64 (m,): gate arguments, then arrays, by instruction."""
        found: list[float] = []
        for instruction in self._instructions:
            operation = instruction.operation
            for param in operation.params:
                if is_constant(param):
                    found.append(param)
                elif is_symbolic(param) and not isinstance(param, Parameter):
                    found.extend(param.numbers)
            for array in _arrays(operation):
                if isinstance(array, np.ndarray):
                    flat = np.asarray(array).reshape(-1)
                    if np.iscomplexobj(flat):
                        flat = np.stack([flat.real, flat.imag], axis=-1).reshape(-1)
                    found.extend(flat.tolist())
        return np.asarray(found, dtype=np.float64)

    def values(self) -> list[Any]:
        """The JAX values of the circuit in order of first use, each array once, as given."""
        seen: dict[int, Any] = {}
        for instruction in self._instructions:
            operation = instruction.operation
            for param in operation.params:
                if isinstance(param, ArrayElement):
                    seen.setdefault(id(param.array), param.array)
                elif not is_constant(param) and not is_symbolic(param):
                    seen.setdefault(id(param), param)
            for array in _arrays(operation):
                if not isinstance(array, np.ndarray):
                    seen.setdefault(id(array), array)
        return list(seen.values())

    def count_ops(self) -> dict[str, int]:
        """How often each operation occurs, by name, in order of first use."""
        counts: dict[str, int] = {}
        for instruction in self._instructions:
            name = instruction.operation.name
            counts[name] = counts.get(name, 0) + 1
        return counts

    def depth(self) -> int:
        """The longest path through the circuit, in operations; barriers align but do not count."""
        qubit, clbit = [0] * self.num_qubits, [0] * self.num_clbits
        for instruction in self._instructions:
            levels = [qubit[q] for q in instruction.qubits] + [clbit[b] for b in instruction.clbits]
            level = max(levels, default=0) + (not isinstance(instruction.operation, Barrier))
            for q in instruction.qubits:
                qubit[q] = level
            for b in instruction.clbits:
                clbit[b] = level
        return max(qubit + clbit, default=0)

    def __len__(self) -> int:
        return len(self._instructions)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Circuit) and (
            (self.num_qubits, self.cregs, self.layout) == (other.num_qubits, other.cregs, other.layout)
            and self._instructions == other._instructions
        )

    __hash__ = None  # type: ignore[assignment]

    # ---------------------------------------------------------------- append in place

    def append(self, operation: Any, qubits: int | Sequence[int], clbits: int | Sequence[int] = ()) -> Self:
        """Append any operation on `qubits` (and `clbits`), in place.

        Raises:
            CircuitError: a qubit out of range or repeated, or a wrong number of them.
        """
        if isinstance(operation, Instruction):
            raise CircuitError("Argument `operation` must be an operation; pass instruction.operation and its qubits.")
        for attribute in ("name", "num_qubits", "num_clbits", "num_params", "params"):
            if not hasattr(operation, attribute):
                raise CircuitError(
                    f"Argument `operation` must have name, num_qubits, num_clbits, num_params and params, but "
                    f"{operation!r} has no `{attribute}`."
                )
        places = self._places(operation.name, qubits, operation.num_qubits)
        bits = ints(clbits, "clbits")
        if len(bits) != operation.num_clbits or any(not 0 <= b < self.num_clbits for b in bits):
            raise CircuitError(
                f"{operation.name}: argument `clbits` must be {operation.num_clbits} of the circuit's "
                f"{self.num_clbits} classical bits, but is {tuple(bits)}."
            )
        self._instructions.append(Instruction(operation, places, tuple(bits)))
        return self

    def barrier(self, qubits: Iterable[int] | None = None) -> Self:
        """Append a barrier on `qubits` (default all), in place."""
        places = tuple(range(self.num_qubits)) if qubits is None else tuple(ints(qubits, "qubits"))
        return self.append(Barrier(len(places)), places)

    def measure(self, qubits: int | Iterable[int], clbits: int | Iterable[int]) -> Self:
        """Append Z-basis measurements of `qubits` into `clbits`, one by one, in place."""
        q, b = ints(qubits, "qubits"), ints(clbits, "clbits")
        if len(q) != len(b):
            raise CircuitError(f"measure: {len(q)} qubits cannot be measured into {len(b)} classical bits.")
        for qubit, bit in zip(q, b, strict=True):
            self.append(Measure(), (qubit,), (bit,))
        return self

    def measure_all(self) -> Self:
        """Append a measurement of every qubit into a new register `meas`, in place."""
        taken = {r.name for r in self.cregs}
        name = next(n for n in ("meas", *(f"meas{i}" for i in range(len(taken)))) if n not in taken)
        start = self.num_clbits
        self._add_register(name, self.num_qubits)
        return self.measure(range(self.num_qubits), range(start, self.num_clbits))

    # ---------------------------------------------------------------- new circuits

    def copy(self) -> Circuit:
        """The same circuit again, to be appended to on its own."""
        new = self._like()
        new._instructions = list(self._instructions)
        new._layout = self._layout
        return new

    def with_layout(self, layout: Layout | None) -> Circuit:
        """The same circuit with that layout: how a transpiler says where the original qubits went.

        Args:
            layout: the places of the original circuit's qubits; None means it was never transpiled.

        Raises:
            CircuitError: a place that is no qubit of this circuit.
        """
        if layout is not None and max((*layout.initial, *layout.final), default=-1) >= self.num_qubits:
            raise CircuitError(f"with_layout: {layout} names a qubit beyond the circuit's {self.num_qubits}.")
        new = self.copy()
        new._layout = layout
        return new

    def extend(self, other: Circuit, qubits: Sequence[int] | None = None) -> Circuit:
        """This circuit, then `other` with its qubit i on `qubits[i]` (default i).

        Raises:
            CircuitError: `other` is larger, or `qubits` does not name its qubits once each.
        """
        if not isinstance(other, Circuit):
            raise CircuitError(f"Argument `other` must be a Circuit, but is {type(other).__name__}.")
        if self._layout is not None or other._layout is not None:
            raise CircuitError("extend: a transpiled circuit keeps its layout; extend it before transpiling.")
        places = self._places("extend", range(other.num_qubits) if qubits is None else qubits, other.num_qubits)
        new = self.copy()
        for register in other.cregs:
            if register.name not in {r.name for r in new.cregs}:
                new._add_register(register.name, register.size)
        starts = {r.name: r for r in new.cregs}
        bits: list[int] = []
        for register in other.cregs:
            if starts[register.name].size < register.size:
                raise CircuitError(f"extend: classical register {register.name!r} is smaller here than in `other`.")
            bits += range(starts[register.name].start, starts[register.name].start + register.size)
        for i in other._instructions:
            new._instructions.append(
                Instruction(i.operation, tuple(places[q] for q in i.qubits), tuple(bits[b] for b in i.clbits))
            )
        return new

    def __add__(self, other: Circuit) -> Circuit:
        return self.extend(other)

    def inverse(self) -> Circuit:
        """The circuit that undoes this one.

        Raises:
            CircuitError: an operation has no inverse (a measurement, say).
        """
        new = self._like()
        for i in reversed(self._instructions):
            if not hasattr(i.operation, "inverse"):
                raise CircuitError(f"{i.operation.name} on qubits {i.qubits} has no inverse, so the circuit has none.")
            new._instructions.append(Instruction(i.operation.inverse(), i.qubits, i.clbits))
        return new

    def controlled(self, num_controls: int = 1, control_state: int | str | None = None) -> Circuit:
        """This circuit under `num_controls` controls, which come first; acts where they read `control_state`."""
        if any(i.clbits for i in self._instructions):
            raise CircuitError("controlled: a circuit with measurements cannot be put under control.")
        new = Circuit(self.num_qubits + num_controls)
        controls = tuple(range(num_controls))
        for i in self._instructions:
            moved = tuple(q + num_controls for q in i.qubits)
            if isinstance(i.operation, Barrier):
                new._instructions.append(Instruction(i.operation, moved))
            else:
                new.append(Controlled(i.operation, num_controls, control_state), controls + moved)
        return new

    def power(self, exponent: int) -> Circuit:
        """This circuit `exponent` times; its inverse, for a negative exponent."""
        try:
            count = operator.index(exponent)
        except TypeError:
            raise CircuitError(
                f"power: `exponent` of a circuit must be an int, but is {exponent!r}. For roots, use "
                "unitary(matrix) or power(operation, exponent)."
            ) from None
        return self.repeat(count) if count >= 0 else self.inverse().repeat(-count)

    def repeat(self, count: int) -> Circuit:
        """This circuit `count` times over."""
        if operator.index(count) < 0:
            raise CircuitError(f"repeat: `count` must be 0 or more, but is {count}.")
        new = self.copy()
        new._instructions = self._instructions * count
        new._digest = _Digest()
        return new

    def bind(self, params: Mapping[Any, Any]) -> Circuit:
        """This circuit with values for some or all of its parameters.

        Args:
            params: name, `Parameter` or `ParameterVector` -> value: a number for a scalar,
                an array of the declared shape for a vector; JAX values are welcome.

        Raises:
            ParameterError: an unknown name, a wrong shape, or NaN.
        """
        values = self.check_values(params)
        for name, value in values.items():
            if value.shape != self.parameter_shapes()[name]:
                raise ParameterError(
                    f"Parameter `{name}` has shape {self.parameter_shapes()[name]}, but the value to bind has shape "
                    f"{value.shape}. Batches go to execute(..., params=...)."
                )
        new = self._like()
        new._layout = self._layout
        for i in self._instructions:
            op = i.operation
            if any(is_symbolic(p) for p in op.params):
                bound = [clean_param(p.bind(values), op.name) if is_symbolic(p) else p for p in op.params]
                op = op.replace(bound, _arrays(op))
            new._instructions.append(Instruction(op, i.qubits, i.clbits))
        return new

    # ---------------------------------------------------------------- parameters by name

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """name -> declared shape of every open parameter and whole vector, sorted by name."""
        return {
            (p.vector.name if p.vector is not None else p.name): (p.vector.shape if p.vector is not None else ())
            for p in self.parameters
        }

    def check_values(self, params: Mapping[Any, Any]) -> dict[str, Any]:
        """`params` keyed by name, as arrays whose last axes have the declared shapes.

        Raises:
            ParameterError: an unknown name, a wrong shape, or NaN in host numbers.
        """
        shapes = self.parameter_shapes()
        values: dict[str, Any] = {}
        for key, value in params.items():
            name = key.name if isinstance(key, (Parameter, ParameterVector)) else key
            if name not in shapes:
                known = ", ".join(shapes) or "none"
                raise ParameterError(f"Unknown parameter `{name}`; the circuit's parameters are: {known}.")
            if isinstance(value, (list, tuple)) or is_number(value):
                value = np.asarray(value)
            shape = getattr(value, "shape", None)
            if shape is None or (isinstance(value, np.ndarray) and value.dtype.kind not in "iuf"):
                raise ParameterError(
                    f"The value of parameter `{name}` must be real numbers, but is {type(value).__name__}."
                )
            if isinstance(value, (np.ndarray, np.generic)) and np.isnan(value).any():
                raise ParameterError(f"The value of parameter `{name}` holds NaN.")
            declared = shapes[name]
            if tuple(shape[len(shape) - len(declared) :]) != declared:
                raise ParameterError(
                    f"Parameter `{name}` has shape {declared}; its value must have that shape, or batch axes before "
                    f"it, but has shape {tuple(shape)}."
                )
            values[name] = value
        return values

    # ---------------------------------------------------------------- running and showing

    def execute(self, *args: Any, **kwargs: Any) -> Any:
        """`qsim.execute` of this circuit with the global defaults filled in."""
        return hooks.execute(self, *args, **kwargs)

    __call__ = execute

    def __repr__(self) -> str:
        if hooks.text is not None:
            return hooks.text(self)
        return f"Circuit({self.num_qubits} qubits, {len(self)} operations)"

    def _repr_html_(self) -> str | None:
        return None if hooks.html is None else hooks.html(self)

    # ---------------------------------------------------------------- inside

    def _like(self) -> Circuit:
        new = Circuit(self.num_qubits)
        new.cregs, new.num_clbits = self.cregs, self.num_clbits
        return new

    def _add_register(self, name: str, size: int) -> None:
        if size:
            self.cregs = (*self.cregs, Register(name, self.num_clbits, size))
            self.num_clbits += size

    def _places(self, name: str, qubits: Any, count: int) -> tuple[int, ...]:
        """The qubits of one instruction as ints, checked."""
        places = tuple(ints(qubits, "qubits"))
        if len(places) != count:
            raise CircuitError(f"{name} acts on {count} qubits, but was given {len(places)}: {places}.")
        self._check(name, places)
        return places

    def _check(self, name: str, places: tuple[int, ...]) -> None:
        for q in places:
            if not 0 <= q < self.num_qubits:
                raise CircuitError(
                    f"{name}: qubit {q} is out of range; the circuit has {self.num_qubits} qubits, numbered "
                    f"0 to {self.num_qubits - 1}."
                )
        if len(set(places)) != len(places):
            raise CircuitError(f"{name}: the qubits must be different, but are {places}.")

    def _gate(self, name: str, params: tuple[Any, ...], qubits: tuple[Any, ...]) -> Self:
        """Append the table's gate `name`, broadcasting; called by the generated gate methods."""
        row = row_of(name)
        n = self.num_qubits
        if all(type(q) is int for q in qubits) and all(type(p) is float for p in params):
            if (len(qubits) == 1 and -1 < qubits[0] < n) or (
                len(qubits) == 2 and -1 < qubits[0] < n and -1 < qubits[1] < n and qubits[0] != qubits[1]
            ):
                for p in params:
                    if p - p != 0.0:
                        clean_param(p, name)
                self._instructions.append(Instruction(Gate(row, params), qubits))
                return self
        columns = [[q] if isinstance(q, (int, np.integer)) else ints(q, "qubits") for q in qubits]
        single = all(isinstance(q, (int, np.integer)) for q in qubits)
        arrays = [spread_param(p, name) for p in params]
        sizes = {len(c) for c, q in zip(columns, qubits, strict=True) if not isinstance(q, (int, np.integer))}
        sizes |= {len(a) for a in arrays if isinstance(a, list)}
        sizes -= {1}
        if len(sizes) > 1:
            raise CircuitError(
                f"{name}: qubits and parameters must have one length or be single, but have lengths "
                f"{sorted(sizes)}."
            )
        if single and any(isinstance(a, list) and len(a) != 1 for a in arrays):
            lengths = [len(a) for a in arrays if isinstance(a, list)]
            raise CircuitError(
                f"{name}: {max(lengths)} parameter values were given for one qubit place. Give as many qubits, "
                f"or index the array."
            )
        size = sizes.pop() if sizes else 1
        columns = [c * size if len(c) == 1 else c for c in columns]
        spread = [(a * size if len(a) == 1 else a) if isinstance(a, list) else [a] * size for a in arrays]
        new = []
        for k in range(size):
            places = tuple(int(c[k]) for c in columns)
            self._check(name, places)
            new.append(Instruction(Gate(row, tuple(a[k] for a in spread)), places))
        self._instructions += new
        return self


def _arrays(operation: Any) -> tuple[Any, ...]:
    return getattr(operation, "arrays", ())
