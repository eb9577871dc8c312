"""The angle expressions of OpenQASM 2: read into postfix code, evaluated on numbers.

Code is a tuple of floats (numbers), ints (the gate's formal parameters, by position)
and strings (operators). Reading uses Dijkstra's two stacks, so that no text, however
long or deep, recurses.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence

from qsim.qasm.lexer import NUMBER, SYMBOL, WORD, Lexer

MAX_DEPTH = 200

Code = tuple[float | int | str, ...]

FUNCTIONS: dict[str, Callable[[float], float]] = {
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "asin": math.asin,
    "acos": math.acos,
    "atan": math.atan,
    "exp": math.exp,
    "ln": math.log,
    "sqrt": math.sqrt,
}
_BINARY: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": math.pow,
}
_UNARY: dict[str, Callable[[float], float]] = {**FUNCTIONS, "neg": operator.neg}
# how tightly an operator holds what is left of it, and what is right of it
_LEFT = {"+": 1, "-": 1, "*": 3, "/": 3, "^": 8}
_RIGHT = {"+": 2, "-": 2, "*": 4, "/": 4, "neg": 5, "^": 7}


def parse_expression(lexer: Lexer, formals: Mapping[str, int]) -> Code:
    """Read one expression, up to the `,` or `)` after it.

    Args:
        lexer: stands at the expression's first token.
        formals: names of the formal parameters in scope, and their positions.

    Raises:
        QasmError: not an expression, or brackets more than 200 deep.
    """
    output: list[float | int | str] = []
    pending: list[str] = []
    depth = 0
    wants_operand = True
    while True:
        kind, text = lexer.kind, lexer.text
        if wants_operand:
            wants_operand = kind == SYMBOL
            if kind == NUMBER:
                output.append(float(text))
            elif kind == WORD and text in formals:
                output.append(formals[text])
            elif text == "pi":
                output.append(math.pi)
            elif text == "-":
                pending.append("neg")
            elif text == "(" or text in FUNCTIONS:
                if text != "(":
                    pending.append(text)
                    lexer.advance()
                    if lexer.text != "(":
                        raise lexer.expected(f"`(` after `{text}`")
                pending.append("(")
                depth += 1
                wants_operand = True
                if depth > MAX_DEPTH:
                    raise lexer.error(f"brackets are nested more than {MAX_DEPTH} deep")
            elif text != "+":
                known = ", ".join(formals)
                what = "a number, pi or a function" + (f", or a parameter of the gate ({known})" if known else "")
                raise lexer.expected(what)
        elif text in _LEFT:
            while pending and pending[-1] != "(" and _RIGHT[pending[-1]] > _LEFT[text]:
                output.append(pending.pop())
            pending.append(text)
            wants_operand = True
        elif text == ")" and depth:
            while pending[-1] != "(":
                output.append(pending.pop())
            pending.pop()
            depth -= 1
            if pending and pending[-1] in FUNCTIONS:
                output.append(pending.pop())
        elif depth or text not in (",", ")"):
            raise lexer.expected("`)` or an operator" if depth else "`,`, `)` or an operator")
        else:
            output.extend(reversed(pending))
            return tuple(output)
        lexer.advance()


def evaluate(code: Code, params: Sequence[float] = ()) -> float:
    """The value of `code` for the given values of the formal parameters.

    Raises:
        ArithmeticError, ValueError: there is no such number (1/0, ln(-1)).
    """
    if len(code) == 1:
        token = code[0]
        value = params[token] if isinstance(token, int) else float(token)
    else:
        stack: list[float] = []
        for token in code:
            if isinstance(token, float):
                stack.append(token)
            elif isinstance(token, int):
                stack.append(params[token])
            elif token in _UNARY:
                stack[-1] = _UNARY[token](stack[-1])
            else:
                right = stack.pop()
                stack[-1] = _BINARY[token](stack[-1], right)
        value = stack[0]
    if not math.isfinite(value):
        raise OverflowError("the value is not a finite number")
    return value
