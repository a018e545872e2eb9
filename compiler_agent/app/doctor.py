"""What this installation consists of, what is missing from it, and the command that puts it right."""

from __future__ import annotations

import json
import os
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from compiler_agent.base import config, process, sandbox
from compiler_agent.base.errors import CompilerAgentError, UsageError
from compiler_agent.base.lock import Lock
from compiler_agent.base.scratch import ScratchDirectory
from compiler_agent.base.store import Store, StoreWarning
from compiler_agent.llvm import toolchain
from compiler_agent.llvm.toolchain import Toolchain

PYTHON_PACKAGES = ("click", "rich", "numpy", "platformdirs")
MINIMUM_PYTHON = (3, 11)
BUILD_TOOLS = {"cmake": "cmake", "ninja": "ninja-build", "g++": "g++", "make": "make"}
_HEADERS = ("llvm/IR/Module.h", "llvm/Passes/PassBuilder.h", "llvm/Config/llvm-config.h")
_TIMEOUT_S = 60.0
_BUILD_COMMAND = "make setup"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    """What it is."""
    ok: bool
    """Whether it is as it must be."""
    found: str
    """What was found, or what is wrong."""
    fix: str
    """The command, or the sentence, that puts it right; empty if nothing has to be done."""


def diagnose(environment: Mapping[str, str] | None = None) -> list[Finding]:
    """Looks at everything that the commands need. Nothing is changed, but an empty store may be created.

    Args:
        environment: What to read instead of the process's own environment.
    """
    found, finding = _llvm(environment)
    findings = [_settings(environment), finding]
    if found is not None:
        findings += _llvm_tools(found)
        findings.append(_llvm_headers(found))
    native = config.native_directory(environment)
    findings += _launcher(native)
    findings.append(_plugin(native, found))
    findings += _build_tools(config.search_path(environment))
    findings.append(_python())
    findings += _python_packages()
    findings.append(_processes())
    findings.append(_sandbox())
    findings.append(_store(environment))
    findings.append(_lock(environment))
    return findings


def exit_code(findings: Sequence[Finding]) -> int:
    """0 if all is well, 3 if something is missing."""
    return 0 if all(finding.ok for finding in findings) else 3


def render(findings: Sequence[Finding], console: Console) -> None:
    """Prints a table for people, and below it what to do, each command once."""
    table = Table(box=None, pad_edge=False, show_header=False)
    for finding in findings:
        mark = "[green]ok[/]" if finding.ok else "[bold red]missing[/]"
        table.add_row(mark, finding.name, escape(finding.found))
    console.print(table)
    fixes = dict.fromkeys(finding.fix for finding in findings if not finding.ok)
    if not fixes:
        console.print("Everything is there.")
        return
    console.print("\nTo put it right:")
    for fix in fixes:
        # No wrapping and no markup: the line is to be copied into a shell.
        console.print(f"  {fix}", markup=False, highlight=False, soft_wrap=True)


def to_json(findings: Sequence[Finding]) -> str:
    """The findings for programs: `{"ok": …, "findings": [{"name", "ok", "found", "fix"}, …]}`."""
    content = {"ok": exit_code(findings) == 0, "findings": [asdict(finding) for finding in findings]}
    return json.dumps(content, indent=2) + "\n"


def _check(name: str, look: Callable[[], str], fix: str) -> Finding:
    """Runs one look; its own error's hint is a better fix than the general one."""
    try:
        return Finding(name, True, look(), "")
    except CompilerAgentError as error:
        return Finding(name, False, error.message, error.hint or fix)


def _settings(environment: Mapping[str, str] | None) -> Finding:
    def look() -> str:
        settings = config.Settings.from_environment(environment)
        return f"mode {settings.mode.value}, budget {settings.budget}"

    return _check("settings (CC_AGENT_*)", look, "unset the variable")


def _llvm(environment: Mapping[str, str] | None) -> tuple[Toolchain | None, Finding]:
    name = f"LLVM {toolchain.SUPPORTED_MAJOR}"
    try:
        found = toolchain.locate(environment)
    except CompilerAgentError as error:
        # A setting that makes no sense is no reason to install anything.
        fix = error.hint if isinstance(error, UsageError) else toolchain.INSTALL_COMMAND
        return None, Finding(name, False, error.message, fix)
    return found, Finding(name, True, f"{found.version} in {found.prefix}, {found.target}", "")


def _llvm_tools(found: Toolchain) -> Iterator[Finding]:
    missing = found.missing()
    for name in toolchain.REQUIRED_TOOLS:
        ok = name not in missing
        what = str(found.tool(name)) if ok else f"{found.tool(name)} is not there"
        yield Finding(name, ok, what, "" if ok else toolchain.INSTALL_COMMAND)


