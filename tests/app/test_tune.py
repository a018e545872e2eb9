"""`compiler-agent tune` from the command line to the object that the launcher replays."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from compiler_agent.app import tune_build as tuning
from compiler_agent.app import verification
from compiler_agent.app.program_test import build
from compiler_agent.app.unit import TuneOptions
from compiler_agent.app.verification import SIZES_ONLY
from compiler_agent.base import lock as locks
from compiler_agent.base.config import Budget
from compiler_agent.base.lock import Lock
from compiler_agent.evaluation.difftest import Workload
from compiler_agent.evaluation.evaluate import Evaluation, Verdict
from compiler_agent.llvm import catalog
from compiler_agent.llvm.plan import Plan
from compiler_agent.search import strategies
from compiler_agent.search.strategy import Score

from .programs import EXPECTED, Project, descendants, eventually, is_running, text_bytes


@pytest.mark.parametrize(
    ("source", "launcher", "link"),
    [("weigh.c", "cc-agent", ["main.c"]), ("words.cpp", "cc-agent++", ["-lstdc++"])],
)
def test_a_tuned_file_is_replayed_at_the_measured_size(
    project: Project, source: str, launcher: str, link: list[str]
) -> None:
    done = project.agent("tune", "--budget", "12", "--json", source)
    assert done.returncode == 0, done.stderr
    (unit,) = json.loads(done.stdout)["units"]
    assert unit["verdict"] == "established"
    assert unit["value"] < unit["baseline"]
    assert unit["n_evaluations"] == 12
    (entry,) = project.plans().values()
    assert entry["evidence"]["plan_text_bytes"] == unit["value"]
    assert entry["evidence"]["baseline_text_bytes"] == unit["baseline"]
    assert entry["source"] == source

    built = project.compile("-O-agent=size", "-c", source, "-o", "ours.o", program=launcher)
    assert (built.returncode, built.stderr) == (0, b"")
    project.clang("-Oz", "-c", source, "-o", "plain.o")
    assert text_bytes(project.directory / "ours.o") == unit["value"]
    assert text_bytes(project.directory / "plain.o") == unit["baseline"]
    project.clang("ours.o", *link, "-o", "ours")
    project.clang("plain.o", *link, "-o", "plain")
    assert project.run("ours") == project.run("plain") != b""
    assert project.leftovers() == []


def test_the_same_tune_finds_the_same_plans(project: Project, tmp_path: Path) -> None:
    locks = [tmp_path / "first.lock", tmp_path / "second.lock"]
    for lock in locks:
        done = project.agent(
            "tune", "--budget", "25", "--seed", "3", "--lock", lock, "weigh.c", CC_AGENT_CACHE=f"{lock}.cache"
        )
        assert done.returncode == 0, done.stderr
    assert locks[0].read_bytes() == locks[1].read_bytes()


def test_a_whole_build_is_tuned_in_a_directory_with_spaces(project: Project) -> None:
    done = project.agent("tune", "--budget", "8", "--", "make", "-B")
    assert done.returncode == 0, done.stderr
    assert {entry["source"] for entry in project.plans().values()} == {"main.c", "weigh.c"}
    sizes = {entry["source"]: entry["evidence"]["plan_text_bytes"] for entry in project.plans().values()}
    build(["make", "-B"], project.directory, **project.environment, CC_AGENT_MODE="replay")
    for source, size in sizes.items():
        assert text_bytes(project.directory / f"{source[:-1]}o") == size
    assert project.run("program") == EXPECTED
    assert project.leftovers() == []


def test_the_flags_of_a_compiler_command_are_used(project: Project) -> None:
    (project.directory / "unit.c").write_text(
        "#if !defined(SIZE)\n#error no SIZE\n#endif\nint add(int a) { return a * SIZE; }\n"
    )
    done = project.agent("tune", "--budget", "2", "--json", "--", "clang", "-DSIZE=8", "-c", "unit.c")
    assert [unit["source"] for unit in json.loads(done.stdout)["units"]] == ["unit.c"]
    without = project.agent("tune", "--budget", "2", "unit.c")
    assert without.returncode == 1
    assert "no SIZE" in without.stderr


def test_a_build_that_does_not_use_the_compiler_says_what_to_do(project: Project) -> None:
    done = project.agent("tune", "--", "true")
    assert done.returncode == 2
    assert "no compilation of `true` went through cc-agent" in done.stderr
    assert "CC=cc-agent" in done.stderr


def test_a_build_that_fails_shows_its_words(project: Project) -> None:
    (project.directory / "weigh.c").write_text("int weigh(void) { return undeclared; }\n")
    done = project.agent("tune", "--", "make", "-B")
    assert done.returncode == 3
    assert "the build failed with status 2" in done.stderr
    assert "undeclared" in done.stderr
    assert not project.lock.exists()


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("missing.c",), 2, "there is no file missing.c"),
        ((), 2, "nothing to tune"),
        (("--budget", "many", "weigh.c"), 2, "is not a budget"),
        (("--budget", "0", "weigh.c"), 2, "--budget 0 searches nothing"),
        (("--jobs", "0", "weigh.c"), 2, "--jobs"),
        (("--jobs", "-2", "weigh.c"), 2, "--jobs"),
        ((".",), 2, ". is a directory"),
        (("--", "clang", "-E", "weigh.c"), 2, "nothing to tune in: -E weigh.c"),
        (("--strategy", "luck", "weigh.c"), 2, "'luck' is not one of"),
        (("--trust", "blind", "weigh.c"), 2, "'blind' is not one of"),
        (("--run", "./program", "weigh.c"), 2, "--run needs a build command"),
        (("--records", "missing.jsonl"), 2, "missing.jsonl"),
        (("--", "no-such-build-program"), 3, "no-such-build-program"),
    ],
)
def test_what_makes_no_sense_is_said(project: Project, arguments: tuple[str, ...], status: int, words: str) -> None:
    done = project.agent("tune", *arguments)
    assert done.returncode == status
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not project.lock.exists()


@pytest.mark.parametrize(
    "text", ["", "int declared(void);\n", "int value = 3;\n"], ids=["empty", "declaration", "data"]
)
def test_a_file_without_code_is_no_win_and_no_failure(project: Project, text: str) -> None:
    (project.directory / "unit.c").write_text(text)
    done = project.agent("tune", "--budget", "2", "unit.c")
    assert done.returncode == 0, done.stderr
    assert "not-better" in done.stdout
    assert "Traceback" not in done.stderr
    assert not project.lock.exists() or project.plans() == {}


def test_a_source_that_does_not_compile_does_not_stop_the_others(project: Project) -> None:
    (project.directory / "broken.c").write_text("int broken(void) { return undeclared; }\n")
    done = project.agent("tune", "--budget", "8", "broken.c", "weigh.c")
    assert done.returncode == 1
    assert "use of undeclared identifier 'undeclared'" in done.stderr
    assert [entry["source"] for entry in project.plans().values()] == ["weigh.c"]


def test_a_tested_build_keeps_the_evidence_of_the_test(project: Project) -> None:
    done = project.agent("tune", "--budget", "8", "--run", "./program some words", "--", "make", "-B")
    assert done.returncode == 0, done.stderr
    entries = list(project.plans().values())
    assert {entry["source"] for entry in entries} == {"main.c", "weigh.c"}
    assert {entry["evidence"]["differential_test"]["command"] for entry in entries} == {"./program some words"}
    assert "[2/2]" in done.stderr
    assert project.leftovers() == []


def test_a_plan_of_an_earlier_tune_is_tested_along(project: Project) -> None:
    """The lock's plan for a unit is smaller than what this run finds: then that one is tested, not this run's."""
    assert project.agent("tune", "--budget", "20", "--", "make", "-B").returncode == 0
    before = project.plans()
    other = "f" * 32 + "-O2s0"
    (entry, *_) = Lock.load(project.lock).plans.values()
    locks.update(project.lock, {other: dataclasses.replace(entry, source="elsewhere.c")})
    done = project.agent("tune", "--budget", "1", "--json", "--run", "./program", "--", "make", "-B")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["n_untested"] == 1
    assert "1 plans in" in done.stderr
    after = project.plans()
    assert after.pop(other)["evidence"]["differential_test"] is None
    assert {key: entry["plan"] for key, entry in after.items()} == {key: entry["plan"] for key, entry in before.items()}
    assert {entry["evidence"]["differential_test"]["command"] for entry in after.values()} == {"./program"}


def test_a_unit_that_is_not_built_again_is_not_called_tested(project: Project) -> None:
    """The build makes only weigh.o again when it is run for the second time."""
    makefile = project.directory / "Makefile"
    makefile.write_text(
        makefile.read_text() + "again:\n\ttest -e main.o || $(MAKE) main.o\n\t$(MAKE) -W weigh.c program\n"
    )
    done = project.agent("tune", "--budget", "8", "--run", "./program", "--", "make", "again")
    assert done.returncode == 1
    assert "main.c: the build did not compile it again" in done.stderr
    assert [entry["source"] for entry in project.plans().values()] == ["weigh.c"]


@pytest.mark.parametrize(
    ("command", "words"),
    [("date +%N", "not repeatable"), ("exit 7", "fails on the reference (status 7")],
)
def test_a_test_command_that_proves_nothing_keeps_nothing(project: Project, command: str, words: str) -> None:
    done = project.agent("tune", "--budget", "4", "--run", command, "--", "make", "-B")
    assert done.returncode == 1
    assert words in done.stderr
    assert not project.lock.exists()


def test_a_build_that_compiles_nothing_the_second_time_proves_nothing(project: Project) -> None:
    done = project.agent("tune", "--budget", "4", "--run", "./program", "--", "make")
    assert done.returncode == 1
    assert "compiled nothing, so there is no -O0 build to compare with" in done.stderr
    assert not project.lock.exists()


class Planted:
    """Proposes a plan that makes every function return zero, then an honest one."""

    def __init__(self, plans: Sequence[Plan] | None = None) -> None:
        self.plans = [MISCOMPILE, *strategies.read_coreset()[:4]] if plans is None else list(plans)

    def ask(self) -> Plan | None:
        return self.plans.pop(0) if self.plans else None

    def tell(self, score: Score) -> None:
        pass


MISCOMPILE = Plan.parse("-passes=cc-agent-test-miscompile,default<O2>")


@pytest.fixture
def planted(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project in whose tunes, in this process, a miscompiling pass counts as a pass like any other."""
    honest = catalog.load()
    likeness = dataclasses.replace(honest.all_passes["globaldce"], name="cc-agent-test-miscompile")
    fooled = dataclasses.replace(honest, all_passes={**honest.all_passes, likeness.name: likeness})
    monkeypatch.setattr(catalog, "load", lambda: fooled)
    monkeypatch.setitem(strategies._MAKERS, "evolve", lambda space, seed: Planted())
    for name, value in {**project.environment, "CC_AGENT_TEST_PASSES": "1"}.items():
        monkeypatch.setenv(name, value)
    return project


