"""Blame: the smallest plan, the application, the function, the report; by a program that every optimizer breaks."""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from compiler_agent.app.blame import ProgramOracle, join, passes_after, passes_alone, spell_out
from compiler_agent.app.blame_functions import FunctionTests
from compiler_agent.app.blame_ir import IrUnit, bodies
from compiler_agent.app.blame_minimise import delta_debug, minimise, only, parts_of
from compiler_agent.app.blame_program import Program, Unit
from compiler_agent.app.blame_reduce import reduce_module
from compiler_agent.app.cli import cli
from compiler_agent.base.errors import NotEstablished, UsageError
from compiler_agent.evaluation.difftest import ProgramVerdict, Workload
from compiler_agent.llvm import catalog
from compiler_agent.llvm.plan import Plan
from compiler_agent.llvm.toolchain import discover

# Its behaviour is not defined (an overflow), so that right passes "break" it: the pass to be named is known.
PROGRAM = """
#include <stdio.h>
__attribute__((noinline)) static int grows(int a) { return a + 1 > a; }
__attribute__((noinline)) static int harmless(int a) { return a * 3 - a; }
int main(int argc, char **argv) { printf("%d %d\\n", grows(0x7ffffffe + argc), harmless(argc)); return 0; }
"""


@given(st.sets(st.integers(0, 30), min_size=1, max_size=5), st.integers(31, 40))
def test_delta_debugging_finds_exactly_what_is_needed(needed: set[int], n_items: int) -> None:
    n_asked = 0

    def fails(kept: Sequence[int]) -> bool:
        nonlocal n_asked
        n_asked += 1
        return needed <= set(kept)

    assert delta_debug(range(n_items), fails) == sorted(needed)
    assert n_asked < 400


@given(st.lists(st.sets(st.integers(0, 12), min_size=1, max_size=3), min_size=1, max_size=4))
def test_of_several_causes_one_whole_one_remains(causes: list[set[int]]) -> None:
    def fails(kept: Sequence[int]) -> bool:
        return any(cause <= set(kept) for cause in causes)

    found = set(delta_debug(range(13), fails))
    assert fails(sorted(found))
    assert not any(fails(sorted(found - {item})) for item in found)


@dataclass
class Needs:
    """Refutes every plan that has these passes and options."""

    names: set[str]
    asked: list[str] = field(default_factory=list)

    def refutes(self, plan: Plan) -> bool:
        self.asked.append(str(plan))
        return self.names <= {part.text for part in parts_of(plan)}


LONG = Plan.parse(
    "-passes=globalopt,function<eager-inv>(sroa<modify-cfg>,loop-mssa(licm<>),gvn<>),cgscc(inline,function(newgvn)),"
    "adce -disable-lsr=true -inline-threshold=5"
)


@pytest.mark.parametrize(
    ("names", "smallest"),
    [
        ({"gvn<>"}, "-passes=function<eager-inv>(gvn<>)"),
        ({"newgvn"}, "-passes=cgscc(function(newgvn))"),
        ({"licm<>", "adce"}, "-passes=function<eager-inv>(loop-mssa(licm<>)),adce"),
        ({"sroa<modify-cfg>", "-disable-lsr"}, "-passes=function<eager-inv>(sroa<modify-cfg>) -disable-lsr=true"),
        ({"-disable-lsr"}, "-passes=no-op-module -disable-lsr=true"),
    ],
)
def test_the_smallest_plan_has_only_what_is_needed(names: set[str], smallest: str) -> None:
    oracle = Needs(names)
    assert str(minimise(LONG, oracle, catalog.load())) == smallest
    assert len(oracle.asked) < 40


def test_what_is_experimental_is_suspected_first() -> None:
    oracle = Needs({"newgvn"})
    minimise(LONG, oracle, catalog.load())
    assert oracle.asked == ["-passes=cgscc(function(newgvn))"]


def test_decisions_are_parts_of_plans() -> None:
    plan = Plan.parse("-passes=dce -disable-lsr=true call:f:0:inline=never loop:f:0:unroll=full")
    parts = parts_of(plan)
    assert [part.text for part in parts] == ["dce", "-disable-lsr", *map(str, plan.decisions)]
    assert only(plan, parts) == plan
    assert str(only(plan, parts[3:])) == "-passes=no-op-module loop:f:0:unroll=full"
    assert str(only(plan, parts[:2])) == "-passes=dce -disable-lsr=true"


