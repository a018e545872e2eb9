"""Tuning for speed with real programs, from the search to the lock, the launcher and verify."""

from __future__ import annotations

import dataclasses
import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from compiler_agent.app import verify
from compiler_agent.app.findings import ProgramTests
from compiler_agent.app.guard import Guard
from compiler_agent.app.program import Choice, Objects
from compiler_agent.app.program_build import BuiltProgram
from compiler_agent.app.program_linked import LinkedProgram, of_command
from compiler_agent.app.speed_guard import too_slow
from compiler_agent.app.speed_keep import keep
from compiler_agent.app.speed_programs import program_of
from compiler_agent.app.speed_verification import why_not_faster
from compiler_agent.app.speed_words import explained
from compiler_agent.app.tune_speed import SpeedOptions, SpeedResult, tune_program
from compiler_agent.app.verification import SIZES_ONLY
from compiler_agent.base import lock as locks
from compiler_agent.base.config import Budget
from compiler_agent.base.errors import NotEstablished, UsageError
from compiler_agent.evaluation import cautions, suspicion
from compiler_agent.evaluation.cautions import of_layouts
from compiler_agent.evaluation.difftest import Workload
from compiler_agent.evaluation.evaluate import Verdict
from compiler_agent.evaluation.measure import Comparison
from compiler_agent.evaluation.pairing import Outcome, Settings
from compiler_agent.evaluation.samples import Pair, Times
from compiler_agent.llvm.plan import Plan
from compiler_agent.llvm.replay import lock_of
from compiler_agent.search.strategy import Score

from . import multiply
from .multiply import MULTIPLY, RUNS
from .programs import Project, eventually, make_project

POLLY = Plan.parse("-passes=default<O3> -inline-threshold=226 -polly=true")
QUICK = Settings(n_pairs=14, sample_s=0.005)
BRIEF = Settings(n_pairs=6, sample_s=0.005)
"""Enough to see that a program can be timed; no gain is shown by so few."""
COMMAND = ("clang", "multiply.c", "-o", "multiply")


class Proposing:
    """Proposes some plans, and notes what it is told."""

    def __init__(self, *plans: Plan | type[BaseException]) -> None:
        self.plans = list(plans)
        self.told: list[Score] = []

    def ask(self) -> Plan | None:
        plan = self.plans.pop(0) if self.plans else None
        if isinstance(plan, type):
            raise plan
        return plan

    def tell(self, score: Score) -> None:
        self.told.append(score)


def options(**changes: object) -> SpeedOptions:
    given = SpeedOptions(Budget(n_evaluations=3), demands=SIZES_ONLY, allow_experimental=True, settings=QUICK)
    return dataclasses.replace(given, **changes)  # type: ignore[arg-type]


def program(directory: Path, text: str = MULTIPLY, run: tuple[Workload, ...] = RUNS) -> LinkedProgram:
    (directory / "multiply.c").write_text(text)
    return of_command(COMMAND[1:], directory, run)


@pytest.fixture(scope="module", autouse=True)
def times_of_the_code() -> Iterator[None]:
    """No test here depends on how fast the machine is."""
    with pytest.MonkeyPatch.context() as patch:
        multiply.take_times_from_the_code(patch)
        yield


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, LinkedProgram, SpeedResult, Proposing]:
    """A program that a plan makes faster, tuned."""
    project = make_project(tmp_path_factory.mktemp("tuned"))
    chosen = program(project.directory)
    unknown = Plan.parse("-passes=default<O3> -no-such-option=1")
    strategy = Proposing(POLLY, unknown, POLLY, KeyboardInterrupt)
    return project, chosen, tune_program(chosen, options(), strategy=strategy), strategy


def kept(tuned: tuple[Project, LinkedProgram, SpeedResult, Proposing], monkeypatch: pytest.MonkeyPatch) -> Project:
    """The project, with the plan in its lock."""
    project, chosen, result, _ = tuned
    monkeypatch.chdir(project.directory)
    monkeypatch.setenv("CC_AGENT_CACHE", project.environment["CC_AGENT_CACHE"])
    project.lock.unlink(missing_ok=True)
    assert keep(chosen, result, options(), project.lock, COMMAND) == {"multiply.c": "-passes=default<O3> -polly=true"}
    return project


