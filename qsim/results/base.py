"""What a result is: a small record that turns a state into arrays, and arithmetic on records."""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from qsim._checks import check_memory
from qsim._errors import ResultError
from qsim.ir.pauli import PauliSum
from qsim.methods.base import AbstractState

if TYPE_CHECKING:
    from qsim.results.measurement import Setting

Array = Any
MAX_SHOTS = 2**31 - 1
T = TypeVar("T")
RECORDS: dict[type, tuple[str, ...]] = {}
"""The names of the fields of each class that `pytree` registered."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a result may know beyond the state.

    Attributes:
        num_qubits: the qubits of the circuit.
        num_clbits: its classical bits.
        shots: how many measurements, or None where everything is exact.
        measured: (classical bit, qubit) of each terminal measurement in order; None where there is none.
        key: a JAX key, None where nothing is sampled.

    Example:
        >>> Context(num_qubits=2).shots is None
        True
    """

    num_qubits: int
    num_clbits: int = 0
    shots: int | None = None
    measured: tuple[tuple[int, int], ...] | None = None
    key: Array = None


def pytree(*data: str) -> Callable[[type[T]], type[T]]:
    """Class decorator: register a frozen dataclass as a pytree whose fields `data` hold arrays.

    All other fields, and strings in any, are structure and must be hashable. Rebuilding skips
    `__init__`, since JAX puts other things than arrays in the leaves.
    """

    def register(cls: type[T]) -> type[T]:
        names = tuple(f.name for f in fields(cls))  # type: ignore[arg-type]

        def flatten(node: Any) -> tuple[list[Any], tuple[Any, ...]]:
            live = [name for name in data if not isinstance(getattr(node, name), str)]
            keyed = [(jax.tree_util.GetAttrKey(name), getattr(node, name)) for name in live]
            return keyed, (tuple(live), tuple((name, getattr(node, name)) for name in names if name not in live))

        def unflatten(meta: tuple[Any, ...], values: Iterable[Any]) -> Any:
            live, static = meta
            node = object.__new__(cls)
            for name, value in (*static, *zip(live, values, strict=True)):
                object.__setattr__(node, name, value)
            return node

        jax.tree_util.register_pytree_with_keys(cls, flatten, unflatten)
        RECORDS[cls] = names
        return cls

    return register


def is_fixed(value: Any) -> bool:
    """True for records, numbers and arrays none of whose parts can be replaced; JAX values that are traced are none.

    Entries of host arrays may change. Lists, dicts and circuits can change as a whole.
    """
    if type(value) in RECORDS:
        return all(is_fixed(getattr(value, name)) for name in RECORDS[type(value)])
    if isinstance(value, PauliSum):
        value = value.coefficients
    if isinstance(value, tuple):
        return all(map(is_fixed, value))
    concrete = isinstance(value, jax.Array) and not isinstance(value, Tracer)
    return value is None or concrete or isinstance(value, (bool, int, float, complex, str, np.generic, np.ndarray))


