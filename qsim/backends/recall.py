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
def known_requests(circuit: Circuit) -> dict[Hashable, dict[str, Any]]:
    """What is known of requests for a circuit as it is, by `place_of`; the circuit, which keeps it, is not in there."""
    return {}


def place_of(results: PyTree, params: Mapping[str, Array], method: Any, gradient: Any) -> Hashable:
    """What two requests for one circuit have in common where they differ in values alone; None where nobody knows.

    Results are known by their fields: those of a request that is kept stay alive, so that no other has their ids.
    """
    names = RECORDS.get(type(results))
    if names is None:
        return None
    fields = tuple([id(getattr(results, name)) for name in names])
    return (type(results), fields, method, gradient, tuple([(name, value.shape) for name, value in params.items()]))


def keep(request: Request, place: Hashable) -> None:
    """Remember a request that was checked, if its results are small and stay as they are."""
    if place is None or not is_fixed(request.results) or sum(map(np.size, request.given[0])) > MAX_ENTRIES:
        return
    known = known_requests(request.circuit)
    if len(known) >= MAX_REQUESTS:
        known.clear()
    known[place] = request.known()
