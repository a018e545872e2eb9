"""What was learned, kept in SQLite: evaluations, and the units they were made of; several processes write at once.

The store saves time and nothing else: a plan that is worth keeping is in the lock. So a store that cannot be opened
(read-only, damaged, on a full disk) becomes one in memory, with a warning, and the work goes on.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeVar

from compiler_agent.base.errors import StoreError
from compiler_agent.base.lock_format import ESTABLISHED

FILE_NAME = "evaluations.sqlite"
SCHEMA_VERSION = 2
"""1: evaluations. 2: units besides."""
BUSY_TIMEOUT_S = 30.0
# "cc-a" as a number: tells our database from anybody else's.
_APPLICATION_ID = 0x63632D61
_EVALUATIONS = """
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
_UNITS = """
CREATE TABLE units (
    key TEXT NOT NULL,
    toolchain TEXT NOT NULL,
    target TEXT NOT NULL,
    source TEXT NOT NULL,
    features TEXT NOT NULL,
    text_bytes INTEGER,
    object_bytes INTEGER,
    ir_instructions INTEGER,
    created TEXT NOT NULL,
    PRIMARY KEY (key, toolchain)
) WITHOUT ROWID
"""
_TABLES = (_EVALUATIONS, _UNITS)
"""By the version that brought them."""
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


@dataclass(frozen=True, slots=True)
class StoredUnit:
    """A translation unit that plans were tried on, as it is before optimization, and what clang makes of it."""

    key: str
    """The module's key."""
    toolchain: str
    """`Toolchain.digest`."""
    target: str
    """The target triple."""
    source: str
    """The source file when it was tuned; for people."""
    features: tuple[int, ...]
    """What the module is made of: `Engine.features`."""
    text_bytes: int | None
    """The baseline's executable sections, in bytes; None: not measured."""
    object_bytes: int | None
    """The baseline's whole object, in bytes; None: not measured."""
    ir_instructions: int | None
    """The baseline's IR instructions; None: not counted."""
    created: str
    """When, as ISO 8601 in UTC; the caller's clock."""


@dataclass(frozen=True, slots=True)
class StoredOutcome:
    """A plan that made a unit smaller."""

    key: str
    """The module's key."""
    target: str
    """The target triple."""
    source: str
    """The source file when it was tuned."""
    features: tuple[int, ...]
    """What the module is made of: `Engine.features`."""
    plan: str
    """The plan's canonical text."""
    gain: float
    """Baseline divided by what the plan gave, above 1."""


_COLUMNS = tuple(field.name for field in fields(StoredEvaluation))
_UNIT_COLUMNS = tuple(field.name for field in fields(StoredUnit))
_FIGURES = ("text_bytes", "object_bytes", "ir_instructions")
_BEST_PLANS = """
SELECT key, target, source, features, plan, gain FROM (
    SELECT key, target, source, features, plan, CAST(units.{figure} AS REAL) / evaluations.{figure} AS gain,
        row_number() OVER (PARTITION BY key ORDER BY evaluations.{figure}, length(plan), plan_sha256) AS rank
    FROM units JOIN evaluations USING (key, toolchain)
    WHERE toolchain = ? AND outcome = ? AND evaluations.{figure} BETWEEN 1 AND units.{figure} - 1
) WHERE rank <= ? ORDER BY key, rank
"""


class Store:
    """Tables of evaluations and units, in a file or in memory. Its methods may be called from any thread."""

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
        _add_tables(connection, 0)
        return cls(connection, None)

    @property
    def path(self) -> Path | None:
        """The file; None: it is in memory."""
        return self._path

    def put_many(self, evaluations: Iterable[StoredEvaluation]) -> None:
        """Keeps evaluations, all or none; of two for the same key, toolchain and plan the later stays."""
        rows = [tuple(getattr(evaluation, name) for name in _COLUMNS) for evaluation in evaluations]

        def put(connection: sqlite3.Connection) -> None:
            with _transaction(connection):
                connection.executemany(_insertion("evaluations", _COLUMNS), rows)

        self._do(put)

    def put_unit(self, unit: StoredUnit) -> None:
        """Keeps a unit; of two for the same key and toolchain the later stays."""
        row = [getattr(unit, name) for name in _UNIT_COLUMNS]
        row[_UNIT_COLUMNS.index("features")] = json.dumps(unit.features)
        self._do(lambda connection: connection.execute(_insertion("units", _UNIT_COLUMNS), row))

    def best_plans(self, toolchain: str, figure: str, n_plans: int) -> list[StoredOutcome]:
        """The plans that made each unit smallest and may be kept, in order of the units' keys, the best first.

        Args:
            toolchain: `Toolchain.digest`.
            figure: What was made smaller: text_bytes, object_bytes or ir_instructions.
            n_plans: Most plans of one unit.

        Raises:
            ValueError: There is no such figure.
        """
        if figure not in _FIGURES:
            raise ValueError(f"{figure!r} is not one of {', '.join(_FIGURES)}")
        rows = self._do(
            lambda connection: connection.execute(
                _BEST_PLANS.format(figure=figure), (toolchain, ESTABLISHED, n_plans)
            ).fetchall()
        )
        return [
            StoredOutcome(key, target, source, tuple(json.loads(features)), plan, gain)
            for key, target, source, features, plan, gain in rows
        ]

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
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    elif application != _APPLICATION_ID:
        raise sqlite3.DatabaseError("it is a database of another program")
    elif version > SCHEMA_VERSION:
        raise StoreError(
            f"{path}: version {version} of the store; this cc-agent knows up to {SCHEMA_VERSION}",
            hint="install a newer cc-agent, or name another directory with CC_AGENT_CACHE",
        )
    _add_tables(connection, version)


def _add_tables(connection: sqlite3.Connection, version: int) -> None:
    """Brings a store of an earlier version, 0 for an empty one, to ours; what is in it stays."""
    for table in _TABLES[version:]:
        connection.execute(table)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _insertion(table: str, columns: Sequence[str]) -> str:
    return f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' for _ in columns)})"


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
    for table, columns in (("units", _UNIT_COLUMNS), ("evaluations", _COLUMNS)):
        for row in source.execute(f"SELECT {', '.join(columns)} FROM {table}"):
            target.execute(_insertion(table, columns), row)


def _warn(path: Path, error: Exception) -> None:
    warnings.warn(
        f"{path}: {error}; evaluations are kept in memory and forgotten at the end, plans still go into the lock. "
        "Free some space, remove the file if it is damaged, or name another directory with CC_AGENT_CACHE.",
        StoreWarning,
        stacklevel=4,
    )
