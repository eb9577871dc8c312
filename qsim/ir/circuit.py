"""The circuit: a list of operations on qubits, and little else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Self

import numpy as np

from qsim._checks import check_memory
from qsim._errors import CircuitError
from qsim.ir.arguments import MAX_QUBITS, broadcast, check_bits, check_qubits, count, exact_int, ints
from qsim.ir.binding import bound, checked_values, open_parameters, shapes_of, unbatched
from qsim.ir.derived import NOTHING_KNOWN, derived
from qsim.ir.full import in_full
from qsim.ir.gates.methods import GateMethods
from qsim.ir.instruction import Instruction, Register
from qsim.ir.interface import check_operation
from qsim.ir.layout import Layout
from qsim.ir.operation import Barrier, Gate, Measure, maker_of, parse_control_state, row_of
from qsim.ir.parameter import Expression, Parameter
from qsim.ir.rewrite import inverted, under_control
from qsim.ir.structure import Digest, device_values, host_numbers, longest_path

__all__ = ["MAX_QUBITS", "Circuit", "Instruction", "Register", "hooks"]

hooks = SimpleNamespace(execute=None, text=None, html=None)
"""Functions from higher layers that `qsim/__init__` fills in once: nothing else is injected."""


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

    __slots__ = ("num_qubits", "cregs", "num_clbits", "_instructions", "_layout", "_digest", "_facts")

    def __init__(
        self,
        num_qubits: int,
        instructions: Iterable[Instruction] = (),
        num_clbits: int | Mapping[str, int] = 0,
    ):
        self.num_qubits = count("num_qubits", num_qubits)
        if isinstance(instructions, (int, np.integer)):
            raise CircuitError(
                f"Argument `instructions` must be instructions, but is {instructions!r}. For classical bits, try "
                f"Circuit({num_qubits}, num_clbits={instructions})."
            )
        sizes = {"c": num_clbits} if not isinstance(num_clbits, Mapping) else num_clbits
        self.cregs: tuple[Register, ...] = ()
        self.num_clbits = 0
        for name, size in sizes.items():
            self._add_register(name, count(f"num_clbits[{name!r}]", size))
        self._instructions: list[Instruction] = []
        self._layout: Layout | None = None
        self._digest = Digest()
        self._facts = NOTHING_KNOWN
        for instruction in instructions:
            if not isinstance(instruction, Instruction):
                raise CircuitError(
                    f"Argument `instructions` must hold instructions such as gates.h(0), but holds {instruction!r}."
                )
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
    @derived
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters that are open, sorted by name; elements of a vector by index."""
        return open_parameters(self._instructions)

    @property
    def key(self) -> bytes:
        """A digest of the structure: everything but the values of numbers and arrays.

        Circuits with equal keys run through the same compiled program.
        """
        return in_full(self)._key()

    def numbers(self) -> np.ndarray:
        """All host numbers of the circuit in order, float64 (m,): gate arguments, then arrays, by instruction."""
        return in_full(self)._numbers().copy()

    def values(self) -> list[Any]:
        """The JAX values of the circuit in order of first use, each array once, as given."""
        return list(in_full(self)._values())

    def count_ops(self) -> dict[str, int]:
        """How often each operation occurs, by name, in order of first use."""
        counts: dict[str, int] = {}
        for instruction in self._instructions:
            name = instruction.operation.name
            counts[name] = counts.get(name, 0) + 1
        return counts

    def depth(self) -> int:
        """The longest path through the circuit, in operations; barriers align but do not count."""
        return longest_path(self._instructions, self.num_qubits, self.num_clbits)

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
        check_operation(operation)
        places = self._places(operation.name, qubits, operation.num_qubits)
        bits = ints(clbits, "clbits")
        check_bits(operation.name, bits, operation.num_clbits, self.num_clbits)
        self._instructions.append(Instruction(operation, places, tuple(bits)))
        return self

    def barrier(self, qubits: Iterable[int] | None = None) -> Self:
        """Append a barrier on `qubits` (default all), in place."""
        places = tuple(range(self.num_qubits)) if qubits is None else tuple(ints(qubits, "qubits"))
        return self.append(Barrier(len(places)), places)

    def measure(self, qubits: int | Iterable[int], clbits: int | Iterable[int]) -> Self:
        """Append Z-basis measurements of `qubits` into `clbits`, one by one, in place."""
        places, bits = ints(qubits, "qubits"), ints(clbits, "clbits")
        if len(places) != len(bits):
            raise CircuitError(f"measure: {len(places)} qubits cannot be measured into {len(bits)} classical bits.")
        check_qubits("measure", places, self.num_qubits)
        check_bits("measure", bits, len(bits), self.num_clbits)
        self._instructions += [Instruction(Measure(), (q,), (b,)) for q, b in zip(places, bits, strict=True)]
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
        new = self._like(list(self._instructions), self._layout)
        new._digest = self._digest.copy()
        return new

    def with_instructions(self, instructions: Iterable[Instruction]) -> Circuit:
        """A circuit of the same qubits, registers and layout that holds these instructions; for passes: not checked."""
        return self._like(list(instructions), self._layout)

    def with_layout(self, layout: Layout | None) -> Circuit:
        """The same circuit with that layout: how a transpiler says where the original qubits went.

        Args:
            layout: the places of the original circuit's qubits; None means it was never transpiled.

        Raises:
            CircuitError: a place that is no qubit of this circuit.
        """
        if layout is not None and not isinstance(layout, Layout):
            raise CircuitError(f"with_layout: argument `layout` must be a Layout, but is {layout!r}.")
        if layout is not None and max((*layout.initial, *layout.final), default=-1) >= self.num_qubits:
            raise CircuitError(f"with_layout: {layout} names a qubit beyond the circuit's {self.num_qubits}.")
        new = self.copy()
        new._layout = layout
        return new

    def extend(self, other: Circuit, qubits: Sequence[int] | None = None) -> Circuit:
        """A new circuit: this one, which stays as it is, then `other` with its qubit i on `qubits[i]` (default i).

        Raises:
            CircuitError: `other` is larger, or `qubits` does not name its qubits once each.
        """
        if not isinstance(other, Circuit):
            raise CircuitError(f"Argument `other` must be a Circuit, but is {type(other).__name__}.")
        if self._layout is not None or other._layout is not None:
            raise CircuitError("extend: a transpiled circuit keeps its layout; extend it before transpiling.")
        places = self._places("extend", range(other.num_qubits) if qubits is None else qubits, other.num_qubits)
        new = self.copy()
        mine = {r.name: r for r in self.cregs}
        bits: list[int] = []
        for register in other.cregs:
            known = mine.get(register.name)
            if known is not None and known.size < register.size:
                raise CircuitError(f"extend: classical register {register.name!r} is smaller here than in `other`.")
            start = new.num_clbits if known is None else known.start
            if known is None:
                new._add_register(register.name, register.size)
            bits += range(start, start + register.size)
        new._instructions += [
            Instruction(i.operation, tuple([places[q] for q in i.qubits]), tuple([bits[b] for b in i.clbits]))
            for i in other._instructions
        ]
        return new

    def __add__(self, other: Circuit) -> Circuit:
        return self.extend(other) if isinstance(other, Circuit) else NotImplemented

    def inverse(self) -> Circuit:
        """The circuit that undoes this one.

        Raises:
            CircuitError: an operation has no inverse (a measurement, say).
        """
        layout = self._layout and Layout(self._layout.final, self._layout.initial)
        return self._like(inverted(self._instructions), layout)

    def controlled(self, num_controls: int = 1, control_state: int | str | None = None) -> Circuit:
        """This circuit under `num_controls` controls, which come first; acts where they read `control_state`.

        Raises:
            CircuitError: a number of controls or a control state that cannot be, measurements in the circuit, or a
                circuit that was transpiled.
        """
        if self._layout is not None:
            raise CircuitError("controlled: a transpiled circuit keeps its layout; control it before transpiling.")
        number = count("num_controls", num_controls)
        parse_control_state(number, control_state)
        new = Circuit(self.num_qubits + number)
        new._instructions += under_control(self._instructions, number, control_state)
        return new

    def power(self, exponent: int) -> Circuit:
        """This circuit `exponent` times; its inverse, for a negative exponent.

        Raises:
            CircuitError: `exponent` is not an int.
        """
        times = exact_int("power", "exponent", exponent)
        return self.repeat(times) if times >= 0 else self.inverse().repeat(-times)

    def repeat(self, times: int) -> Circuit:
        """This circuit `times` times over, 0 or more.

        Raises:
            CircuitError: `times` is not an int, or negative, or the circuit was transpiled.
        """
        if exact_int("repeat", "times", times) < 0:
            raise CircuitError(f"repeat: argument `times` must be 0 or more, but is {times}.")
        check_memory(f"A circuit of {times} times {len(self)} operations", 8 * times * len(self))
        if self._layout is not None and times != 1:
            raise CircuitError("repeat: a transpiled circuit keeps its layout; repeat it before transpiling.")
        return self._like(self._instructions * times, self._layout)

    def bind(self, params: Mapping[Any, Any]) -> Circuit:
        """This circuit with values for some or all of its parameters.

        Args:
            params: name, `Parameter` or `ParameterVector` -> value: a number for a scalar,
                an array of the declared shape for a vector; JAX values are welcome.

        Raises:
            ParameterError: an unknown name, a wrong shape, or NaN.
        """
        values = unbatched(self._shapes(), checked_values(self._shapes(), params))
        return self._like(bound(self._instructions, values), self._layout)

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """name -> declared shape of every open parameter and whole vector, sorted by name."""
        return dict(self._shapes())

    def check_values(self, params: Mapping[Any, Any]) -> dict[str, Any]:
        """`params` keyed by name, as arrays whose last axes have the declared shapes.

        Raises:
            ParameterError: an unknown name, a wrong shape, or NaN in host numbers.
        """
        return checked_values(self.parameter_shapes(), params)

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

    @derived
    def _key(self) -> bytes:
        sizes = f"{self.num_qubits}|{self.cregs}|{self.num_clbits}|{self._layout}"
        return self._digest.finish(self._instructions, sizes)

    @derived
    def _numbers(self) -> np.ndarray:
        return host_numbers(self._instructions)

    @derived
    def _values(self) -> list[Any]:
        return device_values(self._instructions)

    @derived
    def _shapes(self) -> dict[str, tuple[int, ...]]:
        return shapes_of(self.parameters)

    def __getstate__(self) -> tuple[Any, ...]:
        return self.num_qubits, self.cregs, self.num_clbits, list(self._instructions), self._layout

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.num_qubits, self.cregs, self.num_clbits, self._instructions, self._layout = state
        self._digest, self._facts = Digest(), NOTHING_KNOWN

    def _like(self, instructions: list[Instruction], layout: Layout | None) -> Circuit:
        """A circuit of the same sizes."""
        new = Circuit(self.num_qubits)
        new.cregs, new.num_clbits = self.cregs, self.num_clbits
        new._instructions, new._layout = instructions, layout
        return new

    def _add_register(self, name: str, size: int) -> None:
        if not isinstance(name, str):
            raise CircuitError(f"Argument `num_clbits` must have names of registers as keys, but has {name!r}.")
        if size:
            self.cregs = (*self.cregs, Register(name, self.num_clbits, size))
            self.num_clbits += size

    def _places(self, name: str, qubits: Any, size: int) -> tuple[int, ...]:
        """The qubits of one instruction as ints, checked."""
        places = tuple(ints(qubits, "qubits"))
        if len(places) != size:
            raise CircuitError(f"{name} acts on {size} qubits, but was given {len(places)}: {places}.")
        check_qubits(name, places, self.num_qubits)
        return places

    def _gate(self, name: str, params: tuple[Any, ...], qubits: tuple[Any, ...]) -> Self:
        """Append the table's gate `name`, broadcasting; called by the generated gate methods."""
        row = row_of(name)
        n = self.num_qubits
        for p in params:
            if type(p) is not Parameter and type(p) is not Expression and (type(p) is not float or p - p != 0.0):
                break
        else:  # the fast way: finite floats, open parameters, plain ints in range
            if len(qubits) == 1:
                (q,) = qubits
                fits = type(q) is int and -1 < q < n
            elif len(qubits) == 2:
                q, r = qubits
                fits = type(q) is type(r) is int and -1 < q < n and -1 < r < n and q != r
            else:
                fits = False
            if fits:
                self._instructions.append(Instruction(Gate(row, params), qubits))
                return self
        new = []
        for values, places in broadcast(name, params, qubits):
            check_qubits(name, places, n)
            new.append(Instruction(Gate(row, values), places))
        self._instructions += new
        return self

    def _operation(self, name: str, arguments: tuple[Any, ...]) -> Self:
        """Append the high-level operation `name`; called by the generated methods."""
        return self.append(*maker_of(name)(*arguments))
