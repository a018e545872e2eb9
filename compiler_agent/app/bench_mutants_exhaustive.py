"""Trying all inputs: a proof of equivalence for functions of few bits that depend on nothing but their arguments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from compiler_agent.app.bench_mutants_build import Compiled, Site, emit
from compiler_agent.app.bench_mutants_judge import Proof, Truth
from compiler_agent.base.process import check, run
from compiler_agent.base.scratch import ScratchDirectory
from compiler_agent.llvm.toolchain import discover

LARGEST_DOMAIN_BITS = 32
_TIMEOUT_S = 120.0
_MEMORY_BYTES = 2 << 30
_DEFINITION = r"^define [^\n@]*?\b(i\d+|float|double) @{name}\(([^\n)]*)\)[^\n]*\{{\n(.*?)^\}}"
_ARGUMENT = re.compile(r"i(8|16|32)\b")
# What touches memory, or calls what may: loads too, because a wrong address may find the right value by chance.
_IMPURE = re.compile(
    r"\b(load|store|invoke|cmpxchg|atomicrmw|fence|va_arg|alloca|callbr|volatile)\b|\bcall\b(?![^\n]*@llvm\.)"
)


class Exhaustive:
    """Compares the machine code of two functions on all their inputs, where there are few."""

    name = "inputs"
    limited = False

    def prove(self, compiled: Compiled, site: Site, mutant: Path, seconds: float) -> Proof:
        """EQUIVALENT if they agree on every input; never WRONG: an input on which they differ may be undefined."""
        function = site.function
        signature = _signature(_text(compiled.bitcode), function)
        if signature is None or _signature(_text(mutant), function) is None:
            return Proof(Truth.UNDECIDED, "its domain is not small, or it depends on more than its arguments")
        result, widths = signature
        with ScratchDirectory(prefix="cc-agent-exhaustive-") as scratch:
            program = _program(Path(scratch), compiled, function, mutant, result, widths)
            done = run([program], timeout_s=_TIMEOUT_S, memory_bytes=_MEMORY_BYTES)
        if done.timed_out:
            return Proof(Truth.UNDECIDED, f"all {2 ** _bits(widths)} inputs take longer than {_TIMEOUT_S:g} s")
        if done.status == 0:
            return Proof(Truth.EQUIVALENT, f"the same result for all {2 ** _bits(widths)} inputs")
        where = done.stdout.decode(errors="replace").strip() or f"status {done.status}"
        return Proof(Truth.UNDECIDED, f"it differs from the unmutated one: {where}")


def _text(bitcode: Path) -> str:
    return check([discover().tool("llvm-dis"), bitcode, "-o", "-"], timeout_s=_TIMEOUT_S).stdout.decode()


def _signature(text: str, function: str) -> tuple[str, tuple[int, ...]] | None:
    """Result type and widths of the arguments, negative for signed ones, if trying all inputs decides about it."""
    found = re.search(_DEFINITION.format(name=re.escape(function)), text, re.MULTILINE | re.DOTALL)
    if found is None or _IMPURE.search(found[3]):
        return None
    arguments = [argument.strip() for argument in found[2].split(",")]
    widths = []
    for argument in arguments:
        width = _ARGUMENT.match(argument)
        if width is None:
            return None
        # The caller extends a narrow argument as it is declared, and the function counts on that.
        widths.append(-int(width[1]) if "signext" in argument else int(width[1]))
    if _bits(widths) > LARGEST_DOMAIN_BITS:
        return None
    return found[1], tuple(widths)


def _bits(widths: Sequence[int]) -> int:
    return sum(map(abs, widths))


def _type(width: int) -> str:
    return f"int{-width}_t" if width < 0 else f"uint{width}_t"


_DRIVER = """#include <inttypes.h>
#include <stdio.h>
#include <string.h>
extern {result} original({types});
extern {result} mutant({types});
int main(void) {{
  uint64_t i = 0, end = UINT64_C(1) << {bits};
  for (; i < end; ++i) {{
    {result} a = original({arguments}), b = mutant({arguments});
    if (memcmp(&a, &b, sizeof a)) {{
      printf("input %" PRIu64 "\\n", i);
      return 1;
    }}
  }}
  return 0;
}}
"""


def _program(
    scratch: Path, compiled: Compiled, function: str, mutant: Path, result: str, widths: tuple[int, ...]
) -> Path:
    toolchain = discover()
    objects = []
    for name, bitcode in (("original", compiled.bitcode), ("mutant", mutant)):
        whole, renamed = scratch / f"{name}.whole.o", scratch / f"{name}.o"
        whole.write_bytes(emit(compiled, bitcode))
        rename = [f"--redefine-sym={function}={name}", f"--keep-global-symbol={function}"]
        check([toolchain.tool("llvm-objcopy"), *rename, whole, renamed], timeout_s=_TIMEOUT_S)
        objects.append(renamed)
    shift, arguments = 0, []
    for width in widths:
        arguments.append(f"({_type(width)})(i >> {shift})")
        shift += abs(width)
    driver = scratch / "driver.c"
    driver.write_text(
        _DRIVER.format(
            result=f"uint{max(8, int(result[1:]))}_t" if result.startswith("i") else result,
            types=", ".join(map(_type, widths)),
            bits=_bits(widths),
            arguments=", ".join(arguments),
        )
    )
    program = scratch / "program"
    # What the other functions of the unit call is not there, and is not called.
    link = ["-no-pie", "-Wl,--unresolved-symbols=ignore-in-object-files", "-o", str(program)]
    check([toolchain.clang, "-O2", driver, *objects, *link], timeout_s=_TIMEOUT_S)
    return program
