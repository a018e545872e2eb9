"""Where and how a decision is written in C and C++: its source form, and the places where it may belong.

A place here is a guess from the text. Whether it is right, the compiler says: see `source_patch`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from compiler_agent.llvm.decidable import Place
from compiler_agent.llvm.decision import Decision, Kind

_MOST_PLACES = 8
_LONGEST_STATEMENT = 4000
_BOUNDARY = re.compile(rb"[;{}):]|\b(?:else|do)\b")
_SKIPPED = re.compile(rb"(?:\s|/\*.*?\*/|//[^\n]*\n|#[^\n]*\n)*", re.DOTALL)

_Words = str | dict[str, str]
_LOOP_HINTS: dict[str, _Words] = {
    "distribute": {"true": "distribute(enable)", "false": "distribute(disable)"},
    "interleave": "interleave_count({})",
    "pipeline": {"false": "pipeline(disable)"},
    "pipeline-initiation-interval": "pipeline_initiation_interval({})",
    "unroll": {"full": "unroll(full)", "true": "unroll(enable)", "false": "unroll(disable)"},
    "unroll-count": "unroll_count({})",
    "vectorize": {"true": "vectorize(enable)", "false": "vectorize(disable)"},
    "vectorize-width": "vectorize_width({})",
}
_LOOP_PRAGMAS: dict[str, _Words] = {
    "unroll-and-jam": {"true": "unroll_and_jam", "false": "nounroll_and_jam"},
    "unroll-and-jam-count": "unroll_and_jam({})",
}
_WITHOUT_FORM = {
    "minsize": "clang has no attribute that takes it away",
    "no-jump-tables": "clang has no attribute for it; -fno-jump-tables says it for the whole unit",
    "optsize": "clang has no attribute for it",
    "prefer-vector-width": "clang has no attribute for it; -mprefer-vector-width= says it for the whole unit",
}


@dataclass(frozen=True, slots=True)
class Form:
    """How decisions on one call, function or loop are written: as pragmas, or else as an attribute."""

    pragmas: tuple[str, ...] = ()
    """What follows `#pragma`, one for each line."""
    attribute: str = ""
    """What stands before the statement or the declaration."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A form at a place."""

    offset: int
    """In bytes from the beginning of the file."""
    form: Form
    """What is written there."""


def without_form(decision: Decision) -> str:
    """Why a decision cannot be written in the source; empty where it can."""
    if decision.kind is Kind.FUNCTION and (decision.key, decision.value) != ("minsize", "true"):
        return _WITHOUT_FORM.get(decision.key, "")
    return ""


def form_of(decisions: Sequence[Decision]) -> Form:
    """The form of decisions on one place, each of which has one."""
    kind = decisions[0].kind
    if kind is Kind.CALL:
        return Form(attribute="[[clang::always_inline]]" if decisions[0].value == "always" else "[[clang::noinline]]")
    if kind is Kind.FUNCTION:
        return Form(attribute=f"__attribute__(({', '.join(decision.key for decision in decisions)}))")
    pragmas = [_spelled(_LOOP_PRAGMAS[one.key], one.value) for one in decisions if one.key in _LOOP_PRAGMAS]
    hints = [_spelled(_LOOP_HINTS[one.key], one.value) for one in decisions if one.key in _LOOP_HINTS]
    return Form((*pragmas, *([f"clang loop {' '.join(hints)}"] if hints else [])))


def places(source: bytes, kind: Kind, place: Place) -> list[int]:
    """Offsets at which the form may belong, the likeliest first."""
    lines = [0, *(match.end() for match in re.finditer(rb"\n", source))]
    if not 0 < place.line <= len(lines):
        return []
    start = lines[place.line - 1]
    if kind is Kind.LOOP:
        return [start + place.column - 1]
    if kind is Kind.CALL:
        return list(itertools.islice(_starts(source, start + place.column - 1), _MOST_PLACES))
    indented = re.compile(rb"[ \t]*").match(source, start)
    assert indented is not None
    return [indented.end(), *itertools.islice(_starts(source, indented.end()), 1)]


def edited(source: bytes, edits: Iterable[Edit], *, keep_lines: bool = False) -> bytes:
    """The source with the forms in their places.

    Args:
        source: The text.
        edits: What is written into it.
        keep_lines: Write pragmas as `_Pragma` in their places, so that no line moves.
    """
    for edit in sorted(edits, key=lambda edit: edit.offset, reverse=True):
        before, after = source[: edit.offset], source[edit.offset :]
        if not edit.form.pragmas:
            source = before + edit.form.attribute.encode() + b" " + after
        elif keep_lines:
            source = before + b"".join(b'_Pragma("%s") ' % pragma.encode() for pragma in edit.form.pragmas) + after
        else:
            newline = b"\r\n" if b"\r\n" in source else b"\n"
            line = before.rpartition(b"\n")[2]
            indent = line[: len(line) - len(line.lstrip())]
            written = b"".join(b"#pragma %s%s%s" % (pragma.encode(), newline, indent) for pragma in edit.form.pragmas)
            if line.strip():
                before = before.rstrip(b" \t") + newline + indent
            source = before + written + after
    return source


def _starts(source: bytes, offset: int) -> Iterable[int]:
    """Where statements and declarations may begin, back from an offset in them."""
    first = max(0, offset - _LONGEST_STATEMENT)
    boundaries = [match.end() for match in _BOUNDARY.finditer(source, first, offset)]
    seen = set()
    for boundary in (*reversed(boundaries), *([0] if first == 0 else [])):
        skipped = _SKIPPED.match(source, boundary)
        assert skipped is not None
        if skipped.end() <= offset and skipped.end() not in seen:
            seen.add(skipped.end())
            yield skipped.end()


def _spelled(words: _Words, value: str) -> str:
    return words.format(value) if isinstance(words, str) else words[value]
