"""What a circuit is lowered to: a few segments, each a record of how to run part of it.

A plan holds structure only. All index tables are NumPy arrays in `tables()`, passed to
the compiled program as arguments; angles and matrix entries arrive as vectors in the order
of `Plan.reads`: angles that are read together follow each other, and so do the data of a part
of a tape; other data keep the order of the operations. Each segment covers a contiguous part of
each vector, so that a repeated part is a reshape and needs no table per repetition.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import numpy as np

from qsim.kernels.bits import parity_signs


@dataclass(frozen=True, slots=True)
class Range:
    """A contiguous part of the angle vector, of the data vector and of a batch's angles of phases."""

    angle: int
    angle_stop: int
    data: int
    data_stop: int
    turn: int = 0
    turn_stop: int = 0


class Vectors(NamedTuple):
    """The numbers of a run: `angles` (A,) and `data` (D,), and in a batch of its phases `turns` (T, batch)."""

    angles: Any
    data: Any
    turns: Any = None

    def within(self, r: Range, origin: Range) -> Vectors:
        """Those of a range, of vectors that begin where `origin` does."""
        angles = self.angles[r.angle - origin.angle : r.angle_stop - origin.angle]
        data = self.data[r.data - origin.data : r.data_stop - origin.data]
        turns = None if self.turns is None else self.turns[r.turn - origin.turn : r.turn_stop - origin.turn]
        return Vectors(angles, data, turns)

    def split(self, count: int) -> Vectors:
        """Those of each of `count` repetitions, with a leading axis."""
        turns = None if self.turns is None else self.turns.reshape(count, -1, self.turns.shape[1])
        return Vectors(self.angles.reshape(count, -1), self.data.reshape(count, -1), turns)


