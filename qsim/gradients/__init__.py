"""How to go downhill: gradient rules for `execute`, and optimizers for optax that know quantum circuits."""

from __future__ import annotations

from qsim.gradients.coordinate import rotosolve
from qsim.gradients.free import GradientFree
from qsim.gradients.layers import parameter_layers
from qsim.gradients.metric import metric_tensor
from qsim.gradients.metric_spsa import qn_spsa
from qsim.gradients.natural import natural_gradient, scale_by_metric
from qsim.gradients.perturbation import spsa, spsa_learning_rate
from qsim.gradients.solvers import ConjugateGradient, Direct, MetricSolver
from qsim.rules import (
    SPSA,
    Adjoint,
    Backprop,
    FiniteDifference,
    GradientRule,
    ParameterShift,
    RerunRule,
    shift_rule,
)

__all__ = [
    "Adjoint",
    "Backprop",
    "ConjugateGradient",
    "Direct",
    "FiniteDifference",
    "GradientFree",
    "GradientRule",
    "MetricSolver",
    "ParameterShift",
    "RerunRule",
    "SPSA",
    "metric_tensor",
    "natural_gradient",
    "parameter_layers",
    "qn_spsa",
    "rotosolve",
    "scale_by_metric",
    "shift_rule",
    "spsa",
    "spsa_learning_rate",
]
