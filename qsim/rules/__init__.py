"""Gradient rules: objects for the argument `gradient=` of `execute`. Users find them in `qsim.gradients`."""

from __future__ import annotations

from qsim.rules.adjoint import Adjoint
from qsim.rules.backprop import Backprop
from qsim.rules.base import GradientRule, RerunRule
from qsim.rules.finite_difference import FiniteDifference
from qsim.rules.parameter_shift import ParameterShift, shift_rule
from qsim.rules.spsa import SPSA

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
