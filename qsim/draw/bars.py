"""Bar charts in a terminal."""

from __future__ import annotations

from collections.abc import Mapping

EIGHTHS = " ▏▎▍▌▋▊▉█"


def bar_chart(counts: Mapping[str, int], width: int, rows: int = 32, ascii_only: bool = False) -> str:
    """Counts as horizontal bars, the largest first.

    Args:
        counts: outcome -> how often.
        width: how many columns there are.
        rows: how many outcomes to show at most; the rest is summed up in a last line.
        ascii_only: draw with `#` only.

    Returns:
        The lines: outcome, count, share and bar.

    Example:
        >>> print(bar_chart({"00": 3, "11": 1}, width=32))
        00  3  75.0 % ██████████████████
        11  1  25.0 % ██████
    """
    total = sum(counts.values())
    shown = sorted((item for item in counts.items() if item[1]), key=lambda item: (-item[1], item[0]))
    rest = shown[rows:]
    shown = shown[:rows]
    if not shown:
        return "no outcomes"
    digits = len(str(shown[0][1]))
    heads = [f"{outcome}  {count:{digits}d} {100 * count / total:5.1f} % " for outcome, count in shown]
    room = max(4, width - len(heads[0]))
    lines = [head + _bar(room * count / shown[0][1], ascii_only) for head, (_, count) in zip(heads, shown, strict=True)]
    if rest:
        lines.append(f"and {len(rest)} more outcomes, {sum(count for _, count in rest)} times in all")
    return "\n".join(line.rstrip() for line in lines)


def _bar(length: float, ascii_only: bool) -> str:
    if ascii_only:
        return "#" * max(1, round(length))
    eighths = max(1, round(8 * length))
    return EIGHTHS[8] * (eighths // 8) + EIGHTHS[eighths % 8]
