"""What the native library says of loops, calls and passes."""

import json
from pathlib import Path

import pytest

from compiler_agent.base.process import check
from compiler_agent.llvm.library import Library
from compiler_agent.llvm.observe.call_graph import Measure, call_graph, recursive, weights
from compiler_agent.llvm.observe.effects import read_effects
from compiler_agent.llvm.observe.facts import Function, Summary
from compiler_agent.llvm.observe.facts_json import read_summary
from compiler_agent.llvm.toolchain import discover

SOURCE = """
int limit(void);
static int square(int x) { return x * x; }
void shift(int n, int *a) { for (int i = 0; i < n; i++) a[i + 4] = a[i] + 1; }
void alias(int n, int *a, int *b) { for (int i = 0; i < n; i++) a[i] = square(b[i]); }
int nest(int m[8][16]) {
  int sum = 0;
  for (int i = 0; i < 8; i++) {
    for (int j = 0; j < 16; j++) sum += m[i][j];
    for (int k = 0; k < i; k++) sum ^= m[k][0];
  }
  while (limit()) if (sum++ > 9) break;
  return sum;
}
typedef unsigned u;
void wide(u n, u m, int *a) { for (u i = 0; i < n; i++) for (u j = 0; j < m; j++) a[i * m + j]++; }
void narrow(int n, int m, int *a) { for (int i = 0; i < n; i++) for (int j = 0; j < m; j++) a[(i & 1) * m + j]++; }
int odd(int n);
int even(int n) { return n ? odd(n - 1) : 1; }
int odd(int n) { return n ? even(n - 1) : 0; }
static void cold(int *a) { for (int i = 0; i < 100; i++) a[i] += i; }
static void hot(int *a) { for (int i = 0; i < 100; i++) a[i] -= i; }
void drive(int n, int *a) { for (int i = 0; i < n; i++) { if (a[i] == 12345) cold(a); hot(a); } }
int crossed(int n) {
  if (n & 1) goto inside;
  while (n < 100) { n += 3; inside: n += 4; }
  return n;
}
"""


def bitcode_of(source: str) -> bytes:
    clang = discover().clang
    options = ["-O2", "-Xclang", "-disable-llvm-passes", "-gline-tables-only", "-fno-discard-value-names"]
    command = [clang, *options, "-emit-llvm", "-c", "-x", "c", "-", "-o", "-"]
    return check(command, input=source.encode(), timeout_s=60).stdout


def summary_of(source: str) -> Summary:
    with Library().parse(bitcode_of(source)) as module:
        before = module.fingerprint()
        summary = read_summary(module.summary())
        assert module.fingerprint() == before
    return summary


@pytest.fixture(scope="module")
def summary() -> Summary:
    return summary_of(SOURCE)


def function(summary: Summary, name: str) -> Function:
    return next(one for one in summary.functions if one.name == name)


def test_loops_are_numbered_in_preorder_of_the_ir_before_optimization(summary: Summary) -> None:
    loops = function(summary, "nest").loops
    assert [(one.position, one.depth, one.parent, one.first_line) for one in loops] == [
        (0, 1, None, 8),
        (1, 2, 0, 9),
        (2, 2, 0, 10),
        (3, 1, None, 12),
    ]


def test_trip_counts_strides_and_what_goes_round_are_known(summary: Summary) -> None:
    outer, inner, triangle, waiting = (one.facts for one in function(summary, "nest").loops)
    assert outer is not None
    assert inner is not None
    assert triangle is not None
    assert waiting is not None
    assert (outer.trip_count, inner.trip_count, triangle.trip_count) == (8, 16, None)
    assert triangle.trips
    assert not waiting.trips
    assert inner.accesses[0].strides == ("4", "64")
    assert triangle.accesses[0].strides == ("64", "0")
    assert {one.kind for one in inner.carried} == {"induction", "reduction"}
    assert [call.callee for call in waiting.calls] == ["limit"]
    assert len(waiting.exits) == 2


def test_a_stride_that_holds_only_without_wrapping_is_marked(summary: Summary) -> None:
    wide = function(summary, "wide").loops[1].facts
    narrow = function(summary, "narrow").loops[1].facts
    assert wide is not None
    assert narrow is not None
    assert wide.accesses[0].strides[1].startswith("~")
    assert narrow.accesses[0].strides[1] == "?"


