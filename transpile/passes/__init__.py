"""The passes, one verb per file: each a callable `(Circuit, Target) -> Circuit`."""

from __future__ import annotations

from transpile.passes.canonicalise import Canonicalise
from transpile.passes.chains import one_qubit_chains
from transpile.passes.consolidate import consolidate, fuse
from transpile.passes.decouple import Decouple
from transpile.passes.deepen import Deepen
from transpile.passes.pauli_network import PauliNetwork
from transpile.passes.peephole import Peephole
from transpile.passes.resynthesise import Resynthesise
from transpile.passes.schedule import Schedule, start_times
from transpile.passes.sliced import Sliced
from transpile.passes.translate import translate
from transpile.passes.unroll import unroll

__all__ = [
    "Canonicalise",
    "Decouple",
    "Deepen",
    "PauliNetwork",
    "Peephole",
    "Resynthesise",
    "Schedule",
    "Sliced",
    "consolidate",
    "fuse",
    "one_qubit_chains",
    "start_times",
    "translate",
    "unroll",
]
