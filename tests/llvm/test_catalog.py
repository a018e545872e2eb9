"""The catalog against the LLVM that is installed: what it says can be run, can be run."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from compiler_agent.base.errors import FileError, PlanError
from compiler_agent.llvm import pipeline_edit as edit
from compiler_agent.llvm.catalog import Catalog, load
from compiler_agent.llvm.catalog_entries import Provenance
from compiler_agent.llvm.pipeline import Adaptor, Level, Pass, Pipeline, parse, walk
from compiler_agent.llvm.plan import Plan

SEED_PLANS = Path(__file__).parents[2] / "passes" / "pipelines" / "size.txt"

CORPUS = Path(__file__).parents[2] / "llvm_ir_corpus" / "pipelines"
SCRIPTS = Path(__file__).parents[2] / "passes" / "catalog"
SOURCE = """
#include <string.h>
struct pair { int a, b; };
static int table[64];
static int (*const handlers[2])(const char *);
static int fold(struct pair p, int n) { return n <= 0 ? p.a : fold((struct pair){p.b, p.a + n}, n - 1); }
int kind(int c) {
  switch (c) { case 1: return 7; case 2: return 3; case 3: return 9; case 5: return 1; case 8: return 4; }
  return 0;
}
int sum(const int *restrict p, int n, int *restrict q) {
  int s = 0;
  for (int i = 0; i < n; i++) { if (*q > 3) s += p[i] * 3; else s -= p[i] / 5; table[i & 63] = s; }
  return s + p[0] % 7 + p[0] / 7;
}
void grid(float (*a)[32], float (*b)[32]) {
  for (int i = 0; i < 32; i++) for (int j = 0; j < 32; j++) a[j][i] = b[i][j] * 2.0f + a[j][i];
}
int same(const struct pair *x, const struct pair *y) { return x->a == y->a && x->b == y->b; }
int bytes(const char *s) { char t[16]; memcpy(t, s, 16); return memcmp(t, "0123456789abcde", 16) == 0 ? strlen(s) : 0; }
int all(const char *s, int n) { return fold((struct pair){kind(s[0]), n}, n) + bytes(s) + sum(table, n, table + 3); }
"""


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load()


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unoptimized bitcode with loops, calls, switches, aggregates and memory functions."""
    directory = tmp_path_factory.mktemp("catalog")
    source, target = directory / "module.c", directory / "module.bc"
    source.write_text(SOURCE)
    command = ["clang-22", "-Oz", "-w", "-Xclang", "-disable-llvm-passes", "-emit-llvm", "-c", str(source)]
    subprocess.run([*command, "-o", str(target)], check=True)
    return target


