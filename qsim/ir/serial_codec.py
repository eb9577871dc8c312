"""How the parts of a circuit are written as JSON data and read again: arguments, arrays, operations.

Each kind of operation enters a `Codec` with `add_codec`; nothing else is needed to save and
load it. No code is stored and none is run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from qsim._errors import ParameterError, QsimError, SerialError
from qsim.ir.json_nodes import Node
from qsim.ir.parameter import (
    MAX_TOKENS,
    NUMBER,
    OPERATORS,
    PARAM,
    Expression,
    Parameter,
    ParameterVector,
    is_number,
)
from qsim.ir.pauli import PauliSum
from qsim.ir.pauli_terms import MAX_QUBITS
from qsim.ir.table import Gate, row_of, rows

MAX_ELEMENTS = 1 << 26
MAX_VECTOR_ELEMENTS = 1 << 20
MAX_DEPTH = 50
_DTYPES = ("float64", "complex128", "float32", "complex64", "int64", "int32", "uint8", "bool")
_PARTS = {"complex128": "float64", "complex64": "float32"}


@dataclass(frozen=True, slots=True)
class Codec:
    """How one kind of operation is saved.

    Attributes:
        kind: its name in files.
        type: the class of the operation.
        write: f(operation, Writer) -> its JSON data, without the kind.
        read: f(Node, Reader) -> the operation.
    """

    kind: str
    type: type
    write: Callable[[Any, Writer], dict[str, Any]]
    read: Callable[[Node, Reader], Any]


_by_kind: dict[str, Codec] = {}
_by_type: dict[type, Codec] = {}


def add_codec(codec: Codec) -> None:
    """Enter a kind of operation; done once, by the file that defines it."""
    _by_kind[codec.kind] = codec
    _by_type[codec.type] = codec


class Writer:
    """Parts of a circuit as JSON data. `vectors` collects the shapes of the parameter vectors met."""

    def __init__(self) -> None:
        self.vectors: dict[str, list[int]] = {}

    def param(self, param: Any) -> Any:
        """A gate argument: a number, a parameter or an expression.

        Raises:
            SerialError: a JAX value.
        """
        if type(param) is float or is_number(param):
            return float(param)
        if isinstance(param, Parameter):
            if param.vector is None:
                return {"param": param.name}
            shape = list(param.vector.shape)
            if self.vectors.setdefault(param.vector.name, shape) != shape:
                raise SerialError(f"parameter vector {param.vector.name!r} is used with two shapes")
            return {"param": param.vector.name, "index": param.index}
        if isinstance(param, Expression):
            params = [self.param(p) for p in param.params]
            return {"code": list(param.code), "numbers": [float(n) for n in param.numbers], "params": params}
        raise SerialError(_jax_words("a parameter"))

    def array(self, array: Any) -> dict[str, Any]:
        """A host array: its dtype, shape and elements, real and imaginary parts in turn.

        Raises:
            SerialError: a JAX value, or a dtype that is not saved.
        """
        if not isinstance(array, np.ndarray):
            raise SerialError(_jax_words("an array"))
        if array.dtype.name not in _DTYPES:
            raise SerialError(f"an array of dtype {array.dtype} cannot be saved")
        flat = np.ascontiguousarray(array).reshape(-1)
        if flat.dtype.kind == "c":
            flat = flat.view(_PARTS[array.dtype.name])
        return {"dtype": array.dtype.name, "shape": list(array.shape), "data": flat.tolist()}

    def pauli(self, pauli: PauliSum) -> dict[str, Any]:
        """A Pauli sum: terms such as "X0 Z2", and its coefficients."""
        terms = [" ".join(f"{letter}{qubit}" for qubit, letter in string) for string in pauli.strings]
        return {"terms": terms, "coefficients": self.array(pauli.coefficients)}

    def operation(self, operation: Any) -> Any:
        """Any operation whose kind has a codec.

        Raises:
            SerialError: an operation of an unknown kind, or with JAX values.
        """
        if type(operation) is Gate:
            if not operation.params:
                return operation.row.name
            return [operation.row.name, *(self.param(p) for p in operation.params)]
        codec = _by_type.get(type(operation))
        if codec is None:
            raise SerialError(
                f"operation {operation.name!r} of type {type(operation).__name__} cannot be saved. Put its "
                "definition() or unitary(matrix) in its place, or enter a Codec for it with add_codec"
            )
        return {"op": codec.kind, **codec.write(operation, self)}


class Reader:
    """The inverse of `Writer`: every value is checked before it is used."""

    def __init__(self, vectors: Mapping[str, ParameterVector]):
        self.vectors = vectors
        self.depth = 0
        self.tokens = 0

    def param(self, node: Node) -> Any:
        """A gate argument."""
        if type(node.value) is float or isinstance(node.value, int):
            return node.number()
        if "code" in node._object():
            return self._expression(node)
        return self._parameter(node)

    def array(self, node: Node, cap: int = MAX_ELEMENTS) -> np.ndarray:
        """A host array of at most `cap` elements."""
        name = node.get("dtype").text()
        if name not in _DTYPES:
            node.get("dtype").expect(" or ".join(_DTYPES))
        shape = node.get("shape").integers(32, 0, cap)
        size = math.prod(shape)
        if size > cap:
            node.get("shape").fail(f"must have at most {cap:,} elements, but has {size:,}")
        dtype = np.dtype(name)
        wide = 2 if dtype.kind == "c" else 1
        data = node.get("data")
        items = data.items(2 * cap, size=wide * size)
        if dtype.kind in "fc":
            values = np.asarray([item.number() for item in items], dtype=np.float64)
            flat = values.astype(_PARTS.get(name, name)).view(dtype)
        elif dtype.kind == "b":
            flat = np.asarray([item.boolean() for item in items], dtype=dtype)
        else:
            limits = np.iinfo(dtype)
            flat = np.asarray([item.integer(int(limits.min), int(limits.max)) for item in items], dtype=dtype)
        return flat.reshape(shape)

    def pauli(self, node: Node) -> PauliSum:
        """A Pauli sum."""
        strings = [_string(item) for item in node.get("terms").items(MAX_ELEMENTS)]
        try:
            return PauliSum(strings, self.array(node.get("coefficients")))
        except SerialError:
            raise
        except QsimError as error:
            node.fail(str(error).rstrip("."))

    def operation(self, node: Node) -> Any:
        """Any operation whose kind has a codec."""
        if isinstance(node.value, str):
            return self._gate(node, [])
        if isinstance(node.value, list):
            name, *params = node.items(16) or [node]
            return self._gate(name, params)
        codec = _by_kind.get(node.get("op").text())
        if codec is None:
            node.get("op").expect("a kind of operation that this qsim knows")
        self.depth += 1
        if self.depth > MAX_DEPTH:
            node.fail(f"operations must be nested at most {MAX_DEPTH} deep")
        try:
            return codec.read(node, self)
        except SerialError:
            raise
        except QsimError as error:
            node.fail(str(error).rstrip("."))
        finally:
            self.depth -= 1

    def _gate(self, name: Node, params: list[Node]) -> Gate:
        try:
            row = row_of(name.text())
        except KeyError:
            name.expect(f"one of the {len(rows())} gates of the table")
        if len(params) != len(row.params):
            name.fail(f"{row.name} takes {len(row.params)} parameters, but has {len(params)}")
        return Gate(row, tuple(self.param(p) for p in params))

    def _parameter(self, node: Node) -> Parameter:
        name = node.get("param").text()
        vector = self.vectors.get(name)
        index = node.get("index", None)
        if index.is_null:
            if vector is not None:
                node.fail(f"{name!r} is a vector, so that an index is needed")
            try:
                return Parameter(name)
            except ParameterError as error:
                node.fail(str(error).rstrip("."))
        if vector is None:
            node.fail(f"{name!r} is no parameter vector of this circuit")
        return np.asarray(vector, dtype=object).reshape(-1)[index.integer(0, vector.size - 1)]

    def _expression(self, node: Node) -> Expression:
        code = node.get("code")
        tokens = tuple(item.text(10) for item in code.items(MAX_TOKENS))
        height, lowest = 0, 1
        for token in tokens:
            if token not in OPERATORS and token not in (NUMBER, PARAM):
                code.fail(f"{token!r} is no token of an expression")
            arity = OPERATORS[token][0] if token in OPERATORS else 0
            lowest = min(lowest, height - arity)
            height += 1 - arity
        if height != 1 or lowest < 0:
            code.fail("is not a complete expression in postfix form")
        numbers = node.get("numbers").items(MAX_TOKENS, size=tokens.count(NUMBER))
        params = node.get("params").items(MAX_TOKENS, size=tokens.count(PARAM))
        if not params:
            node.fail("an expression must mention a parameter")
        return Expression(tokens, tuple(n.number() for n in numbers), tuple(self._parameter(p) for p in params))


def _string(node: Node) -> tuple[tuple[int, str], ...]:
    """A Pauli string from text such as "X0 Z2"; "" is the identity."""
    pairs = []
    for word in node.text(20 * MAX_QUBITS).split():
        digits = word[1:]
        if word[0] not in "XYZ" or not (digits.isascii() and digits.isdigit()) or len(digits) > 7:
            node.expect("Pauli letters with their qubits, such as 'X0 Z2'")
        pairs.append((int(digits), word[0]))
    return tuple(pairs)


def _jax_words(what: str) -> str:
    return (
        f"{what} is a JAX value, and those are not saved. Bind numbers first: use float(value) or numpy.asarray(value) "
        "in its place, or a Parameter"
    )
