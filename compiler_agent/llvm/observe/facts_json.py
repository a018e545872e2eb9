"""Reads what the native library says of a module (`passes/plugin/module_summary.h`) into the values of `facts`."""

from __future__ import annotations

import json
from typing import Any

from compiler_agent.llvm.observe.facts import (
    Access,
    Call,
    Carried,
    Dependences,
    Exit,
    Function,
    Loop,
    LoopFacts,
    Pair,
    SimplifiedIR,
    Summary,
    Switch,
)


def read_summary(text: str) -> Summary:
    """Reads the library's JSON."""
    row = json.loads(text)
    return Summary(
        source=row["source"],
        triple=row["triple"],
        instructions=row["instructions"],
        library_functions=frozenset(row["library_functions"]),
        symbols=tuple(row["symbols"]),
        functions=tuple(map(_function, row["functions"])),
        simplified={name: SimplifiedIR(**one) for name, one in row["simplified"].items()},
    )


def _function(row: dict[str, Any]) -> Function:
    return Function(
        name=row["name"],
        local=row["local"],
        discardable=row["discardable"],
        file=row.get("file", ""),
        line=row.get("line", 0),
        instructions=row["instructions"],
        cpu=row["cpu"],
        attributes=tuple(row["attributes"]),
        irreducible_lines=tuple(row["irreducible_lines"]),
        calls=tuple(Call(**call) for call in row["calls"]),
        executed_instructions=row.get("executed_instructions"),
        loops=tuple(map(_loop, row["loops"])),
    )


def _loop(row: dict[str, Any]) -> Loop:
    facts = row.get("facts")
    return Loop(
        position=row["position"],
        depth=row["depth"],
        parent=row.get("parent"),
        first_line=row["first_line"],
        last_line=row["last_line"],
        facts=_facts(facts) if facts else None,
    )


def _facts(row: dict[str, Any]) -> LoopFacts:
    dependences = row.get("dependences")
    return LoopFacts(
        header=row["header"],
        innermost=row["innermost"],
        blocks=row["blocks"],
        instructions=row["instructions"],
        trip_count=row.get("trip_count"),
        trip_count_max=row.get("trip_count_max"),
        trips=row.get("trips", ""),
        exits=tuple(Exit(**one) for one in row["exits"]),
        carried=tuple(Carried(**one) for one in row["carried"]),
        accesses=tuple(Access(**{**one, "strides": tuple(one["strides"])}) for one in row["accesses"]),
        calls=tuple(Call(**one) for one in row["calls"]),
        switches=tuple(Switch(**one) for one in row["switches"]),
        dependences=_dependences(dependences) if dependences else None,
    )


def _dependences(row: dict[str, Any]) -> Dependences:
    return Dependences(
        vectorizable=row["vectorizable"],
        reason=row.get("reason", ""),
        safe_bits=row.get("safe_bits"),
        runtime_checks=row["runtime_checks"],
        compared=tuple(row["compared"]),
        pairs=tuple(Pair(one["type"], one["from"], one["to"]) for one in row["pairs"]),
    )
