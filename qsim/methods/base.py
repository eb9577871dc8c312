"""What a simulation method is, and the state that results see.

Results speak to `AbstractState` only. It need not be pure: a result that wants
amplitudes says so in `Result.needs`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from qsim.ir.circuit import Circuit

Array = Any


class Method(ABC):
    """How a circuit is simulated: a frozen record with the flags that results and gradient rules ask for.

    Attributes:
        reversible: the state can be uncomputed, which the adjoint gradient needs.
        exact: expectation values and the like come without sampling noise.
        samples: bit strings can be drawn.
    """

    reversible: ClassVar[bool]
    exact: ClassVar[bool]
    samples: ClassVar[bool]

    @property
    @abstractmethod
    def max_qubits(self) -> int | None:
        """The most qubits it can hold in the memory there is; None where that is not known."""

    def columns(self, num_qubits: int) -> int:
        """How many vectors of 2^n amplitudes one run evolves: 1, but of a matrix all of its columns."""
        return 1

    @abstractmethod
    def check(self, circuit: Circuit) -> None:
        """Refuse a circuit that it cannot run, before tracing.

        Raises:
            MethodError: an operation that this method cannot run.
            MemoryLimitError: a state larger than the memory there is.
        """


class Observable(ABC):
    """A Hermitian operator H as states see it: by what it does to amplitudes (2^n,).

    A state that is not pure applies it column by column. `PauliSum` and the classes of
    `qsim.results.observable` are lowered to this.
    """

    @abstractmethod
    def apply(self, psi: Array, num_qubits: int) -> Array:
        """H psi: (2^n,) -> (2^n,)."""

    @abstractmethod
    def mean(self, psi: Array, num_qubits: int) -> Array:
        """<psi|H|psi>, a real scalar."""


class AbstractState(ABC):
    """What results see of the state after a circuit: pure functions of device arrays.

    Qubits are numbered as in the circuit; qubit 0 is the most significant bit of an index.
    """

    @property
    @abstractmethod
    def num_qubits(self) -> int:
        """How many qubits."""

    @property
    @abstractmethod
    def is_pure(self) -> bool:
        """True where `amplitudes()` exist, and entropies of complements are equal."""

    @abstractmethod
    def amplitudes(self) -> Array:
        """The amplitudes, complex (2^n,); only where `is_pure`."""

    @abstractmethod
    def norm_squared(self) -> Array:
        """<psi|psi>, or the trace of the density matrix: a real scalar."""

    @abstractmethod
    def probabilities(self, qubits: Sequence[int]) -> Array:
        """Weights (2^k,) of the bit strings of `qubits` in the order given, not normalised."""

    @abstractmethod
    def reduced(self, qubits: Sequence[int]) -> Array:
        """The reduced density matrix (2^k, 2^k) of `qubits` in the order given."""

    @abstractmethod
    def expect(self, observable: Observable) -> Array:
        """<H>, a real scalar."""

    @abstractmethod
    def variance(self, observable: Observable) -> Array:
        """<(H - <H>)^2>, a real scalar; <H^2> - <H>^2 for a state of norm 1."""

    @abstractmethod
    def rotate(self, bases: Array) -> AbstractState:
        """The state turned so that measuring Z on each qubit measures `bases` (n,): 0 = Z, 1 = X, 2 = Y; data."""

    @abstractmethod
    def sample(self, key: Array, shots: int, qubits: Sequence[int]) -> Array:
        """Bits (shots, k) as uint8, columns in the order of `qubits`, from the normalised weights."""

    @abstractmethod
    def operator(self) -> Array:
        """The unitary (2^n, 2^n) of the circuit; only where the method computes it."""
