"""What a language model may propose, and nothing else: plans in the closed grammar over the catalog.

A proposal is an edit list over an earlier plan, or a whole pipeline; with options and decisions. Whatever it says, what
comes out is a `Plan` that the catalog takes, or a named fault.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from compiler_agent.base.errors import CompilerAgentError, PlanError
from compiler_agent.llvm import pipeline_edit
from compiler_agent.llvm.catalog import Catalog
from compiler_agent.llvm.pipeline import Adaptor, Level, Node, Pass, Path, Pipeline, walk
from compiler_agent.llvm.plan import Plan
from compiler_agent.search.chat import one_line
from compiler_agent.search.observing import Names, said, strict_object
from compiler_agent.search.space import Space

TOOL = "propose_plans"
_TEXT_LIMIT = 400
_EDITS = ("delete", "insert-before", "insert-after", "replace", "set-parameter")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A plan that a language model proposed."""

    plan: Plan
    """The plan."""
    expected: str
    """What effect the model expects; printable, one line."""
    rationale: str
    """Why; printable, one line."""


def tool(space: Space) -> dict[str, Any]:
    """`propose_plans`, as the Messages API wants it; its enumerations are the catalog's."""
    text = {"type": "string"}
    edit = strict_object(
        {
            "do": {"type": "string", "enum": list(_EDITS)},
            "at": {"type": "string", "description": "NAME#K: the K-th node of that name in the parent's pipeline."},
            "pass": {
                "type": "string",
                "enum": ["", *(known.name for known in space.passes)],
                "description": "What to insert, or to replace with; empty for the others.",
            },
            "parameter": {"type": "string", "description": "For set-parameter, or of the new pass; else empty."},
        }
    )
    option = strict_object(
        {"name": {"type": "string", "enum": [option.name for option in space.options] or [""]}, "value": text}
    )
    plan = strict_object(
        {
            "parent": {"type": "integer", "description": "The number of an earlier plan, or 0 for the stock plan."},
            "pipeline": {"type": "string", "description": "A whole pipeline; empty: the parent's, with the edits."},
            "edits": {"type": "array", "items": edit},
            "options": {
                "type": "array",
                "items": option,
                "description": "All options of the plan: the parent's are not taken over.",
            },
            "decisions": {"type": "array", "items": text, "description": "All decisions of the plan, one a word."},
            "expected_effect": text,
            "rationale": text,
        }
    )
    return {
        "name": TOOL,
        "description": "Has plans compiled, measured and compared with the baseline. The result is a table.",
        "strict": True,
        "input_schema": strict_object({"plans": {"type": "array", "items": plan}}),
    }


def read(given: object, parents: Sequence[Plan], space: Space, names: Names) -> list[Candidate | str]:
    """What a call of the tool proposes: for each entry a candidate, or what is wrong with it.

    Args:
        given: The call's input, whatever it is.
        parents: The plans that were tried; the stock plan first.
        space: What a plan may hold.
        names: Maps the names in decisions back.

    Raises:
        PlanError: It is no list of plans at all.
    """
    plans = given.get("plans") if isinstance(given, Mapping) else None
    if not isinstance(plans, list) or not plans:
        raise PlanError(f"{TOOL} takes a list of plans", hint="call it again with at least one")
    return [_entry(entry, parents, space, names) for entry in plans]


def labelled(pipeline: Pipeline) -> str:
    """The pipeline with a label before each node, one a line, as edits name them."""
    lines = []
    for label, (path, node, level) in _labels(pipeline).items():
        text = str(node) if isinstance(node, Pass) else f"{str(node).partition('(')[0]}(…)"
        lines.append(f"{'  ' * (len(path) - 1)}{label}: {text}  [{level}]")
    return "\n".join(lines)


def _entry(entry: object, parents: Sequence[Plan], space: Space, names: Names) -> Candidate | str:
    try:
        return _candidate(entry, parents, space, names)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        return f"not of the form that {TOOL} asks for: {type(error).__name__} {error}"
    except CompilerAgentError as error:
        return said(error)


