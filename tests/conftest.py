"""Shared by all tests: where the public files are, and double precision and prices of plans on request."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import hypothesis
import jax
import pytest

from qsim import _compile
from qsim._recent import Recent
from qsim.lower import calibration

THOROUGH = os.environ.get("QSIM_TESTS") == "thorough"
"""Programs as a user compiles them, and other random examples every time: what .ci/nightly asks for."""

hypothesis.settings.register_profile("qsim", derandomize=not THOROUGH, deadline=None)
hypothesis.settings.load_profile("qsim")

SHARED = Path(os.environ.get("QSIM_SHARED") or Path(__file__).resolve().parents[2] / "shared")
"""Programs and Hamiltonians that are not ours to ship: beside the checkout, or where QSIM_SHARED says."""


def pytest_configure(config: pytest.Config) -> None:
    """Compile fast in the fast leg, whose programs are small and many: half the time of its run was LLVM's."""
    if config.option.markexpr != "not slow":
        return
    flags = [os.environ.get("XLA_FLAGS", "")]
    if version("jaxlib") < "0.11":
        # jaxlib 0.10.2 can hang in a program with many independent parts on few cores (the CHANGELOG has more)
        flags.append("--xla_cpu_enable_concurrency_optimized_scheduler=false")
    if not THOROUGH:
        flags += ["--xla_backend_optimization_level=0", "--xla_llvm_disable_expensive_passes=true"]
    os.environ["XLA_FLAGS"] = " ".join(filter(None, flags))


def shared_files(folder: str, pattern: str) -> list:
    """The files of a shared folder as test parameters; where it is missing, one that skips and says so."""
    found = sorted((SHARED / folder).glob(pattern))
    if found:
        return found
    reason = f"no {pattern} in {SHARED / folder}; set QSIM_SHARED to the folder that has `{folder}`"
    return [pytest.param(Path(f"no-{folder}"), marks=pytest.mark.skip(reason=reason))]


@pytest.fixture
def x64() -> Iterator[None]:
    """Run a test in double precision."""
    with jax.enable_x64(True):
        yield


@pytest.fixture
def plans_by(monkeypatch: pytest.MonkeyPatch) -> Callable[[calibration.Costs], None]:
    """Plan by given prices; no plan that was made before or is made after is taken for one by them."""

    def use(costs: calibration.Costs) -> None:
        monkeypatch.setattr(calibration, "costs", lambda: costs)
        monkeypatch.setattr(_compile, "_plans", Recent(8))
        monkeypatch.setattr(_compile, "_programs", Recent(8))

    return use
