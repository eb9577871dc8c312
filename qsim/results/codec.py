"""Results as JSON and back: what a function of a state is, as data that can be sent elsewhere."""

from __future__ import annotations

import json
import math
from dataclasses import fields
from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from qsim._errors import QsimError, SerialError
from qsim.ir import serial
from qsim.ir.circuit import Circuit
from qsim.ir.json_nodes import Node, envelope, open_envelope, parse
from qsim.ir.pauli import PauliSum
from qsim.results.base import Arithmetic
from qsim.results.entropy import Entropy, MutualInformation, Purity
from qsim.results.expectation import Expectation, Variance
from qsim.results.map import Map
from qsim.results.observable import DiagonalObservable, Hermitian, Projector
from qsim.results.probability import Probabilities
from qsim.results.samples import Counts, Samples
from qsim.results.state import Amplitudes, Fidelity, Norm, Operator, Overlap, ReducedState, State

TYPES: dict[str, type] = {
    cls.__name__: cls
    for cls in (
        *(State, Amplitudes, Norm, Overlap, Fidelity, ReducedState, Operator),
        *(Probabilities, Expectation, Variance, Purity, Entropy, MutualInformation),
        *(Samples, Counts, Arithmetic, Hermitian, DiagonalObservable, Projector),
    )
}
KIND = "results"
MAX_DEPTH = 64
MAX_ITEMS = 1 << 26
_DTYPES = ("float32", "float64", "complex64", "complex128", "int32", "int64", "uint8")


def to_json(results: Any) -> str:
    """JSON text of a result, or of a pytree (dict, list, tuple) of results.

    Args:
        results: the result or the pytree.

    Raises:
        SerialError: a `Map`, whose function is code and cannot be sent as data; traced arrays.

    Example:
        >>> from qsim.results import Norm, from_json, to_json
        >>> from_json(to_json({"n": 2 * Norm()})) == {"n": 2 * Norm()}
        True
    """
    return envelope(KIND, {"results": _encode(results)})


def from_json(text: str) -> Any:
    """What `to_json` wrote.

    Args:
        text: the JSON text.

    Raises:
        SerialError: text that is not that, with the place in it.

    Example:
        >>> from qsim.results import Norm, from_json, to_json
        >>> from_json(to_json([Norm()]))
        [Norm()]
    """
    node = parse(text, "results")
    open_envelope(node, KIND)
    return _decode(node.get("results"), 0)


def _encode(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"is": "float", "value": repr(value)}
    if isinstance(value, complex):
        return {"is": "complex", "value": [value.real, value.imag]}
    if isinstance(value, (list, tuple)):
        if type(value) not in (list, tuple):
            raise SerialError(f"{type(value).__name__} cannot be written as JSON; use a dict, list or tuple.")
        return {"is": type(value).__name__, "items": [_encode(v) for v in value]}
    if isinstance(value, dict):
        if any(not isinstance(key, str) for key in value):
            raise SerialError("Results in a dict can be written as JSON only where all keys are strings.")
        return {"is": "dict", "items": {key: _encode(v) for key, v in value.items()}}
    if isinstance(value, PauliSum) and isinstance(value.coefficients, jax.Array):
        return _encode(value.replace(_host(value.coefficients)))
    if isinstance(value, (PauliSum, Circuit)):
        return {"is": "document", "value": json.loads(serial.to_json(value))}
    if isinstance(value, Map):
        raise SerialError("Map holds a function, which cannot be sent as data. Apply it to what comes back.")
    if type(value).__name__ in TYPES and type(value) is TYPES[type(value).__name__]:
        return {"is": type(value).__name__} | {f.name: _encode(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, (np.ndarray, np.generic, jax.Array)):
        return _encode_array(_host(value))
    raise SerialError(f"{type(value).__name__} cannot be written as JSON.")


def _host(array: Any) -> np.ndarray:
    if isinstance(array, Tracer):
        raise SerialError("Traced arrays have no values to write. Write results outside jit, grad and vmap.")
    return np.asarray(array)


def _encode_array(array: np.ndarray) -> dict[str, Any]:
    if array.dtype.name not in _DTYPES:
        raise SerialError(f"An array of dtype {array.dtype.name} cannot be written as JSON.")
    flat = array.reshape(-1)
    if array.dtype.kind == "c":
        flat = np.stack([np.real(flat), np.imag(flat)], axis=-1).reshape(-1)
    return {"is": "array", "dtype": array.dtype.name, "shape": list(array.shape), "data": flat.tolist()}


def _decode(node: Node, depth: int) -> Any:
    if depth > MAX_DEPTH:
        node.fail(f"is nested deeper than {MAX_DEPTH} levels")
    if isinstance(node.value, list):
        node.expect('an object with a member "is"')
    if not isinstance(node.value, dict):
        return node.value
    kind = node.get("is").text()
    if kind in _READERS:
        return _READERS[kind](node, depth)
    if kind not in TYPES:
        node.get("is").expect("a result of this qsim")
    cls = TYPES[kind]
    values = {}
    for f in fields(cls):
        member = node.get(f.name)
        values[f.name] = member.boolean() if f.type == "bool" else _decode(member, depth + 1)
    try:
        return cls(**values)
    except (QsimError, TypeError, ValueError) as error:
        raise SerialError(f"{node.path}: {error}") from None


def _read_float(node: Node, depth: int) -> float:
    text = node.get("value").text(8)
    if text not in ("inf", "-inf", "nan"):
        node.get("value").expect("inf, -inf or nan")
    return float(text)


def _read_array(node: Node, depth: int) -> np.ndarray:
    name = node.get("dtype").text(16)
    if name not in _DTYPES:
        node.get("dtype").expect(" or ".join(_DTYPES))
    dtype = np.dtype(name)
    shape = node.get("shape").integers(8, 0, MAX_ITEMS)
    size = math.prod(shape) * (2 if dtype.kind == "c" else 1)
    data = [item.number() for item in node.get("data").items(MAX_ITEMS, size)]
    real = dtype if dtype.kind != "c" else np.dtype(f"float{dtype.itemsize * 4}")
    return np.asarray(data, dtype=real).view(dtype).reshape(shape)


def _read_document(node: Node, depth: int) -> Any:
    value = node.get("value")
    open_envelope(value, "circuit", "pauli_sum")
    try:
        return serial.from_json(json.dumps(value.value))
    except SerialError as error:
        raise SerialError(f"{value.path}: {error}") from None


_READERS: dict[str, Any] = {
    "float": _read_float,
    "complex": lambda node, depth: complex(*(n.number() for n in node.get("value").items(2, 2))),
    "list": lambda node, depth: [_decode(n, depth + 1) for n in node.get("items").items(MAX_ITEMS)],
    "tuple": lambda node, depth: tuple(_decode(n, depth + 1) for n in node.get("items").items(MAX_ITEMS)),
    "dict": lambda node, depth: {k: _decode(n, depth + 1) for k, n in node.get("items").members(MAX_ITEMS)},
    "array": _read_array,
    "document": _read_document,
}
