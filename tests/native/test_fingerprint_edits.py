"""The fingerprint of textual IR: every single edit that changes code changes it, and renaming does not."""

import pytest

from compiler_agent.llvm.library import Library

MODULE = r"""
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"
target triple = "x86_64-pc-linux-gnu"
module asm ".globl marker"

%pair = type { i32, i64 }
$once = comdat any

@number = global i32 5, align 4
@words = internal constant [3 x i32] [i32 1, i32 2, i32 3], align 16
@pointer = hidden global ptr getelementptr inbounds (i8, ptr @words, i64 4), align 8
@text = private unnamed_addr constant [6 x i8] c"hello\00", align 1
@placed = global i8 1, section ".mine"
@local_thread = thread_local global i32 0
@far = global i32 3, code_model "large"
@checked = global i32 4, no_sanitize_address
@0 = private constant i32 1
@1 = private constant i32 2
@chosen_nameless = global ptr @0
@other_name = alias i32, ptr @number

declare i32 @callee(i32, ptr)
declare i32 @__gxx_personality_v0(...)
declare void @llvm.assume(i1)

define linkonce_odr i32 @shared() comdat($once) {
  ret i32 1
}

define i32 @main_work(i32 noundef %a, i32 %b, ptr %p) #0 personality ptr @__gxx_personality_v0 {
entry:
  %slot = alloca %pair, align 8
  %field = getelementptr inbounds %pair, ptr %slot, i32 0, i32 1
  store i64 7, ptr %field, align 8, !tbaa !4
  %less = icmp slt i32 %a, %b
  %sum = add nsw i32 %a, 40
  %difference = sub i32 %a, %b
  %quotient = udiv exact i32 %sum, 4
  %real = sitofp i32 %a to double
  %product = fmul nnan double %real, 2.5
  %same = fcmp olt double %product, 1.0
  %atomic = load atomic i32, ptr %p acquire, align 4
  %plain = load i32, ptr %p, align 4, !range !3
  store volatile i32 %sum, ptr %p, align 4
  %old = atomicrmw add ptr %p, i32 1 seq_cst, align 4
  %swap = cmpxchg weak ptr %p, i32 0, i32 1 acq_rel monotonic, align 4
  %first = extractvalue { i32, i1 } %swap, 0
  fence syncscope("singlethread") release
  %vector = insertelement <4 x i32> undef, i32 %a, i32 0
  %mixed = shufflevector <4 x i32> %vector, <4 x i32> %vector, <4 x i32> <i32 0, i32 1, i32 6, i32 7>
  %called = tail call fastcc i32 @callee(i32 signext %a, ptr nonnull %p) #1 [ "deopt"(i32 %a) ]
  %asm = call i32 asm sideeffect "bsf $1,$0", "=r,r"(i32 %b)
  %narrow = trunc nuw i32 %a to i8
  %frozen = freeze i32 %difference
  call void @llvm.assume(i1 true) [ "align"(ptr %p, i64 16) ]
  switch i32 %a, label %otherwise [
    i32 10, label %loop
    i32 20, label %unwinding
  ]

loop:
  %counter = phi i32 [ 0, %entry ], [ %next, %loop ]
  %next = add i32 %counter, 1
  %more = icmp ult i32 %next, %b
  br i1 %more, label %loop, label %otherwise, !prof !8, !llvm.loop !9

unwinding:
  %answer = invoke i32 @callee(i32 3, ptr %p) to label %otherwise unwind label %pad

pad:
  %caught = landingpad { ptr, i32 } cleanup catch ptr @number
  resume { ptr, i32 } %caught

otherwise:
  %result = phi i32 [ %sum, %entry ], [ %b, %loop ], [ %answer, %unwinding ]
  %chosen = select i1 %same, i32 %result, i32 %plain
  ret i32 %chosen
}

attributes #0 = { nounwind minsize "target-cpu"="x86-64" }
attributes #1 = { cold }
!llvm.module.flags = !{!0, !1}
!llvm.ident = !{!2}
!0 = !{i32 8, !"PIC Level", i32 2}
!1 = !{i32 1, !"wchar_size", i32 4}
!2 = !{!"some compiler"}
!3 = !{i32 0, i32 100}
!4 = !{!5, !5, i64 0}
!5 = !{!"long", !6, i64 0}
!6 = !{!"omnipotent char", !7, i64 0}
!7 = !{!"Simple C/C++ TBAA"}
!8 = !{!"branch_weights", i32 9, i32 1}
!9 = distinct !{!9, !10}
!10 = !{!"llvm.loop.unroll.count", i32 4}
"""

