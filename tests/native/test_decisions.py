"""Decisions in IR: they are what clang makes of pragmas and attributes, they act, and wrong ones change nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from compiler_agent.base.errors import PlanError
from compiler_agent.llvm.library import Library, Module

# Each FUNCTION, CALLEE, LOOP and CALL mark is where a test writes what a source would say.
SOURCE = """
extern int unknown(int);
CALLEE static int twice(int value) { return unknown(value) * 2 + 1; }
FUNCTION int work(int *restrict out, const int *restrict in, float *f, int n) {
  int sum = 0;
LOOP0
  for (int i = 0; i < n; i++)
LOOP1
    for (int j = 0; j < 8; j++) out[i] += in[j] * i;
  while (sum < n) {
    CALL sum += twice(n);
    sum += unknown(sum);
  }
LOOP3
  do f[0] += f[n]; while (n--);
  return sum;
}
"""

Compile = Callable[..., Module]


@pytest.fixture
def compiled(library: Library, to_bitcode: Callable[..., bytes], tmp_path: Path) -> Compile:
    def compile_source(*flags: str, source: str = SOURCE, **marks: str) -> Module:
        path = tmp_path / "work.c"
        path.write_text(re.sub(r"\b(FUNCTION|CALLEE|LOOP\d|CALL)\b", lambda mark: marks.get(mark[0], ""), source))
        return library.parse(to_bitcode(path, *(flags or ("-O2",))), "work.bc")

    return compile_source


def decided(module: Module, *decisions: str) -> Module:
    module.run("-passes=no-op-module " + " ".join(decisions))
    return module


LOOPS = {
    "vectorize=true": "vectorize(enable)",
    "vectorize=false": "vectorize(disable)",
    "vectorize-width=8": "vectorize_width(8)",
    "vectorize-width=1": "vectorize_width(1)",
    "interleave=4": "interleave_count(4)",
    "unroll=full": "unroll(full)",
    "unroll=true": "unroll(enable)",
    "unroll=false": "unroll(disable)",
    "unroll-count=3": "unroll_count(3)",
    "distribute=true": "distribute(enable)",
    "distribute=false": "distribute(disable)",
    "pipeline=false": "pipeline(disable)",
    "pipeline-initiation-interval=10": "pipeline_initiation_interval(10)",
    "vectorize=true interleave=2 unroll-count=4": "vectorize(enable) interleave_count(2) unroll_count(4)",
    "vectorize=false interleave=4": "vectorize(disable) interleave_count(4)",
    "vectorize=false unroll-count=2": "vectorize(disable) unroll_count(2)",
    "interleave=4 unroll-count=2": "interleave_count(4) unroll_count(2)",
    "vectorize=false pipeline=false": "vectorize(disable) pipeline(disable)",
    "distribute=true vectorize-width=4": "distribute(enable) vectorize_width(4)",
    "unroll=false vectorize-width=4": "unroll(disable) vectorize_width(4)",
    "unroll=full interleave=4": "unroll(full) interleave_count(4)",
    "distribute=true vectorize=true unroll=true pipeline-initiation-interval=3": (
        "distribute(enable) vectorize(enable) unroll(enable) pipeline_initiation_interval(3)"
    ),
    "distribute=false vectorize=false unroll-count=2 pipeline=false": (
        "distribute(disable) vectorize(disable) unroll_count(2) pipeline(disable)"
    ),
}


@pytest.mark.parametrize("loop", [0, 3])
@pytest.mark.parametrize("wishes", LOOPS)
def test_a_loops_metadata_are_those_of_the_pragma(compiled: Compile, wishes: str, loop: int) -> None:
    ours = decided(compiled(), *(f"loop:work:{loop}:{wish}" for wish in wishes.split()))
    clang = compiled(**{f"LOOP{loop}": f"#pragma clang loop {LOOPS[wishes]}"})
    assert ours.print() == clang.print()
    assert ours.fingerprint() != compiled().fingerprint()


@pytest.mark.parametrize(
    ("wishes", "pragmas"),
    [
        ("unroll-and-jam=true", "#pragma unroll_and_jam"),
        ("unroll-and-jam=false", "#pragma nounroll_and_jam"),
        ("unroll-and-jam-count=4", "#pragma unroll_and_jam(4)"),
        ("unroll-and-jam-count=4 unroll-count=2", "#pragma unroll_and_jam(4)\n#pragma clang loop unroll_count(2)"),
    ],
)
def test_unroll_and_jam_is_that_of_the_pragma(compiled: Compile, wishes: str, pragmas: str) -> None:
    ours = decided(compiled(), *(f"loop:work:0:{wish}" for wish in wishes.split()))
    assert ours.print() == compiled(LOOP0=pragmas).print()


@pytest.mark.parametrize(
    ("wish", "attribute"),
    [
        ("cold=true", "__attribute__((cold))"),
        ("hot=true", "__attribute__((hot))"),
        ("minsize=true", "__attribute__((minsize))"),
        ("noinline=true", "__attribute__((noinline))"),
    ],
)
@pytest.mark.parametrize("level", ["-O2", "-Os"])
def test_a_functions_attributes_are_those_of_the_source(
    compiled: Compile, wish: str, attribute: str, level: str
) -> None:
    for function, mark in (("work", "FUNCTION"), ("twice", "CALLEE")):
        ours = decided(compiled(level), f"function:{function}:{wish}")
        clang = compiled(level, **{mark: attribute})
        assert ours.fingerprint() == clang.fingerprint() != compiled(level).fingerprint()


@pytest.mark.parametrize(
    ("wish", "flag"),
    [("prefer-vector-width=512", "-mprefer-vector-width=512"), ("no-jump-tables=true", "-fno-jump-tables")],
)
def test_what_no_attribute_says_is_what_the_flag_says(compiled: Compile, wish: str, flag: str) -> None:
    ours = decided(compiled(), f"function:work:{wish}", f"function:twice:{wish}")
    assert attributes(ours, "work") == attributes(compiled("-O2", flag), "work") != attributes(compiled(), "work")


def test_size_attributes_can_be_taken_away(compiled: Compile) -> None:
    ours = decided(compiled("-Oz"), "function:work:minsize=false", "function:work:optsize=false")
    assert attributes(ours, "work") == attributes(compiled("-O2"), "work")
    assert "minsize" in attributes(ours, "twice")


@pytest.mark.parametrize(("wish", "attribute"), [("always", "always_inline"), ("never", "noinline")])
def test_a_calls_attribute_is_that_of_the_statement(compiled: Compile, wish: str, attribute: str) -> None:
    ours = decided(compiled(), f"call:work:0:inline={wish}")
    assert ours.print() == compiled(CALL=f"[[clang::{attribute}]]").print() != compiled().print()


def test_what_stands_at_a_loop_stays_or_is_replaced(compiled: Compile) -> None:
    pragma = "#pragma clang loop unroll_count(3) distribute(enable)"
    text = decided(compiled(LOOP0=pragma), "loop:work:0:unroll-count=5").print()
    assert '"llvm.loop.distribute.enable", i1 true' in text
    assert '"llvm.loop.mustprogress"' in text
    assert '"llvm.loop.unroll.count", i32 5' in text


def attributes(module: Module, function: str) -> str:
    text = module.print()
    group = re.search(rf"define .*@{function}\(.*\) (#\d+)", text)
    assert group is not None
    found = re.search(rf"^attributes {group[1]} = (.*)$", text, re.MULTILINE)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    ("decisions", "message"),
    [
        ("loop:nosuch:0:unroll=full", "defines no function nosuch"),
        ("function:unknown:cold=true", "defines no function unknown"),
        ("loop:work:4:unroll=full", "work has 4 loops, counted from 0"),
        ("loop:work:-1:unroll=full", "'-1' is no position"),
        ("call:work:2:inline=never", "work has 2 direct calls"),
        ("call:work:1:inline=always", "unknown is not defined here"),
        ("call:work:0:inline=maybe", "inline is always|never"),
        ("loop:work:0:unroll-count=0", "unroll-count is 1 to 1024"),
        ("loop:work:0:unroll-count=2000", "unroll-count is 1 to 1024"),
        ("loop:work:0:unroll-count=02", "unroll-count is 1 to 1024"),
        ("loop:work:0:assume_safety=true", "of a loop 'assume_safety' cannot be decided"),
        ("loop:work:0:vectorize=assume_safety", "vectorize is true|false"),
        ("loop:work:unroll=full", "is not loop:FUNCTION:POSITION:KEY=VALUE"),
        ("function:work:0:cold=true", "is not function:FUNCTION:KEY=VALUE"),
        ("function:wo%2:cold=true", "names no function"),
        ("function:wo-rk:cold=true", "names no function"),
        ("module:work:cold=true", "is neither"),
        ("loop:work:0:unroll=full loop:work:0:unroll-count=2", "exclude each other"),
        ("loop:work:0:vectorize=false loop:work:0:vectorize-width=2", "exclude each other"),
        ("loop:work:0:unroll-count=3 loop:work:0:unroll-count=2", "decide the same"),
        ("function:work:cold=true function:work:hot=true", "exclude each other"),
        ("-hints-allow-reordering=true loop:work:0:vectorize=true", "would let decisions change"),
    ],
)
def test_a_wrong_decision_is_named_and_nothing_is_changed(compiled: Compile, decisions: str, message: str) -> None:
    module = compiled()
    before = module.print()
    with pytest.raises(PlanError) as caught:
        module.run(f"-passes=default<O2> function:twice:cold=true call:work:0:inline=never {decisions}")
    assert message in caught.value.message
    assert module.print() == before


@pytest.mark.parametrize(
    ("attribute", "decision", "message"),
    [
        ("__attribute__((always_inline))", "function:work:noinline=true", "the source says alwaysinline of work"),
        ("__attribute__((optnone,noinline))", "function:work:minsize=true", "the source says optnone of work"),
        ("__attribute__((optnone,noinline))", "function:work:optsize=true", "the source says optnone of work"),
        ("__attribute__((hot))", "function:work:cold=true", "the source says hot of work"),
    ],
)
def test_a_clash_with_the_sources_own_attribute(compiled: Compile, attribute: str, decision: str, message: str) -> None:
    with pytest.raises(PlanError, match=message):
        decided(compiled(FUNCTION=attribute), decision)


def test_a_clash_with_the_statements_own_attribute(compiled: Compile) -> None:
    with pytest.raises(PlanError, match="the source says noinline of that call"):
        decided(compiled(CALL="[[clang::noinline]]"), "call:work:0:inline=always")


@pytest.mark.parametrize(("wish", "vectors"), [("vectorize-width=4", 4), ("vectorize-width=8", 8)])
def test_the_vectors_have_the_width(compiled: Compile, wish: str, vectors: int) -> None:
    source = (
        "void scale(int *restrict a, const int *restrict b, int n) { for (int i = 0; i < n; i++) a[i] = b[i] * 3; }"
    )
    module = compiled("-O2", "-mavx2", source=source)
    module.run(f"-passes=default<O2> loop:scale:0:{wish} loop:scale:0:interleave=1")
    assert set(re.findall(r"store <(\d+) x i32>", module.print())) == {str(vectors)}
    scalar = compiled("-O2", "-mavx2", source=source)
    scalar.run("-passes=default<O2> loop:scale:0:vectorize=false loop:scale:0:unroll=false")
    assert "x i32>" not in scalar.print()


def test_the_loop_is_interleaved_and_unrolled_as_often(compiled: Compile) -> None:
    source = "void set(volatile int *a, int n) { for (int i = 0; i < n; i++) a[i & 7] = i; }"
    counts = {}
    for wish in ("unroll=false", "unroll-count=2", "unroll-count=5"):
        module = compiled(source=source)
        module.run(f"-passes=default<O2> loop:set:0:{wish}")
        counts[wish] = module.print().count("store volatile")
    assert counts["unroll=false"] == 1
    assert counts["unroll-count=2"] in (3, 4)  # and the remainder
    assert counts["unroll-count=5"] in (6, 10)
    adding = "void add(int *restrict a, const int *restrict b, int n) { for (int i = 0; i < n; i++) a[i] += b[i]; }"
    stores = {}
    for count in (1, 4):
        module = compiled(source=adding)
        module.run(f"-passes=default<O2> loop:add:0:vectorize-width=4 loop:add:0:interleave={count}")
        stores[count] = module.print().count("store <4 x i32>")
    assert stores == {1: 1, 4: 4}


def test_the_loop_is_distributed_or_unrolled_and_jammed(compiled: Compile) -> None:
    source = """
    void split(int *restrict a, int *restrict b, int *restrict c, int n) {
      for (int i = 1; i < n; i++) { a[i] = a[i - 1] + b[i]; c[i] = b[i] * 3; }
    }
    void jam(int (*restrict a)[64], const int (*restrict b)[64]) {
      for (int i = 0; i < 64; i++) for (int j = 0; j < 64; j++) a[i][0] += b[i][j];
    }"""
    prepared = "function(sroa,simplifycfg,instcombine<no-verify-fixpoint>,loop-simplify,loop(loop-rotate,indvars))"
    first, second = compiled(source=source), compiled(source=source)
    first.run(f"-passes={prepared},function(loop-distribute) loop:split:0:distribute=true")
    second.run(f"-passes={prepared},function(loop-distribute)")
    assert "ldist" in first.print() or first.print().count("br i1") > second.print().count("br i1")
    first, second = compiled(source=source), compiled(source=source)
    first.run(f"-passes={prepared},function(loop(loop-unroll-and-jam)) loop:jam:0:unroll-and-jam-count=4")
    second.run(f"-passes={prepared},function(loop(loop-unroll-and-jam))")
    assert first.print().count("load i32") > second.print().count("load i32")


def test_calls_are_inlined_or_not(compiled: Compile) -> None:
    source = """
    int big(int x) { for (int i = 0; i < 100; i++) x = x * 31 + (x >> 3) + i; return x; }
    static int small(int x) { return x + 1; }
    int first(int x) { return big(x) + small(x); }
    int second(int x) { return big(x) * 2; }
    int third(int x) { return small(x) * 2; }"""
    plain, ours = compiled("-Oz", source=source), compiled("-Oz", source=source)
    plain.run("-passes=default<O2>")
    assert calls(plain) == ["big", "big"]
    ours.run("-passes=default<O2> call:first:0:inline=always call:first:1:inline=never")
    assert calls(ours) == ["small", "big"]
    barred = compiled("-Oz", source=source)
    barred.run("-passes=default<O2> function:small:noinline=true")
    assert sorted(calls(barred)) == ["big", "big", "small", "small"]


def calls(module: Module) -> list[str]:
    return re.findall(r"call .*i32 @(big|small)\(", module.print())


def test_functions_become_small_or_lose_their_tables(compiled: Compile) -> None:
    cases = "".join(f"case {i}: return unknown({i * 37 % 101});" for i in range(12))
    source = f"extern int unknown(int); int pick(int x) {{ switch (x) {{ {cases} }} return 0; }}"
    with_table, without = compiled(source=source), compiled(source=source)
    with_table.run("-passes=default<O2>")
    without.run("-passes=default<O2> function:pick:no-jump-tables=true")
    assert ".rodata" in with_table.emit().sections
    assert ".rodata" not in without.emit().sections
    loop = "int sum(const int *a, int n) { int s = 0; for (int i = 0; i < n; i++) s += a[i] * a[i]; return s; }"
    sizes = []
    for decision in ("", "function:sum:optsize=true", "function:sum:minsize=true"):
        module = compiled(source=loop)
        module.run(f"-passes=default<O2> {decision}".strip())
        sizes.append(module.emit().text_bytes)
    assert sizes[0] > sizes[1] >= sizes[2]
    hot_and_cold = compiled(source=loop)
    hot_and_cold.run("-passes=default<O2> function:sum:cold=true")
    assert ".text.unlikely." in hot_and_cold.emit().sections


def test_forced_vectorization_does_not_reorder_floating_point_arithmetic(compiled: Compile) -> None:
    source = "float sum(const float *a, int n) { float s = 0; for (int i = 0; i < n; i++) s += a[i]; return s; }"
    ours = compiled(source=source)
    ours.run("-passes=default<O2> loop:sum:0:vectorize=true loop:sum:0:vectorize-width=4")
    assert "fadd <4 x float>" not in ours.print()
    # What clang makes of the pragma: it takes it as leave to.
    pragma = source.replace("for", "\n#pragma clang loop vectorize(enable) vectorize_width(4)\nfor")
    theirs = compiled(source=pragma)
    theirs.run("-passes=default<O2>")
    assert "fadd <4 x float>" in theirs.print()


def test_the_listing_names_loops_and_calls_by_position(compiled: Compile) -> None:
    module = compiled("-O2", "-gline-tables-only")
    twice, work = sorted(module.decidable(), key=lambda function: function.name)
    assert (twice.name, [call.callee for call in twice.calls], twice.loops) == ("twice", ["unknown"], ())
    assert [(loop.position, loop.depth, loop.place.line) for loop in work.loops] == [
        (0, 1, 7),
        (1, 2, 9),
        (2, 1, 10),
        (3, 1, 15),
    ]
    assert [(call.callee, call.is_defined, call.place.line) for call in work.calls] == [
        ("twice", True, 11),
        ("unknown", False, 12),
    ]
    assert work.place.line == 4
    assert work.place.file.endswith("work.c")
    (bare,) = (function for function in compiled().decidable() if function.name == "work")
    assert [(loop.position, loop.depth, loop.place.line) for loop in bare.loops] == [
        (0, 1, 0),
        (1, 2, 0),
        (2, 1, 0),
        (3, 1, 0),
    ]


def test_a_function_with_an_odd_name_can_be_named(library: Library) -> None:
    module = library.parse('define void @"odd name:\\E2\\82\\AC"() { ret void }')
    (odd,) = module.decidable()
    assert odd.name == "odd name:€"
    module.run("-passes=no-op-module function:odd%20name%3A%E2%82%AC:cold=true")
    assert "cold" in module.print()
