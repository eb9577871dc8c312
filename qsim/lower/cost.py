"""The cost model: what decides how a circuit is emitted, and what `explain` predicts.

What a step costs is in `qsim.lower.calibration`; the limits here were chosen by the
measurements in `benchmarks/NOTES.md`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from qsim.lower import calibration
from qsim.lower.calibration import Costs
from qsim.lower.plan import Dense, Flips, Plan, Repeat, Segment, Sweeps, Wide

MAX_CHANGES = 8
"""Where blocks and pairings alternate more often, one-qubit and controlled gates are run as pairings too."""

FORWARD_STATES, GRADIENT_STATES, PAIRED_STATES = 4.0, 5.0, 7.0
"""Memory in states: of a forward run, of value and gradient, and of the latter with gates that are run as pairings."""
FORWARD_MATRICES, GRADIENT_MATRICES = 1, 3
"""How often the matrices of a segment are in memory."""
FORWARD_BYTES, GRADIENT_BYTES = 16 << 10, 48 << 10
"""Memory of whatever is run."""

NEAR_QUBITS, FAR_QUBITS = 16, 20
"""Up to so many qubits a step costs what it costs in the caches, and from so many on `Costs.far` times that."""

CHUNK, DEVICE_CHUNK = 1 << 15, 1 / 64
"""Amplitudes that a batch is run with at a time: what stays in a core's second cache with what is made of it; on
other devices so much of their memory."""
KEPT = 0.25
"""Where the final states of a batch take more of the memory, the gradient runs them again instead of keeping them."""

PART_STATES, PART_BYTES, SMALL_BYTES = 0.25, 1 << 18, 1 << 24
"""A tape goes in parts where what makes its matrices is more than so many states and so many bytes; the last, beside
states below `PARTS_QUBITS`, where every kernel counts."""
PARTS_QUBITS = 16
BLOCK_COPIES, GATE_BYTES, ROTATION_BYTES = 4, 200, 20
"""What makes a step of a tape, in single precision: so many matrices of a block, and bytes of pairings."""

BLOCK_QUBITS = 4
"""The most qubits of a block: rows of 32 floats."""
NARROWER = (3, 2)
"""Qubits of the blocks of sweeps, where they are cheaper."""
UNROLL_BLOCKS = 6
"""Up to this many blocks are traced one by one; more become a scan."""
MAX_UNROLLED = 40
"""The most steps of sweeps that are traced one by one."""
SHORT_CIRCUIT = 400
"""Up to this many operations, fusing everything is tried before repeats are looked for."""
SMALL_CIRCUIT = 12
"""Up to this many operations, no repeats are looked for."""
CONSTANT_ENTRIES = 256
"""Tables of so few numbers in all are constants of the program: an argument costs half a microsecond a call."""
KNOWN_ENTRIES = 1 << 12
"""As many numbers that follow from a circuit alone are part of its program, which then does not make them."""
MIN_REPEATS = 3
"""A part that comes fewer times is not rolled."""

COMPILE_BASE, COMPILE_SEGMENT, COMPILE_BLOCK = 0.35, 0.2, 0.04
"""Seconds to trace and compile: of any program, of each segment, of each unrolled step."""
TAPE_STEPS = 6
"""The step of a tape of blocks, in unrolled steps."""
COMPILE_GRADIENT = 2.2
"""The same with the gradient, in programs without."""


def part_steps(segment: Dense | Flips) -> int:
    """How many steps of a tape are run with matrices that are in memory together."""
    if isinstance(segment, Dense):
        step = BLOCK_COPIES * 4 * (2 << segment.k) ** 2
    else:
        step = GATE_BYTES if segment.kinds else ROTATION_BYTES
    least = PART_BYTES if segment.num_qubits >= PARTS_QUBITS else SMALL_BYTES
    return int(max(PART_STATES * (8 << segment.num_qubits), least)) // step


@dataclass(slots=True)
class Counts:
    """How often a plan does what `Costs` has a price for.

    Attributes:
        amplitudes: name of a price per amplitude -> how often in one forward run.
        steps: over the whole state, in one forward run.
        blocks: those of them that have matrices to be made, in matrices of 4 qubits.
        emitted: steps that are traced.
        segments: parts of the program.
        matrices: bytes of the block matrices that are in memory at a time, in single precision.
        paired: whether there are gates that are run as pairings.
    """

    amplitudes: dict[str, float] = field(default_factory=dict)
    steps: int = 0
    blocks: float = 0.0
    emitted: int = 0
    segments: int = 0
    matrices: int = 0
    paired: bool = False

    def add(self, name: str, times: float) -> None:
        self.amplitudes[name] = self.amplitudes.get(name, 0) + times


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a plan will cost in complex64.

    Attributes:
        segments: one line per segment, for people.
        blocks: steps over the whole state in one forward run.
        seconds, gradient_seconds: one warm run, without and with the gradient.
        compile_seconds, gradient_compile_seconds: trace and compile, without and with the gradient.
        memory, gradient_memory: bytes while it runs.
    """

    segments: tuple[str, ...]
    blocks: int
    seconds: float
    gradient_seconds: float
    compile_seconds: float
    gradient_compile_seconds: float
    memory: float
    gradient_memory: float


