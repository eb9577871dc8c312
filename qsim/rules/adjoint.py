"""The adjoint gradient: uncompute the state backwards, at the memory of a few states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from qsim.rules.base import GradientRule


@dataclass(frozen=True)
class Adjoint(GradientRule):
    """Reverse-mode gradients by uncomputing the circuit: O(1) states of memory at any depth.

    After a forward run to |psi>, the backward pass walks the gates from last to first
    with psi <- G^dagger psi and lambda <- G^dagger lambda, where lambda is the cotangent
    of the state, and reads off each gate's cotangent. It costs about three forward runs,
    whatever the number of parameters, and works for every differentiable result.

    The default where the circuit is unitary and the state exact. It defines reverse mode
    only: `jax.grad`, `jax.jacrev`, `jax.vjp`. `jax.hessian` (forward over reverse) and
    reverse over reverse work, but second derivatives keep every intermediate state: O(depth)
    states of memory. Do not use it for `jax.jvp` or `jax.jacfwd`; they need `Backprop()`.

    Reference: T. Jones and J. Gacon, arXiv:2009.02823.

    Example:
        >>> import jax
        >>> from qsim import Circuit, Parameter, Z, execute
        >>> from qsim.gradients import Adjoint
        >>> from qsim.results import Expectation
        >>> circuit = Circuit(1).ry(Parameter("t"), 0)
        >>> slope = jax.grad(lambda t: execute(circuit, Expectation(Z(0)), {"t": t}, gradient=Adjoint()))
        >>> print(f"{slope(0.5):.4f}")
        -0.4794
    """

    name: ClassVar[str] = "Adjoint"
    needs: ClassVar[frozenset[str]] = frozenset({"reversible", "exact"})
    reruns: ClassVar[bool] = False
    needs_key: ClassVar[bool] = False
