"""Gradient rules: objects for the argument `gradient=` of `execute`."""

from __future__ import annotations

from qsim.gradients.adjoint import Adjoint
from qsim.gradients.backprop import Backprop
from qsim.gradients.base import GradientRule, RerunRule
from qsim.gradients.finite_difference import FiniteDifference
from qsim.gradients.parameter_shift import ParameterShift, shift_rule
from qsim.gradients.spsa import SPSA

__all__ = [
    "Adjoint",
    "Backprop",
    "FiniteDifference",
    "GradientRule",
    "ParameterShift",
    "RerunRule",
    "SPSA",
    "shift_rule",
]
