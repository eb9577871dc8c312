"""Targets as JSON data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from qsim.ir.json_nodes import Node
from qsim.ir.layout import Padding
from qsim.ir.target_facts import DefinedGate, Native, QubitFacts
from qsim.ir.target_natives import Natives

if TYPE_CHECKING:
    from qsim.ir.target import Target

MAX_QUBITS = 100_000
MAX_EDGES = 10_000_000
MAX_NATIVES = 10_000
MAX_ARITY = 64


def target_data(target: Target) -> dict[str, Any]:
    """A target as JSON data, equal for equal targets; each different table of natives is written once."""
    tables: list[dict[str, Any]] = []
    numbers: dict[str, int] = {}
    local = []
    for place, table in target.local.items():
        data = _table_data(table)
        number = numbers.setdefault(repr(data), len(tables))
        if number == len(tables):
            tables.append(data)
        local.append([list(place), number])
    return {
        "num_qubits": target.num_qubits,
        "edges": None if target.edges is None else [list(edge) for edge in target.edges],
        "natives": None if target.natives is None else _table_data(target.natives),
        "tables": tables,
        "local": local,
        "qubits": [facts.to_data() for facts in target.qubits],
        "definitions": [gate.to_data() for gate in target.definitions],
        "virtual_z": bool(target.virtual_z),
        "padding": None if target.padding is None else target.padding.value,
        "date": target.date,
    }


def target_arguments(node: Node) -> dict[str, Any]:
    """The arguments of `Target` from JSON data.

    Raises:
        SerialError: data that is not so; says where. TargetError: facts that cannot be.
    """
    size, edges, natives, date = (node.get(key, None) for key in ("num_qubits", "edges", "natives", "date"))
    num_qubits = None if size.is_null else size.integer(0, MAX_QUBITS)
    top = (num_qubits or 0) - 1
    tables = [_read_table(item) for item in node.get("tables", []).items(MAX_EDGES)]
    local: dict[tuple[int, ...], Natives] = {}
    for entry in node.get("local", []).items(MAX_EDGES):
        place, number = entry.items(2, size=2)
        local[place.integers(MAX_ARITY, 0, top)] = tables[number.integer(0, len(tables) - 1)]
    padding = node.get("padding", None)
    if not padding.is_null and padding.text() not in [p.value for p in Padding]:
        padding.expect(" or ".join(repr(p.value) for p in Padding))
    return {
        "num_qubits": num_qubits,
        "edges": None if edges.is_null else [edge.integers(2, 0, top) for edge in edges.items(MAX_EDGES)],
        "natives": None if natives.is_null else _read_table(natives),
        "local": local,
        "qubits": [QubitFacts.from_node(item) for item in node.get("qubits", []).items(MAX_QUBITS)],
        "definitions": [DefinedGate.from_node(item) for item in node.get("definitions", []).items(1000)],
        "virtual_z": node.get("virtual_z", False).boolean(),
        "padding": None if padding.is_null else Padding(padding.value),
        "date": None if date.is_null else date.text(),
    }


def _table_data(table: Any) -> dict[str, Any]:
    assert isinstance(table, Mapping)
    return {name: native.to_data() for name, native in table.items()}


def _read_table(node: Node) -> Natives:
    return {name: Native.from_node(item) for name, item in node.members(MAX_NATIVES)}
