"""Puts what is known into so many tokens: what matters most comes first, and what is left out is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from compiler_agent.llvm.observe.compact_ir import CompactFunction

CHARACTERS_PER_TOKEN = 3.0
"""For text that is mostly IR: it has more punctuation and digits than prose, of which a token holds about four."""
DEFAULT_TOKEN_BUDGET = 8000
"""Of a packet."""
_FACTS_SHARE = 0.6
"""Of the room for functions, so much at most goes to facts, so that IR has a place."""
_ONE_SHARE = 0.6
"""Of the room that is left, so much at most goes to one function while others wait."""


@dataclass(frozen=True, slots=True)
class Section:
    """What there is to say of one function."""

    name: str
    """As it is shown."""
    head: str
    """One line."""
    facts: str
    """Loops, estimates, remarks, effects of passes."""
    ir: CompactFunction
    """Its IR."""


def tokens(text: str) -> int:
    """An estimate of a text's tokens."""
    return round(len(text) / CHARACTERS_PER_TOKEN)


def assemble(head: str, sections: Sequence[Section], token_budget: int) -> str:
    """The head, then the facts of the functions, then their IR, as far as the budget goes.

    Args:
        head: What is always there; cut only where it alone is more than the budget.
        sections: Functions, the most important one first.
        token_budget: The most that the text may have.
    """
    whole = int(token_budget * CHARACTERS_PER_TOKEN)
    head = cut(head, whole)
    closing = _closing_length(sections)
    room = whole - len(head) - closing
    texts = _facts(sections, room)
    room -= sum(len(text) + 2 for text in texts)
    unseen = []
    for index, section in enumerate(sections):
        heading = "" if index < len(texts) else f"{section.head}\n"
        own = room if section is sections[-1] else int(room * _ONE_SHARE)
        ir = section.ir.text(own - len(heading) - len(_IR_HEAD) - 2)
        if not ir:
            unseen.append(section.name)
        elif index < len(texts):
            texts[index] += f"\n{_IR_HEAD}{ir}"
        else:
            texts.append(f"{heading}{_IR_HEAD}{ir}")
        room -= len(heading) + len(_IR_HEAD) + len(ir) + 2 if ir else 0
    if unseen:
        texts.append(cut(f"{_UNSEEN}{', '.join(unseen)}", closing))
    return "\n\n".join([head, *texts]) + "\n"


def cut(text: str, room: int) -> str:
    """A text, or those of its lines that fit and a word on the others."""
    if len(text) <= room:
        return text
    rows: list[str] = []
    left = room - _NOTE_CHARACTERS
    lines = text.split("\n")
    for line in lines:
        if len(line) + 1 > left:
            break
        rows.append(line)
        left -= len(line) + 1
    note = f"NOT SHOWN: {len(lines) - len(rows)} lines more"
    return "\n".join([*rows, note])[: max(room, 0)]


_NOTE_CHARACTERS = 40
_IR_HEAD = "IR:\n"
_UNSEEN = "NOT SHOWN for want of room, the IR of: "


def _closing_length(sections: Sequence[Section]) -> int:
    return min(len(_UNSEEN) + sum(len(section.name) + 2 for section in sections), 400) + 4


def _facts(sections: Sequence[Section], room: int) -> list[str]:
    """Heads and facts of the first functions, as many as have room."""
    texts: list[str] = []
    left = int(room * _FACTS_SHARE)
    for section in sections:
        own = left if section is sections[-1] else int(left * _ONE_SHARE)
        text = cut(f"{section.head}\n{section.facts}".rstrip(), own - 2)
        if not text.startswith(section.head):
            break
        texts.append(text)
        left -= len(text) + 2
    return texts
