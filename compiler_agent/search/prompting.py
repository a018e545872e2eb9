"""The texts that a language model is sent: files in `prompts/` that one can read and edit. This fills them in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from string import Template

from compiler_agent.llvm import decision
from compiler_agent.search import proposals
from compiler_agent.search.observing import fenced
from compiler_agent.search.space import Space
from compiler_agent.search.strategy import Score

_DIRECTORY = Path(__file__).with_name("prompts")
_REASON_LIMIT = 300


def fill(name: str, **words: object) -> str:
    """One of the files with its `$words` replaced; what is put in is never looked at for words again."""
    text = (_DIRECTORY / f"{name}.md").read_text(encoding="utf-8")
    return Template(text).substitute({word: str(value) for word, value in words.items()}).strip()


def system(space: Space, plans_per_turn: int) -> str:
    """The system prompt: the same for all units of a run, so that the server can keep it in its cache."""
    passes = [
        f"{known.name} [{'/'.join(known.levels)}]: {known.description}"
        + (f"; parameters: {' '.join(s for p in known.parameters for s in p.spellings)}" if known.parameters else "")
        for known in space.passes
    ]
    options = [
        f"{option.name} ({option.default or 'by target'}): {' '.join(option.search)}: {option.description}"
        + (f"; does nothing without {'='.join(option.needs)}" if option.needs else "")
        for option in space.options
    ]
    decisions = [
        f"{kind}: {key}={f'{values[0]}..{values[-1]}' if isinstance(values, range) else '|'.join(values)}"
        for kind, keys in decision.KEYS.items()
        for key, values in keys.items()
    ]
    return fill(
        "system",
        plans_per_turn=plans_per_turn,
        stock=proposals.labelled(space.stock),
        passes="\n".join(passes),
        decisions=space.restriction or "\n".join(decisions),
        options=space.restriction or "\n".join(options),
    )


def table(rows: Sequence[tuple[int, Score]], baseline: int) -> str:
    """What became of plans: number, figure, change against the baseline, verdict, and why it is refused.

    Reasons are compilers' messages and quote the code, so the table is fenced.
    """
    lines = ["plan  figure  change  verdict"]
    for number, score in rows:
        figure = "-" if score.value is None else str(score.value)
        change = "-" if score.value is None else f"{100 * (score.value / baseline - 1):+.2f}%" if baseline else "0"
        reason = " ".join(score.reason.split())[:_REASON_LIMIT]
        lines.append(f"{number:>4}  {figure:>6}  {change:>7}  {score.verdict}{f': {reason}' if reason else ''}")
    return fenced("\n".join(lines))
