"""Every test of the hardware has a budget of its own."""

from __future__ import annotations

import pytest

from hardware.budget import temporary_budget


@pytest.fixture(autouse=True)
def no_budget():
    with temporary_budget():
        yield
