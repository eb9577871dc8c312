"""Drawing bit strings by descending a binary tree of marginals.

Each level asks one fresh uniform number for one bit, so the resolution of a float32
uniform (23 bits) is never exhausted, whatever the number of qubits; a search in a
cumulative sum with one number can only ever find 2^23 places.
"""

from __future__ import annotations

from typing import Any


def tree(xp: Any, weights: Any) -> list[Any]:
    """Pair sums of weights (2^k,), from the root: level j, shape (2^j, 2), holds the weights of both children.

    The levels take 2 * 2^k numbers in all.
    """
    levels: list[Any] = []
    while weights.shape[0] > 1:
        pairs = xp.reshape(weights, (-1, 2))
        levels.append(pairs)
        weights = xp.sum(pairs, axis=-1)
    return levels[::-1]


def descend(xp: Any, levels: list[Any], uniforms: Any) -> Any:
    """Bits (shots, k) as uint8, first qubit first, from `tree` and uniform numbers (k, shots) in [0, 1).

    A child of weight zero is never taken while the other has any: u (a + 0) < a for every u < 1.
    """
    shots = uniforms.shape[1]
    node = xp.zeros((shots,), dtype=xp.int32)
    bits = []
    for pairs, uniform in zip(levels, uniforms, strict=True):
        children = xp.take(pairs, node, axis=0)
        zero, one = children[:, 0], children[:, 1]
        bit = uniform * (zero + one) >= zero
        bits.append(bit)
        node = 2 * node + xp.astype(bit, xp.int32)
    if not bits:
        return xp.zeros((shots, 0), dtype=xp.uint8)
    return xp.astype(xp.stack(bits, axis=-1), xp.uint8)
