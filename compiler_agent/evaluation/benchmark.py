"""The programs of `benchmarks/programs` and `benchmarks/drivers`: what each is, its inputs, and its part.

One folder each, with a `benchmark.toml` and sources. A driver exercises a library of `benchmarks/libraries.toml`, whose
sources are fetched. `benchmarks/split.toml` says, once, which may be learned from. See docs/benchmarks.md.
"""

from __future__ import annotations

import enum
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compiler_agent.base.errors import UsageError
from compiler_agent.base.files import file_error
from compiler_agent.evaluation.difftest import Workload

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
FORMAT, VERSION = "cc-agent-benchmark", 1
SPLIT_FORMAT, SPLIT_VERSION = "cc-agent-split", 1
SIZES = ("small", "medium", "large")
"""The inputs that each benchmark has: a few milliseconds at -O3, about 60 ms, and about 600 ms."""
_INPUT_TIMEOUT_S = 120.0


class Part(enum.Enum):
    """What a workload may be used for; fixed once, so that no figure is measured on what was learned from."""

    TRAINING = "training"
    """Plans, options and defaults may be learned from it."""
    HELD_OUT = "held-out"
    """Only ever measured."""


@dataclass(frozen=True, slots=True)
class Input:
    """One run of a benchmark, and what it must print."""

    name: str
    """small, medium or large."""
    arguments: tuple[str, ...]
    """Of the program."""
    stdin: str
    """What it reads; empty: nothing."""
    expected: str
    """Its whole standard output, the same at every optimization level."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One source file of a benchmark, and how it is compiled."""

    source: str
    """Relative to its directory."""
    directory: Path
    """Where the compiler is to run, absolute."""
    language: str
    """c or c++."""
    flags: tuple[str, ...]
    """What it needs beside the optimization level, whatever that is."""

    @property
    def object_name(self) -> str:
        """A file name for its object that no other unit of the benchmark has."""
        return self.source.replace("/", "-") + ".o"


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One program that is measured."""

    name: str
    """Its folder's name."""
    folder: Path
    """Where its benchmark.toml is, absolute."""
    kind: str
    """The `class` in the file, as in "dense-loop"; programs of a class are alike."""
    stresses: str
    """What it is about, in words."""
    licence: str
    """Of its sources, as an SPDX expression."""
    language: str
    """c or c++, of its own sources and of the link."""
    sources: tuple[str, ...]
    """Its own translation units, relative to the folder."""
    flags: tuple[str, ...]
    """What they need beside the optimization level."""
    link_flags: tuple[str, ...]
    """Behind the objects, as -lm."""
    library: str
    """The library of benchmarks/libraries.toml that it drives; empty: none."""
    library_sources: tuple[str, ...]
    """File patterns of the library's translation units that it is linked with; empty: all."""
    library_flags: tuple[str, ...]
    """For these units, behind the library's own flags."""
    inputs: tuple[Input, ...]
    """In the order of `SIZES`."""
    part: Part
    """Training or held out."""

    def input(self, name: str) -> Input:
        """One of its inputs.

        Raises:
            UsageError: It has none of that name.
        """
        for one in self.inputs:
            if one.name == name:
                return one
        raise UsageError(f"{self.name} has no input {name!r}", hint=f"one of: {', '.join(SIZES)}")

    def units(self) -> tuple[Unit, ...]:
        """Its own translation units; `library_driver.driver_units` has all those of a driver."""
        return tuple(Unit(source, self.folder, self.language, self.flags) for source in self.sources)

    def workload(self, given: Input) -> Workload:
        """The test of an input for `difftest`, to be run in the directory that the program was built in."""
        command = shlex.join([f"./{self.name}", *given.arguments])
        if given.stdin:
            command = f"printf %s {shlex.quote(given.stdin)} | {command}"
        return Workload(command, timeout_s=_INPUT_TIMEOUT_S)


def load_all(root: Path = BENCHMARKS) -> tuple[Benchmark, ...]:
    """All benchmarks, programs before drivers, each sorted by name.

    Raises:
        UsageError: A file is malformed, or the split does not name each benchmark exactly once.
        FileError: A file cannot be read.
    """
    folders = sorted(root.glob("programs/*/")) + sorted(root.glob("drivers/*/"))
    names = [folder.name for folder in folders]
    if twice := [name for name in names if names.count(name) > 1]:
        raise UsageError(
            f"{root}: there are two folders {twice[0]}", hint="rename the one that is not in split.toml yet"
        )
    parts = load_split(root / "split.toml")
    if missing := sorted(parts.keys() - set(names)):
        raise UsageError(f"{root / 'split.toml'} names {missing[0]}, which has no folder", hint="take it out")
    return tuple(_load(folder, parts) for folder in folders)


