"""What the function tester catches: mistakes planted into real optimized functions, and what becomes of each.

A mutant whose object is the unmutated one is none, and one whose object another mutant has already is the same. All
others are tested as a plan's object would be. What the tester lets through is then either equivalent (shown by proof or
by trying all inputs), or really wrong (an input shows it), or undecided, which counts against it in the lower bound.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from compiler_agent.app import libraries, library_build
from compiler_agent.app.bench_journal import Journal, in_parallel
from compiler_agent.app.bench_mutants_build import Compiled, Site, compile_unit, list_sites, make_mutant
from compiler_agent.app.bench_mutants_judge import Answer, Prover, Reply, Tester, Truth
from compiler_agent.app.bench_mutants_sample import Candidate, candidates, choose_functions
from compiler_agent.app.libraries import TranslationUnit
from compiler_agent.app.library_fetch import fetch
from compiler_agent.base.errors import CompilerAgentError
from compiler_agent.base.files import write_atomically
from compiler_agent.llvm.toolchain import discover

LIBRARIES = ("zlib", "lua", "expat", "bzip2", "lz4", "libpng")
LEVELS = ("-Oz", "-O2")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the figures depend on."""

    libraries: tuple[str, ...] = LIBRARIES
    """Where the functions come from."""
    levels: tuple[str, ...] = LEVELS
    """Levels that their units are compiled at."""
    n_functions: int = 48
    """Functions to draw."""
    n_mutants: int = 1000
    """Mutants to test; those with clang's own object do not count."""
    seconds: float = 10.0
    """Of the tester, for each function."""
    long_seconds: float = 120.0
    """Of the run that decides about a mutant that was let through; 0: none."""
    seed: int = 0
    """Of the draw and of the inputs."""


