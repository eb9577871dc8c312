"""Where the numbers of a circuit come from: constants, named parameters, JAX values, expressions.

All of them stand in one flat vector, `values`:

    host numbers | named parameters, by name | JAX values, as given | results of expressions

and the angles of the operations, and the entries of their arrays, are places in it.
Expressions with the same tokens are evaluated together.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from qsim.ir.circuit import Circuit
from qsim.ir.operation import is_constant
from qsim.ir.parameter import ArrayElement, Expression, Parameter
from qsim.kernels.take import take_rows
from qsim.lower.expressions import evaluate_together
from qsim.lower.plan import Reads, Vectors, compact
from qsim.lower.reads import read_range


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """Expressions with the same tokens: places of their numbers and parameters, (terms, instances)."""

    code: tuple[str, ...]
    numbers: np.ndarray
    params: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """How the angle vector and the data vector are made. `starts` are per operation, with the end last.

    `open` is what may be differentiated, `varies` what differs from run to run of a batch. `size` is that of `values`.
    """

    names: tuple[str, ...]
    num_numbers: int
    size: int
    templates: tuple[Template, ...]
    angles: np.ndarray
    data: np.ndarray
    angle_starts: np.ndarray
    data_starts: np.ndarray
    angle_open: np.ndarray
    data_open: np.ndarray
    angle_varies: np.ndarray

    def natures(self) -> list[tuple[bytes, bytes]]:
        """Which numbers of each operation may be differentiated, and which vary."""
        angles, data = (self.angle_open + 2 * self.angle_varies.astype(np.uint8)).tobytes(), self.data_open.tobytes()
        cuts = (pairwise(starts.tolist()) for starts in (self.angle_starts, self.data_starts))
        return [(angles[a:b], data[c:d]) for (a, b), (c, d) in zip(*cuts, strict=True)]

    def read(self, reads: Reads) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The places in `values` of the angles, of the data, and of a batch's angles of phases that are read."""
        angles = self.angles if reads.angles is None else self.angles[reads.angles]
        turns = self.angles[:0] if reads.turns is None else self.angles[reads.turns]
        return angles, self.data if reads.data is None else self.data[reads.data], turns

    def tables(self, reads: Reads) -> Any:
        """The index arrays that travel as arguments; a range needs none."""
        angles, data, turns = map(_table, self.read(reads))
        templates = [(compact(t.numbers), compact(t.params)) for t in self.templates]
        return {"templates": templates, "angles": angles, "data": data, "turns": turns}

    def used(self, places: np.ndarray | None, *, together: bool = False) -> np.ndarray:
        """Which of `values` are read where those at these places are; None for all.

        With `together`, also those that are read because expressions with the same tokens are evaluated together.
        """
        used = np.zeros(self.size, bool)
        used[slice(None) if places is None else places] = True
        begin = stop = self.size
        for template in reversed(self.templates):
            begin, stop = begin - template.params.shape[1], begin
            wanted = used[begin:stop]
            if together and wanted.any():
                wanted[:] = True
            for operands in (template.numbers, template.params):
                used[operands[:, wanted]] = True
        return used


