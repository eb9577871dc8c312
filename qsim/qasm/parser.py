"""OpenQASM 2 text as statements: the grammar, and nothing about what the names mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from qsim.qasm.expression import FUNCTIONS, Code, parse_expression
from qsim.qasm.lexer import END, NUMBER, STRING, Lexer

KEYWORDS = frozenset(
    {"OPENQASM", "include", "qreg", "creg", "gate", "opaque", "barrier", "measure", "reset", "if", "pi", *FUNCTIONS}
)


class Operand(NamedTuple):
    """A register, or one element of it where `index` is not None."""

    name: str
    index: int | None
    offset: int


class Include(NamedTuple):
    """`include "file";`"""

    file: str
    offset: int


class Declaration(NamedTuple):
    """`qreg name[size];` or `creg name[size];`; `kind` is the keyword."""

    kind: str
    name: str
    size: int
    offset: int


class Call(NamedTuple):
    """`name(params) operands;`, and `barrier operands;` under that name."""

    name: str
    params: tuple[Code, ...]
    operands: tuple[Operand, ...]
    offset: int


class Definition(NamedTuple):
    """`gate name(params) qubits { body }`; the body of an opaque gate is None."""

    name: str
    params: tuple[str, ...]
    qubits: tuple[str, ...]
    body: tuple[Call, ...] | None
    offset: int


class MeasureInto(NamedTuple):
    """`measure qubit -> bit;`"""

    qubit: Operand
    bit: Operand
    offset: int


class ResetOf(NamedTuple):
    """`reset qubit;`"""

    qubit: Operand
    offset: int


class If(NamedTuple):
    """`if (register == value) statement`"""

    register: str
    value: int
    statement: Call | MeasureInto | ResetOf
    offset: int


Statement = Include | Declaration | Call | Definition | MeasureInto | ResetOf | If


def parse(lexer: Lexer) -> Iterator[Statement]:
    """The statements of a program, one by one as they are read.

    Raises:
        QasmError: the text is not OpenQASM 2.
    """
    if lexer.text == "OPENQASM":
        lexer.advance()
        if lexer.kind != NUMBER or lexer.text not in ("2.0", "2"):
            raise lexer.error(f"only OpenQASM 2.0 can be read, but the text is of version {lexer.text}")
        lexer.advance()
        lexer.take(";")
    while lexer.kind != END:
        yield _statement(lexer)


def _statement(lexer: Lexer) -> Statement:
    keyword, offset = lexer.text, lexer.offset
    if keyword in ("qreg", "creg"):
        lexer.advance()
        name = _new_name(lexer, "a register name")
        lexer.take("[")
        size = lexer.take_int("the size of the register")
        lexer.take("]")
        lexer.take(";")
        return Declaration(keyword, name, size, offset)
    if keyword in ("gate", "opaque"):
        return _definition(lexer)
    if keyword == "include":
        lexer.advance()
        if lexer.kind != STRING:
            raise lexer.expected("a file name in quotes")
        file = lexer.text[1:-1]
        lexer.advance()
        lexer.take(";")
        return Include(file, offset)
    if keyword == "if":
        lexer.advance()
        lexer.take("(")
        register = lexer.take_word("the name of a classical register")
        lexer.take("==")
        value = lexer.take_int("a whole number")
        lexer.take(")")
        return If(register, value, _action(lexer), offset)
    if keyword == "OPENQASM":
        raise lexer.error("`OPENQASM` must be the first statement")
    return _action(lexer)


def _action(lexer: Lexer) -> Call | MeasureInto | ResetOf:
    """A statement that acts on qubits."""
    keyword, offset = lexer.text, lexer.offset
    if keyword == "measure":
        lexer.advance()
        qubit = _operand(lexer)
        lexer.take("->")
        bit = _operand(lexer)
        lexer.take(";")
        return MeasureInto(qubit, bit, offset)
    if keyword == "reset":
        lexer.advance()
        qubit = _operand(lexer)
        lexer.take(";")
        return ResetOf(qubit, offset)
    return _call(lexer, {})


def _call(lexer: Lexer, formals: Mapping[str, int]) -> Call:
    offset = lexer.offset
    name = lexer.take_word("a statement")
    if name in KEYWORDS and name != "barrier":
        raise lexer.error(f"`{name}` cannot stand here", offset)
    params: list[Code] = []
    if lexer.text == "(":
        lexer.advance()
        if lexer.text != ")":
            params.append(parse_expression(lexer, formals))
            while lexer.text == ",":
                lexer.advance()
                params.append(parse_expression(lexer, formals))
        lexer.take(")")
    operands = [_operand(lexer)]
    while lexer.text == ",":
        lexer.advance()
        operands.append(_operand(lexer))
    lexer.take(";")
    return Call(name, tuple(params), tuple(operands), offset)


def _operand(lexer: Lexer) -> Operand:
    offset = lexer.offset
    name = lexer.take_word("the name of a register or qubit")
    if lexer.text != "[":
        return Operand(name, None, offset)
    lexer.advance()
    index = lexer.take_int("an index")
    lexer.take("]")
    return Operand(name, index, offset)


def _definition(lexer: Lexer) -> Definition:
    keyword, offset = lexer.text, lexer.offset
    lexer.advance()
    name = _new_name(lexer, "the name of a gate")
    params: list[str] = []
    if lexer.text == "(":
        lexer.advance()
        if lexer.text != ")":
            params = _names(lexer, "the name of a parameter")
        lexer.take(")")
    qubits = _names(lexer, "the name of a qubit")
    if keyword == "opaque":
        lexer.take(";")
        return Definition(name, tuple(params), tuple(qubits), None, offset)
    lexer.take("{")
    formals = {param: place for place, param in enumerate(params)}
    body: list[Call] = []
    while lexer.text != "}":
        body.append(_call(lexer, formals))
    lexer.advance()
    return Definition(name, tuple(params), tuple(qubits), tuple(body), offset)


def _names(lexer: Lexer, what: str) -> list[str]:
    names: dict[str, None] = {}
    while True:
        offset = lexer.offset
        name = _new_name(lexer, what)
        if name in names:
            raise lexer.error(f"`{name}` stands twice in one list", offset)
        names[name] = None
        if lexer.text != ",":
            return list(names)
        lexer.advance()


def _new_name(lexer: Lexer, what: str) -> str:
    if lexer.text in KEYWORDS:
        raise lexer.error(f"`{lexer.text}` is a word of the language and cannot be {what}")
    return lexer.take_word(what)