def _candidate(entry: Any, parents: Sequence[Plan], space: Space, names: Names) -> Candidate:
    number = entry["parent"]
    if not 0 <= number < len(parents):
        raise PlanError(f"there is no plan {number} to edit", hint=f"0 to {len(parents) - 1}")
    if entry["pipeline"]:
        text = entry["pipeline"]
        if entry["edits"]:
            raise PlanError("a whole pipeline and edits cannot stand together", hint="give one of them")
    elif entry["edits"]:
        text = str(edited(space.spelled_out(parents[number].pipeline), entry["edits"], space.catalog))
    else:
        text = str(parents[number].pipeline)
    options = [f"-{option['name']}={option['value']}" for option in entry["options"]]
    words = [f"-passes={text}", *options, *entry["decisions"]]
    if any(len(word.split()) != 1 for word in words):
        raise PlanError("a pipeline, an option or a decision is one word without spaces")
    plan = Plan.parse(" ".join(words))
    space.catalog.check(plan)
    texts = (names.reveal(str(entry[name])) for name in ("expected_effect", "rationale"))
    expected, rationale = (one_line(text, _TEXT_LIMIT) for text in texts)
    return Candidate(renamed(plan, names.original), expected, rationale)


def edited(pipeline: Pipeline, edits: Sequence[Mapping[str, str]], catalog: Catalog) -> Pipeline:
    """A pipeline after a list of edits, all of which name its nodes as they are before any edit.

    Raises:
        PlanError: An edit names a node that is not there, or what it puts in does not fit.
    """
    places = _labels(pipeline)
    for edit in edits:
        if edit["at"] not in places:
            raise PlanError(f"there is no {edit['at']} in the pipeline", hint="labels are NAME#K, K from 1")
    # From the end to the beginning, so that the places of the edits to come stay where they are.
    for edit in sorted(edits, key=lambda edit: places[edit["at"]][0], reverse=True):
        path, node, level = places[edit["at"]]
        pipeline = _edited(pipeline, edit, path, node, level, catalog)
    return pipeline_edit.normalise(pipeline)


def _edited(
    pipeline: Pipeline, edit: Mapping[str, str], path: Path, node: Node, level: Level, catalog: Catalog
) -> Pipeline:
    match edit["do"]:
        case "delete":
            if isinstance(node, Pass) and (known := catalog.all_passes.get(node.name)) and known.keep:
                raise PlanError(f"{edit['at']} must stay: what a source asks for depends on it")
            return pipeline_edit.delete(pipeline, path)
        case "set-parameter":
            parameter = edit["parameter"]
            known = catalog.all_passes.get(node.name)
            found = known.parameter(parameter) if known else None
            return pipeline_edit.set_parameter(pipeline, path, parameter, found.spellings if found else ())
        case "insert-before":
            return pipeline_edit.insert(pipeline, path, _new(edit, level, catalog))
        case "insert-after":
            return pipeline_edit.insert(pipeline, (*path[:-1], path[-1] + 1), _new(edit, level, catalog))
        case "replace":
            return pipeline_edit.replace(pipeline, path, _new(edit, level, catalog))
        case other:
            raise PlanError(f"there is no edit {other!r}", hint=", ".join(_EDITS))


def _new(edit: Mapping[str, str], level: Level, catalog: Catalog) -> Node:
    known = catalog.all_passes.get(edit["pass"])
    if known is None:
        raise PlanError(f"unknown pass {edit['pass']!r}", hint="name one of the catalog")
    node = known.nested(level)
    if node is None:
        raise PlanError(f"{known.name} cannot stand at level {level}, where {edit['at']} is")
    if not edit["parameter"]:
        return node
    with_parameter = Pass(known.name, edit["parameter"])
    return _innermost(node, with_parameter)


def _innermost(node: Node, new: Pass) -> Node:
    """The node with its one pass replaced."""
    if isinstance(node, Adaptor):
        return Adaptor(node.name, (_innermost(node.body[0], new),), node.parameters)
    return new


def _labels(pipeline: Pipeline) -> dict[str, tuple[Path, Node, Level]]:
    """Every node by its label."""
    seen: dict[str, int] = {}
    labels = {}
    for path, node, level in walk(pipeline):
        seen[node.name] = seen.get(node.name, 0) + 1
        labels[f"{node.name}#{seen[node.name]}"] = (path, node, level)
    return labels


def renamed(plan: Plan, rename: Callable[[str], str]) -> Plan:
    """The plan with its decisions about functions of other names."""
    return replace(plan, decisions=tuple(replace(one, function=rename(one.function)) for one in plan.decisions))
