"""Estimating Pauli sums from shots: which bases to measure, how often, and what the counts say.

One planner for simulators and hardware. `plan` says on the host what to run; `estimate`
turns what came back into a value and its standard error. `simulate` does both inside a
compiled program, with bases, groups and shots as data, so that it does not grow with the
groups.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from qsim._errors import ResultError
from qsim.ir.ops.base import namespace
from qsim.ir.pauli import PauliSum
from qsim.ir.pauli_masks import group_terms
from qsim.kernels.bits import sign_of
from qsim.methods.base import AbstractState

Array = Any


@dataclass(frozen=True, eq=False)
class Plan:
    """What to measure for a Pauli sum: groups of terms that one setting of one-qubit bases measures.

    Attributes:
        qubits: the qubits to measure (k,), in the order of the bits.
        bases: uint8 (G, n): 0 = Z, 1 = X, 2 = Y on each qubit of the circuit.
        terms: int32 (G, t): the terms of each group; places left over hold 0.
        filled: 1 where `terms` is filled, else 0: uint8 (G, t).
        supports: uint8 (T, k): the qubits whose outcomes make up the term's sign.
        constant: the terms that are the identity, which need no shot.
        shots: int (G,): shots of each group, None before they are allocated.
    """

    qubits: tuple[int, ...]
    bases: np.ndarray
    terms: np.ndarray
    filled: np.ndarray
    supports: np.ndarray
    constant: np.ndarray
    shots: np.ndarray | None = None

    @property
    def num_groups(self) -> int:
        """How many settings there are to measure."""
        return len(self.bases)


@dataclass(frozen=True)
class Setting:
    """One thing for a device to measure: bases of single qubits, qubits and shots.

    Attributes:
        bases: 0 = Z, 1 = X, 2 = Y for each qubit of the circuit (n,).
        qubits: the qubits to read (k,), in the order of the bits.
        shots: how often.
    """

    bases: tuple[int, ...]
    qubits: tuple[int, ...]
    shots: int

    @classmethod
    def computational(cls, num_qubits: int, qubits: Sequence[int], shots: int) -> Setting:
        """Some qubits in the Z basis."""
        return cls((0,) * num_qubits, tuple(qubits), shots)


@jax.tree_util.register_dataclass
@dataclass(frozen=True, eq=False)
class Estimate:
    """A value and its standard error.

    Attributes:
        value: the estimate. stderr: its standard error, of the same shape.

    Example:
        >>> import jax
        >>> from qsim import Circuit, Z, execute
        >>> from qsim.results import Expectation
        >>> found = execute(Circuit(1).x(0), Expectation(Z(0), stderr=True), shots=9, key=jax.random.key(0))
        >>> float(found.value), float(found.stderr)
        (-1.0, 0.0)
    """

    value: Array
    stderr: Array


def plan(observable: PauliSum, shots: int, num_qubits: int | None = None) -> Plan:
    """Groups of qubit-wise commuting terms, and shots by the weight of their coefficients.

    Every group has at least one shot, the rest are shared out in proportion to
    sqrt(sum_t c_t^2) of the group; the total is exactly `shots`. Deterministic.

    Args:
        observable: a Hermitian sum with host coefficients.
        shots: the total.
        num_qubits: the qubits of the circuit; default those of the sum.

    Raises:
        ResultError: fewer shots than groups.

    Reference: largest-first grouping, arXiv:1907.03358.

    Example:
        >>> from qsim import X, Z
        >>> from qsim.results.measurement import plan
        >>> p = plan(Z(0) @ Z(1) + Z(0) + 0.5 * X(0), shots=100)
        >>> p.bases.tolist(), p.shots.tolist()
        ([[0, 0], [1, 0]], [73, 27])
    """
    n = observable.num_qubits if num_qubits is None else num_qubits
    settings = structure(observable.strings, n)
    check_total(settings, shots)
    weights = group_weights(settings, np.real(np.asarray(observable.coefficients))[:, None])
    return replace(settings, shots=np.asarray(allocate(weights, shots)))


def estimate(settings: Plan, coefficients: Any, samples: Sequence[Any]) -> Estimate:
    """The value of a Pauli sum, and its standard error, from what was measured.

    Args:
        settings: the plan that was run.
        coefficients: real (T,), of the sum the plan was made for.
        samples: for each group bits (shots, k), columns as `settings.qubits`, or counts
            {bit string: count}.

    Raises:
        ResultError: the wrong number of groups, or bit strings of a wrong length.

    Example:
        >>> from qsim import Z
        >>> from qsim.results.measurement import estimate, plan
        >>> h = 2.0 * Z(0)
        >>> result = estimate(plan(h, 100), h.coefficients, [{"0": 75, "1": 25}])
        >>> round(float(result.value), 6), round(float(result.stderr), 4)
        (1.0, 0.1741)
    """
    given = coefficients if isinstance(coefficients, jax.Array) else np.asarray(coefficients)
    mean, covariance = estimates(settings, given[:, None], samples)
    return Estimate(mean[0], covariance[0, 0] ** 0.5)


def estimates(settings: Plan, columns: Any, samples: Sequence[Any]) -> tuple[Array, Array]:
    """Several sums over the same strings from the same measurements.

    Args:
        columns: real coefficients (T, m), one column for each sum; of the host, or of JAX.
        samples: as for `estimate`.

    Returns:
        values (m,) and the covariance of their errors (m, m), from where `columns` are.
    """
    if len(samples) != settings.num_groups:
        raise ResultError(f"The plan has {settings.num_groups} groups, but samples of {len(samples)} were given.")
    values, groups, weights = [], [], []
    for group, sample in enumerate(samples):
        bits, weight = _rows(sample, len(settings.qubits))
        values.append(group_values(settings, columns, bits, group))
        groups.append(np.full(len(bits), group))
        weights.append(weight)
    if not values:
        return _constants(settings, columns)
    rows = namespace(columns).concatenate(values)
    return combine(settings, columns, rows, np.concatenate(groups), np.concatenate(weights))


def settings_of(structure: Plan, columns: Any, shots: int) -> tuple[Setting, ...]:
    """What to measure for several sums over the same strings: one setting a group, shots by weight."""
    allocated = allocate(group_weights(structure, np.asarray(columns)), shots)
    return tuple(
        Setting(tuple(bases), structure.qubits, count)
        for bases, count in zip(structure.bases.tolist(), allocated.tolist(), strict=True)
    )


def simulate(state: AbstractState, settings: Plan, coefficients: Array, shots: int, key: Array) -> tuple[Array, Array]:
    """Estimates of several sums over the same strings from the same `shots` measurements.

    Args:
        coefficients: real (T, m), one column for each sum.

    Returns:
        values (m,) and the covariance of their errors (m, m).
    """
    count = settings.num_groups
    if count == 0:
        return _constants(settings, coefficients)
    # Shots per group are data, so they are drawn in blocks of one size; a group has one or more blocks.
    size = -(-shots // count)
    blocks = shots // size + count if count > 1 else 1
    allocated = allocate(group_weights(settings, lax.stop_gradient(coefficients)), shots)
    ends = jnp.cumsum(-(-allocated // size))
    block = jnp.arange(blocks)
    groups = jnp.minimum(jnp.searchsorted(ends, block, side="right"), count - 1)
    starts = jnp.concatenate([jnp.zeros(1, ends.dtype), ends[:-1]])
    left = jnp.clip(allocated[groups] - (block - starts[groups]) * size, 0, size)
    left = jnp.where(block < ends[-1], left, 0)
    bases = jnp.asarray(settings.bases, jnp.int32)

    def measure(_: None, step: tuple[Array, Array]) -> tuple[None, Array]:
        block_key, group = step
        bits = state.rotate(bases[group]).sample(block_key, size, settings.qubits)
        return None, group_values(settings, coefficients, bits, group)

    values = lax.scan(measure, None, (jax.random.split(key, blocks), groups))[1]
    weights = (jnp.arange(size)[None, :] < left[:, None]).reshape(-1)
    return combine(settings, coefficients, values.reshape(blocks * size, -1), jnp.repeat(groups, size), weights)


@lru_cache(maxsize=128)
def structure(strings: tuple[Any, ...], num_qubits: int) -> Plan:
    """The plan of a sum's strings, before shots are allocated."""
    whole = PauliSum(strings, np.ones(len(strings)))
    x, z = whole.masks(num_qubits)
    qubits = whole.support
    constant = [t for t, string in enumerate(strings) if not string]
    kept = [t for t, string in enumerate(strings) if string]
    groups = [[kept[t] for t in group] for group in group_terms([strings[t] for t in kept])]
    width = max(map(len, groups), default=0)
    terms = np.zeros((len(groups), width), dtype=np.int32)
    filled = np.zeros((len(groups), width), dtype=np.uint8)
    bases = np.zeros((len(groups), num_qubits), dtype=np.uint8)
    for row, group in enumerate(groups):
        terms[row, : len(group)] = group
        filled[row, : len(group)] = 1
        bases[row] = (x[group] * (1 + z[group])).max(axis=0)
    return Plan(qubits, bases, terms, filled, (x | z)[:, list(qubits)], np.asarray(constant, dtype=np.int32))