def test_a_faster_plan_is_found_and_measured_again_also_after_an_interrupt(tuned):
    _, _, result, strategy = tuned
    assert result.found.interrupted
    assert result.best is not None
    assert result.confirmed is not None
    assert result.confirmed.speedup.low > 1.2
    assert str(result.best.candidate.plan) == "-passes=default<O3> -polly=true"  # without the word that does nothing
    assert set(result.stock.speedups) == {"-O3", "-O2"}
    # The unknown option was not timed, and the same plan was not timed twice.
    assert (len(result.found.timed), result.found.n_asked) == (1, 3)
    assert [score.verdict for score in strategy.told] == [Verdict.ESTABLISHED, Verdict.REJECTED, Verdict.ESTABLISHED]
    assert strategy.told[0].value == strategy.told[2].value < 1
    assert result.front[-1][1] > 1.2
    assert result.front[-1][0] < 1


def test_what_is_kept_is_replayed_explained_and_verified(tuned, monkeypatch):
    project = kept(tuned, monkeypatch)
    chosen = tuned[1]
    (entry,) = locks.Lock.load(project.lock).plans.values()
    assert (entry.objective, entry.evidence.trust, entry.source) == ("run_time", "tested", "multiply.c")
    assert entry.evidence.run_time.low > 1.2
    lines = explained(entry)
    assert "times as fast as clang -O3" in lines[0]
    assert any(line.strip() == "-polly=true" for line in lines)

    done = project.compile("-O-agent=speed", "-c", "multiply.c", "-o", "ours.o")
    assert done.returncode == 0
    planned = Objects().compiled(chosen.units[0], Choice(plans={chosen.units[0].key: entry.plan}))
    assert (project.directory / "ours.o").read_bytes() == planned.content

    # Plans that are as fast stay, those for other units of the program, too.
    assert keep(chosen, tuned[2], options(), project.lock, COMMAND) == {}
    ((key, there),) = locks.Lock.load(project.lock).plans.items()
    locks.remove(project.lock, [key])
    other = dataclasses.replace(chosen.units[0], key="0" * 32 + "-O3s0")
    locks.update(project.lock, {other.key: there})
    monkeypatch.setattr(chosen, "units", [*chosen.units, other])
    assert keep(chosen, tuned[2], options(), project.lock, COMMAND) == {}
    monkeypatch.undo()
    project = kept(tuned, monkeypatch)

    (finding,) = verify.verify_lock(project.lock, settings=QUICK, demands=SIZES_ONLY)
    assert finding.verdict is Verdict.ESTABLISHED, finding.reason
    assert finding.speedup.low > 1.2


def test_on_another_machine_a_plan_that_gives_nothing_is_not_called_wrong(tuned, monkeypatch):
    project = kept(tuned, monkeypatch)
    ((key, entry),) = locks.Lock.load(project.lock).plans.items()
    elsewhere = dataclasses.replace(entry.evidence.run_time, machine="another machine")
    nothing = dataclasses.replace(
        entry, plan="-passes=default<O3>", evidence=dataclasses.replace(entry.evidence, run_time=elsewhere)
    )
    locks.update(project.lock, {key: nothing}, replace=True)
    (finding,) = verify.verify_lock(project.lock, settings=QUICK, demands=SIZES_ONLY)
    assert finding.verdict is Verdict.NOT_ESTABLISHED
    assert "not established on this machine: it was found on another machine" in finding.reason
    assert not finding.was_judged
    (finding,) = verify.verify_lock(
        project.lock, settings=QUICK, demands=SIZES_ONLY, programs=ProgramTests(("true",), RUNS)
    )
    assert "no compilation of `true` went through cc-agent with -O-agent=speed" in finding.reason