class Result(ABC):
    """One pure function of a state, as a frozen record: hashable structure, array leaves.

    Results compose: `Expectation(h) + 2 * Norm()` is a result, and `Map(fn, results)`.

    Attributes:
        needs: what it asks of the run. "pure": amplitudes; "exact": a run without shots;
            "sampling": bit strings are drawn whatever the run's shots; "operator": the
            circuit's matrix. Neither "exact" nor "sampling": exact without shots, an
            estimate with them.
        differentiable: True where a derivative of its value exists.
        degree: what its value is as a polynomial of the state, which the parameter-shift rule
            asks on hardware: 0 is linear in the amplitudes, d >= 1 of degree d in the density
            matrix, None no polynomial.
    """

    needs: frozenset[str]
    differentiable: bool
    degree: int | None = None
    __array_ufunc__ = None  # an array on the left is one operand, not as many as it has entries

    @abstractmethod
    def check(self, context: Context) -> None:
        """Refuse, before tracing, what this circuit cannot answer.

        Raises:
            ResultError: a qubit out of range, shots where there can be none, and the like.
        """

    @abstractmethod
    def evaluate(self, state: AbstractState, context: Context) -> Any:
        """The value: a pytree of arrays. Traces under jit, vmap, and grad where differentiable."""

    def settings(self, context: Context) -> tuple[Setting, ...]:
        """What a device measures for it; `from_bits` makes the value of what it reads.

        Raises:
            ResultError: this result is no matter of measurements.
        """
        raise ResultError(
            f"{type(self).__name__} needs the state itself, and a device can only be measured. Ask for Expectation, "
            "Variance, Probabilities, Samples or Counts, or simulate."
        )

    def from_bits(self, context: Context, samples: Sequence[np.ndarray]) -> Any:
        """The value from what was read: for each of the `settings` bits uint8 (shots, k)."""
        raise NotImplementedError

    @property
    def is_measurable(self) -> bool:
        """True where devices can give it."""
        return type(self).settings is not Result.settings

    def __add__(self, other: Any) -> Arithmetic:
        return Arithmetic("+", self, other)

    def __radd__(self, other: Any) -> Arithmetic:
        return Arithmetic("+", other, self)

    def __sub__(self, other: Any) -> Arithmetic:
        return Arithmetic("-", self, other)

    def __rsub__(self, other: Any) -> Arithmetic:
        return Arithmetic("-", other, self)

    def __mul__(self, other: Any) -> Arithmetic:
        return Arithmetic("*", self, other)

    def __rmul__(self, other: Any) -> Arithmetic:
        return Arithmetic("*", other, self)

    def __truediv__(self, other: Any) -> Arithmetic:
        return Arithmetic("/", self, other)

    def __rtruediv__(self, other: Any) -> Arithmetic:
        return Arithmetic("/", other, self)

    def __pow__(self, other: Any) -> Arithmetic:
        return Arithmetic("**", self, other)

    def __neg__(self) -> Arithmetic:
        return Arithmetic("*", self, -1.0)

    def __eq__(self, other: object) -> bool:
        """Same structure and equal host numbers; JAX arrays are equal to themselves only."""
        if type(self) is not type(other):
            return NotImplemented
        mine, theirs = jax.tree.flatten(self), jax.tree.flatten(other)
        return mine[1] == theirs[1] and all(map(_same, mine[0], theirs[0]))

    def __hash__(self) -> int:
        return hash(jax.tree.structure(self))


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
}


@pytree("left", "right")
@dataclass(frozen=True, eq=False)
class Arithmetic(Result):
    """`left op right`, element by element; made by `+ - * / **` on results.

    Args:
        op: one of + - * / **.
        left, right: results that give one array, or numbers or arrays.

    Raises:
        ResultError: an operand that is neither.
    """

    op: str
    left: Any
    right: Any

    def __post_init__(self) -> None:
        if self.op not in OPERATORS:
            raise ResultError(f"Argument `op` must be one of {' '.join(OPERATORS)}, but is {self.op!r}.")
        for side in (self.left, self.right):
            if not isinstance(side, Result) and not is_numeric(side):
                raise ResultError(
                    f"A result can be combined with results, numbers and arrays, but not with {type(side).__name__}."
                )
        object.__setattr__(self, "left", own_array(self.left))
        object.__setattr__(self, "right", own_array(self.right))

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]
        return frozenset().union(*(r.needs for r in self._results()))

    @property
    def differentiable(self) -> bool:  # type: ignore[override]
        return all(r.differentiable for r in self._results())

    def check(self, context: Context) -> None:
        for result in self._results():
            result.check(context)

    def evaluate(self, state: AbstractState, context: Context) -> Array:
        sides = []
        for place, side in enumerate((self.left, self.right)):
            value = side.evaluate(state, nested(context, place)) if isinstance(side, Result) else side
            if not is_numeric(value):
                raise ResultError(
                    f"Arithmetic needs one array from each result, but {type(side).__name__} gives "
                    f"{type(value).__name__}. Use Map(fn, results)."
                )
            sides.append(value)
        return OPERATORS[self.op](*sides)

    def _results(self) -> list[Result]:
        return [side for side in (self.left, self.right) if isinstance(side, Result)]


def nested(context: Context, place: int) -> Context:
    """The context of the result at `place` within others: the same, with a key of its own."""
    if context.key is None:
        return context
    return Context(
        num_qubits=context.num_qubits,
        num_clbits=context.num_clbits,
        shots=context.shots,
        measured=context.measured,
        key=jax.random.fold_in(context.key, place),
    )


