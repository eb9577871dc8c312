"""The gate table, one family per file, and constructors: `gates.rx(0.5, 0)` is an instruction for a `Circuit`."""

from __future__ import annotations

from qsim.ir.arguments import gate
from qsim.ir.gates import constructors, controlled, fixed, rotations, two_qubit
from qsim.ir.gates.constructors import *  # noqa: F403

__all__ = ["gate"]
__all__ += constructors.__all__

del constructors, controlled, fixed, rotations, two_qubit