def test_parts_of_plans() -> None:
    assert only(LONG, parts_of(LONG)) == LONG
    plan = Plan.parse("-passes=sroa,cgscc(inline,function(gvn<>,sroa))")
    assert [str(alone) for alone in passes_alone(plan, "sroa")] == ["-passes=sroa", "-passes=cgscc(function(sroa))"]
    assert [str(rest) for rest in passes_after(plan, "inline")] == ["-passes=cgscc(function(gvn<>,sroa))"]
    first, second = Plan.parse("-passes=sroa -a=1"), Plan.parse("-passes=no-op-module -b=2")
    assert str(join(first, second)) == "-passes=sroa -a=1 -b=2"
    spelled = spell_out(Plan.parse("-passes=attributor,default<O1>"), discover())
    assert str(spelled).startswith("-passes=attributor,")
    assert len(parts_of(spelled)) > 30
    assert spell_out(LONG, discover()) == LONG


def test_bodies_of_a_module() -> None:
    text = 'declare void @a()\ndefine void @b() #0 {\n  ret void\n}\n\ndefine i32 @"c d"(i32 %x) {\n  ret i32 %x\n}\n'
    assert {name: body.count("\n") for name, body in bodies(text).items()} == {"b": 2, '"c d"': 2}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "main.c").write_text(PROGRAM)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_pass_is_named_and_the_report_written(project: Path) -> None:
    plan = "-passes=function(sroa,adce,instcombine<no-verify-fixpoint>,gvn<>),globaldce -inline-threshold=3"
    arguments = ["blame", "--plan", plan, "--run", "./program", "--json", "--reduce", "20", "--", "clang", "main.c"]
    done = CliRunner().invoke(cli, [*arguments, "-o", "program"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["culprits"] == ["instcombine"]
    assert found["functions"] == ["grows"]
    assert found["application"]["unit"] == "grows"
    assert found["differences"] == ["standard output, line 1: '1 2' instead of '0 2'"]
    assert set(found["minimal_plan"].split("(")[1].rstrip(")").split(",")) <= {
        "sroa",
        "instcombine<no-verify-fixpoint>",
    }
    assert any("clang's own pipeline makes the program wrong too" in note for note in found["notes"])
    report = (project / "blame" / "report.md").read_text()
    assert "# [instcombine] wrong code for main.c" in report
    assert "BISECT: running pass" in report
    assert found["llvm"] in report


# LLVM 22.1.8's attributor takes loads of memory that is written in between for loads of memory that never changes
# (`!invariant.load`); it does no harm itself, `early-cse` believes it. zlib's trees.c breaks by the same.
LATENT = """
#include <stdio.h>
#include <stdlib.h>
struct heap { int length; int items[16]; };
struct limits { int wanted; };
static const struct limits limits = {5};
static void fill(struct heap *heap, const struct limits *limits) {
  heap->length = 0;
  for (int i = 0; i < limits->wanted; i++) {
    heap->length++;
    heap->items[heap->length] = i;
  }
}
int main(void) {
  struct heap *heap = malloc(sizeof *heap);
  if (!heap) return 1;
  fill(heap, &limits);
  printf("%d\\n", heap->length);
  free(heap);
  return 0;
}
"""


def test_a_reduction_that_runs_out_of_its_time_leaves_nothing(
    project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setenv("TMPDIR", str(temporary))
    source = Unit.of_command(["main.c", "-o", "program"], project)
    program = Program.with_reference(source, [Workload("./program; sleep 1", n_reference_runs=1)])
    unit = IrUnit(program, discover(), catalog.load())
    plan = Plan.parse("-passes=function(sroa,instcombine<no-verify-fixpoint>)")
    monkeypatch.setattr("compiler_agent.app.blame_reduce.CONTROLS", ())
    _, complete = reduce_module(unit, unit.source_ir(plan), plan, 2.5)
    assert not complete
    assert list(temporary.iterdir()) == []


def test_who_leaves_a_wrong_claim_is_blamed_and_not_who_believes_it(project: Path) -> None:
    (project / "main.c").write_text(LATENT)
    arguments = ["blame", "--plan", "-passes=attributor,default<Oz>", "--run", "./p", "--json", "--reduce", "0"]
    done = CliRunner().invoke(cli, [*arguments, "--", "clang", "main.c", "-o", "p"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["culprits"] == ["attributor"]
    assert "early-cse" in found["minimal_plan"]
    assert "fill" in found["functions"]
    assert found["notes"] == []


def test_the_reproducer_reproduces(project: Path) -> None:
    import subprocess

    arguments = [
        "blame",
        "--plan",
        "-passes=function(sroa,instcombine<no-verify-fixpoint>)",
        "--run",
        "cc main.o -o p && ./p",
    ]
    done = CliRunner().invoke(cli, [*arguments, "--reduce", "0", "--output", "out", "--", "clang", "-c", "main.c"])
    assert done.exit_code == 0, done.output
    subprocess.run(["./reproduce.sh"], cwd=project / "out", check=True)
    said = []
    for name in ("right", "wrong"):
        clang = str(discover().clang)
        subprocess.run([clang, f"out/{name}.o", "-o", name], cwd=project, check=True)
        said.append(subprocess.run([f"./{name}"], cwd=project, capture_output=True, check=True).stdout)
    assert said == [b"0 2\n", b"1 2\n"]


def test_a_right_plan_has_nobody_to_blame(project: Path) -> None:
    arguments = [
        "blame",
        "--plan",
        "-passes=function(sroa)",
        "--run",
        "./program",
        "--",
        "clang",
        "main.c",
        "-o",
        "program",
    ]
    done = CliRunner().invoke(cli, arguments)
    assert "the plan is not refuted" in str(done.exception)
    assert getattr(done.exception, "exit_code", None) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-c", "main.c", "-o", "/tmp/elsewhere.o"], "outside"),
        (["-c", "main.c", "other.c"], "not one C or C"),
        (["main.o", "-o", "program"], "not one C or C"),
    ],
)
def test_commands_that_are_not_one_unit(project: Path, arguments: list[str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Unit.of_command(arguments, project)


def test_where_a_commands_object_goes(project: Path) -> None:
    assert Unit.of_command(["-c", "main.c"], project).output == "main.o"
    assert Unit.of_command(["-c", "main.c", "-o", "sub/m.o"], project).output == "sub/m.o"
    linking = Unit.of_command(["main.c"], project)
    assert linking.output == "a.out"
    assert linking.link


@pytest.mark.parametrize(
    ("plan", "verdict", "status"),
    [
        ("-passes=function(sroa,instcombine<no-verify-fixpoint>)", "miscompiled", 1),
        ("-passes=function(sroa)", None, None),
    ],
)
def test_judge_runs_the_program(project: Path, plan: str, verdict: str | None, status: int | None) -> None:
    arguments = ["judge", "--json", "--plan", plan, "--run", "./program", "--", "clang", "main.c", "-o", "program"]
    done = CliRunner().invoke(cli, arguments)
    row = json.loads(done.stdout)
    assert row["program_test"][0]["reference"] == "-O0"
    if verdict is None:
        assert row["verdict"] in ("established", "not-better")
    else:
        assert (row["verdict"], done.exit_code) == (verdict, status)
        assert "standard output, line 1: '1 2' instead of '0 2'" in row["reason"]


# The same in a function that others can call; no program has to be run to see it.
LATENT_FUNCTION = LATENT.replace("int main(void)", "int harmless(int a) { return a > 3 ? a : -a; }\nint length(void)")
LATENT_FUNCTION = LATENT_FUNCTION.replace('printf("%d\\n", heap->length);', "int found = heap->length;")
LATENT_FUNCTION = LATENT_FUNCTION.replace("return 0;", "return found;")


def test_without_a_program_the_test_of_a_function_refutes(project: Path) -> None:
    (project / "main.c").write_text(LATENT_FUNCTION)
    unit = Unit.of_command(["-c", "main.c"], project)
    whole = Plan.parse("-passes=attributor,default<Oz>")
    tests = FunctionTests.refuting(unit, whole, 0.3)
    assert tests.function == "length"
    assert "length();" in tests.counterexample
    oracle = ProgramOracle(tests)
    assert [str(one) for one in oracle.differences(whole)] == ["length, call 1: 1 instead of 5"]
    assert not oracle.refutes(Plan.parse("-passes=attributor"))  # the claim alone does no harm
    assert tests.judge(b"no object").verdict is ProgramVerdict.NOT_ESTABLISHED


def test_where_no_function_is_refuted_nobody_is_blamed(project: Path) -> None:
    (project / "main.c").write_text("int twice(int a) { return a > 5 ? a & 7 : a; }")
    command = ["blame", "--test-seconds", "0.2", "--plan", "-passes=function(sroa)", "--", "clang", "-c", "main.c"]
    done = CliRunner().invoke(cli, command)
    assert done.exit_code == 1
    assert isinstance(done.exception, NotEstablished)
    assert "no test of 1 changed functions shows a difference" in done.exception.message
    assert not (project / "blame").exists()


@pytest.mark.nightly
def test_without_a_program_the_pass_is_blamed(project: Path) -> None:
    (project / "main.c").write_text(LATENT_FUNCTION)
    arguments = ["blame", "--plan", "-passes=attributor,default<Oz>", "--test-seconds", "0.5", "--json"]
    done = CliRunner().invoke(cli, [*arguments, "--reduce", "0", "--", "clang", "-c", "main.c"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["culprits"] == ["attributor"]
    assert "fill" in found["functions"]
    report = (project / "blame" / "report.md").read_text()
    assert "`length`, called in this way" in report
    assert "length();" in report
    assert "#   length();" in (project / "blame" / "reproduce.sh").read_text()
