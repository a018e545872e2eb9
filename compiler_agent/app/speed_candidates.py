"""From a plan of a search for speed to a program that can be timed: compiled as it would ship, and quickly judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from compiler_agent.app.guard import Guard
from compiler_agent.app.program import Choice, Objects, Program
from compiler_agent.base.errors import CompilerAgentError, PlanError
from compiler_agent.evaluation.evaluate import FAULTS, Verdict
from compiler_agent.evaluation.layout import Layouts
from compiler_agent.llvm.catalog_entries import Provenance
from compiler_agent.llvm.engine import Outcome as Compilation
from compiler_agent.llvm.plan import Plan
from compiler_agent.search.speed_space import STOCK, SpeedSpace, for_unit, words_of


@dataclass(frozen=True, slots=True)
class Candidate:
    """A plan for a program, compiled."""

    plan: Plan
    """For the whole program."""
    choice: Choice
    """What that means for each of its hot units; units whose object it does not change are left out."""
    digest: str
    """Of all objects: candidates with the same one are the same program."""
    text_bytes: int
    """Executable sections of all units."""


class Rejected(CompilerAgentError):
    """A candidate that is not timed."""

    def __init__(self, verdict: Verdict, reason: str) -> None:
        super().__init__(reason)
        self.verdict = verdict


class Candidates:
    """Makes candidates of one program.

    Args:
        program: The program.
        objects: Where objects are kept.
        hot: Its units that plans are for, with the functions that each defines.
        space: The plans that are searched.
        allow_experimental: Whether experimental passes and options may be used.
        guard: The most that a program may grow; None: no limit.
    """

    def __init__(
        self,
        program: Program,
        objects: Objects,
        hot: Mapping[str, Sequence[str]],
        space: SpeedSpace,
        *,
        allow_experimental: bool = False,
        guard: Guard | None = None,
    ) -> None:
        self.program, self.objects, self._space = program, objects, space
        self._hot = hot
        self._allow_experimental, self._guard = allow_experimental, guard

    def text_bytes(self, choice: Choice) -> int:
        """Executable sections of all units."""
        return sum(self.objects.text_bytes(unit, choice) for unit in self.program.units)

    def make(self, plan: Plan) -> Candidate:
        """Compiles with a plan.

        Raises:
            Rejected: It may not be used, does not compile, or makes the program too large.
        """
        self._check(plan)
        wanted = {key: for_unit(plan, functions) for key, functions in self._hot.items()}
        given = Choice(plans={key: str(one) for key, one in wanted.items() if one != STOCK})
        plans = {}
        for unit in self.program.units:
            compiled = self.objects.compiled(unit, given)
            if compiled.outcome is not Compilation.OK:
                raise Rejected(FAULTS[compiled.outcome], f"{unit.record.source}: {compiled.message}")
            if unit.key in given.plans and compiled.content != self.objects.compiled(unit, Choice()).content:
                plans[unit.key] = given.plans[unit.key]
        choice = Choice(plans=plans)
        text_bytes = self.text_bytes(choice)
        if self._guard is not None and text_bytes > self._guard.limit * self.text_bytes(Choice()):
            raise Rejected(Verdict.NOT_BETTER, f"{text_bytes} executable bytes, more than --guard allows")
        return Candidate(plan, choice, self.objects.digest(self.program.units, choice), text_bytes)

    def reduced(self, candidate: Candidate) -> Candidate:
        """The same program by a plan without the words that do nothing to it."""
        for _, word in words_of(candidate.plan):
            try:
                shorter = self.make(self._space.without_word(candidate.plan, word))
            except Rejected:
                continue
            if shorter.digest == candidate.digest:
                candidate = shorter
        return candidate

    def build(self, candidate: Candidate, place: Path) -> Layouts:
        """The candidate's executables, once it is seen to do what the reference does on its first input.

        Raises:
            Rejected: It does something else, or does not build.
        """
        try:
            layouts = self.program.layouts(candidate.choice, self.objects, place)
            outcome = self.program.judge(layouts, quickly=True)
        except CompilerAgentError as error:
            raise Rejected(Verdict.NOT_ESTABLISHED, str(error)) from error
        if not outcome.verdict.permits:
            raise Rejected(Verdict.MISCOMPILED, str(outcome))
        return layouts

    def _check(self, plan: Plan) -> None:
        try:
            self._space.catalog.check(plan)
        except PlanError as error:
            raise Rejected(Verdict.REJECTED, str(error)) from error
        provenance = self._space.catalog.provenance_of(plan)
        if not self._allow_experimental and provenance.provenance is not Provenance.PRODUCTION:
            names = ", ".join(provenance.names)
            raise Rejected(Verdict.NOT_ESTABLISHED, f"experimental: {names}; needs --allow-experimental")
