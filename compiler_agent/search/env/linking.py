"""An episode's object as a program: linked, compared with -O0, and timed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from compiler_agent.base.errors import NotEstablished, ToolError, UsageError
from compiler_agent.base.process import check
from compiler_agent.evaluation import difftest
from compiler_agent.evaluation.executor import ProcessExecutor
from compiler_agent.llvm import replay
from compiler_agent.llvm.engine import Outcome
from compiler_agent.search.env.benchmark import Benchmark, Program
from compiler_agent.search.env.episode import NO_PASS, CompilationFailed, Episode
from compiler_agent.search.env.served import LEVEL

N_SAMPLES = 5
_LINK_TIMEOUT_S = 120.0


class LinkedProgram:
    """A benchmark's program with one object or another in it."""

    def __init__(self, benchmark: Benchmark, program: Program, scratch: Path) -> None:
        """Builds and runs the reference, whose object is clang's at -O0.

        Raises:
            NotEstablished: The reference fails, or does not do the same each time.
            ToolError: It does not compile or link.
        """
        self._benchmark, self._program, self._scratch = benchmark, program, scratch
        self.directory = scratch / "run"
        self.directory.mkdir()
        plain = self.linked(replay.compile_plainly(benchmark.command("-O0"), benchmark.directory))
        replaced = {program.name: plain.read_bytes()}
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


@contextmanager
def linked_program(benchmark: Benchmark) -> Iterator[LinkedProgram | None]:
    """A benchmark's program while it is needed; None where it has none. Errors as for `LinkedProgram`."""
    if benchmark.program is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="cc-agent-env-", ignore_cleanup_errors=True) as scratch:
        yield LinkedProgram(benchmark, benchmark.program, Path(scratch))


def runtime_samples(episode: Episode) -> list[float]:
    """Processor time of runs of the program with the episode's object, in seconds; it is first shown to do the same.

    Raises:
        UsageError: The benchmark is no program.
        NotEstablished: The program does something else than at -O0.
        CompilationFailed: A build cannot replay the plan.
    """
    benchmark = episode.served.benchmark
    with linked_program(benchmark) as program:
        if program is None or benchmark.program is None:
            raise UsageError(f"{benchmark.uri} is no program that could be run", hint="as generator://csmith-v0/3 is")
        content = shipped(episode)
        outcome = program.test(content)
        if not outcome.verdict.permits:
            raise NotEstablished(f"the time of a program that is wrong is no figure: {outcome}")
        executable, workload = program.linked(content), benchmark.program.workload
        with ProcessExecutor(workload, program.directory, benchmark.program.name) as executor:
            runs = [
                executor.run(executable, environment_bytes=0, timeout_s=workload.timeout_s) for _ in range(N_SAMPLES)
            ]
    return [run.behaviour.cpu_time_s for run in runs]


def shipped(episode: Episode) -> bytes:
    """The object that a build makes that replays the episode's plan.

    Raises:
        CompilationFailed: It cannot.
    """
    served = episode.served
    plan = episode.plan_text or NO_PASS
    made = replay.replay(served.benchmark.command(LEVEL), served.benchmark.directory, served.engine.key, plan)
    if made.outcome is not Outcome.OK:
        raise CompilationFailed(made.outcome, made.message)
    return made.content
