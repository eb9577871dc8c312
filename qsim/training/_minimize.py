"""The front function: everything is checked here, before anything is traced."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.core import Tracer, eval_context
from jax.extend.core import get_opaque_trace_state
from tqdm import tqdm

from qsim._checks import check_int
from qsim._errors import TrainingError
from qsim._execute import one_key
from qsim._typing import Key, PyTree
from qsim.training.checkpoint import Checkpoint
from qsim.training.data import Minibatches, Whole, as_arrays
from qsim.training.description import describe
from qsim.training.drive import Drive, Reached
from qsim.training.loop import Inputs, Place, compile_loop, trace_loop
from qsim.training.names import leaf_names, listed, not_finite
from qsim.training.problem import Problem
from qsim.training.result import TrainingResult

DEFAULT_OPTIMIZER = optax.adam(0.05)


def minimize(
    loss: Callable[..., Any],
    params: PyTree,
    optimizer: optax.GradientTransformation = DEFAULT_OPTIMIZER,
    *,
    steps: int,
    data: PyTree = None,
    key: Key = None,
    metrics: Callable[..., Any] | None = None,
    progress: bool = True,
    callback: Callable[[int, PyTree, float], Any] | None = None,
    every: int | None = None,
    checkpoint: str | Path | Checkpoint | None = None,
) -> TrainingResult:
    """Minimise a loss by an optax optimizer, the whole loop compiled.

    In step k the optimizer turns the loss and its gradient at params_k into params_(k+1). All steps
    run on the device; the host looks a few times a second, for the progress bar. What a step does
    depends on nothing but its number, the key and the data, so that a training that was stopped and
    resumed goes the way, to the last bit, that it would have gone (on the same machine and versions).

    Inside `jax.jit`, `vmap` or `grad` the steps are one `lax.scan`, without bar, callback, checkpoint
    or stop at NaN, so that `jax.vmap` over the start trains many at once.

    Args:
        loss: a function JAX can trace, `loss(params)`, with data `loss(params, batch)`, which returns a
            real number; with a key it is also given `key=` where it takes one, another in every step.
        params: where to begin, a pytree of float arrays.
        optimizer: an optax transformation; its `update` is also given `value`, `grad`, `value_fn` and
            `key`, so that line searches and `qsim.gradients.free.GradientFree` ones work. Its own key
            comes from `key` too, or from `jax.random.key(0)` where that is None.
        steps: how many steps, 0 or more, those before a resumption counted.
        data: None, `minibatches(...)`, or a pytree of arrays that the loss gets whole in every step.
        key: a JAX key. Where None, the loss is given none.
        metrics: a function called as the loss is, at the parameters before each step: name -> array of
            any shape, kept for every step.
        progress: True shows a bar with the loss and the steps per second.
        callback: f(step, params, loss), called while the loop waits, `step` steps done and `loss` that
            of the last; a true value ends the training.
        every: steps between two calls of `callback`; None calls it a few times a second.
        checkpoint: a file, or `Checkpoint(file, ...)`, written about every 10 seconds and at the end.
            Where it is there, the training goes on from it, until `steps` steps are done in all.

    Returns:
        `TrainingResult(params, loss, history, step, opt_state, ...)`; after Ctrl-C what was reached.

    Raises:
        TrainingError: an argument that cannot be, or a loss that gives no real number.
        DivergedError: the loss or the parameters became NaN or infinite; names the step and the
            parameters, and has the `result` before it.
        SerialError: a checkpoint that is damaged, cannot be written, or is of another training: of
            another loss (circuit), optimizer, key or data.

    Example:
        >>> import jax.numpy as jnp
        >>> from qsim import Circuit, Parameter, Z, execute
        >>> from qsim.results import Expectation
        >>> from qsim.training import minimize
        >>> circuit = Circuit(1).rx(Parameter("t"), 0)
        >>> energy = lambda p: execute(circuit, Expectation(Z(0)), p)
        >>> result = minimize(energy, {"t": jnp.array(0.3)}, steps=150, progress=False)
        >>> print(f"{result.loss:.3f} at t = {result.params['t']:.2f}")
        -1.000 at t = 3.14
    """
    steps = check_int("steps", steps, TrainingError)
    if steps > np.iinfo(np.int32).max - 1:
        raise TrainingError(f"Argument `steps` must be below 2^31 - 1, but is {steps}.")
    every = None if every is None else check_int("every", every, TrainingError, minimum=1)
    if not isinstance(progress, bool):
        raise TrainingError(f"Argument `progress` must be True or False, but is {progress!r}.")
    for name, function in (("loss", loss), ("metrics", metrics), ("callback", callback)):
        if not callable(function) and (name == "loss" or function is not None):
            raise TrainingError(f"Argument `{name}` must be a function, but is {function!r}.")
    if not isinstance(optimizer, optax.GradientTransformation):
        raise TrainingError(
            f"Argument `optimizer` must be an optax transformation such as optax.adam(0.05), but is {optimizer!r}."
        )
    whole = data if isinstance(data, Minibatches) else Whole(as_arrays(data))
    has_data = data is not None
    given = None if key is None else one_key(key, TrainingError)
    problem = Problem(
        loss,
        metrics,
        optimizer,
        has_data,
        _takes_key("loss", loss, given, 1 + has_data),
        metrics is not None and _takes_key("metrics", metrics, given, 1 + has_data),
    )
    params = _clean_params(params)
    inputs = Inputs(whole, jax.random.key(0) if given is None else given)
    place = Place(jnp.zeros((), jnp.int32), params, jax.tree.map(_strong, optimizer.init(params)))
    if _in_a_trace():
        for name, given in (("callback", callback), ("checkpoint", checkpoint)):
            if given is not None:
                raise TrainingError(
                    f"Argument `{name}` cannot be used inside jax.jit, vmap or grad, where minimize is a part of "
                    "another program. Call minimize outside of it."
                )
        place, traced_rows, last = trace_loop(problem, place, inputs, steps)
        return TrainingResult(place.params, last, traced_rows, place.step, place.opt_state)
    chosen = checkpoint if checkpoint is None or isinstance(checkpoint, Checkpoint) else Checkpoint(checkpoint)
    training = rows = None
    if chosen is not None:
        training = describe(problem, place, inputs, chosen.tag)
        place, rows = chosen.read(training, place, steps)
    step = int(place.step)
    saved = step if step else -1
    with tqdm(total=steps, desc="compiling", unit="step", dynamic_ncols=True, disable=not progress) as bar:
        bar.update(step)
        loop = compile_loop(problem, place, inputs)
        bar.set_description("training", refresh=False)
        bar.unpause()
        reached = Reached(place, step, float(rows["loss"][-1]) if rows and step else float("nan"))
        parts = [loop.no_rows() if rows is None else rows]
        return Drive(loop, inputs, reached, parts, bar, callback, every, chosen, training, saved).run(steps)


def _in_a_trace() -> bool:
    """Whether this is inside someone else's jit, vmap or grad, so that values may not be known yet."""
    with eval_context():
        outside = get_opaque_trace_state(convention="nnx")
    return get_opaque_trace_state(convention="nnx") != outside


