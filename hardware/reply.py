"""What devices answer, as bits in our order; nothing of it is trusted.

A reply is counts (bit string -> number), or a list of bit strings or rows of bits, one a shot.
Every reply is checked before anything as large as it claims to be is made: number of entries,
alphabet, width, and that the counts are whole numbers that add up to the shots asked for.
"""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np

from hardware.errors import InvalidReply

__all__ = ["bits_of"]

MAX_LISTED = 16
"""Bits up to which a vendor may list outcomes that were never seen."""


def bits_of(
    reply: Any, *, width: int, shots: int, device: str, seed: int = 0, reverse: bool = False, hexadecimal: bool = False
) -> np.ndarray:
    """The bits of a reply: uint8 (shots, width), column i the i-th measured qubit.

    Args:
        reply: a mapping {bit string: count}, or a sequence of bit strings or of rows of bits, or an
            array (shots, width).
        width: how many bits were measured. shots: how many times.
        device: its name, for the message.
        seed: counts say nothing of the order of the shots; they come in one drawn with this seed.
        reverse: True where the vendor writes the last bit first.
        hexadecimal: True where keys are numbers such as "0x1f", the last bit the most significant.

    Raises:
        InvalidReply: anything else than `shots` outcomes of `width` bits.

    Example:
        >>> from hardware.reply import bits_of
        >>> bits_of({"01": 2, "00": 1}, width=2, shots=3, device="some", reverse=True).sum(axis=0).tolist()
        [2, 0]
    """
    if isinstance(reply, Mapping):
        bits = _of_counts(reply, width, shots, device, seed, hexadecimal)
    else:
        bits = _of_shots(reply, width, shots, device, hexadecimal)
    return bits[:, ::-1] if reverse else bits


def _of_counts(
    counts: Mapping[Any, Any], width: int, shots: int, device: str, seed: int, hexadecimal: bool
) -> np.ndarray:
    if len(counts) > max(shots, 1 << min(width, MAX_LISTED)):
        raise _invalid(device, f"{len(counts)} different outcomes of {shots} shots")
    total = 0
    found: list[tuple[str, int]] = []
    for key, count in counts.items():
        if isinstance(count, bool) or not isinstance(count, Real):
            raise _invalid(device, f"a count that is no number: {_short(count)}")
        value: Any = count
        if not (0 <= value <= shots and value == int(value)):
            raise _invalid(device, f"a count that is no number of up to {shots} shots: {_short(count)}")
        total += int(value)
        found.append((_word(key, width, device, hexadecimal), int(value)))
    if total != shots:
        raise _invalid(device, f"{total} shots instead of {shots}")
    if len({word for word, _ in found}) < len(found):
        raise _invalid(device, "one outcome twice")
    bits = np.repeat(_of_words([word for word, _ in found], width), [count for _, count in found], axis=0)
    return np.random.default_rng(seed).permutation(bits)


def _of_shots(reply: Any, width: int, shots: int, device: str, hexadecimal: bool) -> np.ndarray:
    if isinstance(reply, (str, bytes)) or not _is_list(reply):
        raise _invalid(device, f"neither counts nor a list of shots, but {type(reply).__name__}")
    if len(reply) != shots:
        raise _invalid(device, f"{len(reply)} shots instead of {shots}")
    if isinstance(reply, np.ndarray) or not isinstance(reply[0], str):
        return _of_rows(reply, width, shots, device)
    return _of_words([_word(key, width, device, hexadecimal) for key in reply], width)


def _of_words(words: Sequence[str], width: int) -> np.ndarray:
    return np.frombuffer("".join(words).encode(), np.uint8).reshape(len(words), width) - ord("0")


def _of_rows(reply: Any, width: int, shots: int, device: str) -> np.ndarray:
    for row in reply:
        if not _is_list(row) or len(row) != width:
            raise _invalid(device, f"shots that have not {width} bits")
    try:
        rows = np.asarray(reply)
    except ValueError:
        raise _invalid(device, "rows of several lengths") from None
    if rows.shape != (shots, width):
        raise _invalid(device, f"shots of shape {rows.shape} instead of {(shots, width)}")
    if rows.dtype.kind not in "biuf" or not ((rows == 0) | (rows == 1)).all():
        raise _invalid(device, "bits that are neither 0 nor 1")
    return rows.astype(np.uint8)


def _word(key: Any, width: int, device: str, hexadecimal: bool) -> str:
    """A key as a bit string."""
    if hexadecimal:
        try:
            is_short = isinstance(key, str) and len(key) <= width // 4 + 3
            number = int(key, 16) if is_short and key.isascii() and key.isalnum() else -1
        except ValueError:
            number = -1
        if not 0 <= number < 1 << width:
            raise _invalid(device, f"an outcome that is no hexadecimal number of {width} bits: {_short(key)}")
        return format(number, f"0{width}b") if width else ""
    if isinstance(key, Integral) and not isinstance(key, bool):
        if not 0 <= int(key) < 1 << width:
            raise _invalid(device, f"an outcome that is no number of {width} bits: {_short(key)}")
        return format(int(key), f"0{width}b") if width else ""
    if not isinstance(key, str) or len(key) != width or key.strip("01"):
        raise _invalid(device, f"an outcome that is not {width} characters of 0 and 1: {_short(key)}")
    return key


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) or (isinstance(value, np.ndarray) and value.ndim > 0)


def _short(value: Any) -> str:
    if isinstance(value, int) and value.bit_length() > 200:  # Python refuses to write very long ones
        return f"a number of {value.bit_length()} bits"
    return reprlib.repr(value[:40] if isinstance(value, str) else value)


def _invalid(device: str, words: str) -> InvalidReply:
    return InvalidReply(f"Device `{device}` answered {words}. Nothing of the reply was used; submit the job again.")