def test_dependences_say_how_far_vectors_may_go(summary: Summary) -> None:
    shift = function(summary, "shift").loops[0].facts
    alias = function(summary, "alias").loops[0].facts
    assert shift is not None
    assert shift.dependences is not None
    assert shift.dependences.safe_bits == 128
    assert [pair.type for pair in shift.dependences.pairs] == ["BackwardVectorizable"]
    assert alias is not None
    assert alias.dependences is not None
    assert alias.dependences.runtime_checks == 1
    assert set(alias.dependences.compared) == {"%a", "%b"}
    assert not alias.calls  # the small callee was inlined


def test_irreducible_cycles_are_no_loops_but_are_said(summary: Summary) -> None:
    assert function(summary, "crossed").irreducible_lines
    assert not function(summary, "nest").irreducible_lines


def test_calls_are_numbered_as_decisions_number_them(summary: Summary) -> None:
    cold, hot = function(summary, "drive").calls
    assert (cold.callee, cold.position, cold.loop, cold.always) == ("cold", 0, 0, False)
    assert (hot.callee, hot.position, hot.loop, hot.always) == ("hot", 1, 0, True)


@pytest.mark.parametrize("source", sorted((Path(__file__).parents[2] / "golden" / "observe").glob("*.c")))
def test_loops_and_calls_have_the_numbers_of_decisions(source: Path) -> None:
    with Library().parse(bitcode_of(source.read_text())) as module:
        summary, decidable = read_summary(module.summary()), module.decidable()
    for mine, theirs in zip(summary.functions, decidable, strict=True):
        assert mine.name == theirs.name
        assert [(one.position, one.depth) for one in mine.loops] == [(one.position, one.depth) for one in theirs.loops]
        calls = [(one.position, one.callee, one.line) for one in mine.calls if one.callee]
        assert calls == [(one.position, one.callee, one.place.line) for one in theirs.calls]


def test_weight_follows_loops_and_calls_that_are_always_made(summary: Summary) -> None:
    graph = call_graph(summary)
    measure, weight = weights(summary, graph, {}, for_size=False)
    assert measure is Measure.ESTIMATE
    assert weight["hot"] == pytest.approx(10 * weight["cold"])
    assert weight["square"] == 0
    assert recursive(graph) == {"even", "odd"}
    measure, weight = weights(summary, graph, {"nest": 300}, for_size=True)
    assert (measure, weight["nest"], weight["hot"]) == (Measure.SIZE, 300, 0)


def test_a_profile_is_believed() -> None:
    ir = """define void @busy() !prof !0 { ret void }
define void @idle() !prof !1 { ret void }
!0 = !{!"function_entry_count", i64 1000}
!1 = !{!"function_entry_count", i64 1}
"""
    with Library().parse(ir) as module:
        summary = read_summary(module.summary())
    measure, weight = weights(summary, call_graph(summary), {}, for_size=False)
    assert measure is Measure.PROFILE
    assert weight == {"busy": 1000, "idle": 1}


def test_effects_add_up() -> None:
    ir = "define i32 @f(i32 %x) {\n %p = alloca i32\n store i32 %x, ptr %p\n %y = load i32, ptr %p\n ret i32 %y\n}\n"
    with Library().parse(ir) as module:
        text = module.run_counting("-passes=function(sroa,instcombine)")
        assert module.n_instructions() == 1
    effects = read_effects(text)
    sroa, instcombine = effects.passes
    assert (sroa.name, sroa.runs, sroa.changed, dict(sroa.gained)) == ("sroa", 1, 1, {"f": -3})
    assert (instcombine.name, instcombine.changed) == ("instcombine", 0)
    assert (dict(effects.before), dict(effects.after)) == ({"f": 4}, {"f": 1})
    assert json.loads(text)["passes"][0]["name"] == "sroa"


def test_what_the_inliner_deletes_is_booked_on_it() -> None:
    ir = "define internal i32 @g() {\n ret i32 1\n}\ndefine i32 @f() {\n %x = call i32 @g()\n ret i32 %x\n}\n"
    with Library().parse(ir) as module:
        effects = read_effects(module.run_counting("-passes=inline"))
    assert sum(one.total for one in effects.passes) == -2
    assert {one.name for one in effects.passes if one.total} == {"inline"}
