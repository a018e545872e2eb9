"""The parts of an observation that are text in and text out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler_agent.llvm.observe.history import Attempt, edit, history_text
from compiler_agent.llvm.observe.machine_code import innermost_loops, read_functions
from compiler_agent.llvm.observe.names import shortened
from compiler_agent.llvm.observe.packet import cut
from compiler_agent.llvm.observe.redaction import Redaction, printable
from compiler_agent.llvm.observe.remark_text import grouped
from compiler_agent.llvm.observe.remarks import Remark, parse_remarks

REMARKS = """--- !Missed
Pass:            inline
Name:            TooCostly
DebugLoc:        { File: '/a path, with: commas/kernel.c',
                   Line: 46, Column: 32 }
Function:        caller
Args:
  - String:          ''''
  - Callee:          callee
    DebugLoc:        { File: kernel.c, Line: 20, Column: 0 }
  - String:          ''' not inlined into '''
  - Caller:          caller
  - String:          ''' because too costly to inline '
  - Cost:            '230'
  - Threshold:       '225'
...
--- !AnalysisFPCommute
Pass:            loop-vectorize
Name:            CantReorderFPOps
DebugLoc:        { File: kernel.c, Line: 9, Column: 3 }
Function:        caller
Args:
  - String:          'loop not vectorized: '
  - String:          "cannot\\tprove it"
...
--- !Missed
Pass:            loop-vectorize
Name:            MissedDetails
DebugLoc:        { File: kernel.c, Line: 9, Column: 3 }
Function:        caller
Args:
  - String:          loop not vectorized
