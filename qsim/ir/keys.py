"""What fixes an operation but for the values of its parameters and arrays."""

from __future__ import annotations

from collections.abc import Hashable
from hashlib import blake2b
from typing import Any

import numpy as np

from qsim._errors import CircuitError
from qsim.ir.interface import MAX_READ, checked_definition, in_words, is_of_user
from qsim.ir.parameter import is_number

MAX_APPLIED = 20
"""Qubits of the largest operation that is applied to a vector to tell it from others."""


def key_of(operation: Any) -> Hashable:
    """The structural key of an operation: equal keys, one compiled program.

    An operation of a user without `key`, or with numbers that nothing can replace, is known by
    its type, name, sizes and what it does, values included: its definition, its matrix, or what
    it makes of one vector.

    Raises:
        CircuitError: it has no definition, and its numbers are not all constants, or what it does is not to be had.
    """
    key = getattr(operation, "key", None)
    if key is not None and (is_replaceable(operation) or not is_of_user(operation)):
        return key
    return _content(operation)


def is_replaceable(operation: Any) -> bool:
    """Whether the numbers of an operation, if it has any, can be others; where not, its key has its own in it."""
    return hasattr(operation, "replace") or not (len(operation.params) or len(getattr(operation, "arrays", ())))


def is_defined(operation: Any) -> bool:
    """Whether an operation of a user is known by its definition, and so run by it, whatever else it offers."""
    if not is_of_user(operation) or not hasattr(operation, "definition"):
        return False
    return getattr(operation, "key", None) is None or not is_replaceable(operation)


def _content(operation: Any) -> Hashable:
    o = operation
    arrays = getattr(o, "arrays", ())
    shapes = tuple((np.shape(a), np.dtype(a.dtype).str) for a in arrays)
    sizes = (type(o).__module__, type(o).__qualname__, o.name, o.num_qubits, o.num_clbits, o.num_params, shapes)
    if is_defined(o):
        inside = checked_definition(o)
        if inside.values():
            raise CircuitError(f"{o.name}: with JAX values in its definition, it must have {_needed(o)} here.")
        return (*sizes, inside.key, inside.numbers().tobytes())
    if not all(is_number(p) for p in o.params) or not all(isinstance(a, (np.ndarray, np.generic)) for a in arrays):
        raise CircuitError(
            f"{o.name}: an operation whose numbers are not all constants (floats, NumPy arrays) must have "
            f"{_needed(o)}, or definition()."
        )
    values = tuple(float(p) for p in o.params)
    return (*sizes, values, blake2b(_action(o), digest_size=16).hexdigest())


def _action(operation: Any) -> bytes:
    """What an operation does, as the bytes of its matrix, or of what it makes of one vector without symmetries."""
    o = operation
    has_matrix = hasattr(o, "matrix") and (o.num_qubits <= MAX_READ or not hasattr(o, "apply"))
    if not has_matrix and not hasattr(o, "apply"):
        return b""
    if not has_matrix and o.num_qubits > MAX_APPLIED:
        raise CircuitError(
            f"{o.name}: an operation on more than {MAX_APPLIED} qubits must have {_needed(o)}, but is on "
            f"{o.num_qubits}: it cannot be told from others by what it does."
        )
    try:
        if has_matrix:
            return np.asarray(o.matrix(np), dtype=complex).tobytes()
        parts = np.random.default_rng(0).normal(size=(2, 1 << o.num_qubits, 1))
        return np.asarray(o.apply(np, parts[0] + 1j * parts[1]), dtype=complex).tobytes()
    except Exception as error:
        asked = "matrix(numpy)" if has_matrix else "apply(numpy, columns)"
        raise CircuitError(
            f"{o.name}: what tells it from others is what it does, but {asked} fails: {in_words(error)}. Give it "
            f"{_needed(o)}."
        ) from error


def _needed(operation: Any) -> str:
    return "`key`" if is_replaceable(operation) else "`key` and `replace(params, arrays)`"
