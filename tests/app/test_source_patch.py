"""A plan's decisions as a patch: with it, plain clang makes of the source what the plan makes of it without."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from compiler_agent.app.cli import cli
from compiler_agent.app.records import Record
from compiler_agent.app.source_edits import Edit, Form, edited
from compiler_agent.app.source_patch import SourcePatch, header, source_patch
from compiler_agent.base.lock import Lock
from compiler_agent.base.lock_format import Evidence, LockEntry
from compiler_agent.llvm.engine import Outcome
from compiler_agent.llvm.plan import Plan
from compiler_agent.llvm.replay import compile_plainly, key_of, replay
from compiler_agent.llvm.toolchain import discover

SOURCE = """#include "unit.h"
#define EACH(i, n) for (int i = 0; i < (n); i++)
#define TWICE(name) int name(int *a) { EACH(i, 8) a[i]++; EACH(j, 8) a[j] *= 3; return a[0]; }
static int helper(int value) { for (int i = 0; i < 100; i++) value = value * 31 + (value >> 3); return value; }
static __attribute__((noinline)) int kept(int value) { return value * 5; }
/* A comment; with { signs. */
static int
other(int value)
{
  return value + 1;
}
TWICE(generated)

int sum(const int *a, int n) {
  int total = 0;
  for (int i = 0; i < n; i++)
    total += a[i] * a[i];
  EACH(j, n) total += a[j];
  if (total > 100) while (total > 7) total -= helper(total) & 7;
  else for (int k = 0; k < 16; k++) total ^= a[k];
again:
  if (total & 1) { total = total * 7 + 2; goto again; }
  return total;
}

void copy(int *restrict a, const int *restrict b, int n) {
\tfor (int i = 0; i < n; i++) a[i] = b[i] * 5;
}

int calls(int x) {
  int y = helper(x);
  y += other(x) + other(y);
  if (x & 8) y += helper(y); else y -= kept(x);
  x = inherited(y);
  return helper(x) * other(y);
}
"""
HEADER = "static inline int inherited(int x) { for (int i = 0; i < 9; i++) x += i ^ x; return x; }\n"


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Record:
    (tmp_path / "unit.c").write_text(SOURCE)
    (tmp_path / "unit.h").write_text(HEADER)
    monkeypatch.chdir(tmp_path)
    return Record(str(tmp_path), "unit.c", "size", (str(discover().clang), "-O2", "-mavx2", "-c", "-o", "-", "unit.c"))


def written(record: Record, *decisions: str) -> SourcePatch:
    """The patch, once it is shown that plain clang makes the plan's object of the patched source."""
    plan = Plan.parse(f"-passes=default<O2> {' '.join(decisions)}")
    patch = source_patch(plan, record, "unit.c")
    taken = Plan(plan.pipeline, decisions=patch.taken)
    replayed = replay(record.argv, record.cwd, key_of(record.argv, record.cwd), str(taken))
    assert replayed.outcome is Outcome.OK
    assert (replayed.content != compile_plainly(record.argv, record.cwd)) is bool(patch.taken)
    apply(record, "\n".join(f"# {line}" for line in header(plan, patch, "unit.c")) + "\n" + patch.diff)
    assert compile_plainly(record.argv, record.cwd) == replayed.content
    return patch


def apply(record: Record, text: str) -> None:
    subprocess.run(["patch", "-p1", "-s"], cwd=record.cwd, input=text.encode(), check=True)


