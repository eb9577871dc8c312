"""The mark of optimizers that need no gradient."""

from __future__ import annotations

import optax


class GradientFree(optax.GradientTransformationExtraArgs):
    """An optax transformation that looks at the loss itself and not at its gradient.

    Its `update(updates, state, params, *, value_fn, ...)` ignores `updates`, of which only the structure
    matters: a training loop that meets one computes no gradient and passes zeros. `optax.chain` makes an
    ordinary transformation of it again, which works, but with gradients that nobody reads.

    Args:
        init: params -> state. update: (updates, state, params, **extra) -> (updates, state).

    Example:
        >>> from qsim.gradients import GradientFree, rotosolve
        >>> isinstance(rotosolve(), GradientFree)
        True
    """
