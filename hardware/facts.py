"""What is known of a device: times, frequencies, errors; SI units, dated, with their source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from qsim.ir.json_nodes import Node, envelope, open_envelope, parse
from qsim.ir.target import Native, QubitFacts, Target
from qsim.ir.target_json import target_data

__all__ = ["DeviceFacts"]

KIND = "device_facts"


@dataclass(frozen=True)
class DeviceFacts:
    """The facts of a device at a date. Unknown is None, never 0.

    Times in seconds, frequencies in hertz, errors as probabilities.

    Args:
        device: its name.
        target: its qubits (T1, T2, frequency, readout) and gates (duration, error per place), and the
            date of the facts.
        source: where they come from, in words.

    Example:
        >>> from hardware.facts import DeviceFacts
        >>> from qsim.ir.target import Native, QubitFacts, Target
        >>> target = Target(1, natives={"x": Native(duration=3e-8)}, qubits=[QubitFacts(t1=5e-5)], date="2026-01-01")
        >>> facts = DeviceFacts("some device", target, "its data sheet")
        >>> facts.qubit(0).t1, facts.qubit(0).t2, facts.gate("x", 0).duration
        (5e-05, None, 3e-08)
        >>> DeviceFacts.from_json(facts.to_json()) == facts
        True
    """

    device: str
    target: Target
    source: str | None = None

    @property
    def date(self) -> str | None:
        """When they were taken, ISO 8601."""
        return self.target.date

    def qubit(self, qubit: int | str) -> QubitFacts:
        """What is known of a qubit, by its number or its name.

        Raises:
            TargetError: the device has no such qubit.
        """
        number = self.target.qubit(qubit)
        return self.target.qubits[number] if self.target.qubits else QubitFacts()

    def gate(self, name: str, qubits: int | str | Sequence[int | str]) -> Native | None:
        """What is known of a gate at a place; None where it is not native there."""
        places = [qubits] if isinstance(qubits, (int, str)) else qubits
        numbers = tuple(self.target.qubit(q) for q in places)
        table = self.target.natives_at(numbers)
        return Native() if table is None else table.get(name)

    def to_json(self) -> str:
        """As JSON text."""
        data: dict[str, Any] = {"device": self.device, "target": target_data(self.target)}
        if self.source is not None:
            data["source"] = self.source
        return envelope(KIND, data)

    @classmethod
    def from_json(cls, text: str) -> DeviceFacts:
        """From JSON text.

        Raises:
            SerialError: text that is none of ours.
        """
        node: Node = parse(text, "device facts")
        open_envelope(node, KIND)
        target = Target.from_node(node.get("target"))
        source = node.get("source", None)
        return cls(node.get("device").text(), target, None if source.is_null else source.text(1000))
