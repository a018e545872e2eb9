"""The native library, and modules that clang makes for it."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from compiler_agent.llvm.library import Library, Module
from compiler_agent.llvm.toolchain import Toolchain, discover


@pytest.fixture(scope="session")
def library() -> Library:
    return Library()


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    return discover()


@pytest.fixture(scope="session")
def to_bitcode(toolchain: Toolchain) -> Callable[..., bytes]:
    """Compiles a source to unoptimized bitcode: what the plugin sees when clang's pipeline starts."""

    def compile_source(source: Path | str, *flags: str, cwd: Path | None = None) -> bytes:
        compiler = toolchain.clangxx if str(source).endswith((".cpp", ".cc")) else toolchain.clang
        command = [compiler, *flags, "-Xclang", "-disable-llvm-passes", "-emit-llvm", "-c", source, "-o", "-"]
        return subprocess.run(command, check=True, capture_output=True, cwd=cwd).stdout

    return compile_source


@pytest.fixture
def small_module(library: Library) -> Module:
    """A small function that optimization changes."""
    return library.parse(
        """
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"
target triple = "x86_64-pc-linux-gnu"
define i32 @sum(i32 %count) {
entry:
  %slot = alloca i32, align 4
  store i32 %count, ptr %slot, align 4
  %read = load i32, ptr %slot, align 4
  %result = add nsw i32 %read, 1
  ret i32 %result
}
""",
        "small.ll",
    )
