"""The local simulator: the compiled JAX programs of `qsim._compile`, on a device of this machine."""

from __future__ import annotations

import math
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import jax

from qsim import _compile
from qsim._checks import check_memory
from qsim._errors import MethodError, ResultError
from qsim.backends.atoms import atoms_of
from qsim.backends.base import Backend, DoneJob, Job, Request
from qsim.backends.hostdata import batch_shape
from qsim.backends.logical import Logical, logical
from qsim.backends.placement import find_device, is_staged, pin
from qsim.gradients import Adjoint, Backprop, GradientRule, ParameterShift
from qsim.gradients.parameter_shift import with_spectra
from qsim.ir.target import Target
from qsim.methods import Auto, Method, Statevector, Unitary
from qsim.methods.statevector import check_operations, device_memory
from qsim.results.program import circuits, needs


@dataclass(frozen=True)
class Choice:
    """How a request is simulated.

    Attributes:
        small: the circuit simulated.
        method: `Statevector` or `Unitary`, and why.
        gradient: the gradient rule, and why.
    """

    small: Logical
    method: Method
    gradient: GradientRule
    why_method: str
    why_gradient: str


@dataclass(frozen=True)
class LocalBackend(Backend):
    """Simulate with JAX: any number of qubits, every gate native, values traced or not.

    Args:
        platform: "cpu", "gpu" or "tpu"; None is JAX's default device.
        index: which of its devices.

    Raises:
        BackendError: when run, that JAX has no such device, or that a caller's jit runs elsewhere.

    Example:
        >>> from qsim import Circuit, execute
        >>> from qsim.backends import LocalBackend
        >>> execute(Circuit(1).x(0), on=LocalBackend("cpu")).real.tolist()
        [0.0, 1.0]
    """

    platform: str | None = None
    index: int = 0

    name: ClassVar[str] = "local"
    target: ClassVar[Target] = Target.ideal()
    transpiler: ClassVar[None] = None

    def supports(self, result: Any) -> bool:
        return True

    def run(self, request: Request) -> Job:
        if self.platform is None:
            choice = choose(request)
            return DoneJob(_compiled(choice, request), _metadata(self, choice, request))
        device = find_device(self.platform, self.index)
        staged = is_staged()
        with nullcontext() if staged else jax.default_device(device):
            if not staged:
                request = _moved(request, device)
            choice = choose(request)
            values = _compiled(choice, request)
        return DoneJob(pin(values, self.platform) if staged else values, _metadata(self, choice, request))


def choose(request: Request) -> Choice:
    """The method and the gradient rule for a request, and the circuit to be simulated.

    Raises:
        MethodError: a method or rule that cannot do what is asked.
        ResultError: a result that the method cannot give.
        MemoryLimitError: a state that is larger than the memory there is.
    """
    small = logical(request.circuit)
    wanted = needs(request.results)
    method = Auto() if request.method is None else request.method
    why = "asked for"
    if isinstance(method, Auto):
        method, why = method.select(small.circuit, wanted)
    if not isinstance(method, Method):
        raise MethodError(f"Argument `method` must be a method such as Statevector(), but is {method!r}.")
    for result in atoms_of(request.results):
        if ("operator" in result.needs) != isinstance(method, Unitary):
            name, other = type(result).__name__, Statevector if isinstance(method, Unitary) else Unitary
            raise ResultError(f"Method {type(method).__name__} cannot give {name}. Try method={other.__name__}().")
    if isinstance(method, Unitary) and request.initial_state is not None:
        raise MethodError(
            "Argument `initial_state` has no meaning for Operator(), the matrix of the circuit. Leave it out, or ask "
            "for State()."
        )
    method.check(small.circuit)
    for other in circuits(request.results):
        check_operations(other, "Overlap")
    _check_batch_memory(request, small.circuit.num_qubits, method)
    rule, why_rule = request.gradient, "asked for"
    if rule is None and request.shots is not None:
        rule, why_rule = ParameterShift(), "with shots the values are estimates, which only reruns can differentiate"
    elif rule is None:
        rule, why_rule = Adjoint(), "the circuit is unitary and the state exact"
    if not isinstance(rule, GradientRule):
        raise MethodError(f"Argument `gradient` must be a gradient rule such as Adjoint(), but is {rule!r}.")
    if isinstance(rule, ParameterShift):
        small = replace(small, circuit=with_spectra(small.circuit))
    lacking = sorted(flag for flag in rule.needs if not getattr(method, flag))
    if lacking or (request.shots is not None and "exact" in rule.needs):
        reason = "estimates from shots" if not lacking else f"a method that is {' and '.join(lacking)}"
        verb = "cannot differentiate" if not lacking else "needs"
        raise MethodError(f"gradient={rule.name}() {verb} {reason}. Try gradient=ParameterShift().")
    return Choice(small, method, rule, why, why_rule)


def _check_batch_memory(request: Request, num_qubits: int, method: Any) -> None:
    """Refuse a batch of states that does not fit: all are there at the same time."""
    memory = device_memory()
    one = method.dtype.itemsize << (num_qubits << isinstance(method, Unitary))
    most = max([math.prod(value.shape) for value in request.params.values()], default=1)
    if memory is None or (most * one <= memory and request.initial_state is None):
        return  # small whatever part of the axes is the batch: large circuits are not searched for their parameters
    runs = math.prod(batch_shape(request, request.circuit.parameter_shapes()))
    what = f"A batch of {runs} runs of {num_qubits} qubits in {method.dtype.name}"
    check_memory(what, runs * one, memory, "Use smaller batches, one after the other.")


def _compiled(choice: Choice, request: Request) -> Any:
    state = request.initial_state
    if isinstance(state, str):
        state = choice.small.embed_bits(state)
    elif state is not None:
        state = choice.small.embed(state)
    try:
        return _compile.compile_local(
            choice.small.circuit,
            choice.small.results(request.results),
            method=choice.method,
            gradient=choice.gradient,
            shots=request.shots,
            params=request.params,
            key=request.key,
            initial_state=state,
        )
    except TypeError as error:
        if "forward-mode" in str(error) and not isinstance(choice.gradient, Backprop):
            raise TypeError(
                f"jax.jvp, jax.jacfwd and jax.linearize cannot differentiate through {choice.gradient.name}(), which "
                "defines reverse mode only. Try gradient=Backprop(), or jax.grad or jax.jacrev."
            ) from error
        raise


def _moved(request: Request, device: Any) -> Request:
    """The request with its JAX arrays on `device`; host arrays go there by themselves."""
    arrays = (dict(request.params), request.key, request.initial_state, request.results)
    move = lambda leaf: jax.device_put(leaf, device) if isinstance(leaf, jax.Array) else leaf  # noqa: E731
    params, key, state, results = jax.tree.map(move, arrays)
    return replace(request, params=params, key=key, initial_state=state, results=results)


def _metadata(backend: LocalBackend, choice: Choice, request: Request) -> dict[str, Any]:
    return {
        "backend": backend.name,
        "method": choice.method,
        "gradient": choice.gradient.name,
        "dtype": getattr(choice.method, "dtype", None),
        "shots": request.shots,
        "layout": request.circuit.layout,
    }
