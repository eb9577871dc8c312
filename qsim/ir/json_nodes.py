"""Reading JSON from strangers: every value is fetched with the type and the limits it must have.

A `Node` is a value and where it stands, so that every refusal says `$.terms[3][0]: ...`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from qsim._errors import SerialError

MAX_BYTES = 1 << 28
_MISSING = object()


class Node:
    """A JSON value and its place in the document."""

    __slots__ = ("value", "path")

    def __init__(self, value: Any, path: str = "$"):
        self.value, self.path = value, path

    def fail(self, words: str) -> NoReturn:
        """Refuse this value: `words` say what it must be."""
        raise SerialError(f"{self.path}: {words}.")

    def expect(self, what: str) -> NoReturn:
        shown = repr(self.value) if isinstance(self.value, (str, int, float, bool, type(None))) else _kind(self.value)
        self.fail(f"must be {what}, but is {shown if len(shown) <= 60 else shown[:57] + '...'}")

    def get(self, key: str, default: Any = _MISSING) -> Node:
        """The member of that name; `default`, if given, where it is missing."""
        value = self._object().get(key, default)
        if value is _MISSING:
            self.fail(f"needs a member {key!r}")
        return Node(value, f"{self.path}.{key}")

    def members(self, cap: int) -> Iterator[tuple[str, Node]]:
        """(name, node) of every member of an object of at most `cap`."""
        if len(self._object()) > cap:
            self.fail(f"must have at most {cap:,} members, but has {len(self.value):,}")
        return ((key, Node(value, f"{self.path}.{key[:40]}")) for key, value in self.value.items())

    def items(self, cap: int, size: int | None = None) -> list[Node]:
        """The elements of a list of at most `cap`, or of exactly `size`."""
        if not isinstance(self.value, list):
            self.expect("a list")
        if len(self.value) > cap:
            self.fail(f"must have at most {cap:,} elements, but has {len(self.value):,}")
        if size is not None and len(self.value) != size:
            self.fail(f"must have {size} elements, but has {len(self.value)}")
        return [Node(value, f"{self.path}[{i}]") for i, value in enumerate(self.value)]

    def integer(self, least: int, most: int) -> int:
        """An integer within limits."""
        if not isinstance(self.value, int) or isinstance(self.value, bool) or not least <= self.value <= most:
            self.expect(f"an integer from {least} to {most}")
        return self.value

    def integers(self, cap: int, least: int, most: int) -> tuple[int, ...]:
        """A list of at most `cap` integers within limits."""
        value = self.value
        if type(value) is list and len(value) <= cap and all(type(v) is int and least <= v <= most for v in value):
            return tuple(value)
        return tuple(item.integer(least, most) for item in self.items(cap))

    def number(self, least: float = -math.inf, most: float = math.inf) -> float:
        """A finite real number within limits."""
        if not isinstance(self.value, (int, float)) or isinstance(self.value, bool) or not abs(self.value) <= 1e308:
            self.expect("a finite number")
        if not least <= self.value <= most:
            self.expect(f"a number from {least} to {most}")
        return float(self.value)

    def text(self, cap: int = 1000) -> str:
        """A string of at most `cap` characters."""
        if not isinstance(self.value, str) or len(self.value) > cap:
            self.expect(f"a string of at most {cap} characters")
        return self.value

    def boolean(self) -> bool:
        """true or false."""
        if not isinstance(self.value, bool):
            self.expect("true or false")
        return self.value

    @property
    def is_null(self) -> bool:
        return self.value is None

    def _object(self) -> dict[str, Any]:
        if not isinstance(self.value, dict):
            self.expect("an object")
        return self.value


def parse(text: str, what: str = "JSON text") -> Node:
    """The document as a node.

    Raises:
        SerialError: no JSON, NaN or infinity in it, a name twice in one object, or nesting too deep.
    """
    if not isinstance(text, str):
        raise SerialError(f"{what}: must be a string, but is {type(text).__name__}.")
    if len(text) > MAX_BYTES:
        raise SerialError(f"{what}: must have at most {MAX_BYTES:,} characters, but has {len(text):,}.")
    try:
        return Node(json.loads(text, parse_constant=_no_constant, object_pairs_hook=_unique))
    except RecursionError:
        raise SerialError(f"{what}: is nested too deep.") from None
    except SerialError as error:
        raise SerialError(f"{what}: {error}") from None
    except ValueError as error:
        raise SerialError(f"{what}: is not JSON ({error}).") from None


def read_file(path: str | Path) -> Node:
    """The JSON document in a file.

    Raises:
        SerialError: as `parse`, or a file that is not there, too large, or not UTF-8.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SerialError(f"{path}: must have at most {MAX_BYTES:,} bytes, but has {path.stat().st_size:,}.")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SerialError(f"{path}: cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError as error:
        raise SerialError(f"{path}: is not UTF-8 text ({error.reason} at byte {error.start}).") from None
    return parse(text, str(path))


def _no_constant(word: str) -> NoReturn:
    raise SerialError(f"{word} is no number of JSON.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise SerialError("an object has the same member twice.")
    return members


def _kind(value: Any) -> str:
    return "a list" if isinstance(value, list) else "an object"


FORMAT, VERSION = "qsim", 1


def envelope(kind: str, data: dict[str, Any]) -> str:
    """JSON text of `data`, saying what it is: {"format": "qsim", "version": 1, "kind": ..., ...}."""
    return json.dumps({"format": FORMAT, "version": VERSION, "kind": kind, **data}, allow_nan=False)


def open_envelope(node: Node, *kinds: str) -> str:
    """The kind of a document, one of `kinds`.

    Raises:
        SerialError: another format, a newer version, or another kind.
    """
    if node.get("format").text() != FORMAT:
        node.get("format").expect(f"{FORMAT!r}")
    version = node.get("version").integer(1, 1 << 30)
    if version > VERSION:
        node.get("version").fail(
            f"is {version}, but this qsim reads versions up to {VERSION}; a newer qsim will read it"
        )
    if node.get("kind").text() not in kinds:
        node.get("kind").expect(" or ".join(map(repr, kinds)))
    return node.get("kind").text()
