"""Whether two texts are the same behaviour, and if not, what differs first and where."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

_SHOWN_CHARACTERS = 200
_NUMBER = re.compile(
    rb"[-+]?(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|[-+]?\b(?:inf(?:inity)?|nan)\b", re.IGNORECASE
)
_FLOATING = re.compile(rb"[.eE]|inf|nan", re.IGNORECASE)
_HINTS = (
    (re.compile(rb"0x[0-9a-fA-F]{6,}"), "addresses"),
    (re.compile(rb"\d\d:\d\d:\d\d"), "the time"),
    (re.compile(rb"\b(?:19|20)\d\d-\d\d-\d\d\b"), "a date"),
    (re.compile(rb"\d+\.\d+ ?m?s(?:ec(?:onds?)?)?\b"), "times taken"),
)


@dataclass(frozen=True, slots=True)
class Difference:
    """The first thing in which a behaviour differs from the one expected."""

    where: str
    """exit status, standard output, standard error, or a file's name in quotes."""
    expected: str
    """What the reference did; for a text the first line that differs, shortened."""
    seen: str
    """What was seen instead."""
    line: int | None = None
    """Number of that line, from 1; None where there are no lines."""

    def __str__(self) -> str:
        """In words, as one line."""
        if self.line is None:
            return f"{self.where}: {self.seen} instead of {self.expected}"
        return f"{self.where}, line {self.line}: {self.seen!r} instead of {self.expected!r}"


def compare_texts(where: str, expected: bytes, seen: bytes, tolerance: float = 0.0) -> Difference | None:
    """The first difference of two texts, line by line.

    Args:
        where: What the texts are, for the difference.
        expected: The reference's.
        seen: The other.
        tolerance: Floating-point numbers a and b are the same where |a - b| <= tolerance * max(1, |a|, |b|); 0: all
            is compared byte for byte. Integers are never given a tolerance.
    """
    if expected == seen:
        return None
    expected_lines, seen_lines = expected.split(b"\n"), seen.split(b"\n")
    for index in range(max(len(expected_lines), len(seen_lines))):
        ours = expected_lines[index] if index < len(expected_lines) else None
        theirs = seen_lines[index] if index < len(seen_lines) else None
        if ours is None or theirs is None or not _same_line(ours, theirs, tolerance):
            return Difference(where, _shown(ours), _shown(theirs), index + 1)
    return None


def instability(difference: Difference) -> str:
    """What probably makes a text change from run to run, by the look of the line; empty if nothing is recognised."""
    line = f"{difference.expected} {difference.seen}".encode()
    return next((words for pattern, words in _HINTS if pattern.search(line)), "")


def _same_line(expected: bytes, seen: bytes, tolerance: float) -> bool:
    if expected == seen:
        return True
    if tolerance <= 0 or _NUMBER.sub(b"#", expected) != _NUMBER.sub(b"#", seen):
        return False
    pairs = zip(_NUMBER.findall(expected), _NUMBER.findall(seen), strict=True)
    return all(first == second or _close(first, second, tolerance) for first, second in pairs)


def _close(first: bytes, second: bytes, tolerance: float) -> bool:
    hexadecimal = any(b"x" in number.lower() for number in (first, second))
    if hexadecimal or not (_FLOATING.search(first) or _FLOATING.search(second)):
        return False
    a, b = float(first), float(second)
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    if math.isinf(a) or math.isinf(b):
        return a == b
    return abs(a - b) <= tolerance * max(1.0, abs(a), abs(b))


def _shown(line: bytes | None) -> str:
    if line is None:
        return "(nothing: the text has ended)"
    text = line[: 2 * _SHOWN_CHARACTERS].decode("utf-8", "backslashreplace")
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"
