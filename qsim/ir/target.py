"""What a device can run: its qubits, its edges, and the native gates of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from qsim._checks import check_memory, known_names
from qsim._errors import SerialError, TargetError
from qsim.ir import target_shapes
from qsim.ir.json_nodes import Node, envelope, open_envelope, parse
from qsim.ir.layout import Padding
from qsim.ir.target_facts import DefinedGate, Interval, Native, QubitFacts
from qsim.ir.target_json import MAX_QUBITS, target_arguments, target_data
from qsim.ir.target_natives import ALWAYS, ARITY, SPELLINGS, clean_natives
from qsim.ir.target_qiskit import qiskit_facts

if TYPE_CHECKING:
    from qsim.ir.circuit import Circuit

__all__ = ["DefinedGate", "Interval", "Native", "QubitFacts", "Target"]


@dataclass(frozen=True, eq=False)
class Target:
    """The device that a circuit is to run on. Immutable, hashable; a simulator is `Target.ideal()`.

    A gate is native at a place (a tuple of qubits, in the gate's order) where: the qubits are
    usable; a two-qubit place is one of the directed `edges`; and the gate is in `local[place]`,
    where that is given, else in `natives`. With `natives=None` every gate is native, on up to two
    qubits where there are `edges`, on any number where there are none.

    Args:
        num_qubits: how many qubits; None means any number.
        edges: directed pairs of qubits that two-qubit gates may act on; None means all pairs.
        natives: gate name -> `Native` (what is known of it), or names alone; valid at every place.
            None means every gate. OpenQASM spellings are understood ("r" is prx).
        local: place -> the natives there, in place of `natives`: (q,) for one-qubit gates,
            (a, b) for an edge, longer tuples for larger gates.
        qubits: one `QubitFacts` per qubit (name, usable, T1, T2, readout), or () for nothing known.
        definitions: native gates that are not in the gate table.
        virtual_z: True where rz is a change of frame, free and exact.
        padding: when circuits are widened to the device by default: `Padding.NONE` for any
            number of qubits, else `Padding.BEFORE`.
        date: when the facts were taken, ISO 8601.

    Raises:
        TargetError: an edge or place that names no qubit, an unknown gate, or a fact that cannot be.

    Example:
        >>> from qsim.ir.target import Target
        >>> target = Target.line(3, natives=["rz", "sx", "cz"])
        >>> ("cz", (0, 1)) in target, ("cz", (0, 2)) in target, ("h", 0) in target
        (True, False, False)
    """

    num_qubits: int | None = None
    edges: Iterable[tuple[int, int]] | None = None
    natives: Mapping[str, Native] | Iterable[str] | None = None
    local: Mapping[tuple[int, ...], Mapping[str, Native] | Iterable[str]] = field(default_factory=dict)
    qubits: Sequence[QubitFacts] = ()
    definitions: Sequence[DefinedGate] = ()
    virtual_z: bool = False
    padding: Padding | None = None
    date: str | None = None

    def __post_init__(self) -> None:
        n, put = self.num_qubits, object.__setattr__
        if n is not None and not (isinstance(n, int) and 0 <= n <= MAX_QUBITS):
            raise TargetError(f"Argument `num_qubits` must be an int from 0 to {MAX_QUBITS}, or None, but is {n!r}.")
        if n is None and (self.edges is not None or self.local or self.qubits):
            raise TargetError("A target with edges, places or facts on qubits needs `num_qubits`.")
        put(self, "definitions", tuple(self.definitions))
        defined = [gate.name for gate in self.definitions]
        if len(set(defined)) < len(defined) or not ARITY.keys().isdisjoint(defined):
            raise TargetError(f"Argument `definitions` must name new gates, once each, but names {defined}.")
        if self.edges is not None:
            put(self, "edges", tuple(sorted({self._place(edge, 2) for edge in self.edges})))
        put(self, "natives", None if self.natives is None else clean_natives(self.natives, self._sizes, None))
        local = {self._place(p): clean_natives(table, self._sizes, tuple(p)) for p, table in self.local.items()}
        lost = next((p for p in local if len(p) == 2 and self.edges is not None and p not in self.edge_set), None)
        if lost is not None:
            raise TargetError(f"Argument `local` has natives for {lost}, which is none of the edges.")
        put(self, "local", dict(sorted(local.items())))
        put(self, "qubits", tuple(self.qubits))
        if self.qubits and len(self.qubits) != n:
            raise TargetError(f"Argument `qubits` must have {n} facts, one for each qubit, not {len(self.qubits)}.")
        names = [facts.name for facts in self.qubits if facts.name]
        if len(set(names)) < len(names):
            raise TargetError("Argument `qubits` must give each qubit another name.")
        if self.padding is None:
            put(self, "padding", Padding.NONE if n is None else Padding.BEFORE)
        if self.date is not None:
            try:
                datetime.fromisoformat(self.date)
            except (TypeError, ValueError):
                raise TargetError(f"Argument `date` must be ISO 8601 text or None, but is {self.date!r}.") from None

    # ---------------------------------------------------------------- making one

    @classmethod
    def ideal(cls, num_qubits: int | None = None) -> Target:
        """All the qubits you want (or `num_qubits`), every pair joined, every gate native."""
        return cls(num_qubits)

    @classmethod
    def from_edges(
        cls,
        num_qubits: int,
        edges: Iterable[tuple[int, int]],
        natives: Iterable[str] | Mapping[str, Native] | None = None,
        *,
        directed: bool = False,
    ) -> Target:
        """A device of `num_qubits` qubits joined by `edges`, with the same natives everywhere.

        Args:
            natives: gate names, OpenQASM spellings too; one-qubit gates are valid on every qubit,
                two-qubit gates on every edge, larger ones on any qubits; None means all gates.
            directed: False where every edge may be used both ways.
        """
        pairs = [tuple(edge) for edge in edges]
        both = pairs if directed else pairs + [tuple(reversed(edge)) for edge in pairs]
        return cls(num_qubits, both, natives)  # type: ignore[arg-type]

    @classmethod
    def line(cls, num_qubits: int, natives: Iterable[str] | None = None) -> Target:
        """Qubits in a line."""
        return cls.from_edges(num_qubits, target_shapes.line(num_qubits), natives)

    @classmethod
    def ring(cls, num_qubits: int, natives: Iterable[str] | None = None) -> Target:
        """Qubits in a ring."""
        return cls.from_edges(num_qubits, target_shapes.ring(num_qubits), natives)

    @classmethod
    def star(cls, num_qubits: int, natives: Iterable[str] | None = None) -> Target:
        """Qubit 0 joined to all others."""
        return cls.from_edges(num_qubits, target_shapes.star(num_qubits), natives)

    @classmethod
    def grid(cls, rows: int, columns: int, natives: Iterable[str] | None = None) -> Target:
        """A square lattice, numbered row by row."""
        return cls.from_edges(rows * columns, target_shapes.grid(rows, columns), natives)

    @classmethod
    def heavy_hex(cls, distance: int, natives: Iterable[str] | None = None) -> Target:
        """The heavy-hexagon lattice of an odd code distance, (5 d^2 - 2 d - 1) / 2 qubits."""
        return cls.from_edges(*target_shapes.heavy_hex(distance), natives)

    @classmethod
    def from_qiskit(cls, source: Any) -> Target:
        """From a Qiskit `Target`, or a `BackendV2` that has one; control-flow operations are left out.

        Raises:
            TargetError: an object that is neither.
        """
        return cls(**qiskit_facts(source))

    def restrict(self, qubits: Sequence[int]) -> Target:
        """The part of the device on these qubits, renumbered in that order.

        Raises:
            TargetError: a qubit that is not there, or named twice.
        """
        kept = tuple(int(q) for q in qubits)
        if self.num_qubits is None:
            return replace(self, num_qubits=len(kept))
        self._place(kept)
        new = {q: i for i, q in enumerate(kept)}
        return replace(
            self,
            num_qubits=len(kept),
            edges=None if self.edges is None else [(new[a], new[b]) for a, b in self.edges if a in new and b in new],
            local={tuple(new[q] for q in p): t for p, t in self.local.items() if all(q in new for q in p)},
            qubits=[self.qubits[q] for q in kept] if self.qubits else (),
        )

    # ---------------------------------------------------------------- what it can do

    def natives_at(self, qubits: int | Sequence[int]) -> Mapping[str, Native] | None:
        """The natives at a place, those of other arities among them; {} where it is none; None means every gate."""
        place = (qubits,) if isinstance(qubits, int) else tuple(qubits)
        if not self._is_place(place):
            return {}
        table = self.local.get(place, self.natives)
        if table is None and self.edges is not None and len(place) > 2:
            return {}
        return table  # type: ignore[return-value]

    def __contains__(self, item: tuple[Any, int | Sequence[int]]) -> bool:
        """`(gate, qubits) in target`, with a gate's name (any angles) or an operation (its angles are checked)."""
        operation, qubits = item
        return self._refusal(operation, (qubits,) if isinstance(qubits, int) else tuple(qubits)) is None

    def first_violation(self, circuit: Circuit) -> str | None:
        """Why the target cannot run the circuit: its first gate that is not native, in words; None where it can.

        Example:
            >>> from qsim import Circuit
            >>> from qsim.ir.target import Target
            >>> Target.line(3).first_violation(Circuit(3).h(0).cx(0, 2))
            'Instruction 1, cx on qubits (0, 2): these qubits are not joined by an edge of the target. Pass \
transpiler="default" to execute(...), or use gates and qubits that the target has.'
        """
        if self.num_qubits is not None and circuit.num_qubits > self.num_qubits:
            return (
                f"The circuit has {circuit.num_qubits} qubits, but the target has {self.num_qubits}. Use fewer "
                "qubits or a larger target."
            )
        if self._runs_everything:
            return None
        fine: set[tuple[str, tuple[int, ...]]] = set()
        for place, instruction in enumerate(circuit.instructions):
            operation, qubits = instruction.operation, instruction.qubits
            if (operation.name, qubits) in fine:
                continue
            reason = self._refusal(operation, qubits)
            if reason is not None:
                return (
                    f"Instruction {place}, {operation.name} on qubits {qubits}: {reason}. Pass "
                    'transpiler="default" to execute(...), or use gates and qubits that the target has.'
                )
            if not (self._limits_angles and operation.params):
                fine.add((operation.name, qubits))
        return None

    def validate(self, circuit: Circuit) -> None:
        """Refuse a circuit that the target cannot run as it is.

        Raises:
            TargetError: names the first gate that is not native, its qubits, and what to do.
        """
        violation = self.first_violation(circuit)
        if violation is not None:
            raise TargetError(violation)

    # ---------------------------------------------------------------- derived, once

    @cached_property
    def edge_set(self) -> frozenset[tuple[int, int]]:
        """The directed edges as a set; empty where all pairs are joined."""
        return frozenset(self.edges or ())

    @cached_property
    def usable_qubits(self) -> tuple[int, ...]:
        """The qubits that circuits may use."""
        if not self.qubits:
            return tuple(range(self.num_qubits or 0))
        return tuple(q for q, facts in enumerate(self.qubits) if facts.usable)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The name of each qubit; its number where the device has none for it."""
        if not self.qubits:
            return tuple(map(str, range(self.num_qubits or 0)))
        return tuple(facts.name or str(q) for q, facts in enumerate(self.qubits))

    def qubit(self, qubit: int | str) -> int:
        """The number of a qubit that is given by its number or its name.

        Raises:
            TargetError: the target has no such qubit.

        Example:
            >>> from qsim.ir.target import QubitFacts, Target
            >>> Target(2, qubits=[QubitFacts("QB1"), QubitFacts("QB2")]).qubit("QB2")
            1
        """
        if isinstance(qubit, str) and qubit in self._numbers:
            return self._numbers[qubit]
        if isinstance(qubit, int) and 0 <= qubit and (self.num_qubits is None or qubit < self.num_qubits):
            return qubit
        raise TargetError(f"The target has no qubit {qubit!r}. {known_names(str(qubit), self.names)}")

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.names)}

    @cached_property
    def neighbours(self) -> tuple[tuple[int, ...], ...]:
        """For each qubit the usable ones joined to it, in either direction, sorted."""
        usable = set(self.usable_qubits)
        near: list[set[int]] = [set() for _ in range(self.num_qubits or 0)]
        if self.edges is None:
            near = [usable - {q} if q in usable else set() for q in range(len(near))]
        for a, b in self.edges or ():
            if a in usable and b in usable:
                near[a].add(b)
                near[b].add(a)
        return tuple(tuple(sorted(group)) for group in near)

    @cached_property
    def distances(self) -> np.ndarray:
        """The number of edges between any two qubits over usable ones, int32 (n, n), either direction; -1 for no way.

        Raises:
            TargetError: a target of any number of qubits.
        """
        if self.num_qubits is None:
            raise TargetError("A target of any number of qubits has no table of distances; give it num_qubits.")
        check_memory(f"The table of distances of {self.num_qubits} qubits", 4 * self.num_qubits**2)
        return target_shapes.distances(self.neighbours, self.usable_qubits)

    @property
    def is_connected(self) -> bool:
        """True where every usable qubit can be reached from every other."""
        if self.num_qubits is None or len(self.usable_qubits) < 2:
            return True
        return bool((self.distances[self.usable_qubits[0], list(self.usable_qubits)] >= 0).all())

    # ---------------------------------------------------------------- as a value

    def to_json(self) -> str:
        """The target as JSON text, equal for equal targets."""
        return self._json

    @classmethod
    def from_json(cls, text: str) -> Target:
        """A target from the text of `to_json`.

        Raises:
            SerialError: text that is not such a one; says where.
        """
        node = parse(text, "Target.from_json")
        open_envelope(node, "target")
        return cls.from_node(node)

    @classmethod
    def from_node(cls, node: Node) -> Target:
        """A target from an opened JSON document."""
        try:
            return cls(**target_arguments(node))
        except TargetError as error:
            raise SerialError(f"{node.path}: {error}") from None

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Target) and self._json == other._json)

    def __hash__(self) -> int:
        return hash(self._json)

    def __repr__(self) -> str:
        size = "any number of" if self.num_qubits is None else self.num_qubits
        joined = "all joined" if self.edges is None else f"{len(self.edge_set)} directed edges"
        table = set(self.natives or ()).union(*self.local.values())
        natives = ", ".join(sorted(table)) if table else "every gate" if self.natives is None else "no gates"
        return f"Target({size} qubits, {joined}, {natives})"

    # ---------------------------------------------------------------- inside

    @cached_property
    def _json(self) -> str:
        return envelope("target", target_data(self))

    @cached_property
    def _sizes(self) -> dict[str, int]:
        return ARITY | {gate.name: gate.num_qubits for gate in self.definitions}

    @cached_property
    def _runs_everything(self) -> bool:
        return (
            self.edges is None
            and self.natives is None
            and not self.local
            and all(facts.usable for facts in self.qubits)
        )

    @cached_property
    def _limits_angles(self) -> bool:
        """True where some native takes certain angles alone."""
        tables: list[Any] = [self.natives or {}, *self.local.values()]
        return any(native.angles for table in tables for native in table.values())

    @cached_property
    def _usable_set(self) -> frozenset[int]:
        return frozenset(self.usable_qubits)

    def _is_place(self, place: tuple[int, ...]) -> bool:
        """True where gates may act on these qubits at all."""
        if len(set(place)) < len(place) or (self.num_qubits is not None and not self._usable_set.issuperset(place)):
            return False
        return self.edges is None or len(place) != 2 or place in self.edge_set

    def _refusal(self, operation: Any, qubits: tuple[int, ...]) -> str | None:
        """Why this gate cannot act there, in words, or None where it can."""
        name = operation if isinstance(operation, str) else operation.name
        name = SPELLINGS.get(name, name)
        if name == "barrier" or not qubits:
            return None
        if not self._is_place(qubits):
            lost = [q for q in qubits if self.num_qubits is not None and q not in self._usable_set]
            if lost:
                return f"qubit {lost[0]} is not a usable qubit of the target"
            return "these qubits are not joined by an edge of the target"
        if name in ALWAYS:
            return None
        table = self.natives_at(qubits)
        size = self._sizes.get(name, len(qubits))
        if size != len(qubits):
            return f"it acts on {size} qubits"
        if table is None:
            return None
        native = table.get(name)
        if native is None:
            if self.natives is None and qubits not in self.local:
                return f"no gate on {len(qubits)} qubits is native"
            known = [k for k in table if self._sizes.get(k, len(qubits)) == len(qubits)]
            return f"it is not native there ({', '.join(known) or 'nothing'} would be)"
        return None if isinstance(operation, str) else native.refuses(operation.params)

    def _place(self, place: Iterable[int], size: int | None = None) -> tuple[int, ...]:
        """A place as a tuple, checked."""
        qubits = tuple(int(q) for q in place)
        if (size is not None and len(qubits) != size) or len(set(qubits)) < len(qubits):
            what = "An edge" if size == 2 else "A place"
            raise TargetError(f"{what} must name {size or ''} different qubits, but is {qubits}.".replace("  ", " "))
        if self.num_qubits is None or any(not 0 <= q < self.num_qubits for q in qubits):
            what = "Edge" if len(qubits) == 2 else "Place"
            raise TargetError(f"{what} {qubits} names no qubit of the target, which has {self.num_qubits} qubits.")
        return qubits
