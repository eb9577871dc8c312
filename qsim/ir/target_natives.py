"""Names of native gates: their spellings, their sizes, and tables of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from qsim._errors import TargetError
from qsim.ir import gates
from qsim.ir.table import rows
from qsim.ir.target_facts import Native

Natives = Mapping[str, Native]
"""Native gates at a place: name -> what is known of it."""

ALWAYS = frozenset({"barrier", "measure"})
"""Operations that every usable qubit has, listed or not."""

ANY_SIZE = frozenset({"unitary", "diagonal", "permutation", "pauli_evolution", "qft", "prepare_state", "clifford"})
"""High-level operations that a device may list as native, on any number of qubits."""

assert gates.__name__  # imported so that the table is filled
SPELLINGS = {word: row.name for row in rows() for word in (row.name, row.qasm, *row.aliases) if word is not None}
"""Every spelling of a gate of the table, OpenQASM ones too -> its name."""

ARITY = {row.name: row.num_qubits for row in rows()} | {"reset": 1, "delay": 1}
"""Name -> the number of qubits it acts on."""


def clean_natives(
    table: Natives | Iterable[str], sizes: Mapping[str, int], place: tuple[int, ...] | None
) -> dict[str, Native]:
    """Natives by the names of the gate table, sorted, each known and of the right size.

    Args:
        table: name -> `Native`, or names alone.
        sizes: name -> number of qubits of the gates of the table and of those that the target defines.
        place: where they are native; None means everywhere.

    Raises:
        TargetError: an unknown gate, or one of another size than the place.
    """
    pairs = table.items() if isinstance(table, Mapping) else ((name, Native()) for name in table)
    clean: dict[str, Native] = {}
    for given, native in pairs:
        name = SPELLINGS.get(given, given)
        size = sizes.get(name)
        if place is None and size is None and name not in ANY_SIZE | ALWAYS:
            raise TargetError(
                f"Native gate {given!r} is not in the gate table. Give its matrix with "
                f"definitions=[DefinedGate({given!r}, matrix)], or list it under its places with local=."
            )
        if place is not None and size not in (None, len(place)) and name not in ALWAYS:
            raise TargetError(f"Native gate {given!r} acts on {size} qubits, but is listed at place {place}.")
        if not isinstance(native, Native):
            raise TargetError(f"What is known of native gate {given!r} must be a Native, but is {native!r}.")
        clean[name] = native
    return dict(sorted(clean.items()))
