"""`qsim run` and `qsim explain`: an OpenQASM 2 program from a file."""

from __future__ import annotations

import argparse
import shutil
import sys
from typing import Any

import jax

from qsim import qasm
from qsim._defaults import default_backend, default_transpiler
from qsim._errors import ObservableError, QasmError
from qsim._execute import execute_with_defaults, explain
from qsim.draw.bars import EIGHTHS, bar_chart
from qsim.ir.circuit import Circuit
from qsim.ir.pauli import PauliSum
from qsim.results import Counts, Expectation


def run(arguments: argparse.Namespace) -> int:
    """Run a program: counts as a bar chart, expectation values one a line."""
    circuit = read(arguments.file)
    labels = [label.upper() for label in arguments.expect]
    shots = arguments.shots or (None if labels else 1000)
    values = [Expectation(observable(label, circuit.num_qubits), stderr=shots is not None) for label in labels]
    results: dict[str, Any] = {"values": values} if shots is None else {"values": values, "counts": Counts()}
    key = None if shots is None else jax.random.key(arguments.seed)
    found = execute_with_defaults(circuit, results, shots=shots, key=key)
    if shots is not None:
        blocks = _can_print(EIGHTHS)
        width = shutil.get_terminal_size((80, 24)).columns
        print(bar_chart(found["counts"].to_dict(), width, ascii_only=not blocks))
    for label, value in zip(labels, found["values"], strict=True):
        if shots is None:
            print(f"<{label}> = {float(value):.6f}")
        else:
            print(f"<{label}> = {float(value.value):.6f} +- {float(value.stderr):.6f}")
    return 0


def explain_file(arguments: argparse.Namespace) -> int:
    """Say what would be run for a program, and why."""
    circuit = read(arguments.file)
    print(explain(circuit, on=default_backend(), transpiler=default_transpiler(), measure=arguments.measure))
    return 0


def read(path: str) -> Circuit:
    """The circuit of an OpenQASM 2 file; errors name the file."""
    try:
        return qasm.load(path)
    except QasmError as error:
        raise QasmError(f"{path}: {error}") from None


def observable(label: str, num_qubits: int) -> PauliSum:
    """The Pauli string of `--expect`.

    Raises:
        ObservableError: not one letter I, X, Y, Z for each qubit.
    """
    if len(label) != num_qubits or set(label) - set("IXYZ"):
        raise ObservableError(
            f"Argument `--expect` must be one letter I, X, Y or Z for each of the program's {num_qubits} qubits, "
            f"but is {label!r}."
        )
    return PauliSum.from_label(label)


def _can_print(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
