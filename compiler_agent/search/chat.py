"""One question to a language model and its answer, over the Messages API. The only module that imports `anthropic`.

`Model` is the protocol that the planner talks to: the real one here, the scripted, recorded and replayed ones in
`fakes/`. A call that fails is a `ModelFault`, which says whether another try may help; trying again is `caller`'s.
"""

from __future__ import annotations

import enum
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Protocol

from compiler_agent.base.config import ModelSettings
from compiler_agent.base.errors import ModelError, UsageError

Block = Mapping[str, Any]
"""One block of a message's content, or one message, or one tool, as JSON."""

_CACHED = {"cache_control": {"type": "ephemeral"}}
_DETAIL_LIMIT = 300
_SHORTEST_SECRET = 8
_STRICTNESS = ("strict", "schema", "grammar")
"""Words of a server that cannot hold tool calls to a schema, or not to one as large as ours."""


@dataclass(frozen=True, slots=True)
class Request:
    """Everything that a model is sent, but its own name."""

    system: str
    """What stays the same from unit to unit."""
    tools: tuple[Block, ...]
    """What the model may call."""
    messages: tuple[Block, ...]
    """The conversation so far; it begins and ends with a message of ours."""
    max_tokens: int = 16_000
    """What the answer may hold, thinking included."""

    def body(self, model: str) -> dict[str, Any]:
        """The JSON of the HTTP request; what repeats from call to call is marked for the prompt cache."""
        *earlier, last = self.messages
        *blocks, end = last["content"]
        return {
            "model": model,
            "max_tokens": self.max_tokens,
            "system": [{"type": "text", "text": self.system, **_CACHED}],
            "tools": list(self.tools),
            "messages": [*earlier, {**last, "content": [*blocks, {**end, **_CACHED}]}],
        }


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call, as the server counted them."""

    input_tokens: int = 0
    """Read, and in no cache."""
    output_tokens: int = 0
    """Written, thinking included."""
    cache_write_tokens: int = 0
    """Read and put into the cache."""
    cache_read_tokens: int = 0
    """Read from the cache."""

    @property
    def prompt_tokens(self) -> int:
        """All that was read."""
        return self.input_tokens + self.cache_write_tokens + self.cache_read_tokens

    @property
    def total_tokens(self) -> int:
        """All that was read or written."""
        return self.prompt_tokens + self.output_tokens


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model answered."""

    content: tuple[Block, ...]
    """Text, thinking and calls of tools; it goes back as it came with the next request."""
    stop_reason: str
    """`tool_use`, `end_turn`, `max_tokens`, `refusal`, …"""
    usage: Usage
    """What it cost."""


class Fault(enum.StrEnum):
    """Why a call gave no reply."""

    RATE_LIMIT = "rate-limit"
    """429."""
    OVERLOADED = "overloaded"
    """529."""
    SERVER_ERROR = "server-error"
    """Another 5xx."""
    TIMEOUT = "timeout"
    """No answer in time."""
    CONNECTION = "connection"
    """It could not be made, or was dropped."""
    UNREADABLE = "unreadable"
    """What came is not what the protocol says, or cannot be used."""
    REJECTED = "rejected"
    """Another 4xx: a wrong key, an unknown model, a request that is too large."""

    @property
    def may_pass(self) -> bool:
        """Whether the same request may succeed later."""
        return self is not Fault.REJECTED


class ModelFault(ModelError):
    """A call that gave no reply.

    Args:
        fault: Its kind.
        detail: What is known besides; it never holds the key.
        retry_after_s: How long the server asks us to wait; None: it says nothing.
        usage: Tokens that the server had counted until then; None: not known, it may have read all that was sent.
    """

    def __init__(
        self, fault: Fault, detail: str, *, retry_after_s: float | None = None, usage: Usage | None = None
    ) -> None:
        self.fault = fault
        self.detail = one_line(detail, _DETAIL_LIMIT)
        self.retry_after_s = retry_after_s
        self.usage = usage
        super().__init__(f"the language model failed ({fault}): {self.detail}")


def one_line(text: str, limit: int) -> str:
    """What somebody else wrote, as it may be printed and kept: one printable line of so many characters."""
    words = " ".join(text.split())[:limit]
    return "".join(character if character.isprintable() else "?" for character in words)


class Model(Protocol):
    """Answers requests."""

    @property
    def name(self) -> str:
        """The model's name, as in the price table."""
        ...

    def reply(self, request: Request, timeout_s: float) -> Reply:
        """One request, tried once.

        Raises:
            ModelFault: There is no reply.
        """
        ...


