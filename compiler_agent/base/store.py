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
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from compiler_agent.base.errors import StoreError
from compiler_agent.base.lock_format import ESTABLISHED
from compiler_agent.base.store_tables import (
    BEST_PLANS,
    COLUMNS,
    FIGURES,
    SCHEMA_VERSION,
    UNIT_COLUMNS,
    StoredEvaluation,
    StoredOutcome,
    StoredUnit,
    add_tables,
    insertion,
)

FILE_NAME = "evaluations.sqlite"
BUSY_TIMEOUT_S = 30.0
# "cc-a" as a number: tells our database from anybody else's.
_APPLICATION_ID = 0x63632D61
_Result = TypeVar("_Result")


class StoreWarning(UserWarning):
    """The store on disk cannot be used; evaluations are kept in memory."""


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
        add_tables(connection, 0)
        return cls(connection, None)

    @property
    def path(self) -> Path | None:
        """The file; None: it is in memory."""
        return self._path

    def put_many(self, evaluations: Iterable[StoredEvaluation]) -> None:
        """Keeps evaluations, all or none; of two for the same key, toolchain and plan the later stays."""
        rows = [tuple(getattr(evaluation, name) for name in COLUMNS) for evaluation in evaluations]

        def put(connection: sqlite3.Connection) -> None:
            with _transaction(connection):
                connection.executemany(insertion("evaluations", COLUMNS), rows)

        self._do(put)

    def put_unit(self, unit: StoredUnit) -> None:
        """Keeps a unit; of two for the same key and toolchain the later stays."""
        row = [getattr(unit, name) for name in UNIT_COLUMNS]
        row[UNIT_COLUMNS.index("features")] = json.dumps(unit.features)
        self._do(lambda connection: connection.execute(insertion("units", UNIT_COLUMNS), row))

    def best_plans(self, toolchain: str, figure: str, n_plans: int) -> list[StoredOutcome]:
        """The plans that made each unit smallest and may be kept, in order of the units' keys, the best first.

        Args:
            toolchain: `Toolchain.digest`.
            figure: What was made smaller: text_bytes, object_bytes or ir_instructions.
            n_plans: Most plans of one unit.

        Raises:
            ValueError: There is no such figure.
        """
        if figure not in FIGURES:
            raise ValueError(f"{figure!r} is not one of {', '.join(FIGURES)}")
        rows = self._do(
            lambda connection: connection.execute(
                BEST_PLANS.format(figure=figure), (toolchain, ESTABLISHED, n_plans)
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
        query = f"SELECT {', '.join(COLUMNS)} FROM evaluations WHERE {condition} ORDER BY plan_sha256"
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
    add_tables(connection, version)


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
    for table, columns in (("units", UNIT_COLUMNS), ("evaluations", COLUMNS)):
        for row in source.execute(f"SELECT {', '.join(columns)} FROM {table}"):
            target.execute(insertion(table, columns), row)


def _warn(path: Path, error: Exception) -> None:
    warnings.warn(
        f"{path}: {error}; evaluations are kept in memory and forgotten at the end, plans still go into the lock. "
        "Free some space, remove the file if it is damaged, or name another directory with CC_AGENT_CACHE.",
        StoreWarning,
        stacklevel=4,
    )
