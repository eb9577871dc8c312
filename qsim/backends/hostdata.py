"""What a request comes to for a backend that JAX cannot trace: a few arrays in, plain requests out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from qsim._compile import measured_qubits
from qsim._typing import Array, Key, PyTree
from qsim.backends.atoms import atoms_of
from qsim.backends.base import Request
from qsim.backends.logical import logical
from qsim.backends.shapes import ShapeState, result_shapes
from qsim.ir.circuit import Circuit
from qsim.ir.operation import is_constant
from qsim.ir.symbols import name_values
from qsim.lower.plan import Reads
from qsim.lower.sources import find_sources, flat_values, vectors
from qsim.results.base import Context, Result
from qsim.rules.base import Spectra

_OPEN = object()


@dataclass(frozen=True, eq=False)
class Inputs:
    """The arrays of a request, traced or not.

    Attributes:
        points: the angles that are not constants, in order (batch..., V).
        rest: other arrays that are JAX values, with the axes of the batch, or 1, first.
        keys: a JAX key for each element of the batch (batch...), or None.
    """

    points: Array
    rest: list[Array]
    keys: Key

    @property
    def is_traced(self) -> bool:
        """True where any of them is a tracer."""
        return any(isinstance(leaf, Tracer) for leaf in (self.points, *self.rest, self.keys))


@dataclass(frozen=True, eq=False)
class HostPlan:
    """The structure of a request: how plain requests are made from its arrays. Holds no tracers.

    Attributes:
        template: the request, with placeholders where JAX values were.
        leaves: the arrays inside the results, `_OPEN` where one is a JAX value.
        tree: the structure of the results.
        shapes: the shapes of their values, a list of pytrees, one per result.
        slots: (instruction, parameter) of each open angle.
        array_slots: (instruction, array) of each array of an operation that is a JAX value.
        cores: how many axes each array of `rest` has besides those of the batch.
        rest_names: what each array of `rest` is, in words.
        key_impl: the kind of the key.
        x64: whether JAX is set to double precision.
    """

    template: Request
    leaves: tuple[Any, ...]
    tree: Any
    shapes: list[PyTree]
    slots: tuple[tuple[int, int], ...]
    array_slots: tuple[tuple[int, int], ...]
    cores: tuple[int, ...]
    rest_names: tuple[str, ...]
    key_impl: Any
    x64: bool

    @property
    def results(self) -> list[Result]:
        """The single results; placeholders inside."""
        return jax.tree.unflatten(self.tree, self.leaves)

    @property
    def spectra(self) -> Spectra:
        """The spectrum of each open angle, None where its operation does not say."""
        found: list[Sequence[float] | None] = []
        for i, p in self.slots:
            spectra = getattr(self.template.circuit.instructions[i].operation, "spectra", ())
            found.append(spectra[p] if p < len(spectra) else None)
        return found

    def lead(self, points: np.ndarray, rest: Sequence[np.ndarray], keys: Key) -> tuple[int, ...]:
        """The batch axes of arrays that may have more of them than the request had."""
        leads = [array.shape[: array.ndim - core] for array, core in zip(rest, self.cores, strict=True)]
        return np.broadcast_shapes(points.shape[:-1], *leads, *([] if keys is None else [keys.shape]))

    def requests(self, points: Any, rest: Sequence[Any], keys: Key) -> list[Request]:
        """Plain requests, one per element of the batch, in row-major order."""
        points, rest = np.asarray(points), [np.asarray(array) for array in rest]
        lead = self.lead(points, rest, keys)
        points = np.broadcast_to(points, (*lead, points.shape[-1]))
        wide = [
            np.broadcast_to(array, (*lead, *array.shape[array.ndim - core :]))
            for array, core in zip(rest, self.cores, strict=True)
        ]
        all_keys = None if keys is None else jnp.broadcast_to(keys, lead)
        return [
            self._request(points[at], [array[at] for array in wide], None if all_keys is None else all_keys[at])
            for at in np.ndindex(lead)
        ]

    def _request(self, point: np.ndarray, rest: list[np.ndarray], key: Key) -> Request:
        arrays = dict(zip(self.array_slots, rest, strict=False))
        given = iter(rest[len(self.array_slots) :])
        results = jax.tree.unflatten(self.tree, [next(given) if leaf is _OPEN else leaf for leaf in self.leaves])
        state = self.template.initial_state
        return Request(
            circuit=_with_values(self.template.circuit, dict(zip(self.slots, point.tolist(), strict=True)), arrays),
            results=results,
            shots=self.template.shots,
            key=key,
            method=self.template.method,
            gradient=self.template.gradient,
            initial_state=next(given) if state is _OPEN else state,
        )


def take_apart(request: Request) -> tuple[HostPlan, Inputs]:
    """The structure of a request, and its arrays."""
    circuit, values = name_values(request.circuit)
    shapes = circuit.parameter_shapes()
    batch = batch_shape(request, shapes)
    instructions = circuit.instructions
    slots = tuple(
        (i, p)
        for i, instruction in enumerate(instructions)
        for p, param in enumerate(instruction.operation.params)
        if not is_constant(param)
    )
    arrays = {
        (i, a): array
        for i, instruction in enumerate(instructions)
        for a, array in enumerate(getattr(instruction.operation, "arrays", ()))
        if not isinstance(array, np.ndarray)
    }
    leaves, tree = jax.tree.flatten(atoms_of(request.results))
    inside = [leaf for leaf in leaves if isinstance(leaf, jax.Array)]
    lead = (None,) * len(batch)
    rest = [array[lead] for array in (*arrays.values(), *inside)]
    names = [f"the arrays of `{instructions[i].operation.name}`" for i, _ in arrays]
    names += ["arrays inside results"] * len(inside)
    cores = [array.ndim for array in (*arrays.values(), *inside)]
    state = request.initial_state
    if state is not None and not isinstance(state, str):
        rest.append(jnp.asarray(state)[(None,) * (len(batch) + 1 - np.ndim(state))])
        names.append("the initial state")
        cores.append(1)
        state = _OPEN
    keys = request.key
    if keys is not None and batch:
        keys = jax.random.split(keys, batch)
    plan = HostPlan(
        template=Request(
            circuit=_with_values(circuit, {}, {at: np.zeros(v.shape, v.dtype) for at, v in arrays.items()}),
            shots=request.shots,
            method=request.method,
            gradient=request.gradient,
            initial_state=state,
        ),
        leaves=tuple(_OPEN if isinstance(leaf, jax.Array) else leaf for leaf in leaves),
        tree=tree,
        shapes=_shapes(request),
        slots=slots,
        array_slots=tuple(arrays),
        cores=tuple(cores),
        rest_names=tuple(names),
        key_impl=None if keys is None else jax.random.key_impl(keys),
        x64=jnp.zeros((), float).dtype == np.float64,
    )
    points = _points(circuit, {**request.params, **values}, len(slots), batch)
    return plan, Inputs(points, rest, keys)


def context_of(request: Request) -> Context:
    """What the results of a request may know."""
    small = logical(request.circuit)
    return Context(
        num_qubits=len(small.places),
        num_clbits=request.circuit.num_clbits,
        shots=request.shots,
        measured=measured_qubits(small.circuit) if request.circuit.num_clbits else None,
        key=request.key,
    )


def batch_shape(request: Request, shapes: Mapping[str, tuple[int, ...]]) -> tuple[int, ...]:
    """The batch axes of a request: those that the axes of all its parameters broadcast to."""
    found = []
    for name, shape in shapes.items():
        if name in request.params:
            given = request.params[name].shape
            found.append(given[: len(given) - len(shape)])
    if request.initial_state is not None and not isinstance(request.initial_state, str):
        found.append(np.shape(request.initial_state)[:-1])
    return np.broadcast_shapes(*found)


def complex_dtype(method: Any) -> Any:
    """The complex dtype of `method`; where it names none, the widest that JAX is set to."""
    dtype = getattr(method, "dtype", None)
    return np.dtype(jnp.zeros((), complex).dtype if dtype is None else dtype)


def _shapes(request: Request) -> list[PyTree]:
    context = context_of(request)
    return result_shapes(
        atoms_of(request.results), ShapeState(context.num_qubits, complex_dtype(request.method)), context
    )


def _points(circuit: Circuit, params: Mapping[str, Array], count: int, batch: tuple[int, ...]) -> Array:
    dtype = jnp.zeros((), float).dtype
    if count == 0:
        return jnp.zeros((*batch, 0), dtype)
    sources = find_sources(circuit, circuit.instructions)
    where = np.flatnonzero(sources.angle_open)

    def of_one(values: Mapping[str, Array]) -> Array:
        tables, numbers = sources.tables(Reads()), circuit.numbers()
        flat = flat_values(sources, tables, numbers, values, circuit.values(), dtype)
        return vectors(sources, tables, Reads(), flat).angles[where]

    function = of_one
    for _ in batch:
        function = jax.vmap(function)
    shapes = circuit.parameter_shapes()
    return function({name: jnp.broadcast_to(params[name], (*batch, *shapes[name])) for name in sources.names})


def _with_values(
    circuit: Circuit, angles: Mapping[tuple[int, int], float], arrays: Mapping[tuple[int, int], np.ndarray]
) -> Circuit:
    """`circuit` with numbers in the place of some gate arguments and arrays, by (instruction, place)."""
    changed = {i for i, _ in (*angles, *arrays)}
    if not changed:
        return circuit
    plain = Circuit(circuit.num_qubits, num_clbits={r.name: r.size for r in circuit.cregs})
    for i, instruction in enumerate(circuit.instructions):
        op = instruction.operation
        if i in changed:
            params = [angles.get((i, p), param) for p, param in enumerate(op.params)]
            op = op.replace(params, [arrays.get((i, a), v) for a, v in enumerate(getattr(op, "arrays", ()))])
        plain.append(op, instruction.qubits, instruction.clbits)
    return plain.with_layout(circuit.layout)
