"""IR2Vec's embeddings by hand and against LLVM's own tool, and its authors' vocabulary in LLVM's form."""

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from compiler_agent.base.errors import EngineError
from compiler_agent.llvm.ir2vec import convert, main, vocabulary
from compiler_agent.llvm.library import Library
from compiler_agent.llvm.toolchain import discover

MODULE = """
declare void @elsewhere()
define i32 @f(i32 %x) {
  %sum = add i32 %x, 1
  ret i32 %sum
}
define void @g() {
  ret void
}
"""
# In IR2Vec's own form. An instruction is its opcode + 0.5 * its type + 0.2 * each operand.
VOCABULARY = """add:[1, 0],
ret:[0, 1],
integerTy:[10, 0],
voidTy:[0, 10],
variable:[100, 0],
constant:[0, 100],
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "a vocabulary.json"
    path.write_text(convert(VOCABULARY))
    return path


def test_an_embedding_by_hand(small: Path) -> None:
    module = Library().parse(MODULE)
    add = np.array([1 + 5 + 20, 20])
    ret, ret_of_nothing = np.array([20, 1 + 5]), np.array([0, 1 + 5])
    for _ in range(2):  # read, and known
        np.testing.assert_allclose(module.embedding(small), add + ret + ret_of_nothing, rtol=1e-6)
    assert not Library().parse("declare void @f()").embedding(small).any()


def test_an_embedding_is_the_sum_of_what_llvms_tool_prints(small: Path, tmp_path: Path) -> None:
    (tmp_path / "m.ll").write_text(MODULE)
    tool = discover().clang.resolve().with_name("llvm-ir2vec")
    command = [tool, "embeddings", "--level=func", f"--ir2vec-vocab-path={small}", "m.ll"]
    printed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    vectors = [np.array(text.split(), float) for text in re.findall(r"\[(.*?)\]", printed)]
    assert len(vectors) == 2
    np.testing.assert_allclose(Library().parse(MODULE).embedding(small), sum(vectors), atol=0.02)


def test_what_is_no_vocabulary_is_refused_and_the_module_stays_usable(tmp_path: Path, small: Path) -> None:
    module = Library().parse(MODULE)
    (tmp_path / "bad.json").write_text("{}")
    for name in ("missing.json", "bad.json"):
        with pytest.raises(EngineError, match=name):
            module.embedding(tmp_path / name)
    assert module.embedding(small).shape == (2,)


def test_conversion_keeps_what_llvm_names() -> None:
    converted = json.loads(convert("getelementptr:[1],\nphi:[2],\npointerTy:[3],\nfunction:[4],\nnonsense:[5],\n"))
    assert converted == {
        "Opcodes": {"GetElementPtr": [1], "PHI": [2]},
        "Types": {"PointerTy": [3]},
        "Arguments": {"Function": [4]},
    }


def test_another_wheel_is_refused_and_a_missing_vocabulary_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wheel").write_bytes(b"")
    with pytest.raises(EngineError, match="not the file that was reviewed"):
        main(str(tmp_path / "wheel"), str(tmp_path / "vocabulary.json"))
    monkeypatch.setenv("CC_AGENT_NATIVE", str(tmp_path))
    with pytest.raises(EngineError) as raised:
        vocabulary()
    assert "make ir2vec" in str(raised.value.hint)
