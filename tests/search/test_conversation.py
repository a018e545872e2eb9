"""What goes back to a server is what the protocol allows, whatever a model said."""

from compiler_agent.search.chat import Reply, Usage
from compiler_agent.search.conversation import Conversation


def test_a_tool_s_input_that_is_no_object_is_not_sent_back() -> None:
    conversation = Conversation("system", [])
    conversation.tell("propose")
    conversation.request()
    call = {"type": "tool_use", "id": "1", "name": "propose_plans", "input": [1]}
    (heard,) = conversation.hear(Reply((call,), "tool_use", Usage()))
    conversation.answer("1", "no plans")
    assert heard["input"] == {}
    assert [block["input"] for block in conversation.request().messages[1]["content"]] == [{}]
