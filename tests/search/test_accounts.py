"""What may be spent is asked before each call, and each call is a line of the log."""

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler_agent.base.errors import BudgetSpent, FileError, Interrupted, UsageError
from compiler_agent.search.accounts import Accounts, Limits
from compiler_agent.search.caller import Caller, Interruptible
from compiler_agent.search.chat import Fault, Model, ModelFault, Request, Usage
from compiler_agent.search.fakes.scripted import ScriptedModel, says
from compiler_agent.search.prices import Prices, prices_of

REQUEST = Request("system" * 500, (), ({"role": "user", "content": [{"type": "text", "text": "hello"}]},))
SONNET = prices_of("claude-sonnet-5-5")


def caller(model: Model, accounts: Accounts, waits: list[float] | None = None, **more: object) -> Caller:
    return Caller(model, accounts, "unit", wait=(waits if waits is not None else []).append, **more)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(calls=2), "2 calls"),
        (Limits(tokens=4_000), "4000 tokens"),
        (Limits(cost_usd=0.025), r"\$0.025"),
        (Limits(seconds=0.0), "0 s"),
    ],
    ids=["calls", "tokens", "dollars", "seconds"],
)
def test_a_budget_stops_before_the_call_that_could_exceed_it(limits: Limits, words: str) -> None:
    model = ScriptedModel([says("yes")] * 9)
    accounts = Accounts(limits, SONNET)
    asked = caller(model, accounts)
    with pytest.raises(BudgetSpent, match=words):
        [asked.reply(REQUEST) for _ in range(9)]
    spent = accounts.total()
    assert spent.calls == len(model.requests) < 9
    assert spent.cost_usd is not None
    assert limits.cost_usd is None or spent.cost_usd <= limits.cost_usd
    assert limits.tokens is None or spent.tokens <= limits.tokens


def test_an_answer_is_shortened_to_what_can_be_paid() -> None:
    model = ScriptedModel([says("yes")])
    caller(model, Accounts(Limits(cost_usd=0.05), SONNET)).reply(REQUEST)
    (sent,) = model.requests
    assert 2_000 <= sent.max_tokens < REQUEST.max_tokens


@given(st.floats(0.0, 0.5), st.lists(st.integers(0, 16_000), min_size=1, max_size=30))
def test_dollars_are_never_exceeded(limit: float, outputs: list[int]) -> None:
    accounts = Accounts(Limits(cost_usd=limit), SONNET)
    for n_output in outputs:
        try:
            request, aside = accounts.reserve(REQUEST)
        except BudgetSpent:
            break
        usage = Usage(input_tokens=700, output_tokens=min(n_output, request.max_tokens))
        accounts.settle(aside, "unit", "m", "end_turn", usage, 1.0)
    assert (accounts.total().cost_usd or 0.0) <= limit


def test_an_answer_that_was_dropped_counts_as_long_as_it_could_be() -> None:
    accounts = Accounts(Limits(), SONNET)
    begun = ModelFault(Fault.CONNECTION, "gone", usage=Usage(input_tokens=900, output_tokens=1))
    caller(ScriptedModel([begun, says("yes")]), accounts).reply(REQUEST)
    assert accounts.total().tokens == (900 + REQUEST.max_tokens) + (900 + 20)


def test_calls_at_the_same_time_share_what_is_left() -> None:
    accounts = Accounts(Limits(calls=1), SONNET)
    accounts.reserve(REQUEST)
    with pytest.raises(BudgetSpent):
        accounts.reserve(REQUEST)


def test_each_try_is_a_line_of_the_log(tmp_path: Path) -> None:
    log = tmp_path / "new" / "calls.jsonl"
    accounts = Accounts(Limits(), SONNET, log=log, now=lambda: datetime(2026, 11, 21, tzinfo=UTC))
    steps = [
        ModelFault(Fault.OVERLOADED, "busy", usage=Usage()),
        ModelFault(Fault.CONNECTION, "gone"),
        says("yes"),
    ]
    caller(ScriptedModel(steps), accounts).reply(REQUEST)
    overloaded, dropped, answered = (json.loads(line) for line in log.read_text().splitlines())
    assert (overloaded["outcome"], overloaded["cost_usd"]) == ("overloaded", 0.0)
    assert dropped["outcome"] == "connection"
    assert dropped["estimated"]
    assert dropped["cost_usd"] > 0  # it may have been read
    assert answered["usage"] == {
        "input_tokens": 900,
        "output_tokens": 20,
        "cache_write_tokens": 0,
        "cache_read_tokens": 0,
    }
    assert answered["cost_usd"] == pytest.approx((900 * 2 + 20 * 10) / 1e6)
    assert (answered["conversation"], answered["model"]) == ("unit", "claude-sonnet-5-5")
    assert answered["time"] == "2026-11-21T00:00:00+00:00"


