"""What a serving clang says a module is made of, counted by hand and against what LLVM prints."""

import re
import subprocess
from pathlib import Path

import pytest

from compiler_agent.llvm.engine import Engine
from compiler_agent.llvm.toolchain import Toolchain

# Instructions, blocks, functions; then LLVM 10's opcodes from 1: Ret is 3, Freeze is 69.
PLACES = {"ret": 3, "br": 4, "switch": 5, "unreachable": 9, "fneg": 14, "add": 15, "mul": 19, "alloca": 33, "load": 34,
          "store": 35, "getelementptr": 36, "trunc": 40, "ptrtoint": 49, "inttoptr": 50, "bitcast": 51, "icmp": 55,
          "phi": 57, "call": 58, "select": 59, "extractvalue": 66, "freeze": 69}  # fmt: skip

MODULE = """
target triple = "x86_64-pc-linux-gnu"
declare void @outside()
define i32 @f(ptr %p, i32 %x) {
entry:
  %local = alloca i32
  store i32 %x, ptr %local
  %value = load i32, ptr %local
  switch i32 %value, label %other [ i32 1, label %one ]
one:
  call void @outside()
  br label %other
other:
  %merged = phi i32 [ %value, %entry ], [ 7, %one ]
  %number = ptrtoint ptr %p to i64
  %address = ptrtoaddr ptr %p to i64
  %sum = add i64 %number, %address
  %back = inttoptr i64 %sum to ptr
  %small = trunc i64 %sum to i32
  %frozen = freeze i32 %small
  %total = add i32 %frozen, %merged
  store i32 %total, ptr %back
  ret i32 %total
}
"""
SOURCE = """
struct S { int a; double b; };
int f(struct S *s, int n) {
  double t = 0;
  for (int i = 0; i < n; i++)
    t += s[i].a > 3 ? -s[i].b : s[i].b * 2;
  switch (n) {
  case 1: return 4;
  case 9: __builtin_trap();
  }
  return (int)t;
}
"""


def serve(toolchain: Toolchain, directory: Path, source: str) -> Engine:
    return Engine([str(toolchain.clang), "-Oz", "-c", "-o", "-", source], directory)


def test_counts_by_hand(toolchain: Toolchain, tmp_path: Path) -> None:
    (tmp_path / "m.ll").write_text(MODULE)
    with serve(toolchain, tmp_path, "m.ll") as engine:
        features = engine.features
    expected = [0] * 70
    expected[:3] = [16, 3, 2]
    for word, count in {"alloca": 1, "store": 2, "load": 1, "switch": 1, "call": 1, "br": 1, "phi": 1, "ptrtoint": 2,
                        "add": 2, "inttoptr": 1, "trunc": 1, "freeze": 1, "ret": 1}.items():  # fmt: skip
        expected[PLACES[word]] = count
    assert list(features) == expected


@pytest.mark.parametrize("source", ["unit.c", "unit.cpp"])
def test_counts_of_real_code_are_those_of_the_printed_module(toolchain: Toolchain, tmp_path: Path, source: str) -> None:
    (tmp_path / source).write_text(SOURCE)
    command = [toolchain.clang, "-Oz", "-Xclang", "-disable-llvm-passes", "-S", "-emit-llvm", "-o", "-", source]
    text = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    words = re.findall(r"^  (?:%[\w.]+ = )?(?:tail )?([a-z]+)", text, re.MULTILINE)
    with serve(toolchain, tmp_path, source) as engine:
        features = engine.features
    assert features[0] == sum(features[3:]) == engine.ir_instructions == len(words)
    for word, place in PLACES.items():
        assert features[place] == words.count(word), word
