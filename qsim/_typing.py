"""The types that signatures name. No JAX in here: an array is whatever acts like one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

Array: TypeAlias = Any
"""A JAX array, traced or concrete, or a NumPy array."""

PyTree: TypeAlias = Any
"""Any nesting of tuples, lists, dicts and registered classes, as `jax.tree` sees it."""

Param: TypeAlias = Any
"""A gate argument: a number, a `Parameter`, an expression of them, a JAX scalar, or an array of these."""

Qubits: TypeAlias = int | Sequence[int]
"""One qubit, or as many as a gate is to be broadcast over."""

Params: TypeAlias = Mapping[Any, Any]
"""Values by the name of a parameter, or by the `Parameter` or `ParameterVector` itself."""

Key: TypeAlias = Any
"""A JAX random key, such as `jax.random.key(0)`."""