def predict(plan: Plan, columns: int = 1, together: int | None = None, costs: Costs | None = None) -> Prediction:
    """What running `plan` will cost.

    Args:
        plan: the plan.
        columns: on how many states.
        together: on how many of them at a time; None for all.
        costs: by which prices; None takes those of this machine.
    """
    lines, counts = count(plan)
    costs = calibration.costs() if costs is None else costs
    busy = busy_seconds(counts, costs, plan.num_qubits, columns)
    call, state = costs.call * 1e-6, 8 * (columns if together is None else together) << plan.num_qubits
    compiled = COMPILE_BASE + COMPILE_SEGMENT * counts.segments + COMPILE_BLOCK * counts.emitted
    after = 0 if together in (None, columns) else 16 * columns << plan.num_qubits  # of every run, for its gradient
    kept = PAIRED_STATES if counts.paired else GRADIENT_STATES
    return Prediction(
        segments=tuple(lines),
        blocks=counts.steps,
        seconds=call + busy,
        gradient_seconds=call + (1 + costs.backward) * busy,
        compile_seconds=compiled,
        gradient_compile_seconds=COMPILE_GRADIENT * compiled,
        memory=FORWARD_STATES * state + FORWARD_MATRICES * counts.matrices + FORWARD_BYTES,
        gradient_memory=kept * state + after + GRADIENT_MATRICES * counts.matrices + GRADIENT_BYTES,
    )


def forward_seconds(plan: Plan, costs: Costs, columns: int) -> float:
    """One forward run on so many states with the same matrices, without what every run takes."""
    return busy_seconds(count(plan)[1], costs, plan.num_qubits, columns)


def swept_seconds(plan: Plan, costs: Costs, columns: int, k: int) -> float:
    """`forward_seconds` of a plan of sweeps, if its windows had k qubits, fewer than they have.

    As many passes are then made over more windows; what more passes, signs and phases would take is not seen.
    """
    counts, n = count(plan)[1], plan.num_qubits
    was = counts.amplitudes.pop(calibration.product_name(plan.k))
    more = was * -(-n // k) / -(-n // plan.k)
    counts.amplitudes |= {calibration.product_name(k): more, "rotation": more}
    counts.steps += round(more - was)
    counts.blocks = more * 4.0 ** (k - BLOCK_QUBITS)
    return busy_seconds(counts, costs, n, columns)


def busy_seconds(counts: Counts, costs: Costs, num_qubits: int, columns: int = 1) -> float:
    """One forward run, without what every run takes."""
    far = costs.far ** min(1.0, max(0.0, (num_qubits - NEAR_QUBITS) / (FAR_QUBITS - NEAR_QUBITS)))
    each = costs.read + sum(times * getattr(costs, name) for name, times in counts.amplitudes.items())
    made = 1e-6 * (costs.step * counts.steps + costs.block * counts.blocks)
    return made + 1e-9 * far * each * (columns << num_qubits)


def count(plan: Plan) -> tuple[list[str], Counts]:
    """A line for each segment, and how often the plan does what."""
    lines, counts = [], Counts()
    for segment in plan.segments:
        _count(segment, counts, lines, "", 1)
    return lines, counts


def _count(segment: Segment, counts: Counts, lines: list[str], indent: str, times: int) -> None:
    """Add a segment that is run so many times, and its lines."""
    counts.segments += 1
    if isinstance(segment, Repeat):
        if segment.parts:
            (part,) = segment.body
            _count(part, counts, lines, indent, times * segment.count)
            lines[-1] += f", in {segment.count} parts of this size"
            return
        lines.append(f"{indent}repeat {segment.count} times:")
        for inside in segment.body:
            _count(inside, counts, lines, indent + "  ", times * segment.count)
        return
    if isinstance(segment, (Dense, Sweeps)):
        counts.blocks += times * segment.num_blocks * 4.0 ** (segment.k - BLOCK_QUBITS)
        counts.matrices += segment.num_blocks * 4 * (2 << segment.k) ** 2
    if isinstance(segment, Dense):
        how = "unrolled" if segment.unrolled else "as a tape"
        lines.append(f"{indent}{_blocks(segment)} at any place, {how}")
        counts.add("gather", times * segment.num_blocks)
        counts.steps += times * segment.num_blocks
        counts.emitted += segment.num_blocks if segment.unrolled else TAPE_STEPS
    elif isinstance(segment, Sweeps):
        windows, passes, diagonals = len(segment.moves), segment.num_passes, len(segment.phases)
        also = f", {diagonals} diagonals between" if diagonals else ""
        lines.append(f"{indent}{_blocks(segment)} in {passes} sweeps over {windows} windows{also}")
        counts.add(calibration.product_name(segment.k), times * segment.num_blocks)
        counts.add("rotation", times * passes * windows * (windows > 1))
        counts.add("sign", times * int(segment.signs.any(axis=(1, 2)).sum()))
        counts.add("phase", times * diagonals)
        counts.steps += times * (segment.num_blocks + diagonals)
        counts.emitted += segment.num_blocks + diagonals
    elif isinstance(segment, Flips):
        steps = len(segment.order)
        lines.append(f"{indent}{steps} Pauli rotations and controlled gates as a tape")
        counts.add("flip", times * steps)
        counts.steps += times * steps
        counts.emitted += 1
        counts.paired |= bool(segment.kinds)
    else:
        assert isinstance(segment, Wide)
        lines.append(f"{indent}{segment.operation.name} on {len(segment.qubits)} qubits by itself")
        counts.add("wide", times)
        counts.steps += times
        counts.emitted += 4


def _blocks(segment: Any) -> str:
    plural = "block" if segment.num_blocks == 1 else "blocks"
    return f"{segment.num_blocks} {plural} of {segment.k} qubits"
