"""Molecules and unitary coupled cluster as neutral data, by the Jordan-Wigner mapping."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

from benchmarks.data import Gate, PauliTerm, Slot

MOLECULES = Path(__file__).resolve().parents[1] / "qsim" / "library" / "data"


def molecule(name: str) -> tuple[int, int, tuple[PauliTerm, ...]]:
    """(qubits, electrons, Hamiltonian) of one of the molecules that come with qsim."""
    document = json.loads((MOLECULES / f"{name}.json").read_text("utf-8"))
    terms = tuple((tuple((q, p) for q, p in enumerate(label) if p != "I"), float(c)) for label, c in document["terms"])
    return document["num_qubits"], document["num_electrons"], terms


def excitations(electrons: int, orbitals: int) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Spin-conserving singles, then doubles: (occupied, virtual), alpha even and beta odd."""
    return [
        (source, target)
        for order in (1, 2)
        for source in combinations(range(electrons), order)
        for target in combinations(range(electrons, orbitals), order)
        if sum(s % 2 for s in source) == sum(t % 2 for t in target)
    ]


def generator(source: Sequence[int], target: Sequence[int]) -> tuple[tuple[int, ...], tuple[tuple[str, float], ...]]:
    """G with exp(-i theta G) = exp(theta (T - T^dagger)): (qubits, ((label, coefficient), ...)).

    T creates in the target, then annihilates in the source, the highest orbital first:
    a_j = Z_0 .. Z_(j-1) (X_j + i Y_j) / 2.
    """
    factors = [(t, True) for t in target] + [(s, False) for s in reversed(source)]
    qubits = tuple(range(min(source), max(target) + 1))
    found: dict[str, complex] = {}
    for letters in range(2 ** len(factors)):
        label, coefficient = {q: "I" for q in qubits}, 1j + 0
        for k, (orbital, creates) in enumerate(factors):
            letter = "XY"[letters >> k & 1]
            coefficient *= 0.5 if letter == "X" else (-0.5j if creates else 0.5j)
            for q in qubits:
                if q <= orbital:
                    phase, label[q] = _times(label[q], letter if q == orbital else "Z")
                    coefficient *= phase
        text = "".join(label[q] for q in qubits)
        found[text] = found.get(text, 0) + coefficient
    # i (T - T^dagger) keeps twice the real part of i T's coefficients; below the first orbital all Z cancel
    paulis = tuple((text, 2 * c.real) for text, c in found.items() if abs(c.real) > 1e-12)
    used = [k for k, _ in enumerate(qubits) if any(text[k] != "I" for text, _ in paulis)]
    return tuple(qubits[k] for k in used), tuple(("".join(text[k] for k in used), c) for text, c in paulis)


def uccsd(electrons: int, orbitals: int) -> tuple[tuple[Gate, ...], int]:
    """Hartree-Fock, then one evolution per excitation; and how many there are."""
    found = excitations(electrons, orbitals)
    gates = [Gate("x", (q,)) for q in range(electrons)]
    for k, (source, target) in enumerate(found):
        qubits, paulis = generator(source, target)
        gates.append(Gate("evolution", qubits, Slot(k), paulis=paulis))
    return tuple(gates), len(found)


def _times(a: str, b: str) -> tuple[complex, str]:
    """The product of two Pauli letters, as (phase, letter)."""
    if a == "I" or b == "I":
        return 1, a if b == "I" else b
    if a == b:
        return 1, "I"
    third = ({"X", "Y", "Z"} - {a, b}).pop()
    return (1j if (a + b) in ("XY", "YZ", "ZX") else -1j), third
