"""The library on its own: parse, clone, run, emit, print; and everything that goes wrong comes back as text."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from compiler_agent.base.errors import EngineError, PlanError
from compiler_agent.llvm.library import Library, Module, Target
from compiler_agent.llvm.toolchain import Toolchain

SOURCE = """
static int table[64];
const char *const names[] = {"one", "two", "three"};
int scale(int value) { return value * 3 + table[value & 63]; }
int total(const int *values, int count) {
  int sum = 0;
  for (int i = 0; i < count; ++i) { sum += scale(values[i]); table[i & 63] = sum; }
  return sum;
}
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("library") / "table.c"
    path.write_text(SOURCE)
    return path


@pytest.fixture
def table(library: Library, to_bitcode: Callable[..., bytes], source: Path) -> Module:
    return library.parse(to_bitcode(source, "-O2"), "table.bc")


def test_versions(library: Library) -> None:
    assert library.llvm_version.startswith("22.")


def test_a_missing_library_is_an_error_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"nothing\.so: cannot be loaded") as raised:
        Library(tmp_path / "nothing.so")
    assert "make setup" in raised.value.hint


def test_another_shared_library_is_an_error(toolchain: Toolchain) -> None:
    with pytest.raises(EngineError, match="cca_version"):
        Library(Path("libc.so.6"))


def test_printing_round_trips(library: Library, table: Module) -> None:
    text = table.print()
    again = library.parse(text, "again.ll")
    assert again.print().splitlines()[1:] == text.splitlines()[1:]  # the first line is the module's name
    assert again.fingerprint() == table.fingerprint()
    assert again.n_instructions() == table.n_instructions() > 0


def test_a_clone_lives_its_own_life(table: Module) -> None:
    before = table.print()
    with table.clone() as twin:
        assert twin.fingerprint() == table.fingerprint()
        twin.run("-passes=default<O2>")
        assert twin.fingerprint() != table.fingerprint()
        assert twin.n_instructions() != table.n_instructions()
    assert table.print() == before


def test_a_clone_outlives_its_original(table: Module) -> None:
    twin = table.clone()
    count = table.n_instructions()
    table.close()
    assert twin.n_instructions() == count


def test_a_closed_module_says_so(table: Module) -> None:
    table.close()
    table.close()
    with pytest.raises(EngineError, match="closed"):
        table.print()


def test_the_same_plan_gives_the_same_module(table: Module) -> None:
    with table.clone() as first, table.clone() as second:
        first.run("-passes=default<O3>")
        second.run("-passes=default<O3>")
        assert first.print() == second.print()


def test_runs_what_opt_runs(table: Module, toolchain: Toolchain, tmp_path: Path) -> None:
    (tmp_path / "table.ll").write_text(table.print())
    command = [toolchain.opt, "-S", "-passes=function(sroa,early-cse,simplifycfg)", tmp_path / "table.ll"]
    expected = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    table.run("-passes=function(sroa,early-cse,simplifycfg)")
    assert table.print().splitlines()[1:] == expected.splitlines()[1:]


def test_options_hold_during_the_run_only(table: Module) -> None:
    with table.clone() as plain, table.clone() as without, table.clone() as after:
        plain.run("-passes=default<O2>")
        without.run("-passes=default<O2> -inline-threshold=-1000")
        after.run("-passes=default<O2>")
        assert after.print() == plain.print()
        assert without.print() != plain.print()


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ("-passes=no-such-pass", "unknown pass name 'no-such-pass'"),
        ("-passes=function(simplifycfg<nonsense>)", "invalid SimplifyCFG pass parameter 'nonsense'"),
        ("-passes=function(sroa", "invalid pipeline"),
        ("default<O2>", "is neither -name=value nor"),
        ("-inline-threshold=1", "no -passes=PIPELINE"),
        ("", "no -passes=PIPELINE"),
        ("-passes=default<O2> -no-such-option=1", "LLVM has no option -no-such-option"),
        ("-passes=default<O2> -inline-threshold=much", "-inline-threshold does not take the value 'much'"),
    ],
)
def test_a_wrong_plan_is_a_plan_error_and_changes_nothing(table: Module, plan: str, message: str) -> None:
    before = table.print()
    with pytest.raises(PlanError) as raised:
        table.run(plan)
    assert message in raised.value.message
    assert table.print() == before


def test_check_pipeline(library: Library) -> None:
    assert library.check_pipeline("default<O2>,function(sroa<modify-cfg>)") is None
    assert library.check_pipeline("function(nothing-like-it)") == "unknown function pass 'nothing-like-it'"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"BC\xc0\xde but not for long", "bad: "),
        (b"define i32 oops", "bad:1:"),
        ("define i32 @f() {\n  ret i64 0\n}\n", "bad:2:"),
        ("define i32 @f() {\n %a = add i32 %b, 1\n %b = add i32 %a, 1\n ret i32 %a\n}\n", "does not dominate all uses"),
    ],
)
def test_a_bad_module_is_an_error_text(library: Library, content: bytes | str, message: str) -> None:
    with pytest.raises(EngineError) as raised:
        library.parse(content, "bad")
    assert message in raised.value.message


