"""The exceptions of qsim: one tree, drawn here.

::

    QsimError
    ├── CircuitError (ValueError)      a gate, qubit or classical bit that cannot be
    ├── ParameterError (ValueError)    unbound, unknown or badly shaped parameters
    ├── ObservableError (ValueError)   a Pauli sum or other observable that cannot be
    ├── ResultError (ValueError)       a result this method or backend cannot give
    ├── MethodError (ValueError)       a method, dtype or gradient rule that cannot run this
    ├── TargetError (ValueError)       a circuit the target cannot run, or a target that cannot be
    ├── BackendError (ValueError)      an unknown backend, or one that cannot be used here
    ├── MemoryLimitError (ValueError)  a state or matrix larger than the memory there is
    ├── SerialError (ValueError)       a file or JSON text that is not what it claims to be
    ├── TrainingError (ValueError)     a loss, parameters, data or optimizer that cannot be trained
    │   └── DivergedError              the loss or the parameters became NaN or infinite; has `result`
    ├── QasmError (ValueError)         OpenQASM text that cannot be read; has `line` and `column`
    └── JobError (RuntimeError)
        ├── JobTimeout (TimeoutError)  the result did not come in time; the job lives on
        └── JobCancelled
"""

from __future__ import annotations

from typing import Any


class QsimError(Exception):
    """The root of every error that qsim raises on purpose."""


class CircuitError(QsimError, ValueError):
    """A gate, a qubit or a classical bit that cannot be."""


class ParameterError(QsimError, ValueError):
    """Unbound, unknown or badly shaped parameters."""


class ObservableError(QsimError, ValueError):
    """A Pauli sum or other observable that cannot be."""


class ResultError(QsimError, ValueError):
    """A result that this method, backend or circuit cannot give."""


class MethodError(QsimError, ValueError):
    """A method, dtype or gradient rule that cannot run this circuit."""


class TargetError(QsimError, ValueError):
    """A circuit that the target cannot run, or a target that cannot be."""


class BackendError(QsimError, ValueError):
    """An unknown backend, or one that cannot be used here."""


class MemoryLimitError(QsimError, ValueError):
    """A state or matrix that is larger than the memory there is."""


class SerialError(QsimError, ValueError):
    """A file or JSON text that is not what it claims to be."""


class TrainingError(QsimError, ValueError):
    """A loss, parameters, data or an optimizer that cannot be trained."""


class DivergedError(TrainingError):
    """The loss or the parameters became NaN or infinite.

    `result` is the `TrainingResult` of the steps before.
    """

    def __init__(self, message: str, result: Any = None):
        self.result = result
        super().__init__(message)


class QasmError(QsimError, ValueError):
    """OpenQASM text that cannot be read or written.

    `line` and `column` count from 1; they are None where no text is concerned.
    """

    def __init__(self, message: str, line: int | None = None, column: int | None = None):
        self.line = line
        self.column = column
        where = "" if line is None else f"line {line}, column {column}: "
        super().__init__(where + message)


class JobError(QsimError, RuntimeError):
    """A job that did not end with a result."""


class JobTimeout(JobError, TimeoutError):
    """The result did not come in time. The job is alive: ask again."""


class JobCancelled(JobError):
    """The job was cancelled before it had a result."""
