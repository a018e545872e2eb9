"""A decision: what a pragma or an attribute in the source would say of one call, function or loop.

    call:FUNCTION:POSITION:inline=always
    function:FUNCTION:minsize=true
    loop:FUNCTION:POSITION:unroll-count=4

FUNCTION is the name in the IR, with `%XX` for each byte that is no letter, digit, `_`, `.` or `$`. Positions count from
0 in the IR as clang makes it, before any pass: loops in preorder, calls among the direct ones of functions that are no
intrinsics. `docs/decisions-in-plans.md` says what each one does.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, unquote

from compiler_agent.base.errors import PlanError

_NAME_CHARACTERS = string.ascii_letters + string.digits + "_.$"
_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")
_FORM = "`call:FUNCTION:POSITION:KEY=VALUE`, `function:FUNCTION:KEY=VALUE` or `loop:FUNCTION:POSITION:KEY=VALUE`"


class Kind(StrEnum):
    """What a decision is about."""

    CALL = "call"
    FUNCTION = "function"
    LOOP = "loop"


KEYS: Mapping[Kind, Mapping[str, Sequence[str] | range]] = {
    Kind.CALL: {"inline": ("always", "never")},
    Kind.FUNCTION: {
        "cold": ("true",),
        "hot": ("true",),
        "minsize": ("true", "false"),
        "no-jump-tables": ("true",),
        "noinline": ("true",),
        "optsize": ("true", "false"),
        "prefer-vector-width": ("128", "256", "512"),
    },
    Kind.LOOP: {
        "distribute": ("true", "false"),
        "interleave": range(1, 65),
        "pipeline": ("false",),
        "pipeline-initiation-interval": range(1, 1025),
        "unroll": ("full", "true", "false"),
        "unroll-and-jam": ("true", "false"),
        "unroll-and-jam-count": range(1, 1025),
        "unroll-count": range(1, 1025),
        "vectorize": ("true", "false"),
        "vectorize-width": range(1, 65),
    },
}
"""What can be decided of each kind, and the values: words, or a range of numbers."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision; hashable, and spelled in one way only."""

    kind: Kind
    """What it is about."""
    function: str
    """The function's name in the IR."""
    position: int | None
    """Which call or loop of that function; None for the function itself."""
    key: str
    """What is decided, one of `KEYS[kind]`."""
    value: str
    """How it is decided."""

    def __post_init__(self) -> None:
        if not self.function:
            raise PlanError(f"decision: {self} names no function", hint=_FORM)
        if (self.position is None) != (self.kind is Kind.FUNCTION) or (self.position or 0) < 0:
            raise PlanError(f"decision: {self} has the wrong position", hint=_FORM)
        values = KEYS[self.kind].get(self.key)
        if values is None:
            raise PlanError(f"decision: of a {self.kind} '{self.key}' cannot be decided", hint=_among(KEYS[self.kind]))
        if isinstance(values, range):
            if not _NUMBER.fullmatch(self.value) or int(self.value) not in values:
                raise PlanError(
                    f"decision: {self.key} cannot be '{self.value}'", hint=f"a number from {values[0]} to {values[-1]}"
                )
        elif self.value not in values:
            raise PlanError(f"decision: {self.key} cannot be '{self.value}'", hint=_among(values))

    def __str__(self) -> str:
        return f"{self.place}:{self.key}={self.value}"

    @property
    def place(self) -> str:
        """What it is about, as it stands in the text before the key."""
        name = "".join(letter if letter in _NAME_CHARACTERS else quote(letter, safe="") for letter in self.function)
        name = name.replace("-", "%2D").replace("~", "%7E")  # which `quote` lets stand
        return ":".join([self.kind, name, *([] if self.position is None else [str(self.position)])])

    @property
    def forces_vectorization(self) -> bool:
        """Whether clang takes it as leave to reorder floating-point arithmetic, which `plan.KEEP_ORDER` forbids."""
        return (self.key == "vectorize" and self.value == "true") or (
            self.key == "vectorize-width" and self.value != "1"
        )

    @classmethod
    def parse(cls, word: str) -> Decision:
        """Reads one decision.

        Raises:
            PlanError: It is none, or decides what cannot be decided.
        """
        place, _, wish = word.rpartition(":")
        key, _, value = wish.partition("=")
        kind, *parts = place.split(":")
        if kind not in set(Kind) or len(parts) != (1 if kind == Kind.FUNCTION else 2):
            raise PlanError(
                f"plan: {word!r} is no decision", hint=f"an option begins with '-', and a decision is {_FORM}"
            )
        name, *position = parts
        if position and not _NUMBER.fullmatch(position[0]):
            raise PlanError(f"plan: {word!r} has no position", hint=_FORM)
        made = cls(Kind(kind), unquote(name), int(position[0]) if position else None, key, value)
        if str(made) != word:
            raise PlanError(f"plan: {word!r} is not how that is written", hint=f"write `{made}`")
        return made


def _among(words: Sequence[str] | Mapping[str, object]) -> str:
    return f"one of {', '.join(words)}"
