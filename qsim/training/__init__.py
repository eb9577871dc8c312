"""Training loops: a loss, its parameters and an optax optimizer, run as one compiled program."""

from __future__ import annotations

from qsim.training._minimize import minimize
from qsim.training.checkpoint import Checkpoint
from qsim.training.data import Minibatches, minibatches
from qsim.training.result import TrainingResult

__all__ = ["Checkpoint", "Minibatches", "TrainingResult", "minibatches", "minimize"]
