"""Bits that were measured, packed into bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, repeat
from operator import index
from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from qsim._errors import ResultError
from qsim._typing import Array
from qsim.primitives.observables import ObservablesArray
from qsim.primitives.shaped import Shaped, clean_shape, new_shape

ENDS = ("left", "right")


class BitArray(Shaped):
    """The bit strings of an array of experiments: uint8 (shape..., shots, bytes).

    The bytes of a shot are the string read as a binary number, most significant byte first, with zeros
    in front, as in Qiskit. Strings from our circuits have bit 0 on the left, those from Qiskit's on the right.

    Args:
        array: uint8 (shape..., shots, bytes), of the host or of JAX.
        num_bits: how many bits a shot has.
        first: where bit 0 stands in the strings, "left" or "right".

    Attributes:
        array, num_bits, first: as given. shape: the axes before the shots.

    Raises:
        ResultError: an array of another kind, or of another number of bytes.

    Example:
        >>> from qsim.primitives import BitArray
        >>> bits = BitArray.from_counts({"01": 3, "11": 1})
        >>> bits.num_shots, bits.num_bits, bits.get_counts(), bits.slice_bits([0]).get_counts()
        (4, 2, {'01': 3, '11': 1}, {'0': 3, '1': 1})
    """

    __slots__ = ("array", "num_bits", "first", "shape")

    def __init__(self, array: Array, num_bits: int, first: str = "left"):
        if not isinstance(array, (np.ndarray, jax.Array)) or array.dtype != np.uint8 or array.ndim < 2:
            what = f"{array.dtype} {tuple(array.shape)}" if hasattr(array, "dtype") else type(array).__name__
            raise ResultError(f"BitArray: argument `array` must be uint8 (..., shots, bytes), but is {what}.")
        if isinstance(num_bits, bool) or not isinstance(num_bits, (int, np.integer)) or num_bits < 0:
            raise ResultError(f"BitArray: argument `num_bits` must be an int of 0 or more, but is {num_bits!r}.")
        width = _num_bytes(num_bits)
        if array.shape[-1] != width:
            raise ResultError(
                f"BitArray: {num_bits} bits take {width} bytes a shot, but argument `array` has {array.shape[-1]}."
            )
        if first not in ENDS:
            raise ResultError(f"BitArray: argument `first` must be 'left' or 'right', but is {first!r}.")
        self.array, self.num_bits, self.first = array, num_bits, first
        self.shape: tuple[int, ...] = tuple(array.shape[:-2])

    # ---------------------------------------------------------------- made of other things

    @classmethod
    def of(cls, array: Array, num_bits: int, first: str) -> BitArray:
        """One of parts known to be clean."""
        new = object.__new__(cls)
        new.array, new.num_bits, new.first, new.shape = array, num_bits, first, tuple(array.shape[:-2])
        return new

    @staticmethod
    def from_bool_array(array: Any, order: str = "big", first: str = "left") -> BitArray:
        """From bits (..., shots, bits): the string from left to right ("big"), or from right to left ("little").

        Raises:
            ResultError: fewer than two axes, or another order.
        """
        if order not in ("big", "little"):
            raise ResultError(f"BitArray: argument `order` must be 'big' or 'little', but is {order!r}.")
        bits = np.asarray(array, dtype=bool)
        if bits.ndim < 2:
            raise ResultError(f"BitArray: bits must have shape (..., shots, bits), but have {bits.shape}.")
        return BitArray(_packed(bits if order == "big" else bits[..., ::-1]), bits.shape[-1], first)

    @staticmethod
    def from_samples(samples: Iterable[Any], num_bits: int | None = None, first: str = "left") -> BitArray:
        """From bit strings, hexadecimal strings ("0x...") or ints, one for each shot.

        Raises:
            ResultError: no samples, or one that does not fit into `num_bits`.
        """
        given = list(samples)
        if not given:
            raise ResultError("BitArray: at least one sample is needed.")
        try:
            texts = isinstance(given[0], str)
            base = 16 if texts and given[0].startswith("0x") else 2
            numbers = [int(s, base) for s in given] if texts else [index(s) for s in given]
        except (TypeError, ValueError):
            raise ResultError("BitArray: samples must all be bit strings, or all ints of 0 or more.") from None
        if num_bits is None:
            num_bits = max(1, *(n.bit_length() for n in numbers))
            if texts and base == 2:
                num_bits = max(num_bits, *(len(s) for s in given))
        if min(numbers) < 0 or max(numbers).bit_length() > num_bits:
            raise ResultError(f"BitArray: samples must be of 0 or more and fit into {num_bits} bits.")
        width = _num_bytes(num_bits)
        data = b"".join([n.to_bytes(width, "big") for n in numbers])
        return BitArray(np.frombuffer(data, np.uint8).reshape(len(numbers), width), num_bits, first)

    @staticmethod
    def from_counts(counts: Any, num_bits: int | None = None, first: str = "left") -> BitArray:
        """From {bit string, hexadecimal string or int: count}, or several such mappings with as many shots each.

        Raises:
            ResultError: no counts, one that is no int of 0 or more, or mappings with different numbers of shots.
        """
        single = isinstance(counts, Mapping) or hasattr(counts, "to_dict")
        tables = [dict(table.items()) for table in ([counts] if single else counts)]
        if any(not isinstance(count, (int, np.integer)) or count < 0 for table in tables for count in table.values()):
            raise ResultError("BitArray: counts must be ints of 0 or more.")
        if not tables or len({sum(table.values()) for table in tables}) != 1:
            raise ResultError("BitArray: counts must be one mapping or more, with as many shots each.")
        outcomes = chain.from_iterable(repeat(key, count) for table in tables for key, count in table.items())
        made = BitArray.from_samples(outcomes, num_bits, first)
        return made if single else made.reshape(len(tables), made.num_shots // len(tables))

    # ---------------------------------------------------------------- read

    @property
    def num_shots(self) -> int:
        """How many shots each experiment has."""
        return self.array.shape[-2]

    def get_counts(self, loc: int | tuple[int, ...] | None = None) -> dict[str, int]:
        """{bit string: count} of one experiment, or of all together.

        Args:
            loc: the place of the experiment in `shape`; None adds all of them up.
        """
        return self._counts(loc, self._text)

    def get_int_counts(self, loc: int | tuple[int, ...] | None = None) -> dict[int, int]:
        """{bit string as a binary number: count} of one experiment, or of all together."""
        return self._counts(loc, lambda number: number)

    def get_bitstrings(self, loc: int | tuple[int, ...] | None = None) -> list[str]:
        """The bit strings shot by shot, of one experiment or of all."""
        mask = (1 << self.num_bits) - 1
        return [self._text(int.from_bytes(row.tobytes(), "big") & mask) for row in self._rows(loc)]

    def to_bool_array(self, order: str = "big") -> np.ndarray:
        """The bits (shape..., shots, bits): the string from left to right ("big"), or from right to left ("little").

        Raises:
            ResultError: another order.
        """
        if order not in ("big", "little"):
            raise ResultError(f"BitArray: argument `order` must be 'big' or 'little', but is {order!r}.")
        bits = self._unpacked().astype(bool)
        return bits if order == "big" else bits[..., ::-1]

    def bitcount(self) -> np.ndarray:
        """How many bits of each shot are 1: (shape..., shots)."""
        return self._unpacked().sum(axis=-1, dtype=np.uint64)

    def expectation_values(self, observables: Any) -> np.ndarray:
        """Mean values of observables of I and Z alone, broadcast against `shape` by NumPy's rules.

        Args:
            observables: as for `ObservablesArray`; label characters stand where those of bit strings do.

        Raises:
            ResultError: a shape that does not broadcast, another number of bits, or a letter that is X or Y.
        """
        asked = ObservablesArray.coerce(observables)
        try:
            shape = np.broadcast_shapes(self.shape, asked.shape)
        except ValueError:
            raise ResultError(
                f"Observables of shape {asked.shape} do not broadcast against bits of shape {self.shape}."
            ) from None
        bits = self._unpacked()
        bits = bits if self.first == "left" else bits[..., ::-1]
        means = []
        for observable in asked.sums(self.first, self.num_bits):
            x, z = observable.masks(self.num_bits)
            if x.any():
                raise ResultError(f"Bits can tell nothing of {observable!r}, which has X or Y. Use I and Z.")
            signs = 1.0 - 2.0 * ((bits.astype(np.int64) @ z.T.astype(np.int64)) & 1)
            means.append((signs @ np.real(np.asarray(observable.coefficients))).mean(axis=-1))
        whole = np.stack(means, axis=-1) if means else np.zeros((*self.shape, 0))
        points = np.broadcast_to(np.arange(self.size).reshape(self.shape), shape)
        which = np.broadcast_to(np.arange(asked.size).reshape(asked.shape), shape)
        return whole.reshape(-1, whole.shape[-1])[points, which] if whole.size else np.zeros(shape)

    # ---------------------------------------------------------------- other bits

    def slice_bits(self, indices: int | Sequence[int]) -> BitArray:
        """Some of the bits: bit i of the new ones is bit `indices[i]`.

        Raises:
            ResultError: a bit that is not there.
        """
        places = _places("bit", indices, self.num_bits)
        bits = self._unpacked()
        if self.first == "right":
            return BitArray(_packed(bits[..., ::-1][..., places][..., ::-1]), len(places), self.first)
        return BitArray(_packed(bits[..., places]), len(places), self.first)

    marginal = slice_bits

    def slice_shots(self, indices: int | Sequence[int]) -> BitArray:
        """Some of the shots.

        Raises:
            ResultError: a shot that is not there.
        """
        return self._like(self.array[..., np.asarray(_places("shot", indices, self.num_shots), int), :])

    def postselect(self, indices: int | Sequence[int], selection: Any) -> BitArray:
        """The shots, of all experiments in one row, in which the bits `indices` read `selection`.

        Raises:
            ResultError: a bit that is not there, or as many values as there are not bits.
        """
        places = _places("bit", indices, self.num_bits, negative=True)
        wanted = np.atleast_1d(np.asarray(selection, bool))
        if wanted.shape != (len(places),):
            raise ResultError(f"postselect: {len(places)} bits need as many values, but {wanted.size} were given.")
        bits = self._unpacked().reshape(-1, self.num_bits)
        bits = bits if self.first == "left" else bits[:, ::-1]
        kept = (bits[:, np.asarray(places, int)] == wanted).all(axis=1)
        return self._like(self._host().reshape(-1, self.array.shape[-1])[kept])

    def reshape(self, *shape: Any) -> BitArray:
        """The same bits in another shape, which may take in the axis of the shots."""
        wanted = clean_shape("BitArray", shape[0] if len(shape) == 1 else _flat(shape))
        bytes_ = self.array.shape[-1]
        if int(np.prod(wanted, dtype=int)) == self.size:
            return self._like(self.array.reshape(*wanted, self.num_shots, bytes_))
        return self._like(self.array.reshape(*new_shape("BitArray", wanted, self.size * self.num_shots), bytes_))

    def transpose(self, *axes: Any) -> BitArray:
        """The same bits with the axes of `shape` in another order; reversed, where none is given."""
        order = axes[0] if len(axes) == 1 and hasattr(axes[0], "__iter__") else axes
        order = tuple(order) or tuple(reversed(range(self.ndim)))
        try:
            order = tuple(range(self.ndim)[a] for a in order)
        except (IndexError, TypeError):
            order = ()
        if sorted(order) != list(range(self.ndim)):
            raise ResultError(f"transpose: the axes must be those of {self.shape}, each once, but are {axes}.")
        return self._like(self.array.transpose(*order, self.ndim, self.ndim + 1))

    @staticmethod
    def concatenate(bit_arrays: Sequence[BitArray], axis: int = 0) -> BitArray:
        """Experiments of several along one axis of `shape`.

        Raises:
            ResultError: none, or some that differ in another way.
        """
        first = _alike("concatenate", bit_arrays, "num_bits", "first", "num_shots", "ndim")
        if not 0 <= axis < first.ndim:
            raise ResultError(f"concatenate: axis {axis} is not one of the {first.ndim} axes of {first.shape}.")
        return first._like(_joined("concatenate", bit_arrays, axis))

    @staticmethod
    def concatenate_shots(bit_arrays: Sequence[BitArray]) -> BitArray:
        """Shots of several, one after the other.

        Raises:
            ResultError: none, or some that differ in another way.
        """
        first = _alike("concatenate_shots", bit_arrays, "num_bits", "first", "shape")
        return first._like(_joined("concatenate_shots", bit_arrays, -2))

    @staticmethod
    def concatenate_bits(bit_arrays: Sequence[BitArray]) -> BitArray:
        """Bits of several, shot by shot: those of the first are bits 0, 1, ...

        Raises:
            ResultError: none, or some that differ in another way.
        """
        first = _alike("concatenate_bits", bit_arrays, "num_shots", "first", "shape")
        parts = [b._unpacked() for b in (bit_arrays if first.first == "left" else bit_arrays[::-1])]
        bits = np.concatenate(parts, axis=-1)
        return BitArray(_packed(bits), bits.shape[-1], first.first)

    def __and__(self, other: BitArray) -> BitArray:
        return self._with(other, np.bitwise_and)

    def __or__(self, other: BitArray) -> BitArray:
        return self._with(other, np.bitwise_or)

    def __xor__(self, other: BitArray) -> BitArray:
        return self._with(other, np.bitwise_xor)

    def __invert__(self) -> BitArray:
        return self._like(_packed(1 - self._unpacked()))

    def __getitem__(self, indices: Any) -> BitArray:
        """Some of the experiments, by the axes of `shape`."""
        if isinstance(indices, tuple) and len(indices) > self.ndim and Ellipsis not in indices:
            raise ResultError("An index is of the axes of `shape`. Use slice_shots() for shots, slice_bits() for bits.")
        if not self.ndim and indices not in ((), Ellipsis):
            raise ResultError("These are the bits of one experiment. Use slice_shots() for some of its shots.")
        return self._like(self.array[indices])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BitArray) or (self.num_bits, self.first) != (other.num_bits, other.first):
            return False
        return bool(np.array_equal(self._unpacked(), other._unpacked()))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"BitArray(shape={self.shape}, num_shots={self.num_shots}, num_bits={self.num_bits})"

    # ---------------------------------------------------------------- inside

    def _like(self, array: Array) -> BitArray:
        return BitArray(array, self.num_bits, self.first)

    def _host(self) -> np.ndarray:
        if isinstance(self.array, Tracer):
            raise ResultError("These bits are traced and have no values yet. Use them outside jit, or use `array`.")
        return np.asarray(self.array)

    def _unpacked(self) -> np.ndarray:
        """Bits (shape..., shots, bits), uint8, as the strings read."""
        if not self.num_bits:
            return np.zeros((*self.array.shape[:-1], 0), np.uint8)
        return np.unpackbits(self._host(), axis=-1)[..., -self.num_bits :]

    def _rows(self, loc: Any) -> np.ndarray:
        found = self if loc is None else self[loc]
        return found._host().reshape(found.size * found.num_shots, self.array.shape[-1])

    def _text(self, number: int) -> str:
        return f"{number:0{self.num_bits}b}" if self.num_bits else ""

    def _counts(self, loc: Any, name: Callable[[int], Any]) -> dict[Any, int]:
        rows, mask = self._rows(loc), (1 << self.num_bits) - 1
        if self.num_bits <= 64:  # one word a shot
            wide = np.zeros((len(rows), 8), np.uint8)
            wide[:, 8 - rows.shape[1] :] = rows
            words, counts = np.unique(wide.view(">u8")[:, 0] & np.uint64(mask), return_counts=True)
            return {name(word): count for word, count in zip(words.tolist(), counts.tolist(), strict=True)}
        found: dict[Any, int] = {}
        for row in rows:
            key = name(int.from_bytes(row.tobytes(), "big") & mask)
            found[key] = found.get(key, 0) + 1
        return found

    def _with(self, other: Any, operate: Callable[..., np.ndarray]) -> BitArray:
        if not isinstance(other, BitArray):
            return NotImplemented
        _alike("A bitwise operation", [self, other], "num_bits", "first")
        try:
            return self._like(operate(self._host(), other._host()))
        except ValueError:
            raise ResultError(f"{self!r} and {other!r} do not broadcast.") from None


def _num_bytes(num_bits: int) -> int:
    return -(-num_bits // 8)


def _packed(bits: np.ndarray) -> np.ndarray:
    """Bits (..., bits) as bytes, with zeros in front."""
    spare = -bits.shape[-1] % 8
    if spare:
        bits = np.concatenate([np.zeros((*bits.shape[:-1], spare), bits.dtype), bits], axis=-1)
    return np.packbits(bits, axis=-1)


def _places(what: str, indices: Any, count: int, negative: bool = False) -> list[int]:
    try:
        places = [index(i) for i in indices] if hasattr(indices, "__iter__") else [index(indices)]
    except TypeError:
        raise ResultError(f"The {what}s to take must be ints, but are {indices!r}.") from None
    for i in places:
        if not (-count if negative else 0) <= i < count:
            raise ResultError(f"There is no {what} {i}: there are {count} {what}s, numbered from 0.")
    return places


def _flat(shape: Any) -> list[Any]:
    return [n for part in shape for n in (_flat(part) if hasattr(part, "__iter__") else [part])]


def _alike(what: str, bit_arrays: Sequence[BitArray], *names: str) -> BitArray:
    """The first of some that agree in those attributes."""
    if not bit_arrays:
        raise ResultError(f"{what}: at least one BitArray is needed.")
    for name in names:
        found = [getattr(b, name) for b in bit_arrays]
        if any(value != found[0] for value in found):
            raise ResultError(f"{what}: all must have the same `{name}`, but they have {', '.join(map(str, found))}.")
    return bit_arrays[0]


def _joined(what: str, bit_arrays: Sequence[BitArray], axis: int) -> np.ndarray:
    try:
        return np.concatenate([b._host() for b in bit_arrays], axis=axis)
    except ValueError:
        words = ", ".join(str(b.shape) for b in bit_arrays)
        raise ResultError(f"{what}: shapes {words} do not fit together.") from None
