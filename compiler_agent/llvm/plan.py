"""A plan: how one translation unit is compiled. Its text is the one in `docs/architecture.md`.

    -passes=PIPELINE -option=value -option=value

Single spaces, options sorted by name, each once and with its value. That text is canonical: equal plans have equal
text, and the other way round.
Decisions (per call site, per loop, per function) will join the pipeline and the options as a third part.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from dataclasses import dataclass, replace

from compiler_agent.base.errors import PlanError
from compiler_agent.llvm.pipeline import Pipeline, parse

_PASSES = "-passes="
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_VALUE = re.compile(r"[!-~]+")  # printable ASCII without the space: what a flag can carry in the text of a plan

Option = tuple[str, str]
"""Name without dashes, and value, of one of LLVM's `cl::opt`s."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A pipeline and LLVM options; hashable, and ordered and spelled in one way only."""

    pipeline: Pipeline
    """The passes that replace clang's own."""
    options: tuple[Option, ...] = ()
    """LLVM options as (name, value); sorted when the plan is made. A name that comes twice is a `PlanError`."""

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
        object.__setattr__(self, "options", ordered)

    def __str__(self) -> str:
        return " ".join([f"{_PASSES}{self.pipeline}", *(f"-{name}={value}" for name, value in self.options)])

    @classmethod
    def parse(cls, text: str) -> Plan:
        """Reads a plan; more white space and another order of the options are forgiven, and gone in `str`.

        Raises:
            PlanError: It cannot be read; the message says which word.
        """
        words = text.split()
        if not words or not words[0].startswith(_PASSES):
            raise PlanError(f"plan: it begins with {words[0]!r}" if words else "plan: it is empty", hint=_FORM)
        return cls(parse(words[0].removeprefix(_PASSES)), tuple(_option(word) for word in words[1:]))

    def with_pipeline(self, pipeline: Pipeline) -> Plan:
        """The same options with another pipeline."""
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

    @property
    def sha256(self) -> str:
        """Digest of the canonical text, 64 hexadecimal digits."""
        return hashlib.sha256(str(self).encode()).hexdigest()


_FORM = "the form is `-passes=PIPELINE -option=value`, for example `-passes=default<O2> -disable-lsr=true`"


def _option(word: str) -> Option:
    name, equals, value = word.partition("=")
    if word.startswith("--") or not name.startswith("-") or len(name) < 2:
        raise PlanError(f"plan: {word!r} is not an option", hint=_FORM)
    if not equals:
        raise PlanError(f"plan: option {word} has no value", hint=f"write it out: `{word}=true`")
    return name[1:], value
