"""The function tester on the real clang: equal code passes, wrong code is refuted with an input that shows it."""

import subprocess
from pathlib import Path

import pytest

from compiler_agent.evaluation import function_test
from compiler_agent.evaluation.function_test import FunctionEvidence, FunctionOutcome
from compiler_agent.llvm import toolchain

RIGHT = """
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
struct pair { char key; long value; struct pair *next; };
unsigned sum(const unsigned *a, int n) { unsigned s = 0; for (int i = 0; i < n; i++) s += a[i]; return s; }
long last(const struct pair *p) { long v = 0; for (int i = 0; p && i < 100; i++, p = p->next) v = p->value; return v; }
int notify(const char *what);
int twice(int k) { return notify("one") + notify("two") + k; }
void say(int n) { printf("%d\\n", n); }
int counter; int bump(void) { return ++counter; }
char *copy(const char *s) { char *r = malloc(strlen(s) + 1); strcpy(r, s); return r; }
double half(double x) { return x / 2; }
"""
WRONG = {
    "sum": ("i < n", "i + 1 < n"),
    "last": ("v = p->value", "v = p->value & 0xffff"),
    "twice": ('notify("one") + notify("two")', 'notify("two") + notify("one")'),
    "say": ('"%d\\n"', '"%d \\n"'),
    "bump": ("++counter", "counter + 1"),
    "copy": ("strcpy(r, s)", "strcpy(r, s + (*s == 'a'))"),
    "half": ("x / 2", "x * 0.5f + 0.0"),
}


def compiled(source: str, directory: Path, *flags: str) -> tuple[list[str], bytes]:
    path = directory / "unit.c"
    path.write_text(source)
    argv = [str(toolchain.discover().clang), "-O2", "-w", "-c", "-o", "-", "unit.c"]
    done = subprocess.run([*argv, *flags], cwd=directory, capture_output=True, check=True)
    return argv, done.stdout


def by_name(report: function_test.FunctionReport) -> dict[str, FunctionEvidence]:
    return {evidence.function: evidence for evidence in report.functions}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("function-test-cache")


@pytest.fixture(autouse=True)
def shared_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC_AGENT_CACHE", str(cache))


def test_optimized_code_is_tested(tmp_path: Path) -> None:
    argv, candidate = compiled(RIGHT, tmp_path, "-O3")
    report = function_test.test_functions(argv, tmp_path, candidate, seconds_per_function=30, max_executions=300)
    evidence = by_name(report)
    assert set(evidence) == set(WRONG)
    for function in report.functions:
        assert function.outcome is FunctionOutcome.TESTED, function
        assert function.edges_covered == function.edges > 0
        assert function.n_inputs > 100
        assert "system call filter" in function.isolation


def test_every_wrong_function_is_refuted_and_no_other(tmp_path: Path) -> None:
    source = RIGHT
    for name, (right, wrong) in WRONG.items():
        if name != "half":  # x / 2 and x * 0.5 are the same number
            assert right in source
            source = source.replace(right, wrong, 1)
    wrong_directory = tmp_path / "wrong"
    wrong_directory.mkdir()
    _, candidate = compiled(source, wrong_directory)
    argv, _ = compiled(RIGHT, tmp_path)
    report = function_test.test_functions(argv, tmp_path, candidate, seconds_per_function=10, max_executions=2000)
    evidence = by_name(report)
    for name in WRONG:
        refuted = evidence[name].outcome is FunctionOutcome.REFUTED
        assert refuted == (name != "half"), evidence[name]
        assert not refuted or f"{name}(" in evidence[name].counterexample
