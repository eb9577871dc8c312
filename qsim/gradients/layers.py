"""Which parameters of a circuit stand side by side: the blocks of its metric."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from qsim._errors import CircuitError, ParameterError
from qsim._recent import Recent
from qsim._typing import Array, PyTree
from qsim.ir.circuit import Circuit
from qsim.ir.keys import key_of
from qsim.ir.operation import Barrier, Measure
from qsim.ir.parameter import parameters_of
from qsim.lower.forms import phase_form

ANY = "any"
"""The basis of a qubit on which nothing has acted."""
MAX_FORMS = 256

_forms = Recent(MAX_FORMS)


def parameter_layers(circuit: Circuit) -> dict[str, Array]:
    """The layer in which each parameter of a circuit first acts: the blocks of a block-diagonal metric.

    A layer is a set of gates with open parameters and no other gate between them, which act on different qubits or
    in the same Pauli basis (all rzz of a chain, say); layers count from 0. They commute, which is what makes their
    block of the metric easy to measure (arXiv:1909.02108). A parameter of several gates belongs to the
    first one's layer.

    Args:
        circuit: a circuit with open parameters.

    Returns:
        name -> int32 array of the declared shape; an element of a vector that no gate uses is in layer 0.

    Raises:
        CircuitError: something that is not a circuit.

    Example:
        >>> from qsim.gradients import parameter_layers
        >>> from qsim.library import hardware_efficient
        >>> parameter_layers(hardware_efficient(2, layers=2))["theta"].tolist()
        [[[0, 0], [1, 1]], [[2, 2], [3, 3]]]
    """
    if not isinstance(circuit, Circuit):
        raise CircuitError(f"Argument `circuit` must be a Circuit, but is {type(circuit).__name__}.")
    found = {name: np.full(shape, -1, np.int32) for name, shape in circuit.parameter_shapes().items()}
    last = [-1] * circuit.num_qubits  # the last layer with a gate on this qubit
    bases: list[str | None] = [ANY] * circuit.num_qubits  # in which all gates on it since then are diagonal
    for i in circuit.instructions:
        if isinstance(i.operation, (Barrier, Measure)):
            continue
        used = [p for param in i.operation.params for p in parameters_of(param)]
        own = _bases(i.operation) if used else (None,) * len(i.qubits)
        pairs = list(zip(i.qubits, own, strict=True))
        fits = [basis is not None and bases[q] in (ANY, basis) for q, basis in pairs]
        earliest = [last[q] if fit else last[q] + 1 for (q, _), fit in zip(pairs, fits, strict=True)]
        layer = max([0, *earliest]) if used else max([last[q] for q in i.qubits], default=-1)
        for p in used:
            owner, place = (p.name, 0) if p.vector is None else (p.vector.name, p.index)
            if found[owner].reshape(-1)[place] < 0:
                found[owner].reshape(-1)[place] = layer
        for (q, basis), fit in zip(pairs, fits, strict=True):
            bases[q] = basis if fit or (used and layer > last[q]) else None
            last[q] = layer
    return {name: np.maximum(layers, 0) for name, layers in found.items()}


def _bases(operation: Any) -> tuple[str | None, ...]:
    """The Pauli letter per qubit in whose eigenbasis an operation is diagonal; None where there is none."""
    form = _forms.get(key_of(operation), lambda: phase_form(operation))
    return (None,) * operation.num_qubits if form is None else form.bases


def block_table(blocks: PyTree | None, params: PyTree) -> np.ndarray:
    """The places in the raveled params of each block, int32 (blocks, size of the largest).

    Shorter blocks are filled up with the number of params, which is no place.

    Args:
        blocks: a pytree like params of ints, the number of each element's block; None is one block.
        params: any pytree of arrays.

    Raises:
        ParameterError: blocks that are not like params, or are not host ints.
    """
    size = sum(np.size(leaf) for leaf in jax.tree.leaves(params))
    if blocks is None:
        return np.arange(size, dtype=np.int32)[None]
    leaves, structure = jax.tree.flatten(blocks)
    shapes = [np.shape(leaf) for leaf in jax.tree.leaves(params)]
    if structure != jax.tree.structure(params) or [np.shape(leaf) for leaf in leaves] != shapes:
        raise ParameterError(
            f"Argument `blocks` must be a pytree like the params, with shapes {shapes}, but is {structure} with shapes "
            f"{[np.shape(leaf) for leaf in leaves]}. Try parameter_layers(circuit), or None."
        )
    if any(
        not isinstance(leaf, (np.ndarray, np.integer, int)) or np.asarray(leaf).dtype.kind not in "iu"
        for leaf in leaves
    ):
        raise ParameterError("Argument `blocks` must hold ints that are known before tracing, one per element.")
    numbers = np.concatenate([np.asarray(leaf).reshape(-1) for leaf in leaves]) if leaves else np.zeros(0, np.int32)
    groups = [np.flatnonzero(numbers == number) for number in np.unique(numbers)]
    table = np.full((len(groups), max(map(len, groups), default=0)), size, np.int32)
    for row, places in zip(table, groups, strict=True):
        row[: len(places)] = places
    return table
