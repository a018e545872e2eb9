"""Executable bytes of an object, beside what llvm-size says of the same one."""

import subprocess

import pytest

from compiler_agent.base.errors import EngineError
from compiler_agent.evaluation.library_build import parse_sizes
from compiler_agent.llvm import elf, toolchain

SOURCE = b"int table[100] = {1}; int used(int n) { return n * table[3]; } int other(int n) { return used(n) / 7; }"


@pytest.mark.parametrize("word", ["-m64", "-m32"])
def test_executable_sections_are_counted(tmp_path, word: str) -> None:
    tools = toolchain.discover()
    command = [tools.clang, word, "-O2", "-ffunction-sections", "-c", "-x", "c", "-", "-o", tmp_path / "unit.o"]
    subprocess.run(command, input=SOURCE, check=True)
    said = subprocess.run([tools.llvm_size, "-A", tmp_path / "unit.o"], check=True, capture_output=True, text=True)
    expected = parse_sizes(said.stdout).text_bytes
    assert elf.text_bytes((tmp_path / "unit.o").read_bytes()) == expected > 0


def test_what_is_no_object_is_told() -> None:
    with pytest.raises(EngineError, match="not an ELF object"):
        elf.text_bytes(b"BC\xc0\xde")