def check_total(settings: Plan, shots: int) -> None:
    """Refuse fewer shots than there are groups."""
    if shots < settings.num_groups:
        raise ResultError(
            f"The observable needs {settings.num_groups} measurement settings, but `shots` is {shots}. Give at least "
            f"{settings.num_groups} shots; standard errors need two or more a setting."
        )


def group_weights(settings: Plan, coefficients: Any) -> Any:
    """sqrt(sum c^2) over the terms of each group: coefficients (T, m) -> (G,)."""
    each = (coefficients**2).sum(axis=-1)[settings.terms] * settings.filled
    return each.sum(axis=-1) ** 0.5


def allocate(weights: Any, shots: int) -> Any:
    """Share `shots` out over groups by `weights` (G,): one each, the rest in proportion; ints (G,)."""
    xp = np if isinstance(weights, np.ndarray) else jnp
    count = weights.shape[0]
    if count == 0:
        return xp.zeros(0, dtype=int)
    spare = shots - count
    total = xp.cumsum(weights)
    share = xp.where(total[-1] > 0, total / xp.where(total[-1] > 0, total[-1], 1), xp.arange(1, count + 1) / count)
    # cumulative rounding: each group within one shot of its share, and the total exact
    ends = xp.clip(xp.floor(share * spare + 0.5), 0, spare).astype(int)
    ends = xp.where(xp.arange(count) == count - 1, spare, ends)
    return 1 + xp.diff(ends, prepend=0)


