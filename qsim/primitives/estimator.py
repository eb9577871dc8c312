"""Expectation values of observables after circuits: the `Estimator`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from qsim._errors import QsimError, ResultError
from qsim._execute import submit
from qsim._typing import Key
from qsim.backends.base import Backend, Job, Transpiler
from qsim.backends.host import HostBackend
from qsim.backends.registry import find_backend
from qsim.gradients import GradientRule
from qsim.methods import Method
from qsim.primitives.containers import PrimitiveResult, PubResult
from qsim.primitives.data_bin import DataBin
from qsim.primitives.groups import Group, coerced, fetched, grouped, of_pub
from qsim.primitives.job import PrimitiveJob
from qsim.primitives.keys import key_of_run, key_of_seed, keys_of_groups
from qsim.primitives.pieces import Piece, pieces_of, together
from qsim.primitives.pub import EstimatorPub, check_precision, shots_for
from qsim.primitives.sums import Sums
from qsim.results import State

DEVICE_PRECISION = 1 / 64
"""Where the backend can only be measured: 4096 shots a setting."""


@dataclass(frozen=True, eq=False)
class Estimator:
    """Estimate <psi(theta)|H|psi(theta)> for arrays of parameters theta and observables H.

    PUBs of one circuit structure are one compiled program, in which the state of each set of values is
    simulated once for all observables; a device measures each for the observables that are asked of it.
    With precision 0 the values are exact and their errors 0. With
    precision p every setting of measurement bases is measured 1/p^2 times, as Qiskit does it, which gives
    an observable c_1 P_1 + c_2 P_2 + ... an error of p * |c| or less; `stds` is the standard error of each
    value as the measurements show it. Values found from the same measurements have correlated errors.

    Args:
        key: a JAX key; with the same one the same PUBs give the same values. None draws one from the
            operating system, and the result's metadata keep it.
        on: what runs the circuits, as in `execute(on=...)`.
        transpiler, method, gradient: as in `execute`.
        default_precision: for PUBs and runs that give none; None is 0, or 1/64 on devices that can only be measured.
        seed: an int in the place of a key.

    Raises:
        ResultError: a precision or seed that cannot be.

    Example:
        >>> import jax
        >>> from qsim import Circuit, Parameter, X, Z
        >>> from qsim.primitives import Estimator
        >>> circuit = Circuit(1).ry(Parameter("t"), 0)
        >>> data = Estimator().run([(circuit, [[X(0)], [Z(0)]], [0.0, 0.5])]).result()[0].data
        >>> [[f"{value:.4f}" for value in row] for row in data.evs]
        [['0.0000', '0.4794'], ['1.0000', '0.8776']]
        >>> energy = lambda t: Estimator().run([(circuit, "Z", t)]).result()[0].data.evs
        >>> print(f"{jax.grad(energy)(0.5):.4f}")
        -0.4794
    """

    key: Key = None
    on: Backend | str | None = None
    transpiler: Transpiler | str | None = None
    method: Method | None = None
    gradient: GradientRule | None = None
    default_precision: float | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        if self.default_precision is not None:
            object.__setattr__(self, "default_precision", check_precision(self.default_precision))
        object.__setattr__(self, "key", key_of_seed(self.key, self.seed))

    def run(self, pubs: Iterable[Any], *, precision: float | None = None) -> PrimitiveJob[PrimitiveResult[PubResult]]:
        """Run PUBs `(circuit, observables, parameter_values, precision)`, the last two as needed.

        Args:
            pubs: `EstimatorPub`s, or what makes them.
            precision: for PUBs that do not give one.

        Returns:
            A job, whose result has for each PUB `data.evs` and `data.stds` of its shape: NumPy arrays, or
            JAX arrays where JAX traces.

        Raises:
            QsimError: what is wrong with a PUB, naming its number.
        """
        backend = find_backend(self.on)
        is_exact = backend.supports(State())
        if precision is not None:
            precision = check_precision(precision)
        default = self.default_precision if precision is None else precision
        if default is None:
            default = 0.0 if is_exact else DEVICE_PRECISION
        made = coerced(pubs, lambda pub: EstimatorPub.coerce(pub, default))
        shots = {p: shots_for(p) for p in {pub.precision for pub in made}}  # pyright: ignore[reportArgumentType]
        if not is_exact and None in shots.values():
            number = next(i for i, pub in enumerate(made) if shots[pub.precision] is None)
            raise ResultError(
                f"PUB {number}: argument `precision` must be more than 0 on backend `{backend.name}`, which measures. "
                f"Try precision={DEVICE_PRECISION}."
            )
        pieces = [Piece(number, pub) for number, pub in enumerate(made)]
        if isinstance(backend, HostBackend):
            split = [pieces_of(piece.number, piece.pub) if shots[piece.pub.precision] else [piece] for piece in pieces]
            pieces = [piece for each in split for piece in each]
        groups = grouped([p.pub for p in pieces], lambda pub: _settings(pub, shots), [p.number for p in pieces])
        key = None
        if any(count is not None for count in shots.values()):
            arrays = [[pub.parameter_values.data, [s.coefficients for s in pub.sums]] for pub in made]
            key = key_of_run(self.key, "Estimator", [arrays, [group.circuit.values() for group in groups]])
        parts: list[_Part] = []
        jobs: list[Job] = []
        for group, own in zip(groups, keys_of_groups(key, len(groups)), strict=True):
            try:
                part, job = self._submit(group, shots[group.pubs[0].precision], own, backend)
            except QsimError as error:
                raise of_pub(group.numbers[0], error) from None
            parts.append(part)
            jobs += [] if job is None else [job]
        metadata = {"version": 2, "backend": backend.name, "key": key}

        def finish(values: list[Any]) -> PrimitiveResult[PubResult]:
            return _results(made, pieces, parts, values, shots, metadata)

        return PrimitiveJob(jobs, finish, metadata)

    def _submit(
        self, group: Group[EstimatorPub], shots: int | None, key: Key, backend: Backend
    ) -> tuple[_Part, Job | None]:
        circuit, params, sizes = group.bind(shots is not None)
        sums = Sums.of(group.pubs, sizes, shots is not None, bool(params) or sum(sizes) == 1)
        part = _Part(group.places, sums)
        if not sums.strings:
            return part, None
        job = submit(
            circuit,
            sums.result,
            params,
            on=backend,
            transpiler=self.transpiler,
            method=self.method,
            gradient=self.gradient,
            shots=shots,
            key=key,
        )
        return part, job


@dataclass(frozen=True, eq=False, slots=True)
class _Part:
    """Pieces that were one program, and how their entries come of what it gives."""

    places: list[int]
    sums: Sums


def _settings(pub: EstimatorPub, shots: dict[Any, int | None]) -> Any:
    """What PUBs that run together have in common: shots, and what is measured where something is."""
    count = shots[pub.precision]
    if count is None:
        return None
    if len(pub.sums) == 1:
        return count, pub.sums[0].strings
    return count, frozenset(string for found in pub.sums for string in found.strings)


def _results(
    pubs: list[EstimatorPub],
    pieces: list[Piece],
    parts: list[_Part],
    values: list[Any],
    shots: dict[Any, int | None],
    metadata: dict[str, Any],
) -> PrimitiveResult[PubResult]:
    rest = iter(values)
    found: list[list[Any]] = [[] for _ in pubs]
    for part in parts:
        evs, stds = part.sums.entries(fetched(next(rest))) if part.sums.strings else part.sums.nothing()
        start = 0
        for place in part.places:
            piece = pieces[place]
            stop = start + piece.pub.size
            found[piece.number].append((piece, evs, stds, start, stop))
            start = stop

    def make(number: int) -> PubResult:
        pub = pubs[number]
        shape, mine = pub.shape, found[number]
        if len(mine) == 1:
            _, evs, stds, start, stop = mine[0]
            data = {"evs": evs[start:stop].reshape(shape), "stds": stds[start:stop].reshape(shape)}
        else:
            data = {
                name: together([(part[0], part[at][part[3] : part[4]]) for part in mine]).reshape(shape)
                for at, name in ((1, "evs"), (2, "stds"))
            }
        about = {
            "target_precision": pub.precision,
            "shots": shots[pub.precision],
            "circuit_metadata": pub.signature.metadata,
        }
        return PubResult(DataBin.of(shape, data), about)

    return PrimitiveResult(make, metadata, len(pubs))
