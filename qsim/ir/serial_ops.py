"""The codecs of operations that are not gates of the table."""

from __future__ import annotations

from typing import Any

from qsim.ir.arguments import MAX_QUBITS
from qsim.ir.json_nodes import Node
from qsim.ir.operation import Barrier, Conditional, Controlled, Measure, Reset
from qsim.ir.serial_codec import Codec, Reader, Writer, add_codec

MAX_CONTROLS = 1000


def _write_controlled(operation: Controlled, writer: Writer) -> dict[str, Any]:
    return {
        "base": writer.operation(operation.base),
        "control_state": f"{operation.control_state:0{operation.num_controls}b}",
    }


def _read_controlled(node: Node, reader: Reader) -> Controlled:
    state = node.get("control_state").text(MAX_CONTROLS)
    return Controlled(reader.operation(node.get("base")), len(state), state)


def _write_conditional(operation: Conditional, writer: Writer) -> dict[str, Any]:
    # the value in hexadecimal: a register may be wider than the numbers of JSON
    return {"base": writer.operation(operation.base), "register": operation.register, "value": f"{operation.value:x}"}


def _read_conditional(node: Node, reader: Reader) -> Conditional:
    value = node.get("value")
    if not value.text(10_000) or set(value.value) - set("0123456789abcdef"):
        value.expect("a hexadecimal number")
    return Conditional(reader.operation(node.get("base")), node.get("register").text(100), int(value.value, 16))


add_codec(
    Codec(
        "barrier",
        Barrier,
        lambda operation, writer: {"num_qubits": operation.num_qubits},
        lambda node, reader: Barrier(node.get("num_qubits").integer(0, MAX_QUBITS)),
    )
)
add_codec(Codec("measure", Measure, lambda operation, writer: {}, lambda node, reader: Measure()))
add_codec(Codec("reset", Reset, lambda operation, writer: {}, lambda node, reader: Reset()))
add_codec(Codec("controlled", Controlled, _write_controlled, _read_controlled))
add_codec(Codec("if", Conditional, _write_conditional, _read_conditional))
