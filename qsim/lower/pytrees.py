"""`Circuit` and `PauliSum` as JAX pytrees: structure static, numbers and arrays as leaves.

The leaves of a circuit are one float array of all its host numbers, in order, then each
JAX value as given. A circuit rebuilt with a traced array of numbers, inside jit say,
holds elements of that array as its gates' arguments.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from qsim.ir.circuit import Circuit
from qsim.ir.full import in_full
from qsim.ir.instruction import Instruction
from qsim.ir.parameter import ArrayElement, Expression, is_number, is_symbolic
from qsim.ir.pauli import PauliSum


class _Skeleton:
    """A circuit as static structure: equal and hashed by its key."""

    __slots__ = ("circuit", "key")

    def __init__(self, circuit: Circuit):
        self.circuit, self.key = circuit.copy(), circuit.key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Skeleton) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


def _flatten(circuit: Circuit) -> tuple[tuple[Any, ...], _Skeleton]:
    circuit = in_full(circuit)
    return (circuit.numbers(), *circuit.values()), _Skeleton(circuit)


def _unflatten(skeleton: _Skeleton, leaves: Any) -> Circuit:
    numbers, *values = leaves
    old = skeleton.circuit
    fresh = {id(before): after for before, after in zip(old.values(), values, strict=True)}
    host = isinstance(numbers, np.ndarray)
    at = 0

    def number() -> Any:
        nonlocal at
        at += 1
        return float(numbers[at - 1]) if host else ArrayElement(numbers, at - 1)

    def constant(n: Any) -> Any:
        return ArrayElement(fresh[id(n.array)], n.index) if isinstance(n, ArrayElement) else number()

    def param(p: Any) -> Any:
        if is_number(p):
            return number()
        if isinstance(p, Expression):
            return Expression(p.code, tuple(map(constant, p.numbers)), p.params)
        if is_symbolic(p):
            return p
        return constant(p) if isinstance(p, ArrayElement) else fresh[id(p)]

    def array(a: Any) -> Any:
        nonlocal at
        if not isinstance(a, np.ndarray):
            return fresh[id(a)]
        count = a.size * (2 if a.dtype.kind == "c" else 1)
        flat = numbers[at : at + count]
        at += count
        if a.dtype.kind == "c":
            flat = flat[0::2] + 1j * flat[1::2]
        return flat.reshape(a.shape)

    instructions = []
    for i in old.instructions:
        op = i.operation
        arrays = getattr(op, "arrays", ())
        if op.params or arrays:
            params, arrays = [param(p) for p in op.params], [array(a) for a in arrays]
            if hasattr(op, "replace"):  # others keep their numbers, which are passed over
                op = op.replace(params, arrays)
        instructions.append(Instruction(op, i.qubits, i.clbits))
    return old.with_instructions(instructions)


def _flatten_sum(observable: PauliSum) -> tuple[tuple[Any], Any]:
    return (observable.coefficients,), observable.strings


def _unflatten_sum(strings: Any, leaves: Any) -> PauliSum:
    return PauliSum._of(strings, leaves[0])  # leaves may be anything JAX puts there: no checks


jax.tree_util.register_pytree_node(Circuit, _flatten, _unflatten)
jax.tree_util.register_pytree_node(PauliSum, _flatten_sum, _unflatten_sum)
