"""How a library's build uses cc-agent; and a build that notes what it compiles."""

from __future__ import annotations

from pathlib import Path

from compiler_agent.base.config import native_directory, search_path
from compiler_agent.base.errors import CompilerAgentError
from compiler_agent.evaluation.libraries import Library
from compiler_agent.evaluation.library_build import Compiler, build, configure
from compiler_agent.evaluation.library_fetch import prepare


def agent_compiler(mode: str, records: Path, lock: Path) -> Compiler:
    """What a user writes, `CC=cc-agent CFLAGS=-O-agent=size`, with a lock and a mode; nothing else of theirs counts."""
    environment = {
        "PATH": f"{native_directory() / 'bin'}:{search_path()}",
        "CC_AGENT_MODE": mode,
        "CC_AGENT_LOCK": str(lock),
        "CC_AGENT_RECORD": str(records),
        "CC_AGENT_DISABLE": "",
    }
    return Compiler(cc="cc-agent", cxx="cc-agent++", cflags="-O-agent=size", environment=environment)


def record_library(library: Library, directory: Path, records: Path, lock: Path, *, jobs: int = 2) -> None:
    """Builds a library in a new directory with clang's own code; each compilation goes into the file `records`.

    Raises:
        CompilerAgentError: It does not build, or nothing was recorded.
    """
    prepare(library, directory)
    # What configure compiles are questions to the compiler, not parts of the library.
    for step in (
        configure(library, directory, agent_compiler("off", records, lock), jobs=jobs),
        build(library, directory, agent_compiler("record", records, lock), jobs=jobs),
    ):
        if not step.passed:
            raise CompilerAgentError(f"{step.name} with cc-agent {step.reason}\n{step.tail()}")
    if not records.is_file():
        raise CompilerAgentError(
            f"cc-agent compiled {library.name} and recorded nothing",
            hint="see whether the plugin loads: compiler-agent doctor",
        )
