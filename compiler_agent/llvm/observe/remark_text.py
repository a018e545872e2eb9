"""Optimization remarks in words: the same said once, what tells most first, what tells nothing left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from compiler_agent.llvm.observe.redaction import Redaction
from compiler_agent.llvm.observe.remarks import Remark

_RANKS = (
    ("loop-vectorize", "transform-warning"),
    ("inline",),
    ("loop-unroll", "loop-interchange", "loop-distribute", "loop-idiom", "loop-delete", "simple-loop-unswitch"),
    ("slp-vectorizer", "tailcallelim"),
    ("regalloc", "prologepilog"),
    ("gvn", "licm"),
)
_ALLOCATED = {"NumSpills": "spills", "NumReloads": "reloads", "NumFoldedReloads": "folded reloads"}
_MOST_LINES = 12


def grouped(remarks: Iterable[Remark], redaction: Redaction, name: Callable[[str], str] | None = None) -> list[str]:
    """One line for each thing that was said.

    Args:
        remarks: Of one function.
        redaction: For what they name.
        name: How functions that were inlined, or were not, are called; by default as redaction says.
    """
    telling = [one for one in remarks if _tells(one)]
    said: dict[tuple[int, str, str], dict[int, None]] = {}  # rank, pass and message, with the lines in order
    for one in telling:
        if one.pass_name != "inline":
            rank = next(rank for rank, names in enumerate(_RANKS) if one.pass_name in names)
            said.setdefault((rank, one.pass_name, _words(one, redaction)), {})[one.line] = None
    rows = [(0, row) for row in _vectorization(said)]
    rows += [(1, row) for row in _inlining(telling, name or redaction.name)]
    for (rank, pass_name, message), lines in said.items():
        if rank and message:
            rows.append((rank, f"{pass_name}, {_lines(lines)}: {message}"))
    return [row for _, row in sorted(rows, key=lambda row: row[0])]


def _tells(remark: Remark) -> bool:
    """Whether one could act on it."""
    if not any(remark.pass_name in names for names in _RANKS):
        return False
    if remark.pass_name in ("gvn", "licm"):
        return remark.kind == "missed"
    if remark.pass_name == "prologepilog":
        return remark.argument("NumStackBytes") not in ("", "0")
    return remark.name not in ("NoDefinition", "NotPossible", "NotBeneficial")


def _words(remark: Remark, redaction: Redaction) -> str:
    if remark.pass_name == "regalloc":  # LLVM's own words are mostly costs in exponents
        counts = [f"{text} {_ALLOCATED[key]}" for key, text in remark.arguments if key in _ALLOCATED]
        where = "loop" if "Loop" in remark.name else "function"
        return f"{', '.join(counts)} in this {where}" if counts else ""
    if remark.pass_name == "prologepilog":
        return f"{remark.argument('NumStackBytes')} bytes of stack"
    if remark.pass_name == "gvn" and remark.argument("ClobberedBy"):
        return f"load not eliminated: its memory is written by a {redaction.value(remark.argument('ClobberedBy'))}"
    return remark.message(redaction).strip(" :;")


def _vectorization(said: dict[tuple[int, str, str], dict[int, None]]) -> list[str]:
    """The reasons for each line together; a bare verdict only where no reason is given."""
    by_line: dict[int, list[str]] = {}
    for (rank, _, message), lines in said.items():
        for line in lines if rank == 0 else ():
            by_line.setdefault(line, []).append(message)
    reasons: dict[str, list[int]] = {}
    for line, messages in sorted(by_line.items()):
        telling = [one for one in messages if not any(other != one and other.startswith(one) for other in messages)]
        reasons.setdefault(_joined(telling), []).append(line)
    return [f"loop-vectorize, {_lines(lines)}: {reason}" for reason, lines in reasons.items()]


def _joined(messages: Sequence[str]) -> str:
    """Messages with the verdict that they begin with said once."""
    verdict, colon, _ = messages[0].partition(": ")
    if colon and all(message.startswith(verdict + colon) for message in messages):
        return verdict + colon + "; ".join(message.removeprefix(verdict + colon) for message in messages)
    return "; ".join(messages)


def _inlining(remarks: Sequence[Remark], name: Callable[[str], str]) -> list[str]:
    """What was inlined on one line, and each call that was not with its cost."""
    calls = [one for one in remarks if one.pass_name == "inline"]
    inlined = [
        f"{name(one.argument('Callee'))} line {one.line or '?'}{_cost(one, ' (cost {})')}"
        for one in calls
        if one.kind == "passed" and one.argument("Callee")
    ]
    refused: dict[str, dict[int, None]] = {}
    for one in calls:
        if one.kind == "missed" and one.argument("Callee"):
            reason = _cost(one, ", cost {} is not below the threshold {}")
            reason += f": {one.argument('Reason')}" if one.argument("Reason") else ""
            refused.setdefault(f"{name(one.argument('Callee'))} not inlined{reason}", {})[one.line] = None
    rows = [f"inline, {_lines(lines)}: {words}" for words, lines in refused.items()]
    return [*rows, f"inlined: {', '.join(dict.fromkeys(inlined))}"] if inlined else rows


def _cost(remark: Remark, form: str) -> str:
    cost, threshold = remark.argument("Cost"), remark.argument("Threshold")
    return form.format(cost, threshold) if cost and threshold else f" (cost {cost})" if cost else ""


def _lines(lines: Iterable[int]) -> str:
    known = sorted(set(lines) - {0})
    if not known:
        return "line ?"
    more = f" and {len(known) - _MOST_LINES} more" if len(known) > _MOST_LINES else ""
    return f"line{'s' if len(known) > 1 else ''} {', '.join(map(str, known[:_MOST_LINES]))}{more}"
