"""Writes passes/catalog/llvm-22.toml, and the pipelines in llvm_ir_corpus/pipelines, from the tools' own output.

    generate.py            rewrite them
    generate.py --check    exit 1 if they are not what would be written

What the tools cannot say is in review.toml (passes), options.toml and options-speed.toml (options and their values, for
size and for speed) and screening.tsv (which values made some training module smaller).
"""

from __future__ import annotations

import argparse
import csv
import sys
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

from tool_output import (
    LINK_TIME,
    SIZE_AND_SPEED_LEVELS,
    STOCK,
    FoundOption,
    FoundPass,
    options,
    print_passes,
    printed_pipeline,
    versions,
)

from compiler_agent.base.errors import CompilerAgentError, ToolError
from compiler_agent.llvm.pipeline import Adaptor, Pass, parse, walk

HERE = Path(__file__).resolve().parent
CATALOG = HERE / "llvm-22.toml"
CORPUS = HERE.parents[1] / "llvm_ir_corpus" / "pipelines"
FIGURES = ("modules", "geomean", "min", "max", "wins", "losses")
SMALLEST_WIN = 1.001
"""A value is searched if it made some module smaller by at least this factor."""


def stock_forms(pipelines: dict[str, str]) -> dict[str, list[str]]:
    """Every spelling of every pass in default<O1>…default<Oz>, most frequent first."""
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for level in SIZE_AND_SPEED_LEVELS:
        for _, node, _ in walk(parse(pipelines[f"default<{level}>"])):
            if isinstance(node, Pass):
                counts[node.name][str(node)] += 1
    return {name: sorted(forms, key=lambda form: (-forms[form], form)) for name, forms in counts.items()}


def parameters(found: FoundPass, review: dict[str, Any]) -> list[dict[str, Any]]:
    """Parameters of a pass, each with every spelling worth trying."""
    forbidden = set(review["forbidden-parameters"].get(found.name, []))
    groups: list[list[str]] = review["enum"].get(found.name, [])
    values = review["integer"].get(found.name, {})
    words = list(dict.fromkeys(word for word in found.parameters if word not in forbidden))
    rows: list[dict[str, Any]] = [{"name": group[0], "kind": "enum", "spellings": group} for group in groups]
    taken = {word for group in groups for word in group}
    for word in words:
        name, equals, _ = word.partition("=")
        if word in taken:
            continue
        if equals:
            rows.append({"name": name, "kind": "integer", "spellings": [f"{name}={v}" for v in values.get(name, [])]})
            continue
        name = word.removeprefix("no-") if word.removeprefix("no-") in words else word
        spellings = [form for form in (name, f"no-{name}") if form in words]
        taken.update(spellings)
        rows.append({"name": name, "kind": "flag", "spellings": spellings})
    return rows


def pass_rows(found: dict[str, FoundPass], pipelines: dict[str, str], review: dict[str, Any]) -> list[dict[str, Any]]:
    """One row for each pass that a plan may hold.

    Raises:
        CompilerAgentError: opt has a pass that nobody reviewed, or the review names one that opt lacks.
    """
    excluded = {name for names in review["exclude"].values() for name in names}
    reviewed = {**review["describe"], **review["stock"]}
    builtin = {"require", "invalidate", "verify"}
    missing = sorted(set(found) - set(reviewed) - excluded - builtin)
    gone = sorted((set(reviewed) | excluded) - set(found) - builtin)
    twice = sorted(set(reviewed) & excluded)
    if missing or gone or twice:
        raise CompilerAgentError(
            f"review.toml: not reviewed: {missing}; not in this opt: {gone}; both kept and excluded: {twice}",
            hint="sort each pass into one table of review.toml",
        )
    forms = stock_forms(pipelines)
    needs, keeps = set(review["memory-ssa"]["needs"]), set(review["memory-ssa"]["keeps"])
    rows = []
    for name in sorted(reviewed):
        entry = found.get(name, FoundPass(name, ["module", "cgscc", "function", "loop"]))
        levels = [level for level in ("module", "cgscc", "function", "loop") if level in entry.levels]
        if name in needs or name in keeps or not entry.name or name in ("require", "invalidate"):
            levels = ["loop-mssa"] if name in needs else [*levels, "loop-mssa"]
        because = review["because"].get(name, "")
        if name in forms:
            because = next(f"default<{level}>" for level in SIZE_AND_SPEED_LEVELS if _runs(pipelines, level, name))
        spelled = list(dict.fromkeys([*forms.get(name, []), *review["forms"].get(name, [])])) or [name]
        rows.append(
            {
                "name": name,
                "levels": levels,
                "provenance": "production" if because else "experimental",
                "because": because,
                "search": name in review["describe"],
                "keep": name in review["keep"]["names"],
                "forms": spelled,
                "parameters": parameters(entry, review),
                "description": reviewed[name],
            }
        )
    return rows


def _runs(pipelines: dict[str, str], level: str, name: str) -> bool:
    nodes = walk(parse(pipelines[f"default<{level}>"]))
    return any(not isinstance(node, Adaptor) and node.name == name for _, node, _ in nodes)


