"""The exceptions of qsim, to be imported by name; their tree is drawn in `qsim._errors`.

Example:
    >>> from qsim import Circuit
    >>> from qsim.errors import CircuitError
    >>> try:
    ...     Circuit(1).h(1)
    ... except CircuitError as error:
    ...     print(error)
    h: qubit 1 is out of range; the circuit has 1 qubits, numbered 0 to 0.
"""

from __future__ import annotations

from qsim._errors import (
    BackendError,
    CircuitError,
    DivergedError,
    JobCancelled,
    JobError,
    JobTimeout,
    MemoryLimitError,
    MethodError,
    ObservableError,
    ParameterError,
    QasmError,
    QsimError,
    ResultError,
    SerialError,
    TargetError,
    TrainingError,
)

__all__ = [
    "BackendError",
    "CircuitError",
    "DivergedError",
    "JobCancelled",
    "JobError",
    "JobTimeout",
    "MemoryLimitError",
    "MethodError",
    "ObservableError",
    "ParameterError",
    "QasmError",
    "QsimError",
    "ResultError",
    "SerialError",
    "TargetError",
    "TrainingError",
]