def test_tries_wait_longer_each_time_and_as_long_as_the_server_asks() -> None:
    waits: list[float] = []
    busy = ModelFault(Fault.OVERLOADED, "busy", usage=Usage())
    asked = ModelFault(Fault.RATE_LIMIT, "slowly", retry_after_s=7.0, usage=Usage())
    heard: list[str] = []
    model = ScriptedModel([busy, busy, asked, says("yes")])
    caller(model, Accounts(Limits(), SONNET), waits, say=heard.append).reply(REQUEST)
    assert [line.split("again in ")[1] for line in heard][2] == "7.0 s"
    assert 0.5 + 1.0 + 7.0 <= sum(waits) <= 1.0 + 2.0 + 7.0 + 1e-6
    assert all("try" in line and "overloaded" in line for line in heard[:2])


def test_after_some_tries_the_fault_is_told_and_what_cannot_pass_is_not_tried_again() -> None:
    for kind, n_tries in ((Fault.TIMEOUT, 5), (Fault.REJECTED, 1)):
        model = ScriptedModel([ModelFault(kind, "x", usage=Usage())] * 9)
        with pytest.raises(ModelFault) as raised:
            caller(model, Accounts(Limits(), SONNET)).reply(REQUEST)
        assert (raised.value.fault, len(model.requests)) == (kind, n_tries)


def test_ctrl_c_does_not_wait_for_the_answer() -> None:
    stop = threading.Event()
    never = threading.Event()

    class Slow(ScriptedModel):
        def reply(self, request, timeout_s):  # type: ignore[no-untyped-def]
            stop.set()
            never.wait(30)
            return super().reply(request, timeout_s)

    accounts = Accounts(Limits(), SONNET)
    with pytest.raises(Interrupted):
        caller(Interruptible(Slow([says("late")]), stop.is_set), accounts).reply(REQUEST)
    never.set()
    assert accounts.total().calls == 1


def test_a_model_without_a_price_costs_an_unknown_amount_and_cannot_be_limited_in_dollars() -> None:
    assert prices_of("somebody/local") is None
    with pytest.raises(UsageError, match=r"is not known.*\n.*prices\.toml"):
        Accounts(Limits(cost_usd=1.0), None)
    accounts = Accounts(Limits(), None)
    caller(ScriptedModel([says("yes")]), accounts).reply(REQUEST)
    assert accounts.total().cost_usd is None


def test_prices_follow_the_length_of_the_prompt_and_a_date_in_the_name_does_not_matter(tmp_path: Path) -> None:
    haiku = prices_of("claude-haiku-5-5")
    assert haiku is not None
    short, long = Usage(input_tokens=100_000), Usage(input_tokens=50_000, cache_read_tokens=50_001)
    assert haiku.cost_usd(short) == pytest.approx(0.01)
    assert haiku.cost_usd(long) == pytest.approx(0.025 + 50_001 * 0.05 / 1e6)
    assert prices_of("claude-haiku-4-5-20251001") == prices_of("claude-haiku-4-5")
    own = tmp_path / "prices.toml"
    row = '[[model]]\nname = "mine"\ninput = 0\noutput = 1\ncache_write = 0\ncache_read = 0\n'
    own.write_text(row)
    mine = prices_of("mine", own)
    assert isinstance(mine, Prices)
    assert mine.cost_usd(Usage(output_tokens=1_000_000)) == 1.0
    own.write_text(row + "up_to_prompt_tokens = 5\n")
    with pytest.raises(FileError, match="no price for long prompts"):
        prices_of("mine", own)
    own.write_text("model = 3")
    with pytest.raises(FileError, match="no price table"):
        prices_of("mine", own)


def test_a_conversation_knows_what_it_cost_itself() -> None:
    accounts = Accounts(Limits(), SONNET)
    first = caller(ScriptedModel([says("yes")]), accounts)
    second = replace(caller(ScriptedModel([says("yes")] * 2), accounts), conversation="other")
    first.reply(REQUEST)
    second.reply(REQUEST)
    second.reply(REQUEST)
    assert (first.spent.calls, second.spent.calls, accounts.total().calls) == (1, 2, 3)
