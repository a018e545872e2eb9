"""The ledger of a plan: what was shown for each function of its unit, and how far the plan may be trusted for it.

    ledger = establish(argv, cwd, key, plan, catalog, seconds_per_function=2.0, seed=0, prove=False)
    ledger.refutation  # not empty: the plan miscompiles, and this shows it
    ledger.trust       # Trust.TESTED, …; None: it may not be kept at all

For each function the cheapest evidence that will do: its code is clang's own, a proof, a test. A proof is about
IR, so it does not count where the plan also changes how code is generated.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from compiler_agent.base.trust import (
    DEFAULT_TEST_COVERAGE,
    DEFAULT_TEST_SECONDS,
    FunctionRecord,
    Strength,
    Trust,
    counted,
)
from compiler_agent.evaluation import difftest
from compiler_agent.evaluation.difftest import ProgramVerdict
from compiler_agent.evaluation.ledger_checks import Checks
from compiler_agent.evaluation.ledger_gathering import Gathering
from compiler_agent.llvm import replay
from compiler_agent.llvm.catalog import Catalog
from compiler_agent.llvm.catalog_entries import Provenance
from compiler_agent.llvm.plan import Plan

_CHEAP_SECONDS = 1.0
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Ledger:
    """What is known of one plan on one unit."""

    functions: Mapping[str, FunctionRecord]
    """By symbol: functions that other units can call, local ones whose address is in data, data that differ."""
    provenance: Provenance
    """How far LLVM's people trust what the plan runs."""
    refutation: str = ""
    """How the plan was shown to be wrong: the function and an input. Empty: it was not."""
    program: difftest.Outcome | None = None
    """What a whole program with the plan in place did; None: none was run."""
    seconds: float = 0.0
    """Time on the clock."""
    interrupted: bool = False
    """Ended early by the user: what is not established was perhaps not looked at."""
    refuted_functions: tuple[str, ...] = field(default=())
    """Symbols of the functions that were refuted."""

    @property
    def not_established(self) -> dict[str, FunctionRecord]:
        """What nothing is known of."""
        return {name: one for name, one in self.functions.items() if one.strength is Strength.NOT_ESTABLISHED}

    @property
    def trust(self) -> Trust | None:
        """How far the plan is established; None: not enough to keep it, whatever is demanded."""
        if self.refutation:
            return None
        return trust_of(
            self.functions.values(), self.provenance, self.program is not None and self.program.verdict.permits
        )

    def shortfall(self, demanded: Trust) -> str:
        """Why the plan is not trusted as much as is demanded, and what to do; empty if it is."""
        if self.refutation:
            return self.refutation
        if self.trust is not None and self.trust.satisfies(demanded):
            return ""
        if demanded is Trust.PRODUCTION:  # not even that: experimental
            demanded = Trust.TESTED
        enough = {Strength.PROVED} if demanded is Trust.PROVED else {Strength.PROVED, Strength.TESTED}
        changed = {name: one for name, one in self.functions.items() if one.strength is not Strength.UNCHANGED}
        missing = {name: one for name, one in changed.items() if one.strength not in enough}
        examples = "; ".join(
            f"{name}: {one.reason or one.strength.value}" for name, one in list(missing.items())[:_NAMED]
        )
        what = "proved" if demanded is Trust.PROVED else "established"
        text = f"{len(missing)} of {len(changed)} changed functions are not {what} ({examples})"
        ways = [] if demanded is Trust.PROVED else ["give --run CMD"]
        if ways and any(one.edges_covered < one.edges_wanted for one in missing.values()):
            ways.append("more --test-seconds")
        if self.provenance is Provenance.PRODUCTION:
            lower = "--trust tested, or --trust production" if demanded is Trust.PROVED else "--trust production"
            ways.append(lower)
        elif demanded is Trust.PROVED:
            ways.append("--trust tested")
        return f"{text}: {', or '.join(ways)}"

    def __str__(self) -> str:
        """The counts, as words."""
        return counted(self.functions)


def trust_of(functions: Iterable[FunctionRecord], provenance: Provenance, program_passes: bool) -> Trust | None:
    """What evidence for its functions, and perhaps a program that behaves the same, makes of a plan."""
    strengths = {record.strength for record in functions} - {Strength.UNCHANGED}
    if strengths <= {Strength.PROVED}:
        return Trust.PROVED
    if strengths <= {Strength.PROVED, Strength.TESTED} or program_passes:
        return Trust.TESTED
    return Trust.PRODUCTION if provenance is Provenance.PRODUCTION else None


def establish(
    argv: Sequence[str],
    cwd: str | os.PathLike[str],
    key: str,
    plan: Plan,
    catalog: Catalog,
    *,
    seconds_per_function: float = DEFAULT_TEST_SECONDS,
    seed: int = 0,
    coverage: float = DEFAULT_TEST_COVERAGE,
    prove: bool = False,
    doubtful: Collection[str] = (),
    program_test: Callable[[bytes], difftest.Outcome] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    on_function: Callable[[int, int], None] = lambda done, of: None,
    timeout_s: float = replay.DEFAULT_TIMEOUT_S,
) -> Ledger:
    """Finds out what can be said for a plan on one unit.

    Args:
        argv: The clang command of the unit, which writes an object to standard output.
        cwd: Its working directory.
        key: Its key in a lock.
        plan: The plan.
        catalog: What the plan may hold.
        seconds_per_function: For a test, and for a proof where it is asked for. 0: nothing is proved or tested.
        seed: Of the tests' inputs.
        coverage: The share of its edges that a function's test must reach to count, 0 to 1.
        prove: Whether a proof is tried for every function; else only for short ones without loops.
        doubtful: Functions of which nothing could be established with other plans, mostly because of their inputs and
            not of the plans. They are tested first, and where one is not established again, no other is tested.
        program_test: Runs a program that has this object in it.
        should_stop: Asked now and then; what is not looked at by then is not established.
        on_function: Told how many functions are done, and of how many.
        timeout_s: Processor time that one compilation with the plan may take.

    Raises:
        EngineError: The unit does not compile, without the plan or with it.
    """
    started_s = time.monotonic()
    work = Checks(argv, cwd, key, plan, timeout_s)
    found = Gathering(work, should_stop, on_function)
    if seconds_per_function > 0 and not should_stop():
        if not catalog.late_options(plan):  # else the IR is not all that the plan changes
            if prove:
                found.prove(found.changed, seconds_per_function)
            else:
                found.prove(work.short(found.changed), min(_CHEAP_SECONDS, seconds_per_function))
        found.test(seconds_per_function, seed, coverage, doubtful)
    interrupted = should_stop()
    functions = found.all_records(interrupted)
    refutation = "".join(f"{name} is wrong: {how.strip()}" for name, how in list(found.refuted.items())[:1])
    program = None
    if program_test is not None and not refutation and not interrupted:
        program = program_test(work.object)
        if program.verdict is ProgramVerdict.DIFFERENT:
            refutation = str(program)
    return Ledger(
        functions=functions,
        provenance=catalog.provenance_of(plan).provenance,
        refutation=refutation,
        program=program,
        seconds=time.monotonic() - started_s,
        interrupted=interrupted,
        refuted_functions=tuple(found.refuted),
    )