def opt(pipeline: str, module: Path, *options: str) -> str:
    """Empty if opt runs the pipeline and the module verifies after each pass, else what it says."""
    command = ["opt-22", f"-passes={pipeline}", "-verify-each", "-disable-output", *options, str(module)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return "" if done.returncode == 0 else f"{pipeline}: {done.stderr[:300]}"


def test_every_pass_runs_in_every_form_at_every_level(catalog: Catalog, module: Path) -> None:
    faults = []
    for entry in catalog.passes(allow_experimental=True):
        for form in range(len(entry.forms)):
            at = entry.levels[form % len(entry.levels)]
            node = edit.nest(entry.node(form), at, Level.MODULE)
            # After some cleaning up, so that loops and values are in the shape that the passes expect.
            faults.append(opt(f"function(sroa,simplifycfg,loop-mssa(loop-rotate)),{node}", module))
    assert not list(filter(None, faults))


def test_every_parameter_is_taken(catalog: Catalog, module: Path) -> None:
    faults = []
    for entry in catalog.passes(allow_experimental=True):
        for round_ in range(max((len(p.spellings) for p in entry.parameters), default=0)):
            pipeline = Pipeline((entry.node(),))
            for parameter in entry.parameters:
                if round_ < len(parameter.spellings):
                    pipeline = edit.set_parameter(pipeline, (0,), parameter.spellings[round_], parameter.spellings)
            wrapped = Pipeline((edit.nest(pipeline.nodes[0], entry.levels[0], Level.MODULE),))
            catalog.check(Plan(wrapped))
            faults.append(opt(str(wrapped), module))
    assert not list(filter(None, faults))


def test_clang_takes_every_value_of_every_option(catalog: Catalog) -> None:
    """The first value of each option in one run, the second in the next, and so on."""
    options = list(catalog.all_options.values())
    assert len(options) > 60
    for round_ in range(max(len(option.values) for option in options)):
        command = ["clang-22", "-fsyntax-only", "-x", "c", "/dev/null"]
        for option in options:
            if round_ < len(option.values):
                assert option.accepts(option.values[round_]), option
                command += ["-mllvm", f"-{option.name}={option.values[round_]}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["default-O0", "default-O1", "default-O2", "default-O3", "default-Os", "default-Oz"])
def test_stock_pipelines_are_production(catalog: Catalog, name: str) -> None:
    plan = Plan(parse((CORPUS / f"{name}.txt").read_text().strip()))
    catalog.check(plan)
    assert catalog.provenance_of(plan).provenance is Provenance.PRODUCTION
    assert catalog.provenance_of(plan).names == ()


@pytest.mark.parametrize("seed", range(24))
def test_an_edited_stock_pipeline_is_still_one_that_opt_runs(catalog: Catalog, module: Path, seed: int) -> None:
    """What the catalog lets through, LLVM takes."""
    chance = random.Random(seed)
    pipeline = parse((CORPUS / f"default-{chance.choice(['O2', 'O3', 'Oz'])}.txt").read_text().strip())
    for _ in range(8):
        pipeline = one_edit(pipeline, catalog, chance)
    pipeline = edit.normalise(pipeline)
    catalog.check(Plan(pipeline))
    assert parse(str(pipeline)) == pipeline
    assert opt(str(pipeline), module) == ""


def one_edit(pipeline: Pipeline, catalog: Catalog, chance: random.Random) -> Pipeline:
    found = list(walk(pipeline))
    path, node, level = chance.choice(found)
    entry = catalog.all_passes.get(node.name) if isinstance(node, Pass) else None
    match chance.choice(["insert", "delete", "swap", "parameter"]):
        case "insert":
            new = chance.choice(catalog.passes())
            nested = new.nested(level, chance.randrange(len(new.forms)))
            return edit.insert(pipeline, path, nested) if nested else pipeline
        case "delete" if entry and not entry.keep:
            return edit.delete(pipeline, path)
        case "swap" if entry:
            others = [p for p, n, at in found if at is level and isinstance(n, Pass)]
            return edit.swap(pipeline, path, chance.choice(others))
        case "parameter" if entry and entry.parameters:
            parameter = chance.choice(entry.parameters)
            return edit.set_parameter(pipeline, path, chance.choice(parameter.spellings), parameter.spellings)
    return pipeline


@pytest.mark.parametrize(
    "text",
    [
        "sroa,globalopt",
        "function(inline)",
        "function(globalopt)",
        "function(cgscc(inline))",
        "cgscc(loop(loop-rotate))",
        "globalopt,loop(loop-rotate)",
        "globalopt,devirt<3>(inline)",
        "function(loop(loop-mssa(licm)))",
        "function(licm)",
        "globalopt,licm",
        "loop(sroa)",
        "function()",
        "function(sroa<prserve-cfg>)",
        "gvn<x>",
        "sroo",
        "function(require<globals-aa>)",
        "repeat<2>(globalopt)",
        "instcombine<max-iterations=x>",
        "function(default<O2>)",
    ],
)
def test_what_the_catalog_refuses_opt_refuses_too(catalog: Catalog, module: Path, text: str) -> None:
    with pytest.raises(PlanError):
        catalog.check(Plan(parse(text)))
    assert opt(text, module) != ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "default<O2>",
        "default<Oz>,globaldce",
        "sroa,gvn",
        "licm",
        "loop-rotate,indvars",
        "globalopt,sroa,loop-rotate,inline",
        "cgscc(sroa,loop-rotate,devirt<2>(inline))",
        "devirt<2>(inline),function(sroa)",
        "function(loop-mssa(loop(licm)))",
        "function(function-simplification<Oz>)",
        "require<globals-aa>,function(invalidate<all>,require<domtree>)",
        "module(globalopt,module(globaldce))",
    ],
)
def test_what_the_catalog_lets_through_opt_takes(catalog: Catalog, module: Path, text: str) -> None:
    catalog.check(Plan(parse(text)))
    assert opt(text, module) == ""


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("-passes=function(sroo)", ["unknown pass 'sroo' at place 1.1; did you mean sroa?"]),
        ("-passes=gvn<no-prey>", ["'gvn' has no parameter 'no-prey'; did you mean no-pre"]),
        ("-passes=asan", ["'asan' at place 1 may not be used: instrumentation"]),
        ("-passes=instcombine<verify-fixpoint>", ["parameter 'verify-fixpoint' of 'instcombine' may not be used"]),
        ("-passes=dce -disable-lsx=true", ["unknown option -disable-lsx; did you mean disable-lsr"]),
        ("-passes=dce -disable-lsr=1", ["option -disable-lsr cannot be '1': it is a bool"]),
        ("-passes=dce -enable-machine-outliner=allways", ["it is one of always", "did you mean always?"]),
        ("-passes=a,b -c=1", ["unknown pass 'a'", "unknown pass 'b'", "unknown option -c"]),
    ],
)
def test_a_fault_is_named_with_what_was_meant(catalog: Catalog, text: str, sentences: list[str]) -> None:
    with pytest.raises(PlanError) as caught:
        catalog.check(Plan.parse(text))
    for sentence in sentences:
        assert sentence in caught.value.message


