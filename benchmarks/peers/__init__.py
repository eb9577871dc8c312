"""Who is measured. A peer's module is imported only in its own process; here are only names.

A peer's module has

- `TASKS`: task -> a function (workload) -> `Runner`; what is not in it the peer cannot do,
- `use_cache(folder)`, where it keeps compiled programs: called in a fresh process, before anything runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata


@dataclass(frozen=True, slots=True)
class Peer:
    """One simulator.

    Attributes:
        name: on the command line. module: its file here.
        packages: the distributions whose versions are recorded; it is missing where the first is.
        precision: of the amplitudes. idiom: how it is used, in a few words.
        on_gpu: whether `--device gpu` means anything to it.
    """

    name: str
    module: str
    packages: tuple[str, ...]
    precision: str
    idiom: str
    on_gpu: bool = False

    def versions(self) -> dict[str, str] | None:
        """Distribution -> version; None where it is not installed."""
        try:
            return {package: metadata.version(package) for package in self.packages}
        except metadata.PackageNotFoundError:
            return None


_ALL = (
    Peer("qsim", "qsim", ("qsim-jax", "jax", "jaxlib"), "single", "jax.jit(jax.value_and_grad(execute))", True),
    Peer(
        "tensorcircuit",
        "tensorcircuit",
        ("tensorcircuit-ng", "jax", "jaxlib"),
        "single",
        "JAX backend, jitted value_and_grad, scan over layers, PauliStringSum2MVP",
        True,
    ),
    Peer("pennylane", "pennylane", ("pennylane", "jax", "jaxlib"), "single", "default.qubit, jax.jit, backprop", True),
    Peer("lightning", "lightning", ("pennylane-lightning", "pennylane"), "single", "lightning.qubit, adjoint"),
    Peer("qulacs", "qulacs", ("qulacs",), "double", "backprop; constant ends optimised to 4-qubit gates"),
    Peer("aer", "aer", ("qiskit-aer", "qiskit"), "single", "statevector, fusion on, parameter_binds"),
    Peer("qsimcirq", "qsimcirq", ("qsimcirq", "cirq-core"), "single", "fused to 3 qubits below n = 22, else 4"),
    Peer("qibojit", "qibojit", ("qibojit", "qibo", "numba"), "single", "numba, set_parameters; constant ends fused"),
)

PEERS = {peer.name: peer for peer in _ALL}
