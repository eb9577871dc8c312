"""The cost model: what decides how a circuit is emitted, and what `explain` predicts.

Times are nanoseconds per amplitude on one core of a 2-core x86 machine with AVX-512,
complex64, as measured in `benchmarks/NOTES.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from qsim.lower.plan import Dense, Flips, Plan, Repeat, Segment, Sweeps, Wide

GATHER = 2.3
"""A block reached by a bit-permuting gather."""
ROTATION = 1.6
"""A block reached by rotating the bits."""
SIGN = 0.5
"""Signs across windows."""
FLIP = 3.0
"""A step that pairs amplitudes j and j ^ x."""
WIDE = 20.0
"""An operation by itself, with two transposes of the state."""
BACKWARD = 3.0
"""The backward pass, in forward passes."""

MAX_CHANGES = 8
"""Where blocks and pairings alternate more often, one-qubit and controlled gates are run as pairings too."""

FORWARD_STATES, GRADIENT_STATES = 2.5, 5.0
"""Memory of a forward run, and of value and gradient by the reversible pass, in states."""

BLOCK_QUBITS = 4
"""Qubits of a block: rows of 32 floats."""
UNROLL_BLOCKS = 6
"""Up to this many blocks are traced one by one; more become a scan."""
MAX_UNROLLED = 40
"""The most steps of sweeps that are traced one by one."""
SHORT_CIRCUIT = 400
"""Up to this many operations, fusing everything is tried before repeats are looked for."""
SMALL_CIRCUIT = 12
"""Up to this many operations, no repeats are looked for."""
MIN_REPEATS = 3
"""A part that comes fewer times is not rolled."""
MAX_CHANGES = 8
"""Where blocks and pairings alternate more often, one-qubit and controlled gates are run as pairings too."""

FORWARD_STATES, GRADIENT_STATES = 2.5, 5.0
"""Memory of a forward run, and of value and gradient by the reversible pass, in states."""

BLOCK_QUBITS = 4
"""Qubits of a block: rows of 32 floats."""
UNROLL_BLOCKS = 6
"""Up to this many blocks are traced one by one; more become a scan."""
MAX_UNROLLED = 40
"""The most steps of sweeps that are traced one by one."""
SHORT_CIRCUIT = 400
"""Up to this many operations, fusing everything is tried before repeats are looked for."""
SMALL_CIRCUIT = 12
"""Up to this many operations, no repeats are looked for."""
MIN_REPEATS = 3
"""A part that comes fewer times is not rolled."""
INLINE_FROM = 17
"""From this number of qubits on, a rolled part makes its matrices inside the loop: memory over dispatch."""

COMPILE_BASE, COMPILE_SEGMENT, COMPILE_BLOCK = 0.25, 0.1, 0.03
"""Seconds to trace and compile: of any program, of each segment, of each unrolled step."""
COMPILE_GRADIENT = 2.2
"""The same with the gradient, in programs without."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a plan will cost.

    Attributes:
        segments: one line per segment, for people.
        blocks: steps over the whole state in one forward run.
        forward: nanoseconds per amplitude of one forward run.
        compile_seconds, gradient_compile_seconds: trace and compile, without and with the gradient.
    """

    segments: tuple[str, ...]
    blocks: int
    forward: float
    compile_seconds: float
    gradient_compile_seconds: float


def predict(plan: Plan) -> Prediction:
    """What running `plan` will cost, by the constants above."""
    lines: list[str] = []
    steps, forward, emitted, count = 0, 0.0, 0, 0
    for segment in plan.segments:
        s, f, e, c = _segment(segment, lines, "")
        steps, forward, emitted, count = steps + s, forward + f, emitted + e, count + c
    seconds = COMPILE_BASE + COMPILE_SEGMENT * count + COMPILE_BLOCK * emitted
    return Prediction(tuple(lines), steps, forward, seconds, COMPILE_GRADIENT * seconds)


def _segment(segment: Segment, lines: list[str], indent: str) -> tuple[int, float, int, int]:
    """Steps run, ns per amplitude, steps emitted and segments of one segment; adds its lines."""
    if isinstance(segment, Repeat):
        lines.append(f"{indent}repeat {segment.count} times:")
        inside = [_segment(s, lines, indent + "  ") for s in segment.body]
        steps, forward, emitted, count = (sum(column) for column in zip(*inside, strict=True))
        return segment.count * steps, segment.count * forward, emitted, 1 + count
    if isinstance(segment, Dense):
        how = "unrolled" if segment.unrolled else "as a tape"
        lines.append(f"{indent}{_blocks(segment)} at any place, {how}")
        emitted = segment.num_blocks if segment.unrolled else 1
        return segment.num_blocks, GATHER * segment.num_blocks, emitted, 1
    if isinstance(segment, Sweeps):
        lines.append(f"{indent}{_blocks(segment)} in {segment.num_passes} sweeps over {len(segment.moves)} windows")
        steps = segment.num_passes * len(segment.moves)
        return steps, ROTATION * steps + SIGN * int(segment.signs.any(axis=(1, 2)).sum()), steps, 1
    if isinstance(segment, Flips):
        steps = len(segment.order)
        lines.append(f"{indent}{steps} Pauli rotations and controlled gates as a tape")
        return steps, FLIP * steps, 1, 1
    assert isinstance(segment, Wide)
    lines.append(f"{indent}{segment.operation.name} on {len(segment.qubits)} qubits by itself")
    return 1, WIDE, 4, 1


def _blocks(segment: Any) -> str:
    plural = "block" if segment.num_blocks == 1 else "blocks"
    return f"{segment.num_blocks} {plural} of {segment.k} qubits"
