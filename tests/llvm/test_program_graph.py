"""The graph of a module against one drawn by hand."""

from collections import Counter

import pytest

from compiler_agent.base.errors import EngineError
from compiler_agent.llvm.library import Library
from compiler_agent.llvm.program_graph import Flow, NodeType, program_graph

MODULE = """
@g = global i32 5
declare i32 @outside(i32, i32)
define i32 @f(i32 %x) {
entry:
  %a = call i32 @outside(i32 3, i32 %x)
  switch i32 %a, label %end [ i32 3, label %twice
                              i32 5, label %twice ]
twice:
  %m = mul i32 %a, %a
  br label %end
end:
  %r = phi i32 [ %m, %twice ], [ 0, %entry ]
  store i32 %r, ptr @g
  ret i32 %x
}
"""
ROOT, OUTSIDE = "[external]", "; undefined function"
CONTROL = [("call", "switch", 0), ("switch", "phi", 0), ("switch", "mul", 1), ("switch", "mul", 2), ("mul", "br", 0),
           ("br", "phi", 0), ("phi", "store", 0), ("store", "ret", 0)]  # fmt: skip
# Results to the variables of their uses, variables and constants to their users.
DATA = [("call", "i32", 0), ("call", "i32", 0), ("call", "i32", 0), ("mul", "i32", 0), ("phi", "i32", 0),
        ("i32", "switch", 0), ("i32", "mul", 0), ("i32", "mul", 1), ("i32", "phi", 0), ("i32", "store", 0),
        ("i32", "call", 1), ("i32", "ret", 0), ("i32", "call", 0), ("i32", "switch", 2), ("i32", "switch", 4),
        ("i32", "phi", 1), ("ptr", "store", 1)]  # fmt: skip
CALLS = [(ROOT, OUTSIDE, 0), (OUTSIDE, ROOT, 0), (ROOT, "call", 0), ("ret", ROOT, 0), ("call", OUTSIDE, 0),
         (OUTSIDE, "call", 0)]  # fmt: skip


def texts(text: str) -> dict[NodeType, Counter[str]]:
    graph = program_graph(Library().parse(text).json())
    found = {kind: Counter() for kind in NodeType}
    for _, node in graph.nodes(data=True):
        found[node["type"]][node["text"]] += 1
    return found


def test_nodes_and_edges_by_hand() -> None:
    graph = program_graph(Library().parse(MODULE).json())
    assert graph.nodes[0] == {"type": NodeType.INSTRUCTION, "text": ROOT, "function": -1, "block": -1}
    assert texts(MODULE) == {
        NodeType.INSTRUCTION: Counter([ROOT, OUTSIDE, "call", "switch", "mul", "br", "phi", "store", "ret"]),
        NodeType.VARIABLE: Counter({"i32": 6}),  # five uses of results, and %x
        NodeType.CONSTANT: Counter({"i32": 3, "ptr": 1}),  # 3 is used twice
    }
    for flow, expected in ((Flow.CONTROL, CONTROL), (Flow.DATA, DATA), (Flow.CALL, CALLS)):
        found = Counter(
            (graph.nodes[source]["text"], graph.nodes[target]["text"], edge["position"])
            for source, target, edge in graph.edges(data=True)
            if edge["flow"] == flow
        )
        assert found == Counter(expected), flow
    blocks = {node["text"]: (node["function"], node["block"]) for _, node in graph.nodes(data=True)}
    assert blocks["switch"] == (1, 0)
    assert blocks["br"] == (1, 1)
    assert blocks["ret"] == (1, 2)


def test_the_function_of_an_indirect_call_is_data_and_what_is_never_reached_goes_nowhere() -> None:
    text = "call void %p(i32 1)\n  ret void\nnever:\n  br label %end\nend:\n  unreachable"
    graph = program_graph(Library().parse(f"define void @f(ptr %p) {{\n  {text}\n}}").json())
    nodes = {node["text"]: number for number, node in graph.nodes(data=True)}
    assert graph.edges[nodes["ptr"], nodes["call"], 0] == {"flow": Flow.DATA, "position": 1}
    assert not graph.has_edge(nodes["br"], nodes["unreachable"])
    assert [source for source, _ in graph.in_edges(0)] == [nodes["ret"]]


def test_types_are_written_as_llvm_does() -> None:
    found = texts(
        "define void @f({ i32, [2 x ptr] } %s, <4 x float> %v) {\n"
        "  %c = fcmp oeq <4 x float> %v, zeroinitializer\n  %e = extractvalue { i32, [2 x ptr] } %s, 1\n"
        "  %n = add i32 ptrtoint (ptr @g to i32), undef\n  ret void\n}\n@g = global i8 0"
    )
    assert found[NodeType.VARIABLE] == Counter(["{ i32, [2 x ptr] }", "<4 x float>"])
    assert found[NodeType.CONSTANT] == Counter(["<4 x float>", "i32", "i32"])


def test_an_intrinsic_is_a_function_that_is_called() -> None:
    calls = "%a = call float @llvm.sqrt.f32(float %x)\n  %b = call float @llvm.sqrt.f32(float %a)"
    text = f"define float @f(float %x) {{\n  {calls}\n  ret float %b\n}}"
    graph = program_graph(Library().parse("declare float @llvm.sqrt.f32(float)\n" + text).json())
    (intrinsic,) = [number for number, node in graph.nodes(data=True) if node["text"] == OUTSIDE]
    assert sorted(graph.nodes[source]["text"] for source, _ in graph.in_edges(intrinsic)) == [ROOT, "call", "call"]
    assert NodeType.CONSTANT not in dict(graph.nodes(data="type")).values()


def test_functions_without_names_are_refused_until_they_are_named() -> None:
    text = (
        "define void @0() { ret void }\ndefine void @1() { ret void }\ndefine void @main() { call void @1() ret void }"
    )
    module = Library().parse(text)
    with pytest.raises(EngineError, match="without names"):
        program_graph(module.json())
    module.run("-passes=name-anon-globals")
    graph = program_graph(module.json())
    (call,) = [number for number, node in graph.nodes(data=True) if node["text"] == "call"]
    assert [graph.nodes[target]["function"] for _, target in graph.out_edges(call)] == [2, 1]  # on, and into
