"""What fixes an operation but for the values of its parameters and arrays."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np

from qsim._errors import CircuitError
from qsim.ir.parameter import is_number


def key_of(operation: Any) -> Hashable:
    """The structural key of an operation: equal keys, one compiled program.

    An operation without `key` is known by its type, name, sizes and what it does: its
    matrix or its definition, values included.

    Raises:
        CircuitError: it has neither, or its parameters have no values and it has no `replace`.
    """
    key = getattr(operation, "key", None)
    return key if key is not None else _content(operation)


def _content(operation: Any) -> Hashable:
    o = operation
    sizes = (type(o).__module__, type(o).__qualname__, o.name, o.num_qubits, o.num_clbits, o.num_params)
    if all(is_number(p) for p in o.params):
        values = tuple(float(p) for p in o.params)
        if hasattr(o, "matrix"):
            return (*sizes, values, np.asarray(o.matrix(np), dtype=complex).tobytes())
        if not hasattr(o, "definition"):
            return (*sizes, values)
    if hasattr(o, "definition"):
        inside = o.definition()
        return (*sizes, inside.key, inside.numbers().tobytes())
    raise CircuitError(
        f"{o.name}: an operation whose parameters have no values yet must have `key` and `replace(params, arrays)`, "
        f"or definition(), but {type(o).__name__} has neither."
    )
