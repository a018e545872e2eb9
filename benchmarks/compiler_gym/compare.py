"""Compares our features with the old CompilerGym's on the same bitcode; exits 1 if a difference is not explained.

    .venv/bin/python benchmarks/compiler_gym/compare.py [--json]

C programs are compiled by clang 13, with and without markers of lifetimes, and taken through random passes of LLVM 10.
Both sides read the same files. Needs `make setup compiler-gym`; takes about five minutes.
"""

import argparse
import json
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path

from compiler_agent.base.errors import EngineError
from compiler_agent.base.process import check, run
from compiler_agent.llvm.features import AUTOPHASE_NAMES, INST_COUNT_NAMES
from compiler_agent.llvm.library import Library, Module
from compiler_agent.llvm.program_graph import Flow, NodeType, program_graph

ROOT = Path(__file__).parents[2]
GYM = ROOT / "build" / "compiler-gym" / "bin" / "python"
OBSERVE = Path(__file__).with_name("observe.py")
KERNELS = ROOT / "benchmarks" / "kernels"
CSMITH_SEEDS = range(1, 9)
N_ACTIONS = 20
CLANG = ("clang-13", "-O1", "-Xclang", "-disable-llvm-passes", "-w", f"-I{KERNELS}", "-I/usr/include/csmith")
VARIANTS = {"with markers": (), "without markers": ("-Xclang", "-disable-lifetime-markers")}

# What LLVM 22 does with bitcode of LLVM 10: what gives it away in LLVM 13's text, and the entries that it moves.
_INSTRUCTIONS = ("InstCount TotalInsts", "Autophase TotalInsts", "Autophase BlockLow", "Autophase BlockMid")
_GRAPH = ("Programl variables", "Programl control edges")
CAUSES = {
    "lifetime markers": (
        r"call void @llvm\.lifetime\.",
        {
            *("InstCount TotalFuncs", "Autophase TotalFuncs", "Autophase const64Bit", "Autophase numConstOnes"),
            *("InstCount Call", "Autophase NumCallInst", "Autophase TotalMemInst", *_INSTRUCTIONS, *_GRAPH),
        },
    ),
    "constant expressions": (
        r"[ (](icmp|zext) (?:\w+ )?\(",
        {
            *("InstCount ICmp", "Autophase NumICmpInst", "InstCount ZExt", "Autophase NumZExtInst"),
            *("Autophase testUnary", *_INSTRUCTIONS, *_GRAPH),
        },
    ),
}
_SIZE = re.compile(r"call void @llvm\.lifetime\.\w+\.p0i8\(i64 ")


def compile_programs(directory: Path) -> list[Path]:
    """Bitcode of each program that clang 13 accepts, in each variant."""
    directory.mkdir()
    for seed in CSMITH_SEEDS:
        check(["csmith", "--seed", str(seed), "--output", f"csmith-{seed}.c"], cwd=directory, timeout_s=60)
    made = []
    for variant, flags in VARIANTS.items():
        for source in sorted([*KERNELS.glob("*.c"), *directory.glob("*.c")]):
            bitcode = directory / f"{source.stem}.{variant.split()[0]}.bc"
            command = [*CLANG, *flags, "-c", "-emit-llvm", source, "-o", bitcode]
            if run(command, timeout_s=60).status == 0:  # some use builtins of later compilers
                made.append(bitcode)
    return made


def differences(record: dict, library: Library) -> dict[str, int]:
    """Ours minus theirs, by entry, where it is not 0."""
    module = library.parse(Path(record["file"]).read_bytes(), record["file"])
    found = {}
    for vector, names, ours in (
        ("InstCount", INST_COUNT_NAMES, module.inst_count()),
        ("Autophase", AUTOPHASE_NAMES, module.autophase()),
    ):
        for name, our, their in zip(names, ours.tolist(), record[vector], strict=True):
            if our != their:
                found[f"{vector} {name}"] = our - their
    found |= graph_differences(record, module)
    if module.n_instructions() - record["IrInstructionCount"] != found.get("InstCount TotalInsts", 0):
        found["IrInstructionCount"] = module.n_instructions() - record["IrInstructionCount"]
    return found


def graph_differences(record: dict, module: Module) -> dict[str, int]:
    """Ours minus theirs, of what does not depend on constants: those of typed pointers are other ones.

    Their graph has one edge at most between two nodes, so each pair that is connected is counted once.
    """
    try:
        graph = program_graph(module.json())
    except EngineError:  # a pass of LLVM 10 took the names away
        return {}
    n_variables = sum(kind == NodeType.VARIABLE for _, kind in graph.nodes(data="type"))
    n_connected = len({(source, target) for source, target, flow in graph.edges(data="flow") if flow == Flow.CONTROL})
    n_ours = (n_variables, n_connected)
    n_theirs = (record["nodes"].get(str(int(NodeType.VARIABLE)), 0), record["edges"].get(str(int(Flow.CONTROL)), 0))
    return {entry: our - their for entry, our, their in zip(_GRAPH, n_ours, n_theirs, strict=True) if our != their}


def explain(found: dict[str, int], text: str) -> dict[str, str]:
    """The cause of each difference, or "" where there is none for it in the module's text."""
    present = {cause: entries for cause, (pattern, entries) in CAUSES.items() if re.search(pattern, text)}
    causes = {entry: " and ".join(c for c, entries in present.items() if entry in entries) for entry in found}
    if found.get("Autophase const64Bit", 0) != -len(_SIZE.findall(text)):
        causes["Autophase const64Bit"] = ""  # each marker loses its size, and nothing else does
    return causes


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")
    as_json = parser.parse_args().json
    library, n_files, explained, unexplained = Library(), Counter(), Counter(), []
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        files = compile_programs(directory / "programs")
        command = [GYM, OBSERVE, "--actions", str(N_ACTIONS), "--save", directory, *files]
        for record in json.loads(check(command, timeout_s=1800).stdout):
            file = Path(record["file"])
            text = check(["llvm-dis-13", file, "-o", "-"], timeout_s=60).stdout.decode()
            state = "after random passes" if "passes" in file.name else "as compiled"
            group = f"{file.name.split('.')[1]} markers, {state}"
            found = differences(record, library)
            n_files[group] += 1
            n_files[f"{group}: all entries equal"] += not found
            for entry, cause in explain(found, text).items():
                explained[f"{entry}: {cause}"] += bool(cause)
                if not cause:
                    unexplained.append(f"{file.name}: {entry}: {found.get(entry, 0):+d}")
    outcome = {
        "files": dict(sorted(n_files.items())),
        "explained": dict(sorted(explained.items())),
        "unexplained": unexplained,
    }
    if as_json:
        print(json.dumps(outcome))
    else:
        for heading, lines in outcome.items():
            print(heading, *(lines.items() if isinstance(lines, dict) else lines), sep="\n  ")
    return 1 if unexplained or not n_files else 0


sys.exit(main())
