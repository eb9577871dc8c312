"""Circuits as data: operations, parameters, Pauli sums, targets. No JAX in here."""
