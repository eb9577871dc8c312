"""A circuit as a layer of PyTorch: values and gradients pass by DLPack, without a copy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from qsim._errors import BackendError, ParameterError
from qsim._typing import Array, Key, PyTree
from qsim.backends.base import Backend, Transpiler
from qsim.gradients import GradientRule
from qsim.ir.circuit import Circuit
from qsim.ir.layout import Padding
from qsim.layers.program import Init, LayerProgram, make_program
from qsim.methods import Method

try:
    import torch
except ImportError as missing:
    raise BackendError(
        f'qsim.layers.torch needs PyTorch, but {missing.name} is not installed. Try pip install "qsim-jax[torch]".'
    ) from missing

__all__ = ["QuantumLayer"]


class QuantumLayer(torch.nn.Module):
    """A circuit as a module of PyTorch on the CPU: its open parameters are weights, but those named as inputs.

    `layer(x)` is execute(circuit, results, weights and x), batch axes first: x has shape
    batch + the declared shape of its parameter. With several inputs, `layer(x, y)` in the order
    of their names. Forward and backward are one compiled program each per shape of the inputs;
    tensors go to them and back by DLPack, sharing memory. Gradients flow to weights and inputs,
    once: not gradients of gradients, nor `torch.func`.

    The circuit is computed in the precision of `method` (complex64 by default); results are
    rounded to the dtype of the weights, or of the inputs where there are none. For float64
    throughout: JAX's x64 on, `method=Statevector(jax.numpy.complex128)`, `dtype=torch.float64`.

    Args:
        circuit: the circuit. results: any pytree of results; those of a list are stacked along a
            last axis, so that [Expectation(Z(q)) for q in range(k)] gives (batch..., k).
        inputs: the name or names of the parameters that are data.
        init: a function of (key, shape, dtype) such as those of `jax.nn.initializers`, or values by
            name; None draws angles of 0.1 radians.
        key: a JAX key, from which the initial weights come; None draws one by PyTorch's generator.
        dtype: of the weights, torch.float32 or torch.float64; None is PyTorch's default.
        on, transpiler, padding, qubits, method, gradient, shots, initial_state: as for `execute`.

    Attributes:
        weights: a `torch.nn.ParameterDict` by name, dots in names as underscores.

    Raises:
        QsimError: an input that is no parameter, or another argument that cannot be.

    Example:
        >>> import torch
        >>> from qsim import Z
        >>> from qsim.layers.torch import QuantumLayer
        >>> from qsim.library import data_reuploading
        >>> from qsim.results import Expectation
        >>> layer = QuantumLayer(data_reuploading(2, layers=2), [Expectation(Z(0))], inputs="x")
        >>> layer(torch.ones(5, 2)).shape
        torch.Size([5, 1])
    """

    def __init__(
        self,
        circuit: Circuit,
        results: PyTree,
        *,
        inputs: Any = (),
        init: Init = None,
        key: Key = None,
        dtype: torch.dtype | None = None,
        on: Backend | str | None = None,
        transpiler: Transpiler | str | None = None,
        padding: Padding | None = None,
        qubits: Sequence[int] | None = None,
        method: Method | None = None,
        gradient: GradientRule | None = None,
        shots: int | None = None,
        initial_state: Array | str | None = None,
    ):
        super().__init__()
        self.program: LayerProgram = make_program(
            circuit,
            results,
            inputs,
            on=on,
            transpiler=transpiler,
            padding=padding,
            qubits=qubits,
            method=method,
            gradient=gradient,
            shots=shots,
            initial_state=initial_state,
        )
        dtype = torch.get_default_dtype() if dtype is None else dtype
        if dtype not in (torch.float32, torch.float64):
            raise ParameterError(f"Argument `dtype` must be torch.float32 or torch.float64, but is {dtype}.")
        values = self.program.initial(_drawn_key() if key is None else key, init)
        self._names = {name: name.replace(".", "_") for name in values}
        if len(set(self._names.values())) < len(values):
            raise ParameterError("Two parameters have one name in PyTorch, where dots become underscores. Rename one.")
        self.weights = torch.nn.ParameterDict(
            {
                self._names[name]: torch.nn.Parameter(_to_torch(value).to(dtype, copy=True))
                for name, value in values.items()
            }
        )
        self._run = _Compiled(self.program)

    def forward(self, *inputs: torch.Tensor, key: Key = None) -> PyTree:
        """The results for these inputs, as tensors.

        Args:
            inputs: a tensor per input, batch axes first. key: a JAX key, where something is sampled;
                None draws one by PyTorch's generator.
        """
        weights = [self.weights[self._names[name]] for name in self.program.shapes]
        if self.program.shots is not None and key is None:
            key = _drawn_key()
        tensors = [*weights, *inputs]
        for name, tensor in zip((*self.program.shapes, *self.program.inputs), tensors, strict=False):
            _check_tensor(name, tensor)
        if tensors and torch.is_grad_enabled() and any(t.requires_grad for t in tensors):
            found = _Bridge.apply(self._run, len(weights), key, *tensors)
        else:
            found = self._run.values(len(weights), key, *tensors)
        return self._run.rebuilt(found)

    def __getstate__(self) -> dict[str, Any]:
        """Without the compiled programs, so that a layer can be copied."""
        return {name: value for name, value in self.__dict__.items() if name != "_run"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._run = _Compiled(self.program)


class _Compiled:
    """The program of a layer as compiled functions of lists of arrays, weights first."""

    def __init__(self, program: LayerProgram):
        self.program = program
        self.tree: Any = None
        self._forward = jax.jit(self._flat, static_argnums=0)
        self._record = jax.jit(
            lambda num_weights, key, arrays: jax.vjp(lambda *values: self._flat(num_weights, key, values), *arrays),
            static_argnums=0,
        )
        self._backward = jax.jit(lambda pull, slopes: pull(slopes))

    def values(self, num_weights: int, key: Key, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The results, flat."""
        return self._finish(self._forward(num_weights, key, _to_jax(tensors)), tensors)

    def recorded(self, num_weights: int, key: Key, *tensors: torch.Tensor) -> tuple[tuple[torch.Tensor, ...], Any, Any]:
        """The results, flat; their pullback; and the arrays themselves, whose dtypes the slopes must have."""
        found, pull = self._record(num_weights, key, _to_jax(tensors))
        return self._finish(found, tensors), pull, [value.dtype for value in found]

    def slopes(self, pull: Any, dtypes: Sequence[Any], outer: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """The gradients of all tensors; PyTorch's gradients by complex numbers are the conjugates of JAX's."""
        arrays = [value.astype(d) for value, d in zip(_to_jax(outer), dtypes, strict=True)]
        found = self._backward(pull, tuple(jnp.conj(a) if jnp.iscomplexobj(a) else a for a in arrays))
        return [_to_torch(value) for value in jax.block_until_ready(found)]

    def rebuilt(self, flat: Sequence[torch.Tensor]) -> PyTree:
        """The results in their pytree."""
        return jax.tree.unflatten(self.tree, flat)

    def _flat(self, num_weights: int, key: Key, arrays: Sequence[Array]) -> tuple[Array, ...]:
        weights = dict(zip(self.program.shapes, arrays[:num_weights], strict=True))
        leaves, self.tree = jax.tree.flatten(self.program(weights, arrays[num_weights:], key))
        return tuple(leaves)

    def _finish(self, found: Sequence[Array], tensors: Sequence[torch.Tensor]) -> tuple[torch.Tensor, ...]:
        """The results as tensors once they are there: the optimiser writes to the weights that they are made of."""
        real = tensors[0].dtype if tensors else torch.get_default_dtype()
        made = []
        for value in jax.block_until_ready(found):
            tensor = _to_torch(value)
            if tensor.is_complex():
                tensor = tensor.to(torch.complex128 if real == torch.float64 else torch.complex64)
            elif tensor.is_floating_point():
                tensor = tensor.to(real)
            made.append(tensor)
        return tuple(made)


class _Bridge(torch.autograd.Function):
    """A program of JAX in PyTorch's graph of derivatives."""

    @staticmethod
    def forward(ctx: Any, run: _Compiled, num_weights: int, key: Key, *tensors: torch.Tensor) -> Any:
        found, ctx.pull, ctx.dtypes = run.recorded(num_weights, key, *tensors)
        ctx.run = run
        ctx.save_for_backward(*tensors)  # so that PyTorch sees it where one was written to before backward
        ctx.mark_non_differentiable(*(t for t in found if not (t.is_floating_point() or t.is_complex())))
        return found

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *outer: torch.Tensor) -> Any:
        tensors = ctx.saved_tensors
        found = ctx.run.slopes(ctx.pull, ctx.dtypes, outer)
        return None, None, None, *(slope.to(t.dtype) for slope, t in zip(found, tensors, strict=True))


def _check_tensor(name: str, tensor: Any) -> None:
    if not isinstance(tensor, torch.Tensor):
        raise ParameterError(f"Input `{name}` must be a torch.Tensor, but is {type(tensor).__name__}.")
    if tensor.device.type != "cpu":
        raise ParameterError(f"`{name}` must be on the CPU, but is on {tensor.device}. Try tensor.cpu(), layer.cpu().")
    if tensor.dtype not in (torch.float32, torch.float64):
        raise ParameterError(f"`{name}` must be float32 or float64, but is {tensor.dtype}. Try tensor.float().")


def _to_jax(tensors: Sequence[torch.Tensor]) -> list[Array]:
    return [jnp.from_dlpack(tensor.detach().resolve_conj().contiguous()) for tensor in tensors]


def _to_torch(array: Array) -> torch.Tensor:
    return torch.from_dlpack(array)


def _drawn_key() -> Key:
    return jax.random.key(int(torch.randint(0, 2**31 - 1, ())))
