"""A plan: how one translation unit is compiled. Its text is the one in `docs/architecture.md`.

    -passes=PIPELINE -option=value -option=value loop:FUNCTION:POSITION:KEY=VALUE

Single spaces, options sorted by name, each once and with its value, then decisions (see `decision`), sorted, too. That
text is canonical: equal plans have equal text, and the other way round.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from dataclasses import dataclass, replace

from compiler_agent.base.errors import PlanError
from compiler_agent.llvm.decision import Decision
from compiler_agent.llvm.pipeline import Pipeline, parse

_PASSES = "-passes="
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_VALUE = re.compile(r"[!-~]+")  # printable ASCII without the space: what a flag can carry in the text of a plan

KEEP_ORDER = "-hints-allow-reordering=false"
"""What the plugin sets by itself where a decision forces vectorization: to clang a wish for vectors is leave to reorder
floating-point arithmetic, and no decision may give that."""

Option = tuple[str, str]
"""Name without dashes, and value, of one of LLVM's `cl::opt`s."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A pipeline, LLVM options and decisions; hashable, and ordered and spelled in one way only."""

    pipeline: Pipeline
    """The passes that replace clang's own."""
    options: tuple[Option, ...] = ()
    """LLVM options as (name, value); sorted when the plan is made. A name that comes twice is a `PlanError`."""
    decisions: tuple[Decision, ...] = ()
    """What pragmas and attributes would say; sorted when the plan is made. One thing decided twice is a `PlanError`."""

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.options))
        for name, value in ordered:
            if not _NAME.fullmatch(name):
                raise PlanError(f"plan: '{name}' is no option name", hint="write it without dashes: `disable-lsr`")
            if name == "passes":
                raise PlanError("plan: a second -passes=", hint="a plan has one pipeline: join them with ','")
            if not _VALUE.fullmatch(value):
                raise PlanError(f"plan: option -{name} cannot have the value {value!r}", hint="no spaces, not empty")
        for (name, first), (following, second) in itertools.pairwise(ordered):
            if name == following:
                raise PlanError(f"plan: option -{name} comes twice, with {first} and {second}", hint="keep one")
        decisions = tuple(sorted(self.decisions, key=str))
        for first_decision, second_decision in itertools.pairwise(decisions):
            if _subject(first_decision) == _subject(second_decision):
                raise PlanError(f"plan: '{first_decision}' and '{second_decision}' decide the same", hint="keep one")
        object.__setattr__(self, "options", ordered)
        object.__setattr__(self, "decisions", decisions)

    def __str__(self) -> str:
        options = (f"-{name}={value}" for name, value in self.options)
        return " ".join([f"{_PASSES}{self.pipeline}", *options, *map(str, self.decisions)])

    @classmethod
    def parse(cls, text: str) -> Plan:
        """Reads a plan; more white space and another order of the words are forgiven, and gone in `str`.

        Raises:
            PlanError: It cannot be read; the message says which word.
        """
        words = text.split()
        if not words or not words[0].startswith(_PASSES):
            raise PlanError(f"plan: it begins with {words[0]!r}" if words else "plan: it is empty", hint=_FORM)
        options = [_option(word) for word in words[1:] if word.startswith("-")]
        decisions = [Decision.parse(word) for word in words[1:] if not word.startswith("-")]
        return cls(parse(words[0].removeprefix(_PASSES)), tuple(options), tuple(decisions))

    def with_pipeline(self, pipeline: Pipeline) -> Plan:
        """The same options and decisions with another pipeline."""
        return replace(self, pipeline=pipeline)

    def with_option(self, name: str, value: str) -> Plan:
        """The plan with an option set, whether or not it was there."""
        return replace(self, options=(*self.without_option(name).options, (name, value)))

    def without_option(self, name: str) -> Plan:
        """The plan without an option; the same plan if it is not there."""
        return replace(self, options=tuple(option for option in self.options if option[0] != name))

    def option(self, name: str) -> str | None:
        """The value of an option, None where the plan does not set it."""
        return dict(self.options).get(name)

    def with_decision(self, decision: Decision) -> Plan:
        """The plan with something decided, whether or not, and however, it was before."""
        others = (other for other in self.decisions if _subject(other) != _subject(decision))
        return replace(self, decisions=(*others, decision))

    def without_decision(self, decision: Decision) -> Plan:
        """The plan without a decision; the same plan if it is not there."""
        return replace(self, decisions=tuple(other for other in self.decisions if other != decision))

    @property
    def sha256(self) -> str:
        """Digest of the canonical text, 64 hexadecimal digits."""
        return hashlib.sha256(str(self).encode()).hexdigest()


_FORM = "the form is `-passes=PIPELINE -option=value`, for example `-passes=default<O2> -disable-lsr=true`"


def _subject(decision: Decision) -> tuple[str, str]:
    return decision.place, decision.key


def _option(word: str) -> Option:
    name, equals, value = word.partition("=")
    if word.startswith("--") or len(name) < 2:
        raise PlanError(f"plan: {word!r} is not an option", hint=_FORM)
    if not equals:
        raise PlanError(f"plan: option {word} has no value", hint=f"write it out: `{word}=true`")
    return name[1:], value
