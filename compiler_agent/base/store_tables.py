"""The tables of the store, and what their rows are in Python."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, fields

SCHEMA_VERSION = 2
"""1: evaluations. 2: units besides."""
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


COLUMNS = tuple(field.name for field in fields(StoredEvaluation))
UNIT_COLUMNS = tuple(field.name for field in fields(StoredUnit))
FIGURES = ("text_bytes", "object_bytes", "ir_instructions")
BEST_PLANS = """
SELECT key, target, source, features, plan, gain FROM (
    SELECT key, target, source, features, plan, CAST(units.{figure} AS REAL) / evaluations.{figure} AS gain,
        row_number() OVER (PARTITION BY key ORDER BY evaluations.{figure}, length(plan), plan_sha256) AS rank
    FROM units JOIN evaluations USING (key, toolchain)
    WHERE toolchain = ? AND outcome = ? AND evaluations.{figure} BETWEEN 1 AND units.{figure} - 1
) WHERE rank <= ? ORDER BY key, rank
"""


def add_tables(connection: sqlite3.Connection, version: int) -> None:
    """Brings a store of an earlier version, 0 for an empty one, to ours; what is in it stays."""
    for table in _TABLES[version:]:
        connection.execute(table)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def insertion(table: str, columns: Sequence[str]) -> str:
    """The statement that puts a row, in place of one with the same key."""
    return f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' for _ in columns)})"
