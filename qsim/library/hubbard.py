"""The Fermi-Hubbard model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from qsim._checks import check_int
from qsim._errors import ObservableError
from qsim.ir.pauli import PauliSum
from qsim.library.fermions import Ladder, jordan_wigner
from qsim.library.lattice import check_coupling, grid_edges


def hubbard(
    shape: int | Sequence[int],
    t: Any = 1.0,
    u: Any = 1.0,
    chemical_potential: Any = 0.0,
    periodic: bool = False,
) -> PauliSum:
    """The Fermi-Hubbard model by Jordan-Wigner, on a chain or a grid.

    H = -t sum_(a,b),s (c^dagger_as c_bs + c^dagger_bs c_as) + u sum_a n_a,up n_a,down
    - chemical_potential sum_a,s n_as. Site a has qubit 2a for spin up and 2a + 1 for spin down;
    an occupied one is |1>. Reference: Hubbard, doi:10.1098/rspa.1963.0204.

    Args:
        shape: the number of sites of a chain, or (rows, columns) of a grid, site by site along rows.
        t: the hopping, a number or a JAX scalar. u: the repulsion on a site, likewise.
        chemical_potential: likewise.
        periodic: True where opposite borders are joined (in a direction of 3 sites or more).

    Raises:
        ObservableError: a shape without sites, or numbers that are none.

    Example:
        >>> from qsim.library import hubbard
        >>> half_filled = hubbard(2, t=1.0, u=4.0, chemical_potential=2.0)
        >>> half_filled.num_qubits, round(half_filled.ground_state()[0], 6)  # -(u + sqrt(u^2 + 16 t^2)) / 2
        (4, -4.828427)
    """
    sizes = (1, shape) if not isinstance(shape, (Sequence, np.ndarray)) or isinstance(shape, str) else tuple(shape)
    if len(sizes) != 2:
        raise ObservableError(
            f"Argument `shape` must be a number of sites or (rows, columns), but has {len(sizes)} numbers."
        )
    rows, columns = (check_int("shape", size, ObservableError, minimum=1) for size in sizes)
    t, u, mu = map(check_coupling, ("t", "u", "chemical_potential"), (t, u, chemical_potential))
    hops: dict[tuple[Ladder, ...], complex] = {}
    for a, b in grid_edges(rows, columns, periodic):
        for p, q in ((2 * a, 2 * b), (2 * a + 1, 2 * b + 1)):
            hops[(p, True), (q, False)] = hops[(q, True), (p, False)] = -1.0
    number = [((q, True), (q, False)) for q in range(2 * rows * columns)]
    pairs = {up + down: 1.0 for up, down in zip(number[::2], number[1::2], strict=True)}
    model = t * jordan_wigner(hops) + u * jordan_wigner(pairs)
    return (model - mu * jordan_wigner(dict.fromkeys(number, 1.0))).simplify()
