"""Real libraries as workloads: which there are, how each is built and tested, and what its translation units are.

`benchmarks/libraries.toml` says it; `library_fetch` brings the sources, `library_build` runs the commands.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from compiler_agent.base.errors import CompilerAgentError, UsageError
from compiler_agent.evaluation.benchmark import Part, read_toml

LIBRARIES_FILE = Path(__file__).resolve().parents[2] / "benchmarks" / "libraries.toml"


class Origin(enum.Enum):
    """Which registry a library's archive comes from."""

    DEBIAN = "debian"
    """The upstream archive in a Debian source package, through apt."""
    PYPI = "pypi"
    """A source distribution, through pip."""


@dataclass(frozen=True, slots=True)
class Library:
    """One library, pinned, with the commands that build and test it."""

    name: str
    """What we call it."""
    version: str
    """The library's own version."""
    origin: Origin
    """Which registry has the archive."""
    package: str
    """The package's name there."""
    package_version: str
    """The package's version there; empty: any that has the pinned archive."""
    file: str
    """The archive's file name."""
    sha256: str
    """Digest of the archive: 64 lower-case hexadecimal digits."""
    root: PurePosixPath
    """The directory inside the archive that is the library."""
    language: str
    """c or c++: which compiler its translation units are for."""
    system: str
    """Its build system, in a word."""
    part: Part
    """Training or held out."""
    flags: tuple[str, ...]
    """What its own build adds to the user's flags for each translation unit."""
    requires: tuple[tuple[str, str], ...]
    """Programs, or files by absolute path, that the commands need, each with the Debian package that has it."""
    configure: tuple[str, ...]
    """Shell commands that make every generated file; may be empty."""
    build: tuple[str, ...]
    """Shell commands that make `artifacts`."""
    test: tuple[str, ...]
    """Shell commands that run the library's own tests."""
    tests: str
    """What those tests are, in words."""
    artifacts: tuple[str, ...]
    """Archives and objects whose executable sections are counted."""
    sources: tuple[str, ...]
    """File patterns of its translation units."""
    exclude: tuple[str, ...]
    """File patterns that `sources` matches and that are not among them."""
    timeout_s: float
    """Longest time that configure, build or test may take each, in seconds."""
    evaluations: int | None = None
    """Most evaluations that a check spends on each of its units, which are too big or too many for the usual number."""


@dataclass(frozen=True, slots=True)
class TranslationUnit:
    """One source file of a library and how the library's own build compiles it."""

    library: str
    """The library's name."""
    part: Part
    """Training or held out."""
    language: str
    """c or c++."""
    source: str
    """The source file, relative to the library's directory."""
    directory: Path
    """Where to run the compiler: the library's configured directory, absolute."""
    argv: tuple[str, ...]
    """Arguments for clang or clang++: without -c, -o and -O, the source last."""

    @property
    def name(self) -> str:
        """The library and the file, as in "zlib/deflate.c"."""
        return f"{self.library}/{self.source}"


_TEXTS = ("name", "version", "package", "file", "sha256", "root", "language", "system", "tests", "origin", "part")
_LISTS = ("configure", "build", "test", "artifacts", "sources")
_Member = TypeVar("_Member", bound=enum.Enum)
_OPTIONAL = ("package_version", "flags", "requires", "exclude", "timeout_s", "evaluations")


def load(path: Path = LIBRARIES_FILE) -> tuple[Library, ...]:
    """Reads and checks the list of libraries, in its order.

    Raises:
        UsageError: The file is not TOML, or an entry is wrong; the message names entry and field.
        FileError: It cannot be read.
    """
    entries = read_toml(path).get("library")
    if not isinstance(entries, list) or not entries:
        raise UsageError(f"{path}: lists no [[library]]")
    libraries = tuple(_parse(entry, f"{path.name}, library {i + 1}") for i, entry in enumerate(entries))
    names = [library.name for library in libraries]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"{path}: the library {name} is listed twice")
    return libraries


def select(libraries: Iterable[Library], names: Iterable[str]) -> tuple[Library, ...]:
    """The libraries of these names, in the list's order; all if no name is given.

    Raises:
        UsageError: There is no library of that name.
    """
    known = {library.name: library for library in libraries}
    wanted = set(names)
    for name in sorted(wanted - known.keys()):
        raise UsageError(f"there is no library {name!r}", hint=f"one of: {', '.join(known)}")
    return tuple(library for library in known.values() if not wanted or library.name in wanted)