def find_sources(circuit: Circuit, instructions: Sequence[Any], varying: Collection[str] = ()) -> Sources:
    """The places of all angles and array entries of `instructions`, which are those of `circuit`.

    Args:
        varying: names of the parameters that differ from run to run of a batch.
    """
    shapes = circuit.parameter_shapes()
    numbers = circuit.numbers().size
    start = numbers
    named: dict[str, int] = {}
    for name, shape in shapes.items():
        named[name] = start
        start += math.prod(shape)
    leaf: dict[int, int] = {}
    for value in circuit.values():
        leaf[id(value)] = start
        start += value.size * (2 if np.dtype(value.dtype).kind == "c" else 1)

    def place(p: Parameter) -> int:
        return named[p.name] if p.vector is None else named[p.vector.name] + p.index

    expressions: dict[tuple[str, ...], list[tuple[list[int], list[int]]]] = {}
    pending: list[tuple[int, tuple[str, ...], int]] = []
    angles: list[int] = []
    data: list[np.ndarray] = []
    angle_starts, data_starts, size, constant = [0], [0], 0, 0
    for instruction in instructions:
        operation = instruction.operation
        for param in operation.params:
            if is_constant(param):
                angles.append(constant)
                constant += 1
            elif isinstance(param, Parameter):
                angles.append(place(param))
            elif isinstance(param, Expression):
                group = expressions.setdefault(param.code, [])
                pending.append((len(angles), param.code, len(group)))
                numbers_at: list[int] = []
                for number in param.numbers:
                    held = isinstance(number, ArrayElement)
                    numbers_at.append(leaf[id(number.array)] + number.index if held else constant)
                    constant += not held
                group.append((numbers_at, [place(p) for p in param.params]))
                angles.append(-1)
            elif isinstance(param, ArrayElement):
                angles.append(leaf[id(param.array)] + param.index)
            else:
                angles.append(leaf[id(param)])
        for array in getattr(operation, "arrays", ()):
            count = array.size * (2 if np.dtype(array.dtype).kind == "c" else 1)
            begin = constant if isinstance(array, np.ndarray) else leaf[id(array)]
            constant += count if isinstance(array, np.ndarray) else 0
            data.append(np.arange(begin, begin + count, dtype=np.int32))
            size += count
        angle_starts.append(len(angles))
        data_starts.append(size)

    templates = []
    first: dict[tuple[str, ...], int] = {}
    for code, group in expressions.items():
        first[code] = start
        start += len(group)
        numbers_of, params_of = (np.array([g[part] for g in group], np.int32).T for part in (0, 1))
        templates.append(Template(code, numbers_of, params_of))
    angle_places = np.array(angles, np.int32)
    for at, code, number in pending:
        angle_places[at] = first[code] + number
    varies = np.zeros(start, bool)
    for name in varying:
        varies[named[name] : named[name] + math.prod(shapes[name])] = True
    for template in templates:
        begin = first[template.code]
        varies[begin : begin + template.params.shape[1]] = varies[template.params].any(axis=0)
    data_places = np.concatenate(data) if data else np.zeros(0, np.int32)
    return Sources(
        names=tuple(shapes),
        num_numbers=numbers,
        size=start,
        templates=tuple(templates),
        angles=angle_places,
        data=data_places,
        angle_starts=np.array(angle_starts),
        data_starts=np.array(data_starts),
        angle_open=angle_places >= numbers,
        data_open=data_places >= numbers,
        angle_varies=varies[angle_places],
    )


def flat_values(
    sources: Sources,
    tables: Any,
    numbers: Any,
    params: Mapping[str, Any],
    values: Sequence[Any],
    dtype: Any,
    places: np.ndarray | None = None,
) -> Any:
    """`values` of one run (V,), real `dtype`.

    Where only some `places` are read, what these are made of is right, and differentiated. What is evaluated beside it
    is right, so that no NaN comes from there; all else is 0.
    """
    parts = [jnp.asarray(numbers, dtype)]
    parts += [jnp.asarray(params[name], dtype).reshape(-1) for name in sources.names]
    for value in values:
        value = jnp.asarray(value)
        if jnp.iscomplexobj(value):
            value = jnp.stack([value.real, value.imag], axis=-1)
        parts.append(value.astype(dtype).reshape(-1))
    sizes = [*(part.size for part in parts), *(template.params.shape[1] for template in sources.templates)]
    cuts = np.cumsum(sizes)[:-1]
    wanted, read = (
        [part.any() for part in np.split(sources.used(places, together=together), cuts)] for together in (False, True)
    )
    parts = [
        part if w else lax.stop_gradient(part) if r else np.zeros(part.size, dtype)
        for part, w, r in zip(parts, wanted, read, strict=False)
    ]
    flat = jnp.concatenate(parts)
    results = [flat]
    made = zip(sources.templates, tables["templates"], wanted[len(parts) :], strict=True)
    for template, (numbers_at, params_at), is_wanted in made:
        if not is_wanted:
            results.append(jnp.zeros(template.params.shape[1], dtype))
            continue
        # nothing is differentiated by a constant: as an exponent of a negative number that would be NaN
        fixed = np.array([bool(np.all(row < sources.num_numbers)) for row in template.numbers], bool)
        constants, numbers_of = (
            take_rows(a, numbers_at[f]) for a, f in ((lax.stop_gradient(flat), fixed), (flat, ~fixed))
        )
        kinds = tuple(fixed.tolist())
        results.append(evaluate_together(jnp, template.code, kinds, constants, numbers_of, take_rows(flat, params_at)))
    return jnp.concatenate(results) if len(results) > 1 else flat


def vectors(sources: Sources, tables: Any, reads: Reads, flat: Any, each: Any = None) -> Vectors:
    """What `reads` says, as the tables do, out of `values` (V,), and a batch's out of those of `each` run, (V, B)."""
    angles, data, turns = sources.read(reads)
    made = Vectors(_take(flat, angles, tables["angles"]), _take(flat, data, tables["data"]))
    if reads.turns is None:
        return made
    each = flat[:, None] if each is None else each
    return made._replace(turns=_take(each, turns, tables["turns"]))


def _is_range(places: np.ndarray) -> bool:
    return places.size == 0 or bool(np.all(places == np.arange(places[0], places[0] + places.size)))


def _table(places: np.ndarray) -> np.ndarray | None:
    return None if _is_range(places) else compact(places)


def _take(flat: Any, places: np.ndarray, table: Any) -> Any:
    return read_range(flat, places) if table is None else take_rows(flat, table)
