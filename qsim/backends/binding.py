"""Values for the parameters of a circuit that is to be run: by name, checked, with one common batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from qsim._errors import ParameterError
from qsim._typing import Array
from qsim.ir.binding import checked_values
from qsim.ir.circuit import Circuit

FLOATS = (np.dtype(np.float64), np.dtype(np.float32))


def bind_params(
    circuit: Circuit, params: Mapping[Any, Any] | None, lead: tuple[int, ...] = ()
) -> tuple[dict[str, Array], tuple[int, ...]]:
    """name -> array (own batch axes..., declared shape) for every parameter of `circuit`, and the common batch axes.

    Args:
        circuit: what is to be run.
        params: name, `Parameter` or `ParameterVector` -> array whose last axes have the declared
            shape; the axes before them are the batch, broadcast by NumPy's rules.
        lead: batch axes that come from elsewhere (an initial state), to be broadcast too.

    Raises:
        ParameterError: a name that is unknown or missing, a wrong shape, NaN, batches that do not fit.

    Example:
        >>> import numpy as np
        >>> from qsim import Circuit, Parameter
        >>> from qsim.backends.binding import bind_params
        >>> circuit = Circuit(1).rx(Parameter("a"), 0).ry(Parameter("b"), 0)
        >>> bound, batch = bind_params(circuit, {"a": np.zeros((3, 1)), "b": np.zeros(2)})
        >>> bound["a"].shape, bound["b"].shape, batch
        ((3, 1), (2,), (3, 2))
    """
    shapes = circuit.parameter_shapes()
    if params is None:
        params = {}
    if not isinstance(params, Mapping):
        raise ParameterError(
            f"Argument `params` must map names to values, but is {type(params).__name__}. "
            f"Try params={{{', '.join(f'{name!r}: ...' for name in shapes)}}}."
        )
    values = checked_values(shapes, {name: _stacked(value) for name, value in params.items()})
    if len(values) < len(shapes):
        missing = [name for name in shapes if name not in values]
        raise ParameterError(
            f"No value for parameter{'s' if len(missing) > 1 else ''} {', '.join(f'`{m}`' for m in missing)}. "
            f"Try execute(..., params={{{', '.join(f'{m!r}: ...' for m in missing)}}})."
        )
    batches = {name: value.shape[: value.ndim - len(shapes[name])] for name, value in values.items()}
    try:
        batch = _common({lead, *batches.values()}) if any(batches.values()) else lead
    except ValueError:
        words = ", ".join(f"`{name}` {shape}" for name, shape in batches.items())
        also = f", initial_state {lead}" if lead else ""
        raise ParameterError(
            f"The batch axes of the parameters do not broadcast to one shape: {words}{also}. They follow NumPy's rules."
        ) from None
    return {name: _own(value) for name, value in values.items()}, batch


def _stacked(value: Any) -> Any:
    """A list that holds JAX values as one JAX array; anything else as it is."""
    if isinstance(value, (list, tuple)) and any(isinstance(v, jax.Array) for v in jax.tree.leaves(value)):
        try:
            return jnp.asarray(value)
        except (TypeError, ValueError):
            raise ParameterError(
                "The value of a parameter must be an array of numbers, but is a list of JAX values and others that "
                "make none."
            ) from None
    return value


def _common(batches: set[tuple[int, ...]]) -> tuple[int, ...]:
    """The shape that all of them broadcast to; ValueError where there is none."""
    return batches.pop() if len(batches) == 1 else np.broadcast_shapes(*batches)


def _own(value: Array) -> Array:
    """`value` as floats; a host array as a copy, which the caller cannot change while it is read."""
    if isinstance(value, jax.Array):
        return value if jnp.issubdtype(value.dtype, jnp.floating) else value.astype(float)
    if value.dtype in FLOATS:
        return np.array(value)
    return np.array(value, np.float32 if value.dtype.kind == "f" and value.dtype.itemsize <= 4 else np.float64)
