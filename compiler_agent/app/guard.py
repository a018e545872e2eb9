"""A limit on what is not the objective: `size<=1.05` while tuning for speed, `speed>=0.99` while tuning for size."""

from __future__ import annotations

import re
from dataclasses import dataclass

from compiler_agent.base.errors import UsageError

_FORMS = {
    "speed": (re.compile(r"size<=(\d+(?:\.\d+)?)"), "size<=1.05"),
    "size": (re.compile(r"speed>=(\d+(?:\.\d+)?)"), "speed>=0.99"),
}


@dataclass(frozen=True, slots=True)
class Guard:
    """A limit that a plan must keep to."""

    limit: float
    """For speed: candidate's executable bytes ÷ the baseline's, at most. For size: the speedup, at least."""

    @classmethod
    def parse(cls, text: str, objective: str) -> Guard:
        """Reads a guard for an objective, size or speed.

        Raises:
            UsageError: It is none, or guards the objective itself.
        """
        form, example = _FORMS[objective]
        match = form.fullmatch(text.replace(" ", ""))
        if match is None:
            raise UsageError(f"--guard {text!r} does not go with --objective {objective}", hint=f'as in "{example}"')
        return cls(float(match[1]))
