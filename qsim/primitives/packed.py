"""The result behind the `Sampler`: measured bits of each register, packed into bytes where they were drawn."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import jax.numpy as jnp
import numpy as np

from qsim._typing import Array

_WEIGHTS = np.array([128, 64, 32, 16, 8, 4, 2, 1], np.uint8)


@dataclass(frozen=True)
class Pack:
    """Bits uint8 (shots, clbits) -> bytes uint8 (shots, B), register by register; for `Map`.

    Args:
        registers: for each register the classical bits that its string shows, from left to right.
    """

    registers: tuple[tuple[int, ...], ...]

    def __call__(self, bits: Any) -> Array:
        zero = bits.shape[-1]
        columns = [c for places in self.registers for c in (*(zero,) * (-len(places) % 8), *places)]
        padded = jnp.concatenate([bits, jnp.zeros((*bits.shape[:-1], 1), jnp.uint8)], axis=-1)
        chosen = padded[..., np.asarray(columns, np.int32)].reshape(*bits.shape[:-1], -1, 8)
        return jnp.sum(chosen * _WEIGHTS, axis=-1, dtype=jnp.uint8)

    @property
    def bounds(self) -> tuple[tuple[int, int], ...]:
        """The first byte of each register, and the one after its last."""
        ends = np.cumsum([0, *(-(-len(places) // 8) for places in self.registers)]).tolist()
        return tuple(pairwise(ends))
