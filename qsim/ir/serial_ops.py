"""The codecs of operations that are not gates of the table."""

from __future__ import annotations

from typing import Any

from qsim.ir.arguments import MAX_QUBITS
from qsim.ir.json_nodes import Node
from qsim.ir.operation import Barrier, Conditional, Controlled, Measure, Reset
from qsim.ir.ops import QFT, Clifford, Diagonal, PauliEvolution, Permutation, PrepareState, Unitary
from qsim.ir.ops.delay import Delay
from qsim.ir.serial_codec import Codec, Reader, Writer, add_codec

MAX_CONTROLS = 1000
MAX_ROTATIONS = 1 << 26
_STAGES = {1: 1, 2: 2, 4: 10, 6: 50, 8: 250}
"""order of a product formula -> how often each term occurs in a step."""


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


def _write_evolution(operation: PauliEvolution, writer: Writer) -> dict[str, Any]:
    return {
        "hamiltonian": writer.pauli(operation.hamiltonian),
        "time": writer.param(operation.params[0]),
        "order": operation.order,
        "steps": operation.steps,
        "num_qubits": operation.num_qubits,
    }


def _read_evolution(node: Node, reader: Reader) -> PauliEvolution:
    hamiltonian = reader.pauli(node.get("hamiltonian"))
    order, steps = node.get("order").integer(1, 8), node.get("steps").integer(1, MAX_ROTATIONS)
    if len(hamiltonian) * steps * _STAGES.get(order, 1) > MAX_ROTATIONS:
        node.get("steps").fail(f"the product formula must have at most {MAX_ROTATIONS:,} rotations")
    num_qubits = node.get("num_qubits").integer(0, MAX_QUBITS)
    return PauliEvolution(hamiltonian, reader.param(node.get("time")), order, steps, num_qubits)


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
add_codec(
    Codec(
        "delay",
        Delay,
        lambda operation, writer: {"seconds": writer.param(operation.seconds)},
        lambda node, reader: Delay(reader.param(node.get("seconds"))),
    )
)
add_codec(Codec("controlled", Controlled, _write_controlled, _read_controlled))
add_codec(Codec("if", Conditional, _write_conditional, _read_conditional))
add_codec(
    Codec(
        "unitary",
        Unitary,
        lambda operation, writer: {"matrix": writer.array(operation.arrays[0])},
        lambda node, reader: Unitary(reader.array(node.get("matrix"))),
    )
)
add_codec(
    Codec(
        "diagonal",
        Diagonal,
        lambda operation, writer: {"diagonal": writer.array(operation.arrays[0])},
        lambda node, reader: Diagonal(reader.array(node.get("diagonal"))),
    )
)
add_codec(
    Codec(
        "permutation",
        Permutation,
        lambda operation, writer: {"table": writer.array(operation.table)},
        lambda node, reader: Permutation(reader.array(node.get("table")).reshape(-1).tolist()),
    )
)
add_codec(Codec("pauli_evolution", PauliEvolution, _write_evolution, _read_evolution))
add_codec(
    Codec(
        "qft",
        QFT,
        lambda operation, writer: {"num_qubits": operation.num_qubits, "adjoint": operation.adjoint},
        lambda node, reader: QFT(node.get("num_qubits").integer(0, MAX_QUBITS), node.get("adjoint").boolean()),
    )
)
add_codec(
    Codec(
        "prepare_state",
        PrepareState,
        lambda operation, writer: {"state": writer.array(operation.arrays[0]), "adjoint": operation.adjoint},
        lambda node, reader: PrepareState(reader.array(node.get("state")), node.get("adjoint").boolean()),
    )
)
add_codec(
    Codec(
        "clifford",
        Clifford,
        lambda operation, writer: {"tableau": writer.array(operation.tableau), "adjoint": operation.adjoint},
        lambda node, reader: Clifford(reader.array(node.get("tableau")), node.get("adjoint").boolean()),
    )
)
