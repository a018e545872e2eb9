"""InstCount and Autophase against what was worked out by hand, and their names and forms."""

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from compiler_agent.llvm.engine import Engine
from compiler_agent.llvm.features import (
    AUTOPHASE_NAMES,
    INST_COUNT_NAMES,
    autophase_dict,
    inst_count_dict,
    inst_count_norm,
    inst_count_norm_dict,
)
from compiler_agent.llvm.library import Library
from compiler_agent.llvm.toolchain import discover

CORPUS = Path(__file__).parents[2] / "llvm_ir_corpus" / "features"
MANIFEST = tomllib.loads((CORPUS / "manifest.toml").read_text())
CASES = MANIFEST["cases"]
NOT_IN_VALID_MODULES = {"UserOp1", "UserOp2"}


@pytest.fixture(scope="module")
def library() -> Library:
    return Library()


def nonzero(names: tuple[str, ...], counts: np.ndarray) -> dict[str, int]:
    assert counts.dtype == np.int64
    return {name: int(count) for name, count in zip(names, counts, strict=True) if count}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["file"])
def test_counts_by_hand(library: Library, case: dict) -> None:
    module = library.parse((CORPUS / case["file"]).read_bytes(), case["file"])
    assert nonzero(INST_COUNT_NAMES, module.inst_count()) == case["inst_count"]
    assert nonzero(AUTOPHASE_NAMES, module.autophase()) == case["autophase"]


def test_the_cases_exercise_each_entry_and_tell_it_from_the_others() -> None:
    assert MANIFEST["format"] == "cc-agent-features"
    assert sorted(case["file"] for case in CASES) == sorted(file.name for file in CORPUS.glob("*.ll"))
    assert {name for case in CASES for name in case["inst_count"]} == set(INST_COUNT_NAMES) - NOT_IN_VALID_MODULES
    assert {name for case in CASES for name in case["autophase"]} == set(AUTOPHASE_NAMES)
    columns: dict[tuple[int, ...], list[str]] = {}
    for name in AUTOPHASE_NAMES:
        columns.setdefault(tuple(case["autophase"].get(name, 0) for case in CASES), []).append(name)
    alike = [names for names in columns.values() if len(names) > 1]
    assert alike == [["BranchCount", "NumBrInst"]]  # the same by definition


def test_the_opcodes_are_named_in_llvms_order() -> None:
    header = discover().clang.resolve().parents[1] / "include" / "llvm" / "IR" / "Instruction.def"
    opcodes = re.findall(r"^ *HANDLE_(?:TERM|UNARY|BINARY|MEMORY|CAST|FUNCLETPAD|OTHER|USER)_INST *\( *\d+, *(\w+) *,",
                         header.read_text(), re.MULTILINE)  # fmt: skip
    opcodes.remove("PtrToAddr")  # LLVM 10 has no such thing
    assert ("TotalInsts", "TotalBlocks", "TotalFuncs", *opcodes) == INST_COUNT_NAMES


@pytest.mark.parametrize(("n_instructions", "kind"), [(14, "BlockLow"), (15, "BlockMid"), (500, "BlockMid"), (501, "")])
def test_sizes_of_blocks(library: Library, n_instructions: int, kind: str) -> None:
    lines = [f"%v{n} = add i32 %x, %x" for n in range(n_instructions - 1)]
    text = "define i32 @f(i32 %x) {\n" + "\n".join([*lines, "ret i32 %x"]) + "\n}\n"
    found = nonzero(AUTOPHASE_NAMES, library.parse(text).autophase())
    assert {name for name in found if name.startswith("Block")} == ({kind} if kind else set())


def test_what_the_two_have_in_common_agrees_after_passes(library: Library) -> None:
    for case in CASES:
        if case["file"] == "funclets.ll":  # another target's
            continue
        module = library.parse((CORPUS / case["file"]).read_bytes(), case["file"])
        module.run("-passes=default<O2>")
        counts = inst_count_dict(module.inst_count())
        assert counts["TotalInstsCount"] == module.n_instructions() == sum(module.inst_count()[3:])
        for name, count in autophase_dict(module.autophase()).items():
            same = re.sub(r"^Num(\w+)Inst$", r"\1", name) + "Count"
            assert counts.get(same, count) == count, name


@pytest.mark.parametrize("share", [True, False])
def test_a_serving_clang_counts_before_and_after_a_plan(library: Library, share: bool) -> None:
    file, plans = CORPUS / "edges.ll", ["-passes=function(simplifycfg)", "-passes=function(simplifycfg),globaldce"]
    with Engine([str(discover().clang), "-Oz", "-c", "-o", "-", str(file)], CORPUS) as engine:
        module = library.parse(file.read_bytes())
        assert engine.features == tuple(module.inst_count())
        assert engine.autophase == tuple(module.autophase())
        module.run(plans[0])
        assert tuple(module.autophase()) != engine.autophase
        for plan in plans * 3:  # later ones are answered by a process that waits there, or known already
            measured = engine.measure(plan, features=True, share=share)
            assert measured.inst_count == tuple(module.inst_count())
            assert measured.autophase == tuple(module.autophase())
            assert measured.text_bytes
        assert engine.measure(plans[0], share=share).autophase == ()  # not asked for


def test_an_empty_module_has_no_features(library: Library) -> None:
    module = library.parse("")
    assert not module.inst_count().any()
    assert not module.autophase().any()
    assert not inst_count_norm(module.inst_count()).any()  # nothing is divided by 0


def test_forms() -> None:
    counts = [8, 2, 4, 1, *[0] * 65, 7]
    assert inst_count_dict(counts)["TotalFuncsCount"] == 4
    assert inst_count_dict(counts)["FreezeCount"] == 7
    norm = inst_count_norm(counts)
    assert (norm.dtype, norm.shape) == (np.float32, (69,))
    assert norm[0] == 2 / 8
    densities = inst_count_norm_dict(counts)
    assert len(densities) == 69
    assert (densities["TotalBlocksDensity"], densities["RetDensity"], densities["FreezeDensity"]) == (
        0.25,
        0.125,
        0.875,
    )
    assert autophase_dict(range(56))["testUnary"] == 55
    with pytest.raises(ValueError, match="zip"):
        autophase_dict(range(55))
