"""Which LLVM is used: found once, checked, and identified in every record.

The order: the prefix that CC_AGENT_LLVM names, then `llvm-config-22`, then `clang-22` on the PATH. One major version is
supported, because plans name that version's passes and options, and the plugin is built against its headers.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from compiler_agent.base import config, process
from compiler_agent.base.errors import ToolchainError
from compiler_agent.base.files import file_error, labelled_digest

SUPPORTED_MAJOR = 22
DEBIAN_PACKAGES = (
    "clang-22",
    "llvm-22",
    "llvm-22-dev",
    "lld-22",
    "libclang-rt-22-dev",
    "clang-tidy-22",
)
INSTALL_COMMAND = f"sudo apt-get install -y {' '.join(DEBIAN_PACKAGES)}"
REQUIRED_TOOLS = ("clang", "clang++", "opt", "llc", "llvm-size", "llvm-mca", "llvm-dis", "llvm-as", "ld.lld")
_VERSION = re.compile(r"version (\d+)\.(\d+)\.(\d+)")
_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Toolchain:
    """One installed LLVM. Paths are absolute and name its own programs, whatever PATH says."""

    prefix: Path
    """Its root, as in /usr/lib/llvm-22."""
    version: str
    """As in "22.1.8"."""
    target: str
    """The triple that its clang compiles for by default."""
    digest: str
    """Identity: 64 hexadecimal digits over version, target, and what clang says of its build."""

    @property
    def clang(self) -> Path:
        """The C compiler."""
        return self.tool("clang")

    @property
    def clangxx(self) -> Path:
        """The C++ compiler."""
        return self.tool("clang++")

    @property
    def opt(self) -> Path:
        """The optimizer on IR."""
        return self.tool("opt")

    @property
    def llc(self) -> Path:
        """The code generator on IR."""
        return self.tool("llc")

    @property
    def llvm_size(self) -> Path:
        """Sizes of an object's sections."""
        return self.tool("llvm-size")

    @property
    def llvm_mca(self) -> Path:
        """The machine code analyzer."""
        return self.tool("llvm-mca")

    @property
    def headers(self) -> Path:
        """LLVM's own headers, as the plugin includes them."""
        return self.prefix / "include"

    def tool(self, name: str) -> Path:
        """The path of one of its programs, whether it is there or not."""
        return self.prefix / "bin" / name

    def missing(self) -> tuple[str, ...]:
        """Names of the required programs that are not there."""
        return tuple(name for name in REQUIRED_TOOLS if not os.access(self.tool(name), os.X_OK))


def discover(environment: Mapping[str, str] | None = None) -> Toolchain:
    """Finds the LLVM to use.

    Args:
        environment: What to read instead of the process's own environment.

    Raises:
        ToolchainError: There is none, it is not of the supported version, or programs are missing from it. The hint
            is the command that installs it.
    """
    found = locate(environment)
    missing = found.missing()
    if missing:
        raise ToolchainError(
            f"LLVM {found.version} in {found.prefix} lacks {', '.join(missing)}",
            hint=f"install it: {INSTALL_COMMAND}",
        )
    return found


def locate(environment: Mapping[str, str] | None = None) -> Toolchain:
    """Finds the LLVM to use as `discover` does, but does not mind if programs other than clang are missing."""
    named = config.Settings.from_environment(environment).llvm
    if named is not None:
        return inspect(named, "CC_AGENT_LLVM")
    path = config.search_path(environment)
    llvm_config = shutil.which(f"llvm-config-{SUPPORTED_MAJOR}", path=path)
    if llvm_config is not None:
        answer = process.check([llvm_config, "--prefix"], timeout_s=_TIMEOUT_S)
        prefix = Path(os.fsdecode(answer.stdout.rstrip(b"\n")))
        # llvm-config comes with the headers: without clang the search goes on.
        if (prefix / "bin" / "clang").exists():
            return inspect(prefix, llvm_config)
    clang = shutil.which(f"clang-{SUPPORTED_MAJOR}", path=path)
    if clang is not None:
        return inspect(Path(clang).resolve().parent.parent, clang)
    other = shutil.which("clang", path=path)
    also = f"; {other} is {_version_of(Path(other))}" if other else ""
    raise ToolchainError(
        f"LLVM {SUPPORTED_MAJOR} was not found: no llvm-config-{SUPPORTED_MAJOR} with clang beside it, and no "
        f"clang-{SUPPORTED_MAJOR} on the PATH{also}",
        hint=f"install it: {INSTALL_COMMAND}\n        or name its prefix: CC_AGENT_LLVM=/usr/lib/llvm-22",
    )


def inspect(prefix: Path, found_by: str) -> Toolchain:
    """Checks and identifies the LLVM under a prefix.

    Args:
        prefix: Its root.
        found_by: What named it, for messages.

    Raises:
        ToolchainError: It is not LLVM, or not of the supported version.
    """
    clang = prefix / "bin" / "clang"
    if not os.access(clang, os.X_OK):
        raise ToolchainError(
            f"{found_by} names {prefix}, but there is no program {clang}",
            hint=f"name a prefix like /usr/lib/llvm-{SUPPORTED_MAJOR}, or install it: {INSTALL_COMMAND}",
        )
    answer = process.check([clang, "--version"], timeout_s=_TIMEOUT_S).stdout.decode("utf-8", "replace")
    version = _VERSION.search(answer)
    if version is None:
        raise ToolchainError(f"{clang} --version does not say a version: {answer.strip()!r}")
    if int(version[1]) != SUPPORTED_MAJOR:
        raise ToolchainError(
            f"{found_by}: {clang} is LLVM {version[1]}.{version[2]}.{version[3]}; "
            f"only LLVM {SUPPORTED_MAJOR} is supported",
            hint=f"install it: {INSTALL_COMMAND}",
        )
    target = process.check([clang, "-print-target-triple"], timeout_s=_TIMEOUT_S).stdout.decode().strip()
    number = ".".join(version.groups())
    return Toolchain(
        prefix=prefix,
        version=number,
        target=target,
        digest=labelled_digest("toolchain-v1", version=number, target=target, build=_identity(prefix, answer)),
    )


def _identity(prefix: Path, clang_version: str) -> str:
    """What tells this build of LLVM from another of the same version: clang's first line has the package's version."""
    library = next(iter(sorted((prefix / "lib").glob("libLLVM.so.*"))), prefix / "bin" / "clang")
    try:
        size_bytes = library.stat().st_size
    except OSError as error:
        raise file_error("read", library, error) from error
    # Not the path: the same LLVM in two places gives the same objects.
    return f"{clang_version.splitlines()[0]}; {size_bytes}"


def _version_of(clang: Path) -> str:
    found = _VERSION.search(process.run([clang, "--version"], timeout_s=_TIMEOUT_S).stdout.decode("utf-8", "replace"))
    return f"LLVM {found[1]}" if found else "of an unknown version"
