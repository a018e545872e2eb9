"""The real SDK over real HTTP: replies come back whole, each fault has its name, and the key is in no text."""

from typing import get_args

import pytest
from anthropic.resources.messages.messages import DEPRECATED_MODELS
from anthropic.types.model import Model as ModelNames

from compiler_agent.base.config import DEFAULT_MODEL, ModelSettings
from compiler_agent.base.errors import UsageError
from compiler_agent.search.chat import AnthropicModel, Fault, ModelFault, Reply, Request, Usage
from compiler_agent.search.fakes.scripted import calls, says
from compiler_agent.search.fakes.server import FakeServer
from compiler_agent.search.prices import prices_of

KEY = "sk-ant-not-a-real-key"
TOOL = {"name": "look", "description": "looks", "strict": True, "input_schema": {"type": "object", "properties": {}}}
REQUEST = Request("be brief", (TOOL,), ({"role": "user", "content": [{"type": "text", "text": "hello"}]},))


def model(server: FakeServer, key: str = KEY) -> AnthropicModel:
    return AnthropicModel(ModelSettings("m", server.url, None, api_key=key), DEFAULT_MODEL)


def fault_of(step: object, timeout_s: float = 5) -> ModelFault:
    with FakeServer([step]) as server, pytest.raises(ModelFault) as raised:
        model(server).reply(REQUEST, timeout_s)
    return raised.value


def test_a_reply_comes_back_as_it_was_sent() -> None:
    thinking = {"type": "thinking", "thinking": "hm", "signature": "abc"}
    sent = calls("look", {"at": ["é", 1]}, says="I look")
    sent = Reply((thinking, *sent.content), sent.stop_reason, Usage(7, 8, 9, 10))
    with FakeServer([sent]) as server:
        assert model(server).reply(REQUEST, 5) == sent
    (body,) = server.requests
    assert body["model"] == DEFAULT_MODEL
    assert body["stream"] is True
    assert body["system"] == [{"type": "text", "text": "be brief", "cache_control": {"type": "ephemeral"}}]
    assert body["messages"][0]["content"][-1]["cache_control"] == {"type": "ephemeral"}
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    ("step", "kind", "may_pass", "words"),
    [
        ({"fault": {"kind": "rate-limit", "detail": "slowly"}}, Fault.RATE_LIMIT, True, "HTTP 429: slowly"),
        ({"fault": {"kind": "overloaded", "detail": "busy"}}, Fault.OVERLOADED, True, "HTTP 529: busy"),
        ({"fault": {"kind": "server-error"}}, Fault.SERVER_ERROR, True, "HTTP 500"),
        ({"fault": {"kind": "rejected", "detail": f"bad {KEY}"}}, Fault.REJECTED, False, "HTTP 400: bad …"),
        ({"broken": "close"}, Fault.CONNECTION, True, "Connection error"),
        ({"broken": "drop"}, Fault.CONNECTION, True, "ended before"),
        ({"broken": "error"}, Fault.OVERLOADED, True, "too much to do"),
        ({"broken": "garbage"}, Fault.UNREADABLE, True, ""),
        ({"broken": "html"}, Fault.UNREADABLE, True, ""),
    ],
    ids=lambda value: str(value)[:30],
)
def test_each_fault_has_a_name(step: dict, kind: Fault, may_pass: bool, words: str) -> None:
    fault = fault_of(step)
    assert (fault.fault, fault.fault.may_pass) == (kind, may_pass)
    assert words in fault.detail
    assert KEY not in str(fault)


def test_a_server_that_falls_silent_is_a_timeout() -> None:
    assert fault_of({"broken": "stall"}, timeout_s=0.3).fault is Fault.TIMEOUT


def test_nobody_there_is_a_connection_that_cost_nothing() -> None:
    with FakeServer([]) as server:
        gone = model(server)
    with pytest.raises(ModelFault) as raised:
        gone.reply(REQUEST, 5)
    assert raised.value.fault is Fault.CONNECTION
    assert raised.value.usage == Usage()


def test_what_the_server_asks_to_wait_is_known() -> None:
    assert fault_of({"fault": {"kind": "rate-limit", "retry_after_s": 7.5}}).retry_after_s == 7.5


def test_what_was_counted_before_a_drop_is_known() -> None:
    reply = {"content": [{"type": "text", "text": "never"}], "stop_reason": "x", "usage": {"input_tokens": 900}}
    dropped = {"broken": "drop", "reply": reply}
    assert fault_of(dropped).usage == Usage(input_tokens=900, output_tokens=1)
    assert fault_of({"broken": "close"}).usage is None
    assert fault_of({"fault": {"kind": "overloaded"}}).usage == Usage()


def test_a_server_that_knows_no_strict_tools_is_asked_without() -> None:
    refused = {"fault": {"kind": "rejected", "detail": "tools.0.strict: extra inputs are not permitted"}}
    with FakeServer([refused, says("yes")]) as server:
        asked = model(server)
        with pytest.raises(ModelFault) as raised:
            asked.reply(REQUEST, 5)
        assert raised.value.fault.may_pass
        assert asked.reply(REQUEST, 5).stop_reason == "end_turn"
    assert ["strict" in body["tools"][0] for body in server.requests] == [True, False]


def test_without_a_key_one_sentence_says_how_to_go_on() -> None:
    with FakeServer([]) as server, pytest.raises(UsageError, match="--strategy evolve") as raised:
        model(server, key="")
    assert "ANTHROPIC_API_KEY" in str(raised.value)


def test_a_bearer_token_does_for_gateways() -> None:
    with FakeServer([says("yes")]) as server:
        settings = ModelSettings("m", server.url, None, auth_token="gateway-token")
        AnthropicModel(settings, "some/model").reply(REQUEST, 5)
    assert server.headers[0]["authorization"] == "Bearer gateway-token"
    assert server.requests[0]["model"] == "some/model"


def test_a_reply_that_echoes_the_key_comes_without_it_and_a_placeholder_changes_nothing() -> None:
    with FakeServer([calls("look", {"at": f"{KEY} x"})] * 2) as server:
        assert model(server).reply(REQUEST, 5).content[-1]["input"] == {"at": "… x"}
        assert model(server, "x").reply(REQUEST, 5).content[-1]["input"] == {"at": f"{KEY} x"}


def test_settings_do_not_show_their_keys() -> None:
    settings = ModelSettings.from_environment({"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_AUTH_TOKEN": "token-of-mine"})
    assert settings.api_key == KEY
    assert KEY not in repr(settings)
    assert "token-of-mine" not in repr(settings)
    assert settings.name == DEFAULT_MODEL
    assert ModelSettings.from_environment({"CC_AGENT_MODEL": "x"}).name == "x"
    assert ModelSettings.from_environment({"ANTHROPIC_API_KEY": f"{KEY}\n"}).api_key == KEY


def test_the_default_model_is_a_current_one_with_a_price() -> None:
    known = [name for part in get_args(ModelNames) for name in get_args(part)]
    assert DEFAULT_MODEL in known
    assert DEFAULT_MODEL not in DEPRECATED_MODELS
    assert prices_of(DEFAULT_MODEL) is not None


def test_what_a_server_says_is_one_printable_line() -> None:
    fault = fault_of({"fault": {"kind": "overloaded", "detail": "busy\x1b[2J\n" + "x" * 1000}})
    assert fault.detail.startswith("HTTP 529: busy?[2J xxx")
    assert len(fault.detail) == 300
