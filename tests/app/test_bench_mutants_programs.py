"""A library's own tests with a mutant in it, on a small library that is really built and tested."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from pathlib import Path

import pytest

from compiler_agent.app import bench_mutants_programs, bench_mutants_report
from compiler_agent.app.bench_mutants_build import Compiled, compile_unit
from compiler_agent.app.bench_mutants_judge import Answer
from compiler_agent.app.bench_mutants_programs import OwnTests
from compiler_agent.base.errors import CompilerAgentError
from compiler_agent.base.journal import Journal
from compiler_agent.evaluation import libraries
from compiler_agent.evaluation.libraries import Library, TranslationUnit
from compiler_agent.llvm import toolchain

ADD = "int add(int a, int b) { return a + b; }\n"
TWICE = "int twice(int a) { return 2 * a; }\n"
MAIN = "int add(int, int); int twice(int); int main(void) { return add(40, 2) != 42 || twice(21) != 42; }\n"
MAKEFILE = """
OBJECTS = part/add.o part/twice.o
all: test-linked test-whole
part/%.o: part/%.c
\t$(CC) $(CFLAGS) -c $< -o $@
test-linked: main.c $(OBJECTS)
\t$(CC) $(CFLAGS) main.c $(OBJECTS) -o $@
test-whole: main.c part/add.c part/twice.c
\t$(CC) $(CFLAGS) main.c part/add.c part/twice.c -o $@
"""


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The library's sources, which take the place of zlib's."""
    place = tmp_path / "a library"
    (place / "part").mkdir(parents=True)
    texts = {"Makefile": MAKEFILE, "main.c": MAIN, "part/add.c": ADD, "part/twice.c": TWICE}
    for name, text in texts.items():
        (place / name).write_text(text)
    zlib: Library = libraries.select(libraries.load(), ["zlib"])[0]
    small = dataclasses.replace(
        zlib, flags=(), configure=(), build=("make all",), test=("./test-linked", "./test-whole"), sources=("part/*.c",)
    )
    monkeypatch.setattr(bench_mutants_programs.libraries, "select", lambda known, names: [small])
    monkeypatch.setattr(bench_mutants_programs, "prepare", lambda library, to: shutil.copytree(place, to))
    return place


def compiled(sources: Path, name: str) -> Compiled:
    zlib = libraries.select(libraries.load(), ["zlib"])[0]
    unit = TranslationUnit("zlib", zlib.part, "c", f"part/{name}.c", sources, (f"part/{name}.c",))
    return compile_unit(unit, "-O2", sources.parent / "modules")


def object_of(text: str, directory: Path) -> Path:
    (directory / "mutant.c").write_text(text)
    argv = [toolchain.discover().clang, "-O2", "-c", "mutant.c", "-o", "mutant.o"]
    subprocess.run(argv, cwd=directory, check=True)
    return directory / "mutant.o"


def test_tests_that_a_mutant_breaks_are_an_alarm_and_others_are_none(sources: Path, tmp_path: Path):
    own = OwnTests(tmp_path / "own tests")
    add, twice = compiled(sources, "add"), compiled(sources, "twice")
    wrong = own.test(add, object_of(ADD.replace("+", "-"), tmp_path))
    assert (wrong.answer, "status 1" in wrong.reason) == (Answer.ALARM, True)
    # Nothing is left of it: another unit's tests pass, and its own again.
    assert own.test(twice, object_of(TWICE, tmp_path)).answer is Answer.PASSED
    assert own.test(add, object_of(ADD, tmp_path)).answer is Answer.PASSED
    assert own.test(twice, object_of(TWICE.replace("2", "3"), tmp_path)).answer is Answer.ALARM
    # Nor for whoever goes on later.
    assert OwnTests(tmp_path / "own tests").test(add, object_of(ADD, tmp_path)).answer is Answer.PASSED


@pytest.mark.parametrize("only", ["./test-linked", "./test-whole"])
def test_the_mutant_is_in_programs_that_are_compiled_in_one_go_too(sources, tmp_path, monkeypatch, only: str):
    (small,) = bench_mutants_programs.libraries.select((), ())
    monkeypatch.setattr(
        bench_mutants_programs.libraries, "select", lambda known, names: [dataclasses.replace(small, test=(only,))]
    )
    found = OwnTests(tmp_path / "programs").test(compiled(sources, "add"), object_of(ADD.replace("+", "-"), tmp_path))
    assert found.answer is Answer.ALARM


def test_what_hangs_is_ended(sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bench_mutants_programs, "_SLACK_S", 3.0)
    forever = object_of('int add(int a, int b) { for (;;) __asm__ volatile(""); }\n', tmp_path)
    found = OwnTests(tmp_path / "programs").test(compiled(sources, "add"), forever)
    assert (found.answer, "timed-out" in found.reason) == (Answer.ALARM, True)


