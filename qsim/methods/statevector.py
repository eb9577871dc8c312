"""The state vector method: all 2^n amplitudes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from qsim._checks import check_memory, physical_memory
from qsim._errors import MethodError
from qsim.ir.circuit import Circuit
from qsim.ir.operation import Conditional, Measure, Reset
from qsim.lower import cost
from qsim.methods.base import Method

MAX_QUBITS = 32
"""Places of amplitudes are uint32: without 64-bit mode JAX has no wider ones."""


@dataclass(frozen=True)
class Statevector(Method):
    """Simulate |psi> = U_m ... U_1 |0...0> with 2^n complex amplitudes.

    Args:
        dtype: complex64 or complex128; the latter needs JAX's x64 mode.

    Raises:
        MethodError: another dtype, or complex128 while x64 is off; more than 32 qubits.

    Example:
        >>> from qsim import Circuit, execute
        >>> from qsim.methods import Statevector
        >>> execute(Circuit(1).x(0), method=Statevector()).real.tolist()
        [0.0, 1.0]
    """

    dtype: Any = jnp.complex64

    reversible: ClassVar[bool] = True
    exact: ClassVar[bool] = True
    samples: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "dtype", check_dtype("Statevector", self.dtype))

    @property
    def max_qubits(self) -> int | None:
        memory = device_memory()
        fits = MAX_QUBITS if memory is None else max(0, (memory // self.dtype.itemsize).bit_length() - 1)
        return min(fits, MAX_QUBITS)

    def check(self, circuit: Circuit) -> None:
        check_dtype("Statevector", self.dtype)
        check_state_memory(circuit.num_qubits, self.dtype, 1 << circuit.num_qubits, "state", self.max_qubits)
        if circuit.num_qubits > MAX_QUBITS:
            raise MethodError(
                f"Statevector holds at most {MAX_QUBITS} qubits, whatever the memory, since it numbers amplitudes by "
                f"32 bits; this circuit has {circuit.num_qubits}. Use fewer qubits."
            )
        check_operations(circuit, "Statevector")


def check_dtype(method: str, dtype: Any) -> np.dtype:
    """The dtype of a method, complex64 or complex128, as a NumPy dtype."""
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = None
    if found is None or found not in (np.dtype("complex64"), np.dtype("complex128")):
        raise MethodError(f"Argument `dtype` of {method} must be complex64 or complex128, but is {dtype!r}.")
    if found == np.dtype("complex128") and not jax.config.jax_enable_x64:  # pyright: ignore[reportAttributeAccessIssue]
        raise MethodError(
            f"{method}(dtype=complex128) needs JAX's 64-bit mode, which is off. Switch it on at the start of the "
            'program with jax.config.update("jax_enable_x64", True), or run with JAX_ENABLE_X64=1.'
        )
    return found


def device_memory() -> int | None:
    """The memory of JAX's default device in bytes; None where it does not say."""
    device = _accelerator()
    return physical_memory() if device is None else (device.memory_stats() or {}).get("bytes_limit")


def batch_amplitudes() -> int:
    """How many amplitudes of a batch are run at a time on JAX's default device."""
    memory = None if _accelerator() is None else device_memory()
    return cost.CHUNK if memory is None else max(cost.CHUNK, int(cost.DEVICE_CHUNK * memory) // 8)


def _accelerator() -> Any:
    """JAX's default device, None if it is a CPU."""
    default = jax.config.jax_default_device  # pyright: ignore[reportAttributeAccessIssue]
    device = jax.devices(default)[0] if default is None or isinstance(default, str) else default
    return None if device.platform == "cpu" else device


def check_state_memory(num_qubits: int, dtype: np.dtype, amplitudes: int, what: str, fits: int | None) -> None:
    """Refuse a state or matrix that does not fit, naming its size and what would fit."""
    memory = device_memory()
    size = amplitudes * dtype.itemsize
    about = "" if fits is None else f"About {fits} qubits would fit. "
    check_memory(
        f"The {what} of {num_qubits} qubits in {dtype.name}",
        size,
        memory,
        f"{about}Use fewer qubits{', or complex64' if dtype == np.dtype('complex128') else ''}.",
    )


def check_operations(circuit: Circuit, method: str) -> None:
    """Refuse what a unitary simulation cannot run: reset, conditions, measurements that are not last."""
    measured: dict[int, int] = {}
    for place, i in enumerate(circuit.instructions):
        operation = i.operation
        where = f"instruction {place}"
        line = getattr(operation, "line", None)
        where += "" if line is None else f", line {line}"
        if isinstance(operation, (Reset, Conditional)):
            raise MethodError(
                f"{operation.name} on qubits {i.qubits} ({where}) cannot be run by {method}, which runs unitary "
                "circuits with measurements at the end."
            )
        if isinstance(operation, Measure):
            measured[i.qubits[0]] = place
            continue
        for q in i.qubits:
            if q in measured and operation.name != "barrier":
                raise MethodError(
                    f"{operation.name} on qubit {q} ({where}) comes after its measurement (instruction "
                    f"{measured[q]}); {method} runs circuits with measurements at the end. Move the measurement "
                    "to the end, or leave it out."
                )


__all__ = ["Statevector", "batch_amplitudes", "check_dtype", "check_operations", "check_state_memory", "device_memory"]
