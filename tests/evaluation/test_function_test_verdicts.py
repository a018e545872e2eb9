"""What becomes of differences that are no refutation at first, and of candidates that say nothing."""

from pathlib import Path

import pytest

from compiler_agent.evaluation import function_test
from compiler_agent.evaluation.function_test import FunctionOutcome
from compiler_agent.evaluation.function_test_build import reference

from .test_function_test import by_name, compiled

FILLS = """
struct partial { int used, unused; };
int give(const struct partial *p);
int fills(int n) { struct partial p; p.used = n; return give(&p); }
"""
GROWS = """
#include <stdlib.h>
void keep(void *p);
void grows(int n) { void *p = malloc(n > 100000 ? 8 : 16); if (p) keep(p); free(p); }
"""
FREES_TWICE = """
#include <stdlib.h>
void keep(void *p);
void frees(void) { char *p = malloc(8); keep(p); *(volatile char *)p = 1; free(p); free(p); }
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC_AGENT_CACHE", str(tmp_path_factory.getbasetemp() / "verdicts-cache"))


def wrong(source: str, right: str, instead: str, directory: Path) -> bytes:
    """The object of the source with one change."""
    assert source.count(right) == 1
    (directory / "wrong").mkdir()
    return compiled(source.replace(right, instead), directory / "wrong")[1]


def test_an_input_is_asked_again_without_what_nobody_wrote(tmp_path: Path) -> None:
    argv, _ = compiled(FILLS, tmp_path)
    candidate = wrong(FILLS, "p.used = n", "p.used = n + 1", tmp_path)
    # One input alone, on which builds of the reference disagree about the other member.
    reference(argv, tmp_path).corpus.write_text("cc-agent-test-corpus 3\n5 1 0 77 0 0 0 0\n")
    report = function_test.test_functions(argv, tmp_path, candidate, max_executions=0)
    assert [function.function for function in report.refuted] == ["fills"]


def test_a_candidate_that_needs_more_memory_is_not_established(tmp_path: Path) -> None:
    argv, _ = compiled(GROWS, tmp_path)
    candidate = wrong(GROWS, "100000 ? 8", "100000 ? 32 << 20", tmp_path)
    report = function_test.test_functions(argv, tmp_path, candidate, seconds_per_function=20, max_executions=300)
    (found,) = report.functions
    assert found.outcome is FunctionOutcome.NOT_ESTABLISHED
    assert "more than a test may on inputs on which the reference does not" in found.reason
    unchanged = function_test.test_functions(argv, tmp_path, compiled(GROWS, tmp_path)[1], max_executions=300)
    assert by_name(unchanged)["grows"].outcome is FunctionOutcome.TESTED


def test_a_reference_that_frees_twice_is_undefined_and_not_too_large(tmp_path: Path) -> None:
    argv, candidate = compiled(FREES_TWICE, tmp_path)
    (found,) = function_test.test_functions(argv, tmp_path, candidate, max_executions=20).functions
    assert (found.outcome, found.n_limited, found.n_inputs) == (FunctionOutcome.NOT_ESTABLISHED, 0, 0)
    assert found.reason == "every input that was generated has undefined behaviour"
