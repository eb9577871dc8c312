"""Simultaneous perturbation: two runs per sample, whatever the number of angles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from qsim._errors import MethodError
from qsim._typing import Array, Key
from qsim.rules.base import Probes, RerunRule, Spectra


@dataclass(frozen=True)
class SPSA(RerunRule):
    """A random estimate of the gradient of a circuit's results from two runs per sample.

    It is a rule for `execute(gradient=SPSA())`, so that a loss made of its results has a gradient
    for any optimizer. The optimizer of the same name, `qsim.gradients.spsa`, perturbs the parameters
    of the whole loss instead, and also says how far to step.

    With d of independent random signs, g = (F(t + c d) - F(t - c d)) / 2c * d, averaged over
    the samples. Its mean is the gradient up to O(c^2); its variance grows with the number
    of angles. The directions come from `execute(key=...)`, which is therefore required: a
    training loop passes a new key in every step. Do not use it where gradients must be
    exact or repeatable without a key.

    Args:
        samples: how many directions are averaged; the cost is 2 * samples runs.
        step: c in radians; with shots take 0.1 or more.
        chunk: how many runs are done side by side.

    Raises:
        MethodError: samples, step or chunk that are not positive.

    Reference: J. C. Spall, IEEE Trans. Autom. Control 37, 332 (1992), DOI 10.1109/9.119632.

    Example:
        >>> import jax
        >>> from qsim import Circuit, Parameter, Z, execute
        >>> from qsim.gradients import SPSA
        >>> from qsim.results import Expectation
        >>> circuit, key = Circuit(1).ry(Parameter("t"), 0), jax.random.key(0)
        >>> slope = jax.grad(lambda t: execute(circuit, Expectation(Z(0)), {"t": t}, gradient=SPSA(), key=key))
        >>> print(f"{slope(0.5):.3f}")
        -0.479
    """

    samples: int = 1
    step: float = 0.01
    chunk: int = 8

    name: ClassVar[str] = "SPSA"
    needs: ClassVar[frozenset[str]] = frozenset()
    reruns: ClassVar[bool] = True
    needs_key: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for name in ("samples", "step", "chunk"):
            if not getattr(self, name) > 0:
                raise MethodError(f"Argument `{name}` of SPSA must be positive, but is {getattr(self, name)!r}.")

    def probes(self, spectra: Spectra, degrees: Sequence[int], key: Key, dtype: Any) -> Probes:
        if key is None:
            raise MethodError("SPSA draws random directions and needs a key. Try execute(..., key=jax.random.key(0)).")
        is_open = np.array([s is None or len(s) > 0 for s in spectra], bool)
        signs = random_signs(key, self.samples, len(spectra), dtype) * jnp.asarray(is_open, dtype)
        ends = jnp.tile(jnp.asarray([1.0, -1.0], dtype), self.samples)
        return Probes(jnp.repeat(signs, 2, axis=0), ends * self.step, ends / (2 * self.step * self.samples))


def random_signs(key: Key, samples: int, size: int, dtype: Any) -> Array:
    """`samples` directions (samples, size) of independent random signs: Spall's perturbations."""
    return jax.random.rademacher(key, (samples, size), dtype)
