"""The transpiler: a circuit and a target to a circuit that the target can run.

`transpile(circuit, target)` is the front door. A transpiler is any callable
`(Circuit, Target) -> Circuit` that puts a layout on what it returns; a `Pipeline` is a tuple of
passes, itself one, and `preset(effort)` gives the built-in ones.
"""

from __future__ import annotations

from qsim.ir.ops.delay import Delay
from transpile._transpile import default, effort0, effort1, effort2, effort3, transpile
from transpile.best import BestOf, best_of
from transpile.pipeline import Pipeline, Report, Step
from transpile.presets import preset
from transpile.routing.place_and_route import PlaceAndRoute

__all__ = [
    "BestOf",
    "Delay",
    "Pipeline",
    "PlaceAndRoute",
    "Report",
    "Step",
    "best_of",
    "default",
    "effort0",
    "effort1",
    "effort2",
    "effort3",
    "preset",
    "transpile",
]
