"""A plan with decisions goes every plan's way: judged, tuned, kept in the lock, replayed, verified, explained."""

from __future__ import annotations

import json

import pytest

from compiler_agent.app.records import Record, describe
from compiler_agent.app.tune import tune_records
from compiler_agent.app.unit import TuneOptions
from compiler_agent.app.verification import SIZES_ONLY
from compiler_agent.base.config import Budget
from compiler_agent.base.lock import Lock
from compiler_agent.base.lock_format import Evidence, LockEntry
from compiler_agent.llvm.plan import Plan
from compiler_agent.llvm.replay import key_of
from compiler_agent.llvm.toolchain import discover
from compiler_agent.search import strategies

from .programs import WEIGH_C, Project, text_bytes

# The source asks for what makes it big, and the plan decides otherwise.
PRAGMA = "#pragma clang loop unroll_count(4)\n"
DECISION = "loop:weigh:0:unroll=false"
PLAN = f"-passes=default<O2> {DECISION}"


@pytest.fixture
def unrolled(project: Project) -> Project:
    before, loop, after = WEIGH_C.partition("  for (int i")
    (project.directory / "weigh.c").write_text(before + PRAGMA + loop + after)
    return project


def test_a_judged_plan_is_tested_function_by_function(unrolled: Project) -> None:
    judge = ["judge", "--json", "--trust", "tested", "--test-seconds", "1", "--plan"]
    done = unrolled.agent(*judge, PLAN, "--", "clang", "-c", "weigh.c")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["verdict"], found["trust"]) == ("established", "tested")
    assert found["text_bytes"] < found["baseline_text_bytes"]
    wrong = unrolled.agent(*judge, f"{PLAN} loop:weigh:2:unroll=false", "--", "clang", "-c", "weigh.c")
    assert wrong.returncode == 1
    assert "'loop:weigh:2:unroll=false': weigh has 2 loops" in json.loads(wrong.stdout)["reason"]
    unknown = unrolled.agent(*judge, "-passes=dce loop:weigh:0:assume_safety=true", "--", "clang", "-c", "weigh.c")
    assert unknown.returncode == 2
    assert "of a loop 'assume_safety' cannot be decided" in unknown.stderr


def test_a_tuned_plan_with_a_decision_is_kept_replayed_verified_and_explained(
    unrolled: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TMPDIR", "CC_AGENT_CACHE"):
        monkeypatch.setenv(name, unrolled.environment[name])
    monkeypatch.setattr(strategies, "make", lambda *given, **named: strategies.Coreset([Plan.parse(PLAN)]))
    records: list[Record] = describe(["-c", "weigh.c", "-O-agent=size"], unrolled.directory)
    report = tune_records(records, unrolled.lock, TuneOptions(Budget(n_evaluations=3), demands=SIZES_ONLY))
    assert report.failures == ()
    (entry,) = unrolled.plans().values()
    assert entry["plan"] == PLAN

    built = unrolled.compile("-O-agent=size", "-c", "weigh.c", "-o", "ours.o")
    assert (built.returncode, built.stderr) == (0, b"")
    unrolled.clang("-Oz", "-c", "weigh.c", "-o", "plain.o")
    assert text_bytes(unrolled.directory / "ours.o") == entry["evidence"]["plan_text_bytes"]
    assert text_bytes(unrolled.directory / "plain.o") == entry["evidence"]["baseline_text_bytes"]

    assert unrolled.agent("verify", "cc-agent.lock").returncode == 0
    (explained,) = json.loads(unrolled.agent("explain", "--json", "cc-agent.lock").stdout)
    assert [part["part"] for part in explained["parts"]] == [DECISION]
    assert explained["parts"][0]["pays"] > 0
    # The pragma that stands there would have to go, which is a person's to do.
    patch = unrolled.agent("explain", "--as-patch", "cc-agent.lock")
    assert patch.returncode == 1
    assert f"# left out: {DECISION}: no edit of this source" in patch.stdout


def test_a_locks_plan_whose_decision_does_not_fit_costs_a_warning_and_nothing_else(
    unrolled: Project,
) -> None:
    (record,) = describe(["-c", "weigh.c", "-O-agent=size"], unrolled.directory)
    toolchain = discover()
    entry = LockEntry(
        "-passes=default<O2> call:weigh:0:inline=never",
        "weigh.c",
        toolchain.version,
        toolchain.target,
        Evidence(9, 8, 1, "evolve", 0),
    )
    unrolled.lock.write_text(Lock({key_of(record.argv, record.cwd): entry}).to_text())
    built = unrolled.compile("-O-agent=size", "-c", "weigh.c", "-o", "ours.o")
    assert built.returncode == 0
    assert b"weigh has 0 direct calls" in built.stderr
    unrolled.clang("-Oz", "-c", "weigh.c", "-o", "plain.o")
    assert (unrolled.directory / "ours.o").read_bytes() == (unrolled.directory / "plain.o").read_bytes()