class AnthropicModel:
    """A model behind the Messages API: Anthropic's own, a gateway's, or a local server's."""

    def __init__(self, settings: ModelSettings, name: str) -> None:
        """Connects to nothing yet.

        Raises:
            UsageError: There is no key.
        """
        if not settings.api_key and not settings.auth_token:
            raise UsageError(
                "there is no key for the language model: set ANTHROPIC_API_KEY, or go on without one with "
                "--strategy evolve, which needs neither key nor network"
            )
        import anthropic  # more than a second that only those pay who ask a model

        self.name = name
        self._sdk: ModuleType = anthropic
        # Less is no secret, but what a server that wants no key is given, and may stand in any text.
        self._secrets = [one for one in (settings.api_key, settings.auth_token) if len(one) >= _SHORTEST_SECRET]
        self._strict = True
        # The SDK's own retries are off: `Caller` tries again, so that each try is in the accounts.
        self._client = self._sdk.Anthropic(
            api_key=settings.api_key or None,
            auth_token=None if settings.api_key else settings.auth_token,
            base_url=settings.base_url or None,
            max_retries=0,
        )

    def reply(self, request: Request, timeout_s: float) -> Reply:
        """One request, tried once, streamed: a stall ends it, and what was counted before a drop is known."""
        sdk, usage = self._sdk, None
        body = request.body(self.name)
        if not self._strict:
            body["tools"] = [{name: tool[name] for name in tool if name != "strict"} for tool in request.tools]
        deadline_s = time.monotonic() + timeout_s
        try:
            with self._client.messages.stream(**body, timeout=timeout_s) as stream:
                for event in stream:
                    if event.type in ("message_start", "message_delta"):
                        usage = _usage(stream.current_message_snapshot.usage)
                    if time.monotonic() > deadline_s:
                        raise self._fault(Fault.TIMEOUT, f"no whole answer in {timeout_s:.0f} s", usage=usage)
                message = stream.get_final_message()
        except (sdk.APITimeoutError, _http().TimeoutException) as error:
            raise self._fault(Fault.TIMEOUT, f"no answer in {timeout_s:.0f} s", usage=usage) from error
        except sdk.APIStatusError as error:
            raise self._status_fault(error, usage) from error
        except (sdk.APIConnectionError, _http().HTTPError) as error:
            if isinstance(error.__cause__, _http().ConnectError):
                usage = Usage()  # nothing was sent
            raise self._fault(Fault.CONNECTION, str(error) or "the connection was dropped", usage=usage) from error
        except (sdk.AnthropicError, ValueError, LookupError, TypeError, AttributeError, AssertionError) as error:
            raise self._fault(Fault.UNREADABLE, f"{type(error).__name__}: {error}", usage=usage) from error
        if message.stop_reason is None:
            raise self._fault(Fault.CONNECTION, "the stream ended before the message did", usage=usage)
        content = tuple(json.loads(self._hidden(block.to_json(indent=None))) for block in message.content)
        return Reply(content, message.stop_reason, _usage(message.usage))

    def _status_fault(self, error: Any, usage: Usage | None) -> ModelFault:
        # An error within a stream comes with the status 200; its type says what it is.
        status = error.status_code
        kinds = {429: Fault.RATE_LIMIT, 529: Fault.OVERLOADED, 408: Fault.TIMEOUT, 409: Fault.SERVER_ERROR}
        named = {"overloaded_error": Fault.OVERLOADED, "rate_limit_error": Fault.RATE_LIMIT}
        kind = kinds.get(status) or named.get(str(error.type))
        if kind is None:
            kind = Fault.SERVER_ERROR if status >= 500 or status < 400 else Fault.REJECTED
        detail = f"HTTP {status}: {error.api_message or error.message}"
        if status == 400 and self._strict and any(word in detail.lower() for word in _STRICTNESS):
            self._strict = False  # a server without constrained tool calls; our own checks do not rely on them
            kind = Fault.SERVER_ERROR
        # What is answered with an error is not charged, unless the answer had begun.
        return self._fault(kind, detail, retry_after_s=_retry_after(error.response.headers), usage=usage or Usage())

    def _fault(self, kind: Fault, detail: str, **known: Any) -> ModelFault:
        return ModelFault(kind, self._hidden(detail), **known)

    def _hidden(self, text: str) -> str:
        """What a server said, without the key, which it may echo."""
        for secret in self._secrets:
            text = text.replace(secret, "…")
        return text


def _usage(counted: Any) -> Usage:
    return Usage(
        counted.input_tokens or 0,
        counted.output_tokens or 0,
        counted.cache_creation_input_tokens or 0,
        counted.cache_read_input_tokens or 0,
    )


def _retry_after(headers: Mapping[str, str]) -> float | None:
    try:
        return max(0.0, float(headers["retry-after"]))
    except (KeyError, ValueError):
        return None


def _http() -> ModuleType:
    """The SDK's HTTP library: the SDK translates only the errors of it that come before a stream begins."""
    import httpx2

    return httpx2
