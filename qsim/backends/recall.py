"""Requests that were made before, by circuit: a call that differs in values alone is not checked again."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np

from qsim._typing import Array, PyTree
from qsim.backends.base import Request
from qsim.ir.circuit import Circuit
from qsim.ir.derived import derived
from qsim.results.base import RECORDS, is_fixed

MAX_REQUESTS, MAX_ENTRIES = 8, 1 << 16
"""How many requests a circuit keeps, and how many numbers the results of each hold: they stay in memory with it."""


@derived
def requests_of(circuit: Circuit) -> dict[Hashable, Request]:
    """Requests for a circuit as it is, by `place_of`; neither it nor values of parameters are in them."""
    return {}


def place_of(results: PyTree, params: Mapping[str, Array], method: Any, gradient: Any) -> Hashable:
    """What two requests for one circuit have in common where they differ in values alone; None where nobody knows.

    Results are known by their fields, and the request that is kept keeps those alive.
    """
    if type(results) not in RECORDS:
        return None
    fields = tuple(map(id, vars(results).values()))
    return (type(results), fields, method, gradient, tuple([(name, value.shape) for name, value in params.items()]))


def keep(request: Request, place: Hashable) -> None:
    """Remember a request that was checked, if its results are small and stay as they are."""
    if place is None or not is_fixed(request.results) or sum(map(np.size, request.given[0])) > MAX_ENTRIES:
        return
    known = requests_of(request.circuit)
    if len(known) >= MAX_REQUESTS:
        known.clear()
    known[place] = request.again(None, {})  # type: ignore[arg-type]  # it would keep the circuit that keeps it
