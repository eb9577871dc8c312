"""Adapters: one file per vendor, which alone imports its software. Found by the entry-point group `qsim.backends`."""
