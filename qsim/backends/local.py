"""The local simulator: the compiled JAX programs of `qsim._compile`, on a device of this machine."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import jax

from qsim._checks import check_memory
from qsim._compile import compile_local, runnable
from qsim._errors import MethodError, ResultError
from qsim._recent import Recent
from qsim.backends.atoms import atoms_of
from qsim.backends.base import Backend, DoneJob, Job, Request
from qsim.backends.hostdata import batch_shape, context_of
from qsim.backends.logical import Logical, logical
from qsim.backends.placement import find_device, is_staged, pin
from qsim.backends.shapes import ShapeState, result_shapes
from qsim.ir.circuit import Circuit
from qsim.ir.target import Target
from qsim.methods import Auto, Method, Statevector, Unitary
from qsim.methods.statevector import check_operations, device_memory
from qsim.results import State
from qsim.results.program import circuits, needs
from qsim.rules import Adjoint, Backprop, GradientRule, ParameterShift
from qsim.rules.parameter_shift import with_spectra

MAX_CHOICES = 256

_choices = Recent(MAX_CHOICES)


@dataclass(frozen=True)
class Choice:
    """How requests of one form are simulated.

    Attributes:
        method: `Statevector` or `Unitary`, and why.
        gradient: the gradient rule, and why.
    """

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
        staged = is_staged()
        if self.platform is None:
            return self._run(request, staged)
        device = find_device(self.platform, self.index)
        if staged:
            job = self._run(request, staged)
            return DoneJob(pin(job.result(), self.platform), job.metadata)
        with jax.default_device(device):
            return self._run(_moved(request, device), staged)

    def _run(self, request: Request, staged: bool) -> Job:
        settings = (jax.config.jax_enable_x64, jax.config.jax_default_device)  # pyright: ignore[reportAttributeAccessIssue]
        way: Way = request.facts.get(settings) or _way(request, settings)  # kept where the circuit itself is run
        choice, circuit, state = way.choice, request.circuit, request.initial_state
        if way.other is not None:
            circuit = way.other[1]
            if isinstance(state, str):
                state = way.other[0].embed_bits(state)
            elif state is not None:
                state = way.other[0].embed(state)
        program = compile_local(
            way.form,
            circuit,
            lambda: request.flat[1] if way.other is None else way.other[0].structure(request.flat[1]),
            method=choice.method,
            gradient=choice.gradient,
            shots=request.shots,
            amplitudes=state is not None and not isinstance(state, str),
            varying=way.varying,
        )
        leaves = [self._state(leaf, choice) if isinstance(leaf, Circuit) else leaf for leaf in request.flat[0]]
        try:
            made = program.run(circuit, request.params, leaves, state, request.key, staged)
        except TypeError as error:
            if "forward-mode" in str(error) and not isinstance(choice.gradient, Backprop):
                raise TypeError(
                    f"jax.jvp, jax.jacfwd and jax.linearize cannot differentiate through {choice.gradient.name}(), "
                    "which defines reverse mode only. Try gradient=Backprop(), or jax.grad or jax.jacrev."
                ) from error
            raise
        return DoneJob(made, way.metadata)

    def _state(self, circuit: Circuit, choice: Choice) -> Any:
        """The amplitudes of a circuit inside the results."""
        request = Request(circuit, results=State(), method=choice.method, gradient=choice.gradient)
        return LocalBackend().run(request).result()


@dataclass(frozen=True)
class Way:
    """How a request is run, whatever the values of its parameters.

    Attributes:
        choice: the method and the gradient rule.
        form: what fixes the program.
        varying: names of the parameters with batch axes; None where nothing has any.
        other: what is run in the place of the circuit, as it was written, and expanded; None where it is run itself.
        metadata: of the job.
    """

    choice: Choice
    form: Hashable
    varying: frozenset[str] | None
    other: tuple[Logical, Circuit] | None
    metadata: Mapping[str, Any]


def _way(request: Request, settings: tuple[Any, ...]) -> Way:
    form: Hashable = (request.form, *settings)
    choice: Choice = _choices.get(form, lambda: choose(request))
    small = simulated(request.circuit, choice.gradient)
    circuit = runnable(small.circuit)
    varying = _varying(circuit, request.params, request.initial_state)
    metadata = {
        "backend": LocalBackend.name,
        "method": choice.method,
        "gradient": choice.gradient.name,
        "dtype": getattr(choice.method, "dtype", None),
        "shots": request.shots,
        "layout": request.circuit.layout,
    }
    if circuit is not request.circuit:  # definitions may share values or not, and belong to a trace
        return Way(choice, (form, circuit.key), varying, (small, circuit), metadata)
    return request.facts.setdefault(settings, Way(choice, form, varying, None, metadata))


def _varying(circuit: Circuit, params: Mapping[str, Any], state: Any) -> frozenset[str] | None:
    """The parameters that differ from run to run of a batch; None where there is one run."""
    shapes = circuit.parameter_shapes()
    found = [name for name in shapes if len(params[name].shape) > len(shapes[name])]
    if not found and (state is None or isinstance(state, str) or len(state.shape) == 1):
        return None
    return frozenset(name for name in found if params[name].size > math.prod(shapes[name]))


def simulated(circuit: Circuit, gradient: GradientRule) -> Logical:
    """The circuit that is run in the place of `circuit`."""
    small = logical(circuit)
    return replace(small, circuit=with_spectra(small.circuit)) if isinstance(gradient, ParameterShift) else small


def choose(request: Request) -> Choice:
    """The method and the gradient rule for requests of this form.

    Raises:
        MethodError: a method or rule that cannot do what is asked.
        ResultError: a result that the method cannot give.
        MemoryLimitError: a state that is larger than the memory there is.
    """
    circuit, wanted = logical(request.circuit).circuit, needs(request.results)
    method = Auto() if request.method is None else request.method
    why = "asked for"
    if isinstance(method, Auto):
        method, why = method.select(circuit, wanted)
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
    method.check(circuit)
    for other in circuits(request.results):
        check_operations(other, "Overlap")
    _check_batch_memory(request, circuit.num_qubits, method)
    rule, why_rule = request.gradient, "asked for"
    if rule is None and request.shots is not None:
        rule, why_rule = ParameterShift(), "with shots the values are estimates, which only reruns can differentiate"
    elif rule is None:
        rule, why_rule = Adjoint(), "the circuit is unitary and the state exact"
    if not isinstance(rule, GradientRule):
        raise MethodError(f"Argument `gradient` must be a gradient rule such as Adjoint(), but is {rule!r}.")
    lacking = sorted(flag for flag in rule.needs if not getattr(method, flag))
    if lacking or (request.shots is not None and "exact" in rule.needs):
        reason = "estimates from shots" if not lacking else f"a method that is {' and '.join(lacking)}"
        verb = "cannot differentiate" if not lacking else "needs"
        raise MethodError(f"gradient={rule.name}() {verb} {reason}. Try gradient=ParameterShift().")
    return Choice(method, rule, why, why_rule)


def _check_batch_memory(request: Request, num_qubits: int, method: Any) -> None:
    """Refuse a batch whose results do not fit; its states need not, since large batches are run in chunks."""
    memory = device_memory()
    one = method.dtype.itemsize * method.columns(num_qubits) << num_qubits
    most = max([math.prod(value.shape) for value in request.params.values()], default=1)
    if memory is None or (most * one <= memory and request.initial_state is None):
        return  # small whatever part of the axes is the batch: large circuits are not searched for their parameters
    runs = math.prod(batch_shape(request, request.circuit.parameter_shapes()))
    context = context_of(request)
    found = result_shapes(atoms_of(request.results), ShapeState(context.num_qubits, method.dtype), context)
    size = sum(math.prod(a.shape) * a.dtype.itemsize for a in jax.tree.leaves(found))
    what = f"The results of a batch of {runs} runs of {num_qubits} qubits in {method.dtype.name}"
    check_memory(what, runs * size, memory, "Ask for less, or run smaller batches one after the other.")


def _moved(request: Request, device: Any) -> Request:
    """The request with its JAX arrays on `device`; host arrays go there by themselves."""
    arrays = (dict(request.params), request.key, request.initial_state, request.results)
    move = lambda leaf: jax.device_put(leaf, device) if isinstance(leaf, jax.Array) else leaf  # noqa: E731
    params, key, state, results = jax.tree.map(move, arrays)
    return replace(request, params=params, key=key, initial_state=state, results=results)
