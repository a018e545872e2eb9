"""Which functions count as clang's own code: on what clang really prints, and on edits that must be seen."""

import subprocess
from pathlib import Path

import pytest

from compiler_agent.evaluation import code_comparison
from compiler_agent.llvm import toolchain

SOURCE = """
int puts(const char *);
static int helper(int x) { return x * 3 + 1; }
static int twice(int x) { return x * 2; }
int (*table[2])(int) = {twice, 0};
static int counter, other;
static const short small[4] = {1, 2, 3, 4};
double half(double x) { return x * 3.25; }
int pick(int x) {
  switch (x) { case 0: return puts("a#b"); case 1: return 9; case 2: return puts("q"); case 3: return 17 * x; }
  return 4;
}
__attribute__((noinline)) static int inner(int x) { return small[x & 3] * 9; }
int outer(int x) { return inner(x) + 1; }
int count(void) { counter++; other += 2; return counter - other; }
int alone(int x) { return x + 5; }
"""
ALL = {"half", "pick", "outer", "count", "alone"}


def compare(own: str, candidate: str) -> code_comparison.Comparison:
    return code_comparison.compare(code_comparison.parse(own), code_comparison.parse(candidate))


def assembly(text: str, directory: Path, *flags: str) -> str:
    (directory / "unit.c").write_text(text)
    command = [toolchain.discover().clang, "-Oz", "-S", "-g0", "-fno-verbose-asm", "-o", "-", *flags, "unit.c"]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("flags", [(), ("-fPIC",), ("-g", "-g0"), ("-fno-asynchronous-unwind-tables",)])
def test_the_same_code_is_the_same(tmp_path: Path, flags: tuple[str, ...]) -> None:
    found = compare(
        assembly(SOURCE, tmp_path, *flags), assembly("int more(int x) { return x; }" + SOURCE, tmp_path, *flags)
    )
    assert set(found.unchanged) == ALL
    assert found.changed == ("more",)
    assert (found.hidden, found.data) == ((), ())


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("x + 5", "x + 6", {"alone"}),
        ("3.25", "3.5", {"half"}),  # a constant in another section
        ('"q"', '"p"', {"pick"}),  # a string
        ("case 1: return 9", "case 1: return 17 * x", {"pick"}),  # a jump table
        ("* 9", "* 11", {"outer"}),  # a local function that it calls
        ("{1, 2, 3, 4}", "{1, 2, 3, 5}", {"outer"}),  # what that function reads
        ("other += 2", "counter += 2", {"count"}),  # another variable that holds the same
        ("static int counter, other", "static int counter = 4, other", {"count"}),
    ],
)
def test_what_a_function_uses_belongs_to_it(tmp_path: Path, old: str, new: str, changed: set[str]) -> None:
    assert SOURCE.count(old) == 1
    found = compare(assembly(SOURCE, tmp_path), assembly(SOURCE.replace(old, new), tmp_path))
    assert set(found.changed) == changed
    assert set(found.unchanged) == ALL - changed
    assert (found.hidden, found.data) == ((), ())


def test_a_local_function_behind_a_pointer_is_named(tmp_path: Path) -> None:
    found = compare(assembly(SOURCE, tmp_path), assembly(SOURCE.replace("x * 2", "x * 4"), tmp_path))
    assert (found.hidden, found.changed, found.data) == (("twice",), (), ())


def test_data_that_others_see_is_named(tmp_path: Path) -> None:
    found = compare(assembly(SOURCE, tmp_path), assembly(SOURCE.replace("{twice, 0}", "{twice, twice}"), tmp_path))
    assert (found.data, found.changed) == (("table",), ())


def test_constructors_are_seen(tmp_path: Path) -> None:
    text = "int f(int); __attribute__((constructor)) static void go(void) { f(3); } int get(void) { return 4; }"
    found = compare(assembly(text, tmp_path), assembly(text.replace("f(3)", "f(5)"), tmp_path))
    assert found.hidden == ("go",)
    found = compare(
        assembly(text, tmp_path), assembly(text.replace("__attribute__((constructor)) static", ""), tmp_path)
    )
    assert len(found.data) == 1
    assert ".init_array" in found.data[0]


def test_outlined_code_that_differs_is_seen(tmp_path: Path) -> None:
    own = assembly(SOURCE, tmp_path)
    name = "OUTLINED_FUNCTION_0"
    outlined = f"{own}\t.text\n\t.type\t{name},@function\n{name}:\n\tincl\t%eax\n\tnop\n\tretq\n\t.size\t{name}, 4\n"
    calls = outlined.replace("\tleal\t5(%rdi), %eax\n", f"\tjmp\t{name}\n")
    assert calls != outlined
    assert set(compare(own, outlined).unchanged) == ALL
    assert set(compare(calls, calls.replace("\tnop\n", "\tincl\t%eax\n")).changed) == {"alone"}
    # Under another name it is still the same.
    assert set(compare(calls, calls.replace(name, "OUTLINED_FUNCTION_7")).unchanged) == ALL
