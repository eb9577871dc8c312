"""The front functions: `execute`, `submit`, `explain`. Everything is checked here, before anything is traced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from qsim._checks import check_int
from qsim._defaults import default_backend, default_transpiler
from qsim._errors import CircuitError, MethodError, ParameterError, QsimError, ResultError
from qsim._recent import Recent
from qsim._typing import Array, Key, Params, PyTree
from qsim.backends.atoms import atoms_of
from qsim.backends.base import Backend, Job, Request, Transpiler
from qsim.backends.binding import bind_params
from qsim.backends.explanation import Explanation, explain_request
from qsim.backends.hostdata import context_of
from qsim.backends.local import LocalBackend
from qsim.backends.prepare import prepare, starting_in
from qsim.backends.recall import keep, known_requests, place_of
from qsim.backends.registry import find_backend
from qsim.ir.circuit import Circuit
from qsim.ir.layout import Padding
from qsim.methods import Method
from qsim.results import State
from qsim.results.base import check_most_shots
from qsim.results.program import check_all, circuits, needs_key
from qsim.rules import GradientRule

MAX_CHECKED = 256

_checked = Recent(MAX_CHECKED)


def execute(
    circuit: Circuit,
    results: PyTree = State(),
    params: Params | None = None,
    *,
    on: Backend | str | None = None,
    transpiler: Transpiler | str | None = None,
    padding: Padding | None = None,
    qubits: Sequence[int] | None = None,
    method: Method | None = None,
    gradient: GradientRule | None = None,
    shots: int | None = None,
    key: Key = None,
    initial_state: Array | str | None = None,
) -> PyTree:
    """Run a circuit and return what was asked about its final state.

    A pure function: it composes with `jax.jit`, `grad`, `vmap` and `jacobian`, on simulators
    and on hardware alike. Other values never trace or compile again.

    Args:
        circuit: the circuit, with or without open parameters and JAX values.
        results: any pytree of results; default `State()`, the amplitudes (2^n,).
        params: value by name of a parameter or vector, shape batch + declared shape, radians
            where they are angles; batches broadcast by NumPy's rules, results get the batch first. Runs of
            a batch share the work on what does not vary, which those of `jax.vmap` do not.
        on: None (JAX's default device), "cpu", "gpu", "tpu", "numpy", "vendor@device", or a backend.
        transpiler: a callable `(Circuit, Target) -> Circuit`, or the name of a registered one;
            None takes the backend's where the circuit is not in its target.
        padding: when the circuit is widened to the device; None takes the target's default.
        qubits: the device qubits to use, one per qubit; None leaves them to the transpiler.
        method: how to simulate, such as `Statevector(dtype)`; None chooses.
        gradient: the gradient rule, such as `Adjoint()`; None chooses.
        shots: how many measurements the estimates are from; None is exact.
        key: a JAX key, required where something is sampled.
        initial_state: amplitudes (batch..., 2^n), or a bit string; None is |0...0>.

    Returns:
        Arrays in the pytree shape of `results`, batch axes first.

    Raises:
        QsimError: one of its kinds, naming the gate, qubit, parameter or argument and the fix.

    Example:
        >>> import jax
        >>> from qsim import Circuit, Parameter, Z, execute
        >>> from qsim.results import Expectation
        >>> circuit = Circuit(2).ry(Parameter("t"), 0).cx(0, 1)
        >>> energy = lambda t: execute(circuit, Expectation(Z(1)), {"t": t})
        >>> value, slope = jax.value_and_grad(energy)(0.5)
        >>> print(f"{value:.4f} {slope:.4f}")
        0.8776 -0.4794
    """
    backend, request = _request(
        circuit, results, params, on, transpiler, padding, qubits, method, gradient, shots, key, initial_state
    )
    return backend.run(request).result()


def submit(
    circuit: Circuit,
    results: PyTree = State(),
    params: Params | None = None,
    *,
    on: Backend | str | None = None,
    transpiler: Transpiler | str | None = None,
    padding: Padding | None = None,
    qubits: Sequence[int] | None = None,
    method: Method | None = None,
    gradient: GradientRule | None = None,
    shots: int | None = None,
    key: Key = None,
    initial_state: Array | str | None = None,
) -> Job:
    """Like `execute`, but returns a `Job` at once where the backend can: `id`, `status()`, `result()`, `cancel()`.

    Args and Raises: those of `execute`.

    Example:
        >>> from qsim import Circuit, Z, submit
        >>> from qsim.results import Expectation
        >>> job = submit(Circuit(1).x(0), Expectation(Z(0)))
        >>> job.status().value, float(job.result())
        ('done', -1.0)
    """
    backend, request = _request(
        circuit, results, params, on, transpiler, padding, qubits, method, gradient, shots, key, initial_state
    )
    return backend.run(request)


def explain(
    circuit: Circuit,
    results: PyTree = State(),
    params: Params | None = None,
    *,
    on: Backend | str | None = None,
    transpiler: Transpiler | str | None = None,
    padding: Padding | None = None,
    qubits: Sequence[int] | None = None,
    method: Method | None = None,
    gradient: GradientRule | None = None,
    shots: int | None = None,
    key: Key = None,
    initial_state: Array | str | None = None,
    measure: bool = False,
) -> Explanation:
    """What `execute` with the same arguments would do, without doing it; prints as a table.

    Target, transpiler, method, fused blocks, lowering mode, predicted memory and compile
    time, gradient rule, and why. Parameters and the key may be left out.

    Args and Raises: those of `execute`, and `measure`: True compiles and runs it a few times after
    all, and prints what its compilation, its memory and a warm run took beside what was predicted,
    with gradient where there are parameters. Only on the local simulator and outside `jax.jit`.

    Example:
        >>> from qsim import Circuit, explain
        >>> print(explain(Circuit(2).h(0).cx(0, 1)))
        backend     local: any number of qubits, every pair joined, every gate
        transpiler  not needed: the circuit is in the target as it is
        circuit     2 qubits, 2 operations, depth 2 (1 h, 1 cx)
        ...
        >>> print(explain(Circuit(2).h(0).cx(0, 1), measure=True))
        backend     local: any number of qubits, every pair joined, every gate
        ...
        run         about ..., with gradient ...
                    measured: ...
    """
    shapes = circuit.parameter_shapes() if isinstance(circuit, Circuit) else {}
    if params is None or isinstance(params, Mapping):
        params = {**{name: np.zeros(shape) for name, shape in shapes.items()}, **_by_name(params)}
    key = jax.random.key(0) if key is None else key
    backend, request = _request(
        circuit, results, params, on, transpiler, padding, qubits, method, gradient, shots, key, initial_state
    )
    return explain_request(backend, request, circuit, transpiler, measure=measure)


def execute_with_defaults(circuit: Circuit, *args: Any, on: Any = None, transpiler: Any = None, **named: Any) -> PyTree:
    """`execute`, with `on` and `transpiler` from the global defaults where they are not given."""
    on = default_backend() if on is None else on
    transpiler = default_transpiler() if transpiler is None else transpiler
    return execute(circuit, *args, on=on, transpiler=transpiler, **named)


def _request(
    circuit: Circuit,
    results: PyTree,
    params: Params | None,
    on: Any,
    transpiler: Any,
    padding: Padding | None,
    qubits: Sequence[int] | None,
    method: Method | None,
    gradient: GradientRule | None,
    shots: int | None,
    key: Key,
    initial_state: Array | str | None,
) -> tuple[Backend, Request]:
    """The backend, and a request for it, all checked."""
    if not isinstance(circuit, Circuit):
        raise CircuitError(f"Argument `circuit` must be a Circuit, but is {type(circuit).__name__}.")
    backend = find_backend(on)
    check_choices(method, gradient)
    if shots is not None:
        shots = check_int("shots", shots, ResultError, minimum=1)
        check_most_shots(shots)
    plain = on is transpiler is padding is qubits is shots is key is initial_state is None
    state, lead = (None, ()) if initial_state is None else _clean_state(initial_state, circuit.layout.num_qubits)
    bound, batch = bind_params(circuit, params, lead)
    place = place_of(results, bound, method, gradient) if plain else None
    known = known_requests(circuit).get(place)
    if known is not None:
        return backend, Request.again(known, circuit, bound)
    key = _clean_key(key, results, shots, gradient)
    begun = circuit
    if state is not None and backend.target.num_qubits is not None:
        begun, state, lead = starting_in(circuit, state), None, ()
    ready, values = prepare(begun, backend, transpiler, padding, qubits)
    bound.update(values)
    if state is not None and not isinstance(state, str) and lead != batch:
        state = jnp.broadcast_to(state, (*batch, state.shape[-1]))
    request = Request(ready, bound, results, shots, key, method, gradient, state)
    _checked.get(request.form, lambda: _check_results(request))
    for atom in [] if type(backend).supports is LocalBackend.supports else atoms_of(results):
        if not backend.supports(atom):
            name = type(atom).__name__
            why = "" if atom.is_measurable else ": it needs the state itself, and a device can only be measured"
            raise ResultError(
                f"Backend `{backend.name}` cannot give {name}{why}. Ask for Expectation, Variance, Probabilities, "
                "Samples or Counts, or simulate with on=None."
            )
    keep(request, place)
    return backend, request


def _by_name(params: Params | None) -> dict[Any, Any]:
    return {getattr(key, "name", key): value for key, value in (params or {}).items()}


def check_choices(method: Any, gradient: Any) -> None:
    """Refuse a method or a gradient rule that is none."""
    if method is not None and not isinstance(method, Method):
        raise MethodError(f"Argument `method` must be a method such as Statevector(), but is {method!r}.")
    if gradient is not None and not isinstance(gradient, GradientRule):
        raise MethodError(f"Argument `gradient` must be a gradient rule such as Adjoint(), but is {gradient!r}.")


def _check_results(request: Request) -> None:
    """Refuse results that the circuit, or one run of it, cannot give."""
    first = {"operator" in atom.needs: type(atom).__name__ for atom in reversed(atoms_of(request.results))}
    if len(first) > 1:
        raise ResultError(
            f"Result {first[True]} needs the matrix of the circuit and {first[False]} its state, which are "
            "different runs. Ask for them in two calls of execute."
        )
    check_all(request.results, context_of(request))
    for other in circuits(request.results):
        if other.parameters:
            raise ParameterError(
                f"A circuit inside the results has the open parameter `{other.parameters[0]}`. Bind it first: "
                "other.bind({...})."
            )


def _clean_key(key: Any, results: PyTree, shots: int | None, gradient: GradientRule | None) -> Key:
    """`key` as a new-style JAX key, or None where nothing is random."""
    sampled = needs_key(results, shots)
    if key is None:
        if sampled:
            raise ResultError("Sampling needs a key. Try execute(..., key=jax.random.key(0)).")
        if gradient is not None and gradient.needs_key:
            raise MethodError(
                f"gradient={gradient.name}() draws random directions and needs a key. Try execute(..., "
                "key=jax.random.key(0))."
            )
        return None
    if not sampled and (gradient is None or not gradient.needs_key):
        return None
    return one_key(key, ResultError)


def one_key(key: Any, error: type[QsimError]) -> Key:
    """`key` as a new-style JAX key, else `error`."""
    dtype = getattr(key, "dtype", None)
    if dtype is not None and jnp.issubdtype(dtype, jax.dtypes.prng_key) and key.shape == ():
        return key
    if isinstance(key, (jax.Array, np.ndarray)) and dtype == np.uint32 and key.shape == _raw_key_shape():
        return jax.random.wrap_key_data(jnp.asarray(key))
    raise error(
        f"Argument `key` must be one JAX key, but is {key!r}. Try key=jax.random.key(0); for many, use jax.vmap."
    )


def _raw_key_shape() -> tuple[int, ...]:
    """The shape of an old-style key: of the numbers of JAX's default kind of key."""
    return jax.eval_shape(lambda: jax.random.key_data(jax.random.key(0))).shape


def _clean_state(state: Any, num_qubits: int) -> tuple[Array | str, tuple[int, ...]]:
    """The initial state and its batch axes."""
    if isinstance(state, str):
        if len(state) != num_qubits or set(state) - {"0", "1"}:
            raise CircuitError(
                f"Argument `initial_state` must be {num_qubits} characters of 0 and 1, one per qubit, but is {state!r}."
            )
        return state, ()
    if not isinstance(state, jax.Array):
        try:
            state = np.array(state)
        except ValueError:
            raise CircuitError("Argument `initial_state` must be an array, but is a ragged list.") from None
        if state.dtype.kind not in "iufc":
            raise CircuitError(f"Argument `initial_state` must be numbers or a bit string, but is of {state.dtype}.")
        if not np.isfinite(state).all():
            raise CircuitError("Argument `initial_state` holds NaN or infinity.")
    if state.ndim == 0 or state.shape[-1] != 1 << num_qubits:
        raise CircuitError(
            f"Argument `initial_state` must have shape (..., {1 << num_qubits}) for {num_qubits} qubits, but has shape "
            f"{tuple(state.shape)}."
        )
    return state, tuple(state.shape[:-1])
