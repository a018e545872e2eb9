"""Builds the executables that function tests run: the reference in several ways, once per unit, and each candidate.

The reference is the source at -O0. Built besides: with sanitizers, which say whether an input is defined and respects
types; twice with all local variables initialised, which say whether a result depends on memory that nobody wrote; with
what it compares and loads traced; and at -O2, whose edges guide the search for inputs, too. The images lie at different
addresses, so that a result that depends on where code and data lie is not equal in all of them.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from compiler_agent.base.config import native_file, user_cache_directory
from compiler_agent.base.errors import NotEstablished, ToolError
from compiler_agent.base.files import labelled_digest
from compiler_agent.base.process import check
from compiler_agent.base.scratch import ScratchDirectory
from compiler_agent.llvm import toolchain as toolchains

_TOOLS = ("bin/cc-agent-harness", "bin/cc-agent-tester", "lib/libcc-agent-test-runtime.a")
_COMPILE_S = 600.0
_COMPILE_BYTES = 8 << 30
DIES_IN_CONSTRUCTION = 4
"""The tester's status where a constructor of a variable ends one of the executables."""
_KEPT_UNITS = 200
"""So many units' executables stay in the cache; the oldest go first."""
_EXPLORATION_S = (0.5, 0.125, 10.0)
"""Processor time for which inputs are collected for a unit, once: at least, for each function, and at most. On the
clock it may be four times as long."""

# Around the unit's own data in the executable with sanitizers, whose data must stay as it is between runs.
_MARK = """
.section .data,"aw"
.balign 64
.globl cct_data_{end}
cct_data_{end}: .quad 0
.section .bss,"aw",@nobits
.balign 64
.globl cct_bss_{end}
cct_bss_{end}: .zero 8
.section .note.GNU-stack,"",@progbits
"""

# What the harness has of other units' arrays of unknown size: in the executable with AddressSanitizer they lie far
# apart, so that an index that leads from one to another is seen. The same numbers as in passes/tester/shared/layout.h.
_APART_BYTES = 256 << 10
_N_APART = 32

_SANITIZERS = (
    "-fsanitize=address,undefined",
    "-fno-sanitize=function,vptr",
    "-fsanitize-trap=undefined",
    "-fno-sanitize-recover=all",
)
# What each variant is compiled with, and where its image lies: nowhere near a number that a program computes.
_VARIANTS: dict[str, tuple[tuple[str, ...], int]] = {
    "reference": (("-fsanitize-coverage=inline-8bit-counters,pc-table",), 0x53_120_000),
    "traced": (("-fsanitize-coverage=edge,trace-cmp,trace-loads",), 0x4E_440_000),
    "guide": (("-O2", "-fsanitize-coverage=inline-8bit-counters,pc-table"), 0x5C_690_000),
    "zero": (("-ftrivial-auto-var-init=zero",), 0x4A_570_000),
    "pattern": (("-ftrivial-auto-var-init=pattern",), 0x61_340_000),
    "sanitized": (_SANITIZERS, 0),
    "typed": (("-fsanitize=type",), 0),
}
# The candidate at two addresses: what does not differ from the reference at the second one too is no refutation.
_CANDIDATE_IMAGES = (0x57_890_000, 0x43_210_000)


@dataclass(frozen=True, slots=True)
class Reference:
    """The executables of one unit that do not depend on the candidate."""

    directory: Path
    """Where they are."""
    functions: tuple[str, ...]
    """Symbols of the externally visible functions, in the order of the source."""
    language: str
    """"c" or "c++"."""
    obstacle: str = ""
    """Why nothing of the unit can be tested; empty: it can."""

    @property
    def corpus(self) -> Path:
        """Inputs that were collected on the reference; every candidate is first run on these."""
        return self.directory / "corpus"

    @property
    def description(self) -> Path:
        """What the controller reads: types, functions, globals."""
        return self.directory / "description"

    @property
    def executables(self) -> dict[str, Path]:
        """By role, as the controller's options are called."""
        return {role: self.directory / role for role in _VARIANTS}


