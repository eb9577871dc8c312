"""What every operation has, and the refusal of what is none."""

from __future__ import annotations

from typing import Any

from qsim._errors import CircuitError

MEMBERS = ("name", "num_qubits", "num_clbits", "num_params", "params")


def check_operation(operation: Any) -> None:
    """Refuse what lacks a member of the operation interface.

    Raises:
        CircuitError: it does; the member is named.
    """
    for member in MEMBERS:
        if not hasattr(operation, member):
            raise CircuitError(
                f"Argument `operation` must have name, num_qubits, num_clbits, num_params and params, but "
                f"{operation!r} has no `{member}`. Try gates.gate('h')."
            )
