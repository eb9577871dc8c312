"""A family of states |psi(params)>: what the metric and the fidelities of an optimizer are those of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from qsim._checks import known_names
from qsim._errors import CircuitError, MethodError, ParameterError
from qsim._execute import execute
from qsim._typing import Array, PyTree
from qsim.ir.circuit import Circuit
from qsim.methods import Method
from qsim.results import State
from qsim.rules import GradientRule

Source = Circuit | Callable[[PyTree], Any]
"""A circuit with open parameters, or a function from params to a circuit or to amplitudes."""


@dataclass(frozen=True, eq=False)
class Ansatz:
    """States by parameters, from a circuit or a function.

    Attributes:
        source: a circuit with open parameters; or a function from params (any pytree) to a circuit
            without open parameters, or to amplitudes (2^n,).
        method: how to simulate, as for `execute`; None chooses. Without meaning for amplitudes.
    """

    source: Source
    method: Method | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.source, Circuit) and not callable(self.source):
            raise CircuitError(
                "Argument `circuit` must be a Circuit, or a function from params to a circuit or to amplitudes, but is "
                f"{type(self.source).__name__}."
            )
        if self.method is not None and not isinstance(self.method, Method):
            raise MethodError(f"Argument `method` must be a method such as Statevector(), but is {self.method!r}.")
        if isinstance(self.source, Circuit):
            object.__setattr__(self, "source", self.source.copy())

    def flat(self, params: PyTree) -> tuple[Array, Callable[[Array], PyTree]]:
        """The params as one vector, in the order of `circuit.parameters`, and the way back; checked.

        Raises:
            ParameterError: params that are not real floats, or are not those of the circuit.
        """
        check_real(params)
        if isinstance(self.source, Circuit):
            check_declared(self.source, params)
        return ravel_pytree(params)

    def amplitudes(self, params: PyTree, rule: GradientRule | None = None) -> Array:
        """|psi(params)>, (2^n,), differentiated by `rule` where a circuit is run."""
        if isinstance(self.source, Circuit):
            return execute(self.source, State(), params, method=self.method, gradient=rule)
        made = self.source(params)
        if isinstance(made, Circuit):
            return execute(made, State(), method=self.method, gradient=rule)
        if not hasattr(made, "shape") or np.ndim(made) != 1:
            raise CircuitError(
                "The function given as `circuit` must return a Circuit or amplitudes (2^n,), but returned "
                f"{f'an array of shape {np.shape(made)}' if hasattr(made, 'shape') else type(made).__name__}."
            )
        return jnp.asarray(made)

    def bound(self, params: PyTree) -> Circuit:
        """The circuit with these values in its gates.

        Raises:
            MethodError: a function that gives amplitudes, which only a simulator has.
        """
        made = self.source.bind(params) if isinstance(self.source, Circuit) else self.source(params)
        if isinstance(made, Circuit):
            return made
        raise MethodError(
            "With `shots` or `on`, fidelities are measured, which needs circuits, but the function returned "
            f"{type(made).__name__}. Let it return a Circuit."
        )


def check_real(params: PyTree) -> None:
    """Refuse params that are not arrays of real floats; names the leaf."""
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        dtype = np.dtype(float) if isinstance(leaf, float) else getattr(leaf, "dtype", None)
        if dtype is None or not jnp.issubdtype(dtype, jnp.floating):
            name = jax.tree_util.keystr(path, simple=True, separator=".")
            what = type(leaf).__name__ if dtype is None else f"of {dtype}"
            fix = (
                "Try two real arrays."
                if dtype is not None and jnp.issubdtype(dtype, jnp.complexfloating)
                else ("Try jnp.asarray(value, float).")
            )
            raise ParameterError(
                f"Argument `params` must hold real floats{f', but `{name}`' if name else ', but'} is {what}. {fix}"
            )
        if isinstance(leaf, (float, np.ndarray, np.generic)) and not np.isfinite(leaf).all():
            raise ParameterError("Argument `params` must hold finite numbers, but holds NaN or infinity.")


def check_declared(circuit: Circuit, params: Any) -> None:
    """Refuse params that are not exactly those of the circuit, without batch axes."""
    shapes = circuit.parameter_shapes()
    if not isinstance(params, Mapping):
        raise ParameterError(
            f"Argument `params` must map the names of the circuit's parameters to values, but is "
            f"{type(params).__name__}. Try {{{', '.join(f'{name!r}: ...' for name in shapes)}}}."
        )
    for name in params:
        if name not in shapes:
            raise ParameterError(
                f"Unknown parameter {name!r}: the optimizer's circuit does not have it. "
                f"{known_names(str(name), shapes)} For params that are not all in one circuit, give a function: "
                "lambda params: circuit.bind(...)."
            )
    missing = [name for name in shapes if name not in params]
    if missing:
        raise ParameterError(f"No value for parameter `{missing[0]}` of the optimizer's circuit.")
    for name, shape in shapes.items():
        if np.shape(params[name]) != shape:
            raise ParameterError(
                f"Parameter `{name}` has shape {shape}, but its value has shape {np.shape(params[name])}. An optimizer "
                "takes one set of values; use jax.vmap over the training for several."
            )
