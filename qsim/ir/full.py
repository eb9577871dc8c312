"""A circuit with definitions in the place of the operations that are known and run by them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING

from qsim.ir.derived import derived
from qsim.ir.expand import expand, is_whole
from qsim.ir.structure import device_values

if TYPE_CHECKING:
    from qsim.ir.circuit import Circuit


def kept_where_known(make: Callable[[Circuit], Circuit]) -> Callable[[Circuit], Circuit]:
    """Decorator: f(circuit) -> another circuit, found once, but again each time where it makes JAX values.

    Those belong to the trace in which they were made.
    """

    @derived
    def kept(circuit: Circuit) -> Circuit | None:
        made = make(circuit)
        if made is circuit:
            return circuit
        known = {id(value) for value in device_values(circuit.instructions)}
        return made if all(id(value) in known for value in device_values(made.instructions)) else None

    @wraps(make)
    def found(circuit: Circuit) -> Circuit:
        known = kept(circuit)
        return make(circuit) if known is None else known

    return found


@kept_where_known
def in_full(circuit: Circuit) -> Circuit:
    """The circuit without the operations that are not `is_whole`; itself where it has none of them.

    Raises:
        CircuitError: a definition is none, or contains itself.
    """
    return circuit if all(is_whole(i.operation) for i in circuit.instructions) else expand(circuit, is_whole)