def _takes_key(name: str, function: Callable[..., Any], key: Key, num_arguments: int) -> bool:
    """Whether to call it with `key=`, beside so many arguments."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return key is not None
    try:
        signature.bind_partial(*range(num_arguments))
    except TypeError:
        given = "(params, batch)" if num_arguments > 1 else "(params)"
        raise TrainingError(
            f"Argument `{name}` must take {given}{', for there are data' if num_arguments > 1 else ''}, but has the "
            f"arguments {signature}."
        ) from None
    parameters = signature.parameters
    usable = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    named = parameters.get("key")
    if named is not None and (named.kind not in usable or list(parameters).index("key") < num_arguments):
        named = None
    if key is None and named is not None and named.default is inspect.Parameter.empty:
        raise TrainingError(f"Argument `{name}` takes a key, but there is none. Try key=jax.random.key(0).")
    return key is not None and (named is not None or any(p.kind is p.VAR_KEYWORD for p in parameters.values()))


def _clean_params(params: PyTree) -> PyTree:
    """`params` with JAX arrays for its leaves."""
    leaves, tree = jax.tree.flatten(params)
    names = leaf_names(params, "params")
    clean = [_clean_leaf(name, leaf) for name, leaf in zip(names, leaves, strict=True)]
    if sum(leaf.size for leaf in clean) == 0:
        raise TrainingError(f"Argument `params` must hold parameters to train, but has none: {params!r}.")
    made = jax.tree.unflatten(tree, clean)
    if not any(isinstance(leaf, Tracer) for leaf in clean):
        bad = not_finite(made, "params")
        if bad:
            raise TrainingError(f"Argument `params` must be finite to begin with, but is not in {listed(bad)}.")
    return made


def _clean_leaf(name: str, leaf: Any) -> Any:
    kind = type(leaf).__name__
    if not isinstance(leaf, jax.Array):
        try:
            leaf = np.asarray(leaf)
        except ValueError:
            leaf = np.asarray(None)
        if leaf.dtype.kind not in "biufc" and not jnp.issubdtype(leaf.dtype, jnp.floating):
            raise TrainingError(
                f"Argument `params` must be a pytree of float arrays, but `{name}` is {kind}. Keep what is not trained "
                "out of it; a class of your own becomes a pytree by jax.tree_util.register_dataclass."
            )
    if not jnp.issubdtype(leaf.dtype, jnp.floating):
        hint = " Try its real and imaginary parts." if jnp.issubdtype(leaf.dtype, jnp.complexfloating) else ""
        hint = hint or f" Try jnp.asarray({name}, float)."
        raise TrainingError(
            f"Argument `params` must be real floating-point numbers, but `{name}` is {leaf.dtype}.{hint}"
        )
    return _strong(jnp.asarray(leaf))


def _strong(leaf: Any) -> Any:
    """An array whose dtype stays what it is; random keys as they are."""
    array = jnp.asarray(leaf)
    return array if jnp.issubdtype(array.dtype, jax.dtypes.extended) else jnp.asarray(array, array.dtype)
