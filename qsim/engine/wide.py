"""One operation on more qubits than a block: its axes are moved to the front, it is applied, they are moved back."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from qsim._errors import CircuitError
from qsim.ir.controlled import split_controls
from qsim.kernels.packed import pack, unpack
from qsim.lower.plan import Wide


def _moved(segment: Wide, psi: Any) -> tuple[Any, Any]:
    """psi (2^n,) as columns (2^m, 2^(n-m)), and the function that moves them back."""
    n, m = segment.num_qubits, len(segment.qubits)
    front = tuple(range(m))
    columns = jnp.moveaxis(psi.reshape((2,) * n), segment.qubits, front).reshape(1 << m, -1)

    def back(columns: Any) -> Any:
        return jnp.moveaxis(columns.reshape((2,) * n), front, segment.qubits).reshape(-1)

    return columns, back


def _act(operation: Any, columns: Any) -> Any:
    if hasattr(operation, "apply"):
        applied = operation.apply(jnp, columns)
        return _checked(applied, columns.shape, operation, "apply(xp, columns)")
    return jnp.matmul(_matrix(operation, columns), columns, precision=lax.Precision.HIGHEST)


def _matrix(operation: Any, columns: Any) -> Any:
    matrix = _checked(operation.matrix(jnp), (columns.shape[0],) * 2, operation, "matrix(xp)")
    return jnp.asarray(matrix, columns.dtype)


def _checked(made: Any, shape: tuple[int, ...], operation: Any, asked: str) -> Any:
    if isinstance(made, (list, tuple)):
        made = jnp.asarray(made)
    found = getattr(made, "shape", ())
    if found != shape:
        raise CircuitError(f"{operation.name}: {asked} must give shape {shape}, but gives {found}.")
    return made


def _operation(segment: Wide, numbers: Any) -> Any:
    params, arrays = numbers
    if not params and not arrays:
        return segment.operation
    return segment.operation.replace(tuple(params), tuple(arrays))


def forward(segment: Wide, numbers: Any, tables: Any, x: Any) -> Any:
    """Apply the operation; `numbers` is (params, arrays)."""
    columns, back = _moved(segment, unpack(x))
    return pack(back(_act(_operation(segment, numbers), columns)), segment.k)


def backward(segment: Wide, numbers: Any, tables: Any, x: Any, ct: Any) -> tuple[Any, Any, Any]:
    """Undo the operation by its inverse and pull the cotangent back."""
    operation = _operation(segment, numbers)
    columns, back = _moved(segment, unpack(x))
    inverse = operation.inverse() if hasattr(operation, "apply") and hasattr(operation, "inverse") else None
    if hasattr(inverse, "apply") or hasattr(inverse, "matrix"):
        columns = _act(inverse, columns)
    elif not hasattr(operation, "matrix"):
        raise CircuitError(
            f"{operation.name} on qubits {segment.qubits}: the adjoint gradient undoes an operation by its inverse(), "
            f"matrix(xp) or definition(), but {type(split_controls(operation)[0]).__name__} has none of them that "
            "can be applied. Give it one, or use gradient=Backprop()."
        )
    else:
        matrix = _matrix(operation, columns)
        columns = jnp.matmul(matrix.conj().T, columns, precision=lax.Precision.HIGHEST)
    before = pack(back(columns), segment.k)
    _, pull = jax.vjp(lambda p, y: forward(segment, p, tables, y), numbers, before)
    numbers_bar, ct = pull(ct)
    return before, ct, numbers_bar
