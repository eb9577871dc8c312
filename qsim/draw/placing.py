"""Where to draw the qubits of a device, from its edges alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qsim.ir import target_shapes

__all__ = ["place_qubits"]

ROUNDS = 120


def place_qubits(num_qubits: int, edges: Sequence[tuple[int, int]]) -> np.ndarray:
    """Positions (n, 2) where edges are about 1 long: rows where the numbers tell of rows, else by distance.

    Lines, square lattices and heavy hexagons that are numbered row by row come out as such; anything
    else by stress majorisation, which puts two qubits as far apart as there are edges between them.

    Reference: Gansner, Koren, North, Graph Drawing 2004, doi:10.1007/978-3-540-31843-9_25.

    Example:
        >>> place_qubits(4, [(0, 1), (2, 3), (0, 2), (1, 3)]).tolist()
        [[0.0, 0.0], [1.0, 0.0], [0.0, -1.0], [1.0, -1.0]]
    """
    pairs = sorted({(min(e), max(e)) for e in edges})
    near: list[list[int]] = [[] for _ in range(num_qubits)]
    for a, b in pairs:
        near[a].append(b)
        near[b].append(a)
    rows = _by_rows(near)
    return _by_distance(near) if rows is None else rows


def _by_rows(near: Sequence[Sequence[int]]) -> np.ndarray | None:
    """Neighbours in number side by side, other edges upright; None where that does not work out.

    A qubit that joins two others and no neighbour in number lies halfway between them, the smaller above.
    """
    n = len(near)
    bridge = [len(group) == 2 and all(abs(q - b) > 1 for b in group) for q, group in enumerate(near)]
    at: dict[int, tuple[int, int]] = {0: (0, 0)} if n else {}
    todo = list(at)
    while todo:
        a = todo.pop()
        for b in near[a]:
            x, y = at[a]
            if abs(a - b) == 1:
                place = (x + b - a, y)
            elif bridge[a] or bridge[b]:
                middle, end = (a, b) if bridge[a] else (b, a)
                down = end == max(near[middle])
                place = (x, y - (1 if down == (middle == a) else -1))
            else:
                place = (x, y - (1 if b > a else -1))
            if b not in at:
                at[b] = place
                todo.append(b)
            elif at[b] != place:
                return None
    if len(at) < n or len(set(at.values())) < n:
        return None
    return np.array([at[q] for q in range(n)], dtype=float).reshape(n, 2)


def _by_distance(near: Sequence[Sequence[int]]) -> np.ndarray:
    """Stress majorisation, from classical scaling on; parts that are not joined side by side."""
    n = len(near)
    steps = target_shapes.distances(near, range(n)).astype(float)
    found, left = np.zeros((n, 2)), 0.0
    rest = set(range(n))
    while rest:
        part = np.flatnonzero(steps[min(rest)] >= 0)
        rest -= set(part.tolist())
        places = _majorise(steps[np.ix_(part, part)])
        places -= places.min(axis=0)
        found[part] = places + (left, 0.0)
        left += float(places[:, 0].max()) + 1.0
    return found


def _majorise(distance: np.ndarray) -> np.ndarray:
    n = len(distance)
    if n == 1:
        return np.zeros((1, 2))
    centre = np.eye(n) - 1 / n
    values, vectors = np.linalg.eigh(-0.5 * centre @ distance**2 @ centre)
    places = vectors[:, -2:][:, ::-1] * np.sqrt(np.maximum(values[-2:][::-1], 0))
    # break ties of equal places, the same way every time
    places = places + 1e-3 * np.stack([np.cos(np.arange(n) * 2.4), np.sin(np.arange(n) * 2.4)], axis=-1)
    weight = np.where(distance > 0, 1 / np.maximum(distance, 1) ** 2, 0)
    inverse = np.linalg.pinv(np.diag(weight.sum(axis=1)) - weight)
    for _ in range(ROUNDS):
        gap = np.linalg.norm(places[:, None] - places[None], axis=-1)
        ratio = np.where(gap > 1e-9, weight * distance / np.maximum(gap, 1e-9), 0)
        places = inverse @ (ratio.sum(axis=1)[:, None] * places - ratio @ places)
    return _upright(places)


def _upright(places: np.ndarray) -> np.ndarray:
    """Turned and mirrored so that the longer side lies across and qubit 0 is on the upper left."""
    places = places - places.mean(axis=0)
    _, _, axes = np.linalg.svd(places, full_matrices=False)
    places = places @ axes.T
    return places * np.where(places[0] * (1, -1) > 0, -1, 1)
