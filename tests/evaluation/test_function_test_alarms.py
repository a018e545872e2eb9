"""What a correct optimizer makes of code that leaves it a choice is not called wrong."""

import subprocess
from pathlib import Path

import pytest

from compiler_agent.evaluation import function_test, function_test_build
from compiler_agent.evaluation.function_test import FunctionOutcome
from compiler_agent.llvm import toolchain

SOURCE = """
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
struct cell { int value; };
struct cell *kept;
__attribute__((malloc)) struct cell *fresh(int n);

/* what is undefined here hits another object: an argument, a block of the heap */
int beyond(struct cell *restrict a, struct cell *restrict b, unsigned i) {
  b->value = 1;
  a[i & 63].value = 5;
  return b->value;
}
int beyond_block(unsigned i, unsigned j) {
  int *a = malloc(16), *b = malloc(64), result = 0;
  if (a && b) {
    memset(b, 0, 64);
    b[j & 3] = 1;
    a[i & 31] = 2;
    result = b[j & 3];
  }
  free(a);
  free(b);
  return result;
}
extern int first[], second[];
int beyond_array(unsigned i) { second[0] = 1; first[i & 1 ? 1088 : 0] = 5; return second[0]; }
int before_array(unsigned i) { first[0] = 1; second[i & 1 ? 1088 : 0] = 5; return first[0]; }
/* of an array of unknown size there is one element at least */
extern struct large { char byte[5000]; } larger[];
int of_larger(unsigned i) { return larger[0].byte[i & 63]; }
/* what an earlier call returned is not the only way to what a restrict parameter points to */
struct cell *same(struct cell *p) { return p; }
struct cell *keep(struct cell *p) { kept = p; return p; }
int pair(struct cell *restrict a, struct cell *restrict b) { b->value = 1; a->value = 5; return b->value; }
int against_kept(struct cell *restrict a) {
  if (!kept)
    return 0;
  a->value = 1;
  kept->value = 5;
  return a->value;
}
/* there is one structure, and behind it lies another object */
struct codec {
  void (*name)(const struct codec *c, const char *text);
  long room[7];
  void (*convert)(const struct codec *c, char **to);
  long more;
};
int beyond_structure(const struct codec **all, unsigned i) {
  char text[8], *to = text;
  const struct codec *c = all[i & 31];
  c[1].convert(c, &to);
  return 1;
}
/* nobody looks again at what is left in memory that aliases nothing */
int forgotten(struct cell *a, int n) {
  struct cell *p = fresh(n);
  if (!p)
    return 2;
  a->value = 1;
  p->value = 5;
  return a->value + n;
}
/* more is printed than there is */
int printed(unsigned n) {
  char text[4] = "abc", other[4] = "xyz";
  fwrite(text, 1, n & 7, stdout);
  return text[n & 3] + other[n & 3];
}
/* zeros lie elsewhere, where they are equal to other bytes of what nobody wrote */
char *cleared(int n) {
  char *left_out = malloc(n & 63), *p;
  if (!left_out)
    return 0;
  free(left_out);
  p = malloc(4095 - (n & 1023));
  return p ? memset(p, 0, 4095 - (n & 1023)) : 0;
}
"""

