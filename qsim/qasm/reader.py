"""From OpenQASM 2 to a circuit: the two functions for it."""

from __future__ import annotations

import os

from qsim._errors import QasmError
from qsim.ir.circuit import Circuit
from qsim.qasm.lexer import MAX_CHARACTERS
from qsim.qasm.meaning import builtin, included, recognised
from qsim.qasm.program import Program


def loads(text: str) -> Circuit:
    """Read an OpenQASM 2 program.

    Registers are numbered in order of declaration, so that qubit 0 is the first element
    of the first `qreg`. qelib1 names mean the gates of this package, global phase
    included; definitions in the text count, and override them. `if`, `reset` and
    measurements in the middle become records in the circuit.

    Args:
        text: the program. `include` reads no files: "qelib1.inc" is known.

    Returns:
        The circuit, with the program's classical registers.

    Raises:
        QasmError: the text cannot be read, with its `line` and `column`; or it is larger
            than the limits (64 Mi characters, 10^6 qubits, 5 x 10^6 operations, brackets
            200 deep, definitions 1,000 deep).

    Reference: A. W. Cross et al., "Open Quantum Assembly Language", arXiv:1707.03429.

    Example:
        >>> from qsim import qasm
        >>> qasm.loads('OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; h q; cx q[0], q[1];').count_ops()
        {'h': 2, 'cx': 1}
    """
    if not isinstance(text, str):
        raise QasmError(
            f"Argument `text` must be a str, but is {type(text).__name__}. For a file, try qasm.load(path)."
        )
    program = Program(text.removeprefix("\ufeff"), builtin(), included(), recognised())
    program.run()
    return program.circuit()


def load(path: str | os.PathLike[str]) -> Circuit:
    """Read an OpenQASM 2 file, as `loads` reads a text.

    Args:
        path: the file, in UTF-8.

    Raises:
        QasmError: as `loads`; or the file is no UTF-8 text.
        OSError: the file cannot be opened.

    Example:
        >>> import tempfile, pathlib
        >>> from qsim import Circuit, qasm
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "bell.qasm")
        ...     qasm.dump(Circuit(2).h(0).cx(0, 1), path)
        ...     qasm.load(path).num_qubits
        2
    """
    with open(path, "rb") as file:
        data = file.read(4 * MAX_CHARACTERS + 1)
    try:
        return loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        raise QasmError("the file is not UTF-8 text", line, column) from None
