"""Records of compilations: what the launcher notes of each translation unit so that it can be tuned later."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compiler_agent.base.config import user_cache_directory
from compiler_agent.base.errors import CompilerAgentError, UsageError
from compiler_agent.base.files import file_error, write_atomically
from compiler_agent.llvm.launcher import described

FORMAT = "cc-agent-record"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Record:
    """One translation unit, as it was compiled."""

    cwd: str
    """The working directory."""
    source: str
    """The source file, as it was given."""
    objective: str
    """size or speed."""
    argv: tuple[str, ...]
    """The clang command that writes its object to standard output."""
    key: str | None = None
    """The lock's key, where the launcher knew it."""

    @property
    def has_source(self) -> bool:
        """Whether its source is still there: what a build generates, it may remove."""
        return (Path(self.cwd) / self.source).is_file()

    def to_json(self) -> dict[str, Any]:
        """As the launcher writes it."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "cwd": self.cwd,
            "source": self.source,
            "objective": self.objective,
            "tune_argv": list(self.argv),
            "key": self.key,
        }


def parse_record(text: str) -> Record:
    """Reads one line of a record file.

    Raises:
        UsageError: It is not a record of this version.
    """
    try:
        row = json.loads(text)
        if row["format"] != FORMAT or row["version"] != VERSION:
            raise UsageError(f"a record of format {row['format']!r} version {row['version']}, not {FORMAT!r} {VERSION}")
        return Record(
            row["cwd"], row["source"], row["objective"], tuple(map(str, row["tune_argv"] or ())), row.get("key") or None
        )
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"not a compilation record: {text[:120]!r}", hint="records are written with CC_AGENT_MODE=record"
        ) from error


def read_records(path: Path) -> list[Record]:
    """The tunable compilations of a record file, the last one of each command; units of one key are one."""
    try:
        lines = path.read_text(errors="surrogateescape").splitlines()
    except OSError as error:
        raise file_error("read", path, error) from error
    unique: dict[object, Record] = {}
    for record in map(parse_record, filter(str.strip, lines)):
        if record.argv:
            unique[record.key or (record.cwd, record.argv)] = record
    return list(unique.values())


def describe(arguments: Sequence[str], cwd: str | os.PathLike[str] | None = None) -> list[Record]:
    """The translation units of a compiler command, as the launcher understands it; nothing is run.

    Raises:
        UsageError: The launcher cannot tune that command; it says why.
    """
    row = described(arguments, cwd)
    found = records_of(row, cwd or os.getcwd())
    if not found:
        words = [word for word in arguments if not word.startswith("-O-agent")]  # added by us
        raise UsageError(
            f"nothing to tune in: {shlex.join(words) or 'an empty command'}",
            hint=row.get("reason") or "name a C or C++ source to compile",
        )
    return found


def records_of(row: Mapping[str, Any], cwd: str | os.PathLike[str]) -> list[Record]:
    """The translation units in what the launcher described, without those that it cannot tune."""
    return [
        Record(os.fspath(cwd), source["path"], row["objective"] or "size", tuple(source["tune_argv"]))
        for source in row["sources"]
        if source.get("tune_argv")
    ]


def remember(records: Iterable[tuple[str, Record]]) -> None:
    """Keeps the commands of tuned units in the user's cache, by key, so that `verify` and `explain` find them."""
    for key, record in records:
        # Equal code in two places has one key and two commands; either serves as long as its directory is there.
        directory = user_cache_directory() / "records" / key
        name = hashlib.sha256(os.fsencode(record.cwd)).hexdigest()[:16]
        try:
            directory.mkdir(parents=True, exist_ok=True)
            write_atomically(directory / f"{name}.json", json.dumps(record.to_json()).encode(errors="surrogateescape"))
        except (OSError, CompilerAgentError):
            return  # a convenience: without it `verify` asks for the build command


def recall(key: str) -> Record | None:
    """A command that was kept for a key and whose source is still there, if any."""
    for path in sorted((user_cache_directory() / "records" / key).glob("*.json")):
        try:
            record = parse_record(path.read_text(errors="surrogateescape"))
        except (OSError, UsageError):
            continue
        if record.has_source:
            return record
    return None
