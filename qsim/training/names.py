"""Names of the leaves of a pytree, and of the entries in them, as people would write them."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import numpy as np

from qsim._typing import PyTree

MOST_NAMES = 5
"""How many entries a message lists."""


def leaf_names(tree: PyTree, root: str) -> list[str]:
    """The names of all leaves in order, such as `theta`, `layers.0.bias`; `root` where the tree is one leaf.

    Example:
        >>> from qsim.training.names import leaf_names
        >>> leaf_names({"theta": 1.0, "layers": [2.0, 3.0]}, "params")
        ['layers.0', 'layers.1', 'theta']
    """
    paths = [path for path, _ in jax.tree_util.tree_flatten_with_path(tree)[0]]
    return [jax.tree_util.keystr(path, simple=True, separator=".") or root for path in paths]


def not_finite(tree: PyTree, root: str) -> list[str]:
    """The entries that are NaN or infinite, by name: `theta[0, 3]`; those of numbers without axes: `bias`."""
    found = []
    for name, leaf in zip(leaf_names(tree, root), jax.tree.leaves(tree), strict=True):
        array = np.asarray(leaf)
        bad = ~np.isfinite(array.astype(np.float64))
        found += [f"{name}{list(map(int, index)) if index else ''}" for index in np.argwhere(bad).tolist()]
    return found


def listed(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    shown = ", ".join(f"`{name}`" for name in names[:MOST_NAMES])
    more = len(names) - MOST_NAMES
    return f"{shown} and {more} more" if more > 0 else shown
