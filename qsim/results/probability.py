"""Probabilities of the bit strings of some qubits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from qsim.kernels import bits
from qsim.methods.base import AbstractState
from qsim.results.base import Context, Result, all_qubits, check_key, check_qubits, clean_qubits, pytree
from qsim.results.measurement import Estimate, Setting

Array = Any


@pytree()
@dataclass(frozen=True, eq=False)
class Probabilities(Result):
    """The probabilities of the bit strings of some qubits: real (2^k,); with shots, frequencies.

    p(b) = sum over the other qubits of |psi|^2, not divided by the norm.

    Args:
        qubits: the k qubits, the first most significant; default all.
        stderr: True for the pytree `Estimate(value, stderr)`; the error is 0 without shots.

    Raises:
        ResultError: qubits that cannot be.

    Example:
        >>> from qsim import Circuit, execute
        >>> from qsim.results import Probabilities
        >>> execute(Circuit(2).x(1), Probabilities([1])).tolist()
        [0.0, 1.0]
    """

    qubits: Sequence[int] | None = None
    stderr: bool = False
    needs = frozenset()
    differentiable = True
    degree = 1

    def __post_init__(self) -> None:
        if self.qubits is not None:
            object.__setattr__(self, "qubits", clean_qubits("Probabilities", self.qubits))

    def check(self, context: Context) -> None:
        check_qubits("Probabilities", self.qubits, context)
        if context.shots is not None:
            check_key("Probabilities", context)

    def evaluate(self, state: AbstractState, context: Context) -> Array | Estimate:
        qubits = all_qubits(self.qubits, state.num_qubits)
        if context.shots is None:
            value = state.probabilities(qubits)
            return Estimate(value, jnp.zeros_like(value)) if self.stderr else value
        drawn = state.sample(context.key, context.shots, qubits)
        return self._frequencies(drawn, state.norm_squared().dtype)

    def settings(self, context: Context) -> tuple[Setting, ...]:
        qubits = all_qubits(self.qubits, context.num_qubits)
        return (Setting.computational(context.num_qubits, qubits, context.shots or 0),)

    def from_bits(self, context: Context, samples: Sequence[np.ndarray]) -> Array | Estimate:
        drawn = samples[0]
        value = np.bincount(bits.pack(np, drawn), minlength=1 << drawn.shape[1]) / len(drawn)
        return self._with_error(value, len(drawn))

    def _frequencies(self, drawn: Array, dtype: Any) -> Array | Estimate:
        shots, k = drawn.shape
        # counted as integers: float32 stops counting at 2^24
        high = k // 2  # in two parts: places of more than 31 bits are no index of a scatter
        row, column = bits.pack(jnp, drawn[:, :high]), bits.pack(jnp, drawn[:, high:])
        seen = jnp.zeros((1 << high, 1 << (k - high)), jnp.int32).at[row, column].add(1)
        return self._with_error(seen.reshape(-1).astype(dtype) / shots, shots)

    def _with_error(self, value: Array, shots: int) -> Array | Estimate:
        return Estimate(value, (value * (1 - value) / max(shots - 1, 1)) ** 0.5) if self.stderr else value