def test_a_miss_is_plain_clang_and_noted_for_the_next_tune(project: Project):
    (project.directory / "multiply.c").write_text(MULTIPLY)
    speed = ("-O-agent=speed", "-c", "multiply.c", "-o")
    done = project.compile(*speed, "ours.o", CC_AGENT_MODE="tune")
    assert (done.returncode, done.stderr) == (0, b"")
    project.clang("-O3", "-c", "multiply.c", "-o", "plain.o")
    assert (project.directory / "ours.o").read_bytes() == (project.directory / "plain.o").read_bytes()
    assert not project.lock.exists()
    (noted,) = (Path(project.environment["CC_AGENT_CACHE"]) / "record.jsonl").read_text().splitlines()
    assert json.loads(noted)["objective"] == "speed"
    assert json.loads(noted)["key"] == program(project.directory).units[0].key
    # Units that no build missed get no plan: here none of the program's was.
    (project.directory / "multiply.c").write_text(MULTIPLY.replace("% 13", "% 17"))
    words = ("--objective", "speed", "--noted", "--run", "./multiply 1", "multiply.c")
    done_tune = project.agent("tune", *words)
    assert done_tune.returncode == 1
    assert "of the 1 units of multiply none is among those that plans are for" in done_tune.stderr


@pytest.mark.parametrize(
    ("body", "run", "words", "hint"),
    [
        ("int *p = 0; return *(volatile int *)p;", "./multiply", "fails on the reference", "-O0 build passes"),
        ("for (;;) ;", "./multiply", "did not end within", "-O0 build passes"),
        ('printf("%d\\n", (int)getpid()); return 0;', "./multiply", "not repeatable", "deterministic"),
        ("return getchar() == EOF;", "./multiply", "fails on the reference (status 1", ""),
        ('return fopen("input.txt", "r") == 0;', "./multiply", "fails on the reference (status 1", ""),
        ("return count < 2;", "./multiply", "fails on the reference (status 1", ""),
        ("return 0;", "./multiplied", "not found", ""),
        ("#ifdef __OPTIMIZE__\nputs(\"fast\");\n#endif\nreturn 0;", "./multiply", "not do what it does at -O0", ""),
    ],
    ids=["crash", "hang", "random", "standard-input", "file", "arguments", "no-program", "undefined"],
)  # fmt: skip
def test_a_program_that_cannot_be_timed_is_told_why(tmp_path: Path, body: str, run: str, words: str, hint: str):
    text = f"#include <stdio.h>\n#include <unistd.h>\nint main(int count, char **words) {{\n{body}\n}}\n"
    chosen = program(tmp_path, text, (Workload(run, timeout_s=2.0),))
    with pytest.raises(NotEstablished) as caught:
        tune_program(chosen, options(), strategy=Proposing(POLLY))
    assert words in caught.value.message
    assert hint in caught.value.hint


def test_a_program_that_takes_too_long_for_a_comparison_is_told_so(tmp_path: Path):
    text = "#include <time.h>\nint main(void) { while (clock() < 300000) ; return 0; }\n"
    chosen = program(tmp_path, text, (Workload("./multiply"),))
    with pytest.raises(NotEstablished, match="so that not even 6 pairs fit into 1 s") as caught:
        tune_program(chosen, options(settings=Settings(seconds=1.0)), strategy=Proposing(POLLY))
    assert "more seconds" in caught.value.hint


def test_a_program_that_takes_a_millisecond_is_measured_with_a_caution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cautions, "SHORT_RUN_S", 1.0)  # on a busy machine it may take more than 10 ms
    said: list[str] = []
    chosen = program(tmp_path, "int main(void) { return 0; }\n", (Workload("./multiply"),))
    result = tune_program(chosen, options(settings=BRIEF), strategy=Proposing(), say=said.append)
    assert result.best is None
    assert any("a good part of which is the start of a process" in text for text in said)


def test_input_from_files_standard_input_and_arguments(tmp_path: Path):
    text = (
        '#include <stdio.h>\nint main(int count, char **words) {\n  int n = 0;\n  FILE *file = fopen(words[1], "r");\n'
        '  while (getc(file) != EOF) n++;\n  while (getchar() != EOF) n++;\n  printf("%d\\n", n);\n  return 0;\n}\n'
    )
    (tmp_path / "data.txt").write_text("some data")
    chosen = program(tmp_path, text, (Workload("./multiply data.txt < data.txt | grep 18"),))
    assert tune_program(chosen, options(settings=BRIEF), strategy=Proposing()).best is None