class Bench:
    """One benchmark in a directory of its own: sources, mutants, and the journal that it continues."""

    def __init__(self, settings: Settings, directory: Path, tester: Tester, prover: Prover, jobs: int) -> None:
        self.settings = settings
        self.directory = directory.absolute()
        self.tester = tester
        self.prover = prover
        self.jobs = jobs
        kept = {name: value for name, value in asdict(settings).items() if name not in ("long_seconds", "n_mutants")}
        self.journal = Journal(self.directory / "journal.jsonl", kept)
        self.units: dict[str, Compiled] = {}

    def run(self) -> None:
        """Makes, tests and judges the mutants that the journal does not have yet.

        Raises:
            CompilerAgentError: Libraries, compiler or tester could not be used at all.
        """
        made = self.make(self.draw())
        for candidate, future in in_parallel(made, self.test, self.jobs):
            future.result()
            self._say(candidate)
        missed = [candidate for candidate in made if self._answer(candidate) is Answer.PASSED]
        print(f"{len(missed)} were let through: what are they?", file=sys.stderr)
        for candidate, future in in_parallel(missed, self.judge, self.jobs):
            future.result()
            row = self.journal.get("judged", candidate.key)
            print(f"  {candidate.key}: {row['truth'] if row else '?'}", file=sys.stderr, flush=True)

    def draw(self) -> Iterator[Candidate]:
        """Compiles the units and draws functions and mistakes."""
        found: list[tuple[Compiled, list[Site]]] = []
        units = configured_units(self.settings.libraries, self.directory / "sources")
        jobs = [(unit, level) for unit in units for level in self.settings.levels]

        def work(job: tuple[TranslationUnit, str]) -> tuple[Compiled, list[Site]]:
            compiled = compile_unit(job[0], job[1], self.directory / "modules")
            return compiled, list_sites(compiled)

        for (unit, level), future in in_parallel(jobs, work, self.jobs):
            try:
                compiled, sites = future.result()
            except CompilerAgentError as error:
                print(f"{unit.name} {level}: left out: {error}", file=sys.stderr)
                self.journal.note("left-out", f"{unit.name} {level}", reason=str(error))
                continue
            self.units[compiled.name] = compiled
            found.append((compiled, sites))
        by_unit = {compiled.unit.name: (compiled, sites) for compiled, sites in found}
        functions = choose_functions(by_unit, self.settings.n_functions, self.settings.seed)
        for unit_name, function in functions:
            part = by_unit[unit_name][0].unit.part.value
            self.journal.note("function", f"{unit_name} {function}", part=part)
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
            if self.journal.get("made", candidate.key) is None:
                compiled, site = candidate.compiled, candidate.site
                self.journal.note(
                    "made", candidate.key, fate=fate, digest=digest, unit=compiled.unit.name, level=compiled.level,
                    library=compiled.unit.library, part=compiled.unit.part.value, **asdict(site)
                )  # fmt: skip
            if len(kept) == self.settings.n_mutants:
                break
        print(f"{len(kept)} mutants of {len({c.site.function for c in kept})} functions", file=sys.stderr, flush=True)
        return kept

    def test(self, candidate: Candidate) -> None:
        """Asks the tester about one mutant."""
        if self.journal.get("tested", candidate.key) is not None:
            return
        started_s = time.monotonic()
        try:
            tested = self._ask(candidate, self._files(candidate)[1], self.settings.seconds, self.settings.seed)
        except CompilerAgentError as error:  # a mutant that breaks the tester is a finding about the tester
            tested = Reply(Answer.NOT_ESTABLISHED, f"error: {error}", 0.0, -1.0, 0)
        self.journal.note("tested", candidate.key, answer=tested.answer.value, reason=tested.reason,
                          coverage=tested.coverage, n_inputs=tested.n_inputs,
                          seconds=time.monotonic() - started_s)  # fmt: skip

    def judge(self, candidate: Candidate) -> None:
        """Finds out what a mutant is that was let through."""
        row = self.journal.get("judged", candidate.key)
        if row is not None and (
            row["truth"] != Truth.UNDECIDED.value or row["long_seconds"] >= self.settings.long_seconds
        ):
            return
        bitcode, target = self._files(candidate)
        proof = self.prover.prove(candidate.compiled, candidate.site.function, bitcode)
        truth, how = proof.truth, proof.reason
        if truth is Truth.WRONG:  # on IR: counted against the tester, and a run that confirms it is noted
            how = f"not confirmed by a run: {how}"
        if truth is not Truth.EQUIVALENT and self.settings.long_seconds > 0:
            tested = self._ask(candidate, target, self.settings.long_seconds, self.settings.seed + 1)
            if tested.answer is Answer.ALARM:
                truth, how = Truth.WRONG, f"in {self.settings.long_seconds:g} s: {tested.reason}"
        self.journal.note("judged", candidate.key, truth=truth.value, how=how, reached=self._reached(candidate),
                          long_seconds=self.settings.long_seconds)  # fmt: skip

    def _reached(self, candidate: Candidate) -> bool | None:
        """Whether the tester's inputs get to the site at all: a trap there must raise an alarm. None: not said."""
        _, target = self._files(candidate, reach=True)
        answer = self._ask(candidate, target, self.settings.seconds, self.settings.seed).answer
        return None if answer is Answer.NOT_ESTABLISHED else answer is Answer.ALARM

    def _ask(self, candidate: Candidate, target: Path, seconds: float, seed: int) -> Reply:
        compiled, function = candidate.compiled, candidate.site.function
        return self.tester.test(
            compiled.argv, compiled.unit.directory, target, [function], seconds=seconds, seed=seed
        )[function]  # fmt: skip

    def _object_of(self, candidate: Candidate) -> str:
        row = self.journal.get("made", candidate.key)
        return (
            str(row["digest"])
            if row is not None
            else hashlib.sha256(self._files(candidate)[1].read_bytes()).hexdigest()
        )

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
        row = self.journal.get("tested", candidate.key)
        return Answer(row["answer"]) if row is not None else None

    def _say(self, candidate: Candidate) -> None:
        done = [row for _, row in self.journal.rows("tested")]
        row = self.journal.get("tested", candidate.key)
        if row is not None:
            caught = sum(other["answer"] == Answer.ALARM.value for other in done)
            print(
                f"[{len(done)}, {caught} caught] {candidate.key} {candidate.site.function}: {row['answer']} "
                f"in {row['seconds']:.1f} s: {row['reason'][:100]}",
                file=sys.stderr, flush=True,
            )  # fmt: skip


def configured_units(names: Sequence[str], directory: Path) -> list[TranslationUnit]:
    """The translation units of libraries, configured in a directory once and found there again later."""
    units: list[TranslationUnit] = []
    toolchain = discover()
    compiler = library_build.Compiler(str(toolchain.clang), str(toolchain.clangxx), "-O2")
    for library in libraries.select(libraries.load(), names):
        place = directory / fetch(library).name
        finished = place.with_suffix(".configured")
        if not finished.exists():
            if place.exists():  # an interrupt came between
                raise CompilerAgentError(f"{place} is half made", hint="remove it")
            library_build.configured_units(library, place, compiler)
            finished.touch()
        units += libraries.translation_units(library, place)
    return units
