"""OpenQASM 2: `loads` and `load` read circuits, `dumps` and `dump` write them."""

from __future__ import annotations

from qsim.qasm.reader import load, loads
from qsim.qasm.writer import dump, dumps

__all__ = ["dump", "dumps", "load", "loads"]
