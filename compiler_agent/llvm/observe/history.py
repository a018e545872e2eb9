"""What was tried already."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

_WORD = re.compile(r"[^\s,()<]+(?:<[^()]*?>)?\(?|\)")
_CONTEXT = 1


@dataclass(frozen=True, slots=True)
class Attempt:
    """One plan that was judged."""

    plan: str
    """Its text."""
    parent: str
    """The text of the plan that it was made from."""
    verdict: str
    """What was decided, with the reason where it was refused."""
    figure: str
    """What was measured, beside what it is compared with, as in "812 bytes (stock 840)"; empty: nothing."""


def history_text(attempts: Sequence[Attempt]) -> str:
    """Each plan as an edit to its parent, the newest last."""
    return "\n".join(
        f" {number}. {edit(one.parent, one.plan)}: {one.verdict}{f', {one.figure}' if one.figure else ''}"
        for number, one in enumerate(attempts, 1)
    )


def edit(parent: str, plan: str) -> str:
    """How a plan differs from its parent: words removed with -, added with +, each change after the word before it."""
    before, after = _WORD.findall(parent), _WORD.findall(plan)
    changes = []
    for tag, start, end, new_start, new_end in difflib.SequenceMatcher(
        None, before, after, autojunk=False
    ).get_opcodes():
        if tag != "equal":
            words = [f"-{word}" for word in before[start:end]] + [f"+{word}" for word in after[new_start:new_end]]
            place = f"after {' '.join(before[max(0, start - _CONTEXT) : start])}: " if start else ""
            changes.append(place + " ".join(words))
    return "; ".join(changes) or "the same plan"