def reference(
    argv: Sequence[str], cwd: str | os.PathLike[str], should_stop: Callable[[], bool] = lambda: False
) -> Reference:
    """Builds, or finds in the cache, what a unit's candidates are compared with.

    Raises:
        ToolError: The source does not compile.
        NotEstablished: It was to stop.
    """
    toolchain = toolchains.discover()
    unit = check(
        [*argv, "-g", "-emit-llvm", "-Xclang", "-disable-llvm-passes"],
        cwd=cwd,
        timeout_s=_COMPILE_S,
        memory_bytes=_COMPILE_BYTES,
    ).stdout
    tools = b"".join(native_file(name).read_bytes() for name in _TOOLS)
    variants = "\0".join(f"{role} {extra} {image}" for role, (extra, image) in _VARIANTS.items())
    key = labelled_digest(
        "function-test", variants=variants, argv="\0".join(argv), unit=unit, tools=tools, toolchain=toolchain.digest
    )
    cache = user_cache_directory() / "function-tests"
    directory = cache / key
    if not (directory / "description").is_file():
        cache.mkdir(parents=True, exist_ok=True)
        with ScratchDirectory(dir=cache, prefix=".new-") as temporary:
            made = Path(temporary) / "unit"
            made.mkdir()
            _build(toolchain, argv, cwd, unit, made)
            built = _read(made, toolchain)
            if not built.obstacle:
                _collect(built, should_stop)
            try:
                made.rename(directory)
            except OSError:
                if not (directory / "description").is_file():  # else somebody else has built the same
                    raise
        _prune(cache)
    os.utime(directory)
    return _read(directory, toolchain)


def candidate_executables(
    built: Reference, candidate: str | os.PathLike[str] | bytes, directory: Path
) -> tuple[Path, Path]:
    """Links a candidate's object (or bitcode) into test executables at two addresses.

    Raises:
        NotEstablished: It cannot be linked: it needs symbols that the reference does not know.
    """
    toolchain = toolchains.discover()
    data = candidate if isinstance(candidate, bytes) else Path(candidate).read_bytes()
    given = directory / ("candidate.bc" if data[:4] in (b"BC\xc0\xde", b"\xde\xc0\x17\x0b") else "candidate.o")
    given.write_bytes(data)
    object_file = directory / "candidate-object.o"
    if given.suffix == ".bc":
        # As it is: the function tester judges this module, not what a pipeline would still do to it.
        check(
            [toolchain.clang, "-x", "ir", "-O1", "-Xclang", "-disable-llvm-passes", "-c", given, "-o", object_file],
            timeout_s=_COMPILE_S,
            memory_bytes=_COMPILE_BYTES,
        )
    else:
        given.rename(object_file)
    results = directory / "candidate", directory / "moved"
    for result, image in zip(results, _CANDIDATE_IMAGES, strict=True):
        _link(toolchain, built.directory, built.language, object_file, result, image)
    return results


def _build(
    toolchain: toolchains.Toolchain, argv: Sequence[str], cwd: str | os.PathLike[str], unit: bytes, to: Path
) -> None:
    bitcode = to / "unit.bc"
    bitcode.write_bytes(unit)
    check(
        [native_file("bin/cc-agent-harness"), bitcode, to / "harness.bc", to / "description.new", to / "symbols"],
        timeout_s=_COMPILE_S,
        memory_bytes=_COMPILE_BYTES,
    )
    bitcode.unlink()
    lines = (to / "description.new").read_text().splitlines()
    language = "c++" if "language c++" in lines else "c"
    # The preprocessor is to see what it saw in the user's own command.
    optimizing = next(line.split()[1] for line in lines if line.startswith("optimizing "))
    flags = ["-O0", "-w", "-g0"]
    if optimizing != "0":
        flags += ["-D__OPTIMIZE__=1", "-U__NO_INLINE__"]
    if optimizing == "2":
        flags += ["-D__OPTIMIZE_SIZE__=1"]
    check(
        [toolchain.clang, "-O1", "-w", "-c", to / "harness.bc", "-o", to / "harness.o"],
        timeout_s=_COMPILE_S,
        memory_bytes=_COMPILE_BYTES,
    )
    alignments = [f"--set-section-alignment=.bss.cct_apart.{number}={_APART_BYTES}" for number in range(_N_APART + 1)]
    check(
        [toolchain.tool("llvm-objcopy"), *alignments, to / "harness.o", to / "apart.o"],
        timeout_s=_COMPILE_S,
    )

    for mark in ("begin", "end"):
        check(
            [toolchain.clang, "-c", "-x", "assembler", "-", "-o", to / f"{mark}.o"],
            timeout_s=60,
            input=_MARK.format(end=mark).encode(),
        )

    def build(role: str) -> None:
        extra, image = _VARIANTS[role]
        object_file = to / f"{role}.o"
        compiled = check([*argv, *flags, *extra], cwd=cwd, timeout_s=_COMPILE_S, memory_bytes=_COMPILE_BYTES)
        object_file.write_bytes(compiled.stdout)
        _link(toolchain, to, language, object_file, to / role, image)
        object_file.unlink()

    with ThreadPoolExecutor(max_workers=2) as pool:
        try:
            list(pool.map(build, _VARIANTS))
        except NotEstablished as error:
            (to / "obstacle").write_text(error.message)
    (to / "description.new").rename(to / "description")