@pytest.mark.parametrize(
    ("decisions", "line"),
    [
        ("loop:sum:0:unroll-count=3", "  #pragma clang loop unroll_count(3)"),
        ("loop:sum:0:vectorize-width=4 loop:sum:0:interleave=2", "  #pragma clang loop interleave_count(2) vecto"),
        ("loop:sum:1:vectorize=false", "  #pragma clang loop vectorize(disable)"),
        (
            "loop:sum:2:unroll=false loop:sum:2:vectorize=false",
            "  #pragma clang loop unroll(disable) vectorize(disable)",
        ),
        ("loop:copy:0:vectorize-width=8 loop:copy:0:unroll=false", "\t#pragma clang loop unroll(disable) vectorize_w"),
        ("loop:helper:0:unroll-count=2", "#pragma clang loop unroll_count(2)"),
        ("function:sum:minsize=true", "__attribute__((minsize)) int sum("),
        ("function:other:noinline=true function:other:cold=true", "__attribute__((cold, noinline)) other("),
        ("function:generated:minsize=true", "__attribute__((minsize)) TWICE(generated)"),
        ("call:calls:3:inline=never", "if (x & 8) [[clang::noinline]] y += helper(y); else"),
        ("call:calls:4:inline=always", "else [[clang::always_inline]] y -= kept(x);"),
        ("call:calls:1:inline=never call:calls:2:inline=never", "  [[clang::noinline]] y += other(x) + other(y);"),
        ("call:calls:5:inline=never", "  [[clang::noinline]] x = inherited(y);"),
    ],
)
def test_plain_clang_makes_of_the_patched_source_what_the_plan_makes(record: Record, decisions: str, line: str) -> None:
    patch = written(record, *decisions.split())
    assert (len(patch.taken), patch.left) == (len(decisions.split()), ())
    assert any(text.startswith("+") and line in text for text in patch.diff.splitlines())


def test_many_decisions_at_once(record: Record) -> None:
    decisions = [
        "loop:sum:0:unroll-count=3",
        "loop:sum:1:unroll=false",
        "loop:helper:0:vectorize=false",
        "function:sum:hot=true",
        "function:helper:noinline=true",
        "call:calls:4:inline=never",
        "loop:copy:0:interleave=4",
    ]
    assert sorted(map(str, written(record, *decisions).taken)) == sorted(decisions)


@pytest.mark.parametrize(
    ("decision", "why"),
    [
        ("loop:inherited:0:unroll=full", "it stands in ./unit.h, which is not this source"),
        ("loop:generated:0:unroll=full", "it comes from a macro"),
        ("loop:sum:4:unroll=full", "no edit of this source"),
        ("call:calls:0:inline=never", "no edit of this source"),
        ("call:calls:1:inline=never", "no edit of this source"),
        ("function:sum:optsize=true", "clang has no attribute for it"),
        ("function:sum:minsize=false", "no attribute that takes it away"),
        ("function:sum:no-jump-tables=true", "-fno-jump-tables says it for the whole unit"),
        ("function:sum:prefer-vector-width=128", "-mprefer-vector-width= says it for the whole unit"),
    ],
)
def test_what_cannot_be_written_is_said_and_not_guessed(record: Record, decision: str, why: str) -> None:
    plan = Plan.parse(f"-passes=default<O2> -inline-threshold=7 {decision}")
    patch = source_patch(plan, record, "unit.c")
    ((left, reason),) = patch.left
    assert (str(left), patch.diff, patch.taken) == (decision, "", ())
    assert why in reason
    said = list(header(plan, patch, "unit.c"))
    assert said[0] == "unit.c: 0 of 1 decisions are in this patch"
    assert "not in the source: -passes=default<O2>" in said
    assert "not in the source: -inline-threshold=7 (clang -mllvm -inline-threshold=7)" in said


def test_a_pragma_that_gives_clang_more_leave_than_the_plan_takes_comes_with_a_word(record: Record) -> None:
    plan = Plan.parse("-passes=default<O2> loop:sum:0:vectorize=true")
    words = "\n".join(header(plan, source_patch(plan, record, "unit.c"), "unit.c"))
    assert "-mllvm -hints-allow-reordering=false" in words
    plan = Plan.parse("-passes=default<O2> loop:sum:0:vectorize=false")
    assert "reorder" not in "\n".join(header(plan, source_patch(plan, record, "unit.c"), "unit.c"))