EDITS = {
    "constant": ("add nsw i32 %a, 40", "add nsw i32 %a, 41"),
    "float constant": ("double %real, 2.5", "double %real, 3.5"),
    "opcode": ("udiv exact", "sdiv exact"),
    "predicate": ("icmp slt", "icmp sle"),
    "float predicate": ("fcmp olt", "fcmp ult"),
    "nsw": ("add nsw i32 %a", "add i32 %a"),
    "nuw for nsw": ("add nsw i32 %a", "add nuw i32 %a"),
    "exact": ("udiv exact", "udiv"),
    "fast math": ("fmul nnan", "fmul ninf"),
    "trunc flag": ("trunc nuw", "trunc nsw"),
    "gep flag": ("getelementptr inbounds %pair", "getelementptr %pair"),
    "gep type": (
        "getelementptr inbounds %pair, ptr %slot, i32 0",
        "getelementptr inbounds { i64, i64 }, ptr %slot, i32 0",
    ),
    "gep index": ("ptr %slot, i32 0, i32 1", "ptr %slot, i32 0, i32 0"),
    "operand order": ("sub i32 %a, %b", "sub i32 %b, %a"),
    "type": ("%narrow = trunc nuw i32 %a to i8", "%narrow = trunc nuw i32 %a to i16"),
    "struct layout": ("type { i32, i64 }", "type <{ i32, i64 }>"),
    "load alignment": ("load i32, ptr %p, align 4", "load i32, ptr %p, align 2"),
    "alloca alignment": ("alloca %pair, align 8", "alloca %pair, align 16"),
    "global alignment": ("global i32 5, align 4", "global i32 5, align 8"),
    "volatile": ("store volatile", "store"),
    "atomic ordering": ("ptr %p acquire", "ptr %p seq_cst"),
    "not atomic": ("load atomic i32, ptr %p acquire, align 4", "load i32, ptr %p, align 4"),
    "atomic operation": ("atomicrmw add", "atomicrmw sub"),
    "weak": ("cmpxchg weak", "cmpxchg"),
    "failure ordering": ("acq_rel monotonic", "acq_rel acquire"),
    "synchronization scope": ('fence syncscope("singlethread") release', "fence release"),
    "extracted index": ("%swap, 0", "%swap, 1"),
    "shuffle mask": ("<i32 0, i32 1, i32 6, i32 7>", "<i32 0, i32 1, i32 7, i32 6>"),
    "tail kind": ("= tail call", "= notail call"),
    "no tail": ("= tail call", "= call"),
    "calling convention": ("call fastcc", "call coldcc"),
    "argument attribute": ("i32 signext %a", "i32 zeroext %a"),
    "dropped argument attribute": ("ptr nonnull %p", "ptr %p"),
    "call attribute": ("#1 = { cold }", "#1 = { noinline }"),
    "bundle operand": ('"deopt"(i32 %a)', '"deopt"(i32 %b)'),
    "bundle": ('"align"(ptr %p, i64 16)', '"align"(ptr %p, i64 32)'),
    "assembly": ("bsf $1,$0", "bsr $1,$0"),
    "assembly constraint": ('"=r,r"', '"=&r,r"'),
    "assembly side effect": ("asm sideeffect", "asm"),
    "switch value": ("i32 10, label %loop", "i32 11, label %loop"),
    "switch target": ("label %loop\n    i32 20, label %unwinding", "label %unwinding\n    i32 20, label %loop"),
    "phi value": ("[ 0, %entry ]", "[ 1, %entry ]"),
    "phi edges": ("[ %sum, %entry ], [ %b, %loop ]", "[ %sum, %loop ], [ %b, %entry ]"),
    "branch targets": ("label %loop, label %otherwise, !prof", "label %otherwise, label %loop, !prof"),
    "landing pad clause": ("cleanup catch ptr @number", "cleanup catch ptr null"),
    "cleanup": ("cleanup catch", "catch"),
    "function attribute": ("nounwind minsize", "nounwind optsize"),
    "target cpu": ('"target-cpu"="x86-64"', '"target-cpu"="haswell"'),
    "parameter attribute": ("i32 noundef %a, i32 %b", "i32 %a, i32 %b"),
    "personality": ("personality ptr @__gxx_personality_v0", "personality ptr @callee"),
    "linkage": ("linkonce_odr i32 @shared", "weak_odr i32 @shared"),
    "visibility": ("hidden global", "global"),
    "constant data": ("[i32 1, i32 2, i32 3]", "[i32 1, i32 2, i32 4]"),
    "string": ('c"hello\\00"', 'c"hallo\\00"'),
    "initializer": ("global i32 5", "global i32 6"),
    "constant expression": ("ptr @words, i64 4", "ptr @words, i64 8"),
    "writable": ("internal constant", "internal global"),
    "code model": ('code_model "large"', 'code_model "small"'),
    "dropped code model": (', code_model "large"', ""),
    "sanitizer": (", no_sanitize_address", ""),
    "nameless global": ("global ptr @0", "global ptr @1"),
    "section": ('section ".mine"', 'section ".yours"'),
    "thread local": ("thread_local global", "thread_local(initialexec) global"),
    "unnamed_addr": ("private unnamed_addr", "private local_unnamed_addr"),
    "comdat kind": ("$once = comdat any", "$once = comdat nodeduplicate"),
    "dropped comdat": (" comdat($once)", ""),
    "alias": ("alias i32, ptr @number", "alias i32, ptr @placed"),
    "global name": ("@placed", "@moved"),
    "range": ("!{i32 0, i32 100}", "!{i32 0, i32 101}"),
    "dropped range": (", !range !3", ""),
    "tbaa": ('!{!"long", !6, i64 0}', '!{!"int", !6, i64 0}'),
    "dropped tbaa": (", !tbaa !4", ""),
    "branch weights": ('!"branch_weights", i32 9, i32 1', '!"branch_weights", i32 1, i32 9'),
    "unroll count": ('unroll.count", i32 4', 'unroll.count", i32 2'),
    "loop hint": ("llvm.loop.unroll.count", "llvm.loop.interleave.count"),
    "dropped loop": (", !llvm.loop !9", ""),
    "module flag": ('!"PIC Level", i32 2', '!"PIC Level", i32 1'),
    "module assembly": (".globl marker", ".weak marker"),
    "data layout": ("n8:16:32:64-S128", "n8:16:32-S128"),
    "triple": ("x86_64-pc-linux-gnu", "x86_64-pc-freebsd"),
    "undef for poison": ("<4 x i32> undef", "<4 x i32> poison"),
}

