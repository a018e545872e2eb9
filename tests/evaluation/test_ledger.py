"""The ledger on the real clang: what is unchanged, proved, tested, refuted and not established, and what follows."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from compiler_agent.base.trust import Checker, FunctionRecord, Strength, Trust
from compiler_agent.evaluation import ledger_checks
from compiler_agent.evaluation.difftest import Outcome, ProgramVerdict
from compiler_agent.evaluation.function_test import FunctionEvidence, FunctionOutcome, FunctionReport
from compiler_agent.evaluation.ledger import Ledger, establish, trust_of
from compiler_agent.evaluation.ledger_gathering import record_of_test
from compiler_agent.llvm import catalog, replay, toolchain
from compiler_agent.llvm.catalog_entries import Provenance
from compiler_agent.llvm.plan import Plan

SOURCE = """
#include <stdarg.h>
int sum(const int *a, int n) { int s = 0; for (int i = 0; i < n; i++) s += a[i] * (i & 3 ? 3 : 5); return s % 1000; }
int mixed(int x, int y) { int z = x * 3; if (y > 4) z += y; return z; }
void same(void) { }
int far(int key, const unsigned char *p, int n) {
  if (key != 0x1234567) return key;
  unsigned h = 1;
  for (int i = 0; i < n; i++) {
    if (p[i] == 1 && i == 7) h *= 3;
    else if (p[i] == 2 && h > 100) h += 9;
    else if (p[i] == 3) h ^= i;
    else if (p[i] == 4 && p[0] == 9) h -= 2;
    else h += p[i];
  }
  return h;
}
int open_ended(int n, ...) {
  va_list rest; va_start(rest, n);
  int s = 0;
  for (int i = 0; i < n; i++) s += va_arg(rest, int);
  va_end(rest);
  return s;
}
"""
pytestmark = pytest.mark.usefixtures("tested_by_executions")
SMALLER = Plan.parse("-passes=function(sroa)")
WRONG = Plan.parse("-passes=cc-agent-test-miscompile,function(sroa)")


def record(strength: Strength) -> FunctionRecord:
    return FunctionRecord(strength, Checker.FUNCTION_TEST)


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], Path, str]:
    directory = tmp_path_factory.mktemp("ledger")
    (directory / "unit.c").write_text(SOURCE)
    argv = [str(toolchain.discover().clang), "-Oz", "-c", "-o", "-", "unit.c"]
    subprocess.run(argv, cwd=directory, capture_output=True, check=True)
    return argv, directory, replay.key_of(argv, directory)


def of(unit: tuple[list[str], Path, str], plan: Plan, seconds: float = 60, **more: object) -> Ledger:
    argv, directory, key = unit
    return establish(argv, directory, key, plan, catalog.load(), seconds_per_function=seconds, **more)  # type: ignore[arg-type]


def test_each_function_gets_the_cheapest_evidence_that_will_do(unit: tuple[list[str], Path, str]) -> None:
    progress: list[tuple[int, int]] = []
    found = of(unit, SMALLER, on_function=lambda done, n: progress.append((done, n)))
    assert found.functions["same"] == FunctionRecord(Strength.UNCHANGED, Checker.IDENTICAL_CODE)
    assert (found.functions["mixed"].strength, found.functions["mixed"].checker) == (Strength.PROVED, Checker.Z3)
    tested = found.functions["sum"]
    assert (tested.strength, tested.checker) == (Strength.TESTED, Checker.FUNCTION_TEST)
    assert 0 < tested.edges_covered <= tested.edges
    assert tested.n_inputs > 10
    assert found.functions["open_ended"].strength is Strength.NOT_ESTABLISHED
    assert found.functions["open_ended"].reason
    assert (found.refutation, found.trust) == ("", Trust.PRODUCTION)
    assert progress[-1] == (4, 4)
    words = found.shortfall(Trust.TESTED)
    assert words.startswith(
        "1 of 4 changed functions are not established (open_ended: it takes a variable number of arguments"
    )
    assert words.endswith("give --run CMD, or --trust production")
    assert found.shortfall(Trust.PRODUCTION) == ""


def test_a_program_that_behaves_makes_it_tested_and_one_that_does_not_refutes(
    unit: tuple[list[str], Path, str],
) -> None:
    objects: list[bytes] = []

    def passes(content: bytes) -> Outcome:
        objects.append(content)
        return Outcome(ProgramVerdict.SAME)

    assert of(unit, SMALLER, program_test=passes).trust is Trust.TESTED
    assert objects[0][:4] == b"\x7fELF"
    found = of(unit, SMALLER, program_test=lambda content: Outcome(ProgramVerdict.DIFFERENT, (), "it hangs"))
    assert (found.trust, found.refutation) == (None, "different: it hangs")


def test_a_wrong_plan_is_refuted_and_its_functions_are_named(
    unit: tuple[list[str], Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC_AGENT_TEST_PASSES", "1")
    found = of(unit, WRONG)
    assert set(found.refuted_functions) & {"sum", "mixed"}
    assert found.refutation.startswith(f"{found.refuted_functions[0]} is wrong: ")
    assert found.functions["same"].strength is Strength.UNCHANGED
    assert found.trust is None
    assert found.shortfall(Trust.PRODUCTION) == found.refutation


def test_the_tester_alone_refutes_it_too(unit: tuple[list[str], Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC_AGENT_TEST_PASSES", "1")
    monkeypatch.setattr(ledger_checks, "_CHEAP_LINES", 0)
    found = of(unit, WRONG)
    assert "sum" in found.refuted_functions
    assert "sum(" in found.refutation


def test_nothing_is_proved_where_the_plan_changes_code_generation(
    unit: tuple[list[str], Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_proof(*arguments: object, **more: object) -> None:
        raise AssertionError("the prover was asked")

    monkeypatch.setattr(ledger_checks, "validate_modules", no_proof)
    late = Plan.parse(f"{SMALLER} -enable-machine-outliner=always")
    assert catalog.load().late_options(late)
    found = of(unit, late, prove=True)
    assert found.functions["mixed"].strength is Strength.TESTED


def test_an_interrupt_ends_it_and_says_so(unit: tuple[list[str], Path, str]) -> None:
    found = of(unit, SMALLER, should_stop=lambda: True)
    assert found.interrupted
    assert {one.reason for one in found.not_established.values()} == {"interrupted"}


@pytest.mark.parametrize(
    ("strengths", "provenance", "passes", "trust"),
    [
        ("", "production", False, Trust.PROVED),
        ("u", "experimental", False, Trust.PROVED),
        ("pu", "experimental", False, Trust.PROVED),
        ("ptu", "experimental", False, Trust.TESTED),
        ("ptun", "production", False, Trust.PRODUCTION),
        ("ptun", "production", True, Trust.TESTED),
        ("ptun", "experimental", True, Trust.TESTED),
        ("n", "experimental", False, None),
        ("p", "production", True, Trust.PROVED),
    ],
)
def test_what_evidence_is_worth(strengths: str, provenance: str, passes: bool, trust: Trust | None) -> None:
    letters = {strength.value[0]: strength for strength in Strength}
    assert trust_of([record(letters[one]) for one in strengths], Provenance(provenance), passes) is trust


def test_an_experimental_plan_is_not_kept_below_tested() -> None:
    nothing = {"f": record(Strength.NOT_ESTABLISHED)}
    found = Ledger(nothing, Provenance.EXPERIMENTAL)
    assert found.trust is None
    assert "--trust production" not in found.shortfall(Trust.PRODUCTION)
    assert found.shortfall(Trust.PRODUCTION).endswith("give --run CMD")
    assert Ledger({"f": record(Strength.TESTED)}, Provenance.EXPERIMENTAL).shortfall(Trust.PRODUCTION) == ""


@pytest.mark.parametrize(
    ("outcome", "n_inputs", "edges", "covered", "coverage", "reason"),
    [
        (FunctionOutcome.TESTED, 900, 80, 40, 0.5, None),
        (FunctionOutcome.TESTED, 900, 80, 12, 0.5, "12 of 80 edges reached, 40 wanted"),
        (FunctionOutcome.TESTED, 900, 81, 40, 0.5, "40 of 81 edges reached, 41 wanted"),
        (FunctionOutcome.TESTED, 900, 10, 1, 0.1, None),
        (FunctionOutcome.TESTED, 900, 80, 0, 0.001, "0 of 80 edges reached, 1 wanted"),
        (FunctionOutcome.TESTED, 900, 0, 0, 0.5, "0 of 0 edges reached, 1 wanted"),
        (FunctionOutcome.TESTED, 900, 80, 0, 0.0, None),
        (FunctionOutcome.TESTED, 0, 1, 1, 0.0, "no input was compared"),
        (FunctionOutcome.NOT_ESTABLISHED, 0, 80, 0, 0.5, "every input is undefined"),
    ],
)
def test_a_test_counts_only_if_it_reached_enough(
    outcome: FunctionOutcome, n_inputs: int, edges: int, covered: int, coverage: float, reason: str | None
) -> None:
    why = reason if outcome is FunctionOutcome.NOT_ESTABLISHED else ""
    seen = FunctionEvidence("f", outcome, why or "", n_inputs=n_inputs, edges=edges, edges_covered=covered)
    made = record_of_test(seen, coverage)
    assert made.reason == (reason or "")
    assert made.strength is (Strength.TESTED if reason is None else Strength.NOT_ESTABLISHED)
    assert (made.n_inputs, made.edges, made.edges_covered) == (n_inputs, edges, covered)


def test_more_edges_can_be_demanded_than_a_test_reaches(unit: tuple[list[str], Path, str]) -> None:
    found = of(unit, SMALLER, coverage=0.0).functions["far"]
    assert (found.strength, found.edges_wanted) == (Strength.TESTED, 0)
    demanded = of(unit, SMALLER, coverage=1.0)
    record = demanded.functions["far"]
    if record.edges_covered < record.edges:  # a better tester may reach them all one day
        assert record.strength is Strength.NOT_ESTABLISHED
        assert record.reason == f"{record.edges_covered} of {record.edges} edges reached, {record.edges} wanted"
        assert "or more --test-seconds" in demanded.shortfall(Trust.TESTED)
    assert record.edges_wanted == record.edges > 5


ALIVE_SAYS = """
----------------------------------------
{what}

