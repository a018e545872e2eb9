"""cc-agent-mutate --agrees: whether LLVM's optimizer shows that a mistake changes nothing, and what is no proof."""

import json
import subprocess
from pathlib import Path

import pytest

from compiler_agent.base.config import native_directory

MUTATE = native_directory() / "bin" / "cc-agent-mutate"
DECLARATIONS = """
target datalayout = "e-m:e-i64:64-i128:128-n8:16:32:64-S128"
target triple = "x86_64-unknown-linux-gnu"
declare ptr @malloc(i64)
declare void @look(ptr)
declare i32 @get()
"""
PTR, LOOK, RET = "ptr %p", "call void @look(ptr %p)", "ret void"
# The kind, whether it is to be shown that it changes nothing, result, arguments, body.
CASES: dict[str, tuple[str, bool, str, str, str]] = {
    "no sign": (
        "sext-for-zext", True, "i64", "i32 %x", "%m = and i32 %x, 7\n%r = zext i32 %m to i64\nret i64 %r",
    ),
    "a sign": ("sext-for-zext", False, "i64", "i32 %x", "%r = zext i32 %x to i64\nret i64 %r"),
    "the original's own claim": (
        "sext-for-zext", True, "i64", "i32 %x", "%r = zext nneg i32 %x to i64\nret i64 %r",
    ),
    "a check before": (
        "compare-signedness", True, "i1", "i32 %x",
        "%n = icmp slt i32 %x, 0\nbr i1 %n, label %no, label %yes\nno:\nret i1 false\n"
        "yes:\n%r = icmp ult i32 %x, 9\nret i1 %r",
    ),
    "a loop's counter": (
        "compare-narrowed", True, "void", "ptr %p",
        "br label %l\nl:\n%i = phi i32 [ 0, %0 ], [ %n, %l ]\n%a = getelementptr i8, ptr %p, i32 %i\n"
        "store i8 1, ptr %a\n"
        "%n = add i32 %i, 1\n%e = icmp eq i32 %n, 9\nbr i1 %e, label %o, label %l\no:\nret void",
    ),
    "a case that cannot be": (
        "switch-case-dropped", True, "i32", "i32 %x",
        "%m = and i32 %x, 3\nswitch i32 %m, label %d [ i32 5, label %a ]\na:\nret i32 1\nd:\nret i32 2",
    ),
    "a case that can be": (
        "switch-case-dropped", False, "i32", "i32 %x",
        "%m = and i32 %x, 7\nswitch i32 %m, label %d [ i32 5, label %a ]\na:\nret i32 1\nd:\nret i32 2",
    ),
    "a branch that cannot go elsewhere": (
        "branch-folded", True, "i32", "i32 %x",
        "%m = and i32 %x, 3\n%c = icmp ult i32 %m, 4\nbr i1 %c, label %a, label %b\na:\nret i32 1\nb:\nret i32 2",
    ),
    "stores that may meet": (
        "store-moved-past-store", False, "void", "ptr %p, ptr %q",
        f"store i8 1, ptr %q\nstore i8 2, ptr %p\n{LOOK}\n{RET}",
    ),
    "what is there already": (
        "store-dropped", True, "void", PTR,
        f"%v = load i32, ptr %p\n%c = icmp eq i32 %v, 3\nbr i1 %c, label %a, label %b\na:\nstore i32 3, ptr %p\n"
        f"br label %b\nb:\n{LOOK}\n{RET}",
    ),
    # malloc's memory is undefined: an optimizer would take it to hold what suits it.
    "not there": (
        "store-repeated", False, "void", "ptr %p, ptr %q",
        f"store i8 1, ptr %p\nstore i8 2, ptr %q\n{LOOK}\n{RET}",
    ),
    "new memory": (
        "store-dropped", False, "void", "", f"%p = call noalias ptr @malloc(i64 4)\nstore i32 3, ptr %p\n{LOOK}\n{RET}",
    ),
    "a local variable": (
        "store-dropped", False, "void", "", f"%p = alloca i32\nstore i32 3, ptr %p\n{LOOK}\n{RET}",
    ),
    "undef": (
        "phi-wrong-edge", False, "i32", "i1 %c, i32 %x",
        "br i1 %c, label %a, label %b\na:\nbr label %b\nb:\n%r = phi i32 [ undef, %0 ], [ %x, %a ]\nret i32 %r",
    ),
    # Where x + 1 overflows the other arm is taken. The mutant must not be judged by what poison may become.
    "poison that is not taken": (
        "select-folded", False, "i32", "i32 %x",
        "%a = add nsw i32 %x, 1\n%c = icmp eq i32 %x, 2147483647\n%r = select i1 %c, i32 5, i32 %a\nret i32 %r",
    ),
    # Undefined behaviour after the place says nothing: the call before it need not return.
    "undefined later": (
        "compare-strictness", False, "void", "i32 %x",
        "%c = icmp slt i32 %x, 5\n%z = zext i1 %c to i32\n%p = inttoptr i32 %z to ptr\n"
        "call void @look(ptr %p)\n%e = icmp eq i32 %x, 5\nbr i1 %e, label %u, label %o\nu:\nunreachable\no:\nret void",
    ),
    # It is only sunk back by an optimizer; what is compiled as it is divides by zero.
    "a trap": (
        "division-speculated", False, "i32", "i32 %x, i32 %y",
        "%z = icmp eq i32 %y, 0\nbr i1 %z, label %no, label %yes\nno:\nret i32 0\nyes:\n"
        "%r = udiv i32 %x, %y\nret i32 %r",
    ),
    "an alignment": (
        "alignment-claimed", False, "<4 x i32>", PTR, "%r = load <4 x i32>, ptr %p, align 4\nret <4 x i32> %r",
    ),
    "a call less": ("call-dropped", False, "void", PTR, f"{LOOK}\n{RET}"),
    "an unknown result": ("call-result-assumed", False, "i32", "", "%r = call i32 @get()\nret i32 %r"),
}  # fmt: skip


def case(name: str, directory: Path) -> Path:
    """The module of a case."""
    _, _, result, arguments, body = CASES[name]
    module = directory / "case.ll"
    module.write_text(f"{DECLARATIONS}\ndefine {result} @f({arguments}) {{\n{body}\n}}\n")
    return module


@pytest.mark.parametrize("name", CASES)
def test_what_the_optimizer_shows(name: str, tmp_path: Path) -> None:
    kind, agrees = CASES[name][:2]
    module = case(name, tmp_path)
    sites = [json.loads(line) for line in subprocess.check_output([MUTATE, "--list", module]).splitlines()]
    answers = [
        json.loads(subprocess.check_output([MUTATE, "--kind", kind, "--site", str(site["site"]), "--agrees", module]))
        for site in sites
        if site["kind"] == kind
    ]
    assert answers
    assert any(answer["agrees"] for answer in answers) is agrees, answers
    assert all(answer["reason"] for answer in answers)


def test_the_question_can_be_seen(tmp_path: Path) -> None:
    command = [MUTATE, "--kind", "sext-for-zext", "--site", "0", "--checks", case("a sign", tmp_path)]
    assert b"cc_agent_different" in subprocess.check_output(command)
