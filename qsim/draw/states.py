"""States given to a picture: amplitudes or a density matrix, checked."""

from __future__ import annotations

from typing import Any

import numpy as np

from qsim._errors import ResultError

__all__ = ["density_of", "host_array", "num_qubits_in", "reduced_vectors"]

TOLERANCE = 1e-3


def host_array(value: Any, name: str) -> np.ndarray:
    """An array of finite numbers on the host.

    Raises:
        ResultError: a ragged list, values of a trace, NaN or what are no numbers.
    """
    if "Tracer" in type(value).__name__:
        raise ResultError(f"Argument `{name}` has no values inside jit, grad and vmap. Draw it outside.")
    try:
        array = np.asarray(value)
    except (ValueError, TypeError):
        array = np.asarray(None)
    if array.dtype.kind not in "iufc":
        try:
            array = array.astype(float) if array.dtype.kind == "V" or str(array.dtype) == "bfloat16" else None
        except (ValueError, TypeError):
            array = None
    if array is None:
        raise ResultError(
            f"Argument `{name}` must be an array of numbers, such as execute(...) gives, but is {type(value).__name__}."
        )
    if not np.isfinite(array).all():
        raise ResultError(f"Argument `{name}` holds NaN or infinity.")
    return array


def num_qubits_in(array: np.ndarray) -> int | None:
    """n where the array has the shape of amplitudes (2^n,) or of a density matrix (2^n, 2^n), else None."""
    size = array.shape[0] if array.ndim in (1, 2) else 0
    if size < 1 or size & (size - 1) or set(array.shape) != {size}:
        return None
    return size.bit_length() - 1


def density_of(state: Any, max_qubits: int) -> np.ndarray:
    """The density matrix (2^n, 2^n) of amplitudes (2^n,) or of itself.

    Raises:
        ResultError: another shape, a norm or trace other than 1, a matrix that is not Hermitian, too many qubits.

    Example:
        >>> density_of([0, 1], 2).real.tolist()
        [[0.0, 0.0], [0.0, 1.0]]
    """
    array = host_array(state, "state")
    n = num_qubits_in(array)
    if n is None:
        raise ResultError(
            "Argument `state` must be amplitudes (2^n,) or a density matrix (2^n, 2^n), but has shape "
            f"{array.shape}. Of a batch, draw one."
        )
    if n > max_qubits:
        raise ResultError(
            f"Argument `state` must be on at most {max_qubits} qubits for this picture, but is on {n}. Try "
            "`bloch`, or `histogram` of Counts."
        )
    check_norm(array)
    return np.outer(array, array.conj()).astype(complex) if array.ndim == 1 else array.astype(complex)


def check_norm(array: np.ndarray) -> None:
    """Refuse amplitudes that are not of norm 1, and what is no density matrix.

    Raises:
        ResultError: says which.
    """
    if array.ndim == 1:
        norm = float(np.linalg.norm(array))
        if abs(norm - 1) > TOLERANCE:
            raise ResultError(f"Argument `state` must have norm 1, but its norm is {norm:.4g}.")
        return
    trace, off = complex(np.trace(array)), float(np.abs(array - array.conj().T).max())
    if abs(trace - 1) > TOLERANCE or off > TOLERANCE:
        what = f"its trace is {trace:.4g}" if abs(trace - 1) > TOLERANCE else "it is not Hermitian"
        raise ResultError(f"Argument `state` must be a density matrix, Hermitian and of trace 1, but {what}.")


def reduced_vectors(array: np.ndarray) -> np.ndarray:
    """The Bloch vector of each qubit, (n, 3): the expectation values of X, Y and Z.

    Example:
        >>> reduced_vectors(np.array([1, 0, 0, 1]) / np.sqrt(2)).tolist()
        [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    n = num_qubits_in(array)
    assert n is not None
    vectors = np.zeros((n, 3))
    for q in range(n):
        before, after = 1 << q, 1 << (n - 1 - q)
        if array.ndim == 1:
            parts = array.reshape(before, 2, after)
            rho = np.einsum("aib,ajb->ij", parts, parts.conj())
        else:
            rho = np.einsum("aibajb->ij", array.reshape(before, 2, after, before, 2, after))
        vectors[q] = 2 * rho[0, 1].real, -2 * rho[0, 1].imag, (rho[0, 0] - rho[1, 1]).real
    return vectors + 0.0
