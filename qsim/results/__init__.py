"""What to do with the state: small typed records, evaluated where the state lives."""

from __future__ import annotations

from qsim.results.base import Context, Result
from qsim.results.codec import from_json, to_json
from qsim.results.entropy import Entropy, MutualInformation, Purity
from qsim.results.expectation import Expectation, Variance
from qsim.results.map import Map
from qsim.results.measurement import Estimate
from qsim.results.observable import DiagonalObservable, Hermitian, Projector
from qsim.results.probability import Probabilities
from qsim.results.samples import Counts, CountTable, Samples
from qsim.results.state import Amplitudes, Fidelity, Norm, Operator, Overlap, ReducedState, State

__all__ = [
    "Amplitudes",
    "Context",
    "CountTable",
    "Counts",
    "DiagonalObservable",
    "Entropy",
    "Estimate",
    "Expectation",
    "Fidelity",
    "Hermitian",
    "Map",
    "MutualInformation",
    "Norm",
    "Operator",
    "Overlap",
    "Probabilities",
    "Projector",
    "Purity",
    "ReducedState",
    "Result",
    "Samples",
    "State",
    "Variance",
    "from_json",
    "to_json",
]
