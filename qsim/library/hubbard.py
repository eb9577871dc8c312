"""The Fermi-Hubbard model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qsim._checks import check_int
from qsim._errors import ObservableError
from qsim.ir.parameter import is_number
from qsim.ir.pauli import PauliSum
from qsim.library.fermions import Ladder, jordan_wigner
from qsim.library.lattice import grid_edges


def hubbard(
    shape: int | Sequence[int],
    t: float = 1.0,
    u: float = 1.0,
    chemical_potential: float = 0.0,
    periodic: bool = False,
) -> PauliSum:
    """The Fermi-Hubbard model by Jordan-Wigner, on a chain or a grid.

    H = -t sum_(a,b),s (c^dagger_as c_bs + c^dagger_bs c_as) + u sum_a n_a,up n_a,down
    - chemical_potential sum_a,s n_as. Site a has qubit 2a for spin up and 2a + 1 for spin down;
    an occupied one is |1>. Reference: Hubbard, doi:10.1098/rspa.1963.0204.

    Args:
        shape: the number of sites of a chain, or (rows, columns) of a grid, site by site along rows.
        t: the hopping. u: the repulsion on a site. chemical_potential: mu.
        periodic: True where opposite borders are joined (in a direction of 3 sites or more).

    Raises:
        ObservableError: a shape without sites, or numbers that are none.

    Example:
        >>> from qsim.library import hubbard
        >>> half_filled = hubbard(2, t=1.0, u=4.0, chemical_potential=2.0)
        >>> half_filled.num_qubits, round(half_filled.ground_state()[0], 6)  # -(u + sqrt(u^2 + 16 t^2)) / 2
        (4, -4.828427)
    """
    sizes = (1, shape) if not isinstance(shape, Sequence) or isinstance(shape, str) else tuple(shape)
    if len(sizes) != 2:
        raise ObservableError(
            f"Argument `shape` must be a number of sites or (rows, columns), but has {len(sizes)} numbers."
        )
    rows, columns = (check_int("shape", size, ObservableError, minimum=1) for size in sizes)
    for name, value in (("t", t), ("u", u), ("chemical_potential", chemical_potential)):
        if not is_number(value):
            raise ObservableError(f"Argument `{name}` must be a number, but is {type(value).__name__}.")
    terms: dict[tuple[Ladder, ...], Any] = {}
    for a, b in grid_edges(rows, columns, periodic):
        for spin in (0, 1):
            p, q = 2 * a + spin, 2 * b + spin
            terms[(p, True), (q, False)] = terms[(q, True), (p, False)] = -t
    for site in range(rows * columns):
        up, down = 2 * site, 2 * site + 1
        terms[(up, True), (up, False), (down, True), (down, False)] = u
        terms[(up, True), (up, False)] = terms[(down, True), (down, False)] = -chemical_potential
    return jordan_wigner(terms)
