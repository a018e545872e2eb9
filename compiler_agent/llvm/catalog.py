"""The catalog of passes and options that a plan may hold: `passes/catalog/llvm-22.toml` as values.

It answers what may stand where, which spellings are worth trying, how far each is trusted, and whether a plan names
something that LLVM does not know or that must not be used.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from compiler_agent.base.errors import FileError, PlanError
from compiler_agent.llvm.catalog_entries import (
    CataloguedOption,
    CataloguedPass,
    OptionKind,
    Parameter,
    ParameterKind,
    Provenance,
)
from compiler_agent.llvm.pipeline import ADAPTORS, Adaptor, Level, Pass, Pipeline, walk
from compiler_agent.llvm.plan import KEEP_ORDER, Plan

FORMAT = "cc-agent-catalog"
VERSION = 1
_MAXIMUM_SUGGESTIONS = 3
_FORCED_WIDTH = "force-vector-width"

_ADAPTOR_STANDS_AT = {
    "module": (Level.MODULE,),
    "coro-cond": (Level.MODULE,),
    "cgscc": (Level.MODULE, Level.CGSCC),
    "devirt": (Level.CGSCC,),
    "function": (Level.MODULE, Level.CGSCC, Level.FUNCTION),
    "loop": (Level.FUNCTION, Level.LOOP, Level.LOOP_MSSA),
    "loop-mssa": (Level.FUNCTION,),
}
"""Levels at which LLVM takes each adaptor, the outermost first."""


@dataclass(frozen=True, slots=True)
class PlanProvenance:
    """How far a plan may be trusted, and what makes it so."""

    provenance: Provenance
    """Experimental if anything in the plan is."""
    names: tuple[str, ...]
    """The experimental passes and options in it, options with a dash; empty for a production plan."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything that a plan may hold."""

    llvm: str
    """Version of LLVM that was asked."""
    all_passes: dict[str, CataloguedPass] = field(repr=False)
    """By name."""
    all_options: dict[str, CataloguedOption] = field(repr=False)
    """By name."""
    excluded: dict[str, str] = field(repr=False)
    """Passes that a plan must not hold, with the reason."""
    forbidden_parameters: dict[str, tuple[str, ...]] = field(repr=False)
    """Parameters that must not be used, by pass."""
    analyses: dict[Level, frozenset[str]] = field(repr=False)
    """Analyses that `require<…>` and `invalidate<…>` may name."""

    def passes(self, allow_experimental: bool = False) -> tuple[CataloguedPass, ...]:
        """Passes that a search may insert, by name."""
        return tuple(p for p in self.all_passes.values() if p.search and _allowed(p, allow_experimental))

    def options(self, allow_experimental: bool = False) -> tuple[CataloguedOption, ...]:
        """Options that a search may set, by name."""
        return tuple(o for o in self.all_options.values() if o.search and _allowed(o, allow_experimental))

    def speed_options(self) -> tuple[CataloguedOption, ...]:
        """Options with values that a search for speed may set, by name; experimental ones are among them."""
        return tuple(o for o in self.all_options.values() if o.speed)

    def provenance_of(self, plan: Plan) -> PlanProvenance:
        """How far a plan may be trusted; what the catalog does not know is experimental."""
        names = [node.name for _, node, _ in walk(plan.pipeline) if isinstance(node, Pass)]
        doubtful = {name for name in names if not _is_production(self.all_passes.get(name))}
        doubtful |= {f"-{name}" for name, _ in plan.options if not _is_production(self.all_options.get(name))}
        doubtful |= {f"-{name}={value}" for name, value in plan.options if self._is_unreviewed(name, value)}
        kind = Provenance.EXPERIMENTAL if doubtful else Provenance.PRODUCTION
        return PlanProvenance(kind, tuple(sorted(doubtful)))

    def late_options(self, plan: Plan) -> str:
        """Those options of a plan, as they stand in its text, that code generation alone reads."""
        chosen = ((name, self.all_options.get(name), value) for name, value in plan.options)
        return " ".join(f"-{name}={value}" for name, option, value in chosen if option and option.stage == "back-end")

    def check(self, plan: Plan) -> None:
        """Passes if LLVM will take the plan, as far as the catalog can tell.

        Raises:
            PlanError: An unknown or excluded pass, option, parameter or value, or a pass at a level where it cannot
                run; all faults are named, with what was probably meant.
        """
        faults = list(dict.fromkeys(self._faults(plan)))
        if faults:
            raise PlanError("plan: " + "\n  ".join(faults), hint="the catalog is passes/catalog/llvm-22.toml")

    def _is_unreviewed(self, name: str, value: str) -> bool:
        """Whether LLVM takes the value and the review left it out, as it does where one of several is broken."""
        option = self.all_options.get(name)
        return (
            option is not None
            and value in option.choices
            and value not in (option.default, *option.values, *option.speed)
        )

    def _faults(self, plan: Plan) -> Iterator[str]:
        for path, node, level in walk(plan.pipeline, self._top(plan.pipeline)):
            if isinstance(node, Adaptor):
                if node.name not in ADAPTORS:
                    yield f"'{node.name}(…)' at {_place(path)} takes no body{_meant(node.name, ADAPTORS)}"
                elif level not in _ADAPTOR_STANDS_AT[node.name]:
                    yield f"'{node.name}(…)' at {_place(path)} cannot stand at level {level}"
                if not node.body:
                    yield f"'{node.name}()' at {_place(path)} is empty; `normalise` drops it"
            elif node.name in self.excluded:
                yield f"pass '{node.name}' at {_place(path)} may not be used: {self.excluded[node.name]}"
            elif (known := self.all_passes.get(node.name)) is None:
                yield f"unknown pass '{node.name}' at {_place(path)}{_meant(node.name, self.all_passes)}"
            else:
                if not known.runs_at(level):
                    yield f"pass '{node}' at {_place(path)} cannot run at level {level}, only at {_list(known.levels)}"
                yield from self._parameter_faults(node, known, level)
        for name, value in plan.options:
            option = self.all_options.get(name)
            if option is None:
                yield f"unknown option -{name}{_meant(name, self.all_options)}"
            elif not option.accepts(value):
                yield f"option -{name} cannot be '{value}': it is {_range(option)}{_meant(value, option.choices)}"

        if plan.option(_FORCED_WIDTH) not in (None, "0", "1") and plan.option("hints-allow-reordering") != "false":
            yield f"option -{_FORCED_WIDTH} would let clang reorder floating-point arithmetic: write {KEEP_ORDER}, too"

    def _top(self, pipeline: Pipeline) -> Level:
        """Level of the whole pipeline: LLVM takes that of its first node (`sroa,gvn` is a function pipeline)."""
        if not pipeline.nodes:
            return Level.MODULE
        first = pipeline.nodes[0]
        if isinstance(first, Adaptor):
            return _ADAPTOR_STANDS_AT.get(first.name, (Level.MODULE,))[0]
        known = self.all_passes.get(first.name)
        return known.levels[0] if known else Level.MODULE

    def _parameter_faults(self, node: Pass, known: CataloguedPass, level: Level) -> Iterator[str]:
        if node.name in ("require", "invalidate"):
            names = self.analyses.get(Level.LOOP if level is Level.LOOP_MSSA else level, frozenset())
            analysis = node.parameters or ""
            if analysis not in names and not (node.name == "invalidate" and analysis == "all"):
                yield f"'{node}': no analysis '{analysis}' at level {level}{_meant(analysis, names)}"
            return
        for flag in node.flags:
            if flag in self.forbidden_parameters.get(node.name, ()):
                yield f"parameter '{flag}' of '{node.name}' may not be used: it aborts, or is unfinished in LLVM"
            elif known.parameter(flag) is None:
                spellings = [text for parameter in known.parameters for text in parameter.spellings]
                yield f"pass '{node.name}' has no parameter '{flag}'{_meant(flag, spellings)}"


