"""Programs that nobody wrote: Csmith's, which are valid C without undefined behaviour, and llvm-stress's modules."""

from __future__ import annotations

import functools
import shutil
from pathlib import Path

from compiler_agent.base.config import search_path
from compiler_agent.base.errors import NotEstablished, ToolchainError
from compiler_agent.base.process import check, run
from compiler_agent.llvm.toolchain import Toolchain

CSMITH_HEADERS = Path("/usr/include/csmith")
CSMITH_OPTIONS = ("--concise", "--max-funcs", "8")
CSMITH_FLAGS = ("-w", f"-I{CSMITH_HEADERS}")
"""With which clang compiles such a program."""
STRESS_SIZES = (60, 120, 200, 300)
"""Instructions that llvm-stress is asked for, in turn."""
_TIMEOUT_S = 30.0


@functools.cache
def csmith_version() -> str:
    """Csmith's version.

    Raises:
        ToolchainError: It is not installed.
    """
    hint = "sudo apt-get install -y csmith libcsmith-dev"
    if shutil.which("csmith", path=search_path()) is None or not (CSMITH_HEADERS / "csmith.h").is_file():
        raise ToolchainError("csmith, or its headers, are not installed", hint=hint)
    return check(["csmith", "--version"], timeout_s=60).stdout.decode().split("\n")[0].strip()


def write_csmith(seed: int, directory: Path, name: str = "program.c") -> None:
    """Writes the program of a seed into a directory; the same seed gives the same program.

    Raises:
        NotEstablished: Csmith does not come to an end with this seed.
    """
    command = ["csmith", "--seed", str(seed), *CSMITH_OPTIONS, "--output", name]
    done = run(command, cwd=directory, timeout_s=_TIMEOUT_S)
    if done.status != 0 or done.timed_out:
        raise NotEstablished(f"csmith did not come to an end with seed {seed}")
    (directory / "platform.info").unlink(missing_ok=True)


def stress_module(seed: int, toolchain: Toolchain) -> str:
    """The module of a seed, as text; its behaviour is not defined."""
    size = STRESS_SIZES[seed % len(STRESS_SIZES)]
    command = [str(toolchain.tool("llvm-stress")), f"--seed={seed}", f"--size={size}", "-o", "-"]
    return check(command, timeout_s=60).stdout.decode()
