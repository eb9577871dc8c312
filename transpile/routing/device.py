"""A connected part of a device, as flat arrays for the routing loops."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from qsim._errors import TargetError
from qsim.ir.target import Target

__all__ = ["Device", "largest_part"]

UNKNOWN: np.ndarray = np.zeros((0, 0))


class Device(NamedTuple):
    """Joined qubits, renumbered 0 .. P-1; int32 arrays.

    Attributes:
        ptr, near: the neighbours of qubit p are near[ptr[p] : ptr[p + 1]].
        distances: (P, P), in edges.
        edge_costs: float64 (P, P), -log of the fidelity of a two-qubit gate; (0, 0) where none is known.
        names: (P,), the qubits of the target.
    """

    ptr: np.ndarray
    near: np.ndarray
    distances: np.ndarray
    edge_costs: np.ndarray
    names: np.ndarray

    @property
    def num_qubits(self) -> int:
        """The number of qubits of the part."""
        return len(self.names)


def largest_part(target: Target, needed: int) -> Device:
    """The largest connected part of the usable qubits of a target with edges.

    Raises:
        TargetError: it has fewer than `needed` qubits.
    """
    usable = target.usable_qubits
    distances = target.distances
    parts: dict[int, list[int]] = {}
    for q in usable:
        parts.setdefault(int(np.argmax(distances[q] >= 0)), []).append(q)
    part = max(parts.values(), key=len, default=[])
    if len(part) < needed:
        if len(usable) < needed:
            raise TargetError(
                f"The circuit acts on {needed} qubits, but the target has {len(usable)} usable ones. Use a target "
                f"with at least {needed} usable qubits, or a smaller circuit."
            )
        raise TargetError(
            f"The circuit acts on {needed} qubits, but the target is not connected: its largest connected part has "
            f"{len(part)} of the {len(usable)} usable qubits. It would need edges that join {needed} of them."
        )
    number = {q: i for i, q in enumerate(part)}
    near = [[number[r] for r in target.neighbours[q]] for q in part]
    names = np.array(part, np.int32)
    return Device(
        ptr=np.concatenate([[0], np.cumsum([len(row) for row in near])]).astype(np.int32),
        near=np.array([r for row in near for r in row], np.int32),
        distances=np.ascontiguousarray(distances[np.ix_(part, part)], dtype=np.int32),
        edge_costs=_edge_costs(target, part, number),
        names=names,
    )


def _edge_costs(target: Target, part: list[int], number: dict[int, int]) -> np.ndarray:
    """Of the best two-qubit native of each edge, in either direction; the mean where an edge's is unknown."""
    costs = np.full((len(part), len(part)), np.inf)
    for a, b in target.edges or ():
        table = target.natives_at((a, b))
        if table is None or a not in number or b not in number:
            continue
        known = [native.error for name, native in table.items() if native.error is not None and name != "measure"]
        if known and (a, b) in target.local:
            cost = -math.log(max(1.0 - min(known), 1e-12))
            i, j = number[a], number[b]
            costs[i, j] = costs[j, i] = min(costs[i, j], cost)
    known_costs = costs[np.isfinite(costs)]
    if not len(known_costs):
        return UNKNOWN
    costs[~np.isfinite(costs)] = known_costs.mean()
    return costs
