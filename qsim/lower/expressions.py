"""Expressions as few array operations: equal operations at one depth are done together, sums are taken at once.

A sum of thousands of terms c_i t_i is one product of two arrays and one sum, whatever the order
in which it was written. What stays one operation after the other is what is nested: a power of
a sine of a sum, and so on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from qsim._errors import ParameterError
from qsim.ir.parameter import NUMBER, OPERATORS, PARAM

MAX_STEPS = 200
SUM = "sum"
FIXED, OPEN, PARAMS = range(3)  # the arrays there are at the start


@dataclass(slots=True, eq=False)
class _Node:
    """A value in the tree of an expression: where it is kept, once that is known, and its arguments.

    A sum has the terms that are added, and those that are taken off.
    """

    operator: str
    arguments: list[_Node]
    less: list[_Node]
    depth: int = 0
    place: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One operation on rows of arrays that are there already; it makes the next array, (rows, instances).

    Attributes:
        operator: of `OPERATORS`, or `SUM`.
        arguments: (array, rows, sign) each; rows (m,), or for a sum (terms, m).
    """

    operator: str
    arguments: tuple[tuple[int, np.ndarray, int], ...]

    def run(self, xp: Any, arrays: Sequence[Any]) -> Any:
        """The new array."""
        if self.operator != SUM:
            return OPERATORS[self.operator][1](xp, *(_rows(arrays[a], rows) for a, rows, _ in self.arguments))
        total: Any = None
        for a, rows, sign in self.arguments:
            part = _rows(arrays[a], rows.reshape(-1)).reshape(*rows.shape, -1).sum(axis=0)
            total = sign * part if total is None else total + sign * part
        return total


def evaluate_together(
    xp: Any, code: tuple[str, ...], fixed: tuple[bool, ...], constants: Any, numbers: Any, params: Any
) -> Any:
    """The values (instances,) of expressions with the same tokens.

    Args:
        xp: a namespace of arrays.
        code: their tokens.
        fixed: for each number, whether it is a row of `constants`; it is one of `numbers` otherwise.
        constants, numbers, params: (rows, instances), in the order of the tokens.

    Raises:
        ParameterError: more than `MAX_STEPS` steps.
    """
    steps, (array, row) = schedule(code, fixed)
    arrays = [constants, numbers, params]
    for step in steps:
        arrays.append(step.run(xp, arrays))
    return arrays[array][row]


@lru_cache(maxsize=64)
def schedule(code: tuple[str, ...], fixed: tuple[bool, ...]) -> tuple[tuple[Step, ...], tuple[int, int]]:
    """The steps that evaluate an expression, and where its value is then: (array, row).

    Example:
        >>> from qsim import ParameterVector
        >>> from qsim.lower.expressions import schedule
        >>> t = ParameterVector("t", 100)
        >>> total = sum(0.5 * x for x in t)
        >>> [step.operator for step in schedule(total.code, (True,) * len(total.numbers))[0]]
        ['*', 'sum']
    """
    root, nodes = _tree(code, fixed)
    steps: list[Step] = []
    by_depth: dict[int, list[_Node]] = {}
    for node in nodes:
        by_depth.setdefault(node.depth, []).append(node)
    for depth in sorted(by_depth):
        groups: dict[Any, list[_Node]] = {}
        for node in by_depth[depth]:
            groups.setdefault(_kind(node), []).append(node)
        for group in groups.values():
            for row, node in enumerate(group):
                node.place = (3 + len(steps), row)
            steps.append(_step(group))
            if len(steps) > MAX_STEPS:
                raise ParameterError(
                    f"An expression of parameters nests more than {MAX_STEPS} operations, which would take minutes to "
                    "compile. Sums may be as long as they like; for the rest, compute the angle before and give it as "
                    "one parameter."
                )
    return tuple(steps), root.place


def _tree(code: Sequence[str], fixed: Sequence[bool]) -> tuple[_Node, list[_Node]]:
    """The root of the tree, and all nodes that must be computed."""
    stack: list[_Node] = []
    found: list[_Node] = []
    counts = [0, 0, 0]
    number = 0
    for token in code:
        if token in (NUMBER, PARAM):
            array = PARAMS if token == PARAM else FIXED if fixed[number] else OPEN
            number += token == NUMBER
            stack.append(_Node(token, [], [], place=(array, counts[array])))
            counts[array] += 1
            continue
        arity = OPERATORS[token][0]
        arguments = stack[-arity:]
        del stack[-arity:]
        node = _sum(token, arguments) if token in ("+", "-") else _Node(token, arguments, [])
        if token == "neg" and arguments[0].operator == SUM:
            node = _Node(SUM, arguments[0].less, arguments[0].arguments)
        stack.append(node)
    (root,) = stack
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.operator not in (NUMBER, PARAM):
            found.append(node)
            waiting += [*node.arguments, *node.less]
    for node in reversed(found):  # arguments come before what is made of them
        node.depth = 1 + max(a.depth for a in (*node.arguments, *node.less))
    return root, found


def _sum(token: str, arguments: list[_Node]) -> _Node:
    """A sum or difference, sums within it taken in; the longer lists grow, so that chains take linear time."""
    (a, a_less), (b, b_less) = ((n.arguments, n.less) if n.operator == SUM else ([n], []) for n in arguments)
    if token == "-":
        b, b_less = b_less, b
    return _Node(SUM, _joined(a, b), _joined(a_less, b_less))


def _joined(a: list[_Node], b: list[_Node]) -> list[_Node]:
    longer, shorter = (a, b) if len(a) >= len(b) else (b, a)
    longer += shorter
    return longer


def _terms(node: _Node) -> list[tuple[int, int, list[int]]]:
    """The terms of a sum by array and sign: (array, sign, rows)."""
    found: dict[tuple[int, int], list[int]] = {}
    for sign, terms in ((1, node.arguments), (-1, node.less)):
        for term in terms:
            found.setdefault((term.place[0], sign), []).append(term.place[1])
    return [(array, sign, rows) for (array, sign), rows in sorted(found.items())]


def _kind(node: _Node) -> Any:
    """Equal for nodes that can be computed together."""
    if node.operator == SUM:
        return SUM, tuple((array, sign, len(rows)) for array, sign, rows in _terms(node))
    return node.operator, tuple(a.place[0] for a in node.arguments)


def _step(group: list[_Node]) -> Step:
    first = group[0]
    if first.operator != SUM:
        columns = zip(*[[a.place for a in node.arguments] for node in group], strict=True)
        return Step(first.operator, tuple((c[0][0], np.array([p[1] for p in c], np.int32), 1) for c in columns))
    parts = zip(*[_terms(node) for node in group], strict=True)
    return Step(SUM, tuple((p[0][0], np.array([rows for _, _, rows in p], np.int32).T, p[0][1]) for p in parts))


def _rows(array: Any, rows: np.ndarray) -> Any:
    """Some rows of an array; a slice where they follow each other."""
    if len(rows) and np.array_equal(rows, np.arange(rows[0], rows[0] + len(rows))):
        return array[int(rows[0]) : int(rows[0]) + len(rows)]
    return array[rows]