def test_what_makes_a_plan_experimental_is_named(catalog: Catalog) -> None:
    plan = Plan.parse("-passes=default<O2>,function(newgvn,gvn),attributor -regalloc=basic -disable-lsr=true")
    found = catalog.provenance_of(plan)
    assert found.provenance is Provenance.EXPERIMENTAL
    assert found.names == ("-regalloc", "attributor", "newgvn")


@pytest.mark.parametrize("name", ["newgvn", "attributor", "gvn-hoist", "gvn-sink", "loop-flatten"])
def test_passes_known_to_be_broken_are_not_in_the_default_space(catalog: Catalog, name: str) -> None:
    assert name not in {entry.name for entry in catalog.passes()}
    assert name in {entry.name for entry in catalog.passes(allow_experimental=True)}


def test_option_values_known_to_miscompile_are_in_no_space(catalog: Catalog) -> None:
    values = {option.name: option.values for option in catalog.options(allow_experimental=True)}
    assert "source" in values["pre-RA-sched"]
    assert "linearize" not in values["pre-RA-sched"]  # breaks lz4.c, see options.toml
    plan = Plan.parse("-passes=default<O2> -pre-RA-sched=linearize")
    assert catalog.provenance_of(plan).names == ("-pre-RA-sched=linearize",)
    assert catalog.provenance_of(plan).provenance is Provenance.EXPERIMENTAL
    for value in ("default", "source", "fast"):
        known = Plan.parse(f"-passes=default<O2> -pre-RA-sched={value}")
        assert catalog.provenance_of(known).provenance is Provenance.PRODUCTION
    assert not [line for line in SEED_PLANS.read_text().splitlines() if "=linearize" in line]


def test_the_default_space_holds_only_what_may_be_kept(catalog: Catalog) -> None:
    assert all(p.provenance is Provenance.PRODUCTION and p.because and p.description for p in catalog.passes())
    assert all(o.provenance is Provenance.PRODUCTION for o in catalog.options())
    assert all(set(o.search) <= set(o.values) for o in catalog.all_options.values())
    needed = {option.needs for option in catalog.all_options.values() if option.needs}
    assert all(name in catalog.all_options and catalog.all_options[name].accepts(value) for name, value in needed)
    assert "mergefunc" in {entry.name for entry in catalog.passes()}


@pytest.mark.parametrize("name", ["licm", "lnicm"])
def test_what_needs_memory_ssa_gets_it(catalog: Catalog, name: str) -> None:
    entry = catalog.all_passes[name]
    assert str(entry.nested(Level.FUNCTION)).startswith("loop-mssa(")
    assert entry.nested(Level.LOOP) is None


def test_what_breaks_memory_ssa_stays_out(catalog: Catalog) -> None:
    assert catalog.all_passes["loop-unroll-full"].nested(Level.LOOP_MSSA) is None
    nested = catalog.all_passes["loop-unroll-full"].nested(Level.CGSCC)
    assert nested == Adaptor("function", (Adaptor("loop", (Pass("loop-unroll-full"),)),))


def test_a_file_that_is_no_catalog(tmp_path: Path) -> None:
    for name, text in (
        ("broken", "= ="),
        ("other", 'format = "x"'),
        ("newer", 'format = "cc-agent-catalog"\nversion = 2'),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(FileError):
            load(tmp_path / name)
    with pytest.raises(FileError, match="cannot read the catalog"):
        load(tmp_path / "absent")


def test_the_files_are_what_the_installed_tools_say() -> None:
    """Skipped for another patch release: descriptions may differ there."""
    version = subprocess.run(["opt-22", "--version"], capture_output=True, text=True, check=True).stdout
    if load().llvm not in version:
        pytest.skip(f"the catalog is of LLVM {load().llvm}")
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / "generate.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_screening_counts_executable_sections(module: Path, tmp_path: Path) -> None:
    raw, table = tmp_path / "raw.jsonl", tmp_path / "table.tsv"
    options = tmp_path / "options.toml"
    options.write_text(
        "[middle-end.production]\ninline-threshold = [500, -200]\n[back-end.production]\nalign-all-functions = [6]\n"
    )
    command = [sys.executable, str(SCRIPTS / "screen.py"), "--options", str(options), "--raw", str(raw)]
    subprocess.run([*command, "--output", str(table), str(module)], check=True, capture_output=True)
    measured = {row["trial"]: row for row in map(json.loads, raw.read_text().splitlines())}
    plain = tmp_path / "plain.o"
    subprocess.run(["clang-22", "-Oz", "-w", "-c", str(module), "-o", str(plain)], check=True)
    sizes = subprocess.run(["llvm-size-22", "-A", str(plain)], capture_output=True, text=True, check=True).stdout
    text = sum(int(line.split()[1]) for line in sizes.splitlines() if line.startswith(".text"))
    assert {row["base"] for row in measured.values()} == {text}
    assert measured["align-all-functions=6"]["size"] > text
    header, *rows = [line.split("\t") for line in table.read_text().splitlines()]
    assert [row[header.index("option")] for row in rows][-1] == "align-all-functions"
    assert rows[-1][header.index("losses")] == "1"
