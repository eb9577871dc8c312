"""The random key of a run: the one given, or one from the operating system that is written down."""

from __future__ import annotations

import os

import jax
import numpy as np
from jax.core import Tracer

from qsim._errors import ResultError
from qsim._execute import one_key
from qsim._typing import Key, PyTree
from qsim.backends.placement import is_staged


def key_of_seed(key: Key, seed: int | None) -> Key:
    """The key that a primitive was made with.

    Raises:
        ResultError: a key and a seed, or a seed that is no int.
    """
    if seed is None:
        return None if key is None else one_key(key, ResultError)
    if key is not None:
        raise ResultError("Arguments `key` and `seed` are two words for one thing. Give one of them.")
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 1 << 63:
        raise ResultError(f"Argument `seed` must be an int of 0 or more, but is {seed!r}. Or give a JAX key as `key`.")
    return jax.random.fold_in(jax.random.key(int(seed) & 0x7FFFFFFF), int(seed) >> 31)


def key_of_run(key: Key, name: str, arrays: PyTree) -> Key:
    """`key`, or a fresh one where it is None.

    Raises:
        ResultError: it is None while JAX is tracing, since what is drawn then would stay in the program.
    """
    if key is not None:
        return key
    if is_staged() or any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(arrays)):
        raise ResultError(
            f"{name} draws samples inside a JAX transformation, which needs a key from outside: one drawn here would "
            f"be the same in every call. Try {name}(key=key), with the key as an argument of your function."
        )
    like = jax.eval_shape(lambda: jax.random.key_data(jax.random.key(0)))  # nothing is compiled for it
    words = np.frombuffer(os.urandom(4 * like.size), np.uint32).reshape(like.shape)
    return jax.random.wrap_key_data(jax.device_put(words))


def keys_of_groups(key: Key, count: int) -> list[Key]:
    """One key for each of `count` programs: `key` itself where there is but one."""
    if key is None or count == 1:
        return [key] * count
    return [jax.random.fold_in(key, number) for number in range(count)]