def test_damaged_bitcode_never_ends_the_process(
    library: Library, to_bitcode: Callable[..., bytes], source: Path
) -> None:
    whole = to_bitcode(source, "-O2")
    outcomes = set()
    for position in range(16, len(whole), 97):
        damaged = bytearray(whole)
        damaged[position] ^= 0xFF
        try:
            library.parse(bytes(damaged), "damaged").close()
            outcomes.add("accepted")
        except EngineError as error:
            outcomes.add("refused" if error.message else "silent")
    with pytest.raises(EngineError):
        library.parse(whole[: len(whole) // 2], "cut")
    assert "refused" in outcomes
    assert "silent" not in outcomes


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("crash", "signal 11"),
        ("abort", "signal 6"),
        ("fatal-error", "LLVM fatal error: cc-agent-test-fatal-error"),
        ("invalid", "the LLVM verifier rejects the module after the pipeline"),
    ],
)
def test_a_broken_pass_spoils_its_module_and_nothing_else(
    library: Library, table: Module, small_module: Module, monkeypatch: pytest.MonkeyPatch, name: str, message: str
) -> None:
    monkeypatch.setenv("CC_AGENT_TEST_PASSES", "1")
    with pytest.raises(EngineError) as raised:
        table.run(f"-passes=default<O1>,cc-agent-test-{name} -inline-threshold=1")
    assert message in raised.value.message
    for use in (table.print, table.fingerprint, table.n_instructions, table.clone, table.emit):
        with pytest.raises(EngineError) as raised:
            use()
        assert "cannot be used any more" in raised.value.message
        assert message in raised.value.message
    table.close()
    small_module.run("-passes=default<O2> -inline-threshold=2")  # the options were put back
    assert small_module.n_instructions() == 2


def test_the_broken_passes_exist_for_tests_only(table: Module) -> None:
    with pytest.raises(PlanError, match="unknown pass name"):
        table.run("-passes=cc-agent-test-crash")


def test_a_signal_outside_of_llvm_is_left_alone(toolchain: Toolchain) -> None:
    program = (
        "import os, signal\nfrom compiler_agent.llvm.library import Library\n"
        "Library().parse('define void @f() { ret void }').run('-passes=default<O2>')\n"
        "os.kill(os.getpid(), signal.SIGSEGV)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -11


def test_an_error_of_the_assembler_is_text(library: Library) -> None:
    text = (
        'target triple = "x86_64-pc-linux-gnu"\n'
        'define void @f() {\n  call void asm sideeffect "nosuchinstruction", ""()\n  ret void\n}\n'
    )
    with library.parse(text) as module:
        with pytest.raises(EngineError, match="invalid instruction mnemonic"):
            module.emit()
        assert module.n_instructions() == 2  # the module itself is well


def test_a_module_for_no_known_target_cannot_be_emitted(library: Library) -> None:
    with library.parse('target triple = "nosuch-machine"\n') as module, pytest.raises(EngineError, match="nosuch"):
        module.emit()


@pytest.mark.parametrize("level", [-1, 4])
def test_a_level_that_does_not_exist_is_refused(small_module: Module, level: int) -> None:
    with pytest.raises(EngineError, match="0 to 3"):
        small_module.emit(target=Target(optimization_level=level))


def sections_by_llvm_size(toolchain: Toolchain, path: Path) -> dict[str, int]:
    lines = subprocess.run([toolchain.llvm_size, "-A", path], check=True, capture_output=True, text=True).stdout
    rows = [line.split() for line in lines.splitlines()]
    sizes: dict[str, int] = {}
    for row in rows:
        if len(row) == 3 and row[1].isdigit():
            sizes[row[0]] = sizes.get(row[0], 0) + int(row[1])
    return sizes


@pytest.mark.parametrize("sections", [False, True])
def test_sizes_agree_with_llvm_size(table: Module, toolchain: Toolchain, tmp_path: Path, sections: bool) -> None:
    table.run("-passes=default<O2>")
    target = Target(function_sections=sections, data_sections=sections)
    emission = table.emit(target=target, keep=True)
    (tmp_path / "table.o").write_bytes(emission.content)
    expected = sections_by_llvm_size(toolchain, tmp_path / "table.o")
    assert expected
    assert {name: emission.sections[name] for name in expected} == expected
    assert emission.text_bytes == sum(size for name, size in expected.items() if name.startswith(".text"))
    assert emission.unwind_bytes == expected[".eh_frame"]
    assert emission.data_bytes == sum(
        size for name, size in expected.items() if name.startswith((".bss", ".data", ".rodata"))
    )
    assert emission.object_bytes == len(emission.content)
    assert (".text.scale" in expected) == sections
    assert emission.functions.keys() == {"scale", "total"}
    assert 0 < sum(emission.functions.values()) <= emission.text_bytes


def test_emits_the_code_that_clang_emits(table: Module, toolchain: Toolchain, source: Path, tmp_path: Path) -> None:
    subprocess.run([toolchain.clang, "-O2", "-c", source, "-o", tmp_path / "clang.o"], check=True)
    table.run("-passes=default<O2>")
    expected = sections_by_llvm_size(toolchain, tmp_path / "clang.o")
    emission = table.emit()
    assert {name: emission.sections[name] for name in expected} == expected


def test_emission_leaves_the_module_alone_and_repeats(table: Module) -> None:
    before = table.print()
    assert table.emit(keep=True) == table.emit(keep=True)
    assert table.emit().content == b""
    assert table.print() == before


def test_emission_obeys_options_and_target(table: Module) -> None:
    table.run("-passes=default<O2>")
    plain = table.emit(keep=True)
    assert table.emit("-passes=default<O2> -align-all-functions=6", keep=True).content != plain.content
    assert table.emit(keep=True).content == plain.content
    assert table.emit(target=Target(optimization_level=0), keep=True).content != plain.content
    with pytest.raises(PlanError, match="no option"):
        table.emit("-passes=default<O2> -no-such-option=1")
