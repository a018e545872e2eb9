"""A translation unit judged without a program: by the test of one of its functions, whose inputs show what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from compiler_agent.app.blame_program import Unit
from compiler_agent.base.errors import CompilerAgentError, EngineError, NotEstablished
from compiler_agent.evaluation.difftest import Outcome, ProgramVerdict
from compiler_agent.evaluation.difftest_compare import Difference
from compiler_agent.evaluation.function_test import FunctionEvidence, FunctionOutcome, test_functions
from compiler_agent.evaluation.ledger_checks import Checks
from compiler_agent.llvm import replay
from compiler_agent.llvm.plan import Plan

_GROUP = 4
"""Functions that are tested at a time, until one of them is refuted."""
_VALUES = re.compile(r"^// (.+?)(?:: byte|:| returns) (.+) in the reference, (.+) in the candidate$", re.MULTILINE)
_ENDS = re.compile(r"^// the reference (.+), the candidate (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class FunctionTests:
    """A unit, and the function whose test shows that a plan is wrong."""

    unit: Unit
    """The unit."""
    function: str
    """The symbol of the function."""
    counterexample: str
    """The input on which it is wrong with the whole plan, as C, and what differs."""
    seconds: float
    """For each test."""
    seed: int = 0
    """Of the inputs."""

    @classmethod
    def refuting(
        cls,
        unit: Unit,
        plan: Plan,
        seconds: float,
        *,
        seed: int = 0,
        on_step: Callable[[str], None] = lambda words: None,
    ) -> FunctionTests:
        """Tests the functions whose code a plan changes, until one is refuted.

        Raises:
            NotEstablished: None is, or the plan does not compile.
        """
        try:
            checks = Checks(unit.record.argv, unit.record.cwd, unit.key, plan, replay.DEFAULT_TIMEOUT_S)
        except EngineError as error:
            raise NotEstablished(f"the plan is not refuted, so there is nobody to blame: {error.message}") from error
        names = checks.comparison.changed
        unclear = 0
        for first in range(0, len(names), _GROUP):
            on_step(f"{min(first + _GROUP, len(names))} of {len(names)} changed functions are tested")
            for evidence in checks.test(names[first : first + _GROUP], seconds, seed):
                if evidence.outcome is FunctionOutcome.REFUTED:
                    return cls(unit, evidence.function, evidence.counterexample.strip(), seconds, seed)
                unclear += evidence.outcome is FunctionOutcome.NOT_ESTABLISHED
        raise NotEstablished(
            f"the plan is not refuted, so there is nobody to blame: no test of {len(names)} changed functions shows a "
            f"difference, and of {unclear} of them nothing can be said",
            hint="give --run CMD, a command that shows that the program is wrong, or more --test-seconds",
        )

    def judge(self, content: bytes) -> Outcome:
        """What the function does with this object of the unit."""
        record = self.unit.record
        try:
            report = test_functions(
                record.argv,
                record.cwd,
                content,
                seconds_per_function=self.seconds,
                seed=self.seed,
                functions=[self.function],
            )
        except CompilerAgentError as error:  # whatever broke in the tester is nothing that is wrong with the object
            return Outcome(ProgramVerdict.NOT_ESTABLISHED, (), error.message)
        for evidence in report.refuted:
            return Outcome(ProgramVerdict.DIFFERENT, (_difference(evidence),))
        for evidence in report.having(FunctionOutcome.TESTED):
            return Outcome(ProgramVerdict.SAME, (), evidence.reason)
        reason = report.functions[0].reason if report.functions else "the function tester does not know it"
        return Outcome(ProgramVerdict.NOT_ESTABLISHED, (), reason)

    def shown(self) -> list[str]:
        """What happens, as Markdown."""
        intro = f"`{self.function}`, called in this way in the unit compiled by the pipeline below, and at -O0:"
        return [intro, "", "```c", self.counterexample, "```", ""]

    def checked(self) -> list[str]:
        """What was established about the reference, one sentence each."""
        return [
            "On that input neither AddressSanitizer nor UndefinedBehaviorSanitizer nor TypeSanitizer finds anything at "
            "-O0, and -O0 does the same again, and with its local variables initialised."
        ]

    def to_see(self) -> list[str]:
        """How the two objects are seen to differ, in words."""
        return [
            f"Call {self.function} of each in this way:",
            *(f"  {line}" for line in self.counterexample.splitlines()),
        ]


def _difference(evidence: FunctionEvidence) -> Difference:
    if found := _VALUES.search(evidence.counterexample):
        return Difference(f"{evidence.function}, {found[1]}", found[2], found[3])
    if (found := _ENDS.search(evidence.counterexample)) and found[1] != found[2]:
        return Difference(evidence.function, f"the reference {found[1]}", f"it {found[2]}")
    return Difference(evidence.function, "what it does at -O0", "something else")
