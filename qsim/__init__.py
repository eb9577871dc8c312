"""Differentiable quantum circuits as single compiled JAX programs."""

from __future__ import annotations

from qsim.ir import gates
from qsim.ir.circuit import Circuit
from qsim.ir.parameter import Parameter, ParameterVector

__all__ = ["Circuit", "Parameter", "ParameterVector", "gates"]
