"""Program-level differential testing: the same command on the program built two ways must behave the same.

The reference is built at -O0. It is run several times first: what it does differently from itself can establish
nothing, and is reported, not tolerated. Then exit status, standard output, the files that were written, and standard
error where it is stable, must be what the reference's are. Runs are confined (base/sandbox.py) unless the user says
otherwise. Function-level differential testing, for code without a program, is another module's.
"""

from __future__ import annotations

import enum
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from compiler_agent.base.errors import NotEstablished
from compiler_agent.base.process import run
from compiler_agent.base.sandbox import Ending, SandboxLimits, run_confined
from compiler_agent.base.scratch import ScratchDirectory
from compiler_agent.evaluation import difftest_files
from compiler_agent.evaluation.difftest_compare import Difference, compare_texts, instability
from compiler_agent.evaluation.difftest_files import Left, copy_tree, snapshot

_Item = TypeVar("_Item")

N_REFERENCE_RUNS = 3
OUTPUT_LIMIT_BYTES = 64 << 20
# How much longer than the unoptimized reference a candidate may take before it counts as one that never ends.
SLOWER_TIMES = 3.0
SLACK_S = 10.0
_WALL_FACTOR = 4.0
_TAIL_BYTES = 500


class ProgramVerdict(enum.StrEnum):
    """What running a program established about it. Exactly one member speaks for it."""

    SAME = "same"
    """It behaved as the reference did, in every run."""
    DIFFERENT = "different"
    """It did something else: refuted."""
    NOT_ESTABLISHED = "not-established"
    """It could not be compared."""

    @property
    def permits(self) -> bool:
        """Whether a plan may be kept as far as this test goes."""
        return self is ProgramVerdict.SAME


