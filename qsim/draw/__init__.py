"""Pictures."""
from qsim.draw.terminal import text
from qsim.draw.svg import html
from qsim.draw.circuits import circuit