def _collect(built: Reference, should_stop: Callable[[], bool]) -> None:
    at_least, each, at_most = _EXPLORATION_S
    seconds = min(max(at_least, each * len(built.functions)), at_most)
    command: list[str | os.PathLike[str]] = [native_file("bin/cc-agent-tester"), built.description]
    for role, path in built.executables.items():
        command += [f"--{role}", path]
    command += ["--write-corpus", built.corpus, "--seconds", f"{seconds:g}", "--seed", "1"]
    try:
        check(command, timeout_s=120 + 5 * seconds, should_stop=should_stop)
    except ToolError as error:
        if should_stop():
            raise NotEstablished("interrupted") from error
        if error.status != DIES_IN_CONSTRUCTION:
            raise
        role = next((role for role, path in built.executables.items() if f"{path} does not" in error.stderr_tail), "")
        (built.directory / "obstacle").write_text(f"its constructors cannot be run: they end the program ({role})")


def _link(
    toolchain: toolchains.Toolchain, unit: Path, language: str, object_file: Path, result: Path, image: int
) -> None:
    renamed = object_file.with_suffix(".renamed.o")
    check(
        [toolchain.tool("llvm-objcopy"), f"--redefine-syms={unit / 'symbols'}", object_file, renamed],
        timeout_s=_COMPILE_S,
    )
    if result.name == "reference":  # whose edges are whose
        check(
            [toolchain.tool("llvm-objcopy"), "--wildcard", "--globalize-symbol=cct_l_*", renamed], timeout_s=_COMPILE_S
        )
    resource = check([toolchain.clang, "-print-resource-dir"], timeout_s=60).stdout.decode().strip()
    builtins = sorted(Path(resource).glob(f"lib/*/libclang_rt.builtins*{os.uname().machine}*.a"))
    # An executable, not a shared object: the user's object may be neither PIC nor PIE.
    sanitizer = "address" if result.name == "sanitized" else "type"
    shape = ["-no-pie", f"-fsanitize={sanitizer}"] if image == 0 else ["-static", f"-Wl,--image-base={image:#x}"]
    command: list[str | os.PathLike[str]] = [
        toolchain.clangxx if language == "c++" else toolchain.clang,
        "-w",
        "-fuse-ld=lld",
        *shape,
        *(
            (unit / "begin.o", renamed, unit / ("apart.o" if sanitizer == "address" else "harness.o"), unit / "end.o")
            if image == 0
            else (renamed, unit / "harness.o")
        ),
        native_file("lib/libcc-agent-test-runtime.a"),
        "-lm",
        *builtins[:1],
        "-o",
        result,
    ]
    try:
        check(command, timeout_s=_COMPILE_S)
    except ToolError as error:
        missing = [line for line in error.stderr_tail.splitlines() if "error:" in line][:3]
        what = "; ".join(line.split("error: ", 1)[-1] for line in missing) or "the linker fails"
        raise NotEstablished(f"the test of {object_file.stem} cannot be linked: {what}") from error
    finally:
        renamed.unlink(missing_ok=True)


def _read(directory: Path, toolchain: toolchains.Toolchain) -> Reference:
    names: list[str] = []
    language, triple = "c", ""
    for line in (directory / "description").read_text().splitlines():
        words = line.split()
        if words[0] == "function":
            names.append(unquote(words[2]))
        elif words[0] == "language":
            language = words[1]
        elif words[0] == "triple":
            triple = unquote(words[1])
    host = toolchain.target
    obstacle = "" if triple.split("-")[0] == host.split("-")[0] else f"it is for {triple}, and this machine is {host}"
    if (directory / "obstacle").is_file():
        obstacle = (directory / "obstacle").read_text()
    return Reference(directory, tuple(names), language, obstacle)


def _prune(cache: Path) -> None:
    units = sorted(
        (entry for entry in cache.iterdir() if entry.name[0] != "."), key=lambda entry: entry.stat().st_mtime
    )
    for old in units[:-_KEPT_UNITS]:
        shutil.rmtree(old, ignore_errors=True)
