"""LLVM's optimization remarks: read, put into words, and grouped."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from compiler_agent.llvm.observe.redaction import Redaction, printable

_HEAD = re.compile(r"--- !(\w+)")
_FIELD = re.compile(r"(\w+):(?:\s+(.*))?$")
_PLACE = re.compile(r"\{ File: (.*), Line: (\d+), Column: (\d+) \}")
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
        return printable(text.replace("\n", " "))
    return redaction.name(text) if key in _SYMBOLS else redaction.value(text)


def grouped(remarks: Iterable[Remark], redaction: Redaction) -> list[str]:
    """One line for each thing that was said of one place, the most telling passes first.

    Reasons of one pass for one line are joined, and what was said n times has a count.
    """
    places: dict[tuple[int, str, int], Counter[str]] = {}
    for remark in remarks:
        if (rank := _rank(remark)) is not None:
            said = places.setdefault((rank, remark.pass_name, remark.line), Counter())
            said[_words(remark, redaction)] += 1
    rows = []
    for (_, pass_name, line), said in sorted(places.items()):
        messages = [
            f"{message}{f' (x{count})' if count > 1 else ''}"
            for message, count in said.items()
            if message
            and not any(
                other != message and other.startswith(message) for other in said
            )  # a verdict without its reason
        ]
        if messages:
            rows.append(f"{pass_name}, line {line or '?'}: {_joined_reasons(messages)}")
    return rows


def _words(remark: Remark, redaction: Redaction) -> str:
    if remark.pass_name == "regalloc":  # LLVM's own words are mostly costs in exponents
        counts = [f"{text} {_ALLOCATED[key]}" for key, text in remark.arguments if key in _ALLOCATED]
        where = "loop" if "Loop" in remark.name else "function"
        return f"{', '.join(counts)} in this {where}" if counts else ""
    return remark.message(redaction).strip(" :;")


_ALLOCATED = {"NumSpills": "spills", "NumReloads": "reloads", "NumFoldedReloads": "folded reloads"}


def _joined_reasons(messages: Sequence[str]) -> str:
    """Messages with the verdict that they begin with said once."""
    verdict, colon, _ = messages[0].partition(": ")
    if colon and len(messages) > 1 and all(message.startswith(verdict + colon) for message in messages):
        return verdict + colon + "; ".join(message.removeprefix(verdict + colon) for message in messages)
    return "; ".join(messages)


_RANKS = (
    ("loop-vectorize", "slp-vectorizer", "inline", "transform-warning"),
    (
        "loop-unroll",
        "loop-interchange",
        "loop-distribute",
        "loop-idiom",
        "loop-delete",
        "simple-loop-unswitch",
        "tailcallelim",
    ),
    ("regalloc", "prologepilog"),
    ("gvn", "licm"),
)


def _rank(remark: Remark) -> int | None:
    """Smaller is more telling; None: it tells nothing that one could act on."""
    if remark.pass_name in ("licm", "gvn") and remark.kind != "missed":
        return None
    return next((rank for rank, names in enumerate(_RANKS) if remark.pass_name in names), None)
