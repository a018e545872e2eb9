"""What the function tester catches: mistakes planted into real optimized functions, and what becomes of each.

In phases, each of which goes on where it was interrupted. *make*: mutants whose objects differ from clang's own and
from each other. *judge*: which of them are equivalent, or wrong, by proof and by trying all inputs. The tester is not
asked, so that this is done once, whatever becomes of the tester. *test*: all that were not shown equivalent are tested
as a plan's object would be. *programs*: with those that were not caught the library's own tests are run. *confirm*:
those let through are tested for much longer; does any input get there at all?
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from compiler_agent.app.bench_mutants_build import Compiled, Site, compile_unit, list_sites, make_mutant, mutator
from compiler_agent.app.bench_mutants_judge import Answer, Prover, Reply, Tester, Truth, verdict_of
from compiler_agent.app.bench_mutants_programs import OwnTests
from compiler_agent.app.bench_mutants_sample import Candidate, candidates, choose_functions
from compiler_agent.base.errors import CompilerAgentError
from compiler_agent.base.files import remove_tree, write_atomically
from compiler_agent.base.journal import Journal, in_parallel
from compiler_agent.evaluation import libraries, library_build
from compiler_agent.evaluation.libraries import TranslationUnit
from compiler_agent.evaluation.library_fetch import fetch
from compiler_agent.llvm.toolchain import discover

LIBRARIES = ("zlib", "lua", "expat", "bzip2", "lz4", "libpng")
LEVELS = ("-Oz", "-O2")
PHASES = ("make", "judge", "test", "programs", "confirm")


@dataclass(frozen=True, slots=True)
class Settings:
    """Which mutants there are."""

    libraries: tuple[str, ...] = LIBRARIES
    """Where the functions come from."""
    levels: tuple[str, ...] = LEVELS
    """Levels that their units are compiled at."""
    n_functions: int = 48
    """Functions to draw."""
    n_mutants: int = 1200
    """Mutants to make; those with clang's own object do not count."""
    seed: int = 0
    """Of the draw."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How hard it is tried to find out what they are."""

    seconds: float = 10.0
    """Of the tester, for each mutant."""
    judge_seconds: float = 5.0
    """Of each prover, for each mutant, in processor time."""
    long_seconds: float = 120.0
    """Of the run that confirms that a mutant let through is wrong; 0: none."""
    seed: int = 0
    """Of the tester's inputs."""


