"""Short names for C++ functions: a mangled name is exact, but long and hard to read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from compiler_agent.base.process import check
from compiler_agent.llvm.observe.redaction import printable
from compiler_agent.llvm.toolchain import Toolchain

_TIMEOUT_S = 30.0
_OPERATOR = re.compile(
    r"\boperator\s?(?:\(\)|\[\]|\"\"\s?\w+|<=>|->\*?|<<=?|>>=?|&&|\|\||\+\+|--|[-+*/%^&|~!=<>]=?|,|[\w:]+(?: ?[*&])*)"
)


def short_names(symbols: Iterable[str], toolchain: Toolchain) -> Mapping[str, str]:
    """What mangled symbols are called in the source, without template arguments, parameters and namespaces.

    Raises:
        ToolError: llvm-cxxfilt failed.
    """
    mangled = [symbol for symbol in symbols if symbol.startswith("_Z") and "\n" not in symbol]
    if not mangled:
        return {}
    text = "\n".join(mangled).encode()
    done = check([toolchain.tool("llvm-cxxfilt")], input=text, timeout_s=_TIMEOUT_S)
    return dict(zip(mangled, map(shortened, done.stdout.decode("utf-8", "replace").splitlines()), strict=True))


def shortened(demangled: str) -> str:
    """A demangled name's class and function, without template arguments, parameters, return type and namespaces."""
    plain = demangled.replace("(anonymous namespace)::", "")
    operator = _OPERATOR.search(plain)
    before = _without_template_arguments(plain[: operator.start()] if operator else plain)
    path = before if operator else before.partition("(")[0]
    components = path.split(" ")[-1].split("::")
    if operator:
        components[-1] = operator[0]
    return printable("::".join(components[-2:]))


def _without_template_arguments(text: str) -> str:
    depth, kept = 0, []
    for character in text:
        if character == "<":
            depth += 1
        elif character == ">":
            depth -= 1
        elif depth == 0:
            kept.append(character)
    return "".join(kept)
