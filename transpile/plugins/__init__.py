"""Other transpilers behind the same call: circuits go to them, and come back, in a process of their own."""

from __future__ import annotations

from transpile.plugins.outside import Outside

__all__ = ["Outside", "pytket", "qiskit1", "qiskit2", "qiskit3"]

qiskit1, qiskit2, qiskit3 = (Outside("qiskit", level) for level in (1, 2, 3))
pytket = Outside("pytket", 2)
