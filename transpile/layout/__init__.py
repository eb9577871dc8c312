"""First places of the qubits of a circuit on a device."""

from __future__ import annotations
