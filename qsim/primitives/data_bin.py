"""The data of one PUB, by name."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, KeysView, ValuesView
from typing import Any

from qsim._errors import ResultError
from qsim.primitives.shaped import Shaped, clean_shape

RESERVED = frozenset({"keys", "values", "items", "shape", "ndim", "size"})
"""Names that say something about the bin, and can be those of no data."""


class DataBin(Shaped):
    """Arrays by name, as attributes and as keys, that all begin with the axes of one PUB.

    Args:
        shape: those axes.
        data: the arrays by name.

    Raises:
        ResultError: a name that the bin has itself, or an array that does not begin with `shape`.

    Example:
        >>> import numpy as np
        >>> from qsim.primitives import DataBin
        >>> data = DataBin(evs=np.zeros((2, 3)), shape=(2, 3))
        >>> data.evs is data["evs"], list(data), data.shape
        (True, ['evs'], (2, 3))
    """

    __slots__ = ("_data", "shape")
    _data: dict[str, Any]

    def __init__(self, *, shape: Any = (), **data: Any):
        axes = clean_shape("DataBin", shape)
        for name, value in data.items():
            check_field(name)
            found = tuple(getattr(value, "shape", axes))
            if found[: len(axes)] != axes:
                raise ResultError(
                    f"DataBin: every array must begin with the axes {axes}, but {name!r} has shape {found}."
                )
        object.__setattr__(self, "_data", data)
        object.__setattr__(self, "shape", axes)

    @classmethod
    def of(cls, shape: tuple[int, ...], data: dict[str, Any]) -> DataBin:
        """One of parts known to be clean."""
        new = object.__new__(cls)
        object.__setattr__(new, "_data", data)
        object.__setattr__(new, "shape", shape)
        return new

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._data.keys()

    def values(self) -> ValuesView[Any]:
        """The arrays."""
        return self._data.values()

    def items(self) -> ItemsView[str, Any]:
        """Names and arrays."""
        return self._data.items()

    def __getitem__(self, name: str) -> Any:
        try:
            return self._data[name]
        except KeyError:
            raise KeyError(f"No data of the name {name!r}. There are: {', '.join(self._data) or 'none'}.") from None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self._data:
            raise AttributeError(f"No data of the name {name!r}. There are: {', '.join(self._data) or 'none'}.")
        return self._data[name]

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"A DataBin is immutable, so `{name}` cannot be set.")

    def __contains__(self, name: object) -> bool:
        return name in self._data

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)

    def __dir__(self) -> Iterable[str]:
        return [*object.__dir__(self), *self._data]

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).of, (self.shape, self._data)

    def __repr__(self) -> str:
        words = [f"{name}={_words(value)}" for name, value in self.items()]
        if self.shape:
            words.append(f"shape={self.shape}")
        return f"{type(self).__name__}({', '.join(words)})"


def make_data_bin(fields: Iterable[tuple[str, type]], shape: Any = None) -> type[DataBin]:
    """A kind of `DataBin` that has certain fields.

    Args:
        fields: (name, type) of each; the types are for the reader.
        shape: the shape of its bins, where all have one.

    Raises:
        ResultError: when a bin is made with other fields.

    Example:
        >>> import numpy as np
        >>> from qsim.primitives import make_data_bin
        >>> Energies = make_data_bin([("evs", np.ndarray)], shape=(2,))
        >>> Energies(evs=np.zeros(2))
        DataBin(evs=array(2,), shape=(2,))
    """
    names = tuple(name for name, _ in fields)
    fixed = shape

    class Made(DataBin):
        __slots__ = ()

        def __init__(self, *, shape: Any = None, **data: Any):
            if set(data) != set(names):
                raise ResultError(f"This DataBin must have the fields {names}, but was given {tuple(data)}.")
            super().__init__(shape=(fixed if shape is None else shape) or (), **data)

    Made.__name__ = Made.__qualname__ = "DataBin"
    return Made


def check_field(name: str) -> None:
    """Refuse names that the bin has itself.

    Raises:
        ResultError: it is one of those.
    """
    if name in RESERVED or name.startswith("_"):
        raise ResultError(f"The name {name!r} of data or of a register is taken by DataBin itself. Rename it.")


def _words(value: Any) -> str:
    return f"array{tuple(value.shape)}" if hasattr(value, "dtype") and hasattr(value, "shape") else repr(value)