def test_a_miscompile_is_refuted_and_dropped(planted: Project) -> None:
    options = TuneOptions(Budget(n_evaluations=6), demands=SIZES_ONLY)
    arguments = {"cwd": planted.directory, "lock": planted.lock, "options": options}
    report = tuning.tune_build(["make", "-B"], workloads=[Workload("./program")], **arguments)  # type: ignore[arg-type]
    assert [result.record.source for result in report.miscompiled] == ["weigh.c"]
    assert [result.best.plan for result in report.miscompiled if result.best] == [MISCOMPILE]
    assert [entry["source"] for entry in planted.plans().values()] == ["main.c"]
    build(["make", "-B"], planted.directory, CC_AGENT_MODE="replay", CC_AGENT_LOCK=str(planted.lock))
    assert planted.run("program") == EXPECTED


def test_a_refuted_plan_also_leaves_the_lock_it_was_in_already(planted: Project) -> None:
    options = TuneOptions(Budget(n_evaluations=6), demands=SIZES_ONLY)
    tuning.tune_build(["make", "-B"], cwd=planted.directory, lock=planted.lock, options=options)
    assert str(MISCOMPILE) in {entry["plan"] for entry in planted.plans().values()}
    tuning.tune_build(
        ["make", "-B"], cwd=planted.directory, lock=planted.lock, options=options, workloads=[Workload("./program")]
    )
    assert str(MISCOMPILE) not in {entry["plan"] for entry in planted.plans().values()}