def is_numeric(value: Any) -> bool:
    """True for numbers and for arrays of numbers, host or device."""
    if isinstance(value, (bool, str, bytes)):
        return False
    if isinstance(value, (int, float, complex)):
        return True
    dtype = getattr(value, "dtype", None)
    return dtype is not None and jnp.issubdtype(dtype, jnp.number)


def own_array(value: Any) -> Any:
    """A host array as a read-only copy, so that nobody changes it later; anything else as given."""
    if not isinstance(value, np.ndarray):
        return value
    mine = np.array(value)
    mine.setflags(write=False)
    return mine


def clean_qubits(name: str, qubits: Any) -> tuple[int, ...]:
    """A result's `qubits` as a tuple of different ints of 0 or more.

    Raises:
        ResultError: something else.
    """
    try:
        places = (operator.index(qubits),) if not isinstance(qubits, Sequence | np.ndarray | range) else qubits
        clean = tuple(operator.index(q) for q in places)
    except TypeError:
        raise ResultError(f"{name}: argument `qubits` must be ints, but is {qubits!r}.") from None
    if any(q < 0 for q in clean) or len(set(clean)) != len(clean):
        raise ResultError(f"{name}: argument `qubits` must be different ints of 0 or more, but is {clean}.")
    return clean


def check_qubits(name: str, qubits: Sequence[int] | None, context: Context) -> None:
    """Refuse qubits that the circuit does not have."""
    for q in qubits or ():
        if q >= context.num_qubits:
            raise ResultError(
                f"{name}: qubit {q} is out of range; the circuit has {context.num_qubits} qubits, numbered 0 to "
                f"{context.num_qubits - 1}."
            )


def all_qubits(qubits: Sequence[int] | None, num_qubits: int) -> tuple[int, ...]:
    """`qubits`, or all of them where it is None."""
    return tuple(range(num_qubits) if qubits is None else qubits)


def refuse_shots(name: str, context: Context) -> None:
    """Refuse a run with shots, for results that measurements in one basis cannot give."""
    if context.shots is not None:
        raise ResultError(
            f"{name} is exact and cannot be estimated from shots. Leave out `shots`, or give shots to the sampled "
            f"results alone, as in Samples(shots={context.shots})."
        )


def check_key(name: str, context: Context) -> None:
    """Refuse sampling without a key."""
    if context.key is None:
        raise ResultError(f"{name} draws samples: argument `key` must be a JAX key. Try key=jax.random.key(0).")


def clean_shots(name: str, shots: Any) -> int | None:
    """A number of shots from 1 to `MAX_SHOTS`, or None.

    Raises:
        ResultError: something else.
    """
    return None if shots is None else check_shots(shots, f"{name}: argument")


def check_shots(shots: Any, where: str = "Argument") -> int:
    """A number of shots from 1 to `MAX_SHOTS`; `where` begins the message about something else.

    Raises:
        ResultError: something else.
    """
    try:
        count = operator.index(shots)
    except TypeError:
        count = 0
    if count < 1 or isinstance(shots, bool):
        raise ResultError(f"{where} `shots` must be an int of 1 or more, but is {shots!r}.")
    check_most_shots(count)
    return count


def check_most_shots(shots: int) -> None:
    """Refuse more shots than counts of 32 bits can hold."""
    if shots > MAX_SHOTS:
        raise ResultError(
            f"Argument `shots` must be at most {MAX_SHOTS}, but is {shots}. Try several runs, each with a key of its "
            "own from jax.random.split."
        )


def check_shots_memory(shots: int, num_bits: int) -> None:
    """Refuse bit strings, a byte for each bit, that do not fit into the memory there is."""
    check_memory(f"The bits of {shots} shots, {num_bits} each,", shots * num_bits, fix="Use fewer shots.")


def _same(a: Any, b: Any) -> bool:
    if a is b:
        return True
    hosts = (np.ndarray, np.generic, int, float, complex)
    return isinstance(a, hosts) and isinstance(b, hosts) and np.array_equal(a, b)
