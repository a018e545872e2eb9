"""A model that gives fixed replies, bad ones too. A script is JSON lines, one step each; the server reads the same.

    {"reply": {"content": [...], "stop_reason": "tool_use", "usage": {...}}}
    {"fault": {"kind": "overloaded", "detail": "...", "retry_after_s": 1.5}}

The functions make the steps that tests need most.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from compiler_agent.base.errors import FileError
from compiler_agent.base.files import file_error
from compiler_agent.search.chat import Fault, ModelFault, Reply, Request, Usage

Step = Reply | ModelFault
"""What one call gives."""


class ScriptedModel:
    """Gives its steps in order, and notes what it was asked."""

    def __init__(self, steps: Iterable[Step], name: str = "claude-sonnet-5-5") -> None:
        """Calls beyond the last step are connections that fail."""
        self.name = name
        self.requests: list[Request] = []
        self._steps = iter(steps)

    def reply(self, request: Request, timeout_s: float) -> Reply:
        """The next step."""
        self.requests.append(request)
        step = next(self._steps, None)
        if step is None:
            raise ModelFault(Fault.CONNECTION, "the script has no more steps", usage=Usage())
        if isinstance(step, ModelFault):
            raise step
        return step


def calls(tool: str, given: object, *, identifier: str = "toolu_1", says: str = "") -> Reply:
    """A reply that calls one tool."""
    text = [{"type": "text", "text": says}] if says else []
    call = {"type": "tool_use", "id": identifier, "name": tool, "input": given}
    return Reply((*text, call), "tool_use", Usage(input_tokens=900, output_tokens=80, cache_read_tokens=4000))


def proposes(*plans: Mapping[str, Any], identifier: str = "toolu_1") -> Reply:
    """A reply that proposes plans; what an entry leaves out is empty."""
    empty = {
        "parent": 0,
        "pipeline": "",
        "edits": [],
        "options": [],
        "decisions": [],
        "expected_effect": "smaller",
        "rationale": "scripted",
    }
    return calls("propose_plans", {"plans": [{**empty, **plan} for plan in plans]}, identifier=identifier)


def says(text: str, stop_reason: str = "end_turn") -> Reply:
    """A reply that calls no tool: chatter, or with another reason to stop a refusal or a reply that was cut off."""
    content = ({"type": "text", "text": text},) if text else ()
    return Reply(content, stop_reason, Usage(input_tokens=900, output_tokens=20))


def to_json(step: Step) -> dict[str, Any]:
    """A step as a line of a script."""
    if isinstance(step, Reply):
        usage = {name: count for name, count in asdict(step.usage).items() if count}
        return {"reply": {"content": list(step.content), "stop_reason": step.stop_reason, "usage": usage}}
    fault = {"kind": step.fault.value, "detail": step.detail, "retry_after_s": step.retry_after_s}
    return {"fault": {**fault, "usage": asdict(step.usage) if step.usage else None}}


def from_json(row: Mapping[str, Any]) -> Step:
    """The step of a line.

    Raises:
        FileError: It is none.
    """
    try:
        if "reply" in row:
            reply = row["reply"]
            return Reply(tuple(reply["content"]), reply["stop_reason"], Usage(**reply.get("usage", {})))
        fault = row["fault"]
        usage = Usage(**fault["usage"]) if fault.get("usage") else None
        return ModelFault(
            Fault(fault["kind"]), fault.get("detail", ""), retry_after_s=fault.get("retry_after_s"), usage=usage
        )
    except (KeyError, TypeError, ValueError) as error:
        raise FileError(f"not a step of a script: {str(row)[:120]}", hint="see search/fakes/scripted.py") from error


def read_script(path: Path) -> list[dict[str, Any]]:
    """The lines of a script, still JSON.

    Raises:
        FileError: It cannot be read, or is not JSON lines.
    """
    try:
        rows = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    except OSError as error:
        raise file_error("read", path, error) from error
    except ValueError as error:
        raise FileError(f"{path} is not JSON lines: {error}", hint="one step a line") from error
    if not all(isinstance(row, dict) for row in rows):
        raise FileError(f"{path} has lines that are no JSON objects", hint="one step a line")
    return rows


def write_script(path: Path, steps: Sequence[Step]) -> None:
    """Writes a script."""
    path.write_text("".join(json.dumps(to_json(step)) + "\n" for step in steps))
