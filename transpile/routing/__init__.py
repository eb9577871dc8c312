"""Placing circuits on devices, and routing them there with swaps."""

from __future__ import annotations
