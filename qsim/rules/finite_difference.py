"""Central finite differences in every angle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np

from qsim._errors import MethodError
from qsim._typing import Key
from qsim.rules.base import Probes, RerunRule, Spectra


@dataclass(frozen=True)
class FiniteDifference(RerunRule):
    """dF/dt_j = (F(t + h e_j) - F(t - h e_j)) / 2h, two runs per angle, error O(h^2).

    Works for every result and every operation, but is inexact, and with shots its noise
    is that of the values divided by h: then take a step of order 0.1 or more. Do not
    use it where `ParameterShift()` applies, which is exact at the same cost.

    Args:
        step: h in radians; None takes eps^(1/3) of the angles' dtype (5e-3 in single
            precision, 6e-6 in double).
        chunk: how many runs are done side by side.

    Raises:
        MethodError: a step or chunk that is not positive.

    Example:
        >>> import jax
        >>> from qsim import Circuit, Parameter, Z, execute
        >>> from qsim.gradients import FiniteDifference
        >>> from qsim.results import Expectation
        >>> circuit = Circuit(1).ry(Parameter("t"), 0)
        >>> slope = jax.grad(lambda t: execute(circuit, Expectation(Z(0)), {"t": t}, gradient=FiniteDifference()))
        >>> print(f"{slope(0.5):.3f}")
        -0.479
    """

    step: float | None = None
    chunk: int = 8

    name: ClassVar[str] = "FiniteDifference"
    needs: ClassVar[frozenset[str]] = frozenset()
    reruns: ClassVar[bool] = True
    needs_key: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.step is not None and not self.step > 0:
            raise MethodError(f"Argument `step` of FiniteDifference must be positive, but is {self.step!r}.")
        if self.chunk < 1:
            raise MethodError(f"Argument `chunk` of FiniteDifference must be at least 1, but is {self.chunk!r}.")

    def probes(self, spectra: Spectra, degrees: Sequence[int], key: Key, dtype: Any) -> Probes:
        step = float(np.finfo(dtype).eps) ** (1 / 3) if self.step is None else self.step
        open_angles = np.array([j for j, s in enumerate(spectra) if s is None or len(s) > 0], np.int32)
        signs = np.tile([1.0, -1.0], len(open_angles))
        return Probes(
            jnp.asarray(np.repeat(open_angles, 2)),
            jnp.asarray(signs * step, dtype),
            jnp.asarray(signs / (2 * step), dtype),
        )
