"""LLVM's optimization remarks, read; `remark_text` puts them into words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from compiler_agent.llvm.observe.redaction import Redaction

_HEAD = re.compile(r"--- !(\w+)")
_FIELD = re.compile(r"(\w+):(?:\s+(.*))?$")
_PLACE = re.compile(r"\{ File: (.*),\s+Line: (\d+),\s+Column: (\d+) \}")
_ARGUMENT = re.compile(r"  - (\w+):\s*(.*)")
_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|.)")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "e": "\x1b"}
_SYMBOLS = ("Callee", "Caller", "Function")
_KINDS = {"Passed": "passed", "Missed": "missed", "Analysis": "analysis"}


@dataclass(frozen=True, slots=True)
class Remark:
    """One remark."""

    kind: str
    """passed, missed, or analysis (all other kinds)."""
    pass_name: str
    """The pass that made it."""
    name: str
    """What it is about, in LLVM's own word."""
    function: str
    """Symbol of the function in which it was made."""
    line: int
    """Source line; 0: unknown."""
    arguments: tuple[tuple[str, str], ...]
    """Key and text of each piece of the message."""

    def argument(self, key: str) -> str:
        """The text of the piece with a key; empty if there is none."""
        return dict(self.arguments).get(key, "")

    def message(self, redaction: Redaction) -> str:
        """The message as LLVM would print it, on one line."""
        return " ".join("".join(_shown(key, text, redaction) for key, text in self.arguments).split())


def parse_remarks(text: str) -> Iterator[Remark]:
    """Reads LLVM's YAML, which has a fixed form: one key on a line, one document for each remark.

    A general YAML parser takes seconds for the remarks of a big unit.
    """
    for document in re.split(r"^\.\.\.$", text, flags=re.MULTILINE):
        if head := _HEAD.search(document):
            yield _remark(_KINDS.get(head[1], "analysis"), document[head.end() :])


def _remark(kind: str, body: str) -> Remark:
    fields: dict[str, str] = {}
    arguments: list[tuple[str, str]] = []
    for line in _joined(body):
        if match := _ARGUMENT.match(line):
            arguments.append((match[1], _scalar(match[2])))
        elif match := _FIELD.match(line):
            fields[match[1]] = match[2] or ""
    place = _PLACE.fullmatch(fields.get("DebugLoc", "").strip())
    return Remark(
        kind,
        _scalar(fields.get("Pass", "")),
        _scalar(fields.get("Name", "")),
        _scalar(fields.get("Function", "")),
        int(place[2]) if place else 0,
        tuple(arguments),
    )


def _joined(body: str) -> Iterator[str]:
    """Lines, with a scalar that LLVM broke over several lines on one."""
    held = ""
    for line in body.splitlines():
        if _ARGUMENT.match(line) or _FIELD.match(line) or line.startswith("    DebugLoc:"):
            if held:
                yield held
            held = line
        else:
            held += " " + line.strip()
    yield held


def _scalar(text: str) -> str:
    text = text.strip()
    if len(text) >= 2 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return _ESCAPE.sub(_unescaped, text[1:-1])
    return text


def _unescaped(match: re.Match[str]) -> str:
    word = match[1]
    return chr(int(word[1:], 16)) if word[0] in "xu" and len(word) > 1 else _ESCAPES.get(word, word)


def _shown(key: str, text: str, redaction: Redaction) -> str:
    if key == "String":
        return redaction.prose(text)
    return redaction.name(text) if key in _SYMBOLS else redaction.value(text)
