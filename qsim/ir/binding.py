"""Values for the named parameters of a circuit, and its inverse, which must keep the arrays it was given whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from qsim._errors import CircuitError, ParameterError
from qsim.ir.arguments import clean_param
from qsim.ir.instruction import Instruction
from qsim.ir.parameter import ArrayElement, Parameter, ParameterVector, is_number, is_symbolic, parameters_of


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


def bound(instructions: Sequence[Instruction], values: Mapping[str, Any]) -> list[Instruction]:
    """The instructions with these values, by name, in the place of parameters."""
    new = []
    elements: dict[str, list[ArrayElement]] = {}
    for i in instructions:
        op = i.operation
        if any(is_symbolic(p) for p in op.params):
            if not hasattr(op, "replace"):
                raise CircuitError(
                    f"bind: {op.name} has parameters, but {type(op).__name__} has no replace(params, arrays)."
                )
            params = [_bound_param(p, values, elements, op.name) for p in op.params]
            i = Instruction(op.replace(params, getattr(op, "arrays", ())), i.qubits, i.clbits)
        new.append(i)
    return new


def inverted(instructions: Sequence[Instruction]) -> list[Instruction]:
    """The instructions that undo these. Angles that are elements of one array stay elements of one.

    Raises:
        CircuitError: an operation has no inverse.
    """
    new: list[Instruction] = []
    negatives: dict[int, list[Any]] = {}
    for i in reversed(instructions):
        op = i.operation
        if any(type(p) is ArrayElement for p in op.params) and hasattr(op, "replace"):
            op = op.replace([_with_negative(p, negatives) for p in op.params], getattr(op, "arrays", ()))
        if hasattr(op, "inverse"):
            new.append(Instruction(op.inverse(), i.qubits, i.clbits))
        elif hasattr(op, "definition") and not i.clbits:
            steps = inverted(op.definition().instructions)
            new += [Instruction(s.operation, tuple([i.qubits[q] for q in s.qubits])) for s in steps]
        else:
            raise CircuitError(f"{op.name} on qubits {i.qubits} has no inverse, so the circuit has none.")
    return new


def _with_negative(param: Any, negatives: dict[int, list[Any]]) -> Any:
    if type(param) is not ArrayElement or param.negative:
        return param
    return ArrayElement(param.array, param.index, negatives.setdefault(id(param.array), []))


def _bound_param(param: Any, values: Mapping[str, Any], elements: dict[str, list[ArrayElement]], operation: str) -> Any:
    """A gate argument with the values put in; elements of a JAX array stay elements of it."""
    if isinstance(param, Parameter) and param.vector is not None and param.vector.name in values:
        name = param.vector.name
        if not isinstance(values[name], np.ndarray):
            if name not in elements:
                elements[name] = [ArrayElement(values[name], k) for k in range(param.vector.size)]
            return elements[name][param.index]
    return clean_param(param.bind(values), operation) if is_symbolic(param) else param


def _name(key: Any) -> Any:
    if isinstance(key, Parameter) and key.vector is not None:
        raise ParameterError(
            f"{key} is an element of a vector, which is bound as a whole. Try params={{'{key.vector.name}': array}}."
        )
    return key.name if isinstance(key, (Parameter, ParameterVector)) else key


def _checked_value(name: str, value: Any, declared: tuple[int, ...]) -> Any:
    if isinstance(value, (list, tuple)):
        try:
            value = np.asarray(value)
        except (ValueError, TypeError):
            raise ParameterError(f"The value of parameter `{name}` must be an array, but is a ragged list.") from None
    elif is_number(value):
        value = np.asarray(value)
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if shape is None or dtype is None or _kind(dtype) not in "iuf":
        what = type(value).__name__ if dtype is None else f"an array of {dtype}"
        raise ParameterError(f"The value of parameter `{name}` must be real numbers, but is {what}.")
    if isinstance(value, (np.ndarray, np.generic)) and not np.isfinite(value).all():
        bad = "NaN" if np.isnan(value).any() else "an infinite number"
        raise ParameterError(f"The value of parameter `{name}` holds {bad}.")
    if len(shape) < len(declared) or tuple(shape[len(shape) - len(declared) :]) != declared:
        raise ParameterError(
            f"Parameter `{name}` has shape {declared}; its value must have that shape, or batch axes before "
            f"it, but has shape {tuple(shape)}."
        )
    return value


def _kind(dtype: Any) -> str:
    """The kind of a dtype; bfloat16 and other floats of device libraries count as floats."""
    try:
        found = np.dtype(dtype)
    except TypeError:
        return "?"
    return "f" if "float" in found.name else found.kind
