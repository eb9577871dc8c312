"""Measured bits of circuits: the `Sampler`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from qsim._errors import QsimError
from qsim._execute import submit
from qsim._typing import Key
from qsim.backends.base import Backend, Job, Transpiler
from qsim.backends.registry import find_backend
from qsim.methods import Method
from qsim.primitives.bit_array import BitArray
from qsim.primitives.containers import PrimitiveResult, SamplerPubResult
from qsim.primitives.data_bin import DataBin
from qsim.primitives.groups import Group, coerced, fetched, grouped, of_pub
from qsim.primitives.job import PrimitiveJob
from qsim.primitives.keys import key_of_run, key_of_seed, keys_of_groups
from qsim.primitives.packed import Packed
from qsim.primitives.pub import SamplerPub
from qsim.results.base import check_shots


@dataclass(frozen=True, eq=False)
class Sampler:
    """Measure circuits for arrays of parameter values, register by register.

    PUBs of one circuit structure and number of shots are one compiled program.

    Args:
        key: a JAX key; with the same one the same PUBs give the same bits. None draws one from the
            operating system, and the result's metadata keep it.
        on: what runs the circuits, as in `execute(on=...)`.
        transpiler, method: as in `execute`.
        default_shots: for PUBs and runs that give none.
        seed: an int in the place of a key.

    Raises:
        ResultError: shots or a seed that cannot be.

    Example:
        >>> import jax, numpy as np
        >>> from qsim import Circuit, Parameter
        >>> from qsim.primitives import Sampler
        >>> circuit = Circuit(2).rx(Parameter("t"), 0).measure_all()
        >>> result = Sampler(key=jax.random.key(0)).run([(circuit, [0.0, np.pi])], shots=100).result()
        >>> result[0].data.meas.get_counts(0), result[0].data.meas.get_counts(1)
        ({'00': 100}, {'10': 100})
    """

    key: Key = None
    on: Backend | str | None = None
    transpiler: Transpiler | str | None = None
    method: Method | None = None
    default_shots: int = 1024
    seed: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "default_shots", check_shots(self.default_shots))
        object.__setattr__(self, "key", key_of_seed(self.key, self.seed))

    def run(self, pubs: Iterable[Any], *, shots: int | None = None) -> PrimitiveJob[PrimitiveResult[SamplerPubResult]]:
        """Run PUBs `(circuit, parameter_values, shots)`, the last two as needed, or circuits alone.

        Args:
            pubs: `SamplerPub`s, or what makes them.
            shots: for PUBs that do not say how many.

        Returns:
            A job, whose result has for each PUB and classical register a `BitArray`, such as `data.meas`.

        Raises:
            QsimError: what is wrong with a PUB, naming its number.
        """
        default = self.default_shots if shots is None else check_shots(shots)
        made = coerced(pubs, lambda pub: SamplerPub.coerce(pub, default))
        groups = grouped(made, lambda pub: (pub.shots, pub.signature.registers, pub.signature.first))
        backend = find_backend(self.on)
        arrays = [[pub.parameter_values.data for pub in made], [group.circuit.values() for group in groups]]
        key: Any = key_of_run(self.key, "Sampler", arrays)
        jobs: list[Job] = []
        for group, own in zip(groups, keys_of_groups(key, len(groups)), strict=True):
            try:
                jobs.append(self._submit(group, own, backend))
            except QsimError as error:
                raise of_pub(group.numbers[0], error) from None
        metadata = {"version": 2, "backend": backend.name, "key": key}

        def finish(values: list[Any]) -> PrimitiveResult[SamplerPubResult]:
            return _results(made, groups, values, metadata)

        return PrimitiveJob(jobs, finish, metadata)

    def _submit(self, group: Group[SamplerPub], key: Key, backend: Backend) -> Job:
        circuit, params, _ = group.bind(True)
        return submit(
            circuit,
            _packed(group.pubs[0]),
            params,
            on=backend,
            transpiler=self.transpiler,
            method=self.method,
            shots=group.pubs[0].shots,
            key=key,
        )


def _packed(pub: SamplerPub) -> Packed:
    """The bits of each register as its strings show them."""
    left = pub.signature.first == "left"
    return Packed(tuple(bits if left else bits[::-1] for _, bits in pub.signature.registers))


def _results(
    pubs: list[SamplerPub], groups: list[Group[SamplerPub]], values: list[Any], metadata: dict[str, Any]
) -> PrimitiveResult[SamplerPubResult]:
    places: list[Any] = [None] * len(pubs)
    for group, value in zip(groups, values, strict=True):
        array, start = fetched(value), 0
        array = array.reshape(-1, *array.shape[-2:])
        signature, bounds = group.pubs[0].signature, _packed(group.pubs[0]).bounds
        registers = [
            (name, array[..., first:last], len(bits))
            for (name, bits), (first, last) in zip(signature.registers, bounds, strict=True)
        ]
        for number in group.places:
            stop = start + pubs[number].size
            places[number] = registers, start, stop
            start = stop

    def make(number: int) -> SamplerPubResult:
        pub = pubs[number]
        registers, start, stop = places[number]
        data = {
            name: BitArray.of(array[start:stop].reshape(*pub.shape, *array.shape[-2:]), num_bits, pub.signature.first)
            for name, array, num_bits in registers
        }
        about = {"shots": pub.shots, "circuit_metadata": pub.signature.metadata}
        return SamplerPubResult(DataBin.of(pub.shape, data), about)

    return PrimitiveResult(make, metadata, len(pubs))