@dataclass(frozen=True, slots=True)
class Workload:
    """One command that shows what a program does."""

    command: str
    """A shell command, run in the directory where the program was built; it may build what is missing (`make test`)."""
    timeout_s: float = 600.0
    """What one run of the reference may take, in seconds on the clock."""
    tolerance: float = 0.0
    """For floating-point numbers in texts, see `difftest_compare.compare_texts`; 0: exactly the same."""
    ignored_files: tuple[str, ...] = ()
    """Shell patterns of files that are not compared."""
    sandboxed: bool = True
    """False: run in the directory itself, with our environment and the network; for suites that need more."""
    n_reference_runs: int = N_REFERENCE_RUNS
    """How often the reference must repeat itself."""
    slack_s: float = SLACK_S
    """What a candidate may take beyond three times the reference's time, in seconds of processor time."""
    limits: SandboxLimits = field(default_factory=SandboxLimits)
    """What a run may use besides time."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a command did, as far as it is compared."""

    status: int
    """Exit status; negative: ended by that signal."""
    stdout: bytes = b""
    """Standard output."""
    stderr: bytes = b""
    """Standard error."""
    files: Mapping[str, Left] = field(default_factory=dict)
    """What became of files in its working directory, built ones left out."""
    timed_out: bool = False
    """It had to be stopped."""
    truncated: bool = False
    """It wrote more than we keep."""
    wall_time_s: float = 0.0
    """What it took on the clock."""
    cpu_time_s: float = 0.0
    """Processor time that it took, with what it started and waited for."""
    confinement: str = "none"
    """full, limits-only with the reason, or none."""

    def differences(self, other: Behaviour, *, tolerance: float = 0.0, with_stderr: bool = True) -> list[Difference]:
        """How the other differs from this one, the most telling first; empty if it does not."""
        if other.timed_out or self.timed_out:
            if other.timed_out and self.timed_out:
                return []
            return [Difference("time", _ended(self), _ended(other))]
        found = []
        if self.status != other.status:
            found.append(Difference("exit status", _status(self.status), _status(other.status)))
        texts = [("standard output", self.stdout, other.stdout), ("standard error", self.stderr, other.stderr)]
        for where, ours, theirs in texts[: 2 if with_stderr else 1]:
            if difference := compare_texts(where, ours, theirs, tolerance):
                found.append(difference)
        return found + difftest_files.compare_files(self.files, other.files, tolerance)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a candidate showed."""

    verdict: ProgramVerdict
    """Same, different or not established."""
    differences: tuple[Difference, ...] = ()
    """In what it differs, the most telling first; for `different`."""
    reason: str = ""
    """Why it could not be compared; for `not-established`."""

    def __str__(self) -> str:
        """Verdict and reason, as one line."""
        why = self.reason or "; ".join(map(str, self.differences))
        return f"{self.verdict}: {why}" if why else str(self.verdict)


@dataclass(frozen=True, slots=True)
class Reference:
    """What a workload does on the reference build, shown to be repeatable."""

    workload: Workload
    """What was run."""
    behaviour: Behaviour
    """What it did, each time."""
    stderr_is_stable: bool
    """Standard error was the same each time, so it is compared."""

    @property
    def candidate_time_s(self) -> float:
        """Processor time after which a candidate counts as one that does not end."""
        return SLOWER_TIMES * self.behaviour.cpu_time_s + self.workload.slack_s

    @property
    def candidate_wall_time_s(self) -> float:
        """The same on the clock, which runs ahead of the processor time that a program gets on a busy machine."""
        return SLOWER_TIMES * self.behaviour.wall_time_s + _WALL_FACTOR * self.candidate_time_s

    def judge(self, seen: Behaviour) -> Outcome:
        """Compares a candidate's behaviour with the reference's."""
        if seen.truncated:
            reason = f"it wrote more than {OUTPUT_LIMIT_BYTES >> 20} MiB, and the reference did not"
            return Outcome(ProgramVerdict.DIFFERENT, (Difference("standard output", "less", reason),))
        found = self.behaviour.differences(seen, tolerance=self.workload.tolerance, with_stderr=self.stderr_is_stable)
        return Outcome(ProgramVerdict.DIFFERENT if found else ProgramVerdict.SAME, tuple(found))

    def evidence(self) -> dict[str, object]:
        """What stands behind a verdict, for the lock and for reports."""
        compared = ["exit status", "standard output", "files written"]
        compared += ["standard error"] if self.stderr_is_stable else []
        return {
            "command": self.workload.command,
            "compared": ", ".join(compared),
            "tolerance": self.workload.tolerance,
            "ignored_files": list(self.workload.ignored_files),
            "reference": "-O0",
            "runs": self.workload.n_reference_runs,
            "sandbox": self.behaviour.confinement,
        }


def observe(
    workload: Workload,
    directory: Path,
    *,
    replaced: Mapping[str, bytes] | None = None,
    cpu_time_s: float | None = None,
    wall_time_s: float | None = None,
) -> Behaviour:
    """Runs a workload once and says what it did.

    In the sandbox it runs in a copy of the directory, which it finds at the directory's own path.

    Args:
        workload: What to run.
        directory: Where the program was built.
        replaced: Files to put there first, by path relative to it: the object of a candidate. Programs stay executable.
        cpu_time_s: Processor time that each of its processes may take; None: no limit but the clock.
        wall_time_s: What it may take on the clock; None: what the workload allows.

    Raises:
        FileError: The directory cannot be copied.
        ToolError: The sandbox could not run the command.
    """
    wall_s = workload.timeout_s if wall_time_s is None else wall_time_s
    if not workload.sandboxed:
        _replace(directory, replaced or {})
        before = snapshot(directory)
        done = run(
            ["/bin/sh", "-c", workload.command],
            cwd=directory,
            timeout_s=wall_s,
            output_limit_bytes=OUTPUT_LIMIT_BYTES,
        )
        ending = Ending.TIMED_OUT if done.timed_out else Ending.EXITED
        confinement, place = "none", directory
        files = difftest_files.changes(place, before, workload.ignored_files)
    else:
        with ScratchDirectory() as scratch:
            place = Path(scratch) / "run"
            copy_tree(directory, place)
            _replace(place, replaced or {})
            before = snapshot(place)
            confined = run_confined(
                ["/bin/sh", "-c", workload.command],
                place,
                seen_at=directory,
                limits=replace(workload.limits, wall_time_s=wall_s, cpu_time_s=cpu_time_s),
                output_limit_bytes=OUTPUT_LIMIT_BYTES,
            )
            done, ending = confined.completed, confined.ending
            confinement = f"{confined.confinement}: {confined.reason}".removesuffix(": ")
            files = difftest_files.changes(place, before, workload.ignored_files)
    return Behaviour(
        status=done.status,
        stdout=done.stdout,
        stderr=done.stderr,
        files=files,
        timed_out=ending is Ending.TIMED_OUT or _ran_out_of_cpu(done.status, done.cpu_time_s, cpu_time_s),
        truncated=done.output_truncated,
        wall_time_s=done.wall_time_s,
        cpu_time_s=done.cpu_time_s,
        confinement=confinement,
    )


def reference(workload: Workload, directory: Path, *, replaced: Mapping[str, bytes] | None = None) -> Reference:
    """The behaviour that candidates must have: that of the reference build, which must pass and repeat.

    Args:
        workload: What to run.
        directory: Where the reference was built.
        replaced: As for `observe`.

    Raises:
        NotEstablished: The command fails, does not end, or does not do the same each time.
    """
    return repeatable(workload, lambda: observe(workload, directory, replaced=replaced), "the -O0 build")


def repeatable(workload: Workload, run_once: Callable[[], Behaviour], built: str) -> Reference:
    """What some build does, if it succeeds and does the same each time.

    Args:
        workload: What is run.
        run_once: Runs it on that build.
        built: What build that is, for messages.

    Raises:
        NotEstablished: As for `reference`.
    """
    first = run_once()
    command = workload.command
    if first.status != 0 or first.timed_out:
        tail = (first.stderr or first.stdout)[-_TAIL_BYTES:].decode(errors="replace").strip()
        raise NotEstablished(
            f"the test command fails on the reference ({_ended(first)}): {command}: {tail}",
            hint=f"a plan can only be tested where {built} passes"
            + ("; if it needs the network or writes elsewhere: --no-sandbox" if workload.sandboxed else ""),
        )
    if first.truncated:
        raise NotEstablished(
            f"the test command writes more than {OUTPUT_LIMIT_BYTES >> 20} MiB: {command}",
            hint="let it write a digest: `… | sha256sum`",
        )
    stderr_is_stable = True
    for _ in range(workload.n_reference_runs - 1):
        again = run_once()
        differences = first.differences(again, tolerance=workload.tolerance)
        if serious := [difference for difference in differences if difference.where != "standard error"]:
            looks = instability(serious[0])
            raise NotEstablished(
                f"the test command is not repeatable on the reference: {serious[0]}: {command}",
                hint=(f"this looks like {looks}: " if looks else "")
                + "make it deterministic (no times, addresses, random numbers)"
                + (", or name the file with --ignore" if serious[0].where.startswith("file ") else ""),
            )
        stderr_is_stable = stderr_is_stable and not differences
        first = replace(
            first,
            wall_time_s=max(first.wall_time_s, again.wall_time_s),
            cpu_time_s=max(first.cpu_time_s, again.cpu_time_s),
        )
    return Reference(workload, first, stderr_is_stable)


def judge(references: Sequence[Reference], directory: Path, *, replaced: Mapping[str, bytes] | None = None) -> Outcome:
    """Runs each workload on a candidate until one refutes it.

    Args:
        references: What is expected, of one or more workloads.
        directory: Where the program was built.
        replaced: As for `observe`.
    """
    for expected in references:
        seen = observe(
            expected.workload,
            directory,
            replaced=replaced,
            cpu_time_s=expected.candidate_time_s,
            wall_time_s=expected.candidate_wall_time_s,
        )
        outcome = expected.judge(seen)
        if not outcome.verdict.permits:
            return outcome
    return (
        Outcome(ProgramVerdict.SAME) if references else Outcome(ProgramVerdict.NOT_ESTABLISHED, (), "nothing was run")
    )


def culprits(items: Sequence[_Item], passes: Callable[[Sequence[_Item]], bool]) -> list[_Item]:
    """The items to leave out so that the rest passes, by halving: few tests where few items are to blame.

    Where only a combination fails, the items that complete it are named.
    """
    good: list[_Item] = []

    def keep_what_passes(group: Sequence[_Item]) -> None:
        if passes([*good, *group]):
            good.extend(group)
        elif len(group) > 1:
            middle = len(group) // 2
            keep_what_passes(group[:middle])
            keep_what_passes(group[middle:])

    if items:
        keep_what_passes(items)
    return [item for item in items if item not in good]


def _replace(directory: Path, replaced: Mapping[str, bytes]) -> None:
    for name, content in replaced.items():
        path = directory / name
        mode = path.stat().st_mode & 0o7777 if path.exists() else 0o755
        path.unlink(missing_ok=True)  # it may be a link out of the directory
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(mode)


def _ran_out_of_cpu(status: int, used_s: float, limit_s: float | None) -> bool:
    return limit_s is not None and (status in (-signal.SIGXCPU, 128 + signal.SIGXCPU) or used_s >= max(1.0, limit_s))


def _ended(behaviour: Behaviour) -> str:
    if behaviour.timed_out:
        return f"it did not end within {behaviour.wall_time_s:.1f} s"
    return f"{_status(behaviour.status)} after {behaviour.wall_time_s:.1f} s"


def _status(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"status {status}"
