"""PUBs that run together: those of one circuit structure, their values as one batch."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from qsim._errors import ParameterError, QsimError, ResultError
from qsim._typing import Array
from qsim.ir.circuit import Circuit
from qsim.ir.gates import rz
from qsim.ir.parameter import Parameter
from qsim.primitives import qiskit_circuit
from qsim.primitives.bindings import BindingsArray
from qsim.primitives.pub import Pub

P = TypeVar("P", bound=Pub)
POINT = "point"


@dataclass(slots=True, eq=False)
class Group(Generic[P]):
    """PUBs whose values make one batch of one circuit.

    Attributes:
        circuit: ours, for all of them. numbers: which PUBs they are. places: where in the list they stood.
        pubs: the PUBs.
    """

    circuit: Circuit
    places: list[int] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    pubs: list[P] = field(default_factory=list)

    def bind(self, sampled: bool) -> tuple[Circuit, dict[str, Array], list[int]]:
        """The circuit to run, its parameters with the batch first, and how many points each PUB has.

        Points of a circuit without parameters are still measured apart, so that it gets one that
        does nothing.

        Raises:
            ParameterError: NaN or infinity, naming the PUB.
        """
        pubs, signature = self.pubs, self.pubs[0].signature
        sizes = [pub.parameter_values.size for pub in pubs]
        if not signature.labels:
            if not sampled or sum(sizes) == 1:
                return self.circuit, {}, sizes
            number = next(n for n in (POINT, *(f"{POINT}{i}" for i in range(9))) if n not in signature.shapes)
            phase = rz(Parameter(number), 0)
            circuit = self.circuit.with_instructions([phase, *self.circuit.instructions])
            return circuit, {number: np.zeros(sum(sizes))}, sizes
        if len(pubs) == 1:
            values = pubs[0].parameter_values
        else:
            rows = [rows_of(pub) for pub in pubs]
            xp = jnp if any(isinstance(row, jax.Array) for row in rows) else np
            values = BindingsArray.of({signature.labels: xp.concatenate(rows)}, (sum(sizes),))
        if not all(np.isfinite(array).all() for array in values.data.values() if isinstance(array, np.ndarray)):
            self._refuse()
        params = values.params(signature)
        batches = {n: a.shape[: a.ndim - len(signature.shapes[n])] for n, a in params.items()}
        if np.broadcast_shapes(*batches.values()) != values.shape:  # a shape that was given is larger than the values
            name = next(iter(params))
            xp = jnp if isinstance(params[name], jax.Array) else np
            params[name] = xp.broadcast_to(params[name], (*values.shape, *signature.shapes[name]))
        return self.circuit, params, sizes

    def _refuse(self) -> None:
        for number, pub in zip(self.numbers, self.pubs, strict=True):
            for key, array in pub.parameter_values.data.items():
                if isinstance(array, np.ndarray) and not np.isfinite(array).all():
                    what = "NaN" if np.isnan(array).any() else "an infinite number"
                    name = ", ".join(key) if isinstance(key, tuple) else key
                    raise ParameterError(f"PUB {number}: the values of {name} hold {what}.")


def grouped(pubs: Sequence[P], extra: Callable[[P], Hashable], numbers: Sequence[int] | None = None) -> list[Group[P]]:
    """The PUBs by circuit, equal constants and JAX values included, and by something more.

    Looked up by the identity of the circuit first, and by its structure where that is new.

    Args:
        pubs: the PUBs, or parts of them. extra: what those in one group have in common besides.
        numbers: what messages call them; default 0, 1, ...
    """
    circuits: dict[int, tuple[int, Circuit]] = {}
    forms: dict[Hashable, int] = {}
    held: list[Any] = []
    groups: dict[Hashable, Group[P]] = {}
    for place, pub in enumerate(pubs):
        number = place if numbers is None else numbers[place]
        circuit = pub.circuit
        known = circuits.get(id(circuit))
        if known is None:
            try:
                own = circuit if isinstance(circuit, Circuit) else qiskit_circuit.converted(circuit)
            except QsimError as error:
                raise of_pub(number, error) from None
            values = own.values()
            held.append(values)  # or later ones could be in the same place
            form = (own.key, own.numbers().tobytes(), tuple(map(id, values)))
            known = circuits[id(circuit)] = (forms.setdefault(form, len(forms)), own)
        key = (known[0], extra(pub))
        group = groups.get(key)
        if group is None:
            group = groups[key] = Group(known[1])
        group.numbers.append(number)
        group.places.append(place)
        group.pubs.append(pub)
    return list(groups.values())


def coerced(pubs: Any, coerce: Callable[[Any], P]) -> list[P]:
    """Each of several PUBs made ready.

    Raises:
        QsimError: what is wrong with one, naming its number.
    """
    single = isinstance(pubs, (Circuit, Pub, str)) or qiskit_circuit.is_circuit(pubs)
    if single or not isinstance(pubs, Iterable):
        raise ResultError(
            f"Argument `pubs` must be a list of PUBs, but is {type(pubs).__name__}. Try run([pub]) for a single one."
        )
    found: list[P] = []
    for number, pub in enumerate(pubs):
        try:
            found.append(coerce(pub))
        except QsimError as error:
            raise of_pub(number, error) from None
    return found


def of_pub(number: int, error: QsimError) -> QsimError:
    """The same error, saying which PUB it is about."""
    words = str(error)
    try:
        return type(error)(words if words.startswith("PUB ") else f"PUB {number}: {words}")
    except TypeError:  # an error with more to it
        return error


def fetched(values: Any) -> Any:
    """Arrays on the host; as they are while JAX traces them."""
    leaves = jax.tree.leaves(values)
    if any(isinstance(leaf, Tracer) for leaf in leaves):
        return values
    return jax.tree.map(np.asarray, values)


def rows_of(pub: Pub) -> Array:
    """The values of a PUB, one row for each point (B, P)."""
    values, labels = pub.parameter_values, pub.signature.labels
    width = len(labels)
    whole = values.data.get(labels)
    if whole is not None:
        return whole.reshape(-1, width)
    params, shapes = values.params(pub.signature), pub.signature.shapes
    columns: dict[int, Array] = {}
    for name, array in params.items():
        xp = jnp if isinstance(array, jax.Array) else np
        wide = xp.broadcast_to(array, (*values.shape, *shapes[name])).reshape(values.size, -1)
        for place, column in enumerate(pub.signature.places[name]):
            if column is not None:
                columns[column] = wide[:, place]
    xp = jnp if any(isinstance(c, jax.Array) for c in columns.values()) else np
    return xp.stack([columns[i] for i in range(width)], axis=1) if columns else np.zeros((values.size, 0))
