"""The hunt for miscompiles: plans of the right kind, defined programs, mismatches followed up, and resuming."""

import json
import random
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner

from compiler_agent.app import campaign_report
from compiler_agent.app.blame_program import Program, Unit
from compiler_agent.app.campaign import Campaign, Triage
from compiler_agent.app.campaign_csmith import CsmithCase
from compiler_agent.app.campaign_defined import defined
from compiler_agent.app.campaign_lively import result_type
from compiler_agent.app.campaign_plans import Kind, PlanSource
from compiler_agent.app.cli import cli
from compiler_agent.base.errors import NotEstablished
from compiler_agent.base.journal import Journal
from compiler_agent.evaluation.difftest import Workload
from compiler_agent.llvm import catalog
from compiler_agent.llvm.plan import Plan
from compiler_agent.llvm.toolchain import Toolchain, discover

TOOLCHAIN = discover()
needs_csmith = pytest.mark.skipif(shutil.which("csmith") is None, reason="csmith is not installed")


@pytest.mark.parametrize("kind", list(Kind))
def test_plans_are_of_their_kind_and_repeat_with_the_seed(kind: Kind) -> None:
    source, known = PlanSource(TOOLCHAIN, "-Oz"), catalog.load()
    plans = [source.draw(kind, random.Random(seed)) for seed in range(30)]
    for plan in plans:
        known.check(plan)
        assert known.provenance_of(plan).provenance.value == kind
    assert len(set(plans)) > 25
    assert plans == [source.draw(kind, random.Random(seed)) for seed in range(30)]


UNDEFINED = """
#include <stdio.h>
__attribute__((noinline)) static int grows(int a) { return a + 1 > a; }
int main(int argc, char **argv) { printf("%d\\n", grows(0x7ffffffe + argc)); return 0; }
"""
BREAKS_IT = Plan.parse("-passes=function(sroa,instcombine<no-verify-fixpoint>)")
CRASHES = Plan.parse("-passes=trigger-crash-module")
HARMLESS = Plan.parse("-passes=function(sroa)")


@dataclass(frozen=True)
class FakeCase:
    """A program that right passes change, said to be defined or not."""

    name: str
    is_defined: bool = True
    level: str = "-Oz"
    made: list[str] = field(default_factory=list, compare=False)

    def make(self, directory: Path) -> Program:
        self.made.append(self.name)
        if self.name == "slow":
            raise NotEstablished("it is too slow")
        (directory / "program.c").write_text(UNDEFINED)
        unit = Unit.of_command(["program.c", "-o", "program"], directory)
        return Program.with_reference(unit, [Workload("./program", timeout_s=20)])

    def check_defined(self, directory: Path, program: Program) -> tuple[bool, str]:
        return self.is_defined, "as it was said"


class FakeSource:
    """Draws three given plans in turn."""

    def __init__(self, toolchain: Toolchain, level: str) -> None:
        self.plans = [BREAKS_IT, CRASHES, HARMLESS, HARMLESS]

    def draw(self, kind: Kind, rng: random.Random) -> Plan:
        self.plans.append(self.plans[0])
        return self.plans.pop(0)


@pytest.fixture
def campaign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Campaign:
    monkeypatch.setattr("compiler_agent.app.campaign.PlanSource", FakeSource)
    return Campaign(TOOLCHAIN, tmp_path / "out", 0, plans_per_kind=2, reduce_s=0)


def test_a_mismatch_is_blamed_and_reported(campaign: Campaign, tmp_path: Path) -> None:
    journal = Journal(campaign.output / "journal.jsonl", {})
    campaign.run([FakeCase("first"), FakeCase("slow")], journal, jobs=1)
    found = campaign_report.summary(journal)
    assert (found["programs"], found["discarded"]) == (2, 1)
    production = found["kinds"]["production"]
    assert (production["plans"], production["different"], production["same"]) == (2, 1, 1)
    # Clang's own passes do it as well, which is said: here it is the program's fault.
    assert production["confirmed_by_pass"] == {"instcombine (and clang's own pipeline)": 1}
    assert found["kinds"]["experimental"]["crash"] == 1
    assert found["kinds"]["experimental"]["failures_by_pass"] == {"crash: trigger-crash-module": 1}
    (report,) = (campaign.output / "reports").glob("first-*/report.md")
    assert "instcombine" in report.read_text()
    assert (report.parent / "program.c").read_text() == UNDEFINED


