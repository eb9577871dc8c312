"""First places: embeddings are found, and every start is a permutation of the places."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qsim import Circuit
from qsim.ir.target import Native, QubitFacts, Target
from qsim.testing import assert_equivalent
from transpile.layout.anneal import annealed
from transpile.layout.embed import embedding
from transpile.layout.starts import FIRST, FURTHER, completed, cuthill_mckee, densest_part, starts
from transpile.routing.device import largest_part
from transpile.routing.place_and_route import PlaceAndRoute

DEVICES = {
    "line": Target.line(9),
    "ring": Target.ring(8),
    "star": Target.star(5),
    "grid": Target.grid(4, 4),
    "heavy hexagon": Target.heavy_hex(3),
}


def queko(target: Target, layers: int, seed: int) -> Circuit:
    """A circuit that fits a device without swaps, its qubits renamed at random (as in QUEKO, arXiv:2002.09783)."""
    rng = np.random.default_rng(seed)
    n = target.num_qubits or 0
    names = rng.permutation(n)
    edges = np.array([edge for edge in target.edges or () if edge[0] < edge[1]])
    circuit = Circuit(n)
    for _ in range(layers):
        used: set[int] = set()
        for a, b in rng.permutation(edges).tolist():
            if not used & {a, b} and rng.uniform() < 0.7:
                used |= {a, b}
                circuit.rx(float(rng.uniform(0, 6)), int(names[a])).cx(int(names[a]), int(names[b]))
    return circuit


def swaps(circuit: Circuit) -> int:
    return circuit.count_ops().get("swap", 0)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("target", [Target.grid(4, 4), Target.heavy_hex(3), Target.grid(5, 5)], ids=str)
def test_circuits_that_fit_somewhere_are_placed_without_swaps(target: Target, seed: int) -> None:
    circuit = queko(target, 10, seed)
    routed = PlaceAndRoute(trials=2, seed=seed)(circuit, target)
    assert swaps(routed) == 0 and len(routed) == len(circuit)
    assert target.first_violation(routed) is None


@pytest.mark.parametrize(
    "circuit, target",
    [
        (Circuit(5).cx(4, 0).cx(4, 1).cx(4, 2).cx(4, 3), Target.star(5)),
        (Circuit(6).cx(0, 3).cx(3, 5).cx(5, 1).cx(1, 2).cx(2, 4), Target.line(6)),
        (Circuit(6).cx(0, 3).cx(3, 5).cx(5, 1).cx(1, 2).cx(2, 4).cx(4, 0), Target.ring(6)),
        (Circuit(6).cx(0, 3).cx(3, 5).cx(5, 1).cx(1, 2).cx(2, 4).cx(4, 0), Target.grid(10, 10)),
        (Circuit(26).cx(list(range(25)), list(range(1, 26))), Target.heavy_hex(7)),
    ],
    ids=["star", "line", "ring", "ring on a grid", "line on heavy hexagons"],
)
def test_shapes_that_fit(circuit: Circuit, target: Target) -> None:
    assert swaps(PlaceAndRoute(trials=1)(circuit, target)) == 0


def test_no_embedding_is_claimed_where_there_is_none() -> None:
    device = largest_part(Target.line(5), 5)
    triangle = np.ones((3, 3), bool) & ~np.eye(3, dtype=bool)
    assert embedding(triangle, device.ptr, device.near, 1000, 3, 0) is None
    ring = np.roll(np.eye(5, dtype=bool), 1, axis=1)
    assert embedding(ring | ring.T, device.ptr, device.near, 1000, 3, 0) is None
    grid = largest_part(Target.grid(4, 4), 5)
    assert embedding(ring | ring.T, grid.ptr, grid.near, 10_000, 3, 0) is None  # grids have no odd rings


@pytest.mark.parametrize("name", DEVICES)
@settings(max_examples=15, deadline=None)
@given(data=st.data(), seed=st.integers(0, 100))
def test_starts_are_permutations(name: str, data: st.DataObject, seed: int) -> None:
    device = largest_part(DEVICES[name], 1)
    n = data.draw(st.integers(1, device.num_qubits))
    rng = np.random.default_rng(seed)
    pulls = np.triu(rng.uniform(0, 1, (n, n)) * (rng.uniform(0, 1, (n, n)) < 0.4), 1)
    pulls = pulls + pulls.T
    own = np.full(n, -1)
    own[: n // 2] = rng.permutation(device.num_qubits)[: n // 2]
    made = starts([pulls, pulls], device, own, rng)
    for _ in range(len(FIRST) + len(FURTHER)):
        assert sorted(next(made).tolist()) == list(range(device.num_qubits))


def test_annealing_never_makes_it_worse() -> None:
    rng = np.random.default_rng(3)
    device = largest_part(Target.grid(5, 5), 12)
    for seed in range(5):
        pulls = np.triu(rng.uniform(0, 1, (12, 12)), 1)
        pulls = pulls + pulls.T
        start = completed(rng.permutation(25)[:12], 25)
        end = annealed(pulls, device.ptr, device.near, device.distances, start, 5000, 0.3, seed)

        def length(place: np.ndarray, pulls: np.ndarray = pulls) -> float:
            return float((pulls * device.distances[np.ix_(place[:12], place[:12])]).sum())

        assert length(end) < 0.8 * length(start)


def test_orders() -> None:
    path = np.zeros((5, 5), bool)
    for a, b in ((3, 0), (0, 4), (4, 1), (1, 2)):
        path[a, b] = path[b, a] = True
    order = cuthill_mckee(path).tolist()
    assert order in ([3, 0, 4, 1, 2], [2, 1, 4, 0, 3])
    joined = largest_part(Target.grid(3, 3), 4).distances == 1
    part = densest_part(joined, 4)
    assert joined[np.ix_(part, part)].sum() == 8  # a square


# ---------------------------------------------------------------- error rates


def noisy_line(errors: list[float]) -> Target:
    n = len(errors) + 1
    local = {}
    for a, error in enumerate(errors):
        local[a, a + 1] = local[a + 1, a] = {"cz": Native(error=error)}
    return Target(n, list(local), natives=["rz", "sx", "cz"], local=local)


@pytest.mark.slow
def test_the_best_edges_are_chosen() -> None:
    target = noisy_line([0.1, 0.1, 0.01, 0.001, 0.001, 0.01])
    routed = PlaceAndRoute(trials=4)(Circuit(3).cx(0, 1).cx(1, 2), target)
    assert set(routed.layout.initial) == {3, 4, 5} and swaps(routed) == 0


@pytest.mark.slow
def test_a_good_part_is_chosen_for_circuits_that_need_swaps() -> None:
    target = noisy_line([0.2, 0.2, 0.2, 0.2, 0.001, 0.001, 0.2, 0.2])
    circuit = Circuit(3).cx(0, 1).cx(1, 2).h(1).cx(2, 0).h(0).cx(0, 1).h(1).cx(1, 2).cx(2, 0)
    routed = PlaceAndRoute(trials=8)(circuit, target)
    assert set(routed.layout.initial) == {4, 5, 6}
    assert_equivalent(circuit, routed)


@pytest.mark.slow
def test_unusable_qubits_are_not_used() -> None:
    facts = [QubitFacts(usable=q not in (2, 7)) for q in range(16)]
    target = Target(16, Target.grid(4, 4).edges, qubits=facts)
    circuit = queko(Target.grid(3, 4), 4, 0)
    routed = PlaceAndRoute(trials=2)(circuit, target)
    assert not {2, 7} & {q for i in routed.instructions for q in i.qubits}
    assert not {2, 7} & {*routed.layout.initial, *routed.layout.final}
    full = Target(4, qubits=[QubitFacts(usable=q != 1) for q in range(4)])
    assert PlaceAndRoute()(Circuit(3).cx(0, 1).cx(1, 2), full).layout.initial == (0, 2, 3)