@pytest.mark.nightly
@pytest.mark.parametrize("runs", [RUNS[:1], RUNS[:1] * 2], ids=["one", "the same twice"])
def test_what_looks_too_good_needs_another_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runs: tuple[Workload, ...]
):
    monkeypatch.setattr(suspicion, "UNLIKELY_SPEEDUP", 1.2)
    result = tune_program(program(tmp_path, run=runs), options(), strategy=Proposing(POLLY))
    assert result.best is None
    (refused,) = result.refused
    assert "verify it on inputs of other sizes" in refused.reason


def test_the_guard_refuses_what_is_too_large(tmp_path: Path):
    strategy = Proposing(POLLY)
    result = tune_program(program(tmp_path), options(guard=Guard(1.05), settings=BRIEF), strategy=strategy)
    assert result.best is None
    assert not result.found.timed
    assert "more than --guard allows" in strategy.told[0].reason


def test_plans_for_size_that_make_the_program_slow_are_left_out(project: Project, monkeypatch: pytest.MonkeyPatch):
    for name, value in project.environment.items():
        monkeypatch.setenv(name, value)
    (project.directory / "multiply.c").write_text(MULTIPLY)
    (project.directory / "Makefile").write_text("multiply: multiply.o\n\t$(CC) -o $@ $^\n")
    make = ("make", "-B")
    (unit,) = BuiltProgram(make, project.directory, RUNS, "size").units
    for plan, is_slow in (("-passes=always-inline", True), ("-passes=default<O2>", False)):
        items = list(lock_of({unit.key: plan}).plans.items())
        slow = too_slow(items, make, project.directory, RUNS[:1], Guard(0.7), seed=0, settings=BRIEF)
        assert slow == (items if is_slow else [])


