"""Circuits, Pauli sums, targets and layouts as versioned JSON: `save`, `load`, `to_json`, `from_json`.

A document is {"format": "qsim", "version": 1, "kind": "circuit" | "pauli_sum" | ..., ...}. In a
circuit each instruction is [operation, qubits] or [operation, qubits, clbits]; an operation is
"h", ["rx", 0.5] or {"op": kind, ...}. Nothing is evaluated, and sizes are checked before
anything of that size is made.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qsim._errors import QsimError, SerialError
from qsim.ir import serial_ops
from qsim.ir.arguments import MAX_QUBITS
from qsim.ir.circuit import Circuit
from qsim.ir.json_nodes import MAX_BYTES, Node, envelope, open_envelope, parse, read_file
from qsim.ir.layout import Layout
from qsim.ir.parameter import ParameterVector
from qsim.ir.pauli import PauliSum
from qsim.ir.serial_codec import MAX_VECTOR_ELEMENTS, Reader, Writer
from qsim.ir.target import Target
from qsim.ir.target_json import target_arguments, target_data

__all__ = ["Kind", "add_kind", "from_json", "load", "save", "to_json"]

MAX_REGISTERS = 10_000
MAX_CLBITS = 10_000_000

assert serial_ops.__name__  # imported so that the operations' codecs are entered


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of document: its name, the class, f(object) -> data, and f(Node) -> object."""

    name: str
    type: type
    write: Callable[[Any], dict[str, Any]]
    read: Callable[[Node], Any]


_kinds: dict[str, Kind] = {}


def add_kind(kind: Kind) -> None:
    """Enter a kind of document that `save` and `load` know; done once, where its class is defined."""
    _kinds[kind.name] = kind


def to_json(value: Any) -> str:
    """A `Circuit`, `PauliSum`, `Target` or `Layout` as JSON text.

    Raises:
        SerialError: an object of another type, or one that holds JAX values or unknown operations.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.ir.serial import from_json, to_json
        >>> from_json(to_json(Circuit(2).h(0).cx(0, 1))) == Circuit(2).h(0).cx(0, 1)
        True
    """
    for kind in _kinds.values():
        if type(value) is kind.type:
            return envelope(kind.name, kind.write(value))
    known = ", ".join(kind.type.__name__ for kind in _kinds.values())
    raise SerialError(f"Argument `value` must be one of {known}, but is {type(value).__name__}.")


def from_json(text: str) -> Any:
    """The object that `to_json` wrote.

    Raises:
        SerialError: text that is not such a document; says where.
    """
    return _read(parse(text))


def save(value: Any, path: str | Path) -> None:
    """Write `to_json(value)` to a file, all of it or nothing.

    Args:
        value: a `Circuit`, `PauliSum`, `Target` or `Layout`.
        path: the file; replaced where there is one.

    Raises:
        SerialError: as `to_json`, or a file that cannot be written.

    Example:
        >>> import pathlib, tempfile
        >>> import qsim
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "bell.json")
        ...     qsim.save(qsim.Circuit(2).h(0).cx(0, 1), path)
        ...     qsim.load(path).count_ops()
        {'h': 1, 'cx': 1}
    """
    text, path = to_json(value), Path(path)
    if len(text) > MAX_BYTES:
        raise SerialError(f"{path}: would have {len(text):,} characters, but load() reads at most {MAX_BYTES:,}.")
    scratch = path.with_name(f".{path.name[:100]}.{os.getpid()}.part")
    try:
        try:
            scratch.write_text(text, encoding="utf-8")
            os.replace(scratch, path)
        finally:
            scratch.unlink(missing_ok=True)
    except OSError as error:
        raise SerialError(f"{path}: cannot be written ({error.strerror}).") from None


def load(path: str | Path) -> Any:
    """The object in a file that `save` wrote.

    Args:
        path: the file.

    Raises:
        SerialError: a file that is not there or not such a document; says where.

    Example:
        >>> import pathlib, tempfile
        >>> import qsim
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "sum.json")
        ...     qsim.save(qsim.Z(0) + 0.5 * qsim.X(1), path)
        ...     qsim.load(path)
        1.0*Z(0) + 0.5*X(1)
    """
    try:
        return _read(read_file(path))
    except SerialError as error:
        raise error if str(error).startswith(str(path)) else SerialError(f"{path}: {error}") from None


