"""From circuits to plans: repeats found, gates fused, positions tracked, matrices batched by kind."""