def group_values(settings: Plan, coefficients: Array, bits: Array, group: Array) -> Array:
    """What each shot of a group says: bits (s, k) -> sum_t c_t (-1)^(parity of t), (s, m) for coefficients (T, m)."""
    xp = namespace(coefficients)
    terms = xp.asarray(settings.terms)[group]
    supports = xp.asarray(settings.supports, xp.float32)[terms]
    weights = coefficients[terms] * xp.asarray(settings.filled)[group][:, None].astype(coefficients.dtype)
    with jax.default_matmul_precision("highest"):
        signs = sign_of(xp, xp.asarray(bits).astype(xp.float32) @ supports.T)
        return signs.astype(coefficients.dtype) @ weights


def combine(settings: Plan, coefficients: Array, values: Array, groups: Array, weights: Any) -> tuple[Array, Array]:
    """Means over groups added up, and the covariance of the sum.

    Args:
        values: (S, m), one row for each shot or each outcome.
        groups: the group of each row (S,).
        weights: how often each row was seen (S,).
    """
    xp, count = namespace(values), settings.num_groups
    weights = xp.asarray(weights, values.dtype)[:, None]
    shots = _added(weights, groups, count)
    means = _added(weights * values, groups, count) / xp.maximum(shots, 1)
    off = values - means[groups]
    scale = weights / (shots * xp.maximum(shots - 1, 1))[groups]
    with jax.default_matmul_precision("highest"):
        covariance = (scale * off).T @ off
    return xp.sum(means, axis=0) + xp.sum(coefficients[settings.constant], axis=0), covariance


def _added(rows: Array, groups: Array, count: int) -> Array:
    """The sum of the rows (S, m) of each group: (count, m)."""
    if not isinstance(rows, np.ndarray):
        return jnp.zeros((count, rows.shape[1]), rows.dtype).at[groups].add(rows)
    total = np.zeros((count, rows.shape[1]), rows.dtype)
    np.add.at(total, groups, rows)
    return total


def _constants(settings: Plan, columns: Array) -> tuple[Array, Array]:
    """The values and errors of sums that need no shot."""
    constant = columns[settings.constant].sum(axis=0)
    return constant, namespace(columns).zeros((len(constant), len(constant)), constant.dtype)


def _rows(sample: Any, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Bits (s, k) and how often each row was seen."""
    if isinstance(sample, Mapping) or hasattr(sample, "to_dict"):
        table = dict(sample)
        rows = [[int(b) for b in outcome] for outcome in table]
        bits, weights = np.asarray(rows, dtype=np.uint8).reshape(len(rows), -1), np.asarray([*table.values()], float)
    else:
        bits = np.asarray(sample)
        weights = np.ones(len(bits))
    if bits.ndim != 2 or bits.shape[1] != width:
        raise ResultError(f"Samples of a group must have {width} bits a shot, but have shape {bits.shape}.")
    return bits, weights
