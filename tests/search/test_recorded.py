"""A recorded conversation can be held again to the byte, and not with another unit, prompt or version."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from compiler_agent.base.config import ModelSettings
from compiler_agent.base.errors import BudgetSpent, CompilerAgentError, FileError, Interrupted
from compiler_agent.search.chat import AnthropicModel, Fault, ModelFault, Reply, Request, Usage
from compiler_agent.search.fakes.recorded import Recording, Replay
from compiler_agent.search.fakes.scripted import (
    ScriptedModel,
    calls,
    from_json,
    proposes,
    read_script,
    says,
    to_json,
    write_script,
)


def request(*texts: str) -> Request:
    roles = ("user", "assistant")
    return Request(
        "system",
        ({"name": "look"},),
        tuple({"role": roles[n % 2], "content": [{"type": "text", "text": text}]} for n, text in enumerate(texts)),
    )


STEPS = [says("yes"), ModelFault(Fault.OVERLOADED, "busy", retry_after_s=2.0, usage=Usage()), proposes({"parent": 0})]
REQUESTS = [request("a"), request("a", "yes", "b"), request("a", "yes", "b")]


def hold(model) -> list[str]:  # type: ignore[no-untyped-def]
    heard = []
    for one in REQUESTS:
        try:
            heard.append(json.dumps(to_json(model.reply(one, 1.0))))
        except ModelFault as fault:
            heard.append(json.dumps(to_json(fault)))
    return heard


def test_a_replay_answers_as_the_model_did_and_records_the_same_file(tmp_path: Path) -> None:
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    heard = hold(Recording(first, "m").model(ScriptedModel(STEPS, "m"), "unit"))
    replay = Replay(first)
    assert replay.name == "m"
    assert hold(Recording(second, replay.name).model(replay.model("unit"), "unit")) == heard
    assert second.read_bytes() == first.read_bytes()


def test_conversations_at_the_same_time_do_not_mix_and_their_order_does_not_show(tmp_path: Path) -> None:
    files = []
    for order in (("one", "two"), ("two", "one")):
        path = tmp_path / f"{order[0]}.jsonl"
        recording = Recording(path, "m")
        models = {name: recording.model(ScriptedModel([says(name)] * 2, "m"), name) for name in order}
        for name in (*order, *order):
            models[name].reply(REQUESTS[0], 1.0)
        files.append(path.read_text())
    assert files[0] == files[1]
    assert Replay(tmp_path / "one.jsonl").model("two").reply(REQUESTS[0], 1.0) == says("two")


def test_another_request_than_the_recorded_one_is_an_error_and_no_fault_to_live_with(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    hold(Recording(path, "m").model(ScriptedModel(STEPS, "m"), "unit"))
    replay = Replay(path)
    for conversation, asked, words in (
        ("unit", request("changed"), "another request was sent then"),
        ("other", REQUESTS[0], "has no conversation about other"),
    ):
        with pytest.raises(CompilerAgentError, match=words) as raised:
            replay.model(conversation).reply(asked, 1.0)
        assert not isinstance(raised.value, ModelFault)


def test_a_replay_ends_where_the_conversation_did(tmp_path: Path) -> None:
    class Stopped(ScriptedModel):
        def reply(self, asked: Request, timeout_s: float) -> Reply:
            if self.requests:
                raise Interrupted("by the user")
            return super().reply(asked, timeout_s)

    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    for path, model in ((first, lambda: Stopped([says("yes")], "m")), (second, lambda: Replay(first).model("unit"))):
        recorded = Recording(path, "m").model(model(), "unit")
        recorded.reply(REQUESTS[0], 1.0)
        with pytest.raises(Interrupted):
            recorded.reply(REQUESTS[1], 1.0)
    assert second.read_bytes() == first.read_bytes()
    with pytest.raises(BudgetSpent, match="ends here"):
        recorded.reply(REQUESTS[1], 1.0)


HEAD = '{"format": "cc-agent-conversations", "version": 1'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}\n",
        '{"format": "cc-agent-conversations", "version": 2}\n',
        HEAD + "}\n",
        HEAD + ', "model": "m"}\n{"n": 1}\n',
        "[1]\n",
        "no\n",
    ],
)
def test_what_is_no_recording_is_said(tmp_path: Path, text: str) -> None:
    path = tmp_path / "talk.jsonl"
    path.write_text(text)
    with pytest.raises(FileError):
        Replay(path)


def test_a_recording_that_cannot_be_written_is_known_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="does not exist"):
        Recording(tmp_path / "missing" / "talk.jsonl", "m")


def test_scripts_round_trip(tmp_path: Path) -> None:
    steps = [*STEPS, calls("look", {"at": 1}, says="hm"), ModelFault(Fault.TIMEOUT, "late")]
    path = tmp_path / "script.jsonl"
    write_script(path, steps)
    read = [from_json(row) for row in read_script(path)]
    assert [to_json(step) for step in read] == [to_json(step) for step in steps]
    with pytest.raises(FileError, match="not a step"):
        from_json({"fault": {"kind": "tired"}})


def test_the_server_can_be_started_from_a_script(tmp_path: Path) -> None:
    path = tmp_path / "script.jsonl"
    write_script(path, [says("yes")])
    server = subprocess.Popen(
        [sys.executable, "-m", "compiler_agent.search.fakes.server", "--script", path],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        model = AnthropicModel(ModelSettings("", url, None, api_key="x"), "m")
        assert model.reply(request("a"), 5.0) == says("yes")
    finally:
        server.send_signal(signal.SIGINT)
        assert server.wait(10) == 0
