"""What the layers of all frameworks share: a circuit, what is asked of it, and which parameters are data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from qsim._checks import known_names
from qsim._errors import CircuitError, ParameterError, ResultError
from qsim._execute import check_choices, execute, one_key
from qsim._typing import Array, Key, PyTree
from qsim.backends.base import Backend, Transpiler
from qsim.gradients import GradientRule
from qsim.ir.circuit import Circuit
from qsim.ir.layout import Padding
from qsim.ir.parameter import Parameter, ParameterVector
from qsim.methods import Method

Init = Callable[..., Array] | Mapping[str, Any] | None
"""Initial weights: `init(key, shape, dtype)` as in `jax.nn.initializers`, or values by name, or None."""

SPREAD = 0.1


@dataclass(frozen=True, eq=False)
class LayerProgram:
    """A circuit as a function of weights and inputs; a static part of a layer, equal where it does the same.

    Attributes:
        circuit: the circuit. results: a pytree of results; those of a list are stacked along a last axis.
        inputs: the names of the parameters that are data; all others are weights.
        on, transpiler, padding, qubits, method, gradient, shots, initial_state: as for `execute`.

    Example:
        >>> from qsim import Circuit, ParameterVector, Z
        >>> from qsim.layers.program import make_program
        >>> from qsim.results import Expectation
        >>> x, theta = ParameterVector("x", 2), ParameterVector("theta", 2)
        >>> circuit = Circuit(2).rx(x, range(2)).cx(0, 1).ry(theta, range(2))
        >>> program = make_program(circuit, [Expectation(Z(0)), Expectation(Z(1))], "x")
        >>> program.shapes
        {'theta': (2,)}
        >>> program({"theta": jnp.zeros(2)}, [jnp.zeros((5, 2))]).shape
        (5, 2)
    """

    circuit: Circuit
    results: PyTree
    inputs: tuple[str, ...]
    on: Backend | str | None
    transpiler: Transpiler | str | None
    padding: Padding | None
    qubits: Sequence[int] | None
    method: Method | None
    gradient: GradientRule | None
    shots: int | None
    initial_state: Array | str | None

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """name -> shape of each weight."""
        return {name: shape for name, shape in self.circuit.parameter_shapes().items() if name not in self.inputs}

    def initial(self, key: Key, init: Init = None, dtype: Any = None) -> dict[str, Array]:
        """Initial weights by name.

        Args:
            key: a JAX key; each weight draws with one of its own.
            init: a function of (key, shape, dtype), or values by name; None, and names that are
                left out, draw from a normal distribution of standard deviation 0.1 radians around
                0, where the gradients of deep circuits do not vanish (arXiv:2203.09376).
            dtype: of the weights; None is JAX's default float.

        Raises:
            ParameterError: an unknown name, a value of another shape, or a key that is none.
        """
        shapes = self.shapes
        given = init if isinstance(init, Mapping) else {}
        unknown = [name for name in given if name not in shapes]
        if unknown:
            raise ParameterError(
                f"Argument `init` names {unknown[0]!r}, no weight. {known_names(str(unknown[0]), shapes)}"
            )
        if init is not None and not isinstance(init, Mapping) and not callable(init):
            raise ParameterError(
                "Argument `init` must be a function of (key, shape, dtype) such as jax.nn.initializers.normal(0.1), or "
                f"values by name, but is {type(init).__name__}."
            )
        draw = init if callable(init) else jax.nn.initializers.normal(SPREAD)
        dtype = jnp.result_type(float) if dtype is None else dtype
        if set(shapes) - set(given):
            key = one_key(key, ParameterError)
        weights = {}
        for place, (name, shape) in enumerate(shapes.items()):
            drawn = given[name] if name in given else draw(jax.random.fold_in(key, place), shape, dtype)
            weights[name] = jnp.asarray(drawn, dtype)
            if weights[name].shape != shape:
                raise ParameterError(
                    f"Weight `{name}` must have shape {shape}, but argument `init` gives shape {weights[name].shape}."
                )
        return weights

    def __call__(self, weights: Mapping[str, Array], inputs: Sequence[Array], key: Key = None) -> PyTree:
        """What `execute` gives, batch axes first.

        Raises:
            QsimError: those of `execute`, and another number of inputs than the layer has names for.
        """
        if len(inputs) != len(self.inputs):
            names = ", ".join(f"`{name}`" for name in self.inputs) or "none"
            raise ParameterError(
                f"A layer must be called with one array for each of its inputs, {names}, but was given {len(inputs)}."
            )
        found = execute(
            self.circuit,
            self.results,
            {**weights, **dict(zip(self.inputs, inputs, strict=True))},
            on=self.on,
            transpiler=self.transpiler,
            padding=self.padding,
            qubits=self.qubits,
            method=self.method,
            gradient=self.gradient,
            shots=self.shots,
            key=key,
            initial_state=self.initial_state,
        )
        if not isinstance(self.results, list):
            return found
        if len({value.shape for value in found}) > 1:
            raise ResultError(
                "The results in the list of a layer are stacked and must have one shape, but have "
                f"{[tuple(value.shape) for value in found]}. Try a tuple, which comes back as a tuple."
            )
        return jnp.stack(found, axis=-1)

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, LayerProgram)
            and all(_same(getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        )

    def __hash__(self) -> int:
        return hash((self.circuit.key, self.inputs, self.shots))

    def __repr__(self) -> str:
        weights = ", ".join(f"{name}{shape}" for name, shape in self.shapes.items())
        return f"LayerProgram({self.circuit.num_qubits} qubits, inputs=({', '.join(self.inputs)}), weights: {weights})"


def make_program(
    circuit: Circuit,
    results: PyTree,
    inputs: Any = (),
    *,
    on: Backend | str | None = None,
    transpiler: Transpiler | str | None = None,
    padding: Padding | None = None,
    qubits: Sequence[int] | None = None,
    method: Method | None = None,
    gradient: GradientRule | None = None,
    shots: int | None = None,
    initial_state: Array | str | None = None,
) -> LayerProgram:
    """A `LayerProgram` of checked arguments.

    Args:
        circuit: the circuit. results: any pytree of results.
        inputs: one name, `Parameter` or `ParameterVector`, or a sequence of them.
        on, transpiler, padding, qubits, method, gradient, shots, initial_state: as for `execute`.

    Raises:
        CircuitError: no circuit. ResultError: no results.
        ParameterError: an input that is no parameter of the circuit, or one that is named twice.
        MethodError: a method or gradient rule that is none.
    """
    if not isinstance(circuit, Circuit):
        raise CircuitError(f"Argument `circuit` must be a Circuit, but is {type(circuit).__name__}.")
    if not jax.tree.leaves(results, is_leaf=lambda node: hasattr(node, "evaluate")):
        raise ResultError("Argument `results` must hold results such as Expectation(Z(0)), but holds none.")
    check_choices(method, gradient)
    one = isinstance(inputs, (str, Parameter, ParameterVector))
    if not one and not isinstance(inputs, Iterable):
        raise ParameterError(f"Argument `inputs` must be a name or a sequence of names, but is {inputs!r}.")
    names = tuple(str(getattr(name, "name", name)) for name in ((inputs,) if one else inputs))
    shapes = circuit.parameter_shapes()
    for name in names:
        if name not in shapes:
            raise ParameterError(
                f"Argument `inputs` names {name!r}, which is no parameter of the circuit. {known_names(name, shapes)}"
            )
        if names.count(name) > 1:
            raise ParameterError(f"Argument `inputs` names {name!r} twice.")
    places = None if qubits is None else tuple(qubits)
    return LayerProgram(
        circuit.copy(), results, names, on, transpiler, padding, places, method, gradient, shots, initial_state
    )


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, (np.ndarray, jax.Array)) or isinstance(b, (np.ndarray, jax.Array)):
        both = isinstance(a, np.ndarray) and isinstance(b, np.ndarray)
        return a is b or (both and np.array_equal(a, b))
    return bool(a == b)
