"""A circuit with definitions in the place of the operations that are known and run by them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import numpy as np

from qsim.ir.derived import derived
from qsim.ir.expand import expand, is_whole
from qsim.ir.structure import device_values

if TYPE_CHECKING:
    from qsim.ir.circuit import Circuit


def kept_outside_traces(make: Callable[[Circuit], Circuit]) -> Callable[[Circuit], Circuit]:
    """Decorator: f(circuit) -> another circuit, found once, but again each time where definitions make traced values.

    Those belong to the trace in which they were made, and are of no use outside.
    """

    @derived
    def kept(circuit: Circuit) -> Circuit | None:
        made = make(circuit)
        if made is circuit:
            return circuit
        known = {id(value) for value in device_values(circuit.instructions)}
        return made if all(id(v) in known or _is_concrete(v) for v in device_values(made.instructions)) else None

    @wraps(make)
    def found(circuit: Circuit) -> Circuit:
        known = kept(circuit)
        return make(circuit) if known is None else known

    return found


@kept_outside_traces
def in_full(circuit: Circuit) -> Circuit:
    """The circuit without the operations that are not `is_whole`; itself where it has none of them.

    It is what the circuit is known by, and run as. Parameters that definitions leave out stand in phases of 0.

    Raises:
        CircuitError: a definition is none, or contains itself.
    """
    if all(is_whole(i.operation) for i in circuit.instructions):
        return circuit
    full = expand(circuit, is_whole)
    used = set(full.parameters)
    for parameter in circuit.parameters:
        if parameter not in used:
            full.gphase(0 * parameter.arctan())  # 0 where the parameter is infinite too
    return full


def _is_concrete(value: Any) -> bool:
    """Whether a JAX value is no tracer."""
    try:
        np.asarray(value)
    except TypeError:
        return False
    return True