def translation_units(library: Library, directory: Path) -> list[TranslationUnit]:
    """The library's translation units, sorted by source.

    Args:
        library: The library.
        directory: Its sources, after `configure` (see `library_build.configure`): generated files are there.

    Raises:
        CompilerAgentError: A pattern matches no file: the entry and the sources do not belong together.
    """
    directory = directory.absolute()
    excluded = {path for pattern in library.exclude for path in directory.glob(pattern)}
    found: set[str] = set()
    for pattern in library.sources:
        matches = {path.relative_to(directory).as_posix() for path in directory.glob(pattern) if path not in excluded}
        if not matches:
            raise CompilerAgentError(
                f"{library.name} {library.version}: no file matches {pattern!r} in {directory}",
                hint=f"configure the library first, or correct `sources` of {library.name} in libraries.toml",
            )
        found |= matches
    return [
        TranslationUnit(
            library=library.name,
            part=library.part,
            language=library.language,
            source=source,
            directory=directory,
            argv=(*library.flags, source),
        )
        for source in sorted(found)
    ]


def _parse(entry: Mapping[str, Any], where: str) -> Library:
    if isinstance(entry.get("name"), str):
        where = f"{where} ({entry['name']})"
    missing = [key for key in (*_TEXTS, *_LISTS) if key not in entry]
    unknown = sorted(set(entry) - {*_TEXTS, *_LISTS, *_OPTIONAL})
    if missing or unknown:
        raise UsageError(f"{where}: missing: {', '.join(missing) or 'none'}; unknown: {', '.join(unknown) or 'none'}")
    for key in _TEXTS:
        if not isinstance(entry[key], str) or not entry[key]:
            raise UsageError(f"{where}: {key} must be a text that is not empty")
    digest = entry["sha256"]
    if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise UsageError(f"{where}: sha256 must be 64 lower-case hexadecimal digits")
    for key in ("root", "file"):
        path = PurePosixPath(entry[key])
        if path.is_absolute() or ".." in path.parts or (key == "file" and len(path.parts) != 1):
            raise UsageError(f"{where}: {key} = {entry[key]!r} leads out of its place")
    if entry["language"] not in ("c", "c++"):
        raise UsageError(f'{where}: language must be "c" or "c++"')
    origin = _member(Origin, entry["origin"], f"{where}: origin")
    if origin is Origin.PYPI and not entry.get("package_version"):
        raise UsageError(f"{where}: package_version is missing, which pypi needs")
    return Library(
        name=entry["name"],
        version=entry["version"],
        origin=origin,
        package=entry["package"],
        package_version=str(entry.get("package_version", "")),
        file=entry["file"],
        sha256=digest,
        root=PurePosixPath(entry["root"]),
        language=entry["language"],
        system=entry["system"],
        part=_member(Part, entry["part"], f"{where}: part"),
        flags=_texts(entry, "flags", where),
        requires=tuple(sorted((str(need), str(package)) for need, package in entry.get("requires", {}).items())),
        configure=_texts(entry, "configure", where),
        build=_texts(entry, "build", where, empty=False),
        test=_texts(entry, "test", where, empty=False),
        tests=entry["tests"],
        artifacts=_texts(entry, "artifacts", where, empty=False),
        sources=_texts(entry, "sources", where, empty=False),
        exclude=_texts(entry, "exclude", where),
        timeout_s=_seconds(entry.get("timeout_s", 300), where),
        evaluations=_count(entry.get("evaluations"), where),
    )


def _member(kind: type[_Member], text: str, what: str) -> _Member:
    try:
        return kind(text)
    except ValueError:
        known = ", ".join(str(member.value) for member in kind)
        raise UsageError(f"{what} = {text!r} is not known", hint=f"one of: {known}") from None


def _texts(entry: Mapping[str, Any], key: str, where: str, *, empty: bool = True) -> tuple[str, ...]:
    value = entry.get(key, [])
    if not isinstance(value, list) or any(not isinstance(text, str) for text in value) or not (value or empty):
        raise UsageError(f"{where}: {key} must be a list of texts" + ("" if empty else " that is not empty"))
    return tuple(value)


def _seconds(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise UsageError(f"{where}: timeout_s must be a positive number of seconds")
    return float(value)


def _count(value: object, where: str) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value <= 0):
        raise UsageError(f"{where}: evaluations must be a positive whole number")
    return value
