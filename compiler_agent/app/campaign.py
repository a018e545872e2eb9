"""The hunt for miscompiles: random plans on generated programs, and each mismatch followed up.

A mismatch is *confirmed* only if the program has no undefined behaviour as far as its sanitizers or its making can
say; its report then names the pass. State is in a journal: an interrupt loses at most the programs in hand.
"""

from __future__ import annotations

import enum
import hashlib
import random
import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from compiler_agent.app.blame import STOCK, Blame, ProgramOracle, find_blame
from compiler_agent.app.blame_ir import IrUnit
from compiler_agent.app.blame_program import Program
from compiler_agent.app.blame_report import write_report
from compiler_agent.app.campaign_plans import Kind, PlanSource
from compiler_agent.base.errors import CompilerAgentError, NotEstablished
from compiler_agent.base.journal import Journal, in_parallel
from compiler_agent.base.scratch import ScratchDirectory
from compiler_agent.llvm import catalog
from compiler_agent.llvm.engine import Outcome
from compiler_agent.llvm.plan import Plan
from compiler_agent.llvm.toolchain import Toolchain

_PLAN_TIMEOUT_S = 20.0
_REDUCTIONS_PER_PASS = 2
SAME, DIFFERENT, NOT_RUN = "same", "different", "not-run"


class Triage(enum.StrEnum):
    """What became of a mismatch."""

    CONFIRMED = "confirmed"
    """The program's behaviour is defined, as far as can be told: the plan is wrong."""
    UNDEFINED = "undefined-behaviour"
    """The program has undefined behaviour: nothing is shown about the plan."""
    UNEXPLAINED = "unexplained"
    """It could not be followed up: for a person to look at."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One plan on one program."""

    kind: str
    """production or experimental."""
    plan: str
    """The plan."""
    outcome: str
    """same, different, not-run, or how the compilation failed (rejected, crash, timeout, …)."""
    message: str = ""
    """Why, for all but `same`."""
    culprit: str = ""
    """The pass: that crashed or hung, or that is to blame for a mismatch."""
    triage: str = ""
    """What became of a mismatch."""
    report: str = ""
    """The directory of its report."""


class Case(Protocol):
    """One generated program."""

    @property
    def name(self) -> str:
        """What it is called, a file name."""
        ...

    @property
    def level(self) -> str:
        """The optimization level of its baseline."""
        ...

    def make(self, directory: Path) -> Program:
        """Generates it into an empty directory, and runs its reference.

        Raises:
            NotEstablished: It is not suitable: too slow, or does not repeat.
        """
        ...

    def check_defined(self, directory: Path, program: Program) -> tuple[bool, str]:
        """Whether its behaviour is defined, and how that was found out."""
        ...


@dataclass(slots=True)
class Campaign:
    """What is the same for all cases."""

    toolchain: Toolchain
    """LLVM."""
    output: Path
    """Where the journal and the reports go."""
    seed: int
    """Of the plans."""
    plans_per_kind: int
    """Plans of each kind for each program."""
    reduce_s: float
    """What llvm-reduce may take for a report, in seconds."""
    on_event: Callable[[str], None] = lambda words: None
    """Told of what is worth a line."""
    _sources: dict[str, PlanSource] = field(default_factory=dict)
    _reduced: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self, cases: Iterable[Case], journal: Journal, jobs: int) -> None:
        """Works on the cases that the journal does not have yet; Ctrl-C ends it after those in hand."""
        todo = (case for case in cases if journal.get("case", case.name) is None)
        try:
            for case, future in in_parallel(todo, self._one, jobs):
                journal.note("case", case.name, level=case.level, **future.result())
        except KeyboardInterrupt:
            self._stop.set()
            raise

    def _one(self, case: Case) -> dict[str, Any]:
        with ScratchDirectory() as scratch:
            directory = Path(scratch)
            try:
                program = case.make(directory)
            except NotEstablished as error:
                return {"discarded": error.message, "trials": []}
            # The program's name, and not only the seed: one that is left out does not change the others' plans.
            rng = random.Random(f"{self.seed}/{case.name}")
            with self._lock:
                source = self._sources.setdefault(case.level, PlanSource(self.toolchain, case.level))
            oracle = ProgramOracle(program)
            trials = []
            for kind in [Kind.PRODUCTION, Kind.EXPERIMENTAL] * self.plans_per_kind:
                if self._stop.is_set():
                    raise KeyboardInterrupt
                trials.append(asdict(self._try(case, directory, program, oracle, kind, source.draw(kind, rng))))
            return {"discarded": "", "trials": trials}

    def _try(
        self, case: Case, directory: Path, program: Program, oracle: ProgramOracle, kind: Kind, plan: Plan
    ) -> Trial:
        checked = Plan.parse(f"-passes={plan.pipeline},verify{str(plan).removeprefix(f'-passes={plan.pipeline}')}")
        made = program.unit.compile(checked, timeout_s=_PLAN_TIMEOUT_S)
        if made.outcome is not Outcome.OK:
            return Trial(kind, str(plan), made.outcome, made.message[:300], made.running)
        try:
            differences = oracle.differences_of(made.content)
        except CompilerAgentError as error:
            return Trial(kind, str(plan), NOT_RUN, error.message[:300])
        if not differences:
            return Trial(kind, str(plan), SAME)
        self.on_event(f"{case.name}: {kind}: {differences[0]}")
        return self._triage(case, directory, program, kind, plan, str(differences[0]))

    def _triage(self, case: Case, directory: Path, program: Program, kind: Kind, plan: Plan, difference: str) -> Trial:
        defined, how = case.check_defined(directory, program)
        if not defined:
            return Trial(kind, str(plan), DIFFERENT, f"{difference}; {how}", "", Triage.UNDEFINED)
        name = f"{case.name}-{hashlib.sha256(str(plan).encode()).hexdigest()[:8]}"
        place = self.output / "reports" / name
        try:
            found = find_blame(plan, program, self.toolchain, catalog.load(), reduce_s=0)
            reduce_s = self._reduction_time(found)
            if reduce_s > 0:
                found = find_blame(found.minimal, program, self.toolchain, catalog.load(), reduce_s=reduce_s)
            unit = IrUnit(program, self.toolchain, catalog.load())
            checks = f"The program's behaviour is defined: {how}."
            write_report(found, unit, place, checks=checks)
            for source in directory.glob("*.[chl]*"):
                (place / source.name).write_bytes(source.read_bytes())
        except (CompilerAgentError, OSError) as error:
            return Trial(kind, str(plan), DIFFERENT, f"{difference}; {error}"[:500], "", Triage.UNEXPLAINED)
        culprit = ",".join(found.culprits)
        # Stock clang is wrong too: that is a finding about clang, or about the generator, not about the plan alone.
        if ProgramOracle(program).refutes(STOCK):
            culprit += " (and clang's own pipeline)"
        self.on_event(f"{case.name}: blamed on {culprit}; {place}")
        return Trial(
            kind, str(plan), DIFFERENT, difference, culprit, Triage.CONFIRMED, str(place.relative_to(self.output))
        )

    def _reduction_time(self, found: Blame) -> float:
        """Only the first reports about a pass get a smaller module: the others say the same again."""
        with self._lock:
            n_reduced = self._reduced.get(found.culprits[0], 0)
            self._reduced[found.culprits[0]] = n_reduced + 1
        return self.reduce_s if n_reduced < _REDUCTIONS_PER_PASS else 0.0
