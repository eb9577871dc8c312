"""From device qubits back to the circuit that was written: what runs is small, what is reported is logical.

A transpiled circuit lives on the qubits of a device and has a layout. To simulate it, its
idle qubits are dropped and the others are renumbered so that qubit i of the original
circuit ends in place i; the ancillas come last. A transpiler returns ancillas to |0>,
so the logical state is the part of the whole one in which they read 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from qsim._typing import Array, PyTree
from qsim.backends.atoms import is_result
from qsim.ir.circuit import Circuit
from qsim.ir.derived import derived
from qsim.ir.layout import Layout, pad, restrict
from qsim.methods.base import AbstractState
from qsim.methods.operator import OperatorState
from qsim.methods.pure import PureState
from qsim.results.base import Context, Result, pytree


@dataclass(frozen=True, eq=False)
class Logical:
    """A circuit to be simulated, and how its qubits are those of the original circuit.

    Attributes:
        circuit: without idle qubits; qubit i of the original circuit ends in place i.
        places: where qubit i of the original circuit starts, (k,).
    """

    circuit: Circuit
    places: tuple[int, ...]

    @property
    def is_trivial(self) -> bool:
        """True where the circuit simulated is the original one, qubit for qubit."""
        return self.places == Layout.trivial(self.circuit.num_qubits).initial

    def embed(self, amplitudes: Array) -> Array:
        """Amplitudes (..., 2^k) of the original qubits as those (..., 2^m) of the circuit simulated."""
        if self.is_trivial:
            return amplitudes
        batch, m = amplitudes.shape[:-1], self.circuit.num_qubits
        xp = jnp if isinstance(amplitudes, jax.Array) else np
        ancillas = (1 << (m - len(self.places))) - 1
        whole = xp.pad(amplitudes[..., None], [*[(0, 0)] * amplitudes.ndim, (0, ancillas)])
        spare = [q for q in range(m) if q not in self.places]
        order = [(*self.places, *spare).index(q) for q in range(m)]
        axes = [*range(len(batch)), *(len(batch) + axis for axis in order)]
        return whole.reshape((*batch, *(2,) * m)).transpose(axes).reshape((*batch, 1 << m))

    def embed_bits(self, bits: str) -> str:
        """A bit string of the original qubits as one of the circuit simulated."""
        places = dict(zip(self.places, bits, strict=True))
        return "".join(places.get(q, "0") for q in range(self.circuit.num_qubits))

    def structure(self, structure: Any) -> Any:
        """The structure of a pytree of results, as that of `results` of it; both hold the same leaves."""
        if self.is_trivial:
            return structure
        places = range(structure.num_leaves)
        return jax.tree.structure(self.results(jax.tree.unflatten(structure, places)))

    def results(self, results: PyTree) -> PyTree:
        """Results about the original qubits, as results about the circuit simulated."""
        if self.is_trivial:
            return results
        return jax.tree.map(lambda r: OfLogical(r, self.places), results, is_leaf=is_result)


@pytree("result")
@dataclass(frozen=True, eq=False)
class OfLogical(Result):
    """A result about the qubits of the original circuit, which end in the first places.

    Args:
        result: the result asked for.
        places: where those qubits start, (k,).
    """

    result: Result
    places: tuple[int, ...]

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]
        return self.result.needs

    @property
    def differentiable(self) -> bool:  # type: ignore[override]
        return self.result.differentiable

    def check(self, context: Context) -> None:
        self.result.check(replace(context, num_qubits=len(self.places)))

    def evaluate(self, state: AbstractState, context: Context) -> Any:
        logical = _first_qubits(state, self.places, context.num_qubits)
        return self.result.evaluate(logical, replace(context, num_qubits=len(self.places)))


def logical(circuit: Circuit) -> Logical:
    """How to simulate `circuit` in terms of the circuit that it was transpiled from.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.backends.logical import logical
        >>> from qsim.ir.layout import pad
        >>> logical(pad(Circuit(2).h(0).cx(0, 1), 5, [3, 1])).circuit == Circuit(2).h(0).cx(0, 1)
        True
    """
    layout = circuit.layout
    if layout == Layout.trivial(circuit.num_qubits):
        return Logical(circuit, layout.initial)
    return _at_home(circuit)


@derived
def _at_home(circuit: Circuit) -> Logical:
    small = restrict(circuit)
    final = small.layout.final
    spare = [q for q in range(small.num_qubits) if q not in final]
    target = {place: i for i, place in enumerate((*final, *spare))}
    moved = pad(small, small.num_qubits, [target[q] for q in range(small.num_qubits)])
    return Logical(moved.with_layout(None), moved.layout.initial)


def basis_amplitudes(bits: str) -> np.ndarray:
    """The amplitudes (2^n,), complex128, of a basis state given as a bit string, qubit 0 first."""
    amplitudes = np.zeros(1 << len(bits), np.complex128)
    amplitudes[int(bits, 2) if bits else 0] = 1
    return amplitudes


def _first_qubits(state: AbstractState, places: tuple[int, ...], num_qubits: int) -> AbstractState:
    kept = len(places)
    if state.is_pure:
        return PureState(state.amplitudes().reshape(1 << kept, -1)[:, 0]) if kept < num_qubits else state
    matrix = state.operator()
    columns = np.zeros(1 << kept, np.int64)
    for bit, place in enumerate(places):
        ones = (np.arange(1 << kept) >> (kept - 1 - bit)) & 1
        columns |= ones << (num_qubits - 1 - place)
    return OperatorState(matrix.reshape(1 << kept, -1, matrix.shape[1])[:, 0, columns])
