"""What a plan needs to be kept: the wrong ones are refused at function level, by name; the others say what is known."""

import dataclasses
import json
from collections.abc import Sequence

import pytest

from compiler_agent.app.cli import main
from compiler_agent.app.outcomes import gives_nothing
from compiler_agent.app.records import describe
from compiler_agent.app.tune import tune_records
from compiler_agent.app.unit import TuneOptions
from compiler_agent.app.verification import Demands
from compiler_agent.app.verify import verify_lock
from compiler_agent.base import lock as locks
from compiler_agent.base.config import Budget, user_cache_directory
from compiler_agent.base.lock import Lock
from compiler_agent.base.store import Store
from compiler_agent.base.trust import Strength, Trust
from compiler_agent.evaluation import ledger_checks
from compiler_agent.evaluation.evaluate import Verdict
from compiler_agent.evaluation.function_test import FunctionEvidence, FunctionOutcome, FunctionReport
from compiler_agent.llvm import catalog
from compiler_agent.llvm.catalog_entries import Provenance
from compiler_agent.llvm.toolchain import discover
from compiler_agent.search import strategies

from .programs import Project, text_bytes
from .test_tune import MISCOMPILE, Planted

SMALLER = strategies.read_coreset()[:2]
VARIADIC = """
#include <stdarg.h>
int total(int n, ...) {
  va_list rest;
  va_start(rest, n);
  int sum = 0;
  for (int i = 0; i < n; i++)
    switch (va_arg(rest, int) & 7) {
    case 0: sum += 3; break;
    case 1: sum ^= 9; break;
    case 2: sum *= n + i; break;
    case 4: sum -= i; break;
    default: sum += i * i;
    }
  va_end(rest);
  return sum;
}
int same(void) { return 7; }
"""


def options(trust: str = "tested", seconds: float = 60, *, experimental: bool = False) -> TuneOptions:
    demands = Demands(Trust(trust), seconds)
    return TuneOptions(Budget(n_evaluations=6), demands=demands, allow_experimental=experimental)


@pytest.fixture
def here(project: Project, monkeypatch: pytest.MonkeyPatch, tested_by_executions: None) -> Project:
    """A project in this process, with the test passes; the searches propose real plans of the coreset."""
    for name, value in {**project.environment, "CC_AGENT_TEST_PASSES": "1"}.items():
        monkeypatch.setenv(name, value)
    for name in ("CC_AGENT_TRUST", "CC_AGENT_TEST_SECONDS"):
        monkeypatch.delenv(name)
    monkeypatch.chdir(project.directory)
    monkeypatch.setitem(strategies._MAKERS, "evolve", lambda space, seed: Planted(SMALLER))
    return project