def test_a_source_that_asks_for_its_lines_is_patched_and_the_patch_says_so(record: Record) -> None:
    path = Path(record.cwd) / "unit.c"
    path.write_text("int f(int *a) {\n  for (int i = 0; i < 99; i++) a[i] = i;\n  return __LINE__;\n}\n")
    plan = Plan.parse("-passes=default<O2> loop:f:0:unroll=false")
    patch = source_patch(plan, record, "unit.c")
    assert patch.moves_what_counts
    assert patch.taken == plan.decisions
    assert "take care: the source asks for its line numbers" in "\n".join(header(plan, patch, "unit.c"))
    assert not source_patch(Plan.parse("-passes=dce function:f:cold=true"), record, "unit.c").moves_what_counts


def test_a_template_is_patched_where_all_its_instances_are_decided_alike(record: Record) -> None:
    (Path(record.cwd) / "unit.cpp").write_text(
        "template <class T> static T sum(T *a, int n) {\n  T s = 0;\n  for (int i = 0; i < n; i++) s += a[i];\n"
        "  return s;\n}\nint f(int *a, long *b, int n) { return sum(a, n) + sum(b, n); }\n"
    )
    unit = Record(record.cwd, "unit.cpp", "size", (str(discover().clangxx), *record.argv[1:-1], "unit.cpp"))
    both = Plan.parse("-passes=dce loop:_ZL3sumIiET_PS0_i:0:unroll=false loop:_ZL3sumIlET_PS0_i:0:unroll=false")
    assert source_patch(both, unit, "unit.cpp").taken == both.decisions
    one = both.without_decision(both.decisions[0])
    patch = source_patch(one, unit, "unit.cpp")
    assert (patch.taken, [decision for decision, _ in patch.left]) == ((), list(one.decisions))


def test_the_line_ends_of_the_source_stay() -> None:
    source = b"int f;\r\n  for (;;) g();\r\n"
    pragma = Edit(source.index(b"for"), Form(("clang loop unroll(full)",)))
    assert edited(source, [pragma]) == b"int f;\r\n  #pragma clang loop unroll(full)\r\n  for (;;) g();\r\n"
    kept = edited(source, [pragma, Edit(0, Form(attribute="[[a]]"))], keep_lines=True)
    assert kept == b'[[a]] int f;\r\n  _Pragma("clang loop unroll(full)") for (;;) g();\r\n'


def explain(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["explain", "--as-patch", *arguments])


def test_explain_prints_the_patch_of_a_locks_plan(record: Record) -> None:
    place = Path(record.cwd)
    command = ["--", "clang", "-Oz", "-c", "unit.c"]
    argv = (str(discover().clang), "-Oz", "-c", "-o", "-", "unit.c")
    plans = ["loop:sum:0:unroll-count=3", "loop:sum:0:unroll-count=3 loop:inherited:0:unroll=full"]
    for plan, status in zip(plans, (0, 1), strict=True):
        toolchain = discover()
        entry = LockEntry(
            f"-passes=default<O2> {plan}", "unit.c", toolchain.version, toolchain.target, Evidence(9, 8, 1, "x", 0)
        )
        (place / "cc-agent.lock").write_text(Lock({key_of(argv, place): entry}).to_text())
        done = explain("cc-agent.lock", *command)
        assert done.exit_code == status, done.output
        assert "# not in the source: -passes=default<O2>" in done.stdout
        assert "--- a/unit.c\n+++ b/unit.c\n" in done.stdout
        assert "+  #pragma clang loop unroll_count(3)\n" in done.stdout
        assert explain("cc-agent.lock", "unit.c", *command).stdout == done.stdout
        (row,) = json.loads(explain("cc-agent.lock", "--json", *command).stdout)
        assert row["taken"] == ["loop:sum:0:unroll-count=3"]
        assert len(row["left"]) == status
    assert "is not known here" in str(explain("cc-agent.lock").exception)
    assert "no plan for other.c" in str(explain("cc-agent.lock", "other.c", *command).exception)
    assert "no plan for what that command" in str(explain("cc-agent.lock", *command, "-fno-plt").exception)