...
"""


def test_remarks_are_read_as_llvm_writes_them() -> None:
    first, second, third = parse_remarks(REMARKS)
    assert (first.kind, first.pass_name, first.line, first.function) == ("missed", "inline", 46, "caller")
    assert first.argument("Callee") == "callee"
    assert first.message(Redaction()).startswith("'callee' not inlined into 'caller' because too costly to inline 230")
    assert second.kind == "analysis"
    assert second.arguments[1] == ("String", "cannot\tprove it")
    assert third.message(Redaction()) == "loop not vectorized"


def test_remarks_of_one_place_are_said_once_and_a_verdict_with_its_reason() -> None:
    rows = grouped(parse_remarks(REMARKS), Redaction())
    assert rows == [
        "loop-vectorize, line 9: loop not vectorized: cannot\\x09prove it",
        "inline, line 46: callee not inlined, cost 230 is not below the threshold 225",
    ]


def test_a_remark_cannot_begin_a_line_or_name_what_is_redacted() -> None:
    redaction = Redaction(enabled=True, symbols=["secret"])
    remark = Remark(
        "missed",
        "licm",
        "LoadWithLoopInvariantAddressInvalidated",
        "secret",
        3,
        (("String", "a\nb secret at x.c:3:4"),),
    )
    (row,) = grouped([remark], redaction)
    assert row == "licm, line 3: a b sym1 at line 3"


@given(st.text(max_size=40))
def test_printable_text_is_one_line_without_control_characters(text: str) -> None:
    shown = printable(text)
    assert shown.splitlines() in ([], [shown])
    assert all(character >= " " and character != "\x7f" for character in shown)


@given(st.lists(st.text(alphabet="abcs ym1", min_size=1), unique=True))
def test_aliases_are_unique_and_map_back(symbols: list[str]) -> None:
    redaction = Redaction(enabled=True, symbols=symbols)
    aliases = redaction.names(symbols)
    assert len(set(aliases)) == len(symbols)
    assert not set(aliases) & set(symbols)
    assert [redaction.original(alias) for alias in aliases] == symbols


def test_redacted_ir_keeps_its_meaning_and_loses_its_names() -> None:
    redaction = Redaction(enabled=True, keep=["puts"])
    text = "\n".join(
        [
            '@greeting = constant [3 x i8] c"hi\\00"',
            '  %total = call i32 @puts(ptr @"a name")',
            "label.1:",
            "  %i3 = load %struct.key, ptr %total",
        ]
    )
    assert redaction.ir(text) == (
        '@sym1 = constant [3 x i8] c"<redacted>"\n  %v1 = call i32 @puts(ptr @sym2)\nv2:\n  %i3 = load %v3, ptr %v1'
    )


def test_redacted_machine_code_keeps_its_instructions() -> None:
    redaction = Redaction(enabled=True, symbols=["add", "table"])
    assert (
        redaction.ir('define i32 @add(i32 %x) section "hidden" {') == 'define i32 @sym1(i32 %v1) section "<redacted>" {'
    )
    assert redaction.assembly("add\ttable+8(,%rax,4), %rdx") == "add sym2+8(,%rax,4), %rdx"
    assert redaction.assembly("call\tadd") == "call sym1"
    assert redaction.assembly("movl\t$table, %eax") == "movl $sym2, %eax"
    assert redaction.assembly("movl\t.Ltable(,%rax,4), %eax") == "movl sym2(,%rax,4), %eax"
    assert redaction.assembly("movl\t.Lswitch.table.add(,%rax,4), %eax") == "movl local1(,%rax,4), %eax"
    assert redaction.assembly('callq\t"two words"@PLT') == "callq local2@PLT"
    untouched = "jmp .LBB0_4", "addss .LCPI1_2(%rip), %xmm0", "fmla v0.4s, v1.4s, v2.s[1]", "callq __udivti3@PLT"
    assert [redaction.assembly(one) for one in untouched] == list(untouched)
    assert Redaction().assembly("call\tadd") == "call add"


def test_values_in_remarks_are_shown_only_if_they_say_nothing() -> None:
    redaction = Redaction(enabled=True, symbols=["table"])
    assert [redaction.value(text) for text in ("230", "1.5e+01", "table", "secret")] == [
        "230",
        "1.5e+01",
        "sym1",
        "<redacted>",
    ]


@pytest.mark.parametrize(
    ("demangled", "short"),
    [
        ("std::vector<int, std::allocator<int> >::push_back(int const&)", "vector::push_back"),
        ("Series& Series::operator=<Sum<A, B> >(Sum<A, B> const&)", "Series::operator="),
        ("std::ostream& std::operator<< <char>(std::ostream&, char const*)", "std::operator<<"),
        ("a::B::operator->() const", "B::operator->"),
        ("f(int)::{lambda(int)#1}::operator()(int) const", "{lambda(int)#1}::operator()"),
        ("(anonymous namespace)::helper(char)", "helper"),
        ("plain", "plain"),
    ],
)
def test_short_names_say_class_and_function(demangled: str, short: str) -> None:
    assert shortened(demangled).endswith(short)


def test_an_edit_says_what_came_and_what_went() -> None:
    parent = "-passes=function(sroa,gvn<no-pre>) -a=1"
    assert edit(parent, parent) == "the same plan"
    assert edit(parent, "-passes=function(sroa,licm) -a=1") == "after sroa: -gvn<no-pre> +licm"
    text = history_text([Attempt(parent + " -b=2", parent, "established", "90 bytes (stock 100)")])
    assert text == " 1. after -a=1: +-b=2: established, 90 bytes (stock 100)"


@given(st.text(alphabet="ab\n", max_size=300), st.integers(0, 300))
def test_what_is_cut_fits_and_says_so(text: str, room: int) -> None:
    shown = cut(text, room)
    assert len(shown) <= room
    assert shown == text or room < 40 or "NOT SHOWN" in shown


ASSEMBLY = """\t.type\tf,@function
f:                                      # @f
# %bb.0:
\t.loc\t1 5 0                           # a.c:5:0
\tpushq\t%rbp
.LBB0_2:                                # =>This Loop Header: Depth=1
                                        #     Child Loop BB0_3 Depth 2
\t.loc\t1 6 3                           # a.c:6:3
\txorl\t%eax, %eax
.LBB0_3:                                #   Parent Loop BB0_2 Depth=1
                                        # =>  This Inner Loop Header: Depth=2
\t.loc\t2 90 3                          # in.h:90:3 @[ b.h:4:1 @[ a.c:7:9 ] ]
\taddl\t$1, %eax                        # imm = 0x1
# %bb.4:                                #   in Loop: Header=BB0_3 Depth=2
\tjne\t.LBB0_3
# %bb.5:                                #   in Loop: Header=BB0_2 Depth=1
\tjmp\t.LBB0_2
.Lfunc_end0:
"""


def test_the_innermost_loops_of_assembly_are_found_with_their_lines() -> None:
    (loop,) = innermost_loops(read_functions(ASSEMBLY)["f"])
    assert (loop.depth, loop.n_blocks) == (2, 2)
    assert [one.text for one in loop.instructions] == ["addl\t$1, %eax", "jne\t.LBB0_3"]
    assert set(loop.lines) == {7}
    assert set(loop.inner_lines) == {90}
