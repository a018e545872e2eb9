"""Evaluations that were made, kept in SQLite so that they need not be made again; several processes write at once.

The store saves time and nothing else: a plan that is worth keeping is in the lock. So a store that cannot be opened
(read-only, damaged, on a full disk) becomes one in memory, with a warning, and the work goes on.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeVar

from compiler_agent.base.errors import StoreError

FILE_NAME = "evaluations.sqlite"
SCHEMA_VERSION = 1
BUSY_TIMEOUT_S = 30.0
# "cc-a" as a number: tells our database from anybody else's.
_APPLICATION_ID = 0x63632D61
_SCHEMA = """
CREATE TABLE evaluations (
    key TEXT NOT NULL,
    toolchain TEXT NOT NULL,
    plan_sha256 TEXT NOT NULL,
    plan TEXT NOT NULL,
    outcome TEXT NOT NULL,
    message TEXT NOT NULL,
    text_bytes INTEGER,
    object_bytes INTEGER,
    ir_instructions INTEGER,
    seconds REAL NOT NULL,
    created TEXT NOT NULL,
    PRIMARY KEY (key, toolchain, plan_sha256)
) WITHOUT ROWID
"""
_Result = TypeVar("_Result")


class StoreWarning(UserWarning):
    """The store on disk cannot be used; evaluations are kept in memory."""


@dataclass(frozen=True, slots=True)
class StoredEvaluation:
    """One plan tried on one module with one toolchain."""

    key: str
    """The module's key."""
    toolchain: str
    """`Toolchain.digest`."""
    plan_sha256: str
    """SHA-256 of the plan's canonical text, in hexadecimal."""
    plan: str
    """The plan's canonical text."""
    outcome: str
    """How it ended: the value of the enum of the layer that judged it."""
    message: str
    """What LLVM said, if it said something; else empty."""
    text_bytes: int | None
    """Executable sections of the object, in bytes; None: there is no object."""
    object_bytes: int | None
    """The whole object, in bytes; None: there is no object."""
    ir_instructions: int | None
    """Instructions of the optimized IR; None: not counted."""
    seconds: float
    """What it took, on the clock."""
    created: str
    """When, as ISO 8601 in UTC; the caller's clock."""


_COLUMNS = tuple(field.name for field in fields(StoredEvaluation))


class Store:
    """A table of evaluations, in a file or in memory. Its methods may be called from any thread."""

    def __init__(self, connection: sqlite3.Connection, path: Path | None) -> None:
        self._connection = connection
        self._path = path
        self._turn = threading.Lock()

    @classmethod
    def open(cls, directory: str | os.PathLike[str]) -> Store:
        """Opens the store in a directory, which is created if need be.

        A store that cannot be used for any reason but its version is replaced by one in memory, with a `StoreWarning`
        that says which file, why, and what to do.

        Raises:
            StoreError: A newer version of this project wrote it.
        """
        path = Path(directory) / FILE_NAME
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            return cls(_open_file(path), path)
        except (OSError, sqlite3.Error) as error:
            _warn(path, error)
            return cls.in_memory()

    @classmethod
    def in_memory(cls) -> Store:
        """An empty store that is gone when it is closed."""
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        connection.execute(_SCHEMA)
        return cls(connection, None)

    @property
    def path(self) -> Path | None:
        """The file; None: it is in memory."""
        return self._path

    def put_many(self, evaluations: Iterable[StoredEvaluation]) -> None:
        """Keeps evaluations, all or none; of two for the same key, toolchain and plan the later stays."""
        rows = [tuple(getattr(evaluation, name) for name in _COLUMNS) for evaluation in evaluations]
        places = ", ".join("?" for _ in _COLUMNS)

        def put(connection: sqlite3.Connection) -> None:
            with _transaction(connection):
                connection.executemany(
                    f"INSERT OR REPLACE INTO evaluations ({', '.join(_COLUMNS)}) VALUES ({places})", rows
                )

        self._do(put)

    def get(self, key: str, toolchain: str, plan_sha256: str) -> StoredEvaluation | None:
        """What is known of one plan on one module; None: nothing."""
        found = self._select("key = ? AND toolchain = ? AND plan_sha256 = ?", (key, toolchain, plan_sha256))
        return found[0] if found else None

    def all_for(self, key: str, toolchain: str) -> list[StoredEvaluation]:
        """What is known of one module, in order of the plans' digests."""
        return self._select("key = ? AND toolchain = ?", (key, toolchain))

    def __len__(self) -> int:
        return int(self._do(lambda connection: connection.execute("SELECT count(*) FROM evaluations").fetchone()[0]))

    def close(self) -> None:
        """Closes the file; the store cannot be used any more."""
        with self._turn:
            self._connection.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _select(self, condition: str, values: tuple[str, ...]) -> list[StoredEvaluation]:
        query = f"SELECT {', '.join(_COLUMNS)} FROM evaluations WHERE {condition} ORDER BY plan_sha256"
        rows = self._do(lambda connection: connection.execute(query, values).fetchall())
        return [StoredEvaluation(*row) for row in rows]

    def _do(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
        with self._turn:
            try:
                return work(self._connection)
            except (sqlite3.OperationalError, sqlite3.DatabaseError) as error:
                if self._path is None:
                    raise StoreError(f"the store in memory: {error}") from error
                # The disk became full, or read-only, or the file was damaged while we were at it.
                _warn(self._path, error)
                replacement = Store.in_memory()
                with contextlib.suppress(sqlite3.Error):
                    _copy(self._connection, replacement._connection)
                with contextlib.suppress(sqlite3.Error):
                    self._connection.close()
                self._connection, self._path = replacement._connection, None
                return work(self._connection)


def _open_file(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    try:
        connection.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}")
        with _transaction(connection):
            _prepare(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        # A power cut may lose the last evaluations, never the database.
        connection.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if application == 0 and version == 0 and tables == 0:
        connection.execute(_SCHEMA)
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    elif application != _APPLICATION_ID:
        raise sqlite3.DatabaseError("it is a database of another program")
    elif version > SCHEMA_VERSION:
        raise StoreError(
            f"{path}: version {version} of the store; this cc-agent knows up to {SCHEMA_VERSION}",
            hint="install a newer cc-agent, or name another directory with CC_AGENT_CACHE",
        )


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    # IMMEDIATE: it waits for its turn at the beginning. A transaction that begins by reading fails at once instead
    # when somebody else has written in between, whatever the timeout.
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _copy(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    columns = ", ".join(_COLUMNS)
    places = ", ".join("?" for _ in _COLUMNS)
    for row in source.execute(f"SELECT {columns} FROM evaluations"):
        target.execute(f"INSERT OR REPLACE INTO evaluations ({columns}) VALUES ({places})", row)


def _warn(path: Path, error: Exception) -> None:
    warnings.warn(
        f"{path}: {error}; evaluations are kept in memory and forgotten at the end, plans still go into the lock. "
        "Free some space, remove the file if it is damaged, or name another directory with CC_AGENT_CACHE.",
        StoreWarning,
        stacklevel=4,
    )
