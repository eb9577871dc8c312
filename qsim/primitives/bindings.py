"""Values for the parameters of a circuit, with the shape of an array."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from qsim._errors import ParameterError
from qsim._typing import Array
from qsim.ir.parameter import Parameter, ParameterVector
from qsim.primitives.shaped import Shaped, clean_shape, new_shape
from qsim.primitives.signature import Signature

Key = str | tuple[str, ...]


class BindingsArray(Shaped):
    """An array whose entries are sets of values for the parameters of a circuit.

    An entry of the mapping names one parameter or vector, its value having shape batch +
    declared shape; or several scalars in a tuple, along the last axis. Batches broadcast
    by NumPy's rules.

    Args:
        data: a mapping of names, `Parameter`s, `ParameterVector`s, or tuples of names, to values.
        shape: the shape of the array; needed where a vector is named by a string, since then nothing else
            says which axes are declared.

    Attributes:
        data: name, or tuple of names -> array. shape: the batch axes of all of them.

    Raises:
        ParameterError: no numbers, or batches that do not broadcast. ResultError: a shape that cannot be one.

    Example:
        >>> import numpy as np
        >>> from qsim.primitives import BindingsArray
        >>> BindingsArray({"a": np.zeros((3, 1)), ("b", "c"): np.zeros((4, 2))})
        BindingsArray(shape=(3, 4), parameters=a, b, c)
    """

    __slots__ = ("data", "shape", "_declared")

    def __init__(self, data: Mapping[Any, Any] | None = None, shape: Any = None):
        given = {} if data is None else data
        if not isinstance(given, Mapping):
            raise ParameterError(
                f"BindingsArray: argument `data` must map names to values, but is {type(given).__name__}. In a PUB "
                "an array is enough: (circuit, observables, values)."
            )
        own = () if shape is None else clean_shape("BindingsArray", shape)
        self.data: dict[Key, Array] = {}
        self._declared: dict[Key, int] = {}
        batches = [] if shape is None else [own]
        for key, value in given.items():
            array = as_floats(value)
            if isinstance(key, tuple):
                name: Key = tuple(_name(k) for k in key)
                declared = 1
                if not array.ndim or array.shape[-1] != len(name):
                    raise ParameterError(
                        f"The last axis of the values of {name} must have {len(name)} entries, but they have shape "
                        f"{tuple(array.shape)}."
                    )
            elif isinstance(key, ParameterVector):
                name, declared = key.name, len(key.shape)
            else:
                name = _name(key)
                declared = 0 if shape is None else max(0, array.ndim - len(own))
            self.data[name], self._declared[name] = array, declared
            batches.append(tuple(array.shape[: array.ndim - declared]))
        self.shape = _common(batches, self.data)

    @classmethod
    def of(
        cls, data: dict[Any, Array], shape: tuple[int, ...], declared: dict[Any, int] | None = None
    ) -> BindingsArray:
        """One of parts known to be clean; `declared` axes of each array, 1 where that is not said."""
        new = object.__new__(cls)
        new.data, new.shape, new._declared = data, shape, declared or {}
        return new

    @classmethod
    def coerce(cls, values: Any, signature: Signature) -> BindingsArray:
        """Values for a circuit, from None, an array, a mapping or a `BindingsArray`.

        An array has the parameters along its last axis, in the circuit's order; where there is but
        one, that axis may be left out unless the last axis has length 1.

        Raises:
            ParameterError: an unknown or missing name, shapes that do not fit.
        """
        labels = signature.labels
        if values is None:
            values = {}
        elif type(values) is list or not isinstance(values, (Mapping, BindingsArray)):
            array = as_floats(values)
            shape = array.shape
            if shape and shape[-1] == len(labels):
                return cls.of({labels: array}, shape[:-1])
            if len(labels) == 1 and not (shape and shape[-1] == 1):
                return cls.of({labels: array[..., None]}, shape)
            if labels or array.size:
                raise ParameterError(
                    f"The last axis of the parameter values must have {len(labels)} entries, one for each parameter "
                    f"({signature.names}), but they have shape {tuple(shape)}."
                )
            return cls.of({}, shape[:-1])
        made = values if isinstance(values, BindingsArray) else _of_mapping(values, signature)
        _check_names(made.data, signature)
        return made

    def params(self, signature: Signature) -> dict[str, Array]:
        """What `execute` takes: name -> array (batch..., declared shape)."""
        found: dict[str, Array] = {}
        columns: dict[str, Array] | None = None
        for name, declared in signature.shapes.items():
            if name in self.data and signature.first == "left":
                found[name] = self.data[name]
                continue
            places = signature.places[name]
            whole = self.data.get(signature.labels)
            start = signature.starts[name]
            if whole is not None and len(self.data) == 1 and start is not None:
                part = whole[..., start : start + len(places)]
                found[name] = part.reshape((*part.shape[:-1], *declared))
                continue
            columns = self._columns() if columns is None else columns
            chosen = [None if place is None else columns[signature.labels[place]] for place in places]
            batch = np.broadcast_shapes(*[c.shape for c in chosen if c is not None])
            xp = jnp if any(isinstance(c, jax.Array) for c in chosen) else np
            parts = [xp.zeros(batch) if c is None else xp.broadcast_to(c, batch) for c in chosen]
            found[name] = xp.stack(parts, axis=-1).reshape((*batch, *declared)) if parts else np.zeros(declared)
        return found

    def _columns(self) -> dict[str, Array]:
        """label -> its values (batch...)."""
        found: dict[str, Array] = {}
        for key, array in self.data.items():
            if isinstance(key, tuple):
                found.update({label: array[..., i] for i, label in enumerate(key)})
            else:
                found[key] = array
        return found

    @property
    def num_parameters(self) -> int:
        """How many names it gives values to."""
        return sum(len(key) if isinstance(key, tuple) else 1 for key in self.data)

    def reshape(self, *shape: Any) -> BindingsArray:
        """The same entries in another shape."""
        wanted = new_shape("BindingsArray", shape, self.size)
        data = {}
        for key, array in self.data.items():
            core = array.shape[array.ndim - self._declared.get(key, 1) :]
            xp = jnp if isinstance(array, jax.Array) else np
            data[key] = xp.broadcast_to(array, (*self.shape, *core)).reshape((*wanted, *core))
        return BindingsArray.of(data, wanted, self._declared)

    def ravel(self) -> BindingsArray:
        """The same entries along one axis."""
        return self.reshape(self.size)

    def __repr__(self) -> str:
        names = [n for key in self.data for n in (key if isinstance(key, tuple) else (key,))]
        more = ", ..." if len(names) > 5 else ""
        return f"BindingsArray(shape={self.shape}, parameters={', '.join(names[:5]) or 'none'}{more})"


def as_floats(value: Any) -> Array:
    """A value as an array of real numbers, of the host or of JAX.

    Raises:
        ParameterError: something else.
    """
    if type(value) is not list and isinstance(value, jax.Array):
        if jnp.issubdtype(value.dtype, jnp.floating):
            return value
        if not jnp.issubdtype(value.dtype, jnp.integer):
            raise ParameterError(f"Parameter values must be an array of real numbers, but are of {value.dtype}.")
        return value.astype(float)
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):  # ragged, or a list of traced values
        try:
            return jnp.asarray(value, float)
        except (TypeError, ValueError):
            array = np.asarray(None)
    kind = array.dtype.kind
    if kind == "f":
        return array
    if kind not in "iu":
        raise ParameterError(f"Parameter values must be an array of real numbers, but are {value!r:.80}.")
    return array.astype(float)


def _of_mapping(values: Mapping[Any, Any], signature: Signature) -> BindingsArray:
    data: dict[Key, Array] = {}
    axes: dict[Key, int] = {}
    batches: list[tuple[int, ...]] = []
    for key, value in values.items():
        array = as_floats(value)
        if isinstance(key, (tuple, list)) or (signature.first == "right" and not isinstance(key, (str, Parameter))):
            # a tuple of names, or Qiskit's Parameter or ParameterVector
            name: Key = tuple(_name(k) for k in key) if hasattr(key, "__iter__") else (_name(key),)
        else:
            name = _name(key)
            if name not in signature.shapes or signature.first == "right":
                name = (name,)  # pyright: ignore[reportAssignmentType]
        shape = tuple(array.shape)
        if isinstance(name, str):
            declared = signature.shapes[name]
            batch = shape[: len(shape) - len(declared)]
            if len(shape) < len(declared) or shape[len(batch) :] != declared:
                raise ParameterError(
                    f"Parameter `{name}` has shape {declared}; its value must have that shape, or batch axes before "
                    f"it, but has shape {shape}."
                )
        elif len(name) == 1 and not (shape and shape[-1] == 1):
            array, batch = array[..., None], shape
        elif shape and shape[-1] == len(name):
            batch = shape[:-1]
        else:
            raise ParameterError(
                f"The last axis of the values of {name} must have {len(name)} entries, but they have shape {shape}."
            )
        data[name], axes[name] = array, array.ndim - len(batch)
        batches.append(batch)
    return BindingsArray.of(data, _common(batches, data), axes)


def _check_names(data: Mapping[Key, Array], signature: Signature) -> None:
    known = set(signature.labels)
    given: list[str] = []
    for key in data:
        if isinstance(key, str) and key in signature.shapes and signature.first == "left":
            given += [signature.labels[p] for p in signature.places[key] if p is not None]
        else:
            given += key if isinstance(key, tuple) else (key,)
    unknown = [name for name in given if name not in known]
    if unknown:
        raise ParameterError(f"Unknown parameter `{unknown[0]}`; the circuit's parameters are: {signature.names}.")
    if len(set(given)) != len(given):
        twice = next(name for name in given if given.count(name) > 1)
        raise ParameterError(f"Parameter `{twice}` is given twice.")
    missing = [name for name in signature.labels if name not in set(given)]
    if missing:
        words = ", ".join(f"`{name}`" for name in missing[:8]) + (", ..." if len(missing) > 8 else "")
        raise ParameterError(
            f"No value for parameter{'s' if len(missing) > 1 else ''} {words}. Give the PUB an array whose last axis "
            f"has {len(signature.labels)} entries, or a mapping of names to values."
        )


def _common(batches: list[tuple[int, ...]], data: Mapping[Key, Array]) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(*batches)
    except ValueError:
        words = ", ".join(f"{key} {tuple(array.shape)}" for key, array in data.items())
        raise ParameterError(
            f"The batch axes of the parameter values do not broadcast to one shape: {words}. They follow NumPy's rules."
        ) from None


def _name(key: Any) -> str:
    name = getattr(key, "name", key)
    if not isinstance(name, str):
        raise ParameterError(f"The values of a PUB must be named by parameters or their names, but not by {key!r}.")
    return name
