"""Differentiate through every gate with JAX: all modes, at O(depth) memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from qsim.rules.base import GradientRule


@dataclass(frozen=True)
class Backprop(GradientRule):
    """JAX's own derivatives through the simulation: forward and reverse mode, any order.

    Reverse mode keeps the intermediate states: O(depth) states of memory. Use it for
    `jax.jvp`, `jax.jacfwd` and `jax.linearize`, which no other rule defines; for
    plain gradients of deep circuits `Adjoint()` needs far less memory.

    Example:
        >>> import jax
        >>> from qsim import Circuit, Parameter, Z, execute
        >>> from qsim.gradients import Backprop
        >>> from qsim.results import Expectation
        >>> circuit = Circuit(1).ry(Parameter("t"), 0)
        >>> slope = jax.jacfwd(lambda t: execute(circuit, Expectation(Z(0)), {"t": t}, gradient=Backprop()))
        >>> print(f"{slope(0.5):.4f}")
        -0.4794
    """

    name: ClassVar[str] = "Backprop"
    needs: ClassVar[frozenset[str]] = frozenset({"exact"})
    reruns: ClassVar[bool] = False
    needs_key: ClassVar[bool] = False
