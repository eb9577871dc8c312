"""Qibo's circuits on our simulator: `qibo.set_backend("hardware.bridges.qibo", platform="cpu")`."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from qibo import gates
from qibo.backends import NumpyBackend
from qibo.models import Circuit as QiboCircuit
from qibo.result import CircuitResult, QuantumState

from qsim import Circuit, execute
from qsim.backends import find_backend
from qsim.errors import CircuitError, QsimError
from qsim.ir.controlled import controlled
from qsim.ir.ops.unitary import Unitary
from qsim.ir.table import row_of
from qsim.ir.target_natives import SPELLINGS
from qsim.methods import Statevector

__all__ = ["MetaBackend", "QsimBackend", "circuit_of"]

OTHER_PHASE = frozenset({"u"})
"""Gates that Qibo has with another global phase, which states show."""


class QsimBackend(NumpyBackend):
    """A Qibo backend whose state vectors come from our simulator; all else is that of Qibo's NumPy backend.

    Args:
        platform: where to simulate: "cpu", "gpu", "gpu@1", or None for JAX's default device.

    Raises:
        BackendError: no such simulator, or a device that this machine has not.
    """

    def __init__(self, platform: str | None = None):
        super().__init__()
        self.name = "qsim"
        self.platform = platform or "default"
        self._on = find_backend(platform)

    def execute_circuit(self, circuit: Any, initial_state: Any = None, nshots: int = 1000) -> Any:
        """The final state of a circuit, and samples of what it measures at the end, as Qibo's results.

        Args:
            circuit: a `qibo.Circuit` of gates. initial_state: amplitudes (2^n,), or a circuit. nshots: of samples.

        Raises:
            CircuitError: noise, density matrices, or measurements in the middle.
        """
        if isinstance(initial_state, QiboCircuit):
            return self.execute_circuit(initial_state + circuit, None, nshots)
        if circuit.density_matrix or circuit.has_unitary_channel or circuit.repeated_execution:
            raise CircuitError(
                "The qsim backend of Qibo takes state vectors without noise or collapse. Use Qibo's numpy backend."
            )
        double = np.dtype(self.dtype) == np.complex128
        with jax.enable_x64(double):
            state = execute(
                circuit_of(circuit, self),
                on=self._on,
                method=Statevector(np.complex128 if double else np.complex64),
                initial_state=None if initial_state is None else np.asarray(initial_state),
            )
            amplitudes = self.cast(np.asarray(state), dtype=self.dtype)
        if circuit.measurements:
            result = CircuitResult(amplitudes, circuit.measurements, backend=self, nshots=nshots)
        else:
            result = QuantumState(amplitudes, backend=self)
        circuit._final_state = result  # where Qibo's own backends leave it
        return result


class MetaBackend:
    """What `qibo.set_backend` asks for."""

    @staticmethod
    def load(platform: str | None = None) -> QsimBackend:
        """The backend of a platform; see `QsimBackend`."""
        return QsimBackend(platform)

    def list_available(self) -> dict[str, bool]:
        """The platforms, and whether this machine has each."""
        return {platform: _is_here(platform) for platform in ("cpu", "gpu", "tpu")}


def circuit_of(circuit: Any, backend: Any) -> Circuit:
    """A Qibo circuit as one of ours, without its measurements: gates of the table by name, others as matrices.

    Args:
        circuit: a `qibo.Circuit` of unitary gates. backend: the Qibo backend that knows their matrices.
    """
    made = Circuit(circuit.nqubits)
    for gate in circuit.queue:
        if isinstance(gate, gates.M):
            continue
        name = None if gate.is_controlled_by else _name(gate)
        if name is not None:
            getattr(made, name)(*map(float, gate.parameters), *gate.qubits)
            continue
        operation: Any = Unitary(np.asarray(gate.matrix(backend)))
        if gate.is_controlled_by:
            operation = controlled(operation, len(gate.control_qubits))
        made.append(operation, gate.qubits)
    return made


def _name(gate: Any) -> str | None:
    """What our table calls a gate; None where it has none of that spelling and number of parameters."""
    try:
        label = gate.qasm_label
    except NotImplementedError:
        return None
    name = SPELLINGS.get(label if isinstance(label, str) else label[0])
    if name is None or name in OTHER_PHASE or len(row_of(name).params) != len(gate.parameters):
        return None
    return name


def _is_here(platform: str) -> bool:
    try:
        find_backend(platform)
    except QsimError:
        return False
    return True
