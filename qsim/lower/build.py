"""From a circuit to a plan: classify, find repeats, fuse, lay out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from qsim.ir.circuit import Circuit, Instruction
from qsim.ir.controlled import split_controls
from qsim.ir.expand import expand, is_whole
from qsim.ir.operation import Barrier, Measure, is_replaceable, key_of
from qsim.ir.ops import PauliEvolution
from qsim.lower import calibration, cost
from qsim.lower.calibration import Costs
from qsim.lower.dense import dense_segment, swept_segment
from qsim.lower.fuse import fuse
from qsim.lower.parts import in_parts
from qsim.lower.plan import Dense, Flips, Plan, Repeat, Segment, Sweeps, Wide
from qsim.lower.reads import in_order_of_reads
from qsim.lower.records import Piece, Records, array_slots
from qsim.lower.repeats import Repeats
from qsim.lower.sources import Sources, find_sources

DENSE, FLIP, WIDE = "dense", "flip", "wide"
MAX_WIDE_MATRIX = 10


def classify(operation: Any, k: int) -> str | None:
    """How an operation is run in blocks of k qubits; None where it must be expanded first."""
    if not is_whole(operation):
        return None
    if isinstance(operation, PauliEvolution):
        return DENSE if k >= 2 and operation.max_weight <= 2 else FLIP
    if operation.num_qubits <= k and hasattr(operation, "matrix"):
        return DENSE
    if is_pairing(operation):
        return FLIP
    can_be_undone = hasattr(operation, "inverse") or hasattr(operation, "matrix")
    if hasattr(operation, "apply") and (can_be_undone or not hasattr(operation, "definition")):
        return WIDE
    if hasattr(operation, "matrix") and operation.num_qubits <= MAX_WIDE_MATRIX:
        return WIDE
    return None


def is_pairing(operation: Any) -> bool:
    """Whether an operation only pairs amplitudes j and j ^ x: Pauli evolutions, one-qubit gates, controls or not."""
    base, _, _ = split_controls(operation)
    return isinstance(base, PauliEvolution) or (base.num_qubits == 1 and hasattr(base, "matrix"))


class _NotSweptError(Exception):
    """Operations cannot be run in sweeps."""


@dataclass(slots=True, eq=False)
class _Builder:
    """The state of one lowering: the operations, how each is run, and where they repeat.

    With `swept`, all that is dense is run in sweeps, or `_NotSweptError` is raised.
    """

    records: Records
    classes: list[str]
    repeats: Repeats
    costs: Costs
    swept: bool = False

    def segments(self, start: int, stop: int) -> list[Segment]:
        """The segments of the operations start .. stop, repeats first."""
        found: list[Segment] = []
        flat = start
        for span in self.repeats.within(start, stop) if stop - start > cost.SMALL_CIRCUIT else []:
            begin, end = span.start, span.stop
            if span.count == 1:
                continue
            body = self.segments(begin, begin + span.period)
            if len(body) == 1 and _is_one_block(body[0]):
                continue
            found += self.flat(flat, begin)
            records, r = self.records, self.records.range(begin, end)
            found.append(Repeat(records.num_qubits, records.k, r, span.count, tuple(body), records.open(r)))
            flat = end
        return found + self.flat(flat, stop)

    def flat(self, start: int, stop: int) -> list[Segment]:
        """The segments of a run of operations without repeats."""
        found: list[Segment] = []
        classes = self.merged(start, stop)
        first = start
        while start < stop:
            kind = classes[start - first]
            end = start + 1
            while kind != WIDE and end < stop and classes[end - first] == kind:
                end += 1
            make = {DENSE: self.dense, FLIP: self.flips, WIDE: self.wide}[kind]
            found.append(make(start, end))
            start = end
        return found

    def merged(self, start: int, stop: int) -> list[str]:
        """How each operation of a run is emitted: where dense ones and pairings alternate, as pairings if they can."""
        classes = self.classes[start:stop]
        changes = sum(a != b for a, b in pairwise(classes))
        if changes <= cost.MAX_CHANGES:
            return classes
        operations = (self.records.instructions[i].operation for i in range(start, stop))
        return [FLIP if c == DENSE and is_pairing(o) else c for c, o in zip(classes, operations, strict=True)]

    def pieces(self, start: int, stop: int, controlled: bool = False) -> list[Piece]:
        """Operations as pieces: evolutions (controlled ones on demand) as their rotations, the others whole."""
        found: list[Piece] = []
        for place in range(start, stop):
            i = self.records.instructions[place]
            evolution = split_controls(i.operation)[0] if controlled else i.operation
            if isinstance(evolution, PauliEvolution):
                controls = i.qubits[: i.operation.num_qubits - evolution.num_qubits]
                inside = i.qubits[len(controls) :]
                for number, (support, _) in enumerate(evolution.local_rotations()):
                    found.append(Piece(place, number, controls + tuple(inside[q] for q in support)))
            else:
                found.append(Piece(place, qubits=i.qubits))
        return found

    def dense(self, start: int, stop: int) -> Segment:
        pieces, r = self.pieces(start, stop), self.records.range(start, stop)
        if self.swept:
            sweeps = swept_segment(self.records, pieces, r)
            if sweeps is None:
                raise _NotSweptError
            return sweeps
        made = dense_segment(self.records, pieces, r, self.costs)
        return in_parts(made) if isinstance(made, Dense) else made

    def flips(self, start: int, stop: int) -> Segment:
        records, r = self.records, self.records.range(start, stop)
        pieces = self.pieces(start, stop, controlled=True)
        rotating = [p for p in pieces if p.number >= 0]
        groups: dict[Any, list[Piece]] = {}
        for p in pieces:
            if p.number < 0:
                groups.setdefault(key_of(split_controls(records.operation(p))[0]), []).append(p)
        place = {p: at for at, p in enumerate([*rotating, *(p for g in groups.values() for p in g)])}
        found = [self.masks(p) for p in pieces]
        masks = np.array([m for m, _ in found], np.uint32).reshape(-1, 4)
        phase = {p: power for p, (_, power) in zip(pieces, found, strict=True)}
        made = Flips(
            num_qubits=records.num_qubits,
            k=records.k,
            range=r,
            kinds=tuple(records.kind(g, r, base=True) for g in groups.values()),
            rotations=records.rotations(rotating, r),
            phase=np.array([phase[p] for p in rotating], np.complex64),
            order=np.array([place[p] for p in pieces], np.int32),
            masks=masks,
            controlled=bool(masks[:, 2].any()),
            differentiable=records.open(r),
        )
        return in_parts(made)

    def masks(self, piece: Piece) -> tuple[tuple[int, int, int, int], complex]:
        """Masks x, z, control, value of a step, and the phase of a rotation: -i times that of its Pauli string."""
        i = self.records.instructions[piece.place]
        bits = [1 << (self.records.num_qubits - 1 - q) for q in i.qubits]
        base, controls, state = split_controls(i.operation)
        control = sum(bits[:controls])
        value = sum(bits[c] for c in range(controls) if state >> (controls - 1 - c) & 1)
        bits = bits[controls:]
        if piece.number < 0:
            return (bits[0], bits[0], control, value), 1
        xs, zs, _, _ = base.rotations()
        xs, zs = xs[piece.number], zs[piece.number]
        x = sum(b for b, on in zip(bits, xs, strict=True) if on)
        z = sum(b for b, on in zip(bits, zs, strict=True) if on)
        return (x, z, control, value), -1j * (-1j) ** int((xs & zs).sum())

    def wide(self, start: int, stop: int) -> Wide:
        records, r = self.records, self.records.range(start, stop)
        i = records.instructions[start]
        params, arrays = len(i.operation.params), getattr(i.operation, "arrays", ())
        if not is_replaceable(i.operation):
            params, arrays = 0, ()
        arrays = array_slots(arrays, np.zeros(1, np.int64))
        return Wide(records.num_qubits, records.k, r, i.operation, i.qubits, arrays, params, records.open(r))


def expanded(circuit: Circuit, k: int) -> Circuit:
    """The circuit with every operation that cannot be run as it is replaced by its definition.

    Raises:
        CircuitError: an operation has neither a usable matrix nor a definition.
    """
    return expand(circuit, _keep(circuit, k))


def is_expanded(circuit: Circuit, k: int) -> bool:
    """Whether `expanded` would leave the circuit as it is."""
    return all(map(_keep(circuit, k), (i.operation for i in circuit.instructions)))


def _keep(circuit: Circuit, k: int) -> Callable[[Any], bool]:
    k = min(k, circuit.num_qubits)
    return lambda op: isinstance(op, (Barrier, Measure)) or classify(op, k) is not None


def build_batched_plan(circuit: Circuit, varying: Collection[str], costs: Costs | None = None) -> Plan | None:
    """The plan of a circuit that is run as one batch, where all that differs from run to run is phases; else None."""
    plan = build_plan(circuit, varying=varying, costs=costs, columns=max(1, cost.CHUNK >> circuit.num_qubits))
    return plan if _is_swept(plan.segments) else None


def _is_swept(segments: Sequence[Segment]) -> bool:
    """Whether everything is run in sweeps."""
    return all(isinstance(s, Sweeps) or (isinstance(s, Repeat) and _is_swept(s.body)) for s in segments)


def build_plan(
    circuit: Circuit,
    k: int | None = None,
    varying: Collection[str] = (),
    costs: Costs | None = None,
    columns: int = 1,
) -> Plan:
    """Lower the unitary part of a circuit that is `expanded`; barriers and measurements are left out.

    Args:
        circuit: any circuit.
        k: the most qubits of a block; fewer where the circuit has fewer. None takes `cost.BLOCK_QUBITS`, or
            fewer where all can be run in sweeps and the cost model says that this is cheaper.
        varying: names of the parameters that differ from run to run of a batch.
        costs: what decides between ways to run it; None takes those of this machine.
        columns: on how many states the same matrices are run at a time, for the choice of k.
    """
    lowering = _lowering(circuit, varying, calibration.costs() if costs is None else costs)
    plan = lowering.plan(cost.BLOCK_QUBITS if k is None else k)
    return plan if k is not None else lowering.narrowed(plan, columns)


@dataclass(frozen=True, slots=True, eq=False)
class _Lowering:
    """A circuit that is lowered, whatever the width of blocks.

    Attributes:
        num_qubits: of the circuit.
        kept: what is run.
        sources: where its numbers come from.
        repeats: where they repeat.
        operations, which: the different operations, and which of them each one is.
        varying: whether there is a batch that differs in some parameters.
        costs: what decides between ways to run it.
    """

    num_qubits: int
    kept: Sequence[Instruction]
    sources: Sources
    repeats: Repeats
    operations: Sequence[Any]
    which: Sequence[int]
    varying: bool
    costs: Costs

    def classes(self, k: int) -> list[str | None]:
        """How the different operations are run in blocks of at most k qubits."""
        return [classify(operation, min(k, self.num_qubits)) for operation in self.operations]

    def plan(self, k: int, *, swept: bool = False) -> Plan:
        """The plan with blocks of at most k qubits; with `swept` all that is dense in sweeps, else `_NotSweptError`."""
        n, kept, k = self.num_qubits, self.kept, min(k, self.num_qubits)
        distinct = [c for c in self.classes(k) if c is not None]
        assert len(distinct) == len(self.operations)
        classes = [distinct[at] for at in self.which]
        builder = _Builder(Records(n, k, kept, self.sources), classes, self.repeats, self.costs, swept)
        small = all(c == DENSE for c in distinct) and len(kept) <= cost.SHORT_CIRCUIT
        if small and len(fuse([i.qubits for i in kept], k)) <= cost.UNROLL_BLOCKS:
            segments = builder.flat(0, len(kept))
            passes = sum(s.num_passes if isinstance(s, Sweeps) else cost.UNROLL_BLOCKS + 1 for s in segments)
            if self.varying and passes > cost.UNROLL_BLOCKS:
                segments = builder.segments(0, len(kept))
        else:
            segments = builder.segments(0, len(kept))
        ordered, reads = in_order_of_reads(segments, batch=self.varying)
        return Plan(n, k, ordered, self.sources, reads, _mode(segments), len(kept))

    def swept(self, k: int) -> Plan | None:
        """The plan of sweeps over windows of k qubits, where all operations can be run so."""
        if set(self.classes(k)) != {DENSE}:
            return None
        try:
            return self.plan(k, swept=True)
        except _NotSweptError:
            return None

    def narrowed(self, plan: Plan, columns: int) -> Plan:
        """A plan, or sweeps over narrower windows where the cost model says that they are cheaper.

        A tape is not asked for them, but for one in a loop: sweeps are traced step by step.
        """
        if plan.num_qubits <= plan.k or not plan.segments:
            return plan
        wide = plan if _is_swept(plan.segments) else self.swept(plan.k) if plan.mode == "rolled" else None
        if wide is None:
            return plan
        foreseen = {k: cost.swept_seconds(wide, self.costs, columns, k) for k in cost.NARROWER if k < plan.k}
        best, least = plan, cost.forward_seconds(plan, self.costs, columns)
        for k in sorted(foreseen, key=lambda k: foreseen[k]):
            other = self.swept(k) if foreseen[k] < least else None
            seconds = float("inf") if other is None else cost.forward_seconds(other, self.costs, columns)
            if other is not None and seconds < least:
                best, least = other, seconds
        return best


def _lowering(circuit: Circuit, varying: Collection[str], costs: Costs) -> _Lowering:
    kept = [i for i in circuit.instructions if not isinstance(i.operation, (Barrier, Measure))]
    sources = find_sources(circuit, kept, varying)
    ids: dict[Any, int] = {}
    known: dict[Any, int] = {}
    tokens = np.zeros(len(kept), np.int64)
    operations: list[Any] = []
    which: list[int] = []
    for at, (i, nature) in enumerate(zip(kept, sources.natures(), strict=True)):
        key = key_of(i.operation)
        # a part and its repetitions are differentiated alike: one with constants is no repetition of one without
        tokens[at] = ids.setdefault((key, i.qubits, nature), len(ids))
        if key not in known:
            known[key] = len(operations)
            operations.append(i.operation)
        which.append(known[key])
    repeats = Repeats(tokens, cost.MIN_REPEATS)
    return _Lowering(circuit.num_qubits, kept, sources, repeats, operations, which, bool(varying), costs)


def _is_one_block(segment: Segment) -> bool:
    """Whether a segment is one block on some of the qubits and nothing else: not worth a loop of its own."""
    if isinstance(segment, Sweeps) and (segment.phases or segment.signs.any() or segment.num_qubits <= segment.k):
        return False
    return isinstance(segment, (Dense, Sweeps)) and segment.num_blocks == 1


def _mode(segments: Sequence[Segment]) -> str:
    if any(isinstance(s, Repeat) and not s.parts for s in segments):
        return "rolled"
    scanned = (isinstance(s, (Flips, Repeat)) or (isinstance(s, Dense) and not s.unrolled) for s in segments)
    return "tape" if any(scanned) else "unrolled"
