"""`compiler-agent explain`: the minimal edit of the stock pipeline behind a plan, and what each part of it pays."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from compiler_agent.base.errors import CompilerAgentError, PlanError
from compiler_agent.evaluation.evaluate import Evaluator
from compiler_agent.llvm import pipeline_edit
from compiler_agent.llvm.decision import Decision
from compiler_agent.llvm.pipeline import Pipeline, parse
from compiler_agent.llvm.plan import Plan
from compiler_agent.search.space import Space

_WORD = re.compile(r"[^,()<]+(?:<[^()]*?>)?\(|\)|[^,()<]+(?:<[^()]*?>)?(?=[,)]|$)")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of an edit: an option, a decision, or one change of the pipeline."""

    text: str
    """For people."""
    option: tuple[str, str] | None = None
    """Name and value, for an option."""
    decision: Decision | None = None
    """For a decision."""
    hunk: tuple[int, int, tuple[str, ...]] | None = None
    """First and last word of the stock pipeline that are replaced, and by what, for a change of the pipeline."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A plan, reduced to what pays."""

    baseline_value: int
    """The baseline's figure."""
    original_value: int
    """The kept plan's figure."""
    minimal: Plan
    """The smallest edit that is at least as good."""
    minimal_value: int
    """Its figure."""
    parts: tuple[tuple[Part, int], ...]
    """Each remaining part and what is lost without it, in the objective's unit."""


def explain(plan: Plan, evaluator: Evaluator, space: Space) -> Explanation:
    """Leaves out of a plan, part by part, everything without which it is no worse.

    Raises:
        CompilerAgentError: The plan has no figure any more.
    """
    known: dict[str, int | None] = {}

    def value_of(candidate: Plan) -> int | None:
        text = str(candidate)
        if text not in known:
            known[text] = evaluator.evaluate(candidate).value
        return known[text]

    original = value_of(plan)
    if original is None:
        raise CompilerAgentError("the plan does not apply any more", hint="run `compiler-agent verify`")
    stock_words = _words(space.stock)
    parts = _parts(plan, stock_words, space)

    def assembled(chosen: Iterable[Part]) -> Plan | None:
        try:
            return _assemble(list(chosen), stock_words, plan)
        except PlanError:
            return None

    def value(chosen: Sequence[Part]) -> int | None:
        candidate = assembled(chosen)
        return None if candidate is None else value_of(candidate)

    if value(parts) is None or (value(parts) or 0) > original:  # its pipeline is no edit of the stock one
        return Explanation(evaluator.baseline_value, original, plan, original, ())
    kept = _reduce(parts, value, original)
    final = value(kept)
    minimal = assembled(kept)
    assert final is not None
    assert minimal is not None
    worth = []
    for part in kept:
        without = value([other for other in kept if other is not part])
        worth.append((part, (without if without is not None else evaluator.baseline_value) - final))
    return Explanation(evaluator.baseline_value, original, minimal, final, tuple(worth))


def _reduce(parts: Sequence[Part], value: Callable[[Sequence[Part]], int | None], limit: int) -> list[Part]:
    """Delta debugging: halves first, then single parts, until none can be left out."""
    kept = list(parts)
    size = max(1, len(kept) // 2)
    while True:
        removed = False
        start = 0
        while start < len(kept):
            candidate = kept[:start] + kept[start + size :]
            figure = value(candidate)
            if figure is not None and figure <= limit:
                kept, removed = candidate, True
            else:
                start += size
        if size == 1 and not removed:
            return kept
        size = max(1, size // 2)


def _words(pipeline: Pipeline) -> list[str]:
    return _WORD.findall(str(pipeline))


def _parts(plan: Plan, stock_words: list[str], space: Space) -> list[Part]:
    parts = [Part(f"-{name}={value}", option=(name, value)) for name, value in plan.options]
    parts += [Part(str(decision), decision=decision) for decision in plan.decisions]
    words = _words(space.spelled_out(plan.pipeline))
    matcher = difflib.SequenceMatcher(None, stock_words, words, autojunk=False)
    for kind, first, last, new_first, new_last in matcher.get_opcodes():
        if kind == "equal":
            continue
        old, new = stock_words[first:last], words[new_first:new_last]
        text = {"delete": f"without {' '.join(old)}", "insert": f"with {' '.join(new)}"}.get(
            kind, f"{' '.join(old)} becomes {' '.join(new)}"
        )
        parts.append(Part(text, hunk=(first, last, tuple(new))))
    return parts


def _assemble(parts: list[Part], stock_words: list[str], plan: Plan) -> Plan:
    hunks = sorted((part.hunk for part in parts if part.hunk is not None), reverse=True)
    options = tuple(sorted(part.option for part in parts if part.option is not None))
    decisions = tuple(part.decision for part in parts if part.decision is not None)
    if not hunks:
        stock = "default<Oz>" if str(plan.pipeline) == "default<Oz>" else "default<O2>"
        return Plan(parse(stock), options, decisions)
    words = list(stock_words)
    for first, last, new in hunks:
        words[first:last] = new
    text = ",".join(words).replace("(,", "(").replace(",)", ")")
    return Plan(pipeline_edit.normalise(parse(text)), options, decisions)