@cache
def load(path: Path | None = None) -> Catalog:
    """The catalog from its file, by default the one that belongs to this package.

    Raises:
        FileError: It is not there, or is not a catalog of a version that is known here.
    """
    path = path or default_path()
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise FileError(f"cannot read the catalog {path}: {error}", hint="reinstall, or check out passes/") from error
    if document.get("format") != FORMAT or document.get("version") != VERSION:
        raise FileError(f"{path} is not a {FORMAT} of version {VERSION}", hint="run passes/catalog/generate.py")
    return Catalog(
        llvm=document["llvm"],
        all_passes={row["name"]: _pass(row) for row in document["pass"]},
        all_options={row["name"]: _option(row) for row in document["option"]},
        excluded={name: reason for reason, names in document["excluded"].items() for name in names},
        forbidden_parameters={name: tuple(words) for name, words in document["forbidden-parameters"].items()},
        analyses={Level(level): frozenset(names) for level, names in document["analyses"].items()},
    )


def default_path() -> Path:
    """`passes/catalog/llvm-22.toml` beside the package."""
    return Path(__file__).resolve().parents[2] / "passes" / "catalog" / "llvm-22.toml"


def _pass(row: dict[str, Any]) -> CataloguedPass:
    return CataloguedPass(
        name=row["name"],
        levels=tuple(map(Level, row["levels"])),
        provenance=Provenance(row["provenance"]),
        because=row["because"],
        search=row["search"],
        keep=row["keep"],
        forms=tuple(row["forms"]),
        parameters=tuple(
            Parameter(item["name"], ParameterKind(item["kind"]), tuple(item["spellings"])) for item in row["parameters"]
        ),
        description=row["description"],
    )


def _option(row: dict[str, Any]) -> CataloguedOption:
    needed, equals, value = row.get("needs", "").partition("=")
    return CataloguedOption(
        name=row["name"],
        kind=OptionKind(row["kind"]),
        stage=row["stage"],
        provenance=Provenance(row["provenance"]),
        default=row["default"],
        values=tuple(row["values"]),
        speed=tuple(row.get("speed", ())),
        search=tuple(row["search"]),
        best=float(row["best"]),
        choices=tuple(row.get("choices", ())),
        needs=(needed, value) if equals else None,
        description=row["description"],
    )


def _allowed(entry: CataloguedPass | CataloguedOption, allow_experimental: bool) -> bool:
    return allow_experimental or entry.provenance is Provenance.PRODUCTION


def _is_production(entry: CataloguedPass | CataloguedOption | None) -> bool:
    return entry is not None and entry.provenance is Provenance.PRODUCTION


def _meant(word: str, candidates: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(candidates), n=_MAXIMUM_SUGGESTIONS, cutoff=0.6)
    return f"; did you mean {' or '.join(near)}?" if near else ""


def _place(path: tuple[int, ...]) -> str:
    return "place " + ".".join(str(index + 1) for index in path)


def _list(words: Iterable[str]) -> str:
    return ", ".join(words)


def _range(option: CataloguedOption) -> str:
    return f"one of {_list(option.choices)}" if option.choices else f"a {option.kind}"
