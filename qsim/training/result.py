"""What a training comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jax

from qsim._typing import Array, PyTree


@jax.tree_util.register_dataclass
@dataclass(frozen=True, eq=False, repr=False)
class TrainingResult:
    """What `minimize` reached. Prints as one line.

    Attributes:
        params: the parameters after the last step, in the pytree that was given.
        loss: the loss at `params`, a float; with data that of the batch that comes next, with a key
            that of the next key. After an interruption the last one computed.
        history: name -> array (step, ...), NumPy outside of jit: "loss", and each metric, at the
            parameters before each step; those before a resumption too.
        step: how many steps were taken, those before a resumption too.
        opt_state: the state of the optimizer after the last step.
        ended: why it ended: "steps" when all were taken, "callback" when the callback said so,
            "interrupt" after Ctrl-C, "diverged" in the result of a `DivergedError`.
        seconds: how long this call stepped. compile_seconds: how long it traced and compiled before.

    Example:
        >>> import jax.numpy as jnp
        >>> from qsim.training import minimize
        >>> result = minimize(lambda t: jnp.sum(1 - jnp.cos(t)), jnp.array([1.0, 0.5]), steps=100, progress=False)
        >>> result
        TrainingResult(loss 0.5821 -> ..., 100 steps, ... s + ... s compiling)
        >>> result.history["loss"].shape
        (100,)
    """

    params: PyTree
    loss: Any
    history: Mapping[str, Array]
    step: Any
    opt_state: PyTree
    ended: str = field(default="steps", metadata={"static": True})
    seconds: float = field(default=0.0, metadata={"static": True})
    compile_seconds: float = field(default=0.0, metadata={"static": True})

    def __repr__(self) -> str:
        if not isinstance(self.loss, float):  # inside jit, or a batch of trainings
            return f"TrainingResult(params={self.params!r}, loss={self.loss!r}, step={self.step!r})"
        losses = self.history["loss"]
        first = f"{losses[0]:.4g} -> " if len(losses) else ""
        why = "" if self.ended == "steps" else f", ended by {self.ended}"
        times = f"{self.seconds:.3g} s + {self.compile_seconds:.3g} s compiling"
        return f"TrainingResult(loss {first}{self.loss:.4g}, {self.step} steps{why}, {times})"