def _read(node: Node) -> Any:
    kind = _kinds[open_envelope(node, *_kinds)]
    try:
        return kind.read(node)
    except SerialError:
        raise
    except QsimError as error:
        raise SerialError(f"{node.path}: {error}") from None


def _circuit_data(circuit: Circuit) -> dict[str, Any]:
    writer = Writer()
    instructions = []
    for place, i in enumerate(circuit.instructions):
        try:
            entry = [writer.operation(i.operation), list(i.qubits)]
        except SerialError as error:
            raise SerialError(f"Instruction {place}, {i.operation.name} on qubits {i.qubits}: {error}.") from None
        instructions.append([*entry, list(i.clbits)] if i.clbits else entry)
    layout = circuit.layout
    trivial = layout == Layout.trivial(circuit.num_qubits)
    return {
        "num_qubits": circuit.num_qubits,
        "cregs": [[register.name, register.size] for register in circuit.cregs],
        "layout": None if trivial else _layout_data(layout),
        "vectors": [[name, shape] for name, shape in writer.vectors.items()],
        "instructions": instructions,
    }


def _read_circuit(node: Node) -> Circuit:
    reader = Reader(_read_vectors(node.get("vectors", [])))
    num_qubits = node.get("num_qubits").integer(0, MAX_QUBITS)
    cregs: dict[str, int] = {}
    for entry in node.get("cregs", []).items(MAX_REGISTERS):
        name, size = entry.items(2, size=2)
        if name.text(100) in cregs:
            name.fail(f"register {name.value!r} is there twice")
        cregs[name.value] = size.integer(0, MAX_CLBITS)
    circuit = Circuit(num_qubits, num_clbits=cregs)
    for entry in node.get("instructions").items(MAX_BYTES):
        parts = entry.items(3)
        if len(parts) < 2:
            entry.fail("must be [operation, qubits] or [operation, qubits, clbits]")
        operation, qubits, *clbits = parts
        places = qubits.integers(MAX_QUBITS, 0, num_qubits - 1)
        bits = clbits[0].integers(MAX_CLBITS, 0, circuit.num_clbits - 1) if clbits else ()
        read = reader.operation(operation)
        try:
            circuit.append(read, places, bits)
        except QsimError as error:
            entry.fail(str(error).rstrip("."))
    layout = node.get("layout", None)
    return circuit if layout.is_null else circuit.with_layout(_read_layout(layout))


def _read_vectors(node: Node) -> dict[str, ParameterVector]:
    """The parameter vectors of a circuit, their sizes checked before they are made."""
    vectors: dict[str, ParameterVector] = {}
    total = 0
    for entry in node.items(MAX_VECTOR_ELEMENTS):
        name, shape = entry.items(2, size=2)
        if name.text() in vectors:
            name.fail(f"parameter vector {name.value!r} is there twice")
        dims = shape.integers(32, 0, MAX_VECTOR_ELEMENTS)
        total += math.prod(dims)
        if total > MAX_VECTOR_ELEMENTS:
            shape.fail(f"the parameter vectors must have at most {MAX_VECTOR_ELEMENTS:,} elements in all")
        try:
            vectors[name.value] = ParameterVector(name.value, dims)
        except QsimError as error:
            name.fail(str(error).rstrip("."))
    return vectors


def _layout_data(layout: Layout) -> dict[str, Any]:
    return {"initial": list(layout.initial), "final": list(layout.final)}


def _read_layout(node: Node) -> Layout:
    initial, final = (node.get(key).integers(MAX_QUBITS, 0, MAX_QUBITS) for key in ("initial", "final"))
    return Layout(initial, final)


def _pauli_data(pauli: PauliSum) -> dict[str, Any]:
    try:
        return Writer().pauli(pauli)
    except SerialError as error:
        raise SerialError(f"PauliSum: {error}.") from None


add_kind(Kind("circuit", Circuit, _circuit_data, _read_circuit))
add_kind(Kind("pauli_sum", PauliSum, _pauli_data, lambda node: Reader({}).pauli(node)))
add_kind(Kind("target", Target, target_data, lambda node: Target(**target_arguments(node))))
add_kind(Kind("layout", Layout, _layout_data, _read_layout))
