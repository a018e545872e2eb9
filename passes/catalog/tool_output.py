"""Reads what LLVM's own tools say about their passes and options. Used by generate.py."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from compiler_agent.base import process
from compiler_agent.base.config import native_directory

OPT = "opt-22"
CLANG = "clang-22"
TIMEOUT_S = 60.0

SIZE_AND_SPEED_LEVELS = ("O1", "O2", "O3", "Os", "Oz")
STOCK = tuple(f"default<{level}>" for level in ("O0", *SIZE_AND_SPEED_LEVELS))
LINK_TIME = tuple(
    f"{kind}<{level}>"
    for kind in ("thinlto-pre-link", "thinlto", "lto-pre-link", "lto", "fatlto-pre-link")
    for level in ("O0", "O2", "Oz")
)
"""Pipelines for which opt prints what is in them."""

_MODULE = b"define i32 @f(i32 %x) {\n  ret i32 %x\n}\n"

_SECTION_LEVELS = {
    "Module passes": "module",
    "Module passes with params": "module",
    "CGSCC passes": "cgscc",
    "CGSCC passes with params": "cgscc",
    "Function passes": "function",
    "Function passes with params": "function",
    "LoopNest passes": "loop",
    "Loop passes": "loop",
    "Loop passes with params": "loop",
}
_SECTION_ANALYSES = {
    "Module analyses": "module",
    "CGSCC analyses": "cgscc",
    "Function analyses": "function",
    "Loop analyses": "loop",
}


@dataclass(slots=True)
class FoundPass:
    """One pass as `opt --print-passes` lists it."""

    name: str
    """Name before the first angle bracket."""
    levels: list[str] = field(default_factory=list)
    """Levels of the sections in which it is listed."""
    parameters: list[str] = field(default_factory=list)
    """As in `pass<a;no-a;b=N>`, one by one."""


@dataclass(frozen=True, slots=True)
class FoundOption:
    """One `cl::opt` as clang lists it."""

    name: str
    """Without dashes."""
    kind: str
    """bool, int, uint, enum, number or text."""
    choices: tuple[str, ...]
    """Values of an enum."""
    default: str
    """As clang prints it; empty: none."""
    description: str
    """The help text."""


def print_passes() -> tuple[dict[str, FoundPass], dict[str, list[str]]]:
    """All IR passes by name, and the analyses by level; machine passes are left out."""
    found: dict[str, FoundPass] = {}
    analyses: dict[str, list[str]] = {level: [] for level in _SECTION_ANALYSES.values()}
    section = ""
    for line in _output([OPT, "--print-passes"]).splitlines():
        if not line.startswith(" "):
            section = line.rstrip(":")
            continue
        text = line.strip()
        if section in _SECTION_ANALYSES:
            analyses[_SECTION_ANALYSES[section]].append(text)
        elif level := _SECTION_LEVELS.get(section):
            name, _, rest = text.partition("<")
            if name in ("invalidate", "verify") and rest:
                rest = ""
            entry = found.setdefault(name, FoundPass(name))
            if level not in entry.levels:
                entry.levels.append(level)
            if name != "print":
                entry.parameters += [word for word in rest.removesuffix(">").split(";") if word]
    return found, analyses


def printed_pipeline(pipeline: str) -> str:
    """What opt says it runs, without the final newline.

    Raises:
        ToolError: opt does not take the pipeline.
    """
    arguments = [OPT, f"-passes={pipeline}", "-print-pipeline-passes", "-disable-output", "-"]
    done = process.check(arguments, timeout_s=TIMEOUT_S, input=_MODULE)
    return done.stdout.decode().rstrip("\n")


def options(names: Iterable[str]) -> dict[str, FoundOption]:
    """The options of those names that clang has with our plugin; the help of the subtargets is not read."""
    help_text = _clang("--help-list-hidden")
    defaults = {
        match[1]: match[2]
        for match in re.finditer(r"^ +--(\S+) += .*?\(default: (.*)\)$", _clang("-print-all-options"), re.MULTILINE)
    }
    wanted = set(names)
    found: dict[str, FoundOption] = {}
    lines = help_text.splitlines()
    for index, line in enumerate(lines):
        match = re.match(r" {2,4}--?([^\s=]+)(?:=<(\w+)>)? +- ?(.*)", line)
        if not match or match[1] not in wanted:
            continue
        choices = []
        for following in lines[index + 1 :]:
            choice = re.match(r" {4,6}=(\S+)", following)
            if not choice:
                break
            choices.append(choice[1])
        kind = {"int": "int", "uint": "uint", "ulong": "uint", "long": "int", "number": "number"}.get(match[2] or "")
        if kind is None:
            kind = "enum" if choices else ("text" if match[2] else "bool")
        default = defaults.get(match[1], "")
        if kind == "bool":
            default = {"0": "false", "1": "true"}.get(default, "")
        found[match[1]] = FoundOption(
            match[1], kind, tuple(choices), "" if default == "*no default*" else default, match[3].strip()
        )
    return found


def versions() -> str:
    """Version of the LLVM that was asked, such as 22.1.8."""
    match = re.search(r"version (\d+\.\d+\.\d+)", _output([OPT, "--version"]))
    return match[1] if match else "unknown"


def _clang(option: str) -> str:
    load = ["-Xclang", "-load", "-Xclang", str(native_directory() / "lib" / "cc-agent.so")]
    return _output([CLANG, *load, "-Oz", "-mllvm", option, "-c", "-x", "c", "/dev/null", "-o", "/dev/null"])


def _output(argv: list[str]) -> str:
    return process.check(argv, timeout_s=TIMEOUT_S).stdout.decode()