def test_undefined_behaviour_is_no_miscompile(campaign: Campaign) -> None:
    journal = Journal(campaign.output / "journal.jsonl", {})
    campaign.run([FakeCase("undefined", is_defined=False)], journal, jobs=1)
    production = campaign_report.summary(journal)["kinds"]["production"]
    assert production["triage"][Triage.UNDEFINED] == 1
    assert production["triage"][Triage.CONFIRMED] == 0
    assert not (campaign.output / "reports").exists()


def test_what_is_done_is_not_done_again(campaign: Campaign) -> None:
    made: list[str] = []
    cases = [FakeCase(name, made=made) for name in ("one", "slow", "two")]
    campaign.run(cases[:2], Journal(campaign.output / "journal.jsonl", {}), jobs=1)
    campaign.run(cases, Journal(campaign.output / "journal.jsonl", {}), jobs=1)
    assert made == ["one", "slow", "two"]


def test_an_interrupt_keeps_what_is_done(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Program.with_reference

    def interrupted(unit: Unit, workloads: list[Workload]) -> Program:
        if len(list(journal.rows("case"))) >= 1:
            raise KeyboardInterrupt
        return original(unit, workloads)

    monkeypatch.setattr(Program, "with_reference", interrupted)
    journal = Journal(campaign.output / "journal.jsonl", {})
    with pytest.raises(KeyboardInterrupt):
        campaign.run([FakeCase(str(index)) for index in range(9)], journal, jobs=1)
    assert 1 <= len(list(Journal(journal.path, {}).rows("case"))) < 9


def test_sanitizers_tell_undefined_behaviour(tmp_path: Path) -> None:
    (tmp_path / "program.c").write_text(UNDEFINED)
    unit = Unit.of_command(["program.c", "-o", "program"], tmp_path)
    program = Program.with_reference(unit, [Workload("./program", timeout_s=20)])
    fine, how = CsmithCase(0, TOOLCHAIN).check_defined(tmp_path, program)
    assert not fine
    assert "signed integer overflow" in how
    (tmp_path / "program.c").write_text(UNDEFINED.replace("a + 1 > a", "a - 1 < a"))
    program = Program.with_reference(Unit.of_command(["program.c", "-o", "program"], tmp_path), [Workload("./program")])
    assert CsmithCase(0, TOOLCHAIN).check_defined(tmp_path, program)[0]


@needs_csmith
def test_csmith_programs(tmp_path: Path) -> None:
    arguments = ["bench", "csmith", "--programs", "1", "--plans", "1", "--reduce", "0", "--json"]
    done = CliRunner().invoke(cli, [*arguments, "--output", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["programs"] == 1
    assert sum(row["plans"] for row in found["kinds"].values()) in (0, 2)
    assert all(row["rejected"] == row["not-run"] == 0 for row in found["kinds"].values())


def test_llvm_stress_modules(tmp_path: Path) -> None:
    arguments = ["bench", "llvm-stress", "--modules", "1", "--plans", "1", "--reduce", "0", "--json"]
    done = CliRunner().invoke(cli, [*arguments, "--output", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["programs"] == 1


STRESS_LINES = [
    ("  %A = alloca i1, align 1", ["alloca [4096 x i8], align 256", "memset"]),
    ("  %B = udiv i64 %4, %5", ["and i64 %5, -1", "or i64 %B.part, 1", "udiv i64 %4, %B.divisor"]),
    ("  %B = srem <4 x i8> %a, zeroinitializer", ["splat (i8 127)", "splat (i8 1)", "srem <4 x i8> %a, %B.divisor"]),
    ("  %B = sdiv i1 %a, %b", ["xor i1 %a, %b"]),
    ("  %B = shl <2 x i64> %a, %b", ["splat (i64 63)", "shl <2 x i64> %a, %B.amount"]),
    ("  %B = lshr i1 %a, %b", ["and i1 %b, false"]),
    ("  %E = extractelement <8 x i32> %v, i32 394359", ["extractelement <8 x i32> %v, i32 7"]),
    ("  %E = extractelement <8 x i32> %v, i32 %i", ["urem i32 %i, 8", "i32 %E.index"]),
    ("  %I = insertelement <2 x i64> %v, i64 %e, i32 %i", ["urem i32 %i, 2", "i64 %e, i32 %I.index"]),
    ("  %F = fadd float %a, %b", ["%F.any = fadd", "fcmp uno float", "select i1 %F.nan, float 0x7FF8"]),
    ("  %F = fptosi <4 x double> %a to <4 x i16>", ["call <4 x i16> @llvm.fptosi.sat.v4i16.v4f64(<4 x double> %a)"]),
    ("  %L = load <8 x i1>, ptr %p, align 1", ["load i8, ptr %p", "bitcast i8 %L.bytes to <8 x i1>"]),
    ("  %L = load i1, ptr %p, align 1", ["trunc i8 %L.bytes to i1"]),
    ("  store <4 x i1> %v, ptr %p, align 1", ["bitcast <4 x i1> %v to i4", "zext i4", "store i8"]),
    ("  %C = icmp ult ptr %p, %q", ["icmp eq i1 true, true"]),
    ("  br i1 %c, label %CF1, label %CF2", ["load i32, ptr %turns", "label %CF1, label %CF2"]),
    ("  %S = shufflevector <1 x i32> %a, <1 x i32> %b, <1 x i32> poison", ["<1 x i32> zeroinitializer"]),
]


@pytest.mark.parametrize(("line", "pieces"), STRESS_LINES)
def test_each_source_of_undefined_behaviour_is_rewritten(line: str, pieces: list[str]) -> None:
    text = defined(f"define void @f(ptr %p) {{\nBB:\n{line}\n}}\n")
    at = 0
    for piece in pieces:
        at = text.index(piece, at)


@pytest.mark.parametrize("line", ["  %X = call i32 @g()", "  %X = va_arg ptr %p, i32", "  fence acquire"])
def test_what_no_rule_is_known_for_is_refused(line: str) -> None:
    with pytest.raises(NotEstablished):
        defined(f"define void @f(ptr %p) {{\nBB:\n{line}\n}}\n")


def test_rewritten_modules_are_valid_and_most_of_them_matters(tmp_path: Path) -> None:
    for seed in range(4):
        command = [TOOLCHAIN.tool("llvm-stress"), f"--seed={seed}", "--size=200", "-o", "-"]
        drawn = subprocess.run(command, capture_output=True, check=True, text=True).stdout
        module = defined(drawn, seed)
        assert module == defined(drawn, seed)
        optimised = [TOOLCHAIN.tool("opt"), "-passes=verify,default<O2>", "-S", "-"]
        left = subprocess.run(optimised, input=module, capture_output=True, check=True, text=True).stdout
        # Of the module as llvm-stress draws it hardly ten are left.
        assert sum(line.startswith("  ") for line in left.splitlines()) > 60


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("  %B = udiv i64 %4, %4", "i64"),
        ("  %E = extractelement <8 x i32> zeroinitializer, i32 1", "i32"),
        ("  %I = insertelement <1 x i64> zeroinitializer, i64 %4, i32 0", "<1 x i64>"),
        ("  %S = shufflevector <8 x i64> %a, <8 x i64> %b, <4 x i32> <i32 8, i32 1, i32 2, i32 3>", "<4 x i64>"),
        ("  %Sl = select i1 true, <4 x i32> %a, <4 x i32> %b", "<4 x i32>"),
        ("  %Sl = select i1 true, ptr %a, ptr %b", None),
        ("  %C = icmp slt <1 x i64> %a, %b", None),
        ("  %C = fcmp uno double %a, %b", "i1"),
        ("  %F = sitofp i1 true to double", "double"),
        ("  %P = bitcast ptr %1 to ptr", None),
        ("  %L = load <16 x i8>, ptr %0, align 16", "<16 x i8>"),
        ("  store i8 1, ptr %0, align 1", None),
    ],
)
def test_types_of_results(line: str, kind: str | None) -> None:
    assert result_type(line) == kind
