"""What a computation is, as a digest that another process finds too.

A function that JAX can trace is known by its jaxpr: primitives, shapes, constants. What the text
of a jaxpr leaves out or changes from one process to the next (large constants, addresses, names of
variables) is taken by content or by order here; functions that JAX does not look into, as in
`pure_callback`, are known by their code and what they are bound to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from hashlib import blake2b
from types import CodeType, FunctionType, MethodType
from typing import Any

import jax
import numpy as np
from jax.core import Tracer
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

from qsim.backends.base import Backend
from qsim.ir.circuit import Circuit

ADDRESS = re.compile(r"0x[0-9a-f]+")
NAMES = frozenset({"name", "debug_info", "source_info", "ctx_mesh"})
"""Parameters of primitives that say nothing about what is computed."""
DEEPEST = 40


def digest_of_function(function: Callable[..., Any], *arguments: Any) -> str:
    """The digest of what `function` computes for arguments of these shapes.

    Example:
        >>> import jax.numpy as jnp
        >>> from qsim.training.identity import digest_of_function
        >>> found = [digest_of_function(f, 1.0) for f in (jnp.sin, lambda x: jnp.sin(x), jnp.cos)]
        >>> found[0] == found[1], found[0] == found[2]
        (True, False)
    """
    return digest(jax.make_jaxpr(function)(*arguments))


def digest(thing: Any) -> str:
    """The digest of a jaxpr, of arrays, of records of them.

    Example:
        >>> from qsim.training.identity import digest
        >>> digest({"a": 1, "b": (2.0, None)}) == digest({"b": (2.0, None), "a": 1})
        True
    """
    walk = _Walk()
    walk.feed(thing, 0)
    return walk.hash.hexdigest()


class _Walk:
    """A way through nested things, each told to the hash; what was met before is told by its number."""

    def __init__(self) -> None:
        self.hash = blake2b(digest_size=16)
        self.met: dict[int, int] = {}
        self.kept: list[Any] = []  # so that no address is used twice

    def say(self, *words: Any) -> None:
        for word in words:
            data = word if isinstance(word, bytes) else str(word).encode()
            self.hash.update(len(data).to_bytes(8, "little"))
            self.hash.update(data)

    def feed(self, thing: Any, depth: int) -> None:
        """Take in anything."""
        if thing is None or isinstance(thing, (bool, int, float, complex, str, bytes, np.dtype)):
            return self.say(type(thing).__name__, thing if isinstance(thing, (str, bytes)) else repr(thing))
        if isinstance(thing, (np.ndarray, np.generic, jax.Array)):
            return self.array(thing)
        if depth > DEEPEST:
            return self.say("deep", type(thing).__qualname__)
        if isinstance(thing, (tuple, list)):
            self.say(type(thing).__qualname__, len(thing))
            return self.all(thing, depth)
        if isinstance(thing, (set, frozenset)):
            return self.say("set", *sorted(map(digest, thing)))
        if isinstance(thing, Mapping):
            items = sorted((digest(key), value) for key, value in thing.items())
            self.say("dict", *(key for key, _ in items))
            return self.all([value for _, value in items], depth)
        if id(thing) in self.met:
            return self.say("again", self.met[id(thing)])
        self.met[id(thing)] = len(self.met)
        self.kept.append(thing)
        if isinstance(thing, ClosedJaxpr):
            return self.jaxpr(thing.jaxpr, thing.consts, depth)
        if isinstance(thing, Jaxpr):
            return self.jaxpr(thing, (), depth)
        self.other(thing, depth + 1)

    def all(self, things: Any, depth: int) -> None:
        for thing in things:
            self.feed(thing, depth + 1)

    def array(self, array: Any) -> None:
        if isinstance(array, Tracer):
            return self.say("traced", array.aval)
        if isinstance(array, jax.Array) and jax.numpy.issubdtype(array.dtype, jax.dtypes.extended):
            self.say(array.dtype)
            array = jax.random.key_data(array)
        host = np.asarray(array)
        self.say("array", host.dtype, host.shape, host.tobytes())

    def other(self, thing: Any, depth: int) -> None:
        """Functions, circuits, records; everything else by what it prints, addresses left out."""
        kind = type(thing)
        self.say(kind.__module__, kind.__qualname__)
        if isinstance(thing, Circuit):
            self.say(thing.key)
            self.all((thing.numbers(), *thing.values()), depth)
        elif isinstance(thing, Backend):
            self.say(thing.name)
        elif isinstance(thing, MethodType):
            self.all((thing.__func__, thing.__self__), depth)
        elif isinstance(thing, partial):
            self.all((thing.func, thing.args, thing.keywords), depth)
        elif isinstance(thing, FunctionType):
            cells = [cell.cell_contents for cell in thing.__closure__ or ()]
            self.all((thing.__code__, thing.__defaults__, thing.__kwdefaults__, cells), depth)
        elif isinstance(thing, CodeType):
            self.say(thing.co_code)
            self.all((thing.co_names, [c for c in thing.co_consts if not isinstance(c, str)]), depth)
        elif is_dataclass(thing) and not isinstance(thing, type):
            self.all([getattr(thing, field.name) for field in fields(thing) if field.compare], depth)
        else:
            self.say(ADDRESS.sub("", repr(thing)))

    def jaxpr(self, jaxpr: Any, consts: Any, depth: int) -> None:
        numbers: dict[Any, int] = {}

        def name(var: Any) -> str:
            return f"{numbers.setdefault(var, len(numbers))}:{var.aval.str_short(short_dtypes=True)}"

        self.say("jaxpr", *map(name, (*jaxpr.constvars, *jaxpr.invars)))
        self.all(consts, depth)
        for equation in jaxpr.eqns:
            self.say(equation.primitive.name)
            for key in sorted(equation.params.keys() - NAMES):
                value = equation.params[key]
                hidden = callable(value) and key != "callback" and not isinstance(value, (ClosedJaxpr, Jaxpr))
                self.say(key, "function") if hidden else self.feed(value, depth + 1)
            for var in equation.invars:
                if isinstance(var, Literal):
                    self.feed(np.asarray(var.val), depth)
                else:
                    self.say(name(var))
            self.say(*map(name, equation.outvars))
        for var in jaxpr.outvars:
            self.feed(np.asarray(var.val), depth) if isinstance(var, Literal) else self.say(name(var))
