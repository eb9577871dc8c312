"""Edges of the usual graphs of sites."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from typing import Any

from qsim._checks import check_int
from qsim._errors import ObservableError, QsimError
from qsim.ir.parameter import is_number

Edge = tuple[int, int]
"""Two different sites."""


def chain_edges(num_sites: int, periodic: bool = False) -> tuple[Edge, ...]:
    """The edges of a chain: (0, 1), (1, 2), ...

    Args:
        num_sites: the length of the chain, 1 or more.
        periodic: True where the last site is joined to the first (from 3 sites on).

    Raises:
        ObservableError: a chain without sites.

    Example:
        >>> from qsim.library import chain_edges
        >>> chain_edges(4, periodic=True)
        ((0, 1), (1, 2), (2, 3), (0, 3))
    """
    sites = check_int("num_sites", num_sites, ObservableError, minimum=1)
    closing = ((0, sites - 1),) if periodic and sites > 2 else ()
    return tuple((i, i + 1) for i in range(sites - 1)) + closing


def grid_edges(rows: int, columns: int, periodic: bool = False) -> tuple[Edge, ...]:
    """The edges of a rectangle of sites, numbered row by row: site (r, c) is r * columns + c.

    Args:
        rows: how many rows, 1 or more. columns: how many columns, 1 or more.
        periodic: True where opposite borders are joined (in a direction of 3 sites or more).

    Raises:
        ObservableError: a grid without sites.

    Example:
        >>> from qsim.library import grid_edges
        >>> grid_edges(2, 2)
        ((0, 1), (2, 3), (0, 2), (1, 3))
    """
    rows, columns = (
        check_int(name, value, ObservableError, minimum=1) for name, value in (("rows", rows), ("columns", columns))
    )
    across = [(r * columns + a, r * columns + b) for r in range(rows) for a, b in chain_edges(columns, periodic)]
    down = [(a * columns + c, b * columns + c) for c in range(columns) for a, b in chain_edges(rows, periodic)]
    return tuple(across + sorted(down))


def complete_edges(num_sites: int) -> tuple[Edge, ...]:
    """All pairs of sites, in order.

    Args:
        num_sites: how many sites, 1 or more.

    Raises:
        ObservableError: no sites.

    Example:
        >>> from qsim.library import complete_edges
        >>> complete_edges(3)
        ((0, 1), (0, 2), (1, 2))
    """
    return tuple(combinations(range(check_int("num_sites", num_sites, ObservableError, minimum=1)), 2))


def check_coupling(name: str, value: Any) -> Any:
    """`value`, which must be a real number or a JAX scalar, else one error naming the argument."""
    if is_number(value) or (getattr(value, "shape", None) == () and hasattr(value, "dtype")):
        return value
    raise ObservableError(f"Argument `{name}` must be a number or a JAX scalar, but is {type(value).__name__}.")


def check_edges(edges: Iterable[Any], num_sites: int, error: type[QsimError]) -> tuple[Edge, ...]:
    """`edges` as pairs of different ints below `num_sites`, else `error` naming the first that is not."""
    try:
        pairs = [tuple(edge) for edge in edges]
    except TypeError:
        raise error(f"Argument `edges` must be pairs of sites such as [(0, 1), (1, 2)], but is {edges!r}.") from None
    for pair in pairs:
        ends = [check_int("edges", end, error) for end in pair]
        if len(ends) != 2 or ends[0] == ends[1] or max(ends) >= num_sites:
            raise error(
                f"Argument `edges` must hold pairs of different sites from 0 to {num_sites - 1}, but holds {pair}."
            )
    return tuple((int(a), int(b)) for a, b in pairs)
