"""Primitives: many circuits, parameter values and observables in one call, as in Qiskit's `Sampler` and `Estimator`."""

from __future__ import annotations

from qsim.primitives.bindings import BindingsArray
from qsim.primitives.bit_array import BitArray
from qsim.primitives.containers import PrimitiveResult, PubResult, SamplerPubResult
from qsim.primitives.data_bin import DataBin, make_data_bin
from qsim.primitives.estimator import Estimator
from qsim.primitives.job import PrimitiveJob
from qsim.primitives.observables import ObservablesArray
from qsim.primitives.pub import EstimatorPub, Pub, SamplerPub
from qsim.primitives.sampler import Sampler

__all__ = [
    "BindingsArray",
    "BitArray",
    "DataBin",
    "Estimator",
    "EstimatorPub",
    "ObservablesArray",
    "PrimitiveJob",
    "PrimitiveResult",
    "Pub",
    "PubResult",
    "Sampler",
    "SamplerPub",
    "SamplerPubResult",
    "make_data_bin",
]
