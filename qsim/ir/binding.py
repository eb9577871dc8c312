"""Values for the named parameters of a circuit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import is_not
from typing import Any

import numpy as np

from qsim._errors import CircuitError, ParameterError
from qsim.ir.arguments import clean_param
from qsim.ir.instruction import Instruction
from qsim.ir.parameter import ArrayElement, Parameter, ParameterVector, is_number, is_symbolic, kind_of, parameters_of

FEW = 1000
"""Up to so many numbers, their tests are searched as bytes."""


def open_parameters(instructions: Sequence[Instruction]) -> tuple[Parameter, ...]:
    """The parameters that are mentioned, sorted by name; elements of a vector by index.

    Raises:
        ParameterError: one name stands for a scalar and a vector, or for two shapes.
    """
    found: dict[tuple[Parameter, Any], Parameter] = {}
    for instruction in instructions:
        for param in instruction.operation.params:
            if not isinstance(param, float):
                for p in parameters_of(param):
                    found.setdefault((p, None if p.vector is None else p.vector.shape), p)
    shapes: dict[str, tuple[int, ...] | None] = {}
    for p in found.values():
        name, shape = (p.name, None) if p.vector is None else (p.vector.name, p.vector.shape)
        if shapes.setdefault(name, shape) != shape:
            words = ["a scalar" if s is None else f"a vector of shape {s}" for s in (shapes[name], shape)]
            raise ParameterError(f"Parameter `{name}` is {words[0]} in one gate and {words[1]} in another. Rename one.")
    return tuple(sorted(found.values(), key=lambda p: p.sort_key))


def shapes_of(parameters: Sequence[Parameter]) -> dict[str, tuple[int, ...]]:
    """name -> declared shape of scalars and whole vectors, in the order given."""
    return {
        (p.vector.name if p.vector is not None else p.name): (p.vector.shape if p.vector is not None else ())
        for p in parameters
    }


def checked_values(shapes: Mapping[str, tuple[int, ...]], params: Mapping[Any, Any]) -> dict[str, Any]:
    """`params` keyed by name, as arrays whose last axes have the declared shapes.

    Raises:
        ParameterError: an unknown name, a wrong shape, or NaN in host numbers.
    """
    if not isinstance(params, Mapping):
        raise ParameterError(
            f"Argument `params` must map names to values, but is {type(params).__name__}. "
            f"Try {{{', '.join(f'{name!r}: ...' for name in shapes)}}}."
        )
    values: dict[str, Any] = {}
    for key, value in params.items():
        name = _name(key)
        if name not in shapes:
            known = ", ".join(shapes) or "none"
            raise ParameterError(f"Unknown parameter `{name}`; the circuit's parameters are: {known}.")
        if name in values:
            raise ParameterError(f"Parameter `{name}` is given twice.")
        values[name] = _checked_value(name, value, shapes[name])
    return values


def unbatched(shapes: Mapping[str, tuple[int, ...]], values: dict[str, Any]) -> dict[str, Any]:
    """The values, refused where one has batch axes."""
    for name, value in values.items():
        if value.shape != shapes[name]:
            raise ParameterError(
                f"Parameter `{name}` has shape {shapes[name]}, but the value to bind has shape {value.shape}. "
                "Batches go to execute(..., params=...)."
            )
    return values


def bound(instructions: Sequence[Instruction], values: Mapping[str, Any]) -> list[Instruction]:
    """The instructions with these values, by name, in the place of parameters."""
    elements = {name: _elements(value) for name, value in values.items()}
    new = []
    for i in instructions:
        op = i.operation
        params = [_bound_param(p, values, elements, op.name) if is_symbolic(p) else p for p in op.params]
        if any(map(is_not, params, op.params)):
            if not hasattr(op, "replace"):
                raise CircuitError(
                    f"bind: {op.name} has parameters, but {type(op).__name__} has no replace(params, arrays)."
                )
            i = Instruction(op.replace(params, getattr(op, "arrays", ())), i.qubits, i.clbits)
        new.append(i)
    return new


def _elements(value: Any) -> list[Any]:
    """What stands for each element of a value: floats, and for a JAX array elements of it."""
    if isinstance(value, (np.ndarray, np.generic)):
        return np.asarray(value, np.float64).reshape(-1).tolist()
    return [ArrayElement(value, k) for k in range(value.size)] if value.shape else [value]


def _bound_param(param: Any, values: Mapping[str, Any], elements: Mapping[str, list[Any]], operation: str) -> Any:
    """A parameter or expression with the values put in; elements of a JAX array stay elements of it."""
    if type(param) is not Parameter:
        return clean_param(param.bind(values), operation)
    owner = param.name if param.vector is None else param.vector.name
    return elements[owner][param.index] if owner in elements else param


def _name(key: Any) -> Any:
    if isinstance(key, Parameter) and key.vector is not None:
        raise ParameterError(
            f"{key} is an element of a vector, which is bound as a whole. Try params={{'{key.vector.name}': array}}."
        )
    return key.name if isinstance(key, (Parameter, ParameterVector)) else key


def _is_finite(value: Any) -> bool:
    """Whether no number is NaN or infinite; `all` of a few takes three times as long as a search for 0."""
    finite = np.isfinite(value)
    return bool(finite.all()) if finite.size > FEW else 0 not in finite.tobytes()


def _checked_value(name: str, value: Any, declared: tuple[int, ...]) -> Any:
    if isinstance(value, (list, tuple)):
        try:
            value = np.asarray(value)
        except (ValueError, TypeError):
            raise ParameterError(f"The value of parameter `{name}` must be an array, but is a ragged list.") from None
    elif is_number(value):
        value = np.asarray(value)
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if shape is None or dtype is None or kind_of(dtype) not in "iuf":
        what = type(value).__name__ if dtype is None else f"an array of {dtype}"
        raise ParameterError(f"The value of parameter `{name}` must be real numbers, but is {what}.")
    if isinstance(value, (np.ndarray, np.generic)) and not _is_finite(value):
        bad = "NaN" if np.isnan(value).any() else "an infinite number"
        raise ParameterError(f"The value of parameter `{name}` holds {bad}.")
    if len(shape) < len(declared) or tuple(shape[len(shape) - len(declared) :]) != declared:
        raise ParameterError(
            f"Parameter `{name}` has shape {declared}; its value must have that shape, or batch axes before "
            f"it, but has shape {tuple(shape)}."
        )
    return value
