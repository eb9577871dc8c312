"""What a loss is given beside its parameters: all data in every step, or minibatches."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from qsim._checks import check_int
from qsim._errors import TrainingError
from qsim._execute import one_key
from qsim._typing import Array, Key, PyTree
from qsim.training.names import leaf_names


@jax.tree_util.register_dataclass
@dataclass(frozen=True, eq=False, repr=False)
class Minibatches:
    """Arrays of examples that a training loop takes in batches, in another order in every epoch.

    Made by `minibatches`. The batch of a step is a function of the step, the key and the data
    alone: nothing else has to be kept to go on with a training.

    Attributes:
        arrays: a pytree of arrays, examples first.
        key: of the orders, or None where the examples are taken as they stand.
        batch_size: how many examples there are in a batch.
        drop_remainder: whether the last examples of an epoch are left out where they fill no batch.

    Example:
        >>> import numpy as np
        >>> from qsim.training import minibatches
        >>> batches = minibatches(np.arange(10.0), 4)
        >>> len(batches), batches
        (2, Minibatches(10 examples, 4 at a time, 2 steps an epoch, in order))
    """

    arrays: PyTree
    key: Key
    batch_size: int = field(metadata={"static": True})
    drop_remainder: bool = field(metadata={"static": True})

    @property
    def num_examples(self) -> int:
        """How many examples there are."""
        return jax.tree.leaves(self.arrays)[0].shape[0]

    def __len__(self) -> int:
        """How many batches an epoch has."""
        size = self.batch_size
        return self.num_examples // size if self.drop_remainder else -(-self.num_examples // size)

    def batch(self, step: Any) -> PyTree:
        """The batch of a step, counted from 0; the loop of `minimize` computes the same one."""
        return _batch(self, step)

    def begin(self) -> PyTree:
        """What is kept between steps: the epoch and its order. There is none yet."""
        if self.key is None:
            return ()
        return jnp.full((), -1, jnp.int32), jnp.zeros((self.num_examples,), jnp.int32)

    def take(self, step: Array, kept: PyTree) -> tuple[PyTree, PyTree]:
        """The batch of a step, and what to keep; the order is drawn where the kept one is of another epoch."""
        epoch, place = jnp.divmod(step.astype(jnp.int32), len(self))
        rows = place * self.batch_size + jnp.arange(self.batch_size, dtype=jnp.int32)
        if not self.drop_remainder:
            rows = rows % self.num_examples
        if self.key is not None:
            order = jnp.arange(self.num_examples, dtype=jnp.int32)
            kept = lax.cond(
                epoch == kept[0],
                lambda: kept,
                lambda: (epoch, jax.random.permutation(jax.random.fold_in(self.key, epoch), order)),
            )
            rows = kept[1][rows]
        return jax.tree.map(lambda a: a.at[rows].get(mode="promise_in_bounds"), self.arrays), kept

    def __repr__(self) -> str:
        order = "in order" if self.key is None else "shuffled"
        size, steps = self.batch_size, len(self)
        return f"Minibatches({self.num_examples} examples, {size} at a time, {steps} steps an epoch, {order})"


@jax.jit
def _batch(batches: Minibatches, step: Array) -> PyTree:
    return batches.take(jnp.asarray(step), batches.begin())[0]


@jax.tree_util.register_dataclass
@dataclass(frozen=True, eq=False)
class Whole:
    """All data in every step, or no data where `arrays` is None."""

    arrays: PyTree

    def begin(self) -> PyTree:
        """Nothing is kept between steps."""
        return ()

    def take(self, step: Array, kept: PyTree) -> tuple[PyTree, PyTree]:
        """All of it."""
        return self.arrays, kept


def minibatches(data: PyTree, batch_size: int, *, key: Key = None, drop_remainder: bool = True) -> Minibatches:
    """Data for `minimize`, `batch_size` examples a step.

    An epoch is one pass through the data. With a key, the examples of epoch e are taken in the
    order that fold_in(key, e) draws; batches are gathered on the device, inside the loop.

    Args:
        data: a pytree of arrays (examples, ...), such as (features, labels), all with as many examples.
        batch_size: how many examples a batch has.
        key: a JAX key; None takes the examples in the order in which they stand, in every epoch.
        drop_remainder: True leaves out the last examples of an epoch where they do not fill a
            batch: others in every epoch with a key, always the same ones without. False fills the
            last batch with the first examples of the same epoch, which then count twice in it.

    Returns:
        The data, to be passed as `minimize(..., data=...)`.

    Raises:
        TrainingError: data that are no arrays or differ in length, or a batch larger than the data.

    Example:
        >>> import jax
        >>> import numpy as np
        >>> from qsim.training import minibatches
        >>> batches = minibatches((np.arange(6.0), np.arange(6) % 2), 2, key=jax.random.key(0))
        >>> features, labels = batches.batch(0)
        >>> features.shape, labels.shape
        ((2,), (2,))
    """
    arrays = as_arrays(data)
    found = {leaf.shape[0] if leaf.ndim else -1 for leaf in jax.tree.leaves(arrays)}
    if len(found) != 1 or -1 in found:
        shapes = ", ".join(
            f"`{n}` {leaf.shape}" for n, leaf in zip(leaf_names(arrays, "data"), jax.tree.leaves(arrays), strict=True)
        )
        raise TrainingError(
            f"Argument `data` must be arrays with the same number of examples first, but has {shapes or 'no arrays'}."
        )
    size, count = check_int("batch_size", batch_size, TrainingError, minimum=1), int(found.pop())
    if size > count:
        raise TrainingError(
            f"Argument `batch_size` must not be more than the examples of `data`, but is {size}, and there are {count}."
        )
    if not isinstance(drop_remainder, bool):
        raise TrainingError(f"Argument `drop_remainder` must be True or False, but is {drop_remainder!r}.")
    return Minibatches(arrays, None if key is None else one_key(key, TrainingError), size, drop_remainder)


def as_arrays(data: PyTree) -> PyTree:
    """`data` with JAX arrays for its leaves."""

    def convert(name: str, leaf: Any) -> Array:
        if isinstance(leaf, jax.Array):
            return leaf
        try:
            array = np.asarray(leaf)
        except ValueError:
            raise TrainingError(f"Argument `data` must be arrays, but `{name}` is a ragged list.") from None
        if array.dtype.kind not in "biufc" and array.dtype.name != "bfloat16":
            raise TrainingError(f"Argument `data` must be arrays of numbers, but `{name}` is of {array.dtype}.")
        return jnp.asarray(array)

    leaves, tree = jax.tree.flatten(data)
    names = leaf_names(data, "data")
    return jax.tree.unflatten(tree, [convert(n, leaf) for n, leaf in zip(names, leaves, strict=True)])
