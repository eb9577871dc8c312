"""Replies of strangers: what is not exactly what was asked for is refused; every honest form is read."""

from __future__ import annotations

import math
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest

from hardware.errors import InvalidReply
from hardware.reply import bits_of

GIGABYTE = np.broadcast_to(np.uint8(0), (1 << 30, 2))
"""An array that claims a gigabyte and holds one byte."""


class Endless(dict):
    """Claims more outcomes than there are."""

    def __len__(self):
        return 10**12


BAD = {
    "none": None,
    "number": 3,
    "string": "0110",
    "bytes": b"0110",
    "set": {"00", "01"},
    "generator": (word for word in ["00"] * 4),
    "0-d array": np.array(3),
    "no outcomes": {},
    "no shots": [],
    "narrow key": {"0": 4},
    "wide key": {"000": 4},
    "empty key": {"": 4},
    "key of None": {None: 4},
    "key of a tuple": {(0, 0): 4},
    "key of bytes": {b"00": 4},
    "key of a bool": {True: 4},
    "key of a float": {1.0: 4},
    "other letters": {"0x": 4},
    "blanks": {" 0": 4},
    "line end": {"0\n": 4},
    "minus": {"-1": 4},
    "non-ASCII digits": {"٠١": 4},
    "full-width digits": {"０１": 4},
    "number too large": {4: 4},
    "negative number": {-1: 4},
    "number of 20000 bits": {1 << 20_000: 4},
    "a huge key": {"0" * (1 << 20): 4},
    "nan": {"00": math.nan},
    "infinite": {"00": math.inf},
    "minus infinite": {"00": -math.inf},
    "negative count": {"00": 5, "01": -1},
    "fraction": {"00": 3.5, "01": 0.5},
    "rational": {"00": Fraction(1, 2)},
    "complex": {"00": np.complex128(4)},
    "bool count": {"00": 3, "01": True},
    "numpy bool": {"00": 3, "01": np.True_},
    "count of None": {"00": None},
    "count of a string": {"00": "4"},
    "count of a list": {"00": [4]},
    "too few": {"00": 3},
    "too many": {"00": 3, "01": 2},
    "10^12 shots": {"00": 10**12},
    "10^400 shots": {"00": 10**400},
    "10^5000 shots": {"00": 10**5000},
    "too many outcomes": {format(i, "02b"): 0 for i in range(5)},
    "many outcomes claimed": Endless({"00": 4}),
    "twice": {"01": 2, 1: 2},
    "too few strings": ["00", "01", "10"],
    "too many strings": ["00"] * 5,
    "wrong widths": ["00", "01", "1", "11"],
    "other letters in strings": ["00", "01", "1a", "11"],
    "strings and rows": ["00", "01", [1, 0], "11"],
    "rows and strings": [[0, 0], "01", [1, 0], "11"],
    "ragged": [[0, 0], [0, 1], [1], [1, 1]],
    "nested": [[0, 0], [0, 1], [1, [0]], [1, 1]],
    "nested deeper": [[[0], [0]]] * 4,
    "a three": [[0, 0], [0, 1], [1, 3], [1, 1]],
    "a half": [[0, 0], [0, 1], [1, 0.5], [1, 1]],
    "a nan": [[0, 0], [0, 1], [1, math.nan], [1, 1]],
    "a none": [[0, 0], [0, 1], [1, None], [1, 1]],
    "a minus": [[0, 0], [0, 1], [1, -1], [1, 1]],
    "huge number": [[0, 0], [0, 1], [1, 10**400], [1, 1]],
    "letters": [["0", "0"]] * 4,
    "0-d rows": [np.array(0)] * 4,
    "dicts": [{"00": 1}] * 4,
    "wrong shape": np.zeros((2, 4), int),
    "flat": np.zeros(8, int),
    "three axes": np.zeros((4, 2, 1), int),
    "complex array": np.zeros((4, 2), complex),
    "objects": np.array([["0", "0"]] * 4, object),
    "a gigabyte": GIGABYTE,
}
BAD_HEXADECIMAL = {
    "underscores": {"0x_1": 4},
    "blank": {" 0x1": 4},
    "plus": {"+0x1": 4},
    "minus": {"-0x1": 4},
    "too large": {"0x4": 4},
    "too long": {"0x" + "0" * 10_000: 4},
    "prefix alone": {"0x": 4},
    "no digit": {"0xg": 4},
    "non-ASCII digit": {"٣": 4},
    "number": {1: 4},
    "the same twice": {"0x1": 2, "1": 2},
}


@pytest.mark.parametrize(
    ("reply", "hexadecimal"),
    [pytest.param(r, False, id=n) for n, r in BAD.items()]
    + [pytest.param(r, True, id=f"hex {n}") for n, r in BAD_HEXADECIMAL.items()],
)
def test_malformed_replies_are_refused_without_allocating(reply, hexadecimal):
    tracemalloc.start()
    try:
        with pytest.raises(InvalidReply, match="Device `some` answered .*Nothing of the reply was used") as caught:
            bits_of(reply, width=2, shots=4, device="some", hexadecimal=hexadecimal)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    assert len(str(caught.value)) < 300 and "\n" not in str(caught.value)


ROWS = [[0, 1], [0, 1], [0, 1], [1, 1]]


@pytest.mark.parametrize(
    ("reply", "named"),
    [
        ({"01": 3, "11": 1}, {}),
        ({"01": 3.0, "11": np.int64(1), "00": 0}, {}),
        ({1: 3, 3: 1}, {}),
        ({np.int32(1): 3, 3: 1}, {}),
        ({"0x1": 3, "0x3": 1}, {"hexadecimal": True}),
        ({"0X1": 3, "3": 1}, {"hexadecimal": True}),
        ({"10": 3, "11": 1}, {"reverse": True}),
        ({"0x2": 3, "0x3": 1}, {"hexadecimal": True, "reverse": True}),
        (["01", "01", "01", "11"], {}),
        (("01", "01", "01", "11"), {}),
        (["0x1", "0x1", "0x1", "0x3"], {"hexadecimal": True}),
        (["10", "10", "10", "11"], {"reverse": True}),
        (ROWS, {}),
        (tuple(map(tuple, ROWS)), {}),
        ([np.array(row) for row in ROWS], {}),
        (np.array(ROWS), {}),
        (np.array(ROWS, bool), {}),
        (np.array(ROWS, float), {}),
        (np.array(ROWS)[:, ::-1], {"reverse": True}),
    ],
)
def test_every_honest_form_is_read(reply, named):
    bits = bits_of(reply, width=2, shots=4, device="some", **named)
    assert bits.dtype == np.uint8 and sorted(bits.tolist()) == ROWS


def test_shots_keep_their_order_and_counts_get_a_repeatable_one():
    assert bits_of(ROWS[::-1], width=2, shots=4, device="some").tolist() == ROWS[::-1]
    some = [bits_of({"0": 50, "1": 50}, width=1, shots=100, device="some", seed=s).tolist() for s in (1, 1, 2)]
    assert some[0] == some[1] != some[2]
    assert some[0] != sorted(some[0])


def test_nothing_measured():
    assert bits_of({"": 3}, width=0, shots=3, device="some").shape == (3, 0)
    assert bits_of([""] * 3, width=0, shots=3, device="some").shape == (3, 0)


def test_many_outcomes_take_little_memory():
    shots, width = 20_000, 100
    reply = {format(i, f"0{width}b"): 1 for i in range(shots)}
    tracemalloc.start()
    bits = bits_of(reply, width=width, shots=shots, device="some")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert bits.shape == (shots, width) and peak < 10 * shots * width
