"""The persistent compilation cache of JAX, for peers that compile with it."""

from __future__ import annotations

import jax


def use_cache(folder: str) -> None:
    """Keep every program, however small or quick to compile."""
    jax.config.update("jax_compilation_cache_dir", folder)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
