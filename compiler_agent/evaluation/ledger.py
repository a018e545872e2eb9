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
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from compiler_agent.base.errors import CompilerAgentError, EngineError
from compiler_agent.base.trust import Checker, FunctionRecord, Strength, Trust, counted
from compiler_agent.evaluation import code_comparison, difftest
from compiler_agent.evaluation.difftest import ProgramVerdict
from compiler_agent.evaluation.function_test import FunctionEvidence, FunctionOutcome, test_functions
from compiler_agent.evaluation.validate import FunctionVerdict, Outcome, validate_modules
from compiler_agent.evaluation.validate.ir import read_module
from compiler_agent.llvm import replay
from compiler_agent.llvm.catalog import Catalog
from compiler_agent.llvm.catalog_entries import Provenance
from compiler_agent.llvm.engine import Outcome as CompileOutcome
from compiler_agent.llvm.library import Library
from compiler_agent.llvm.plan import Plan

DEFAULT_TEST_SECONDS = 2.0
_CHEAP_LINES = 40
"""A function that is shorter than this in assembly, and has no loop, is given to the prover unasked."""
_CHEAP_SECONDS = 1.0
_GROUP = 4
"""Functions that are tested before an interrupt is looked at."""
_ASSEMBLY = ("-S", "-g0", "-fno-verbose-asm")
_UNOPTIMIZED = ("-emit-llvm", "-g0", "-Xclang", "-disable-llvm-passes")
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
    prove: bool = False,
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
        prove: Whether a proof is tried for every function; else only for short ones without loops.
        program_test: Runs a program that has this object in it.
        should_stop: Asked now and then; what is not looked at by then is not established.
        on_function: Told how many functions are done, and of how many.
        timeout_s: Processor time that one compilation with the plan may take.

    Raises:
        EngineError: The unit does not compile, without the plan or with it.
    """
    started_s = time.monotonic()
    work = _Work(argv, cwd, key, plan, timeout_s)
    found = work.comparison
    records = {name: FunctionRecord(Strength.UNCHANGED, Checker.IDENTICAL_CODE) for name in sorted(found.unchanged)}
    for name in found.data:
        records[name] = _nothing(Checker.IDENTICAL_CODE, "data: it does not begin with what clang's own code gives it")
    left = list(code_comparison.sequence_of(found))
    n_changed = len(left)
    refuted: dict[str, str] = {}
    if seconds_per_function > 0 and not should_stop():
        limit = seconds_per_function if prove else min(_CHEAP_SECONDS, seconds_per_function)
        chosen = left if prove else work.short(left)
        if catalog.late_options(plan):  # the IR is not all that the plan changes
            chosen = []
        for verdict in work.validate(chosen, limit, should_stop):
            if verdict.outcome is Outcome.REFUTED:
                refuted[verdict.function] = _in_words(verdict)
            elif verdict.outcome is Outcome.PROVED:
                checker = Checker(verdict.checker)
                records[verdict.function] = FunctionRecord(Strength.PROVED, checker, seconds=round(verdict.time_s, 1))
            on_function(sum(name in records or name in refuted for name in left), n_changed)
        left = [name for name in left if name not in records and name not in refuted]
        for name in found.hidden:
            if name in left:
                records[name] = _nothing(
                    Checker.FUNCTION_TEST, "local, and called through a pointer in data: no test calls it"
                )
                left.remove(name)
        while left and not refuted and not should_stop():
            group, left = left[:_GROUP], left[_GROUP:]
            for evidence in work.test(group, seconds_per_function, seed):
                if evidence.outcome is FunctionOutcome.REFUTED:
                    refuted[evidence.function] = evidence.counterexample
                records[evidence.function] = _tested(evidence)
            on_function(n_changed - len(left), n_changed)
    interrupted = should_stop()
    untried = "interrupted" if interrupted else "not tested" if not refuted else "not tested: another function is wrong"
    for name in [*left, *refuted]:
        records[name] = _nothing(Checker.FUNCTION_TEST, "refuted" if name in refuted else untried)
    refutation = "".join(f"{name} is wrong: {how.strip()}" for name, how in list(refuted.items())[:1])
    program = None
    if program_test is not None and not refutation and not interrupted:
        program = program_test(work.object)
        if program.verdict is ProgramVerdict.DIFFERENT:
            refutation = str(program)
    return Ledger(
        functions=dict(sorted(records.items())),
        provenance=catalog.provenance_of(plan).provenance,
        refutation=refutation,
        program=program,
        seconds=time.monotonic() - started_s,
        interrupted=interrupted,
        refuted_functions=tuple(refuted),
    )


class _Work:
    """The compilations of one unit, with the plan and without, and what is asked of them."""

    def __init__(
        self, argv: Sequence[str], cwd: str | os.PathLike[str], key: str, plan: Plan, timeout_s: float
    ) -> None:
        self._argv, self._cwd, self._key, self._plan, self._timeout_s = argv, cwd, key, str(plan), timeout_s
        self.object = self._with_plan()
        self._assembly = self._with_plan(*_ASSEMBLY).decode(errors="surrogateescape")
        own = replay.compile_plainly(argv, cwd, *_ASSEMBLY).decode(errors="surrogateescape")
        self.comparison = code_comparison.compare(own, self._assembly)

    def _with_plan(self, *more: str) -> bytes:
        made = replay.replay([*self._argv, *more], self._cwd, self._key, self._plan, timeout_s=self._timeout_s)
        if made.outcome is not CompileOutcome.OK:
            raise EngineError(f"the plan does not compile: {made.outcome}: {made.message}")
        return made.content

    def short(self, names: Sequence[str]) -> list[str]:
        """Functions for which a proof costs next to nothing."""
        code = code_comparison.parse(self._assembly)
        return [
            name for name in names if name in code.items and code.n_lines(name) <= _CHEAP_LINES and not code.loops(name)
        ]

    def validate(
        self, names: Sequence[str], seconds: float, should_stop: Callable[[], bool]
    ) -> Iterable[FunctionVerdict]:
        """What the translation validator says of functions that are there before and after."""
        if not names:
            return
        try:
            before = replay.compile_plainly(self._argv, self._cwd, *_UNOPTIMIZED)
            after = self._with_plan("-emit-llvm", "-g0")
            known = _in_both(before, after, names)
            for first in range(0, len(known), _GROUP * 2):
                if should_stop():
                    return
                group = known[first : first + _GROUP * 2]
                yield from validate_modules(before, after, functions=group, seconds_per_function=seconds)
        except CompilerAgentError:
            return  # what was not proved is tested

    def test(self, names: Sequence[str], seconds: float, seed: int) -> list[FunctionEvidence]:
        """What the function tester says; for each function there is an answer."""
        reason = "the function tester does not know it"
        found: dict[str, FunctionEvidence] = {}
        try:
            report = test_functions(
                self._argv, self._cwd, self.object, seconds_per_function=seconds, seed=seed, functions=names
            )
            found = {evidence.function: evidence for evidence in report.functions}
        except CompilerAgentError as error:
            reason = error.message.splitlines()[0]
        return [
            found.get(name) or FunctionEvidence(name, FunctionOutcome.NOT_ESTABLISHED, reason, seed=seed)
            for name in names
        ]


def _in_both(before: bytes, after: bytes, names: Sequence[str]) -> list[str]:
    library, modules = Library(), []
    for content in (before, after):
        with library.parse(content) as module:
            modules.append(read_module(module.json()))
    return [
        name for name in names if all(name in module.functions and module.functions[name].defined for module in modules)
    ]


def _nothing(checker: Checker, reason: str) -> FunctionRecord:
    return FunctionRecord(Strength.NOT_ESTABLISHED, checker, reason=reason)


def _tested(evidence: FunctionEvidence) -> FunctionRecord:
    tested = evidence.outcome is FunctionOutcome.TESTED
    return FunctionRecord(
        strength=Strength.TESTED if tested else Strength.NOT_ESTABLISHED,
        checker=Checker.FUNCTION_TEST,
        n_inputs=evidence.n_inputs,
        edges=evidence.edges,
        edges_covered=evidence.edges_covered,
        seconds=round(evidence.seconds, 1),
        seed=evidence.seed,
        reason=evidence.reason,
    )


def _in_words(verdict: FunctionVerdict) -> str:
    inputs = ", ".join(f"{name} = {value}" for name, value in verdict.counterexample)
    return f"{verdict.checker}: {verdict.reason}" + (f" for {inputs}" if inputs else "")