# What pointers into a structure, pointers in order within an array, and functions that change what they were not given
# must not be used for.
ALIASED = """
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int notify(int what);
struct tally { long count; int seen, *last; };
struct range { int *from, *to; };
struct texts { char *from, *to; };
/* a callee's restrict */
static int set(int *restrict to, const int *restrict from) { int old = *from; *to = old + 5; return *from - old; }
int one(struct tally *t) { return set(t->last, &t->seen); }
int both(struct range *r) { return set(r->to, r->from); }
static void copy(int *restrict to, const int *restrict from, unsigned n) {
  for (unsigned i = 0; i < n; i++)
    to[i] = from[i] + 1;
}
int copied(struct range *r, unsigned n) { copy(r->to, r->from, n & 63); return 0; }
/* copies of the C library between what must not overlap */
int printed(struct texts *t) { return sprintf(t->to, "%s", t->from); }
void printed_only(struct texts *t) { sprintf(t->to, "%s", t->from); }
void moved(struct texts *t, unsigned n) { memcpy(t->to, t->from, n & 15); }
/* no text where there should be one */
void said(const struct texts *t) { printf("%s\\n", t->from); }
/* a pure function behind a pointer */
struct queue { int left; };
int asked(const struct queue *q, int (*ask)(int) __attribute__((pure))) {
  int n = q->left, m = ask(n);
  return n - q->left + m;
}
/* a bool holds 0 or 1 */
struct flags { bool on; int n; };
int on_after(const struct flags *f) { notify(1); return f->on ? f->n : 3; }
/* misaligned, of another type, of another member of a union */
struct __attribute__((packed)) tight { char c; int n; int *to; };
int tightly(struct tight *t) { t->n = 1; *t->to = 2; return t->n; }
struct mixed { int a; long b; float c; int *p; };
long confused(struct mixed *m) { m->b = 1; m->p[1] = 7; m->c = 2; return m->b + (long)m->c; }
union either { int i; float f; };
struct held { union either e; int *p; };
float either(struct held *h) { h->e.f = 1; *h->p = 5; return h->e.f; }
/* written after it was freed */
struct box { char *text; int size; };
int freed(struct box *b) { int n = b->size; free(b); return notify(n); }
/* called with restrict parameters and without, in one sequence */
int strict(struct box *restrict a, struct box *restrict b) { b->size = 1; notify(2); a->size = 2; return b->size; }
int loose(struct box *a, struct box *b) { b->size = 1; notify(2); a->size = 2; return b->size; }
"""
PARALLEL = """
struct range { int *from, *to; };
void shifted(const struct range *r, unsigned n) {
#pragma clang loop vectorize(assume_safety)
  for (unsigned i = 0; i < (n & 63); i++)
    r->to[i] = r->from[i] + 1;
}
"""


def built(source: str, directory: Path, level: str = "-O2", suffix: str = "cpp") -> tuple[list[str], bytes]:
    """The command that compiles a unit, and what it gives."""
    directory.mkdir(exist_ok=True)
    (directory / f"unit.{suffix}").write_text(source)
    compiler = toolchain.discover().clang if suffix == "c" else toolchain.discover().clangxx
    argv = [str(compiler), level, "-c", "-o", "-", f"unit.{suffix}"]
    return argv, subprocess.run(argv, cwd=directory, capture_output=True, check=True).stdout


@pytest.mark.parametrize("level", ["-O2", pytest.param("-Os", marks=pytest.mark.nightly)])
def test_no_choice_of_the_optimizer_is_an_alarm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: str) -> None:
    monkeypatch.setenv("CC_AGENT_CACHE", str(tmp_path / "cache"))
    argv, candidate = built(SOURCE, tmp_path, level, "c")
    report = function_test.test_functions(argv, tmp_path, candidate, seconds_per_function=30, max_executions=1500)
    assert len(report.functions) == 13
    assert not [function for function in report.functions if function.outcome is not FunctionOutcome.TESTED]


@pytest.mark.parametrize("level", ["-O2", pytest.param("-O3", marks=pytest.mark.nightly)])
def test_no_alias_that_is_undefined_is_an_alarm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: str) -> None:
    monkeypatch.setenv("CC_AGENT_CACHE", str(tmp_path / "cache"))
    for flag in (level, "-D_FORTIFY_SOURCE=2"):
        argv, _ = built(ALIASED, tmp_path, flag, "c")
        argv[1:2] = [level, flag]
        candidate = subprocess.run(argv, cwd=tmp_path, capture_output=True, check=True).stdout
        report = function_test.test_functions(argv, tmp_path, candidate, seconds_per_function=30, max_executions=1500)
        assert len(report.functions) == 15
        assert not report.refuted


def test_loops_that_are_promised_to_be_parallel_are_not_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC_AGENT_CACHE", str(tmp_path / "cache"))
    argv, candidate = built(PARALLEL, tmp_path, suffix="c")
    (function,) = function_test.test_functions(argv, tmp_path, candidate, seconds_per_function=1).functions
    assert (function.outcome, "promised to be parallel" in function.reason) == (FunctionOutcome.NOT_ESTABLISHED, True)


