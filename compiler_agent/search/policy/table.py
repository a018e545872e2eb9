"""The table that the policy learns from: what plans made of the units of the training part.

It is a journal of JSON lines, so that collecting can be interrupted and goes on. What is not of the training part is
refused when the table is read, whoever wrote it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compiler_agent.base.errors import UsageError
from compiler_agent.base.journal import Journal
from compiler_agent.evaluation.benchmark import Part, load_all
from compiler_agent.evaluation.evaluate import Objective
from compiler_agent.evaluation.libraries import load as load_libraries
from compiler_agent.llvm.plan import Plan
from compiler_agent.search.policy.edits import Tried
from compiler_agent.search.strategies import read_coreset

SEARCHED, TRIED = "searched", "tried"
"""Events of the journal: a unit was searched; plans found elsewhere were tried on it."""
OBJECTIVES = (Objective.TEXT_BYTES, Objective.OBJECT_BYTES, Objective.IR_INSTRUCTIONS)
"""In the order in which figures stand in the table."""
PROGRAMS, LIBRARIES = "benchmark://programs-v0/", "benchmark://libs-v0/"
_WHOLE = "benchmark://whole-v0/"
_MOST_CANDIDATES = 48

Figures = tuple[int, int, int]
"""Of OBJECTIVES."""


@dataclass(frozen=True, slots=True)
class UnitRow:
    """One unit of the training part."""

    uri: str
    """As the environment takes it."""
    digest: str
    """SHA-256 of its source, 64 hexadecimal digits."""
    features: tuple[int, ...]
    """InstCount (70) and Autophase (56) before optimization."""
    baseline: Figures
    """Of clang -Oz."""
    outcomes: Mapping[str, Figures | None]
    """By a plan's text: its figures; None where it failed."""
    found: str
    """The best plan that a search found here; empty: none was better than the seed plans."""
    gain: float
    """The best seed plan's bytes divided by that plan's; 1 where there is none."""
    search: tuple[Tried, ...]
    """The plans of that search in their order."""

    @property
    def group(self) -> str:
        """The program or library that it belongs to: units of one are alike, and are left out together."""
        return group_of(self.uri)


def group_of(uri: str) -> str:
    """The program or library of a unit."""
    return uri.removeprefix(PROGRAMS).removeprefix(LIBRARIES).partition("/")[0]


def training_groups() -> frozenset[str]:
    """The programs and libraries that may be learned from, by `split.toml` and `libraries.toml`."""
    programs = {one.name for one in load_all() if one.part is Part.TRAINING and not one.library}
    return frozenset(programs | {one.name for one in load_libraries() if one.part is Part.TRAINING})


def learned_from(uris: Iterable[str]) -> list[str]:
    """Those benchmarks whose program or library may be learned from: what was learned is not tested by them."""
    groups = training_groups()
    return [uri for uri in uris if group_of(uri.removeprefix(_WHOLE)) in groups]


def check_training(uris: Iterable[str]) -> None:
    """Refuses units that must not be learned from.

    Raises:
        UsageError: One of them is held out, or is no unit of the repository's own.
    """
    allowed = training_groups()
    for uri in uris:
        if not uri.startswith((PROGRAMS, LIBRARIES)) or group_of(uri) not in allowed:
            raise UsageError(
                f"{uri} is not of the training part, and nothing may be learned from it",
                hint="benchmarks/split.toml and benchmarks/libraries.toml say what is; collect into a new table",
            )


def read(journal: Journal) -> list[UnitRow]:
    """All units that were searched, in that order, with every plan that was tried on each.

    Raises:
        UsageError: One of them is not of the training part.
    """
    searched = dict(journal.rows(SEARCHED))
    check_training(searched)
    tried: dict[str, dict[str, Figures | None]] = {uri: {} for uri in searched}
    for key, row in journal.rows(TRIED):
        uri, _, _ = key.partition("#")
        if uri in tried:
            tried[uri].update(_figures(row["outcomes"]))
    rows = []
    for uri, row in searched.items():
        seeds = _figures(row["outcomes"])
        search = tuple(Tried(parent, value, tuple(words)) for parent, value, words in row["search"])
        baseline = row["baseline"][0], row["baseline"][1], row["baseline"][2]
        rows.append(
            UnitRow(
                uri,
                row["digest"],
                tuple(row["features"]),
                baseline,
                {**seeds, **tried[uri]},
                row["found"],
                row["gain"],
                search,
            )
        )
    return rows


def candidates(rows: Sequence[UnitRow], most: int = _MOST_CANDIDATES) -> list[Plan]:
    """Plans that are worth trying on every unit: those that gained most where they were found, one of each unit."""
    found = sorted((row for row in rows if row.gain > 1), key=lambda row: (-row.gain, row.uri))
    texts = dict.fromkeys(row.found for row in found)
    return [Plan.parse(text) for text in list(texts)[:most]]


def origins(rows: Sequence[UnitRow]) -> dict[str, frozenset[str]]:
    """By a plan's text: the programs and libraries that it was found on."""
    found: dict[str, frozenset[str]] = {str(plan): _CORESET_GROUPS for plan in read_coreset()}
    for row in rows:
        if row.found:
            found[row.found] = found.get(row.found, frozenset()) | {row.group}
    return found


_CORESET_GROUPS = frozenset({"zlib", "lua", "expat"})
"""What the seed plans of passes/pipelines/size.txt were chosen on."""


def tried_key(uri: str, plans: Sequence[Plan]) -> str:
    """The journal's key for some plans on a unit: other plans are another row."""
    digest = hashlib.sha256("\n".join(map(str, plans)).encode()).hexdigest()
    return f"{uri}#{digest[:16]}"


def settings_of(budget: int, seed: int, llvm: str) -> dict[str, Any]:
    """What a table's figures depend on."""
    seeds = hashlib.sha256("\n".join(map(str, read_coreset())).encode()).hexdigest()
    return {"what": "policy-table-v1", "budget": budget, "seed": seed, "llvm": llvm, "seed_plans": seeds}


def open_table(path: Path, budget: int, seed: int, llvm: str) -> Journal:
    """The table of some settings, new if it is not there.

    Raises:
        UsageError: The file is a table of other settings.
    """
    return Journal(path, settings_of(budget, seed, llvm))


def _figures(outcomes: Mapping[str, Sequence[int] | None]) -> dict[str, Figures | None]:
    return {text: (one[0], one[1], one[2]) if one else None for text, one in outcomes.items()}
