"""The messages of one conversation, by the protocol's rules: both sides take turns, each tool call is answered in the
next message, and what was said is never changed, so that the server can keep it in its cache.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from compiler_agent.search.chat import Block, Reply, Request


class Conversation:
    """What was said so far, and what our next message will say."""

    def __init__(self, system: str, tools: Sequence[Block]) -> None:
        """Nothing was said yet."""
        self._system, self._tools = system, tuple(tools)
        self._messages: list[Block] = []
        self._results: list[dict[str, Any]] = []
        self._texts: list[dict[str, Any]] = []

    @property
    def has_begun(self) -> bool:
        """Whether anything was said."""
        return bool(self._messages)

    def tell(self, text: str) -> None:
        """Puts a text into our next message."""
        self._texts.append({"type": "text", "text": text})

    def answer(self, call: str, text: str, *, is_error: bool = False) -> None:
        """Puts the result of a tool call, by its identifier, into our next message."""
        result = {"type": "tool_result", "tool_use_id": call, "content": [{"type": "text", "text": text}]}
        self._results.append({**result, "is_error": True} if is_error else result)

    def request(self) -> Request:
        """The conversation with our next message at its end."""
        content = [*self._results, *self._texts]  # the protocol wants results before text
        self._results, self._texts = [], []
        if self._messages and self._messages[-1]["role"] == "user":  # the reply to it was not kept
            content = [*self._messages.pop()["content"], *content]
        self._messages.append({"role": "user", "content": content})
        return Request(self._system, self._tools, tuple(self._messages))

    def hear(self, reply: Reply) -> list[Block]:
        """Adds a reply, and gives its tool calls. A refusal, and a reply that says nothing, cannot be built upon."""
        said = [block for block in reply.content if block["type"] in ("text", "tool_use")]
        if not said or reply.stop_reason == "refusal":
            return []
        # The protocol takes objects alone as a tool's input, from the model as from us.
        kept = [{**block, "input": {}} if _is_malformed(block) else block for block in reply.content]
        self._messages.append({"role": "assistant", "content": kept})
        return [block for block in kept if block["type"] == "tool_use"]


def _is_malformed(block: Block) -> bool:
    return block["type"] == "tool_use" and not isinstance(block["input"], Mapping)