@dataclass(frozen=True, slots=True, eq=False)
class ArraySlot:
    """Where an operation's array lies in the data vector: `starts` (m,), `shape`, and whether it is complex."""

    starts: np.ndarray
    shape: tuple[int, ...]
    is_complex: bool

    @property
    def length(self) -> int:
        """Entries of the data vector."""
        return math.prod(self.shape) * (2 if self.is_complex else 1)


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """All operations of one kind in a segment: `count` matrices (d, d) made in one batched call.

    `constant` is the matrix where the kind has neither angles nor arrays, or they cannot
    be replaced; `operation` is one of them, to make the others from; `angles` (m, p) are places in the angle vector.
    """

    operation: Any
    num_qubits: int
    count: int
    constant: np.ndarray | None
    angles: np.ndarray
    arrays: tuple[ArraySlot, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Rotations:
    """Pauli rotations exp(-i factor * time * coefficient * P) as places in the two vectors, (t,) each."""

    factor: np.ndarray
    time: np.ndarray
    coefficient: np.ndarray

    def __len__(self) -> int:
        return len(self.factor)


@dataclass(frozen=True, slots=True, eq=False)
class Waves:
    """Matrices A + cos(t) C + sin(t) S, t = scale * an angle (* an entry of the data vector).

    Attributes:
        angles: (m,) places in the angle vector. scales: (m,), or (1,) where all are equal.
        coefficients: (m,) places in the data vector, -1 for none; None where all have none.
        kinds: (m,) which row of `parts`.
        parts: (K, 3, d, d): the matrices A, C and S of each kind.
    """

    angles: np.ndarray
    scales: np.ndarray
    coefficients: np.ndarray | None
    kinds: np.ndarray
    parts: np.ndarray

    def __len__(self) -> int:
        return len(self.angles)


@dataclass(frozen=True, slots=True, eq=False)
class Compose:
    """Products of small matrices: `index` (S, B) which child, `perms` (S+1, B) which row permutation.

    Children are the `num_children` that depend on numbers, then the `constants` (c, d, d), the identity last.
    With `padded`, some children may be in no product.
    """

    qubits: int
    child_qubits: int
    num_children: int
    constants: np.ndarray
    index: np.ndarray
    perms: np.ndarray
    padded: bool = False

    @property
    def num_blocks(self) -> int:
        return self.index.shape[1]

    @property
    def home(self) -> np.ndarray:
        """Where each child that depends on numbers is in `index`, flat: one place, -1 where it only fills up."""
        flat = self.index.ravel()
        home = np.full(max(self.num_children, int(flat.max(initial=0)) + 1), -1, np.int32)
        home[flat] = np.arange(flat.size)
        return home[: self.num_children]


@dataclass(frozen=True, slots=True, eq=False)
class Dense:
    """Blocks of k qubits, one real matrix each, applied one after the other.

    Attributes:
        num_qubits, k: of the state, and of a block.
        waves, kinds: the children that depend on numbers, in this order; small ones (at most 2 qubits) and big ones.
        pairs, blocks: how pairs are made of small children, and blocks of pairs and big ones.
        fixed: block matrices (F, K, K) of gates without numbers, made on the host.
        order: (B,): each block's place among those made, then the fixed ones.
        src, inverse: (B+1, n) bit permutations into the layout of each block, then home; (B, n) if it stays there.
        unrolled: one traced step per block, instead of a scan over the blocks.
        differentiable: whether any angle or array may be differentiated.
    """

    num_qubits: int
    k: int
    range: Range
    waves: Waves
    kinds: tuple[Kind, ...]
    pairs: Compose
    blocks: Compose
    fixed: np.ndarray
    order: np.ndarray
    src: np.ndarray
    inverse: np.ndarray
    unrolled: bool
    differentiable: bool

    @property
    def num_blocks(self) -> int:
        return len(self.order)


@dataclass(frozen=True, slots=True, eq=False)
class Phases:
    """A diagonal exp(i sum_t angle_t Z^t), angle_t = factor * an angle (* an entry of the data vector).

    Attributes:
        num_rows, num_columns: of the state as a table.
        rows, columns: (T,) which bits of the row and of the column index Z^t takes the parity of.
        places: (T,) places in the vector of angles, or of those of phases. factors: (T,), or (1,) where all are equal.
        coefficients: (T,) places in the data vector, -1 for none.
        groups: the different `columns` of the terms with row bits, which come after the `own` terms without.
    """

    num_rows: int
    num_columns: int
    rows: np.ndarray
    columns: np.ndarray
    places: np.ndarray
    factors: np.ndarray
    coefficients: np.ndarray
    groups: tuple[int, ...]
    own: int


@dataclass(frozen=True, slots=True, eq=False)
class Sweeps:
    """Passes over windows of neighbouring qubits, reached by rotating the bits; signs and phases in between.

    Attributes:
        waves, kinds, pairs, blocks, fixed, order: as in `Dense`.
        moves: how many bits the layout rotates before each window; they add up to n.
        used: (pass, window) of each block, in order; the other windows are only passed by.
        open: whether any number in each block may be differentiated.
        signs: (passes + 1, n, n): CZ pairs before each pass, and at the end.
        phases: by the number of the pass that they come before, `num_passes` at the end.
    """

    num_qubits: int
    k: int
    range: Range
    waves: Waves
    kinds: tuple[Kind, ...]
    pairs: Compose
    blocks: Compose
    fixed: np.ndarray
    order: np.ndarray
    moves: tuple[int, ...]
    used: tuple[tuple[int, int], ...]
    open: tuple[bool, ...]
    signs: np.ndarray
    phases: dict[int, Phases]
    differentiable: bool

    @property
    def num_blocks(self) -> int:
        return len(self.used)

    @property
    def num_passes(self) -> int:
        return len(self.signs) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Flips:
    """Steps psi(j) <- a(j) psi(j) + b(j) psi(j ^ x): Pauli rotations and one-qubit gates, controls or not.

    Where j & control == value, a(j) and b(j) are one of two numbers each, chosen by the
    parity of j & z; elsewhere a = 1, b = 0. `masks` (T, 4), uint32, are x, z, control, value;
    `order` (T,) are places in the list of first the rotations, then the gates' matrices;
    `phase` are -i (-i)^(number of Y) of the rotations' Pauli strings; `controlled` says whether any step has controls,
    in this part of a tape or another.
    """

    num_qubits: int
    k: int
    range: Range
    kinds: tuple[Kind, ...]
    rotations: Rotations
    phase: np.ndarray
    order: np.ndarray
    masks: np.ndarray
    controlled: bool
    differentiable: bool


@dataclass(frozen=True, slots=True, eq=False)
class Wide:
    """One operation on more qubits than a block, applied by itself at fixed places."""

    num_qubits: int
    k: int
    range: Range
    operation: Any
    qubits: tuple[int, ...]
    arrays: tuple[ArraySlot, ...]
    num_params: int
    differentiable: bool


@dataclass(frozen=True, slots=True, eq=False)
class Repeat:
    """Segments that are run `count` times, with other matrices each time.

    The matrices are made inside the loop, from the numbers of one repetition, so that memory
    does not grow with `count`. Where there are `parts`, these are the repetitions: segments of equal
    shape with tables of their own, the first of which is the body.
    """

    num_qubits: int
    k: int
    range: Range
    count: int
    body: tuple[Any, ...]
    differentiable: bool
    parts: tuple[Any, ...] = ()


Segment = Dense | Sweeps | Flips | Wide | Repeat


@dataclass(frozen=True, slots=True, eq=False)
class Reads:
    """Which numbers of the operations the angle and data vectors hold, (A,) and (D,); None for all in their order.

    In a plan for a batch the angles of phases are a vector of their own, `turns` (T,).
    """

    angles: np.ndarray | None = None
    data: np.ndarray | None = None
    turns: np.ndarray | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A lowered circuit.

    Attributes:
        num_qubits, k: qubits of the state, and of a block at most.
        segments: what is run, in order.
        sources: how the angle and data vectors are made of constants, parameters and JAX values.
        reads: which numbers of the operations segments read, in the order in which they do.
        mode: "unrolled", "tape", "rolled" or "mixed", for people.
    """

    num_qubits: int
    k: int
    segments: tuple[Segment, ...]
    sources: Any
    reads: Reads
    mode: str
    num_operations: int

    @property
    def differentiable(self) -> bool:
        return any(s.differentiable for s in self.segments)


def compact(places: np.ndarray) -> np.ndarray:
    """Places in the smallest unsigned dtype: inside a caller's jit they are part of the program's text."""
    largest = int(places.max(initial=0))
    return places.astype(np.uint8 if largest < 1 << 8 else np.uint16 if largest < 1 << 16 else np.int32)


def once(factors: np.ndarray) -> np.ndarray:
    """Factors (m,), or (1,) where all are equal: what is uniform is a kernel that fills an array in front of loops."""
    return factors[:1] if np.all(factors == factors[:1]) else factors


def tables(segment: Segment) -> Any:
    """The host arrays of a segment, as a pytree in the form that `matrices` and the engine take.

    Arrays of floats are copies: JAX remembers an array object with the precision of its first use.
    """
    if isinstance(segment, Repeat):
        if segment.parts:
            return [jax.tree.map(lambda *t: np.stack(t), *map(tables, segment.parts))]
        return [tables(s) for s in segment.body]
    if isinstance(segment, Wide):
        return [compact(a.starts) for a in segment.arrays]
    kinds = [[compact(a.starts) for a in k.arrays] for k in segment.kinds]
    if isinstance(segment, Flips):
        r = segment.rotations
        rotations = (r.factor.copy(), compact(r.coefficient))
        order = compact(segment.order) if kinds else None  # rotations alone are in order
        own = {"phase": segment.phase.copy(), "order": order, "masks": segment.masks}
        return {"kinds": kinds, "rotations": rotations, **own}
    made = {
        "waves": _wave_tables(segment.waves),
        "kinds": kinds,
        "pairs": _compose_tables(segment.pairs),
        "blocks": _compose_tables(segment.blocks),
        "fixed": (segment.fixed.copy(), compact(segment.order)) if len(segment.fixed) else None,
    }
    if isinstance(segment, Sweeps):
        return made | {"phases": [_phase_tables(p) for p in segment.phases.values()]}
    return made | {"src": segment.src, "inverse": segment.inverse}


def _compose_tables(compose: Compose) -> Any:
    home = compose.home
    return compact(compose.index), compose.perms, _optional(home) if compose.padded else compact(home)


def _wave_tables(waves: Waves) -> Any:
    coefficients = None if waves.coefficients is None else _optional(waves.coefficients)
    return waves.scales.copy(), compact(waves.kinds), coefficients


def _optional(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places, and which are meant: -1 is none."""
    meant = places >= 0
    return compact(np.where(meant, places, 0)), meant


def index_signs(size: int, masks: Any) -> np.ndarray:
    """(-1)^(number of bits of index & mask) of the indices below `size`, a power of 2: int8 (size, T)."""
    return parity_signs(np, np.asarray(masks), size.bit_length() - 1, np.int8).T


def _phase_tables(phases: Phases) -> Any:
    rows, columns = phases.rows[phases.own :], phases.columns[phases.own :]
    bits = phases.num_rows.bit_length() - 1
    low = index_signs(1 << bits // 2, rows)
    member = (np.array(phases.groups)[:, None] == columns).astype(np.int8)
    return {
        "high": index_signs(1 << bits - bits // 2, rows >> bits // 2),
        "low": (low[:, None, :] * member).reshape(low.shape[0] * len(phases.groups), len(rows)),
        "factors": phases.factors.copy(),
        "coefficients": _optional(phases.coefficients) if (phases.coefficients >= 0).any() else None,
    }
