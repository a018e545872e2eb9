"""What the planner may look at, and the tools with which the model asks for it. Nothing here changes anything."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from compiler_agent.base.errors import CompilerAgentError, EngineError, ToolError, UsageError
from compiler_agent.llvm.catalog import Catalog
from compiler_agent.llvm.plan import Plan

_ANSWER_LIMIT = 12_000
_WORD = re.compile(r"[\w.$]*[\w$]")


class Observer(Protocol):
    """Shows one translation unit as text, under the names that its redaction gives, and is asked by these.

    The real one is `compiler_agent.llvm.observe.observer.Observer`.
    """

    def packet(self, token_budget: int) -> str:
        """What matters most of the unit, in so many tokens."""
        ...

    def show_function(self, name: str) -> str:
        """The IR of one function."""
        ...

    def show_loop(self, function: str, loop: int) -> str:
        """One loop of a function, by its number."""
        ...

    def show_mca(self, function: str) -> str:
        """What llvm-mca estimates for a function's loops and hot blocks."""
        ...

    def show_remarks(self, function: str) -> str:
        """What the stock pipeline's passes said of a function."""
        ...

    def try_pass_effect(self, pipeline: str) -> str:
        """What a pipeline changes in the unoptimized module: cheap, nothing is emitted and nothing is measured."""
        ...


class Redaction(Protocol):
    """New names for a unit's symbols, where its own are not to leave the machine."""

    def name(self, original: str) -> str:
        """The new name of a symbol."""
        ...

    def original(self, name: str) -> str:
        """The symbol behind a new name; what is no such name stays as it is."""
        ...


@dataclass(frozen=True, slots=True)
class Names:
    """Symbols as the language model knows them: its own names where they are redacted, else the code's."""

    redaction: Redaction | None = None
    """None: nothing is renamed."""

    @property
    def are_hidden(self) -> bool:
        """Whether the code's own names may not be sent."""
        return self.redaction is not None

    def original(self, name: str) -> str:
        """The code's name for a symbol that the model named."""
        return name if self.redaction is None else self.redaction.original(name)

    def redacted(self, name: str) -> str:
        """The model's name for a symbol of the code."""
        return name if self.redaction is None else self.redaction.name(name)

    def reveal(self, text: str) -> str:
        """What the model wrote, with the code's names, for people here."""
        return _WORD.sub(lambda word: self.original(word[0]), text)


def fenced(text: str) -> str:
    """Untrusted text between two marks that it cannot hold itself, because they are made of its own digest."""
    mark = hashlib.sha256(text.encode()).hexdigest()[:16]
    return f"<untrusted-{mark}>\n{text}\n</untrusted-{mark}>"


_FUNCTION = {"type": "string", "description": "A function's name, as the observations have it."}
_PARAMETERS: dict[str, dict[str, Any]] = {
    "show_function": {"name": _FUNCTION},
    "show_loop": {"function": _FUNCTION, "loop": {"type": "integer", "description": "The loop's number in it."}},
    "show_mca": {"function": _FUNCTION},
    "show_remarks": {"function": _FUNCTION},
    "try_pass_effect": {"pipeline": {"type": "string", "description": "As for `opt -passes=`, without spaces."}},
}
_DESCRIPTIONS = {
    "show_function": "The IR of one function before optimization.",
    "show_loop": "One loop: trip count, inductions, strides, dependences, calls.",
    "show_mca": "llvm-mca's report on a function's loops and hot blocks.",
    "show_remarks": "What the stock pipeline's passes said of a function.",
    "try_pass_effect": "What a pipeline changes, counted in IR instructions. Nothing is emitted or measured.",
}
NAMES = tuple(_PARAMETERS)


def tools() -> list[dict[str, Any]]:
    """The read-only tools, as the Messages API wants them."""
    return [
        {
            "name": name,
            "description": _DESCRIPTIONS[name],
            "strict": True,
            "input_schema": strict_object(parameters),
        }
        for name, parameters in _PARAMETERS.items()
    ]


def strict_object(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of an object that has all these properties and no others."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def look(observer: Observer, catalog: Catalog, names: Names, tool: str, given: object) -> str:
    """Answers a call of one of the read-only tools; the answer is fenced, and so is what is said instead of one.

    Raises:
        CompilerAgentError: The arguments make no sense, the pipeline is outside the catalog, or there is no such thing.
    """
    arguments = _checked(tool, given)
    if tool == "try_pass_effect":
        catalog.check(Plan.parse(f"-passes={arguments['pipeline']}"))
    ask: Callable[..., str] = getattr(observer, tool)
    try:
        answer = ask(**arguments)
    except (ToolError, EngineError) as error:
        why = "why is not told: it may name symbols" if names.are_hidden else fenced(said(error))
        raise CompilerAgentError(f"{tool} failed; {why}") from error
    except CompilerAgentError as error:
        raise CompilerAgentError(fenced(said(error))) from error
    if len(answer) > _ANSWER_LIMIT:
        answer = f"{answer[:_ANSWER_LIMIT]}\n[cut here: {len(answer) - _ANSWER_LIMIT} characters more]"
    return fenced(answer)


def _checked(tool: str, given: object) -> dict[str, Any]:
    parameters = _PARAMETERS[tool]
    if not isinstance(given, Mapping) or given.keys() != parameters.keys():
        raise UsageError(f"{tool} takes {', '.join(parameters)}, all of them and nothing else")
    for name, schema in parameters.items():
        expected = int if schema["type"] == "integer" else str
        if type(given[name]) is not expected:
            raise UsageError(f"{tool}: {name} must be of type {schema['type']}")
    return dict(given)


def said(error: CompilerAgentError) -> str:
    """An error as the language model is told of it."""
    return f"{error.message}; {error.hint}" if error.hint else error.message
