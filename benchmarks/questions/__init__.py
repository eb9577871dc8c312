"""The questions, each one file with `workloads(scale) -> list[Workload]`; its docstring is what is asked."""

from __future__ import annotations

from benchmarks.questions import (
    dispatch,
    expectation,
    openqasm,
    qaoa,
    qft,
    qml,
    quantum_volume,
    random,
    sampling,
    uccsd,
    vqe,
)

QUESTIONS = {
    "vqe": vqe,
    "random": random,
    "qft": qft,
    "quantum_volume": quantum_volume,
    "qaoa": qaoa,
    "uccsd": uccsd,
    "qml": qml,
    "expectation": expectation,
    "sampling": sampling,
    "dispatch": dispatch,
    "openqasm": openqasm,
}