class Bench:
    """One benchmark in a directory of its own: sources, mutants, and the journals that it continues.

    Args:
        settings: Which mutants.
        limits: How they are judged and tested.
        directory: The state.
        tester: What is measured.
        provers: What decides about mutants, the cheapest first.
        jobs: So many at the same time.
        run: The name of this run's tests: another tester needs another.
    """

    def __init__(
        self,
        settings: Settings,
        limits: Limits,
        directory: Path,
        tester: Tester,
        provers: Sequence[Prover],
        jobs: int,
        run: str = "tests",
    ) -> None:
        self.settings = settings
        self.limits = limits
        self.directory = directory.absolute()
        self.tester = tester
        self.provers = provers
        self.jobs = jobs
        self.programs = OwnTests(self.directory / "programs")
        kept = {name: value for name, value in asdict(settings).items() if name != "n_mutants"}
        self.mutants = Journal(self.directory / "mutants.jsonl", kept)
        self.tests = Journal(self.directory / f"{run}.jsonl", {"seconds": limits.seconds, "seed": limits.seed})

    def run(self, phases: Sequence[str] = PHASES, *, only_missed: bool = False) -> None:
        """Does what the journals do not have yet; with `only_missed`, judges those only that were let through.

        Raises:
            CompilerAgentError: Libraries, compiler or tester could not be used at all.
        """
        made = self.make(self.draw())
        if "judge" in phases:
            for prover in self.provers:
                print(f"judging: {prover.name}", file=sys.stderr, flush=True)
                wanted = [one for one in made if not only_missed or self._answer(one) is Answer.PASSED]
                self._all(wanted, partial(self.judge, prover=prover))
        wanted = [one for one in made if verdict_of(self.mutants, one.key).truth is not Truth.EQUIVALENT]
        if "test" in phases:
            print(f"testing {len(wanted)} that were not shown equivalent", file=sys.stderr, flush=True)
            self.prepare(wanted)
            self._all(wanted, self.test)
        if "programs" in phases:
            missed = [one for one in wanted if self._answer(one) in (Answer.PASSED, Answer.NOT_ESTABLISHED)]
            print(f"the own tests of libraries: {len(missed)} that were not caught", file=sys.stderr, flush=True)
            self._all(missed, self.try_own_tests)
        if "confirm" in phases:
            self._all([one for one in wanted if self._answer(one) is Answer.PASSED], self.confirm)

    def draw(self) -> Iterator[Candidate]:
        """Compiles the units and draws functions and mistakes."""
        mutator()  # without it each unit would be left out, one by one
        found: list[tuple[Compiled, list[Site]]] = []
        units = configured_units(self.settings.libraries, self.directory / "sources")
        jobs = [(unit, level) for unit in units for level in self.settings.levels]

        def work(job: tuple[TranslationUnit, str]) -> tuple[Compiled, list[Site]]:
            compiled = compile_unit(job[0], job[1], self.directory / "modules")
            return compiled, list_sites(compiled)

        for (unit, level), future in in_parallel(jobs, work, self.jobs):
            try:
                found.append(future.result())
            except CompilerAgentError as error:
                print(f"{unit.name} {level}: left out: {error}", file=sys.stderr)
                self._once("left-out", f"{unit.name} {level}", reason=str(error))
        by_unit = {compiled.unit.name: (compiled, sites) for compiled, sites in found}
        functions = choose_functions(by_unit, self.settings.n_functions, self.settings.seed)
        for unit_name, function in functions:
            self._once("function", f"{unit_name} {function}", part=by_unit[unit_name][0].unit.part.value)
        return candidates(found, functions, self.settings.seed)

    def make(self, order: Iterator[Candidate]) -> list[Candidate]:
        """Makes mutants in order until there are enough that differ from clang's object and from each other."""
        kept: list[Candidate] = []
        seen: set[str] = set()
        for candidate, future in in_parallel(order, self._object_of, self.jobs):
            digest = future.result()
            if digest == candidate.compiled.digest:
                fate = "identical"
            elif digest in seen:
                fate = "duplicate"
            else:
                fate = "kept"
                kept.append(candidate)
            seen.add(digest)
            if fate != "kept":
                for path in self._paths(candidate):
                    path.unlink(missing_ok=True)
            compiled, site = candidate.compiled, candidate.site
            self._once(
                "made", candidate.key, fate=fate, digest=digest, unit=compiled.unit.name, level=compiled.level,
                library=compiled.unit.library, part=compiled.unit.part.value, **asdict(site)
            )  # fmt: skip
            if len(kept) == self.settings.n_mutants:
                break
        n_functions = len({(one.compiled.unit.name, one.site.function) for one in kept})
        print(f"{len(kept)} mutants of {n_functions} functions", file=sys.stderr, flush=True)
        return kept

    def judge(self, candidate: Candidate, prover: Prover) -> None:
        """Asks one prover about a mutant, unless another one has decided or it had as much time already."""
        if verdict_of(self.mutants, candidate.key).truth is not Truth.UNDECIDED:
            return
        key = f"{candidate.key} {prover.name}"
        row = self.mutants.get("judged", key)
        limit_s = self.limits.judge_seconds if prover.limited else 0.0
        if row is not None and row["limit_s"] >= limit_s:
            return
        started_s = time.monotonic()
        proof = prover.prove(candidate.compiled, candidate.site, self._files(candidate)[0], limit_s)
        self.mutants.note("judged", key, mutant=candidate.key, prover=prover.name, truth=proof.truth.value,
                          how=proof.reason, limit_s=limit_s, seconds=time.monotonic() - started_s)  # fmt: skip
        if proof.truth is not Truth.UNDECIDED:
            print(f"  {candidate.key}: {proof.truth.value}: {prover.name}", file=sys.stderr, flush=True)

    def prepare(self, wanted: Sequence[Candidate]) -> None:
        """Builds what all mutants of a unit share, so that no two of them do."""
        waiting = [one for one in wanted if self.tests.get("tested", one.key) is None]
        shared = {one.compiled.name: one.compiled for one in waiting}

        def work(compiled: Compiled) -> None:
            self.tester.prepare(compiled.argv, compiled.unit.directory)

        for compiled, future in in_parallel(shared.values(), work, self.jobs):
            try:
                future.result()
            except CompilerAgentError as error:  # the tests will say so
                print(f"{compiled.name}: {error}", file=sys.stderr)

    def test(self, candidate: Candidate) -> None:
        """Asks the tester about one mutant."""
        if self.tests.get("tested", candidate.key) is not None:
            return
        started_s = time.monotonic()
        try:
            tested = self._ask(candidate, self._files(candidate)[1], self.limits.seconds, self.limits.seed)
        except CompilerAgentError as error:  # a mutant that breaks the tester is a finding about the tester
            tested = Reply(Answer.NOT_ESTABLISHED, f"error: {error}", 0.0, -1.0, 0)
        self.tests.note("tested", candidate.key, answer=tested.answer.value, reason=tested.reason,
                        coverage=tested.coverage, n_inputs=tested.n_inputs,
                        seconds=time.monotonic() - started_s)  # fmt: skip
        done = [row for _, row in self.tests.rows("tested")]
        caught = sum(row["answer"] == Answer.ALARM.value for row in done)
        print(
            f"[{len(done)}, {caught} caught] {candidate.key} {candidate.site.function}: {tested.answer.value} "
            f"in {time.monotonic() - started_s:.1f} s: {tested.reason[:100]}",
            file=sys.stderr, flush=True,
        )  # fmt: skip

    def try_own_tests(self, candidate: Candidate) -> None:
        """Runs the library's own tests with one mutant in it; that does not depend on the function tester."""
        if self.mutants.get("programs", candidate.key) is not None:
            return
        try:
            found = self.programs.test(candidate.compiled, self._files(candidate)[1])
        except CompilerAgentError as error:  # nothing was found out about this mutant: the next run asks again
            print(f"  {candidate.key}: {error}", file=sys.stderr, flush=True)
            return
        self.mutants.note("programs", candidate.key, answer=found.answer.value, reason=found.reason,
                          seconds=found.seconds)  # fmt: skip
        print(f"  {candidate.key}: {found.answer.value} in {found.seconds:.1f} s: {found.reason[:100]}",
              file=sys.stderr, flush=True)  # fmt: skip

    def confirm(self, candidate: Candidate) -> None:
        """A mutant that was let through: a long run with other inputs, and whether any input gets to its site."""
        row = self.tests.get("confirmed", candidate.key)
        if row is not None and (row["wrong"] or row["long_seconds"] >= self.limits.long_seconds):
            return
        wrong, how = False, ""
        if self.limits.long_seconds > 0:
            target = self._files(candidate)[1]
            tested = self._ask(candidate, target, self.limits.long_seconds, self.limits.seed + 1)
            wrong, how = tested.answer is Answer.ALARM, tested.reason
        self.tests.note("confirmed", candidate.key, wrong=wrong, how=how, reached=self._reached(candidate),
                        long_seconds=self.limits.long_seconds)  # fmt: skip

    def _reached(self, candidate: Candidate) -> bool | None:
        """Whether the tester's inputs get to the site at all: a trap there must raise an alarm. None: not said."""
        _, target = self._files(candidate, reach=True)
        answer = self._ask(candidate, target, self.limits.seconds, self.limits.seed).answer
        return None if answer is Answer.NOT_ESTABLISHED else answer is Answer.ALARM

    def _ask(self, candidate: Candidate, target: Path, seconds: float, seed: int) -> Reply:
        compiled, function = candidate.compiled, candidate.site.function
        return self.tester.test(
            compiled.argv, compiled.unit.directory, target, [function], seconds=seconds, seed=seed
        )[function]  # fmt: skip

    def _all(self, wanted: Sequence[Candidate], work: Callable[[Candidate], None]) -> None:
        for _, future in in_parallel(wanted, work, self.jobs):
            future.result()

    def _once(self, event: str, key: str, **values: object) -> None:
        if self.mutants.get(event, key) is None:
            self.mutants.note(event, key, **values)

    def _object_of(self, candidate: Candidate) -> str:
        row = self.mutants.get("made", candidate.key)
        if row is not None:
            return str(row["digest"])
        return hashlib.sha256(self._files(candidate)[1].read_bytes()).hexdigest()

    def _files(self, candidate: Candidate, *, reach: bool = False) -> tuple[Path, Path]:
        """The mutant's bitcode and object, made if they are not there; with `reach` those that trap at its site."""
        bitcode, target = self._paths(candidate, ".trap" if reach else "")
        bitcode.parent.mkdir(parents=True, exist_ok=True)
        if not (bitcode.exists() and target.exists()):
            write_atomically(target, make_mutant(candidate.compiled, candidate.site, bitcode, reach=reach))
        return bitcode, target

    def _paths(self, candidate: Candidate, suffix: str = "") -> tuple[Path, Path]:
        name = hashlib.sha256(candidate.key.encode()).hexdigest()[:20] + suffix
        return self.directory / "mutants" / f"{name}.bc", self.directory / "mutants" / f"{name}.o"

    def _answer(self, candidate: Candidate) -> Answer | None:
        row = self.tests.get("tested", candidate.key)
        return Answer(row["answer"]) if row is not None else None


def configured_units(names: Sequence[str], directory: Path) -> list[TranslationUnit]:
    """The translation units of libraries, configured in a directory once and found there again later."""
    units: list[TranslationUnit] = []
    toolchain = discover()
    compiler = library_build.Compiler(str(toolchain.clang), str(toolchain.clangxx), "-O2")
    for library in libraries.select(libraries.load(), names):
        place = directory / fetch(library).name
        finished = place.with_name(f"{place.name}.configured")
        if not finished.exists():
            remove_tree(place)  # an interrupt came between
            library_build.configured_units(library, place, compiler)
            finished.touch()
        units += libraries.translation_units(library, place)
    return units
