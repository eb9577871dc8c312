"""What follows from a circuit, found once: nobody goes through the gates again until there are new ones."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from qsim.ir.circuit import Circuit

T = TypeVar("T")
Facts = tuple[tuple[int, int], dict[Any, Any]]
"""The size of a circuit, and what was found while it had that size. Circuits only ever grow."""

NOTHING_KNOWN: Facts = ((-1, -1), {})
_ITSELF = object()  # in the place of the circuit: one that held itself would outlive its last user


def derived(function: Callable[[Circuit], T]) -> Callable[[Circuit], T]:
    """Decorator: f(circuit), found once for a circuit as it is and again after it was appended to.

    What f returns is shared by all who ask: it must not be changed.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.ir.derived import derived
        >>> @derived
        ... def size(circuit):
        ...     print("counting")
        ...     return len(circuit)
        >>> circuit = Circuit(1).h(0)
        >>> size(circuit), size(circuit), size(circuit.h(0))
        counting
        counting
        (1, 1, 2)
    """

    @wraps(function)
    def once(circuit: Circuit) -> T:
        size, known = (len(circuit._instructions), circuit.num_clbits), circuit._facts
        if known[0] != size:  # threads may do this at once: facts of another size are never read
            circuit._facts = known = (size, {})
        if function not in known[1]:
            made = function(circuit)
            known[1][function] = _ITSELF if made is circuit else made
        found = known[1][function]
        return cast(T, circuit) if found is _ITSELF else found

    return once
