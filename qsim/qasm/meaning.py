"""What names mean before a program says anything: built once, from the tables in `names`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from qsim.ir.instruction import Instruction
from qsim.ir.operation import Gate
from qsim.qasm.names import BUILTIN, STEPS, SYNONYMS, Native, definitions, natives, qasm_name, row_native
from qsim.qasm.parser import Call
from qsim.qasm.program import Callee, Defined, Program


@cache
def builtin() -> Mapping[str, Callee]:
    """What a program knows before it includes anything."""
    return _definitions(BUILTIN, natives())


@cache
def included() -> Mapping[str, Callee]:
    """What qelib1.inc means."""
    known = natives()
    return {**known, **_definitions(SYNONYMS, known)}


@cache
def recognised() -> Mapping[str, tuple[Defined, Native]]:
    """The definitions that the writer puts into files, and the gates they stand for."""
    text = "\n".join(row.qasm_body or "" for row in definitions().values())
    found = _definitions(text, included())
    return {name: (found[name], row_native(row)) for name, row in definitions().items()}


@cache
def bodies() -> Mapping[str, Defined]:
    """What gates of the table consist of, by the name they are written under."""
    return {**_definitions(STEPS, natives()), **{name: body for name, (body, _) in recognised().items()}}


def steps_of(gate: Gate) -> Sequence[Instruction] | None:
    """What a gate with numbers for parameters consists of, on qubits 0, 1, ...; None where no table says."""
    body = bodies().get(qasm_name(gate.row))
    if body is None:
        return None
    program = Program("", {})
    program.expand((body, gate.params, tuple(range(gate.num_qubits))), Call(gate.name, (), (), 0), program.instructions)
    return program.instructions


def _definitions(text: str, known: Mapping[str, Callee]) -> dict[str, Defined]:
    """The gates that a piece of OpenQASM defines, on top of known ones."""
    program = Program(text, known)
    program.run()
    return program.defined
