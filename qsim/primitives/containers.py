"""What comes of PUBs: the result of one, and the results of all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar, overload

from qsim._errors import ResultError
from qsim.primitives.bit_array import BitArray
from qsim.primitives.data_bin import DataBin


class PubResult:
    """What came of one PUB. May be subclassed.

    Args:
        data: its arrays by name.
        metadata: what is known of the run.

    Example:
        >>> import numpy as np
        >>> from qsim.primitives import DataBin, PubResult
        >>> PubResult(DataBin(evs=np.zeros(2), shape=(2,)), {"shots": 10}).data.evs.shape
        (2,)
    """

    def __init__(self, data: DataBin, metadata: Mapping[str, Any] | None = None):
        self.data = data
        self.metadata = dict(metadata or {})

    def __repr__(self) -> str:
        return f"{type(self).__name__}(data={self.data}, metadata={self.metadata})"


class SamplerPubResult(PubResult):
    """What came of a PUB of the `Sampler`: a `BitArray` for each classical register.

    Args:
        data: its arrays by name.
        metadata: what is known of the run.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.primitives import Sampler
        >>> circuit = Circuit(2, num_clbits={"a": 1, "b": 1}).x(1).measure([0, 1], [0, 1])
        >>> Sampler().run([circuit], shots=5).result()[0].join_data().get_counts()
        {'01': 5}
    """

    def join_data(self, names: Iterable[str] | None = None) -> BitArray:
        """The bits of several registers as one.

        Args:
            names: which, in this order; default all. With Qiskit's circuits, as Qiskit does it, the string
                of the last one stands on the left.

        Raises:
            ResultError: a name that is not there, or none.
        """
        chosen = list(self.data) if names is None else list(names)
        unknown = [name for name in chosen if name not in self.data]
        if unknown or not chosen:
            what = f"has no {unknown[0]!r}" if unknown else "must name a register"
            raise ResultError(f"join_data: the data {what}. There are: {', '.join(self.data) or 'none'}.")
        return BitArray.concatenate_bits([self.data[name] for name in chosen])


T = TypeVar("T", bound=PubResult)


class PrimitiveResult(Sequence[T], Generic[T]):
    """The results of all PUBs of a run, in order.

    Args:
        pub_results: the results; or a function of the number of one, to be made when they are asked for.
        metadata: what is known of the run as a whole.
        length: how many there are, where a function makes them.

    Example:
        >>> from qsim.primitives import DataBin, PrimitiveResult, PubResult
        >>> result = PrimitiveResult([PubResult(DataBin())], {"backend": "local"})
        >>> len(result), result.metadata
        (1, {'backend': 'local'})
    """

    def __init__(
        self,
        pub_results: Iterable[T] | Callable[[int], T],
        metadata: Mapping[str, Any] | None = None,
        length: int | None = None,
    ):
        self.metadata = dict(metadata or {})
        self._make: Callable[[int], T] | None = None
        if callable(pub_results):
            self._make, self._made = pub_results, [None] * (length or 0)
        else:
            self._made: list[T | None] = list(pub_results)

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> list[T]: ...

    def __getitem__(self, index: Any) -> Any:
        if type(index) is not int and isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        found = self._made[index]
        if found is None and self._make is not None:
            number = range(len(self._made))[index]
            found = self._made[number] = self._make(number)
        return found

    def __iter__(self) -> Iterator[T]:
        return (self[i] for i in range(len(self._made)))

    def __len__(self) -> int:
        return len(self._made)

    def __repr__(self) -> str:
        shown = ", ".join(repr(self[i]) for i in range(min(len(self), 3)))
        more = f", ... ({len(self)} PUBs)" if len(self) > 3 else ""
        return f"PrimitiveResult([{shown}{more}], metadata={self.metadata})"


__all__ = ["PrimitiveResult", "PubResult", "SamplerPubResult"]
