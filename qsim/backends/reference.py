"""The reference backend: one loop over the operations, one `tensordot` each, on any array-API namespace.

It shares no code with the engine and is the oracle of the tests: slow, and hard to get wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import numpy as np

from qsim._checks import check_memory
from qsim._compile import measured_qubits
from qsim._errors import CircuitError, MethodError
from qsim._typing import Array, PyTree
from qsim.backends.base import DoneJob, Job, Request
from qsim.backends.evaluate import evaluate_array
from qsim.backends.host import HostBackend
from qsim.backends.hostdata import complex_dtype
from qsim.backends.logical import basis_amplitudes, logical
from qsim.ir.circuit import Circuit
from qsim.ir.interface import checked_definition
from qsim.ir.operation import Barrier, Measure
from qsim.ir.target import Target
from qsim.methods import Method
from qsim.methods.statevector import check_operations
from qsim.results.base import Context
from qsim.results.program import circuits, needs, with_states

MAX_MATRIX_QUBITS = 8


@dataclass(frozen=True)
class Reference(HostBackend):
    """Simulate on the host, gate by gate, in double precision.

    Args:
        xp: an array-API namespace, such as `numpy` or `array_api_strict`.

    Example:
        >>> import numpy
        >>> from qsim import Circuit, execute
        >>> from qsim.backends import Reference
        >>> execute(Circuit(1).x(0), on=Reference(xp=numpy)).real.tolist()
        [0.0, 1.0]
    """

    xp: Any = np

    name: ClassVar[str] = "numpy"
    target: ClassVar[Target] = Target.ideal()
    transpiler: ClassVar[None] = None

    def supports(self, result: Any) -> bool:
        return True

    def submit_many(self, requests: Sequence[Request]) -> Job:
        return DoneJob([self._one(request) for request in requests], {"method": "reference", "dtype": "complex128"})

    def amplitudes(self, circuit: Circuit, initial_state: Any = None) -> Array:
        """The final amplitudes (2^n,) of a circuit without parameters, as an array of `xp`."""
        n, xp = circuit.num_qubits, self.xp
        check_memory(f"The state of {n} qubits in complex128", 16 << n, fix="Use fewer qubits.")
        if initial_state is None or isinstance(initial_state, str):
            initial_state = basis_amplitudes(initial_state or "0" * n)
        start = xp.asarray(np.asarray(initial_state, np.complex128).reshape((2,) * n))
        return xp.reshape(run(circuit, start, xp), (-1,))

    def operator(self, circuit: Circuit) -> Array:
        """The matrix (2^n, 2^n) of a circuit without parameters, as an array of `xp`."""
        n, xp = circuit.num_qubits, self.xp
        check_memory(f"The matrix of {n} qubits in complex128", 16 << 2 * n, fix="Use fewer qubits.")
        start = xp.asarray(np.eye(1 << n, dtype=np.complex128).reshape((*(2,) * n, 1 << n)))
        return xp.reshape(run(circuit, start, xp), (1 << n, 1 << n))

    def _one(self, request: Request) -> list[PyTree]:
        if request.method is not None and not isinstance(request.method, Method):
            raise MethodError(f"Argument `method` must be a method such as Statevector(), but is {request.method!r}.")
        small = logical(request.circuit)
        check_operations(small.circuit, f"backend `{self.name}`")
        dtype = complex_dtype(request.method)
        others = [np.asarray(self.amplitudes(c)).astype(dtype) for c in circuits(request.results)]
        results = small.results(with_states(request.results, others))
        context = Context(
            num_qubits=small.circuit.num_qubits,
            num_clbits=small.circuit.num_clbits,
            shots=request.shots,
            measured=measured_qubits(small.circuit),
            key=request.key,
        )
        if "operator" in needs(results):
            matrix = np.asarray(self.operator(small.circuit))
            return evaluate_array(results, matrix.astype(dtype), context)
        start = request.initial_state
        if isinstance(start, str):
            start = small.embed_bits(start)
        elif start is not None:
            start = small.embed(np.asarray(start, np.complex128))
        psi = np.asarray(self.amplitudes(small.circuit, start))
        return evaluate_array(results, psi.astype(dtype), context)


def run(circuit: Circuit, state: Array, xp: Any) -> Array:
    """Apply a circuit to `state`, whose first n axes are the qubits (2, ..., 2, rest...)."""
    for instruction in circuit.instructions:
        operation, qubits = instruction.operation, instruction.qubits
        if isinstance(operation, (Barrier, Measure)):
            continue
        has_definition = hasattr(operation, "definition")
        if hasattr(operation, "matrix") and (len(qubits) <= MAX_MATRIX_QUBITS or not has_definition):
            state = apply(xp, _matrix(operation, xp), state, qubits)
        elif has_definition:
            placed = Circuit(circuit.num_qubits).extend(checked_definition(operation), qubits)
            state = run(placed, state, xp)
        else:
            raise CircuitError(
                f"{operation.name} on qubits {qubits} has neither matrix(xp) nor definition(), so it cannot be run."
            )
    return state


def apply(xp: Any, matrix: Array, state: Array, qubits: Sequence[int]) -> Array:
    """`matrix` (2^k, 2^k) on the axes `qubits` of `state`; the first qubit is its most significant."""
    k = len(qubits)
    tensor = xp.reshape(matrix, (2,) * (2 * k))
    moved = xp.tensordot(tensor, state, axes=(tuple(range(k, 2 * k)), tuple(qubits)))
    rest = [axis for axis in range(state.ndim) if axis not in qubits]
    order = [*qubits, *rest]
    return xp.permute_dims(moved, tuple(order.index(axis) for axis in range(state.ndim)))


def results_of_amplitudes(request: Request, amplitudes: Any) -> list[PyTree]:
    """The values of a plain request's results, from the final amplitudes of its circuit.

    For backends that simulate: takes the state of all qubits of the transpiled circuit and
    reports the logical ones, as its layout says.

    Args:
        request: one that `HostBackend.submit_many` was given.
        amplitudes: (2^n,), n being the number of qubits of `request.circuit`.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.backends import Request, results_of_amplitudes
        >>> from qsim.results import Probabilities
        >>> [values] = results_of_amplitudes(Request(Circuit(1), results=[Probabilities()]), [0, 1])
        >>> values.tolist()
        [0.0, 1.0]
    """
    circuit = request.circuit
    n, final = circuit.num_qubits, circuit.layout.final
    axes = (*final, *(q for q in range(n) if q not in final))
    psi = np.asarray(amplitudes, complex).reshape((2,) * n).transpose(axes).reshape(1 << len(final), -1)[:, 0]
    place = {q: i for i, q in enumerate(final)}
    measured = measured_qubits(circuit)
    context = Context(
        num_qubits=len(final),
        num_clbits=circuit.num_clbits,
        shots=request.shots,
        measured=None if measured is None else tuple((bit, place[q]) for bit, q in measured),
        key=request.key,
    )
    return evaluate_array(request.results, psi.astype(complex_dtype(request.method)), context)


def _matrix(operation: Any, xp: Any) -> Array:
    matrix = operation.matrix(xp)
    if isinstance(matrix, (np.ndarray, jax.Array)):
        return xp.asarray(np.asarray(matrix, np.complex128))
    return xp.astype(matrix, xp.complex128)
