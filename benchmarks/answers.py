"""Answers of different peers to one workload, and whether they are the same.

An answer is a dict of short vectors, so that it can cross a pipe whatever the size of the state.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.data import Task, Workload

Answer = dict[str, list[float]]

RELATIVE = 1e-3  # of the length of a vector: some peers compute in single precision
ABSOLUTE = 1e-5  # per element
STANDARD_ERRORS = 6.0


def of_gradient(value: object, gradient: object) -> Answer:
    """A value and its gradient."""
    return {"value": _list(value), "gradient": _list(gradient)}


def of_value(value: object) -> Answer:
    """One number."""
    return {"value": _list(value)}


def of_state(amplitudes: object, num_qubits: int) -> Answer:
    """A state by its probabilities of 1 and its overlaps with 8 random product states, phase left out.

    Args:
        amplitudes: (2^n,), qubit 0 most significant.
    """
    psi = np.asarray(amplitudes).reshape(-1)
    ones = []
    rng = np.random.default_rng(17)
    factors = rng.normal(size=(8, num_qubits, 2)) + 1j * rng.normal(size=(8, num_qubits, 2))
    factors /= np.linalg.norm(factors, axis=2, keepdims=True) / np.sqrt(2)
    overlaps = []
    for product in factors:
        rest = psi
        for pair in product:
            rest = pair.astype(psi.dtype) @ rest.reshape(2, -1)
        overlaps.append(abs(rest[0]))
    weights = np.abs(psi).astype(np.float64) ** 2
    for _ in range(num_qubits):  # the first qubit, then the rest
        halves = weights.reshape(2, -1)
        ones.append(halves[1].sum())
        weights = halves[0] + halves[1]
    return {"norm": _list(weights.sum()), "ones": _list(ones), "overlaps": _list(overlaps)}


def of_samples(bits: object) -> Answer:
    """Samples by the means of the bits, and of the parities of neighbours.

    Args:
        bits: 0 or 1 (shots, n), qubit 0 first.
    """
    bits = np.asarray(bits).astype(np.int8)
    return {"ones": _list(bits.mean(0)), "parities": _list((bits[:, 1:] ^ bits[:, :-1]).mean(0))}


def disagreements(workload: Workload, answers: Mapping[str, Answer]) -> dict[str, str]:
    """Who answered what the others did not: peer -> in words, those that agree left out.

    Each peer is held against the median of all, element by element. With two peers that
    differ nobody can say which is right: both are named.
    """
    found: dict[str, str] = {}
    parts = sorted({part for answer in answers.values() for part in answer})
    for part in parts:
        given = {peer: np.asarray(answer.get(part, []), float) for peer, answer in answers.items()}
        sizes = [len(v) for v in given.values()]
        usual = max(set(sizes), key=sizes.count)
        found |= {p: f"{part} has {len(v)} elements, not {usual}" for p, v in given.items() if len(v) != usual}
        same = {peer: v for peer, v in given.items() if len(v) == usual}
        middle = np.median([np.nan_to_num(v, nan=np.inf) for v in same.values()], axis=0)
        for peer, v in same.items():
            off, allowed = np.linalg.norm(v - middle), _allowed(workload, middle)
            if not off <= allowed:  # and so for NaN
                found[peer] = f"{part} differs by {off:.2e}, allowed {allowed:.2e}"
    return found


def _allowed(workload: Workload, middle: np.ndarray) -> float:
    if workload.task is Task.SAMPLES:
        return STANDARD_ERRORS * 0.5 * np.sqrt(len(middle) / workload.shots)
    return RELATIVE * float(np.linalg.norm(middle)) + ABSOLUTE * np.sqrt(len(middle))


def _list(values: object) -> list[float]:
    return [float(v) for v in np.asarray(values, float).reshape(-1)]