def _reviewed(file: str) -> dict[str, tuple[str, str, list[str]]]:
    """Stage, provenance and values, as they are spelled, of each option of a review."""
    document = tomllib.loads((HERE / file).read_text())
    return {
        name: (stage, provenance, [str(value).lower() if isinstance(value, bool) else str(value) for value in values])
        for stage in ("middle-end", "back-end")
        for provenance, table in document[stage].items()
        for name, values in table.items()
    }


def option_rows(screening: Path) -> list[dict[str, Any]]:
    """One row for each reviewed option, with the values that won somewhere.

    Raises:
        CompilerAgentError: clang has no such option, or the two reviews disagree about one.
    """
    size, speed = _reviewed("options.toml"), _reviewed("options-speed.toml")
    needs = {
        name: text
        for file in ("options.toml", "options-speed.toml")
        for name, text in tomllib.loads((HERE / file).read_text())["needs"].items()
    }
    names = sorted(size.keys() | speed.keys())
    found = options(names)
    gone = sorted((set(names) | set(needs)) - set(found))
    unlike = sorted(name for name in size.keys() & speed.keys() if size[name][:2] != speed[name][:2])
    if gone or unlike:
        raise CompilerAgentError(
            f"options.toml, options-speed.toml: clang has no option {gone}; in different tables: {unlike}",
            hint="remove the former, and give each of the latter one stage and provenance",
        )
    best = _screened(screening)
    rows = []
    for name in names:
        stage, provenance, _ = size.get(name) or speed[name]
        spelled = size[name][2] if name in size else []
        measured = [best[name, value] for value in spelled if (name, value) in best]
        winners: dict[tuple[str, ...], str] = {}  # values with the same figures did the same: the first stands for all
        for row in sorted(measured, key=lambda row: -float(row["max"])):
            if float(row["max"]) >= SMALLEST_WIN:
                winners.setdefault(tuple(row[column] for column in FIGURES), row["value"])
        option: FoundOption = found[name]
        entry: dict[str, Any] = {
            "name": name,
            "kind": option.kind,
            "stage": stage,
            "provenance": provenance,
            "default": option.default,
            "values": spelled,
            "speed": speed[name][2] if name in speed else [],
            "search": list(winners.values()) if best else spelled,
            "best": max((float(row["max"]) for row in measured), default=0.0),
            "description": option.description,
        }
        if option.choices:
            entry["choices"] = list(option.choices)
        if name in needs:
            entry["needs"] = needs[name]
        rows.append(entry)
    return rows


def _screened(path: Path) -> dict[tuple[str, str], dict[str, str]]:
    if not path.exists():
        return {}
    with path.open() as text:
        return {(row["option"], row["value"]): row for row in csv.DictReader(text, delimiter="\t")}


def toml_value(value: Any) -> str:
    """A value in TOML; strings hold no control characters here."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, list):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml_value(item)}" for key, item in value.items()) + " }"
    return str(value)


def catalog_text(pipelines: dict[str, str]) -> str:
    """The whole catalog."""
    review = tomllib.loads((HERE / "review.toml").read_text())
    found, analyses = print_passes()
    lines = [
        "# Written by generate.py; edit review.toml and options.toml instead.",
        'format = "cc-agent-catalog"',
        "version = 1",
        f'llvm = "{versions()}"',
        "",
        "[analyses]",
        *(f"{level} = {toml_value(names)}" for level, names in analyses.items()),
        "",
        "[excluded]",
        *(f"{toml_value(reason)} = {toml_value(sorted(names))}" for reason, names in review["exclude"].items()),
        "",
        "[forbidden-parameters]",
        *(f"{name} = {toml_value(words)}" for name, words in review["forbidden-parameters"].items()),
    ]
    for table, rows in (
        ("pass", pass_rows(found, pipelines, review)),
        ("option", option_rows(HERE / "screening.tsv")),
    ):
        for row in rows:
            lines += ["", f"[[{table}]]", *(f"{key} = {toml_value(value)}" for key, value in row.items())]
    return "\n".join(lines) + "\n"


def corpus() -> dict[Path, str]:
    """Pipelines that opt prints: one file for each stock pipeline, one with a line for each single pass."""
    files = {CORPUS / (_file_name(name) + ".txt"): printed_pipeline(name) + "\n" for name in (*STOCK, *LINK_TIME)}
    lines = []
    for name in sorted(print_passes()[0]):
        try:
            lines.append(printed_pipeline(name))
        except ToolError:
            continue  # needs a parameter or a target that is not built in
    files[CORPUS / "single-passes.txt"] = "\n".join(lines) + "\n"
    return files


def _file_name(pipeline: str) -> str:
    return pipeline.replace("<", "-").replace(">", "")


def main() -> int:
    """Command line: see the module's text."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, say what is out of date")
    check = parser.parse_args().check
    files = corpus()
    pipelines = {name: files[CORPUS / (_file_name(name) + ".txt")].rstrip("\n") for name in STOCK}
    files[CATALOG] = catalog_text(pipelines)
    stale = [path for path, text in files.items() if not path.exists() or path.read_text() != text]
    for path in stale:
        print(f"{'out of date' if check else 'written'}: {path.relative_to(HERE.parents[1])}")
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[path])
    return 1 if check and stale else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except CompilerAgentError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
