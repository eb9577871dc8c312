"""A circuit as a layer of equinox."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qsim._errors import BackendError
from qsim._typing import Array, Key, PyTree
from qsim.backends.base import Backend, Transpiler
from qsim.gradients import GradientRule
from qsim.ir.circuit import Circuit
from qsim.ir.layout import Padding
from qsim.layers.program import Init, LayerProgram, make_program
from qsim.methods import Method

try:
    import equinox
except ImportError as missing:
    raise BackendError(
        f'qsim.layers.equinox needs equinox, but {missing.name} is not installed. Try pip install "qsim-jax[equinox]".'
    ) from missing

__all__ = ["QuantumLayer"]


class QuantumLayer(equinox.Module):
    """A circuit as a module of equinox: its open parameters are weights, but those named as inputs.

    `layer(x)` is execute(circuit, results, weights and x), batch axes first: x has shape
    batch + the declared shape of its parameter, or no batch at all, as under `jax.vmap`. With
    several inputs, `layer(x, y)` in the order of their names; with `shots`, `layer(x, key=key)`.

    Args:
        circuit: the circuit. results: any pytree of results; those of a list are stacked along a
            last axis, so that [Expectation(Z(q)) for q in range(k)] gives (batch..., k).
        inputs: the name or names of the parameters that are data.
        init: a function of (key, shape, dtype) such as those of `jax.nn.initializers`, or values by
            name; None draws angles of 0.1 radians.
        key: a JAX key, from which the initial weights come.
        on, transpiler, padding, qubits, method, gradient, shots, initial_state: as for `execute`.

    Attributes:
        weights: the arrays by name. program: the circuit and the rest, static.

    Raises:
        QsimError: an input that is no parameter, or another argument that cannot be.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from qsim import Z
        >>> from qsim.layers.equinox import QuantumLayer
        >>> from qsim.library import data_reuploading
        >>> from qsim.results import Expectation
        >>> key = jax.random.key(0)
        >>> layer = QuantumLayer(data_reuploading(2, layers=2), [Expectation(Z(0))], inputs="x", key=key)
        >>> layer(jnp.ones((5, 2))).shape
        (5, 1)
    """

    weights: dict[str, Array]
    program: LayerProgram = equinox.field(static=True)

    def __init__(
        self,
        circuit: Circuit,
        results: PyTree,
        *,
        key: Key,
        inputs: Any = (),
        init: Init = None,
        on: Backend | str | None = None,
        transpiler: Transpiler | str | None = None,
        padding: Padding | None = None,
        qubits: Sequence[int] | None = None,
        method: Method | None = None,
        gradient: GradientRule | None = None,
        shots: int | None = None,
        initial_state: Array | str | None = None,
    ):
        self.program = make_program(
            circuit,
            results,
            inputs,
            on=on,
            transpiler=transpiler,
            padding=padding,
            qubits=qubits,
            method=method,
            gradient=gradient,
            shots=shots,
            initial_state=initial_state,
        )
        self.weights = self.program.initial(key, init)

    def __call__(self, *inputs: Array, key: Key = None) -> PyTree:
        """The results for these inputs.

        Args:
            inputs: an array per input, batch axes first. key: a JAX key, where something is sampled.
        """
        return self.program(self.weights, inputs, key)
