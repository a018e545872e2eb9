"""The corpus of known miscompiles itself: its manifest is complete, and what can be run behaves as it says."""

import itertools
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from compiler_agent.evaluation import libraries
from compiler_agent.llvm.plan import Plan
from compiler_agent.llvm.toolchain import Toolchain, discover

CORPUS = Path(__file__).parents[1] / "llvm_ir_corpus" / "miscompiles"
MANIFEST = json.loads((CORPUS / "manifest.json").read_text())
PAIRS = MANIFEST["pairs"]
TYPES = {
    "i1": "bool",
    "i8": "uint8",
    "i16": "uint16",
    "i32": "uint32",
    "i64": "uint64",
    "float": "float",
    "double": "double",
}
BOUNDARIES = (0, 1, 2, 3, 17, 47, 57, 127, 128, 255, 65536, 2**31 - 1, 2**31, 2**32 - 1)
FLOATS = (0.0, -0.0, 1.0, -1.5, 1e20, -1e20, 1.0000001, 3.3, float("nan"), float("inf"))
# Runs a function on many arguments; a process of its own, because wrong code may crash.
RUNNER = """
import ctypes, json, struct, sys
library, result, arguments, cases = json.loads(sys.stdin.read())
ctype = {"bool": ctypes.c_bool, "float": ctypes.c_float, "double": ctypes.c_double}
for text in (result, *arguments):
    ctype.setdefault(text, getattr(ctypes, "c_" + text, None))
for name in ("src", "tgt"):
    print("--", flush=True)
    function = getattr(ctypes.CDLL(library), name)
    function.restype, function.argtypes = ctype[result], [ctype[text] for text in arguments]
    for case in cases:
        got = function(*case)
        print(struct.pack("<d", got).hex() if isinstance(got, float) and got == got else str(got), flush=True)
"""


def signature(text: str) -> tuple[str, list[str]] | None:
    """Result and argument types, if a call needs numbers only."""
    found = re.search(r"^define (\w+) @src\(([^)]*)\)", text, re.MULTILINE)
    assert found
    words = [argument.split()[0] for argument in found[2].split(",") if argument.strip()]
    return (TYPES[found[1]], [TYPES[word] for word in words]) if {found[1], *words} <= set(TYPES) else None


def run(library: Path, result: str, arguments: list[str]) -> tuple[str, str]:
    """What src and tgt give for each combination of boundary values; a crash of tgt ends its answers."""
    values = [FLOATS if kind in ("float", "double") else [0, 1] if kind == "bool" else BOUNDARIES for kind in arguments]
    request = json.dumps([str(library), result, arguments, list(itertools.product(*values))])
    done = subprocess.run(
        [sys.executable, "-c", RUNNER], input=request.encode(), capture_output=True, check=False, timeout=60
    )
    before, after = done.stdout.decode().split("--\n")[1:]
    return before, after + ("" if done.returncode == 0 else f"ended by {done.returncode}")


def test_the_manifest_names_each_file() -> None:
    assert MANIFEST["format"] == "cc-agent-miscompiles"
    assert sorted(pair["file"] for pair in PAIRS) == sorted(
        f"pairs/{file.name}" for file in (CORPUS / "pairs").iterdir()
    )
    truths = [pair["truth"] for pair in PAIRS]
    assert set(truths) == {"right", "wrong"}
    assert min(truths.count("right"), truths.count("wrong")) >= 15
    covered = {word for pair in PAIRS for word in pair["covers"]}
    assert covered >= {"poison", "undef", "freeze", "memory", "loops", "float"}
    assert all(pair["why"] and ("observable" in pair) == (pair["truth"] == "wrong") for pair in PAIRS)


def test_each_plan_names_a_pinned_source() -> None:
    known = {library.name: library for library in libraries.load()}
    for plan in MANIFEST["plans"]:
        library = known[plan["library"]]
        assert (plan["package"], plan["version"], plan["file"]) == (library.package, library.version, library.file)
        assert plan["sha256"] == library.sha256
        assert str(Plan.parse(plan["plan"])) == plan["plan"]


@pytest.fixture(scope="module")
def toolchain() -> Toolchain:
    return discover()


@pytest.mark.parametrize(
    "pair", [pair for pair in PAIRS if signature((CORPUS / pair["file"]).read_text())], ids=lambda pair: pair["name"]
)
def test_what_can_be_run_is_as_it_says(pair: dict[str, object], toolchain: Toolchain, tmp_path: Path) -> None:
    file = CORPUS / str(pair["file"])
    kinds = signature(file.read_text())
    assert kinds
    library = tmp_path / "pair.so"
    external = tmp_path / "external.c"  # what a pair may call
    external.write_text("int pure(int x) { return x; }\nvoid effect(int x) { (void)x; }\n")
    command = [toolchain.clang, "-w", "-O0", "-fPIC", "-shared", "-x", "ir", file, "-x", "c", external, "-lm", "-o"]
    subprocess.run([*command, library], check=True, capture_output=True)
    before, after = run(library, *kinds)
    assert before
    if pair["truth"] == "wrong" and pair["observable"]:
        assert before != after
    elif pair["truth"] == "right" and not {"poison", "undef"} & set(pair["covers"]):  # type: ignore[call-overload]
        assert before == after