@pytest.fixture
def planted(here: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """There a pass that miscompiles counts as a production pass, and is proposed first."""
    plant(monkeypatch, Provenance.PRODUCTION)
    return here


def plant(monkeypatch: pytest.MonkeyPatch, provenance: Provenance) -> None:
    honest = catalog.load()
    likeness = dataclasses.replace(
        honest.all_passes["globaldce"], name="cc-agent-test-miscompile", provenance=provenance
    )
    fooled = dataclasses.replace(honest, all_passes={**honest.all_passes, likeness.name: likeness})
    monkeypatch.setattr(catalog, "load", lambda: fooled)
    monkeypatch.setitem(strategies._MAKERS, "evolve", lambda space, seed: Planted())


def test_tune_refuses_a_miscompile_and_keeps_the_next_best_plan(planted: Project) -> None:
    report = tune_records(describe(["-O-agent=size", "-c", "weigh.c"]), planted.lock, options())
    (result,) = report.results
    assert [(one.plan, one.verdict) for one in result.refused] == [(MISCOMPILE, Verdict.MISCOMPILED)]
    assert result.refused[0].reason.startswith("weigh is wrong: ")
    (entry,) = Lock.load(planted.lock).plans.values()
    assert entry.plan != str(MISCOMPILE)
    assert entry.evidence.trust is Trust.TESTED
    assert entry.evidence.functions["weigh"].strength is Strength.TESTED
    assert 0 < report.verification_share < 1
    with Store.open(user_cache_directory()) as store:
        rows = {row.plan: row for row in store.all_for(result.key, discover().digest)}
    assert rows[str(MISCOMPILE)].outcome == "miscompiled"

    # It is replayed, and verified again.
    built = planted.compile("-O-agent=size", "-c", "weigh.c", "-o", "ours.o")
    assert (built.returncode, built.stderr) == (0, b"")
    assert (
        text_bytes(planted.directory / "ours.o") == entry.evidence.plan_text_bytes < entry.evidence.baseline_text_bytes
    )
    planted.clang("main.c", "ours.o", "-o", "ours")
    assert planted.run("ours") == b"62 73\n"
    (finding,) = verify_lock(planted.lock, demands=Demands(test_seconds=60))
    assert (finding.verdict, finding.trust) == (Verdict.ESTABLISHED, Trust.TESTED)
    assert finding.functions["weigh"].strength is Strength.TESTED

    wrong = dataclasses.replace(entry, plan=str(MISCOMPILE))
    locks.update(planted.lock, {result.key: wrong}, replace=True)
    (finding,) = verify_lock(planted.lock, demands=Demands(test_seconds=60))
    assert finding.verdict is Verdict.MISCOMPILED
    assert finding.reason.startswith("weigh is wrong: ")


def test_the_command_names_what_is_refused(planted: Project, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["tune", "--budget", "6", "--test-seconds", "60", "--json", "weigh.c"]
    main(arguments)
    found = json.loads(capsys.readouterr().out)
    (unit,) = found["units"]
    assert (unit["verdict"], unit["trust"], unit["functions"]) == ("established", "tested", "1 tested")
    assert [one["verdict"] for one in unit["refused"]] == ["miscompiled"]
    assert 0 < found["verification_share"] < 1


def test_judge_refuses_a_miscompile_by_name(planted: Project, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["judge", "--test-seconds", "60", "--plan", str(MISCOMPILE)]
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--json", "--", "clang", "-c", "weigh.c"])
    assert ended.value.code == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["verdict"], found["trust"], found["refuted_functions"]) == ("miscompiled", None, ["weigh"])
    assert found["reason"].startswith("weigh is wrong: ")


def test_what_cannot_be_tested_is_kept_only_where_less_is_demanded(here: Project) -> None:
    (here.directory / "total.c").write_text(VARIADIC)
    records = describe(["-O-agent=size", "-c", "total.c"])
    report = tune_records(records, here.lock, options())
    assert Lock.load(here.lock).plans == {}
    with Store.open(user_cache_directory()) as store:  # a build does not search for it again, unless it demands less
        rows = store.all_for(report.results[0].key, discover().digest)
    assert all(gives_nothing(row, Demands(Trust.TESTED, 60)) for row in rows)
    for less in (Demands(Trust.PRODUCTION, 60), Demands(Trust.TESTED, 600), Demands(test_seconds=60, test_coverage=0)):
        assert not all(gives_nothing(row, less) for row in rows)
    (result,) = report.results
    assert result.best is None
    assert {one.verdict for one in result.refused} == {Verdict.NOT_ESTABLISHED}
    assert "1 of 1 changed functions are not established (total: it takes a variable number" in result.refused[0].reason
    assert result.refused[0].reason.endswith("give --run CMD, or --trust production")

    tune_records(records, here.lock, options("production"))
    (entry,) = Lock.load(here.lock).plans.values()
    assert entry.evidence.trust is Trust.PRODUCTION
    assert entry.evidence.functions["total"].strength is Strength.NOT_ESTABLISHED
    assert entry.evidence.functions["same"].strength is Strength.UNCHANGED
    verdicts = [
        verify_lock(here.lock, demands=Demands(trust, 0.5))[0].verdict for trust in (Trust.TESTED, Trust.PRODUCTION)
    ]
    assert verdicts == [Verdict.NOT_ESTABLISHED, Verdict.ESTABLISHED]


def test_a_program_makes_up_for_what_cannot_be_tested(here: Project) -> None:
    (here.directory / "total.c").write_text(VARIADIC)
    main_c = (here.directory / "main.c").read_text()
    (here.directory / "main.c").write_text(main_c.replace("return 0;", 'printf("%d\\n", total(3, 1, 2, 4)); return 0;'))
    text = (here.directory / "main.c").read_text()
    (here.directory / "main.c").write_text(text.replace("int weigh", "int total(int, ...);\nint weigh", 1))
    (here.directory / "Makefile").write_text("program: main.o weigh.o total.o\n\t$(CC) -o $@ $^\n")
    done = here.agent(
        *("tune", "--budget", "8", "--trust", "tested", "--test-seconds", "0.3", "--run", "./program"),
        *("--", "make", "-B"),
    )
    assert done.returncode == 0, done.stderr
    entries = {entry["source"]: entry["evidence"] for entry in here.plans().values()}
    assert set(entries) == {"main.c", "weigh.c", "total.c"}
    assert {evidence["trust"] for evidence in entries.values()} <= {"tested", "proved"}
    assert entries["total.c"]["functions"]["total"]["strength"] == "not-established"
    assert entries["total.c"]["differential_test"]["command"] == "./program"


def test_an_experimental_plan_is_not_kept_below_tested(here: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    (here.directory / "total.c").write_text(VARIADIC)
    honest = catalog.load()
    doubtful = {
        name: dataclasses.replace(one, provenance=Provenance.EXPERIMENTAL) for name, one in honest.all_passes.items()
    }
    monkeypatch.setattr(catalog, "load", lambda: dataclasses.replace(honest, all_passes=doubtful))
    report = tune_records(
        describe(["-O-agent=size", "-c", "total.c"]), here.lock, options("production", experimental=True)
    )
    assert report.results[0].refused[0].reason.endswith("give --run CMD")
    assert Lock.load(here.lock).plans == {}


def test_a_function_whose_test_saw_too_little_says_so_everywhere(
    here: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def tester(*arguments: object, functions: Sequence[str], **more: object) -> FunctionReport:
        tested = FunctionOutcome.TESTED
        return FunctionReport(
            tuple(FunctionEvidence(name, tested, n_inputs=9, edges=80, edges_covered=12) for name in functions), 0.1
        )

    monkeypatch.setattr(ledger_checks, "test_functions", tester)
    words = "12 of 80 edges reached, 40 wanted"
    with pytest.raises(SystemExit) as ended:
        main(["judge", "--plan", str(SMALLER[0]), "--", "clang", "-c", "weigh.c"])
    printed = capsys.readouterr().out
    assert ended.value.code == 1
    assert (
        f"weigh: not-established (function-test, 9 inputs, 12 of 80 edges (40 wanted), seed 0, 0.0 s): {words}"
        in printed
    )

    main(["tune", "--budget", "6", "weigh.c"])
    assert words in capsys.readouterr().err
    assert Lock.load(here.lock).plans == {}
    main(["tune", "--budget", "6", "--test-coverage", "0.1", "weigh.c"])
    (entry,) = Lock.load(here.lock).plans.values()
    assert (entry.evidence.trust, entry.evidence.functions["weigh"].edges_wanted) == (Trust.TESTED, 8)
    capsys.readouterr()
    main(["explain", str(here.lock)])
    assert "weigh: tested (function-test, 9 inputs, 12 of 80 edges (8 wanted)" in capsys.readouterr().out

    monkeypatch.setenv("CC_AGENT_TEST_COVERAGE", "0.15")
    main(["verify", str(here.lock)])
    assert "12 of 80 edges (12 wanted)" in capsys.readouterr().out
    monkeypatch.delenv("CC_AGENT_TEST_COVERAGE")
    with pytest.raises(SystemExit):
        main(["verify", str(here.lock)])
    assert words in capsys.readouterr().out