def test_what_fails_without_a_mistake_too_says_nothing_and_goes_on_when_it_is_mended(sources: Path, tmp_path: Path):
    own, add, target = OwnTests(tmp_path / "programs"), compiled(sources, "add"), object_of(ADD, tmp_path)
    (sources / "main.c").write_text(MAIN.replace("42", "43"))
    for _ in range(2):
        with pytest.raises(CompilerAgentError, match=r"zlib-O2, without any mistake: its own tests fail: status 1"):
            own.test(add, target)
    (sources / "main.c").write_text(MAIN)
    assert OwnTests(tmp_path / "programs").test(add, target).answer is Answer.PASSED


def test_a_build_that_was_interrupted_is_begun_again(sources: Path, tmp_path: Path):
    half = tmp_path / "programs" / "zlib-O2"
    (half / "part").mkdir(parents=True)
    (half / "part" / "add.c").write_text("int ad")
    assert OwnTests(tmp_path / "programs").test(compiled(sources, "add"), object_of(ADD, tmp_path)).answer is (
        Answer.PASSED
    )


def test_an_alarm_that_clangs_own_object_raises_too_is_none(sources: Path, tmp_path: Path):
    # The library's build gives the unit a flag that the benchmark does not know of.
    (sources / "part" / "add.c").write_text("#ifndef ZERO\n#define ZERO 1\n#endif\n" + ADD.replace("b;", "b + ZERO;"))
    (sources / "Makefile").write_text(MAKEFILE.replace("$(CFLAGS)", "$(CFLAGS) -DZERO=0"))
    wrong = object_of(ADD.replace("+", "-"), tmp_path)
    with pytest.raises(
        CompilerAgentError, match=r"add.c -O2, with clang's own object in its place: its own tests fail"
    ):
        OwnTests(tmp_path / "programs").test(compiled(sources, "add"), wrong)


def test_tests_that_are_made_without_the_unit_say_nothing_of_it(sources: Path, tmp_path: Path):
    (sources / "part" / "unused.c").write_text(ADD)
    with pytest.raises(CompilerAgentError, match=r"unused.c -O2: its library is built and tested without compiling it"):
        OwnTests(tmp_path / "programs").test(compiled(sources, "unused"), object_of(ADD, tmp_path))


def test_a_mutant_with_which_they_fail_is_wrong_and_counted_apart(tmp_path: Path):
    made, tests = Journal(tmp_path / "mutants.jsonl", {}), Journal(tmp_path / "tests.jsonl", {})
    site = {"unit": "zlib/a.c", "library": "zlib", "part": "training", "level": "-O2", "kind": "k", "function": "f"}
    for key, answer, fails in (
        ("caught", Answer.ALARM, None),
        ("refused", Answer.NOT_ESTABLISHED, Answer.ALARM),
        ("let through", Answer.PASSED, Answer.ALARM),
        ("unknown", Answer.PASSED, Answer.PASSED),
        ("not built", Answer.PASSED, Answer.NOT_ESTABLISHED),
    ):
        made.note("made", key, fate="kept", digest=key, **site)
        tests.note("tested", key, answer=answer.value, reason="", coverage=1.0, n_inputs=9, seconds=1.0)
        if fails:
            made.note("programs", key, answer=fails.value, reason="its own tests fail", seconds=1.0)
    rows = bench_mutants_report.mutants(made, tests, 9)
    found = bench_mutants_report.tally(rows)
    assert (found.caught, found.refused, found.wrong, found.undecided, found.own_tests) == (1, 1, 1, 2, 2)
    assert found.rate == pytest.approx(1 / 3)
    assert found.rate_with_own_tests == 1.0
    assert {row["key"]: row["prover"] for row in rows}["let through"] == "own tests"


def test_own_tests_that_fail_contradict_a_proof_and_hide_no_other_contradiction(tmp_path: Path):
    made, tests = Journal(tmp_path / "mutants.jsonl", {}), Journal(tmp_path / "tests.jsonl", {})
    site = {"unit": "zlib/a.c", "library": "zlib", "part": "training", "level": "-O2", "kind": "k", "function": "f"}
    for key, truths in (("proved", ("equivalent",)), ("both", ("equivalent", "wrong"))):
        made.note("made", key, fate="kept", digest=key, **site)
        tests.note("tested", key, answer=Answer.PASSED.value, reason="", coverage=1.0, n_inputs=9, seconds=1.0)
        made.note("programs", key, answer=Answer.ALARM.value, reason="its own tests fail", seconds=1.0)
        for prover, truth in zip(("optimizer", "validator"), truths, strict=False):
            made.note("judged", f"{key} {prover}", mutant=key, prover=prover, truth=truth, how=truth)
    proved, both = bench_mutants_report.contradictions(bench_mutants_report.mutants(made, tests, 9))
    assert proved == "proved: its own tests fail; and equivalent by optimizer: equivalent"
    assert both == "both: CONTRADICTION: equivalent; wrong"
