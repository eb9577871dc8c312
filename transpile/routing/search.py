"""Many starts, each routed forwards and backwards; the best outcome is kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from transpile.layout.embed import embedding
from transpile.layout.settle import settled
from transpile.layout.starts import starts
from transpile.routing.compiled import is_compiled
from transpile.routing.device import Device
from transpile.routing.measure import gates_and_depth
from transpile.routing.order import Order, Problem
from transpile.routing.sabre import Routed, Weights, route
from transpile.routing.state import SWAP_COST

__all__ = ["Outcome", "search"]

JOINED = 1e-6
"""What a run that entangles nothing counts for where all is moved at once: its pair must stay joined."""

EMBEDDING_BUDGET, EMBEDDING_TRIES = 20_000, 8
NODES_PER_TRIAL = 4_000
"""Circuits of more nodes than this get fewer trials."""
DEPTH_POWER = 0.2
"""Outcomes are compared by gates * depth ** DEPTH_POWER: 5 % of depth are worth 1 % of gates."""
PORTFOLIO = (Weights(), Weights(level=0.03), Weights(ahead=0.25, fade=0.7), Weights(ahead=0.6))
"""What trials go by, in turn: circuits differ in how far ahead it is worth to look."""
FADES = (10.0, None)
"""After how many layers a meeting counts half when first places are sought; None: all count the same."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """A routed problem and what it costs: `cost` is compared, errors first where they are known."""

    cost: tuple[float, float]
    problem: Problem
    routed: Routed
    weights: Weights


def search(problem: Problem, device: Device, trials: int, seed: int, own: np.ndarray) -> Outcome:
    """The best of many routings.

    Half of the trials keep the order of the circuit, half let commuting nodes change places; later
    ones follow what did better. The better trials are then carried on.

    Args:
        problem: what is to be routed. device: a connected device.
        trials: how many starts. seed: of random choices.
        own: (n,), the circuit's own places on the device, -1 where it has none.
    """
    rng = np.random.default_rng(seed)
    searcher = _Searcher(problem, device, rng)
    strict = problem.strict()
    variants = [problem] if strict is problem else [problem, strict]
    embedded = _embedded(problem, device, rng)
    if embedded is not None:
        return _settled(
            min((searcher.routed(variant, embedded, PORTFOLIO[0]) for variant in variants), key=_cost), device, rng
        )
    size = len(problem.nodes)
    number = max(2 * len(variants), min(trials, trials * NODES_PER_TRIAL // max(size, 1)))
    if not is_compiled:
        number = max(2 * len(variants), number // 8)
    tables = [pulls_of(problem.order, problem.num_qubits, fade) for fade in FADES]
    results: list[list[Outcome]] = [[] for _ in variants]
    for k, place in enumerate(islice(starts(tables, device, own, rng), number)):
        which = k % len(variants)
        if k >= number // 2 and k % 4:
            which = min(range(len(variants)), key=lambda v: min(o.cost for o in results[v]))
        results[which].append(
            searcher.improved(variants[which], place, PORTFOLIO[k // len(variants) % len(PORTFOLIO)], 2)
        )
    ranked = sorted((o for outcomes in results for o in outcomes), key=_cost)
    best = ranked[0]
    for outcome in ranked[: max(1, number // 4)]:
        best = min(
            best, searcher.improved(outcome.problem, outcome.routed.last, outcome.weights, 2, backwards=True), key=_cost
        )
    return _settled(best, device, rng)


def _cost(outcome: Outcome) -> tuple[float, float]:
    return outcome.cost


@dataclass(frozen=True, slots=True, eq=False)
class _Searcher:
    problem: Problem
    device: Device
    rng: np.random.Generator

    def routed(self, problem: Problem, place: np.ndarray, weights: Weights) -> Outcome:
        """One pass, and its cost."""
        routed = self._pass(problem.order, place, weights)
        held = np.argsort(routed.first).astype(np.int32)
        gates, depth, error = gates_and_depth(
            problem.order, routed.entries, routed.sequence, held, problem.num_qubits, self.device.edge_costs
        )
        return Outcome((error, gates * max(depth, 1) ** DEPTH_POWER), problem, routed, weights)

    def improved(
        self, problem: Problem, place: np.ndarray, weights: Weights, rounds: int, backwards: bool = False
    ) -> Outcome:
        """The best of several passes forwards, each from where a pass backwards ends."""
        back = problem.order.backwards()
        best = None
        for k in range(rounds):
            if k or backwards:
                place = self._pass(back, place, weights).last
            outcome = self.routed(problem, place, weights)
            if best is None or outcome.cost < best.cost:
                best = outcome
            place = outcome.routed.last
        assert best is not None
        return best

    def _pass(self, order: Order, place: np.ndarray, weights: Weights) -> Routed:
        seed = int(self.rng.integers(1 << 30))
        return route(order, self.device, self.problem.num_qubits, place, weights, seed)


def _embedded(problem: Problem, device: Device, rng: np.random.Generator) -> np.ndarray | None:
    """Places where no swap is needed, where they are found."""
    n = problem.num_qubits
    joined = np.zeros((n, n), bool)
    pairs = problem.order.pairs[problem.order.pairs[:, 0] >= 0]
    joined[pairs[:, 0], pairs[:, 1]] = joined[pairs[:, 1], pairs[:, 0]] = True
    budget = EMBEDDING_BUDGET if is_compiled else EMBEDDING_BUDGET // 4
    return embedding(joined, device.ptr, device.near, budget, EMBEDDING_TRIES, int(rng.integers(1 << 30)))


def _settled(outcome: Outcome, device: Device, rng: np.random.Generator) -> Outcome:
    """The outcome moved as a whole to where errors are least; itself where they are not known."""
    if not len(device.edge_costs):
        return outcome
    routed, order = outcome.routed, outcome.problem.order
    uses = np.zeros_like(device.edge_costs)
    for v, p, q, mirrored, _ in routed.entries[routed.sequence].tolist():
        if p >= 0:
            uses[p, q] += max(order.costs[v, mirrored], JOINED) if v >= 0 else SWAP_COST
    new = settled(uses + uses.T, device, int(rng.integers(1 << 30))).astype(np.int32)
    entries = routed.entries.copy()
    entries[:, 1:3] = np.where(entries[:, 1:3] >= 0, new[entries[:, 1:3]], -1)
    return replace(outcome, routed=Routed(new[routed.first], new[routed.last], entries, routed.sequence))


def pulls_of(order: Order, num_qubits: int, fade: float | None) -> np.ndarray:
    """How often each pair meets (n, n), early meetings counting more: 1 / (1 + layer / fade)."""
    pulls = np.zeros((num_qubits, num_qubits))
    level = [0] * num_qubits
    for a, b in order.pairs.tolist():
        if a >= 0:
            now = max(level[a], level[b]) + 1
            level[a] = level[b] = now
            pulls[a, b] += 1.0 if fade is None else 1.0 / (1.0 + now / fade)
            pulls[b, a] = pulls[a, b]
    return pulls
