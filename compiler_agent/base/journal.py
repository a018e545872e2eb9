"""The state of long work: a file of JSON lines that only grows, so that an interrupt loses nothing."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from compiler_agent.base.errors import FileError, UsageError
from compiler_agent.base.files import file_error

FORMAT = "cc-agent-bench-journal"
VERSION = 1
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class Journal:
    """What has been found out, by event and key; the last line of a pair counts.

    Args:
        path: The file; made if it is not there.
        settings: What the figures depend on; a journal of other settings is not continued.

    Raises:
        UsageError: The file belongs to a benchmark with other settings.
        FileError: It cannot be read or written, or is no such journal.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._rows: dict[tuple[str, str], dict[str, Any]] = {}
        head = {"format": FORMAT, "version": VERSION, "settings": json.loads(json.dumps(settings))}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lines = path.read_bytes().split(b"\n") if path.exists() else []
            if len(lines) > 1:  # no line end: not even the head was written whole
                self._read(lines, head)
            else:
                path.write_text(json.dumps(head) + "\n", encoding="utf-8")
            # A last line that was cut off does not count, and must not spoil the next.
            if path.read_bytes()[-1:] != b"\n":
                with path.open("ab") as file:
                    file.write(b"\n")
        except OSError as error:
            raise file_error("write", path, error) from error

    def get(self, event: str, key: str) -> dict[str, Any] | None:
        """What was noted, or None."""
        return self._rows.get((event, key))

    def rows(self, event: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """All of an event, with their keys, in the order in which they were first noted."""
        for (name, key), row in list(self._rows.items()):
            if name == event:
                yield key, row

    def note(self, event: str, key: str, **values: object) -> dict[str, Any]:
        """Adds a line; it is in the file when this returns.

        Raises:
            FileError: It could not be written.
        """
        line = json.dumps({"event": event, "key": key, **values}, ensure_ascii=False)
        with self._lock:
            try:
                with self.path.open("a", encoding="utf-8") as file:
                    file.write(line + "\n")
            except OSError as error:
                raise file_error("write", self.path, error) from error
            row: dict[str, Any] = json.loads(line)
            self._rows[event, key] = row
        return row

    def _read(self, lines: list[bytes], head: Mapping[str, Any]) -> None:
        found = _parsed(lines[0])
        if found is None or found.get("format") != FORMAT or found.get("version") != VERSION:
            raise FileError(f"{self.path} is no journal of a benchmark", hint="name another file, or remove this one")
        if found.get("settings") != head["settings"]:
            raise UsageError(
                f"{self.path} belongs to a benchmark with other settings: {json.dumps(found.get('settings'))}",
                hint="repeat those settings to continue it, or name another directory",
            )
        for line in lines[1:]:
            row = _parsed(line)  # a line that an interrupt cut off is done again
            if row is not None and "event" in row and "key" in row:
                self._rows[row["event"], row["key"]] = row


def _parsed(line: bytes) -> dict[str, Any] | None:
    with contextlib.suppress(ValueError):
        row = json.loads(line)
        return row if isinstance(row, dict) else None
    return None


def in_parallel(
    items: Iterable[_Item], work: Callable[[_Item], _Result], jobs: int
) -> Iterator[tuple[_Item, Future[_Result]]]:
    """Works on items as they come, a few ahead, and yields them with their outcome in their own order.

    An interrupt ends it after the items that are being worked on; nothing that is waiting is begun.
    """
    source = iter(items)
    with ThreadPoolExecutor(jobs) as pool:
        waiting = [(item, pool.submit(work, item)) for item in islice(source, 2 * jobs)]
        try:
            while waiting:
                item, future = waiting.pop(0)
                wait([future], return_when=FIRST_COMPLETED)
                yield item, future
                waiting += [(next_item, pool.submit(work, next_item)) for next_item in islice(source, 1)]
        finally:
            for _, future in waiting:
                future.cancel()