def test_an_index_far_from_a_local_array_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of those AddressSanitizer lets pass what another function's frame could have, if nobody tells it not to."""
    monkeypatch.setenv("CC_AGENT_CACHE", str(tmp_path / "cache"))
    source = "int far(unsigned i) { int a[4] = {1, 2, 3, 4}; int *volatile p = a; return p[-64 - (int)(i & 15)]; }"
    argv, candidate = built(source, tmp_path, suffix="c")
    report = function_test.test_functions(argv, tmp_path, candidate, seconds_per_function=30, max_executions=100)
    (function,) = report.functions
    assert function.n_undefined == function.n_sanitized > 0, function


CONSTRUCTED = """
#include <iostream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>
int elsewhere(int n);
std::vector<int> table(3, 7);
std::string greeting = "a text of more than fifteen letters";
std::map<int, std::string> names{{1, "one"}, {2, "another text of more than fifteen letters"}};
std::ostringstream journal;
int *counted = new int[4]{1, 2, 3, 4};
static int *hidden = new int(5);
int answer = elsewhere(3);
extern "C" {
int at(unsigned i) { return table[i % 3]; }
void put(unsigned i, char c) { greeting[i % greeting.size()] = c; }
void count(unsigned i) { counted[i & 3]++; }
int hide(int n) { *hidden += n & 7; return *hidden; }
void grow(int n) { table.push_back(n); }
std::size_t name(int n) { names[n & 3] += "more than there was"; return names[n & 3].size(); }
std::size_t note(int n) { journal << "n is " << n << "; "; return journal.str().size(); }
int answered(void) { return answer; }
/* memory of the library's own */
int thrown(int n) {
  try {
    if (n & 1)
      throw std::runtime_error("a text of more than fifteen letters");
  } catch (const std::exception &e) {
    return e.what()[n & 7];
  }
  return 3;
}
}
"""
WRONG = {
    "at": ("i % 3", "i % 2"),
    "put": ("= c; }", "= c | 1; }"),
    "count": ("counted[i & 3]++", "counted[i & 3] += 2"),
    "hide": ("+= n & 7", "+= n & 3"),
    "grow": ("push_back(n)", "push_back(n | 1)"),
    "name": ("there was", "there is "),
    "note": ("n is ", "m is "),
    "thrown": ("e.what()[n & 7]", "e.what()[n & 3]"),
}


def report_on(
    source: str, candidate_source: str, directory: Path, n_inputs: int, *names: str
) -> function_test.FunctionReport:
    _, candidate = built(candidate_source, directory / "candidate")
    argv, _ = built(source, directory)
    return function_test.test_functions(
        argv, directory, candidate, functions=names, seconds_per_function=60, max_executions=n_inputs
    )


@pytest.fixture(scope="module")
def constructed_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("constructed-cache")


def test_inputs_begin_with_what_constructors_allocated(
    tmp_path: Path, constructed_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC_AGENT_CACHE", str(constructed_cache))
    # There are many functions of the library.
    monkeypatch.setattr(function_test_build, "_EXPLORATION_S", (1.0, 0.0, 1.0))
    names = (*WRONG, "answered")
    report = report_on(CONSTRUCTED, CONSTRUCTED, tmp_path, 300, *names)
    assert [function.function for function in report.functions] == [*names[:7], "answered", "thrown"]
    for function in report.functions:
        assert function.outcome is FunctionOutcome.TESTED, function
    # Where a run leaves its traces to the next one, the library aborts each time that it throws.
    assert report.functions[-1].n_limited < report.functions[-1].n_executions / 10
    source = CONSTRUCTED
    for right, wrong in WRONG.values():
        assert source.count(right) == 1
        source = source.replace(right, wrong)
    report = report_on(CONSTRUCTED, source, tmp_path, 2000, *WRONG)
    assert {function.function for function in report.refuted} == set(WRONG)


def test_a_constructor_that_goes_wrong_is_no_error(
    tmp_path: Path, constructed_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC_AGENT_CACHE", str(constructed_cache))
    right = """#include <cstdlib>
    volatile int three = 3;
    struct Checked { Checked() { if (three == 4) exit(2); } } checked;
    extern "C" int use(int n) { return n; }"""
    wrong = right.replace("== 4", "== 3")
    for source, reason in (
        (wrong, "its constructors cannot be run"),
        (right, "the candidate's constructors end the program"),
    ):
        report = report_on(source, wrong, tmp_path, 10, "use")
        (function,) = report.functions
        assert function.outcome is FunctionOutcome.NOT_ESTABLISHED
        assert function.reason.startswith(reason)
