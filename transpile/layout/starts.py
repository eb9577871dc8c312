"""First places to start from: the usual ones, then random ones without end."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from transpile.layout.anneal import annealed
from transpile.layout.grow import grown
from transpile.routing.compiled import is_compiled
from transpile.routing.device import Device

__all__ = ["completed", "starts"]

MOVES, MOST_MOVES, HEAT = 40, (400 if is_compiled else 50), 0.3
"""Of annealing: exchanges tried per pair of qubits, at most how many per qubit, first temperature in mean pulls."""

PATHS = 6
"""How many paths are tried before one that is too short is taken."""

Pulls = np.ndarray
Start = Callable[[Pulls, Device, np.ndarray, np.random.Generator], np.ndarray]


def completed(places: np.ndarray, num_places: int) -> np.ndarray:
    """Places for all qubits up to those of the device; -1 and what is missing take those that are left, in order.

    Args:
        places: (n,), different places or -1. num_places: P.
    """
    place = np.full(num_places, -1, np.int32)
    place[: len(places)] = places
    place[place < 0] = np.setdiff1d(np.arange(num_places), places)
    return place


def own(pulls: Pulls, device: Device, places: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Where the circuit's own numbers put it."""
    return completed(places, device.num_qubits)


def turned(pulls: Pulls, device: Device, places: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Where they put it, the other way round."""
    return completed(places[::-1], device.num_qubits)


def threaded(pulls: Pulls, device: Device, places: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """In the circuit's own order along a path through the device: for circuits made with a line in mind."""
    return completed(long_path(device, len(pulls), rng), device.num_qubits)


def banded(pulls: Pulls, device: Device, places: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Circuit and device both in reverse Cuthill-McKee order (DOI 10.1145/800195.805928), which keeps pulls short."""
    order = cuthill_mckee(pulls > 0)
    line = cuthill_mckee(device.distances == 1)
    place = np.full(len(pulls), -1)
    place[order] = line[: len(order)]
    return completed(place, device.num_qubits)


def dense(pulls: Pulls, device: Device, places: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """In the part of the device with the most edges, the most drawn qubits where most edges meet."""
    joined = device.distances == 1
    region = densest_part(joined, len(pulls))
    inner = joined[np.ix_(region, region)].sum(axis=1)
    place = np.empty(len(pulls), int)
    place[np.argsort(-pulls.sum(axis=1), kind="stable")] = region[np.argsort(-inner, kind="stable")]
    return _annealed(pulls, device, completed(place, device.num_qubits), rng)


def planted(pulls: Pulls, device: Device, places: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Grown from the middle of the device, without chance, then annealed."""
    middle = int(np.argmin(device.distances.sum(axis=1)))
    return _annealed(pulls, device, grown(pulls, device.distances, middle, 0.0, 0), rng)


def grown_anywhere(pulls: Pulls, device: Device, places: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Grown from anywhere, with some chance, then annealed."""
    first = int(rng.integers(device.num_qubits))
    return _annealed(pulls, device, grown(pulls, device.distances, first, 0.3, int(rng.integers(1 << 30))), rng)


def scattered(pulls: Pulls, device: Device, places: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """At random in a random ball of the device, then annealed."""
    order = np.argsort(device.distances[int(rng.integers(device.num_qubits))], kind="stable")
    return _annealed(pulls, device, completed(rng.permutation(order[: len(pulls)]), device.num_qubits), rng)


FIRST: tuple[Start, ...] = (planted, threaded, banded, dense, own, turned)
FURTHER: tuple[Start, ...] = (grown_anywhere, grown_anywhere, grown_anywhere, scattered)


def starts(pulls: list[Pulls], device: Device, places: np.ndarray, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Places (P,), without end.

    Args:
        pulls: tables (n, n) of how strongly pairs of qubits are drawn together, used in turn.
        device: the device. places: (n,), the circuit's own ones, -1 where it has none there.
    """
    for start in FIRST:
        yield start(pulls[0], device, places, rng)
    while True:
        for table in pulls:
            for start in FURTHER:
                yield start(table, device, places, rng)


def cuthill_mckee(joined: np.ndarray) -> np.ndarray:
    """All vertices of a graph (n, n) in reverse Cuthill-McKee order."""
    degrees = joined.sum(axis=1)
    seen = np.zeros(len(joined), bool)
    order: list[int] = []
    for root in np.argsort(degrees, kind="stable").tolist():
        if seen[root]:
            continue
        seen[root] = True
        queue = [root]
        for vertex in queue:
            fresh = np.flatnonzero(joined[vertex] & ~seen)
            seen[fresh] = True
            queue += fresh[np.argsort(degrees[fresh], kind="stable")].tolist()
        order += queue
    return np.array(order[::-1], int)


def long_path(device: Device, size: int, rng: np.random.Generator) -> np.ndarray:
    """A path of `size` places, always on to the neighbour with the fewest ways out (Warnsdorff's rule).

    Where it ends early, further places nearest to its end follow.
    """
    near = [device.near[a:b].tolist() for a, b in zip(device.ptr[:-1], device.ptr[1:], strict=True)]
    degrees = np.diff(device.ptr)
    corners = np.flatnonzero(degrees == degrees.min())
    best: list[int] = []
    for _ in range(PATHS):
        free = [True] * device.num_qubits
        here = int(rng.choice(corners))
        path = [here]
        free[here] = False
        while len(path) < size:
            ways = [(sum(free[r] for r in near[q]), rng.random(), q) for q in near[here] if free[q]]
            if not ways:
                break
            here = min(ways)[2]
            path.append(here)
            free[here] = False
        best = max(best, path, key=len)
        if len(best) == size:
            break
    rest = np.setdiff1d(np.arange(device.num_qubits), best)
    rest = rest[np.argsort(device.distances[best[-1]][rest], kind="stable")] if best else rest
    return np.concatenate([np.array(best, int), rest])[:size]


def densest_part(joined: np.ndarray, size: int) -> np.ndarray:
    """Connected vertices with many edges among them, taken up one by one from the best connected on."""
    inside = np.zeros(len(joined), bool)
    inside[int(np.argmax(joined.sum(axis=1)))] = True
    links = joined[inside].sum(axis=0)
    degrees = joined.sum(axis=1) / (1.0 + len(joined))
    for _ in range(size - 1):
        vertex = int(np.argmax(np.where(inside, -1.0, links + degrees)))
        inside[vertex] = True
        links = links + joined[vertex]
    return np.flatnonzero(inside)


def _annealed(pulls: Pulls, device: Device, place: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    seed = int(rng.integers(1 << 30))
    moves = min(MOST_MOVES, MOVES * len(pulls)) * len(pulls)
    return annealed(pulls, device.ptr, device.near, device.distances, place, moves, HEAT, seed)
