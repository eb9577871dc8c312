"""Functions f(xp, ...) on any array-API namespace; they import nothing of ours."""
