"""The operation that waits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from qsim._errors import CircuitError
from qsim.ir.arguments import clean_param

__all__ = ["Delay"]


class Delay:
    """Leave one qubit alone for so many seconds: the identity, for a simulator.

    Args:
        seconds: how long, at least 0.

    Raises:
        CircuitError: what is no real number, a negative or an infinite one.

    Example:
        >>> from qsim import Circuit
        >>> from transpile import Delay
        >>> Circuit(1).x(0).append(Delay(2e-7), 0).count_ops()
        {'x': 1, 'delay': 1}
    """

    __slots__ = ("params",)
    name, num_qubits, num_clbits, num_params, arrays = "delay", 1, 0, 1, ()
    key, spectra, label = "delay", ((0.0,),), "Delay"

    def __init__(self, seconds: Any) -> None:
        seconds = clean_param(seconds, "delay")
        if type(seconds) is float and seconds < 0:
            raise CircuitError(f"delay: argument `seconds` must be 0 or more, but is {seconds}.")
        self.params = (seconds,)

    @property
    def seconds(self) -> Any:
        """How long it takes."""
        return self.params[0]

    def matrix(self, xp: Any = np) -> Any:
        """The identity (2, 2)."""
        return xp.eye(2, dtype=xp.complex64 if xp.__name__.startswith("jax") else xp.complex128)

    def replace(self, params: Sequence[Any], arrays: Sequence[Any] = ()) -> Delay:
        """A delay of another length."""
        return Delay(params[0])

    def inverse(self) -> Delay:
        """Itself: undoing nothing takes as long."""
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Delay) and self.params == other.params

    def __hash__(self) -> int:
        return hash(("delay", self.params))

    def __repr__(self) -> str:
        return f"delay({self.seconds})"
