"""An episode's object as a program: linked, compared with -O0, and timed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from compiler_agent.base.errors import NotEstablished, ToolError, UsageError
from compiler_agent.base.process import check
from compiler_agent.base.scratch import ScratchDirectory
from compiler_agent.evaluation import difftest
from compiler_agent.evaluation.executor import ProcessExecutor
from compiler_agent.search.env.benchmark import Benchmark, Program
from compiler_agent.search.env.effects import WrongProgram

N_SAMPLES = 5
_LINK_TIMEOUT_S = 120.0


class LinkedProgram:
    """A benchmark's program with one object or another in it."""

    def __init__(self, benchmark: Benchmark, program: Program, plain: bytes, scratch: Path) -> None:
        """Links and runs the reference.

        Args:
            benchmark: What the program is of.
            program: How it becomes one.
            plain: The reference's object: the compiler's own at -O0.
            scratch: A directory of its own.

        Raises:
            NotEstablished: The reference fails, or does not do the same each time.
            ToolError: It does not link.
        """
        self._benchmark, self._program, self._scratch = benchmark, program, scratch
        self.directory = scratch / "run"
        self.directory.mkdir()
        replaced = {program.name: self.linked(plain).read_bytes()}
        self._reference = difftest.reference(program.workload, self.directory, replaced=replaced)

    def linked(self, content: bytes) -> Path:
        """The program with an object in it."""
        files = {"{object}": str(self._scratch / "unit.o"), "{program}": str(self._scratch / "linked")}
        Path(files["{object}"]).write_bytes(content)
        link = [files.get(word, word) for word in self._program.link]
        check(link, cwd=self._benchmark.directory, timeout_s=_LINK_TIMEOUT_S)
        return Path(files["{program}"])

    def test(self, content: bytes) -> difftest.Outcome:
        """Whether the program does the same with an object in it."""
        try:
            replaced = {self._program.name: self.linked(content).read_bytes()}
        except ToolError as error:
            reason = f"it does not link: {error.stderr_tail[-300:]}"
            return difftest.Outcome(difftest.ProgramVerdict.DIFFERENT, reason=reason)
        return difftest.judge([self._reference], self.directory, replaced=replaced)

    def check(self, content: bytes) -> None:
        """The same, for who goes on only with what is right.

        Raises:
            WrongProgram: It does something else.
            NotEstablished: It cannot be compared.
        """
        outcome = self.test(content)
        if outcome.verdict is difftest.ProgramVerdict.DIFFERENT:
            raise WrongProgram(str(outcome))
        if not outcome.verdict.permits:
            raise NotEstablished(f"its program cannot be compared with that of -O0: {outcome}")


class Linkable(Protocol):
    """An episode of any compiler, as far as its program is concerned."""

    @property
    def benchmark(self) -> Benchmark:
        """What it began with."""
        ...

    def shipped(self) -> bytes:
        """The object that a build makes that does what the episode did."""
        ...

    def plain(self) -> bytes:
        """The object that the same compiler makes at -O0."""
        ...


def program_of(benchmark: Benchmark) -> Program:
    """How a benchmark becomes a program, for what cannot do without.

    Raises:
        UsageError: It does not.
    """
    if benchmark.program is None:
        raise UsageError(f"{benchmark.uri} is no program that could be run", hint="as generator://csmith-v0/3 is")
    return benchmark.program


@contextmanager
def linked_program(episode: Linkable) -> Iterator[LinkedProgram | None]:
    """A benchmark's program while it is needed; None where it has none. Errors as for `LinkedProgram`."""
    benchmark = episode.benchmark
    if benchmark.program is None:
        yield None
        return
    with ScratchDirectory(prefix="cc-agent-env-") as scratch:
        yield LinkedProgram(benchmark, benchmark.program, episode.plain(), Path(scratch))


def runtime_samples(episode: Linkable) -> list[float]:
    """Processor time of runs of the program with the episode's object, in seconds; it is first shown to do the same.

    Raises:
        UsageError: The benchmark is no program.
        WrongProgram: The program does something else than at -O0.
        NotEstablished: It fails at -O0, does not do the same each time, or cannot be compared.
        CompilationFailed: A build cannot replay the plan.
    """
    described = program_of(episode.benchmark)
    with linked_program(episode) as program:
        assert program is not None
        content = episode.shipped()
        program.check(content)
        executable, workload = program.linked(content), described.workload
        with ProcessExecutor(workload, program.directory, described.name) as executor:
            runs = [
                executor.run(executable, environment_bytes=0, timeout_s=workload.timeout_s) for _ in range(N_SAMPLES)
            ]
    return [run.behaviour.cpu_time_s for run in runs]
