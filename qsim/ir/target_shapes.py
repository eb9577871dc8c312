"""Edges of the usual devices, each undirected edge once, and distances along edges."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qsim._errors import TargetError

Edges = list[tuple[int, int]]


def line(num_qubits: int) -> Edges:
    """0 - 1 - ... - (n-1)."""
    return [(q, q + 1) for q in range(num_qubits - 1)]


def ring(num_qubits: int) -> Edges:
    """A line whose ends are joined, from 3 qubits on."""
    return line(num_qubits) + ([(num_qubits - 1, 0)] if num_qubits > 2 else [])


def star(num_qubits: int) -> Edges:
    """Qubit 0 joined to every other one."""
    return [(0, q) for q in range(1, num_qubits)]


def grid(rows: int, columns: int) -> Edges:
    """Qubit r * columns + c joined to its neighbours in row and column."""
    along = [(r * columns + c, r * columns + c + 1) for r in range(rows) for c in range(columns - 1)]
    down = [(r * columns + c, (r + 1) * columns + c) for r in range(rows - 1) for c in range(columns)]
    return along + down


def heavy_hex(distance: int) -> tuple[int, Edges]:
    """The heavy-hexagon lattice of a code distance (odd): (number of qubits, edges).

    `distance` rows of 2 distance - 1 qubits, numbered row by row; then the qubits between the
    rows, (distance + 1) / 2 a gap. (5 d^2 - 2 d - 1) / 2 qubits in all. Reference:
    Chamberland et al., DOI 10.1103/PhysRevX.10.011022.
    """
    if distance < 1 or distance % 2 == 0:
        raise TargetError(f"Argument `distance` of heavy_hex must be odd and positive, but is {distance}.")
    width = 2 * distance - 1
    edges = [(r * width + c, r * width + c + 1) for r in range(distance) for c in range(width - 1)]
    between = distance * width
    for r in range(distance - 1):
        columns = [*range(1, width - 1, 4), width - 1] if r % 2 == 0 else [0, *range(3, width, 4)]
        for c in columns:
            edges += [(r * width + c, between), (between, (r + 1) * width + c)]
            between += 1
    return between, edges


def distances(neighbours: Sequence[Sequence[int]], starts: Sequence[int]) -> np.ndarray:
    """The number of steps from each of `starts` to every qubit, int32 (n, n), read only; -1 where there is no way."""
    table = np.full((len(neighbours), len(neighbours)), -1, dtype=np.int32)
    for start in starts:
        row, front, steps = table[start], [start], 0
        row[start] = 0
        while front:
            steps += 1
            front = sorted({b for a in front for b in neighbours[a] if row[b] < 0})
            row[front] = steps
    table.flags.writeable = False
    return table