def _llvm_headers(found: Toolchain) -> Finding:
    missing = [name for name in _HEADERS if not (found.headers / name).is_file()]
    if missing:
        what = f"{found.headers} lacks {', '.join(missing)}"
        return Finding("LLVM headers", False, what, toolchain.INSTALL_COMMAND)
    return Finding("LLVM headers", True, str(found.headers), "")


def _launcher(native: Path) -> Iterator[Finding]:
    for name in ("cc-agent", "cc-agent++"):
        program = native / "bin" / name

        def look(program: Path = program) -> str:
            answer = process.check([program, "--version"], timeout_s=_TIMEOUT_S).stdout.decode("utf-8", "replace")
            return f"{program}: {answer.splitlines()[0] if answer else ''}"

        finding = _check(name, look, _BUILD_COMMAND)
        yield finding if finding.ok else Finding(name, False, finding.found, _BUILD_COMMAND)


def _plugin(native: Path, found: Toolchain | None) -> Finding:
    plugin = native / "lib" / "cc-agent.so"
    if not plugin.is_file():
        return Finding("plugin", False, f"{plugin} is not built", _BUILD_COMMAND)
    if found is None:
        return Finding("plugin", False, f"{plugin}; without clang it cannot be tried", toolchain.INSTALL_COMMAND)

    def look() -> str:
        with ScratchDirectory(prefix="cc-agent-doctor-") as directory:
            source = Path(directory) / "empty.c"
            source.touch()
            command: list[str | Path] = [
                found.clang,
                f"-fpass-plugin={plugin}",
                "-O2",
                "-c",
                source,
                "-o",
                source.with_suffix(".o"),
            ]
            process.check(command, timeout_s=_TIMEOUT_S)
        return f"{plugin}, clang {found.version} loads it"

    return _check("plugin", look, "make clean setup")


def _build_tools(path: str) -> Iterator[Finding]:
    for name, package in BUILD_TOOLS.items():
        program = shutil.which(name, path=path)
        fix = "" if program else f"sudo apt-get install -y {package}"
        yield Finding(name, program is not None, program or "not on the PATH", fix)


def _python() -> Finding:
    ok = sys.version_info >= MINIMUM_PYTHON
    needed = ".".join(map(str, MINIMUM_PYTHON))
    fix = "" if ok else f"install Python {needed} or newer, remove .venv, and run: {_BUILD_COMMAND}"
    return Finding("python", ok, f"{sys.version.split()[0]}, {sys.executable}", fix)


def _python_packages() -> Iterator[Finding]:
    for name in PYTHON_PACKAGES:
        try:
            yield Finding(name, True, metadata.version(name), "")
        except metadata.PackageNotFoundError:
            yield Finding(name, False, f"not installed for {sys.executable}", _BUILD_COMMAND)


def _processes() -> Finding:
    """Ending a compilation with all it started needs two things of the kernel that some sandboxes withhold."""
    name = "processes can be ended"
    try:
        os.close(os.pidfd_open(os.getpid()))
        Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    except OSError as error:
        return Finding(
            name, False, str(error), "run outside of this sandbox, with /proc mounted and Linux 5.3 or newer"
        )
    return Finding(name, True, "pidfd and /proc", "")


def _sandbox() -> Finding:
    """How far candidates are kept from the rest of the machine; limits alone are weaker, and not a fault."""
    name = "sandbox"
    try:
        confinement, reason = sandbox.probe()
    except CompilerAgentError as error:
        return Finding(name, False, error.message, error.hint or _BUILD_COMMAND)
    return Finding(name, True, f"confinement: {confinement}" + (f"; {reason}" if reason else ""), "")


def _store(environment: Mapping[str, str] | None) -> Finding:
    directory = config.user_cache_directory(environment)
    name = "store of evaluations"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", StoreWarning)
        try:
            with Store.open(directory) as store:
                found = f"{store.path}, {len(store)} evaluations"
                writable = store.path is not None and os.access(directory, os.W_OK)
        except CompilerAgentError as error:
            return Finding(name, False, error.message, error.hint)
    if writable:
        return Finding(name, True, found, "")
    found = str(caught[0].message).split(";")[0] if caught else f"{directory} is not writable"
    return Finding(name, False, found, "name a directory that can be written: export CC_AGENT_CACHE=DIRECTORY")


def _lock(environment: Mapping[str, str] | None) -> Finding:
    path = config.find_lock(Path("source.c"), environment)

    def look() -> str:
        n_plans = len(Lock.load(path).plans)
        return f"{path}, {n_plans} plans" if path.exists() else f"{path}, not there yet"

    return _check("lock for this directory", look, f"remove {path} and tune again")
