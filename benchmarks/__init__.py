"""The benchmark suite: qsim beside its peers, one file per question, one file per peer. See `__main__`."""
