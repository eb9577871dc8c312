"""The host's side of a training: how far to run, what to show, when to keep it, why it ended."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np
from tqdm import tqdm

from qsim._errors import DivergedError
from qsim._typing import PyTree
from qsim.training.checkpoint import Checkpoint, Rows
from qsim.training.description import Description
from qsim.training.loop import Inputs, Leg, Loop, Place
from qsim.training.names import listed, not_finite
from qsim.training.pace import Pace
from qsim.training.result import TrainingResult

SAVE_SECONDS = 10.0
"""How often a checkpoint is written where its owner does not say."""


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a training is: what is on the device, the same step here, the last loss."""

    place: Place
    step: int
    last: float


@dataclass(frozen=True, slots=True)
class Bad:
    """The step that led to NaN or infinity, where it was before, and the parameters it led to."""

    step: int
    before: Place
    tried: PyTree


@dataclass(eq=False)
class Drive:
    """A training on its way.

    Attributes:
        loop, inputs: the program and what it is given in every call.
        reached: how far it is.
        parts: the losses and metrics up to there, one piece after the other.
        bar: the progress bar.
        callback, every: as in `minimize`.
        checkpoint, training: where to keep it, and its description; or None.
        saved: the step of the last checkpoint.
    """

    loop: Loop
    inputs: Inputs
    reached: Reached
    parts: list[Rows]
    bar: tqdm
    callback: Callable[[int, PyTree, float], Any] | None
    every: int | None
    checkpoint: Checkpoint | None
    training: Description | None
    saved: int = -1
    began: float = field(default_factory=time.perf_counter)

    def run(self, steps: int) -> TrainingResult:
        """Step until `steps`, Ctrl-C, or the callback; then find the loss where it ended.

        Raises:
            DivergedError: a step did not lead to finite numbers.
        """
        marks = (self.every if self.callback else None, self.checkpoint.every if self.checkpoint else None)
        pace = Pace(self.loop.capacity, tuple(mark for mark in marks if mark))
        ended, saved = "steps", self.began
        try:
            while ended == "steps" and self.reached.step < steps:
                before, started = self.reached.step, time.perf_counter()
                self.leg(pace.stop(before, steps))
                now, done = time.perf_counter(), self.reached.step
                pace.took(done - before, now - started)
                self.bar.set_postfix_str(f"loss {self.reached.last:.6g}", refresh=False)
                self.bar.update(done - before)
                if self.is_due(now - saved):
                    self.save()
                    saved = now
                if self.callback and (self.every is None or done % self.every == 0):
                    if self.callback(done, self.reached.place.params, self.reached.last):
                        ended = "callback"
            return self.result(ended, self.loss_there())
        except KeyboardInterrupt:
            return self.result("interrupt", self.reached.last)
        finally:
            self.save()

    def leg(self, stop: int) -> None:
        """Run the program once and take in what it did."""
        step = self.reached.step
        leg = self.loop.run(self.reached.place, np.int32(stop), self.inputs)
        there, fine, rows = jax.device_get((leg.place.step, leg.fine, leg.rows))  # waits
        bad = None if fine else self.first_bad(leg, rows["loss"])
        count = (int(there) if bad is None else bad.step) - step
        self.parts.append({name: row[:count].copy() for name, row in rows.items()})
        last = float(rows["loss"][count - 1]) if count else self.reached.last
        if bad is not None:
            self.reached = Reached(bad.before, bad.step, last)
            raise self.diverged(bad.tried, float(rows["loss"][count]))
        self.reached = Reached(leg.place, int(there), last)

    def first_bad(self, leg: Leg, losses: np.ndarray) -> Bad:
        """The step that led to NaN or infinity, found by taking the steps of the call again, fewer of them."""
        begin, end = self.reached.step, int(leg.place.step)
        places = {begin: self.reached.place, end: leg.place}

        def at(step: int) -> Place:
            if step not in places:
                places[step] = self.loop.run(self.reached.place, np.int32(step), self.inputs).place
            return places[step]

        # parameters that are not finite stay so; those after a loss that is not finite are not asked
        low, high = begin, end if np.isfinite(losses[end - 1 - begin]) else end - 1
        if high > low and not_finite(at(high).params, "params"):
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (low, middle) if not_finite(at(middle).params, "params") else (middle, high)
            end = high
        return Bad(end - 1, at(end - 1), at(end).params)

    def loss_there(self) -> float:
        """The loss at the parameters reached: that of a step which is not taken."""
        step = self.reached.step
        leg = self.loop.run(self.reached.place, np.int32(step + 1), self.inputs)
        loss = float(jax.device_get(leg.rows["loss"])[0])
        if not np.isfinite(loss):
            raise self.diverged(leg.place.params, loss)
        return loss

    def diverged(self, tried: PyTree, loss: float) -> DivergedError:
        """The error for a step that led to NaN or infinity, `tried` being the parameters it led to."""
        names = not_finite(tried, "params")
        if np.isfinite(loss):
            what = f"The parameters became NaN or infinite in step {self.reached.step}, at loss {loss:.6g}"
            where = listed(names)
        else:
            what = f"The loss became {loss} in step {self.reached.step}"
            where = f"its gradient is not finite in {listed(names)}" if names else "its gradient is finite"
        return DivergedError(
            f"{what} (counted from 0): {where}. The error's `result` has the parameters before it. Try a smaller "
            "learning rate, or optax.clip_by_global_norm before the optimizer.",
            self.result("diverged", loss),
        )

    def is_due(self, seconds: float) -> bool:
        """Whether to write a checkpoint now, so long after the last one."""
        every = self.checkpoint.every if self.checkpoint else None
        return self.reached.step % every == 0 if every else seconds > SAVE_SECONDS

    def save(self) -> None:
        """Write a checkpoint, if there is to be one and it is not there already."""
        if self.checkpoint is None or self.training is None or self.saved == self.reached.step:
            return
        try:
            self.checkpoint.write(self.training, self.reached.place, self.rows())
            self.saved = self.reached.step
        except OSError as error:  # what was reached is worth more than the file
            message = f"{self.checkpoint.path}: the checkpoint cannot be written ({error.strerror or error})."
            warnings.warn(message, RuntimeWarning, stacklevel=4)

    def rows(self) -> Rows:
        """Losses and metrics of all steps that were taken."""
        whole = {name: np.concatenate([part[name] for part in self.parts]) for name in self.parts[0]}
        self.parts[:] = [whole]
        return {name: row[: self.reached.step] for name, row in whole.items()}

    def result(self, ended: str, loss: float) -> TrainingResult:
        """What was reached."""
        place, seconds = self.reached.place, time.perf_counter() - self.began
        return TrainingResult(
            place.params, loss, self.rows(), self.reached.step, place.opt_state, ended, seconds, self.loop.seconds
        )
