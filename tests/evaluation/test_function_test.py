"""The function tester on the real clang: equal code passes, wrong code is refuted with an input that shows it."""

import subprocess
from collections.abc import Iterable
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
struct bits { unsigned low : 3, high : 5; int rest; };
enum kind { RED, GREEN = 7, BLUE };
int notify(const char *what);
int counter;
static int hidden;
unsigned sum(const unsigned *a, int n) { unsigned s = 0; for (int i = 0; i < n; i++) s += a[i]; return s; }
long last(const struct pair *p) { long v = 0; for (int i = 0; p && i < 100; i++, p = p->next) v = p->value; return v; }
int twice(int k) { return notify("one") + notify("two") + (k & 15); }
void say(int n) { printf("%d\\n", n); }
int bump(void) { return ++counter; }
char *copy(const char *s) { char *r = malloc(strlen(s) + 1); strcpy(r, s); return r; }
double half(double x) { return x / 2; }
int deep(int x) { return x == 123456789 ? 1 : 0; }
int shift(unsigned x) { return x >> 5; }
long widen(int x) { return x; }
int name(enum kind k) { switch (k) { case RED: return 1; case GREEN: return 2; case BLUE: return 3; } return 4; }
void clear(struct pair *p) { p->key = 0; p->value = 0; }
int field(const struct bits *b) { return b->high - b->low; }
void later(int x) { hidden = x; }
int now(void) { return hidden; }
int each(int (*f)(int), int n) { int s = 0; for (int i = 0; i < (n & 7); i++) s ^= f(i); return s; }
int parse(const char *s) { return strncmp(s, "magic:", 6) == 0 ? s[6] : -1; }
float scale(float a, float b) { return a * b + b; }
"""
# What is wrong with each: the change of the source that an optimizer's mistake would amount to.
WRONG = {
    "sum": ("i < n", "i + 1 < n"),
    "last": ("v = p->value", "v = (int)p->value"),
    "twice": ('notify("one") + notify("two")', 'notify("two") + notify("one")'),
    "say": ('printf("%d\\n"', 'printf("%d \\n"'),
    "bump": ("++counter", "counter + 1"),
    "copy": ("strcpy(r, s)", "strcpy(r, s + (*s == 'a'))"),
    "deep": ("? 1 : 0", "? 0 : 0"),
    "shift": ("x >> 5", "(int)x >> 5"),
    "widen": ("return x; }\nint name", "return (unsigned)x; }\nint name"),
    "name": ("case BLUE: return 3", "case BLUE: return 2"),
    "clear": (" p->value = 0;", ""),
    "field": ("b->high - b->low", "(b->high & 15) - b->low"),
    "later": ("hidden = x", "hidden = x & 0xffff"),
    "each": ("s ^= f(i)", "s |= f(i)"),
    "parse": ("s[6] : -1", "s[5] : -1"),
    "scale": ("a * b + b", "(a + 1) * b"),
}
EQUAL = {"half": ("x / 2", "x * 0.5")}


def changed(source: str, changes: Iterable[tuple[str, str]]) -> str:
    """The source with each first text, which is there once, replaced by the second."""
    for old, new in changes:
        assert source.count(old) == 1, old
        source = source.replace(old, new)
    return source


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
    assert set(evidence) == {*WRONG, *EQUAL, "now"}
    for function in report.functions:
        assert function.outcome is FunctionOutcome.TESTED, function
        assert function.edges > 0
        assert function.edges_covered >= function.edges - 1  # the test for the magic word
        assert function.n_inputs > 50
        assert "system call filter" in function.isolation


def test_every_wrong_function_is_refuted_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "wrong").mkdir()
    _, candidate = compiled(changed(RIGHT, [*WRONG.values(), *EQUAL.values()]), tmp_path / "wrong")
    argv, _ = compiled(RIGHT, tmp_path)
    report = function_test.test_functions(argv, tmp_path, candidate, seconds_per_function=10, max_executions=3000)
    evidence = by_name(report)
    refuted = {function.function for function in report.refuted}
    # What is stored by one is seen by the other: either may be named.
    assert refuted - {"later", "now"} == set(WRONG) - {"later"}
    assert refuted & {"later", "now"}
    for name in refuted:
        assert f"{name}(" in evidence[name].counterexample


ENDLESS = """
/* many inputs do not end */
int around(int n, int step) {
  int s = 0;
  for (int i = 0; i != n; i = (i + step) & 63)
    s += i ^ n;
  return s;
}
"""


def test_equal_seeds_give_equal_evidence(tmp_path: Path) -> None:
    argv, candidate = compiled(RIGHT + ENDLESS, tmp_path, "-O3")
    found = [
        [
            (function.function, function.n_inputs, function.n_undefined, function.edges_covered)
            for function in function_test.test_functions(
                argv,
                tmp_path,
                candidate,
                functions=["sum", "parse", "copy", "last", "each", "around"],
                seed=7,
                seconds_per_function=60,
                max_executions=150,
            ).functions
        ]
        for _ in range(2)
    ]
    assert found[0] == found[1]


def test_what_cannot_be_tested_says_why(tmp_path: Path) -> None:
    source = """
    #include <stdarg.h>
    int many(int n, ...) { va_list l; va_start(l, n); int x = va_arg(l, int); va_end(l); return x; }
    int needs(int (*table)[4][4], int i) { return table[1 << 20][i & 3][1]; }
    """
    argv, candidate = compiled(source, tmp_path)
    evidence = by_name(function_test.test_functions(argv, tmp_path, candidate, seconds_per_function=1))
    assert evidence["many"].outcome is FunctionOutcome.NOT_ESTABLISHED
    assert "variable number" in evidence["many"].reason
    assert evidence["needs"].outcome is FunctionOutcome.NOT_ESTABLISHED


def test_an_object_of_another_unit_is_not_established(tmp_path: Path) -> None:
    argv, _ = compiled("int here(int x) { return x; }", tmp_path)
    (tmp_path / "other").mkdir()
    _, other = compiled("int there(int x) { return x; }", tmp_path / "other")
    (found,) = function_test.test_functions(argv, tmp_path, other, seconds_per_function=1).functions
    assert found.outcome is FunctionOutcome.NOT_ESTABLISHED
    assert "here" in found.reason
