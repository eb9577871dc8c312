"""Where the qubits of the original circuit are, and the two padding functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING

from qsim._checks import check_qubits
from qsim._errors import CircuitError, TargetError
from qsim.ir.arguments import ints
from qsim.ir.instruction import Instruction
from qsim.ir.records import Barrier

if TYPE_CHECKING:
    from qsim.ir.circuit import Circuit


class Padding(Enum):
    """When a circuit is widened to all the qubits of a device.

    BEFORE transpiling, so that the transpiler chooses among all qubits; AFTER it, so that it
    works on the chosen qubits' part of the device alone; or NONE.

    Example:
        >>> from qsim import Circuit, Padding, execute
        >>> execute(Circuit(1), padding=Padding.NONE).shape
        (2,)
    """

    BEFORE = "before"
    AFTER = "after"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Layout:
    """The physical place of each qubit of the original circuit before and after what runs.

    Args:
        initial: `initial[i]` is the place of qubit i at the start.
        final: `final[i]` is its place at the end.

    Raises:
        CircuitError: a place named twice, a negative one, or two lengths.

    Example:
        >>> from qsim.ir.layout import Layout
        >>> Layout((2, 0), (0, 2)).then(Layout((3, 4, 5), (3, 5, 4)))
        Layout(initial=(5, 3), final=(3, 4))
    """

    initial: tuple[int, ...]
    final: tuple[int, ...]

    def __post_init__(self) -> None:
        for name, places in (("initial", self.initial), ("final", self.final)):
            places = tuple(ints(places, name))
            object.__setattr__(self, name, places)
            if len(set(places)) < len(places) or min(places, default=0) < 0:
                raise CircuitError(f"Layout: argument `{name}` must name different places from 0 on, but is {places}.")
        if len(self.initial) != len(self.final):
            raise CircuitError(
                f"Layout: `initial` and `final` must be of one length, but have {len(self.initial)} and "
                f"{len(self.final)} places."
            )

    @classmethod
    @lru_cache(maxsize=16)
    def trivial(cls, num_qubits: int) -> Layout:
        """The layout of a circuit that was never transpiled."""
        places = tuple(range(num_qubits))
        return cls(places, places)

    @property
    def num_qubits(self) -> int:
        """The number of qubits of the original circuit."""
        return len(self.initial)

    def then(self, other: Layout) -> Layout:
        """This layout followed by that of a second transpilation, whose original circuit was the first one's result.

        Raises:
            CircuitError: the second layout does not speak of all places of the first.
        """
        if max((*self.initial, *self.final), default=-1) >= other.num_qubits:
            raise CircuitError(
                f"Layout.then: the second layout speaks of {other.num_qubits} qubits, but the first uses place "
                f"{max(*self.initial, *self.final)}."
            )
        return Layout(tuple(other.initial[p] for p in self.initial), tuple(other.final[p] for p in self.final))


def check_places(qubits: Sequence[int], num_qubits: int, size: int | None) -> tuple[int, ...]:
    """The argument `qubits` of a run: one device qubit for each of a circuit's, on a device of `size` qubits.

    Raises:
        TargetError: other qubits than the device has, one twice, or too few or too many.
    """
    places = check_qubits("qubits", qubits, num_qubits if size is None else size, TargetError)
    if len(places) != num_qubits:
        raise TargetError(
            f"Argument `qubits` must name one device qubit for each of the circuit's {num_qubits} qubits, but "
            f"names {len(places)}."
        )
    return places


def pad(circuit: Circuit, num_qubits: int, qubits: Sequence[int] | None = None) -> Circuit:
    """`circuit` on a device of `num_qubits` qubits, its qubit i on `qubits[i]`; the layout remembers it.

    Args:
        circuit: any circuit, transpiled or not.
        num_qubits: the number of qubits of the result.
        qubits: where each qubit of the circuit goes (default 0, 1, ...).

    Raises:
        CircuitError: `qubits` does not name as many different qubits of the device.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.ir.layout import pad
        >>> pad(Circuit(2).h(0).cx(0, 1), 5, [3, 1]).layout
        Layout(initial=(3, 1), final=(3, 1))
    """
    places = tuple(range(circuit.num_qubits)) if qubits is None else tuple(int(q) for q in qubits)
    if len(places) != circuit.num_qubits or len(set(places)) < len(places):
        raise CircuitError(
            f"pad: argument `qubits` must name {circuit.num_qubits} different qubits, one for each qubit of the "
            f"circuit, but is {places}."
        )
    if any(not 0 <= place < num_qubits for place in places):
        raise CircuitError(f"pad: the device has {num_qubits} qubits, which cannot hold qubits {places}.")
    if circuit.num_qubits == num_qubits and places == tuple(range(num_qubits)):
        return circuit
    layout = circuit.layout.then(Layout(places, places))
    return _moved(circuit, num_qubits, dict(enumerate(places)), layout)


def active_qubits(circuit: Circuit) -> tuple[int, ...]:
    """The qubits that an operation (barriers aside) acts on, or that hold a qubit of the original circuit; sorted."""
    acted = {q for i in circuit.instructions if not isinstance(i.operation, Barrier) for q in i.qubits}
    return tuple(sorted(acted.union(circuit.layout.initial, circuit.layout.final)))


def restrict(circuit: Circuit) -> Circuit:
    """`circuit` without its idle physical qubits: only `active_qubits(circuit)` stay, renumbered in order.

    A circuit without idle qubits, as every one that was never transpiled or padded, is returned as it is.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.ir.layout import pad, restrict
        >>> restrict(pad(Circuit(2).h(0).cx(0, 1), 5, [3, 1])).layout
        Layout(initial=(1, 0), final=(1, 0))
    """
    kept = active_qubits(circuit)
    if len(kept) == circuit.num_qubits:
        return circuit
    places = {qubit: i for i, qubit in enumerate(kept)}
    layout = circuit.layout
    new = Layout(tuple(places[p] for p in layout.initial), tuple(places[p] for p in layout.final))
    return _moved(circuit, len(kept), places, new)


def _moved(circuit: Circuit, num_qubits: int, places: dict[int, int], layout: Layout) -> Circuit:
    """The same operations with qubit q on `places[q]`; barriers shrink to the qubits that stay."""
    new = type(circuit)(num_qubits, num_clbits={r.name: r.size for r in circuit.cregs})
    moved = []
    for i in circuit.instructions:
        operation = i.operation
        if isinstance(operation, Barrier):
            kept = tuple([places[q] for q in i.qubits if q in places])
            if kept:
                moved.append(Instruction(Barrier(len(kept)), kept))
        else:
            moved.append(Instruction(operation, tuple([places[q] for q in i.qubits]), i.clbits))
    return new.with_instructions(moved).with_layout(layout)