def test_a_better_but_wrong_plan_in_the_lock_gives_way_to_this_runs_own(
    planted: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = TuneOptions(Budget(n_evaluations=6), demands=SIZES_ONLY)
    tuning.tune_build(["make", "-B"], cwd=planted.directory, lock=planted.lock, options=options)
    monkeypatch.setitem(strategies._MAKERS, "evolve", lambda space, seed: Planted(strategies.read_coreset()[:4]))
    report = tuning.tune_build(
        ["make", "-B"], cwd=planted.directory, lock=planted.lock, options=options, workloads=[Workload("./program")]
    )
    assert report.dropped == ("weigh.c",)
    assert (report.miscompiled, report.n_untested) == ((), 0)
    plans = {entry["source"]: entry for entry in planted.plans().values()}
    assert set(plans) == {"main.c", "weigh.c"}
    assert plans["weigh.c"]["plan"] != str(MISCOMPILE)
    assert all(entry["evidence"]["differential_test"]["command"] == "./program" for entry in plans.values())


def test_a_plan_whose_replay_gives_another_object_is_not_kept(
    planted: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "confirm", lambda record, engine, evaluation: evaluation.plan != MISCOMPILE)
    options = TuneOptions(Budget(n_evaluations=6), demands=SIZES_ONLY)
    tuning.tune_build(["make", "-B"], cwd=planted.directory, lock=planted.lock, options=options)
    assert planted.plans()
    assert str(MISCOMPILE) not in {entry["plan"] for entry in planted.plans().values()}


def searching(project: Project, seconds: float, *arguments: str) -> tuple[subprocess.Popen[str], list[int]]:
    """A tune that has been searching for some seconds and would go on for long, and its processes."""
    tune = project.start("tune", "--budget", "1000s", *arguments)
    assert eventually(lambda: len(descendants(tune.pid)) > 0)
    with pytest.raises(subprocess.TimeoutExpired):  # time for the seed plans
        tune.wait(timeout=seconds)
    return tune, descendants(tune.pid)


def test_an_interrupt_keeps_what_was_found_and_leaves_nothing(project: Project) -> None:
    for seconds in (4, 16, 64, 256):  # until this machine finds something in time
        tune, processes = searching(project, seconds, "weigh.c", "main.c")
        assert processes
        tune.send_signal(signal.SIGINT)
        output, errors = tune.communicate(timeout=300)
        assert tune.returncode == 130, errors
        assert "what was found so far is kept" in errors
        assert "Traceback" not in errors
        assert not any(is_running(pid) for pid in processes)
        assert project.leftovers() == []
        if project.lock.exists() and "weigh.c" in {entry["source"] for entry in project.plans().values()}:
            break
    assert "weigh.c" in {entry["source"] for entry in project.plans().values()}
    assert "weigh.c" in output


def test_a_killed_tune_leaves_no_process_and_no_file_and_the_next_one_works(project: Project) -> None:
    tune, processes = searching(project, 4, "weigh.c")
    tune.kill()
    tune.communicate(timeout=300)
    assert eventually(lambda: not any(is_running(pid) for pid in processes))
    assert project.leftovers() == []
    assert project.agent("tune", "--budget", "8", "weigh.c").returncode == 0
    assert len(project.plans()) == 1


@pytest.mark.parametrize("arguments", [("weigh.c",), ("--run", "./program", "--", "make", "-B")])
def test_a_tune_that_is_killed_while_it_compiles_leaves_no_file(project: Project, arguments: tuple[str, ...]) -> None:
    """Killed inside the plan's real compilation, or a build: where files for others are in use."""
    slow = project.temporary / "slow"
    slow.write_text(f"#!/bin/sh\ntouch '{project.directory}/began'\nsleep 60\n")
    slow.chmod(0o755)
    script = (
        "import sys; from compiler_agent.app import cli, program_test, verification;"
        "real = verification.run;"
        f"verification.run = lambda command, **settings: real(['{slow}'], **settings);"
        "program_test.run = verification.run; cli.main(sys.argv[1:])"
    )
    command = [sys.executable, "-c", script, "tune", "--budget", "4", *arguments]
    tune = subprocess.Popen(command, cwd=project.directory, env=project.environment, stderr=subprocess.DEVNULL)
    assert eventually((project.directory / "began").exists)
    tune.kill()
    tune.wait(timeout=300)
    slow.unlink()
    assert project.leftovers() == []
    assert list(project.temporary.iterdir()) == []


def test_two_tunes_on_one_lock_lose_nothing(project: Project) -> None:
    names = [f"unit{number}.c" for number in range(6)]
    for number, name in enumerate(names):
        text = (project.directory / "weigh.c").read_text()
        (project.directory / name).write_text(text.replace("+= 7", f"+= {number + 11}"))
    tunes = [project.start("tune", "--budget", "6", "--jobs", "1", *half) for half in (names[:3], names[3:])]
    for tune in tunes:
        _, errors = tune.communicate(timeout=120)
        assert tune.returncode == 0, errors
    assert sorted(entry["source"] for entry in project.plans().values()) == names
    assert len(Lock.load(project.lock).plans) == 6
    assert project.leftovers() == []


def fill(path: Path) -> None:
    """Writes until the file system is full."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        while os.write(descriptor, b"x" * 4096):
            pass
    except OSError:
        pass
    finally:
        os.close(descriptor)


def test_a_lock_on_a_read_only_file_system_is_said(project: Project, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    done = project.agent("tune", "--budget", "4", "--lock", small_disk / "cc-agent.lock", "weigh.c")
    assert done.returncode == 3
    assert "Read-only file system" in done.stderr
    assert str(small_disk) in done.stderr
    assert "Traceback" not in done.stderr
    assert "evaluations" not in done.stderr, "it was searched although nothing can be kept"
    done = project.agent("tune", "--budget", "4", "--lock", small_disk / "cc-agent.lock", "--", "make", "-B")
    assert (done.returncode, "Read-only file system" in done.stderr) == (3, True)
    assert not (project.directory / "program").exists(), "it was built although nothing can be kept"
    assert project.leftovers() == []


def test_a_full_disk_is_said_at_once_and_leaves_the_old_lock(project: Project, small_disk: Path) -> None:
    lock = small_disk / "cc-agent.lock"
    assert project.agent("tune", "--budget", "4", "--lock", lock, "main.c").returncode == 0
    before = lock.read_bytes()
    fill(small_disk / "filler")
    for number in range(6):
        text = (project.directory / "weigh.c").read_text()
        (project.directory / f"unit{number}.c").write_text(text.replace("+= 7", f"+= {number + 11}"))
    units = [f"unit{number}.c" for number in range(6)]
    done = project.agent("tune", "--budget", "1s", "--jobs", "1", "--lock", lock, *units)
    assert done.returncode == 3
    assert "No space left on device" in done.stderr
    assert str(lock) in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count(" evaluations") <= 2, "the other units were searched although nothing can be kept"
    assert lock.read_bytes() == before
    assert sorted(os.listdir(small_disk)) == ["cc-agent.lock", "filler"]
    assert project.leftovers() == []


def test_a_damaged_lock_is_said_before_anything_is_searched(project: Project) -> None:
    project.lock.write_text("<<<<<<< ours\n")
    done = project.agent("tune", "--budget", "4", "weigh.c")
    assert done.returncode == 3
    assert "merge conflict" in done.stderr
    assert "evaluations" not in done.stderr
    assert project.lock.read_text() == "<<<<<<< ours\n"


def test_a_cache_that_cannot_be_written_is_said_and_no_reason_to_stop(project: Project, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    done = project.agent("tune", "--budget", "4", "weigh.c", CC_AGENT_CACHE=str(small_disk / "cache"))
    assert done.returncode == 0
    assert len(project.plans()) == 1
    warning, *rest = done.stderr.splitlines()
    assert warning.startswith(f"compiler-agent: warning: {small_disk}")
    assert ".py" not in done.stderr
    assert "evaluations" in rest[0]
    assert "Traceback" not in done.stderr


def test_an_established_plan_is_what_a_unit_keeps(project: Project) -> None:
    """The lock's text is what the evaluation says, and evidence never claims more than one verdict."""
    assert project.agent("tune", "--budget", "4", "weigh.c").returncode == 0
    (entry,) = project.plans().values()
    plan = Plan.parse(entry["plan"])
    assert str(plan) == entry["plan"]
    assert plan.sha256 == entry["plan_sha256"]
    assert entry["verdict"] == Verdict.ESTABLISHED.value
    assert Evaluation.__slots__[0] == "plan"
    assert os.path.isabs(entry["source"]) is False
