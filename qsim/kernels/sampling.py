"""Drawing bit strings by descending a binary tree of marginals.

Each level asks one fresh uniform number for one bit, so the resolution of a float32
uniform (23 bits) is never exhausted, whatever the number of qubits; a search in a
cumulative sum with one number can only ever find 2^23 places.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

from qsim.kernels.take import take_places


def tree(xp: Any, weights: Any) -> Any:
    """Pair sums of weights (2^k,) as a heap (2^k, 2): row i holds the weights of the children of node i.

    The root is node 1, the children of node i are 2 i and 2 i + 1, the leaves come last.
    """
    levels = [weights]
    while levels[-1].shape[0] > 1:
        levels.append(levels[-1][0::2] + levels[-1][1::2])
    return xp.reshape(xp.concat([xp.zeros((1,), dtype=weights.dtype), *levels[::-1]]), (-1, 2))


def descend(heap: Any, uniforms: Any) -> Any:
    """Bits (shots, k) as uint8, first qubit first, from `tree` and uniform numbers (k, shots) in [0, 1); k at most 32.

    A child of weight zero is never taken while the other has any: u (a + 0) < a for every u < 1.
    A scan over levels: unrolled, XLA computes every level again in each later one.
    """

    def level(node: Any, uniform: Any) -> tuple[Any, Any]:
        children = take_places(heap, node[:, None])
        zero, one = children[:, 0], children[:, 1]
        bit = (uniform * (zero + one) >= zero).astype(jnp.uint32)
        return 2 * node + bit, bit.astype(jnp.uint8)

    root = jnp.ones(uniforms.shape[1], jnp.uint32)
    return lax.scan(level, root, uniforms)[1].T
