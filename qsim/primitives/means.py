"""The result behind the `Estimator`: many sums over the same Pauli strings, from one state or from the same shots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from qsim._errors import ResultError
from qsim._typing import Array
from qsim.ir.ops.base import namespace
from qsim.ir.pauli_masks import PauliString
from qsim.methods.base import AbstractState
from qsim.methods.paulis import pauli_means
from qsim.primitives.draw import draw
from qsim.results import Context, Estimate, Result, measurement
from qsim.results.base import check_key, pytree
from qsim.results.measurement import Setting
from qsim.results.observable import PauliObservable, pauli_table

BLOCK = 4096
"""Shots that are drawn at once."""


@pytree("columns")
@dataclass(frozen=True, eq=False)
class Means(Result):
    """sum_t c_tk <P_t> for each k; with shots, estimates of all of them from the same measurements.

    The strings fall into groups that are measured together, each with as many shots as the run says.

    Args:
        strings: the Pauli strings (T,).
        columns: coefficients (T, K); None is one column for each string.
        covariance: True where the covariance (K, K) of the errors is wanted, not only their squares (K,).

    Without shots the value is (K,), with them an `Estimate` of it with the squared errors, or their covariance.
    """

    strings: tuple[PauliString, ...]
    columns: Array = None
    covariance: bool = False
    needs = frozenset()
    differentiable = True
    degree = 1

    @property
    def error_shape(self) -> tuple[int, ...]:
        """The shape of the squared errors, (K,), or of their covariance, (K, K)."""
        count = len(self.strings) if self.columns is None else self.columns.shape[1]
        return (count,) * (1 + self.covariance)

    def check(self, context: Context) -> None:
        most = max((string[-1][0] for string in self.strings if string), default=-1)
        if most >= context.num_qubits:
            raise ResultError(f"An observable acts on qubit {most}, but the circuit has {context.num_qubits} qubits.")
        if context.shots is not None:
            check_key("Estimator", context)

    def evaluate(self, state: AbstractState, context: Context) -> Array | Estimate:
        real = state.norm_squared().dtype
        columns = None if self.columns is None else jnp.asarray(self.columns).astype(real)
        if context.shots is None:
            table = pauli_table(self.strings, state.num_qubits)
            if columns is not None and columns.shape[1] == 1:
                return state.expect(PauliObservable(table, columns[:, 0]))[None]
            means = pauli_means(table, state.amplitudes())
            return means if columns is None else _times(means, columns)
        columns = jnp.eye(len(self.strings), dtype=real) if columns is None else columns
        plan = measurement.structure(self.strings, state.num_qubits)
        return self._simulated(state, plan, columns, context.shots, context.key)

    def settings(self, context: Context) -> tuple[Setting, ...]:
        plan = measurement.structure(self.strings, context.num_qubits)
        return tuple(Setting(tuple(bases), plan.qubits, context.shots or 0) for bases in plan.bases.tolist())

    def from_bits(self, context: Context, samples: Sequence[np.ndarray]) -> Estimate:
        columns = np.eye(len(self.strings)) if self.columns is None else np.asarray(self.columns, float)
        plan = measurement.structure(self.strings, context.num_qubits)
        parts = []
        for group, bits in enumerate(samples):
            values = measurement.group_values(plan, columns, np.asarray(bits), np.asarray(group))
            mean = values.mean(axis=0)
            parts.append((mean, self._squares(values - mean, np.ones(len(values)))))
        means = np.stack([mean for mean, _ in parts]) if parts else np.zeros((0, columns.shape[1]))
        squares = np.stack([square for _, square in parts]) if parts else np.zeros((0, *self.error_shape))
        return self._estimate(plan, columns, means, squares, context.shots or 1)

    def _simulated(self, state: AbstractState, plan: Any, columns: Array, shots: int, key: Array) -> Estimate:
        count = plan.num_groups
        shape = self.error_shape
        if count == 0:
            zero = jnp.zeros((0, columns.shape[1]), columns.dtype)
            return self._estimate(plan, columns, zero, jnp.zeros((0, *shape), columns.dtype), shots)
        blocks = -(-shots // BLOCK)
        size = -(-shots // blocks)
        full = np.full(blocks, size)
        full[-1] = shots - size * (blocks - 1)
        groups, left = np.repeat(np.arange(count, dtype=np.int32), blocks), np.tile(full, count).astype(np.int32)
        bases = jnp.asarray(plan.bases, jnp.int32)

        def measure(_: None, step: Any) -> Any:
            block_key, group, real = step
            bits = draw(state.rotate(bases[group]), block_key, size, plan.qubits)
            values = measurement.group_values(plan, columns, bits, group)
            weights = (jnp.arange(size) < real).astype(values.dtype)
            mean = _times(weights, values) / real
            return None, (mean, self._squares(values - mean, weights))

        steps = (jax.random.split(key, count * blocks), jnp.asarray(groups), jnp.asarray(left))
        means, squares = lax.scan(measure, None, steps)[1]
        means, squares = means.reshape(count, blocks, -1), squares.reshape(count, blocks, *shape)
        weights = jnp.asarray(full / shots, columns.dtype)
        whole = jnp.einsum("b,gbk->gk", weights, means, precision="highest")
        off = means - whole[:, None]
        between = jax.vmap(lambda rows: self._squares(rows, weights * shots))(off)
        return self._estimate(plan, columns, whole, squares.sum(axis=1) + between, shots)

    def _squares(self, off: Array, weights: Array) -> Array:
        """The sum over rows (s, K) of their products with each other (K, K), or of their squares (K,)."""
        weighted = off * weights[:, None].astype(off.dtype)
        if not self.covariance:
            return (weighted * off).sum(axis=0)
        with jax.default_matmul_precision("highest"):
            return weighted.T @ off

    def _estimate(self, plan: Any, columns: Array, means: Array, squares: Array, shots: int) -> Estimate:
        """Groups added up; they are measured apart, so that their errors are independent."""
        value = means.sum(axis=0) + columns[plan.constant].sum(axis=0)
        return Estimate(value, squares.sum(axis=0) / (shots * max(shots - 1, 1)))


def _times(vector: Array, columns: Array) -> Array:
    return namespace(columns).matmul(vector, columns, precision=lax.Precision.HIGHEST)
