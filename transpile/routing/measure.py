"""What a routed sequence costs. Compiled where numba is installed."""

from __future__ import annotations

import numpy as np

from transpile.routing.compiled import compiled
from transpile.routing.order import Order
from transpile.routing.state import MOVE_COST, SWAP_COST


def gates_and_depth(
    order: Order, entries: np.ndarray, sequence: np.ndarray, held: np.ndarray, num_qubits: int, edge_costs: np.ndarray
) -> tuple[int, int, float]:
    """The number of cx gates of a routed sequence, its depth in them, and the sum of costs of the edges used.

    Args:
        order: the nodes. entries, sequence: of a routing pass.
        held: (P,), the qubit that each place holds at the start.
        num_qubits: of the circuit; further ones are in |0>.
        edge_costs: (P, P), of one cx gate at two places; (0, 0) where nothing is known.
    """
    level = np.zeros(len(held), np.int64)
    gates, error = _walked(
        order.costs, entries, sequence, held.copy(), level, num_qubits, edge_costs, work=len(sequence)
    )
    return int(gates), int(level.max(initial=0)), float(error)


@compiled
def _walked(costs, entries, sequence, held, level, num_qubits, edge_costs):
    """Gates and costs; `held` and `level` are what they are at the end."""
    gates = 0
    total = 0.0
    for k in range(len(sequence)):
        e = sequence[k]
        v, p, q, mirrored = entries[e, 0], entries[e, 1], entries[e, 2], entries[e, 3]
        if p < 0:
            continue
        if v >= 0:
            cost = costs[v, mirrored]
        elif max(held[p], held[q]) >= num_qubits:
            cost = MOVE_COST
        else:
            cost = SWAP_COST
        if mirrored:
            held[p], held[q] = held[q], held[p]
        gates += cost
        reached = max(level[p], level[q]) + cost
        level[p] = reached
        level[q] = reached
        if len(edge_costs) > 0:
            total += cost * edge_costs[p, q]
    return gates, total
