"""Circuits and observables as neutral data, from fixed seeds."""

from __future__ import annotations

import numpy as np

from benchmarks.data import Gate, PauliTerm, Repeat, Slot


def ising(n: int) -> tuple[PauliTerm, ...]:
    """The Ising chain in a transverse field, H = -sum Z Z - sum X."""
    bonds = [(((q, "Z"), (q + 1, "Z")), -1.0) for q in range(n - 1)]
    return tuple(bonds + [(((q, "X"),), -1.0) for q in range(n)])


def random_terms(n: int, terms: int, seed: int = 7) -> tuple[PauliTerm, ...]:
    """`terms` different Pauli strings, each letter I, X, Y or Z with equal probability."""
    rng = np.random.default_rng(seed)
    found: dict[str, float] = {}
    while len(found) < terms:
        label = "".join(rng.choice(list("IXYZ"), n))
        if set(label) != {"I"}:
            found[label] = float(rng.normal()) / np.sqrt(terms)
    return tuple((tuple((q, p) for q, p in enumerate(label) if p != "I"), c) for label, c in found.items())


def parameters(count: int, seed: int = 1) -> np.ndarray:
    """Angles, uniform in [-pi/2, pi/2)."""
    return np.random.default_rng(seed).uniform(-np.pi / 2, np.pi / 2, count)


def layered(n: int, layers: int) -> tuple[tuple[Gate, ...], Repeat]:
    """The hardware-efficient ansatz: RY and RZ on every qubit, then a chain of CZ; 2 n parameters a layer."""
    gates: list[Gate] = []
    for layer in range(layers):
        first = 2 * n * layer
        gates += [Gate("ry", (q,), Slot(first + q)) for q in range(n)]
        gates += [Gate("rz", (q,), Slot(first + n + q)) for q in range(n)]
        gates += [Gate("cz", (q, q + 1)) for q in range(n - 1)]
    return tuple(gates), Repeat(0, 3 * n - 1, layers, 2 * n)


def unstructured(n: int, count: int, seed: int = 3) -> tuple[tuple[Gate, ...], int]:
    """Random rx, ry, rz, cx and rzz on random qubits; and how many parameters they have."""
    rng = np.random.default_rng(seed)
    gates: list[Gate] = []
    used = 0
    for _ in range(count):
        name = str(rng.choice(["rx", "ry", "rz", "cx", "rzz"]))
        qubits = tuple(map(int, rng.choice(n, 2 if name in ("cx", "rzz") else 1, replace=False)))
        if name == "cx":
            gates.append(Gate(name, qubits))
        else:
            gates.append(Gate(name, qubits, Slot(used)))
            used += 1
    return tuple(gates), used


def fourier(n: int) -> tuple[Gate, ...]:
    """The quantum Fourier transform by Hadamards and controlled phases, of a product state with n parameters."""
    gates = [Gate("ry", (q,), Slot(q)) for q in range(n)]
    for q in range(n):
        gates.append(Gate("h", (q,)))
        gates += [Gate("cp", (p, q), np.pi / 2 ** (p - q)) for p in range(q + 1, n)]
    return tuple(gates + [Gate("swap", (q, n - 1 - q)) for q in range(n // 2)])


def quantum_volume(n: int, depth: int, seed: int = 5) -> tuple[Gate, ...]:
    """Layers of random two-qubit unitaries on random pairs, on a product state with n parameters. arXiv:1811.12926."""
    rng = np.random.default_rng(seed)
    gates = [Gate("ry", (q,), Slot(q)) for q in range(n)]
    for _ in range(depth):
        order = rng.permutation(n)
        for a, b in zip(order[0 : n - 1 : 2], order[1::2], strict=True):
            q, r = np.linalg.qr(rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4)))
            matrix = q * (np.diag(r) / np.abs(np.diag(r)))
            gates.append(Gate("unitary", (int(a), int(b)), matrix=matrix))
    return tuple(gates)


def regular_graph(n: int, seed: int = 11) -> list[tuple[int, int]]:
    """The edges of a random 3-regular simple graph: random matchings of three stubs a node until one is simple."""
    rng = np.random.default_rng(seed)
    while True:
        stubs = rng.permutation(np.repeat(np.arange(n), 3)).reshape(-1, 2)
        edges = {(int(min(e)), int(max(e))) for e in stubs if e[0] != e[1]}
        if len(edges) == 3 * n // 2:
            return sorted(edges)


def maxcut(n: int, p: int) -> tuple[tuple[Gate, ...], tuple[PauliTerm, ...], Repeat]:
    """QAOA for MaxCut on a 3-regular graph: theta = (gamma_1, beta_1, ..., gamma_p, beta_p). arXiv:1411.4028."""
    edges = regular_graph(n)
    gates = [Gate("h", (q,)) for q in range(n)]
    for layer in range(p):
        gates += [Gate("rzz", e, Slot(2 * layer)) for e in edges]
        gates += [Gate("rx", (q,), Slot(2 * layer + 1, 2.0)) for q in range(n)]
    cost = tuple((((a, "Z"), (b, "Z")), 0.5) for a, b in edges)
    return tuple(gates), cost, Repeat(n, len(edges) + n, p, 2)


def reuploading(n: int, layers: int) -> tuple[tuple[Gate, ...], Repeat]:
    """A classifier that encodes its n features again in every layer. DOI 10.22331/q-2020-02-06-226."""
    gates: list[Gate] = []
    for layer in range(layers):
        first = 2 * n * layer
        gates += [Gate("rx", (q,), Slot(q, of="x")) for q in range(n)]
        gates += [Gate("ry", (q,), Slot(first + q)) for q in range(n)]
        gates += [Gate("rz", (q,), Slot(first + n + q)) for q in range(n)]
        gates += [Gate("cz", (q, q + 1)) for q in range(n - 1)]
    return tuple(gates), Repeat(0, 4 * n - 1, layers, 2 * n)
