"""One OpenQASM 2 program being read: names, registers, definitions, broadcasting.

Nothing is expanded before its size is known: a definition counts, when it is read, how
many steps a call of it takes, and a call that would pass the limit is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from qsim._errors import QasmError
from qsim.ir.arguments import MAX_QUBITS
from qsim.ir.circuit import Circuit
from qsim.ir.instruction import Instruction
from qsim.ir.operation import Barrier, Conditional, Measure, Reset
from qsim.qasm.expression import Code, evaluate
from qsim.qasm.lexer import Lexer
from qsim.qasm.names import Native
from qsim.qasm.parser import (
    Call,
    Declaration,
    Definition,
    If,
    Include,
    MeasureInto,
    Operand,
    ResetOf,
    parse,
)

MAX_OPERATIONS = 5_000_000
MAX_REGISTERS = 10_000
MAX_NESTING = 1_000
WIDE = 16
"""So many parameters, qubits or terms of an expression cost as much as an operation."""

INCLUDE = "qelib1.inc"


@dataclass(frozen=True, slots=True)
class Defined:
    """A gate definition, its names resolved.

    Attributes:
        body: (what is called, its parameter expressions, the places of its qubits) each;
            None for an opaque gate.
        cost: how many steps expanding it takes, calls included.
        nesting: how many definitions stand on top of one another in it.
    """

    num_params: int
    num_qubits: int
    body: tuple[tuple[Native | Defined, tuple[Code, ...], tuple[int, ...]], ...] | None
    cost: int
    nesting: int


Callee = Native | Defined
Step = tuple[Callee, tuple[float, ...], tuple[int, ...]]


class Program:
    """The state of reading one program.

    Args:
        source: the text.
        gates: what is known without an include.
        included: what the include file means.
        recognised: definitions that stand for one operation when a program has just the same.
    """

    def __init__(
        self,
        source: str,
        gates: Mapping[str, Callee],
        included: Mapping[str, Callee] | None = None,
        recognised: Mapping[str, tuple[Defined, Native]] | None = None,
    ):
        self.lexer = Lexer(source)
        self.gates = dict(gates)
        self.included = included or {}
        self.recognised = recognised or {}
        self.defined: dict[str, Defined] = {}
        self.registers: dict[str, Declaration] = {}
        self.starts: dict[str, int] = {}
        self.sizes = {"qreg": 0, "creg": 0}
        self.instructions: list[Instruction] = []
        self.steps = 0

    def run(self) -> None:
        """Read to the end."""
        for statement in parse(self.lexer):
            if isinstance(statement, Call):
                self.call(statement, self.instructions)
            elif isinstance(statement, Declaration):
                self.declare(statement)
            elif isinstance(statement, Definition):
                self.define(statement)
            elif isinstance(statement, Include):
                self.include(statement)
            elif isinstance(statement, If):
                self.condition(statement)
            else:
                self.action(statement, self.instructions)

    def circuit(self) -> Circuit:
        """The circuit of what was read."""
        cregs = {r.name: r.size for r in self.registers.values() if r.kind == "creg"}
        return Circuit(self.sizes["qreg"], self.instructions, cregs)

    # ---------------------------------------------------------------- declarations

    def declare(self, statement: Declaration) -> None:
        name, size = statement.name, statement.size
        self.check_new(name, statement.offset)
        if len(self.registers) == MAX_REGISTERS:
            raise self.error(f"a program may have at most {MAX_REGISTERS} registers", statement.offset)
        total = self.sizes[statement.kind] + size
        if size < 1:
            raise self.error(f"register `{name}` must have at least 1 element", statement.offset)
        if total > MAX_QUBITS:
            what = "qubits" if statement.kind == "qreg" else "classical bits"
            raise self.error(
                f"register `{name}` has {size} elements, but a program may have at most {MAX_QUBITS} {what} in all",
                statement.offset,
            )
        self.registers[name] = statement
        self.starts[name] = total - size
        self.sizes[statement.kind] = total

    def include(self, statement: Include) -> None:
        if statement.file != INCLUDE:
            raise self.error(
                f'no files are read: only "{INCLUDE}" can be included, but this is "{statement.file}". '
                "Put its definitions into the text",
                statement.offset,
            )
        for name, callee in self.included.items():
            if name in self.registers:
                raise self.error(f"`{name}` is a register, and a gate of {INCLUDE}", statement.offset)
            if name not in self.defined:
                self.gates[name] = callee

    def define(self, statement: Definition) -> None:
        name = statement.name
        self.check_new(name, statement.offset)
        defined = self.resolve(statement)
        self.defined[name] = self.gates[name] = defined
        known, native = self.recognised.get(name, (None, None))
        if native is not None and defined == known:
            self.gates[name] = native

    def resolve(self, statement: Definition) -> Defined:
        """A definition with its names looked up and its cost counted."""
        num_params, num_qubits = len(statement.params), len(statement.qubits)
        if statement.body is None:
            return Defined(num_params, num_qubits, None, 1, 1)
        places = {qubit: place for place, qubit in enumerate(statement.qubits)}
        body, cost, nesting = [], 1 + (num_qubits + num_params) // WIDE, 0
        for call in statement.body:
            qubits = []
            for operand in call.operands:
                if operand.index is not None or operand.name not in places:
                    raise self.error(
                        f"in gate `{statement.name}`: `{operand.name}` is not one of its qubits", operand.offset
                    )
                qubits.append(places[operand.name])
            callee = self.callee(call)
            self.check_distinct(call, qubits)
            body.append((callee, call.params, tuple(qubits)))
            cost += callee.cost + sum(map(len, call.params)) // WIDE
            if isinstance(callee, Defined):
                nesting = max(nesting, callee.nesting)
        if nesting + 1 > MAX_NESTING:
            raise self.error(
                f"gate `{statement.name}` nests definitions more than {MAX_NESTING} deep", statement.offset
            )
        return Defined(num_params, num_qubits, tuple(body), cost, nesting + 1)

    # ---------------------------------------------------------------- actions

    def call(self, statement: Call, out: list[Instruction]) -> None:
        if statement.name == "barrier":
            spans = [self.span(operand, "qreg") for operand in statement.operands]
            self.charge(sum(map(len, spans)), statement)
            qubits = tuple(dict.fromkeys(q for span in spans for q in span))
            out.append(Instruction(Barrier(len(qubits)), qubits))
            return
        callee = self.callee(statement)
        columns, size = self.columns(statement.operands)
        self.charge(callee.cost * size, statement)
        values = tuple([self.value(code, (), statement) for code in statement.params])
        for k in range(size):
            qubits = tuple([column[k] if len(column) > 1 else column[0] for column in columns])
            self.check_distinct(statement, qubits)
            if isinstance(callee, Native):
                out.append(Instruction(callee.build(values), qubits))
            else:
                self.expand((callee, values, qubits), statement, out)

    def expand(self, step: Step, statement: Call, out: list[Instruction]) -> None:
        """Put in the body of a definition, and the bodies in it, without recursion."""
        pending = [iter((step,))]
        while pending:
            callee, values, qubits = next(pending[-1], (None, (), ()))
            if callee is None:
                pending.pop()
            elif isinstance(callee, Native):
                out.append(Instruction(callee.build(values), qubits))
            elif callee.body is None:
                raise self.error(
                    f"gate `{statement.name}` is or contains an opaque gate, which has no meaning here",
                    statement.offset,
                )
            else:
                pending.append(self.inner(callee.body, values, qubits, statement))

    def inner(
        self,
        body: Sequence[tuple[Callee, tuple[Code, ...], tuple[int, ...]]],
        values: tuple[float, ...],
        qubits: tuple[int, ...],
        statement: Call,
    ) -> Iterator[Step]:
        """The calls of a body, with the values and qubits of one call of it."""
        for callee, codes, places in body:
            inner = tuple([self.value(code, values, statement) for code in codes])
            yield callee, inner, tuple([qubits[place] for place in places])

    def condition(self, statement: If) -> None:
        register = self.register(statement.register, "creg", statement.offset)
        inside: list[Instruction] = []
        if isinstance(statement.statement, Call):
            self.call(statement.statement, inside)
        else:
            self.action(statement.statement, inside)
        line = self.lexer.place(statement.offset)[0]
        for i in inside:
            operation = Conditional(i.operation, register.name, statement.value, line)
            self.instructions.append(Instruction(operation, i.qubits, i.clbits))

    def action(self, statement: MeasureInto | ResetOf, out: list[Instruction]) -> None:
        """A measurement or a reset."""
        line = self.lexer.place(statement.offset)[0]
        qubits = self.span(statement.qubit, "qreg")
        self.charge(len(qubits), statement)
        if isinstance(statement, ResetOf):
            out.extend(Instruction(Reset(line), (q,)) for q in qubits)
            return
        bits = self.span(statement.bit, "creg")
        if len(bits) != len(qubits):
            raise self.error(
                f"{len(qubits)} qubits cannot be measured into {len(bits)} classical bits", statement.offset
            )
        out.extend(Instruction(Measure(line), (q,), (b,)) for q, b in zip(qubits, bits, strict=True))

    # ---------------------------------------------------------------- names and checks

    def callee(self, call: Call) -> Callee:
        """What a call names, its numbers of parameters and qubits checked."""
        name = call.name
        if name == "barrier":
            count = len(call.operands)
            return Native(name, 0, count, lambda params: Barrier(count), count)
        callee = self.gates.get(name)
        if callee is None:
            hint = f'. Try include "{INCLUDE}";' if name in self.included else ""
            raise self.error(f"gate `{name}` is not defined{hint}", call.offset)
        if len(call.params) != callee.num_params:
            raise self.error(
                f"gate `{name}` takes {callee.num_params} parameters, but is given {len(call.params)}", call.offset
            )
        if len(call.operands) != callee.num_qubits:
            raise self.error(
                f"gate `{name}` acts on {callee.num_qubits} qubits, but is given {len(call.operands)}", call.offset
            )
        return callee

    def columns(self, operands: Sequence[Operand]) -> tuple[list[Sequence[int]], int]:
        """The qubits of each operand, and over how many a statement is repeated."""
        columns: list[Sequence[int]] = []
        size, whole = 1, ""
        for operand in operands:
            column = self.span(operand, "qreg")
            if operand.index is None:
                if whole and len(column) != size:
                    raise self.error(
                        f"registers `{whole}` ({size}) and `{operand.name}` ({len(column)}) must have one size to "
                        "stand together",
                        operand.offset,
                    )
                size, whole = len(column), operand.name
            columns.append(column)
        return columns, size

    def span(self, operand: Operand, kind: str) -> Sequence[int]:
        """The bits that one operand names."""
        name, index, offset = operand
        register = self.register(name, kind, offset)
        start = self.starts[name]
        if index is None:
            return range(start, start + register.size)
        if index >= register.size:
            raise self.error(f"index {index} is out of range; register `{name}` has {register.size} elements", offset)
        return (start + index,)

    def register(self, name: str, kind: str, offset: int) -> Declaration:
        found = self.registers.get(name)
        if found is None:
            raise self.error(f"register `{name}` is not declared", offset)
        if found.kind != kind:
            quantum = "a quantum" if kind == "qreg" else "a classical"
            raise self.error(f"`{name}` must be {quantum} register here, but is a `{found.kind}`", offset)
        return found

    def value(self, code: Code, params: Sequence[float], statement: Call) -> float:
        try:
            return evaluate(code, params)
        except (ArithmeticError, ValueError) as error:
            raise self.error(
                f"an angle of gate `{statement.name}` is not a number: {error}", statement.offset
            ) from None

    def charge(self, steps: int, statement: Call | MeasureInto | ResetOf) -> None:
        """Count steps before they are taken."""
        self.steps += steps
        if self.steps > MAX_OPERATIONS:
            raise self.error(
                f"the program would have {self.steps} operations or more, above the limit of {MAX_OPERATIONS}",
                statement.offset,
            )

    def check_new(self, name: str, offset: int) -> None:
        if name in self.registers or name in self.defined:
            raise self.error(f"`{name}` is defined twice", offset)

    def check_distinct(self, call: Call, qubits: Sequence[int]) -> None:
        if len(set(qubits)) != len(qubits) and call.name != "barrier":
            raise self.error(f"gate `{call.name}` must act on different qubits", call.offset)

    def error(self, message: str, offset: int) -> QasmError:
        return self.lexer.error(message, offset)
