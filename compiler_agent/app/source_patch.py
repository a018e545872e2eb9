"""A plan's decisions as a patch of the source, with real pragmas and attributes.

Nothing is guessed: an edit is taken only if clang makes, of the source with it, the very module that the decisions make
of the source without it. A macro, a template or another call in the statement shows in that. Headers are not edited:
they are other units' too.
"""

from __future__ import annotations

import difflib
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from compiler_agent.app.records import Record
from compiler_agent.app.source_edits import Edit, Form, edited, form_of, places, without_form
from compiler_agent.base.errors import EngineError, ToolError
from compiler_agent.base.files import MemoryFile
from compiler_agent.llvm.decidable import DecidableFunction, Place
from compiler_agent.llvm.decision import Decision, Kind
from compiler_agent.llvm.library import Library
from compiler_agent.llvm.pipeline import parse
from compiler_agent.llvm.plan import KEEP_ORDER, Plan
from compiler_agent.llvm.replay import compile_plainly

_BITCODE = ("-emit-llvm", "-Xclang", "-disable-llvm-passes")
_NOTHING = parse("no-op-module")
_NOWHERE = "no edit of this source says just that: it comes from a macro or template, or shares its statement"


@dataclass(frozen=True, slots=True)
class SourcePatch:
    """A plan, as far as it can be written in the source."""

    diff: str
    """A unified diff; empty where nothing can be written."""
    taken: tuple[Decision, ...]
    """The decisions that it holds."""
    left: tuple[tuple[Decision, str], ...]
    """Those that it does not, and why."""
    moves_what_counts: bool
    """Whether the module differs all the same because lines moved, as where the source asks for `__LINE__`."""


def source_patch(plan: Plan, record: Record, name: str) -> SourcePatch:
    """Writes a plan's decisions into the source of its unit.

    Args:
        plan: The plan.
        record: How the unit is compiled.
        name: What the diff calls the file.

    Raises:
        ToolError: The unit does not compile.
        PlanError: A decision does not fit the unit.
    """
    with _Unit(record) as unit:
        unit.fingerprint_with(plan.decisions)  # names what does not fit
        left = [(decision, reason) for decision in plan.decisions if (reason := without_form(decision))]
        edits: list[Edit] = []
        taken: list[Decision] = []
        shared: dict[tuple[Form, Place], list[Decision]] = {}
        writable = [decision for decision in plan.decisions if not without_form(decision)]
        for _, group in itertools.groupby(writable, key=lambda decision: decision.place):
            decisions = list(group)
            place = unit.place_of(decisions[0])
            if not unit.is_own(place):
                where = f"it stands in {place.file}, which is not this source" if place.file else "it has no line"
                left += [(decision, where) for decision in decisions]
            elif not unit.take(decisions, form_of(decisions), edits, taken):
                # Calls of one statement, or all instances of a template, may be decided alike.
                near = replace(place, column=0) if decisions[0].kind is Kind.CALL else place
                shared.setdefault((form_of(decisions), near), []).extend(decisions)
        for (form, _), decisions in shared.items():
            if len({decision.place for decision in decisions}) == 1 or not unit.take(decisions, form, edits, taken):
                left += [(decision, _NOWHERE) for decision in decisions]
        patched = edited(unit.source, edits)
        moved = unit.fingerprint_of(patched) != unit.fingerprint_with(taken)
        return SourcePatch(_diff(unit.source, patched, name), tuple(taken), tuple(left), moved)


def header(plan: Plan, patch: SourcePatch, source: str) -> Iterator[str]:
    """What has to be said before the diff, line by line; `patch` and `git apply` pass over it."""
    yield f"{source}: {len(patch.taken)} of {len(plan.decisions)} decisions are in this patch"
    yield f"not in the source: -passes={plan.pipeline}"
    for name, value in plan.options:
        yield f"not in the source: -{name}={value} (clang -mllvm -{name}={value})"
    for decision, reason in patch.left:
        yield f"left out: {decision}: {reason}"
    if any(decision.forces_vectorization for decision in patch.taken):
        yield (
            "take care: with these pragmas clang may reorder floating-point arithmetic in their loops, which the plan "
            f"never does; compile with -mllvm {KEEP_ORDER} to forbid it"
        )
    if patch.moves_what_counts:
        yield "take care: the source asks for its line numbers, and the patch moves lines"


class _Unit:
    """A translation unit that can be compiled with another text in the place of its source."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._path = Path(record.cwd) / record.source
        self.source = self._path.read_bytes()
        self._library = Library()
        self._stack = ExitStack()
        self._module = self._stack.enter_context(self._library.parse(self._bitcode("-g0")))
        with self._library.parse(self._bitcode("-gline-tables-only", "-gcolumn-info")) as with_lines:
            self._functions = {function.name: function for function in with_lines.decidable()}

    def __enter__(self) -> _Unit:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def place_of(self, decision: Decision) -> Place:
        """Where what a decision is about stands."""
        function: DecidableFunction = self._functions[decision.function]
        if decision.position is None:
            return function.place
        if decision.kind is Kind.CALL:
            return function.calls[decision.position].place
        return function.loops[decision.position].place

    def is_own(self, place: Place) -> bool:
        """Whether a place is in the source itself."""
        return bool(place.file) and (Path(self._record.cwd) / place.file).resolve() == self._path.resolve()

    def take(self, decisions: Sequence[Decision], form: Form, edits: list[Edit], taken: list[Decision]) -> bool:
        """Adds the first edit of a form that does what the decisions do, if there is one."""
        wanted = self.fingerprint_with([*taken, *decisions])
        for offset in places(self.source, decisions[0].kind, self.place_of(decisions[0])):
            tried = [*edits, Edit(offset, form)]
            if self.fingerprint_of(edited(self.source, tried, keep_lines=True)) == wanted:
                edits.append(tried[-1])
                taken.extend(decisions)
                return True
        return False

    def fingerprint_with(self, decisions: Iterable[Decision]) -> str:
        """Of the module that decisions make."""
        with self._module.clone() as module:
            module.run(str(Plan(_NOTHING, decisions=tuple(decisions))))
            return module.fingerprint()

    def fingerprint_of(self, source: bytes) -> str | None:
        """Of the module that clang makes of another text; None where it does not compile to a valid one."""
        with MemoryFile(source) as text:
            roots = [{"type": "file", "name": str(self._path.absolute()), "external-contents": str(text.path)}]
            overlay = {"version": 0, "use-external-names": False, "roots": roots}
            with MemoryFile(json.dumps(overlay).encode()) as table:
                try:
                    bitcode = self._bitcode("-g0", f"-ivfsoverlay{table.path}")
                    with self._library.parse(bitcode) as module:
                        return module.fingerprint()
                except (ToolError, EngineError):
                    return None

    def _bitcode(self, *more: str) -> bytes:
        return compile_plainly(self._record.argv, self._record.cwd, *_BITCODE, *more)


def _diff(before: bytes, after: bytes, name: str) -> str:
    old, new = (text.decode(errors="surrogateescape").splitlines(keepends=True) for text in (before, after))
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for line in difflib.unified_diff(old, new, f"a/{name}", f"b/{name}")
    )
