"""`compiler-agent verify`: what it finds of each plan, and what it takes out of a lock."""

import dataclasses
import json
from pathlib import Path

import pytest

from compiler_agent.app import tune_build
from compiler_agent.app.cli import main
from compiler_agent.app.program_test import workloads_of
from compiler_agent.app.unit import TuneOptions
from compiler_agent.app.verification import SIZES_ONLY, Demands
from compiler_agent.app.verify import verify_lock
from compiler_agent.base import lock as locks
from compiler_agent.base.config import Budget
from compiler_agent.base.errors import NotEstablished
from compiler_agent.base.lock import Lock
from compiler_agent.base.trust import Trust
from compiler_agent.evaluation.difftest import ProgramVerdict, Workload
from compiler_agent.evaluation.evaluate import Verdict
from compiler_agent.search import strategies

from .programs import EXPECTED, Project
from .test_tune import MISCOMPILE, Planted, planted

__all__ = ["planted"]


def test_wrong_plans_are_found_and_taken_out_on_request_and_no_others(project: Project) -> None:
    assert project.agent("tune", "--budget", "8", "weigh.c", "main.c").returncode == 0
    assert project.agent("verify", project.lock).returncode == 0
    entries = Lock.load(project.lock).plans
    (good,) = [key for key, entry in entries.items() if entry.source == "main.c"]
    (bad,) = [key for key, entry in entries.items() if entry.source == "weigh.c"]
    unknown = "f" * 32 + "-O2s0"  # nobody here knows how it is compiled: that says nothing against its plan
    wrong = {
        bad: dataclasses.replace(entries[bad], plan="-passes=cc-agent-test-crash"),
        unknown: dataclasses.replace(entries[bad], source="elsewhere.c"),
    }
    locks.update(project.lock, wrong, replace=True)
    before = project.lock.read_bytes()

    done = project.agent("verify", "--json", project.lock)
    assert done.returncode == 1
    verdicts = {row["key"]: (row["verdict"], row["was_judged"]) for row in json.loads(done.stdout)}
    assert verdicts == {
        good: ("established", True),
        bad: ("rejected", True),
        unknown: ("not-established", False),
    }
    assert project.lock.read_bytes() == before

    done = project.agent("verify", "--remove", project.lock)
    assert done.returncode == 1
    assert "1 of 3 plans were taken out of" in done.stderr
    assert set(project.plans()) == {good, unknown}


def tuned_with_a_test(planted: Project) -> None:
    """A lock in which both plans stand on a program's test, and weigh.c's is then replaced by a miscompiling one."""
    options = TuneOptions(Budget(n_evaluations=4), demands=SIZES_ONLY)
    tune_build.tune_build(
        ["make", "-B"],
        cwd=planted.directory,
        lock=planted.lock,
        options=options,
        workloads=[Workload("./program"), Workload("./program x")],
    )


def with_a_miscompile(planted: Project) -> str:
    (key,) = [key for key, entry in Lock.load(planted.lock).plans.items() if entry.source == "weigh.c"]
    entry = Lock.load(planted.lock).plans[key]
    locks.update(planted.lock, {key: dataclasses.replace(entry, plan=str(MISCOMPILE))}, replace=True)
    return key


def test_a_programs_test_is_run_again(planted: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(strategies._MAKERS, "evolve", lambda space, seed: Planted(strategies.read_coreset()[:3]))
    monkeypatch.chdir(planted.directory)
    tuned_with_a_test(planted)
    (test, _) = [entry.evidence.differential_test for entry in Lock.load(planted.lock).plans.values()]
    assert test is not None
    assert (test["command"], test["commands"]) == ("./program; ./program x", ["./program", "./program x"])
    demands = Demands(Trust.TESTED, test_seconds=0)
    findings = verify_lock(planted.lock, demands=demands)
    assert [(one.verdict, one.trust, one.program, one.reason) for one in findings] == [
        (Verdict.ESTABLISHED, Trust.TESTED, ProgramVerdict.SAME, "")
    ] * 2
    assert planted.run("program") == EXPECTED  # clang's own build is there again

    bad = with_a_miscompile(planted)
    before = planted.lock.read_bytes()
    found = {one.key: one for one in verify_lock(planted.lock, demands=demands)}
    assert found[bad].verdict is Verdict.MISCOMPILED
    assert found[bad].program is ProgramVerdict.DIFFERENT
    assert "the program does something else: ./program; ./program x" in found[bad].reason
    assert found[bad].was_judged
    assert [one.verdict for one in found.values() if one.key != bad] == [Verdict.ESTABLISHED]
    assert planted.run("program") == EXPECTED
    assert planted.lock.read_bytes() == before


def test_what_cannot_be_run_again_is_not_established_and_stays(
    planted: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(strategies._MAKERS, "evolve", lambda space, seed: Planted(strategies.read_coreset()[:3]))
    monkeypatch.chdir(planted.directory)
    tuned_with_a_test(planted)
    before = planted.lock.read_bytes()
    for path in (Path(planted.environment["CC_AGENT_CACHE"]) / "builds").iterdir():
        path.unlink()
    with pytest.raises(SystemExit) as ended:
        main(["verify", "--remove", str(planted.lock)])
    assert ended.value.code == 1
    printed = capsys.readouterr().out
    assert printed.count("its program's test was not run again: how it is built is not known here") == 2
    assert printed.count("program: not-established") == 2
    assert planted.lock.read_bytes() == before

    main(["verify", str(planted.lock), "--", "make", "-B"])
    assert capsys.readouterr().out.count("program: same") == 2

    with pytest.raises(SystemExit):  # another test can be named, and it is the one that counts
        main(["verify", "--run", "exit 3", str(planted.lock), "--", "make", "-B"])
    assert "the test command fails on the reference (status 3" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("evidence", "no_sandbox", "words"),
    [
        ({"command": "make test", "sandbox": "none"}, False, "without the sandbox; --no-sandbox"),
        ({"runs": 3}, False, "there is no command"),
        ({"command": "t", "commands": []}, False, "there is no command"),
        ({"command": "t", "tolerance": "much"}, False, "could not convert"),
    ],
)
def test_evidence_that_does_not_say_enough(evidence: dict[str, object], no_sandbox: bool, words: str) -> None:
    with pytest.raises(NotEstablished, match=words):
        workloads_of(evidence, no_sandbox=no_sandbox)


def test_evidence_of_older_locks_and_of_tests_without_a_sandbox() -> None:
    old = {"command": "a; b", "tolerance": 0.5, "ignored_files": ["*.log"], "runs": 3, "sandbox": "full"}
    assert workloads_of(old, no_sandbox=False) == (Workload("a; b", tolerance=0.5, ignored_files=("*.log",)),)
    (one, two) = workloads_of({"commands": ["a", "b"], "timeout_s": 7, "sandbox": "none"}, no_sandbox=True)
    assert (one.command, two.command, one.timeout_s, one.sandboxed) == ("a", "b", 7.0, False)
