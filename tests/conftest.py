"""Shared by all tests: where the public files are, and double precision on request."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

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
