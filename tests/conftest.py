"""Shared by all tests: where the public files are, and double precision on request."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

if version("jaxlib") < "0.11":
    # jaxlib 0.10.2 can hang in a program with many fusions of its YNN library and few cores (the CHANGELOG has more)
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_experimental_ynn_fusion_type=".strip()

import jax
import pytest

SHARED = Path(os.environ.get("QSIM_SHARED") or Path(__file__).resolve().parents[2] / "shared")
"""Programs and Hamiltonians that are not ours to ship: beside the checkout, or where QSIM_SHARED says."""


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
