"""Any pytree of results as one program: checked before tracing, then evaluated on one state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax

from qsim._errors import ResultError
from qsim.ir.circuit import Circuit
from qsim.methods.base import AbstractState
from qsim.results.base import Context, Result, check_shots_memory, nested


def leaves(results: Any) -> list[Result]:
    """The results in a pytree of results, in order.

    Raises:
        ResultError: something in it is no result, or there is none.
    """
    found = jax.tree.leaves(results, is_leaf=_is_result)
    for leaf in found:
        if not isinstance(leaf, Result):
            raise ResultError(
                f"Argument `results` must be a result or a pytree of results, but holds {type(leaf).__name__}. "
                "Try Expectation(observable), Probabilities(), ..."
            )
    if not found:
        raise ResultError("Argument `results` must hold at least one result, but holds none.")
    return found


def needs(results: Any) -> frozenset[str]:
    """What the results need of the run, taken together; see `Result.needs`."""
    return frozenset().union(*(result.needs for result in leaves(results)))


def differentiable(results: Any) -> bool:
    """True where every result has a derivative."""
    return all(result.differentiable for result in leaves(results))


def needs_key(results: Any, shots: int | None) -> bool:
    """True where something is sampled, so that a key must be given."""
    return any("sampling" in r.needs or (shots is not None and "exact" not in r.needs) for r in leaves(results))


def check_all(results: Any, context: Context) -> None:
    """Refuse, before tracing, what the circuit cannot answer.

    Raises:
        ResultError: the first result that cannot be had, in words.
    """
    if context.shots is not None:
        check_shots_memory(context.shots, context.num_qubits)
    for result in leaves(results):
        result.check(context)


def evaluate_all(results: Any, state: AbstractState, context: Context) -> Any:
    """The values of all results, each evaluated once, in the pytree shape of `results`."""
    found, structure = jax.tree.flatten(results, is_leaf=_is_result)
    return jax.tree.unflatten(structure, [r.evaluate(state, nested(context, i)) for i, r in enumerate(found)])


def circuits(results: Any) -> list[Circuit]:
    """The circuits that results compare with (Overlap, Fidelity; inside Map and arithmetic too), in order."""
    return [node for node in jax.tree.leaves(results, is_leaf=is_circuit) if is_circuit(node)]


def with_states(results: Any, states: Sequence[Any]) -> Any:
    """The same results with the amplitudes `states` in place of their `circuits`, in order."""
    rest = iter(states)
    return jax.tree.map(lambda node: next(rest) if is_circuit(node) else node, results, is_leaf=is_circuit)


def _is_result(node: Any) -> bool:
    return isinstance(node, Result)


def is_circuit(node: Any) -> bool:
    """True for a circuit: a leaf that results compare with."""
    return isinstance(node, Circuit)
