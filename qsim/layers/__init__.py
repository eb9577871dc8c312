"""Circuits as layers of networks, and quantum kernels.

One module per framework, each an extra: `from qsim.layers.flax import QuantumLayer`, and the same
from `qsim.layers.equinox` and `qsim.layers.torch`.
"""

from qsim.layers.kernel import kernel_matrix

__all__ = ["kernel_matrix"]