Summary:
  {correct} correct transformations
  {incorrect} incorrect transformations
  {failed} failed-to-prove transformations
  {errors} Alive2 errors
"""
WRONG_VALUE = """ERROR: Value mismatch

Example:
ptr %p = pointer(non-local, block_id=1, offset=0)

Source:
i32 %1 = #x00000001 (1)
"""
VOLATILE = """
int noisy(volatile int *p, int y) { int z = *p * 3; if (y > 4) z += y; return z; }
static int f(int x) { return x * 3; }
int inlined(volatile int *p, int y) { int z = f(*p); if (y > 4) z += y; return z; }
"""


def says(**counts: int) -> str:
    what = WRONG_VALUE if counts.get("incorrect") else "Transformation seems to be correct!"
    return ALIVE_SAYS.format(what=what, **{"correct": 0, "incorrect": 0, "failed": 0, "errors": 0, **counts})


@pytest.fixture(scope="module")
def volatile_unit(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], Path, str]:
    """One directory for all tests, so that its reference is built once."""
    directory = tmp_path_factory.mktemp("volatile")
    (directory / "unit.c").write_text(VOLATILE)
    argv = [str(toolchain.discover().clang), "-Oz", "-c", "-o", "-", "unit.c"]
    return argv, directory, replay.key_of(argv, directory)


@pytest.mark.parametrize(
    ("script", "strength", "checker", "reason"),
    [
        ("cat {text}", Strength.PROVED, Checker.ALIVE2, ""),
        ("cat {text}; exit 1", Strength.PROVED, Checker.ALIVE2, ""),  # its status means nothing
        ("cat {wrong}", Strength.NOT_ESTABLISHED, Checker.ALIVE2, "alive2: alive-tv: Value mismatch for ptr %p = "),
        ("cat {failed}", Strength.TESTED, Checker.FUNCTION_TEST, ""),
        ("cat {failing}", Strength.TESTED, Checker.FUNCTION_TEST, ""),
        ("cat {text}; kill -SEGV $$", Strength.TESTED, Checker.FUNCTION_TEST, ""),
        ("sleep 100; cat {text}", Strength.TESTED, Checker.FUNCTION_TEST, ""),
        ("echo Summary: 1 correct transformations", Strength.TESTED, Checker.FUNCTION_TEST, ""),
        ("cat {text} {text}", Strength.TESTED, Checker.FUNCTION_TEST, ""),
        ("head -c 4096 /dev/urandom", Strength.TESTED, Checker.FUNCTION_TEST, ""),
    ],
)
def test_alive_is_asked_where_it_is_on_the_path(
    volatile_unit: tuple[list[str], Path, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    script: str,
    strength: Strength,
    checker: Checker,
    reason: str,
) -> None:
    def tester(*arguments: object, functions: Sequence[str], **more: object) -> FunctionReport:
        seen = [
            FunctionEvidence(name, FunctionOutcome.TESTED, n_inputs=9, edges=1, edges_covered=1) for name in functions
        ]
        return FunctionReport(tuple(seen), 0.1)

    # What follows from alive-tv's words does not depend on how long a real test takes.
    monkeypatch.setattr(ledger_checks, "test_functions", tester)
    monkeypatch.setattr("compiler_agent.evaluation.validate.alive._GRACE_S", 0.1)
    texts = {"text": says(correct=1), "wrong": says(incorrect=1), "failed": says(failed=1), "failing": says(errors=1)}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    program = tmp_path / "bin" / "alive-tv"
    program.parent.mkdir()
    log = tmp_path / "asked"
    program.write_text(f"#!/bin/sh\necho $1 >> {log}\n{script.format(**{name: tmp_path / name for name in texts})}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    plan = Plan.parse("-passes=cgscc(inline),function(sroa)")
    found = of(volatile_unit, plan, seconds=3 if "sleep" in script else 60)
    record = found.functions["noisy"]
    assert (record.strength, record.checker) == (strength, checker), record
    assert record.reason.startswith(reason)
    assert found.refutation == ""
    assert log.read_text() == "--func=noisy\n"  # not of what was inlined, and nothing that z3 proved
    assert found.functions["inlined"].strength is Strength.TESTED


def test_what_was_not_established_before_is_tested_first_and_ends_it(
    unit: tuple[list[str], Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def tester(*arguments: object, functions: Sequence[str], **more: object) -> FunctionReport:
        asked.extend(functions)
        outcomes = {"open_ended": FunctionOutcome.NOT_ESTABLISHED}
        seen = [FunctionEvidence(n, outcomes.get(n, FunctionOutcome.TESTED), n_inputs=9) for n in functions]
        return FunctionReport(tuple(seen), 0.1)

    monkeypatch.setattr(ledger_checks, "test_functions", tester)
    found = of(unit, SMALLER, doubtful={"open_ended"}, coverage=0.0)
    assert asked == ["open_ended"]
    assert found.functions["far"].reason == "not tested: open_ended is not established"
    asked.clear()
    of(unit, SMALLER, doubtful={"far"}, coverage=0.0)
    assert asked[0] == "far"
    assert set(asked) == {"far", "open_ended", "sum"}