RENAMINGS = {
    "value": ("%sum", "%total"),
    "block": ("%otherwise", "%elsewhere"),
    "struct": ("%pair", "%struct.anything"),
    "argument": ("%p", "%q"),
    "compiler": ("some compiler", "some other compiler"),
    "metadata number": ("!10", "!77"),
    "attribute group": ("#1", "#9"),
}


@pytest.fixture(scope="module")
def original(library: Library) -> str:
    with library.parse(MODULE, "original.ll") as module:
        return module.fingerprint()


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_counts(library: Library, original: str, edit: str) -> None:
    old, new = EDITS[edit]
    assert old in MODULE
    with library.parse(MODULE.replace(old, new), "edited.ll") as module:
        assert module.fingerprint() != original


def test_no_two_edits_read_alike(library: Library, original: str) -> None:
    seen = {original: "nothing"}
    for edit, (old, new) in EDITS.items():
        with library.parse(MODULE.replace(old, new), "edited.ll") as module:
            assert seen.setdefault(module.fingerprint(), edit) == edit


@pytest.mark.parametrize("renaming", RENAMINGS)
def test_a_renaming_does_not_count(library: Library, original: str, renaming: str) -> None:
    old, new = RENAMINGS[renaming]
    text = MODULE.replace(old, new)
    if renaming == "block":
        text = text.replace("\notherwise:", "\nelsewhere:")
    if renaming == "argument":
        text = text.replace("%qair", "%pair").replace("%qointer", "%pointer").replace("%qroduct", "%product")
        text = text.replace("%qlain", "%plain").replace("%qad", "%pad")
    assert text != MODULE
    with library.parse(text, "renamed.ll") as module:
        assert module.fingerprint() == original


@pytest.mark.parametrize(
    ("first", "second", "equal"),
    [
        ("/home/me/lib/check.h", "/srv/build of mine/check.h", True),
        ("./check.h", "check.h", True),
        ("f(T) [T = (lambda at /home/me/a.cpp:3:5)]", "f(T) [T = (lambda at ../b c/a.cpp:3:5)]", True),
        ("f(T) [T = (lambda at /home/me/a.cpp:3:5)]", "f(T) [T = (lambda at /home/me/a.cpp:4:5)]", False),
        ("/home/me/lib/check.h", "/home/me/lib/clock.h", False),
        ("look at it: now", "look at it: later", False),
        ("see lib/check.h", "in lib/check.h", False),
        ("/usr/lib/one.so", "/usr/share/one.so", False),
    ],
)
def test_only_directories_of_sources_are_left_out(library: Library, first: str, second: str, equal: bool) -> None:
    def of(text: str) -> str:
        data = f'@text = private unnamed_addr constant [{len(text) + 1} x i8] c"{text}\\00", align 1\n'
        with library.parse(data + "define ptr @f() {\n ret ptr @text\n}\n", "path.ll") as module:
            return module.fingerprint()

    assert (of(first) == of(second)) is equal