def load(folder: Path) -> Benchmark:
    """Reads one benchmark; its part is in split.toml, two folders up.

    Raises:
        UsageError: A file is malformed: the message names file and key.
        FileError: A file cannot be read.
    """
    return _load(folder, load_split(folder.absolute().parents[1] / "split.toml"))


def load_split(path: Path) -> dict[str, Part]:
    """The part of each benchmark, by name.

    Raises:
        UsageError: The file is malformed, or names a benchmark twice.
        FileError: It cannot be read.
    """
    table = _Table.read(path, SPLIT_FORMAT, SPLIT_VERSION)
    parts: dict[str, Part] = {}
    for part in Part:
        for name in table.texts(part.value):
            if name in parts:
                raise UsageError(f"{path}: {name} is named twice", hint="leave it where it was first: parts are final")
            parts[name] = part
    table.nothing_else()
    return parts


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file.

    Raises:
        UsageError: It is none.
        FileError: It cannot be read.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise file_error("read", path, error) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not TOML: {error}", hint="correct that place") from error


def _load(folder: Path, parts: Mapping[str, Part]) -> Benchmark:
    folder = folder.absolute()
    path = folder / "benchmark.toml"
    table = _Table.read(path, FORMAT, VERSION)
    language = table.text("language")
    if language not in ("c", "c++"):
        raise UsageError(f'{path}: language = {language!r} is not known: write "c" or "c++"')
    sources = table.texts("sources")
    if not sources:
        raise UsageError(f"{path}: sources is empty", hint="name the translation units")
    for source in sources:
        if not (folder / source).is_file():
            raise UsageError(f"{path}: sources names {source}, which is not there", hint=f"put it into {folder}")
    if folder.name not in parts:
        raise UsageError(f"{folder.parents[1] / 'split.toml'}: {folder.name} is missing", hint="its head has the rule")
    inputs = table.table("inputs")
    benchmark = Benchmark(
        name=folder.name,
        folder=folder,
        kind=table.text("class"),
        stresses=table.text("stresses"),
        licence=table.text("licence"),
        language=language,
        sources=sources,
        flags=table.texts("flags", required=False),
        link_flags=table.texts("link_flags", required=False),
        library=table.text("library", required=False),
        library_sources=table.texts("library_sources", required=False),
        library_flags=table.texts("library_flags", required=False),
        inputs=tuple(_input(inputs.table(name), name) for name in SIZES),
        part=parts[folder.name],
    )
    inputs.nothing_else()
    table.nothing_else()
    return benchmark


def _input(table: _Table, name: str) -> Input:
    given = Input(name, table.texts("arguments"), table.text("stdin", required=False), table.text("expected"))
    table.nothing_else()
    return given


class _Table:
    """A table of a TOML file that is taken apart, key by key; what is wrong is said with file and key."""

    def __init__(self, path: Path, values: Mapping[str, Any], prefix: str = "") -> None:
        self._path = path
        self._values = dict(values)
        self._prefix = prefix

    @classmethod
    def read(cls, path: Path, format_name: str, version: int) -> _Table:
        """The whole file, once format and version are found to be ours."""
        values = read_toml(path)
        found = (values.pop("format", None), values.pop("version", None))
        if found != (format_name, version):
            raise UsageError(
                f"{path}: format and version are {found[0]!r} and {found[1]!r}, only {format_name!r} and {version} "
                f"can be read",
                hint=f'write format = "{format_name}" and version = {version}, or use the version that wrote it',
            )
        return cls(path, values)

    def text(self, key: str, *, required: bool = True) -> str:
        value = self._take(key, "" if not required else None)
        if not isinstance(value, str) or (required and not value):
            raise self._wrong(key, "a text that is not empty")
        return value

    def texts(self, key: str, *, required: bool = True) -> tuple[str, ...]:
        value = self._take(key, [] if not required else None)
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise self._wrong(key, "a list of texts")
        return tuple(value)

    def table(self, key: str) -> _Table:
        value = self._take(key, None)
        if not isinstance(value, dict):
            raise self._wrong(key, "a table")
        return _Table(self._path, value, f"{self._prefix}{key}.")

    def nothing_else(self) -> None:
        """Makes sure that every key was taken."""
        if self._values:
            key = self._prefix + min(self._values)
            raise UsageError(f"{self._path}: {key} is not known", hint="take it out, or correct its spelling")

    def _take(self, key: str, default: object) -> object:
        if key not in self._values and default is None:
            raise UsageError(
                f"{self._path}: {self._prefix}{key} is missing", hint="add it; docs/benchmarks.md says what"
            )
        return self._values.pop(key, default)

    def _wrong(self, key: str, wanted: str) -> UsageError:
        return UsageError(f"{self._path}: {self._prefix}{key} has the wrong type", hint=f"write {wanted}")
