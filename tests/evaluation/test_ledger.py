"""The ledger on the real clang: what is unchanged, proved, tested, refuted and not established, and what follows."""

import subprocess
from pathlib import Path

import pytest

from compiler_agent.base.trust import Checker, FunctionRecord, Strength, Trust
from compiler_agent.evaluation import ledger as ledgers
from compiler_agent.evaluation.difftest import Outcome, ProgramVerdict
from compiler_agent.evaluation.ledger import Ledger, establish, trust_of
from compiler_agent.llvm import catalog, replay, toolchain
from compiler_agent.llvm.catalog_entries import Provenance
from compiler_agent.llvm.plan import Plan

SOURCE = """
#include <stdarg.h>
int sum(const int *a, int n) { int s = 0; for (int i = 0; i < n; i++) s += a[i] * (i & 3 ? 3 : 5); return s % 1000; }
int mixed(int x, int y) { int z = x * 3; if (y > 4) z += y; return z; }
void same(void) { }
int open_ended(int n, ...) {
  va_list rest; va_start(rest, n);
  int s = 0;
  for (int i = 0; i < n; i++) s += va_arg(rest, int);
  va_end(rest);
  return s;
}
"""
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


def of(unit: tuple[list[str], Path, str], plan: Plan, **more: object) -> Ledger:
    argv, directory, key = unit
    return establish(argv, directory, key, plan, catalog.load(), seconds_per_function=0.5, **more)  # type: ignore[arg-type]


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
    assert progress[-1] == (3, 3)
    words = found.shortfall(Trust.TESTED)
    assert words.startswith(
        "1 of 3 changed functions are not established (open_ended: it takes a variable number of arguments"
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
    monkeypatch.setattr(ledgers, "_CHEAP_LINES", 0)
    found = of(unit, WRONG)
    assert "sum" in found.refuted_functions
    assert "sum(" in found.refutation


def test_nothing_is_proved_where_the_plan_changes_code_generation(
    unit: tuple[list[str], Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_proof(*arguments: object, **more: object) -> None:
        raise AssertionError("the prover was asked")

    monkeypatch.setattr(ledgers, "validate_modules", no_proof)
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
