"""OpenQASM 2 text as a stream of tokens, each with its place."""

from __future__ import annotations

import re
from bisect import bisect_right

from qsim._errors import QasmError

MAX_CHARACTERS = 64 << 20

WORD, NUMBER, STRING, SYMBOL, END, BAD = "word", "number", "string", "symbol", "end", "bad"

_TOKEN = re.compile(
    r"""(?:[ \t\r\n]++|//[^\n]*+)*+(?:
        (?P<word>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
      | (?P<symbol>->|==|[;,(){}\[\]+\-*/^])
      | (?P<string>"[^"\n]*"|'[^'\n]*')
      | (?P<end>\Z)
      | (?P<bad>.))""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)


class Lexer:
    """One token at a time: `kind`, `text` and `offset` are those of the token that is next.

    Args:
        source: the whole OpenQASM text.

    Raises:
        QasmError: the text is longer than 64 Mi characters.
    """

    __slots__ = ("source", "kind", "text", "offset", "_matches", "_lines")

    def __init__(self, source: str):
        if len(source) > MAX_CHARACTERS:
            raise QasmError(f"the text must have at most {MAX_CHARACTERS} characters, but has {len(source)}")
        self.source = source
        self._matches = _TOKEN.finditer(source)
        self._lines: list[int] | None = None
        self.kind, self.text, self.offset = BAD, "", 0
        self.advance()

    def advance(self) -> None:
        """Go to the next token; stays at the end once there."""
        match = next(self._matches, None)
        if match is None:
            return
        kind = match.lastgroup
        assert kind is not None
        self.kind, self.text, self.offset = kind, match[kind], match.start(kind)
        if kind == BAD:
            raise self.error(f"unexpected character {self.text!r}")

    def take(self, text: str) -> None:
        """Go past the symbol or keyword `text`, or raise."""
        if self.text != text:
            raise self.expected(f"`{text}`")
        self.advance()

    def take_word(self, what: str) -> str:
        """Go past an identifier and return it, or raise."""
        if self.kind != WORD:
            raise self.expected(what)
        text = self.text
        self.advance()
        return text

    def take_int(self, what: str) -> int:
        """Go past a non-negative whole number and return it, or raise."""
        text = self.text
        if self.kind != NUMBER or not text.isdigit():
            raise self.expected(what)
        if len(text.lstrip("0")) > 18:
            raise self.error(f"{what} must have at most 18 digits, but has {len(text)}")
        self.advance()
        return int(text)

    def place(self, offset: int) -> tuple[int, int]:
        """The line and column of a character, both from 1."""
        if self._lines is None:
            self._lines = [0, *(m.end() for m in re.finditer("\n", self.source))]
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1

    def error(self, message: str, offset: int | None = None) -> QasmError:
        """The error to raise about the token at `offset` (default the next one)."""
        return QasmError(message, *self.place(self.offset if offset is None else offset))

    def expected(self, what: str) -> QasmError:
        """The error for a next token that does not fit."""
        if self.kind == END:
            return self.error(f"expected {what}, but the text ends here")
        found = self.text if len(self.text) <= 40 else self.text[:40] + "..."
        return self.error(f"expected {what}, but found `{found}`")
