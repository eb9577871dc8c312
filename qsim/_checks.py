"""Checks that several parts share: each raises one clear error before anything is traced."""

from __future__ import annotations

import operator
import os
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

from qsim._errors import MemoryLimitError, QsimError

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def format_bytes(num_bytes: float) -> str:
    """A number of bytes for people: 8589934592 -> "8 GiB".

    Example:
        >>> format_bytes(3 * 2**29)
        '1.5 GiB'
    """
    if num_bytes >= 2**80:
        return f"2^{int(num_bytes).bit_length() - 1} B"
    power = 0
    while num_bytes >= 1024 and power < len(_UNITS) - 1:
        num_bytes, power = num_bytes / 1024, power + 1
    return f"{num_bytes:.3g} {_UNITS[power]}" if num_bytes < 1000 else f"{num_bytes:.0f} {_UNITS[power]}"


def physical_memory() -> int | None:
    """The memory of this machine in bytes, or None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def check_memory(what: str, num_bytes: int, available: int | None = None, fix: str = "") -> None:
    """Refuse something that is larger than the memory there is.

    Args:
        what: what it is, as the subject of a sentence: "The state of 40 qubits in complex64".
        num_bytes: its size.
        available: the memory of the device in bytes; None asks the operating system.
        fix: what to try instead, a sentence.

    Raises:
        MemoryLimitError: it does not fit; the sizes are named.
    """
    limit = physical_memory() if available is None else available
    if limit is not None and num_bytes > limit:
        raise MemoryLimitError(
            f"{what} takes {format_bytes(num_bytes)}, but there are {format_bytes(limit)} of memory. {fix}".rstrip()
        )


def check_int(name: str, value: Any, error: type[QsimError], minimum: int = 0) -> int:
    """`value` as an int of at least `minimum`, else `error` naming the argument."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or number < minimum:
        raise error(f"Argument `{name}` must be an int of at least {minimum}, but is {value!r}.")
    return number


def check_qubits(name: str, qubits: Any, num_qubits: int, error: type[QsimError]) -> tuple[int, ...]:
    """`qubits` as a tuple of different ints below `num_qubits`, else `error` naming the argument."""
    values: Sequence[Any] = list(qubits) if isinstance(qubits, Iterable) else [qubits]
    try:
        places = tuple(operator.index(q) for q in values)
    except TypeError:
        raise error(f"Argument `{name}` must be qubit numbers, but is {qubits!r}.") from None
    for q in places:
        if not 0 <= q < num_qubits:
            raise error(
                f"Argument `{name}` names qubit {q}, but there are {num_qubits} qubits, numbered 0 to {num_qubits - 1}."
            )
    if len(set(places)) != len(places):
        raise error(f"Argument `{name}` must name each qubit once, but is {places}.")
    return places


def known_names(name: str, names: Iterable[str]) -> str:
    """The end of a message about an unknown name: what there is, and what was likely meant."""
    there = sorted(names)
    close = get_close_matches(name, there, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"There are: {', '.join(map(repr, there)) or 'none'}.{hint}"
