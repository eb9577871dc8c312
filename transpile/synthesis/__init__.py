"""From matrices and high-level operations to the gates that a target has."""

from __future__ import annotations
