"""How circuits are simulated: `Statevector`, `Unitary`, and `Auto`, which chooses."""

from qsim.methods.auto import Auto
from qsim.methods.base import AbstractState, Method, Observable
from qsim.methods.operator import OperatorState
from qsim.methods.pure import PureState
from qsim.methods.statevector import Statevector
from qsim.methods.unitary import Unitary

__all__ = ["AbstractState", "Auto", "Method", "Observable", "OperatorState", "PureState", "Statevector", "Unitary"]
