"""The validator on pairs of functions, right and wrong: the known miscompiles, and one by one for each kind."""

import json
from pathlib import Path

import pytest

from compiler_agent.evaluation.validate import Outcome, validate_modules
from compiler_agent.evaluation.validate.modules import validate_pair
from compiler_agent.llvm.library import Library

CORPUS = Path(__file__).parents[3] / "llvm_ir_corpus" / "miscompiles"
PAIRS = json.loads((CORPUS / "manifest.json").read_text())["pairs"]
# What is right, or wrong, and cannot be shown: each is a gap that is known.
OPEN = {
    "double-by-addition",
    "float-reassociated",
    "forward-past-noalias",
    "fused",
    "loop-bound-signed",
    "loop-closed-form",
    "loop-closed-form-narrow",
    "undef-doubled",
}


@pytest.fixture(scope="module")
def library() -> Library:
    return Library()


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair["name"])
def test_known_miscompile(pair: dict[str, str], library: Library) -> None:
    text = (CORPUS / pair["file"]).read_text()
    verdict = validate_pair(text, "src", "tgt", seconds=2 if pair["name"] in OPEN else 200, library=library)
    expected = Outcome.PROVED if pair["truth"] == "right" else Outcome.REFUTED
    if pair["name"] in OPEN:
        assert verdict.outcome in (expected, Outcome.NOT_ESTABLISHED), verdict
    else:
        assert verdict.outcome is expected, verdict
        if "observable" in pair and verdict.observable is not None:
            assert verdict.observable == pair["observable"], verdict


LAYOUT = 'target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"\n'


def test_modules_in_processes(library: Library) -> None:
    before = LAYOUT + "define i32 @f(i32 noundef %x) {\n %s = mul i32 %x, 8\n ret i32 %s\n}\n"
    after = LAYOUT + "define i32 @f(i32 noundef %x) {\n %s = shl i32 %x, 3\n ret i32 %s\n}\n"
    wrong = LAYOUT + "define i32 @f(i32 noundef %x) {\n %s = shl i32 %x, 4\n ret i32 %s\n}\n"
    assert validate_modules(before, after, library=library)[0].outcome is Outcome.PROVED
    (verdict,) = validate_modules(before, wrong, library=library)
    assert verdict.outcome is Outcome.REFUTED
    number = int(dict(verdict.counterexample)["argument 0"])
    assert (number * 8) % 2**32 != (number * 16) % 2**32


def test_a_local_callee_is_answered_for(library: Library) -> None:
    """A proof of the caller stands only while the local function that both call stands."""

    def module(body: str) -> str:
        return LAYOUT + (
            "define i32 @f(i32 noundef %x) {\n %r = call i32 @g(i32 noundef %x)\n %s = add i32 %r, 0\n ret i32 %s\n}\n"
            "define internal i32 @g(i32 noundef %x) noinline {\n " + body + "\n ret i32 %r\n}\n"
        )

    before = module("%r = add i32 %x, %x")
    right = module("%r = shl i32 %x, 1").replace("%s = add i32 %r, 0\n ret i32 %s", "ret i32 %r")
    wrong = module("%r = shl i32 %x, 2").replace("%s = add i32 %r, 0\n ret i32 %s", "ret i32 %r")
    (verdict,) = validate_modules(before, right, library=library)
    assert (verdict.outcome, verdict.assumes) == (Outcome.PROVED, ("g",))
    (verdict,) = validate_modules(before, wrong, library=library)
    assert verdict.outcome is Outcome.NOT_ESTABLISHED
    assert "calls g" in verdict.reason


def test_a_checker_out_of_memory_is_not_established(library: Library) -> None:
    before = LAYOUT + "define i32 @f(i32 noundef %x) {\n %s = mul i32 %x, 8\n ret i32 %s\n}\n"
    after = before.replace("mul i32 %x, 8", "shl i32 %x, 3")
    (verdict,) = validate_modules(before, after, memory_bytes=64 << 20, library=library)
    assert verdict.outcome is Outcome.NOT_ESTABLISHED