def test_a_build_is_tuned_in_copies_of_its_directory(project: Project, monkeypatch: pytest.MonkeyPatch):
    for name, value in project.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("CFLAGS", raising=False)
    (project.directory / "multiply.c").write_text(MULTIPLY)
    generating = "\techo 'int generated;' > generated.c; $(CC) $(CFLAGS) -c generated.c; rm generated.*\n"
    (project.directory / "Makefile").write_text(f"multiply: multiply.o\n{generating}\t$(CC) -o $@ $^\n")
    chosen = BuiltProgram(("make", "-B"), project.directory, RUNS)
    before = sorted(project.directory.iterdir())
    result = tune_program(chosen, options(), strategy=Proposing(POLLY))
    assert result.best is not None
    assert result.confirmed.speedup.low > 1.2
    assert sorted(project.directory.iterdir()) == before
    assert project.leftovers() == []
    with pytest.raises(UsageError, match="copies of that directory are built"):
        BuiltProgram(("make", "-B", "-C", str(project.directory)), project.directory, RUNS)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("multiply.c",), "needs --run"),
        (("--run", "./multiply"), "there is no program"),
        (("--run", "./a", "--", "clang", "-c", "multiply.c"), "no program comes of"),
        (("--run", "./a", "--guard", "speed>=1", "multiply.c"), "does not go with --objective speed"),
        (("--run", "./a", "--strategy", "neighbours", "multiply.c"), "is not there for speed"),
        (("--run", "./a", "--records", "empty.jsonl", "multiply.c"), "no unit that was compiled with -O-agent=speed"),
    ],
)
def test_usage_errors_teach(project: Project, words: tuple[str, ...], told: str):
    (project.directory / "multiply.c").write_text(MULTIPLY)
    (project.directory / "empty.jsonl").touch()
    done = project.agent("tune", "--objective", "speed", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_of_the_command_leaves_nothing_behind(project: Project, number: int, status: int):
    (project.directory / "multiply.c").write_text(MULTIPLY)
    running = project.start("tune", "--objective", "speed", "--run", "./multiply", "multiply.c")
    assert eventually(lambda: any("cc-agent" in name for name in project.leftovers()))
    running.send_signal(number)
    running.communicate(timeout=300)
    assert running.returncode == status
    assert eventually(lambda: project.leftovers() == [])
    assert not project.lock.exists()


@pytest.mark.parametrize("baseline", ["-O0", "-O3 -fplugin=from-the-lock.so"])
def test_a_lock_cannot_say_what_its_plans_are_measured_against(tuned, monkeypatch: pytest.MonkeyPatch, baseline: str):
    project = kept(tuned, monkeypatch)
    ((key, entry),) = locks.Lock.load(project.lock).plans.items()
    run_time = dataclasses.replace(entry.evidence.run_time, baseline=baseline)
    changed = dataclasses.replace(entry, evidence=dataclasses.replace(entry.evidence, run_time=run_time))
    locks.update(project.lock, {key: changed}, replace=True)
    (finding,) = verify.verify_lock(project.lock, settings=BRIEF, demands=SIZES_ONLY)
    assert finding.verdict is Verdict.NOT_ESTABLISHED
    assert "compared with one stock configuration" in finding.reason


def test_without_the_sandbox_the_users_own_program_is_not_replaced(tmp_path: Path):
    (tmp_path / "multiply").write_text("mine")
    (tmp_path / "multiply").chmod(0o755)
    chosen = program(tmp_path, run=(Workload("./multiply 1", sandboxed=False),))
    assert chosen.judge(chosen.layouts(Choice(), Objects(), tmp_path / "built" / "here")).verdict.permits
    assert (tmp_path / "multiply").read_text() == "mine"


def test_another_seed_is_another_set_of_layouts(tmp_path: Path):
    (tmp_path / "multiply.c").write_text(MULTIPLY)
    programs = [program_of(COMMAND, tmp_path, RUNS, seed) for seed in (0, "verify 0")]
    places = [tmp_path / "built" / str(number) for number in range(2)]
    layouts = [one.layouts(Choice(), Objects(), place) for one, place in zip(programs, places, strict=True)]
    assert layouts[0].executable(0).read_bytes() != layouts[1].executable(0).read_bytes()


@pytest.mark.parametrize(("n_layouts", "gain", "is_kept"), [(60, 1.02, True), (1, 1.02, False), (1, 1.04, True)])
def test_in_one_layout_a_gain_must_be_larger(n_layouts: int, gain: float, is_kept: bool):
    pair = Pair(Times(gain, gain, gain, 0, 0), Times(1.0, 1.0, 1.0, 0, 0), candidate_first=False)
    cautions = tuple(of_layouts(n_layouts, n_layouts))
    measured = Comparison(Outcome.FASTER, "", (pair,) * 60, cautions=cautions)
    assert (why_not_faster(measured) == "") == is_kept


@pytest.mark.parametrize("output", ["../multiply", "/tmp/multiply"])
def test_a_program_that_copies_of_the_directory_do_not_hold_is_refused(tmp_path: Path, output: str):
    (tmp_path / "multiply.c").write_text(MULTIPLY)
    with pytest.raises(UsageError, match="outside of the copies"):
        of_command(("multiply.c", "-o", output), tmp_path, RUNS)
    with pytest.raises(UsageError, match="outside of the copies"):
        of_command(COMMAND[1:], tmp_path, (Workload(f"{tmp_path}/multiply"),))


def test_a_plan_that_breaks_the_program_is_not_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    chosen, elsewhere = program(tmp_path), tmp_path / "elsewhere"
    elsewhere.mkdir()
    right, wrong = Objects.compiled, program(elsewhere, MULTIPLY.replace("+= a", "-= a"))

    def compiled(self: Objects, unit, choice: Choice):
        return right(self, wrong.units[0], Choice()) if choice.plans else right(self, unit, choice)

    monkeypatch.setattr(Objects, "compiled", compiled)
    strategy = Proposing(POLLY)
    result = tune_program(chosen, options(settings=BRIEF), strategy=strategy)
    assert (result.best, result.found.n_wrong, len(result.found.timed)) == (None, 1, 0)
    assert strategy.told[0].verdict is Verdict.MISCOMPILED
