"""Bit strings drawn from the state, and how often each was seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from qsim._errors import ResultError
from qsim.ir.ops.base import namespace
from qsim.methods.base import AbstractState
from qsim.results.base import (
    Context,
    Result,
    all_qubits,
    check_key,
    check_qubits,
    check_shots_memory,
    clean_qubits,
    clean_shots,
    pytree,
)
from qsim.results.measurement import Setting

Array = Any
WORD = 31  # bits per sorted word: what an int32 holds


@pytree()
@dataclass(frozen=True, eq=False)
class Samples(Result):
    """Measured bit strings: uint8 (shots, k).

    Drawn in O(shots x n) by descending a tree of marginals. In a circuit with
    measurements the columns are its classical bits (0 where never written), unless
    `qubits` says otherwise.

    Args:
        qubits: which qubits to measure in the Z basis, in this order; default all.
        shots: how many; default those of the run.

    Raises:
        ResultError: qubits or shots that cannot be.

    Example:
        >>> import jax
        >>> from qsim import Circuit, execute
        >>> from qsim.results import Samples
        >>> execute(Circuit(2).x(1), Samples(), shots=2, key=jax.random.key(0)).tolist()
        [[0, 1], [0, 1]]
    """

    qubits: Sequence[int] | None = None
    shots: int | None = None
    needs = frozenset({"sampling"})
    differentiable = False

    def __post_init__(self) -> None:
        _clean("Samples", self)

    def check(self, context: Context) -> None:
        _check("Samples", self, context)

    def evaluate(self, state: AbstractState, context: Context) -> Array:
        return draw(state, context, self.qubits, self.shots)

    def settings(self, context: Context) -> tuple[Setting, ...]:
        return _settings(context, self.qubits, self.shots)

    def from_bits(self, context: Context, samples: Sequence[np.ndarray]) -> Array:
        return _in_columns(samples[0], context, self.qubits)


@pytree()
@dataclass(frozen=True, eq=False)
class Counts(Result):
    """How often each bit string was measured: a `CountTable`.

    Args:
        qubits: which qubits to measure in the Z basis, in this order; default all, or the
            classical bits of a circuit with measurements.
        shots: how many; default those of the run.

    Raises:
        ResultError: qubits or shots that cannot be.

    Example:
        >>> import jax
        >>> from qsim import Circuit, execute
        >>> from qsim.results import Counts
        >>> execute(Circuit(2).x(1), Counts(), shots=100, key=jax.random.key(0))
        {'01': 100}
    """

    qubits: Sequence[int] | None = None
    shots: int | None = None
    needs = frozenset({"sampling"})
    differentiable = False

    def __post_init__(self) -> None:
        _clean("Counts", self)

    def check(self, context: Context) -> None:
        _check("Counts", self, context)

    def evaluate(self, state: AbstractState, context: Context) -> CountTable:
        return tally(draw(state, context, self.qubits, self.shots))

    def settings(self, context: Context) -> tuple[Setting, ...]:
        return _settings(context, self.qubits, self.shots)

    def from_bits(self, context: Context, samples: Sequence[np.ndarray]) -> CountTable:
        return tally(jnp.asarray(_in_columns(samples[0], context, self.qubits)))


@jax.tree_util.register_dataclass
@dataclass(frozen=True, eq=False, repr=False)
class CountTable:
    """Distinct bit strings and how often each occurred; outside jit it reads as a dict.

    Attributes:
        outcomes: uint8 (m, k) in increasing order, m = min(shots, 2^k); zeros where nothing is left.
        counts: int32 (m,), zero where nothing is left.

    Batches have more axes in front; take one with `jax.tree.map(lambda a: a[i], table)`.

    Example:
        >>> import jax
        >>> from qsim import Circuit, execute
        >>> from qsim.results import Counts
        >>> execute(Circuit(2).x(0), Counts(), shots=5, key=jax.random.key(0)).to_dict()
        {'10': 5}
    """

    outcomes: Array
    counts: Array

    def to_dict(self) -> dict[str, int]:
        """{bit string: count} of what occurred; outside jit only.

        Raises:
            ResultError: traced or batched arrays.
        """
        if isinstance(self.counts, Tracer):
            raise ResultError("Counts are traced here and have no values yet. Convert them outside jit, grad and vmap.")
        counts, outcomes = np.asarray(self.counts), np.asarray(self.outcomes)
        if counts.ndim != 1:
            raise ResultError(
                f"These counts have batch axes {counts.shape[:-1]}. Take one of the batch first: "
                "jax.tree.map(lambda a: a[i], counts)."
            )
        return {
            "".join(map(str, row)): int(count) for row, count in zip(outcomes.tolist(), counts, strict=True) if count
        }

    def keys(self) -> Iterator[str]:
        return iter(self.to_dict())

    def items(self) -> Any:
        return self.to_dict().items()

    def __getitem__(self, bitstring: str) -> int:
        return self.to_dict().get(bitstring, 0)

    def __iter__(self) -> Iterator[str]:
        return self.keys()

    def __len__(self) -> int:
        return len(self.to_dict())

    def __repr__(self) -> str:
        if isinstance(self.counts, np.ndarray | jax.Array) and not isinstance(self.counts, Tracer):
            if self.counts.ndim == 1:
                return repr(self.to_dict())
        return f"CountTable(outcomes={self.outcomes}, counts={self.counts})"


def draw(state: AbstractState, context: Context, qubits: Sequence[int] | None, shots: int | None) -> Array:
    """Bits (shots, k): of `qubits`, else of the classical bits where the circuit measures, else of all qubits."""
    count = shots or context.shots
    assert count is not None
    bits = state.sample(context.key, count, _places(context, qubits, state.num_qubits))
    return _in_columns(bits, context, qubits)


def _settings(context: Context, qubits: Sequence[int] | None, shots: int | None) -> tuple[Setting, ...]:
    places = _places(context, qubits, context.num_qubits)
    return (Setting.computational(context.num_qubits, places, shots or context.shots or 0),)


def _places(context: Context, qubits: Sequence[int] | None, num_qubits: int) -> tuple[int, ...]:
    """The qubits to read."""
    if qubits is not None or context.measured is None:
        return all_qubits(qubits, num_qubits)
    return tuple(sorted({q for _, q in context.measured}))


def _in_columns(bits: Array, context: Context, qubits: Sequence[int] | None) -> Array:
    """Bits (shots, k) of `_places` as columns: those qubits, or the classical bits where the circuit measures."""
    if qubits is not None or context.measured is None:
        return bits
    xp = namespace(bits)
    source, places = dict(context.measured), _places(context, qubits, context.num_qubits)
    padded = xp.concatenate([bits, xp.zeros((len(bits), 1), bits.dtype)], axis=1)
    columns = [places.index(source[b]) if b in source else len(places) for b in range(context.num_clbits)]
    return padded[:, np.asarray(columns, dtype=int)]


def tally(bits: Array) -> CountTable:
    """Distinct rows of bits (shots, k) and their counts, in increasing order; shapes as `CountTable` says."""
    shots, k = bits.shape
    size = min(shots, 1 << k)
    words = [_word(bits[:, start : start + WORD]) for start in range(0, k, WORD)] or [jnp.zeros(shots, jnp.int32)]
    words = jax.lax.sort(words, num_keys=len(words))
    new = jnp.zeros(shots, bool).at[0].set(True)
    for word in words:
        new = new | jnp.concatenate([jnp.ones(1, bool), word[1:] != word[:-1]])
    place = jnp.cumsum(new) - 1
    counts = jnp.zeros(size, jnp.int32).at[place].add(1)
    columns = []
    for start, word in zip(range(0, k, WORD), words, strict=False):
        width = min(WORD, k - start)
        distinct = jnp.zeros(size, jnp.int32).at[place].set(word)
        columns.append((distinct[:, None] >> np.arange(width - 1, -1, -1)) & 1)
    outcomes = jnp.concatenate(columns, axis=1) if columns else jnp.zeros((size, 0))
    return CountTable(outcomes.astype(jnp.uint8), counts)


def _word(bits: Array) -> Array:
    places = np.asarray([1 << i for i in range(bits.shape[1] - 1, -1, -1)], dtype=np.int32)
    return jnp.sum(bits.astype(jnp.int32) * places, axis=1, dtype=jnp.int32)


def _clean(name: str, result: Any) -> None:
    if result.qubits is not None:
        object.__setattr__(result, "qubits", clean_qubits(name, result.qubits))
    object.__setattr__(result, "shots", clean_shots(name, result.shots))


def _check(name: str, result: Any, context: Context) -> None:
    check_qubits(name, result.qubits, context)
    if result.shots is None and context.shots is None:
        raise ResultError(f"{name} needs a number of shots. Try execute(..., shots=1000), or {name}(shots=1000).")
    check_key(name, context)
    count = len(result.qubits) if result.qubits is not None else max(context.num_qubits, context.num_clbits)
    check_shots_memory(result.shots or context.shots or 0, count)
