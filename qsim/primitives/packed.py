"""The result behind the `Sampler`: measured bits of each register, packed into bytes where they were drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import jax.numpy as jnp
import numpy as np

from qsim._typing import Array
from qsim.ir.ops.base import namespace
from qsim.methods.base import AbstractState
from qsim.primitives.draw import draw
from qsim.results import Context, Result, Samples
from qsim.results.base import pytree
from qsim.results.measurement import Setting

_WEIGHTS = np.array([128, 64, 32, 16, 8, 4, 2, 1], np.uint8)


@pytree()
@dataclass(frozen=True, eq=False)
class Packed(Result):
    """Shots as bytes, uint8 (shots, B): register by register, as `BitArray` has them.

    Args:
        registers: for each register the classical bits that its string shows, from left to right.
    """

    registers: tuple[tuple[int, ...], ...]
    needs = frozenset({"sampling"})
    differentiable = False

    def check(self, context: Context) -> None:
        Samples().check(context)

    def evaluate(self, state: AbstractState, context: Context) -> Array:
        measured = dict(context.measured or ())
        qubits = sorted(set(measured.values()))
        bits = draw(state, context.key, context.shots or 0, qubits)
        return self._pack(bits, {clbit: qubits.index(q) for clbit, q in measured.items()})

    def settings(self, context: Context) -> tuple[Setting, ...]:
        return Samples().settings(context)

    def from_bits(self, context: Context, samples: Sequence[np.ndarray]) -> Array:
        bits = Samples().from_bits(context, samples)
        return self._pack(bits, {clbit: clbit for clbit in range(context.num_clbits)})

    @property
    def bounds(self) -> tuple[tuple[int, int], ...]:
        """The first byte of each register, and the one after its last."""
        ends = np.cumsum([0, *(-(-len(places) // 8) for places in self.registers)]).tolist()
        return tuple(pairwise(ends))

    def _pack(self, bits: Any, column: dict[int, int]) -> Array:
        """Bytes (shots, B) of bits (shots, k), of which classical bit c is in `column[c]`; 0 where it is in none."""
        xp = namespace(bits)
        zero = xp.zeros(bits.shape[0], xp.uint8)
        found = []
        for places in self.registers:
            padded = (*(-1,) * (-len(places) % 8), *places)
            for start in range(0, len(padded), 8):
                byte = zero
                for weight, place in zip(_WEIGHTS.tolist(), padded[start : start + 8], strict=True):
                    if place in column:
                        byte = byte + bits[:, column[place]].astype(xp.uint8) * xp.asarray(weight, xp.uint8)
                found.append(byte)
        return xp.stack(found, axis=1) if found else jnp.zeros((bits.shape[0], 0), jnp.uint8)
