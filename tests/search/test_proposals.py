"""What a language model says becomes a plan that the catalog takes, or a named fault; never anything else."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler_agent.base.errors import PlanError
from compiler_agent.llvm import catalog, stock
from compiler_agent.llvm.pipeline import parse
from compiler_agent.llvm.plan import Plan
from compiler_agent.llvm.toolchain import discover
from compiler_agent.search import observing, proposals
from compiler_agent.search.fakes.scripted import proposes
from compiler_agent.search.observing import Names, strict_object
from compiler_agent.search.proposals import Candidate, edited
from compiler_agent.search.space import Space

STOCK = Plan.parse("-passes=default<O2>")
PARENT = Plan.parse("-passes=function(sroa<modify-cfg>,gvn<>,simplifycfg,gvn<>),globaldce -disable-lsr=true")


@pytest.fixture(scope="module")
def space() -> Space:
    known = catalog.load()
    return Space(known, stock.editable_pipeline(discover(), known))


Read = Callable[..., list[Candidate | str]]


@pytest.fixture(scope="module")
def read(space: Space) -> Read:
    def read_plans(*plans: dict, names: Names | None = None) -> list[Candidate | str]:
        given = proposes(*plans).content[0]["input"]
        return proposals.read(given, [STOCK, PARENT], space, names or Names())

    return read_plans


def edit(do: str, at: str, new: str = "", parameter: str = "") -> dict[str, str]:
    return {"do": do, "at": at, "pass": new, "parameter": parameter}


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        ([edit("delete", "gvn#2")], "function(sroa<modify-cfg>,gvn<>,simplifycfg),globaldce"),
        (
            [edit("insert-before", "globaldce#1", "licm")],
            "function(sroa<modify-cfg>,gvn<>,simplifycfg,gvn<>),function(loop-mssa(licm<allowspeculation>)),globaldce",
        ),
        (
            [edit("insert-after", "sroa#1", "early-cse", "memssa")],
            "function(sroa<modify-cfg>,early-cse<memssa>,gvn<>,simplifycfg,gvn<>),globaldce",
        ),
        (
            [edit("set-parameter", "sroa#1", parameter="preserve-cfg")],
            "function(sroa<preserve-cfg>,gvn<>,simplifycfg,gvn<>),globaldce",
        ),
        (
            [edit("delete", "gvn#1"), edit("replace", "gvn#2", "dse"), edit("delete", "sroa#1")],
            "function(simplifycfg,dse),globaldce",
        ),
        ([edit("delete", "function#1")], "globaldce"),
    ],
)
def test_edits_name_the_nodes_of_the_parent(read: Read, edits: list[dict[str, str]], expected: str) -> None:
    (found,) = read({"parent": 1, "edits": edits})
    assert isinstance(found, Candidate), found
    assert str(found.plan) == f"-passes={expected}"  # the parent's option is not taken over


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"pipeline": "function(sroa,no-such-pass)"}, "unknown pass 'no-such-pass'"),
        ({"pipeline": "function(sroa"}, "never closed"),
        ({"pipeline": "sroa,$(rm -rf ~)"}, "one word without spaces"),
        ({"pipeline": "sroa -load-pass-plugin=/tmp/evil.so"}, "one word without spaces"),
        ({"options": [{"name": "load-pass-plugin", "value": "/tmp/evil.so"}]}, "unknown option -load-pass-plugin"),
        ({"options": [{"name": "disable-lsr", "value": "perhaps"}]}, "cannot be 'perhaps'"),
        ({"options": [{"name": "disable-lsr", "value": "true"}] * 2}, "comes twice"),
        ({"decisions": ["-load-pass-plugin=/tmp/evil.so"]}, "unknown option -load-pass-plugin"),
        ({"decisions": ["loop:f:0:always=4"]}, "of a loop 'always' cannot be decided"),
        ({"decisions": ["call:f:0:inline=perhaps"]}, "inline cannot be 'perhaps'"),
        ({"decisions": ["asm:f:0:nop=4"]}, "is no decision"),
        ({"decisions": ["loop:f:0:unroll-count=4 -o=/etc/passwd"]}, "one word without spaces"),
        ({"pipeline": "print<domtree>"}, "print"),
        ({"parent": 2}, "there is no plan 2"),
        ({"parent": -1}, "there is no plan -1"),
        ({"parent": "0"}, "not of the form"),
        ({"edits": [edit("delete", "gvn#7777")]}, "there is no gvn#7777"),
        ({"parent": 1, "edits": [edit("explode", "gvn#1")]}, "there is no edit 'explode'"),
        ({"parent": 1, "edits": [edit("insert-before", "gvn#1", "nonsense")]}, "unknown pass 'nonsense'"),
        ({"parent": 1, "edits": [edit("insert-before", "gvn#1", "globalopt")]}, "cannot stand at level function"),
        ({"parent": 1, "edits": [edit("set-parameter", "gvn#1", parameter="fast")]}, "no parameter 'fast'"),
        ({"edits": [edit("delete", "coro-split#1")]}, "must stay"),
        ({"pipeline": "sroa", "edits": [edit("delete", "gvn#1")]}, "cannot stand together"),
        ({"edits": 3}, "not of the form"),
        ({"options": None}, "not of the form"),
    ],
)
def test_what_is_outside_the_grammar_is_a_named_fault(read: Read, entry: dict, words: str) -> None:
    (found,) = read(entry)
    assert isinstance(found, str), found
    assert words in found


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
entries = st.fixed_dictionaries(
    {
        "parent": st.integers(-1, 2) | json_values,
        "pipeline": st.sampled_from(["", "sroa", "function(gvn)", "default<O2>"]) | st.text() | json_values,
        "edits": json_values
        | st.lists(
            st.fixed_dictionaries(
                {
                    "do": st.sampled_from(["delete", "replace", "insert-after"]) | json_values,
                    "at": st.sampled_from(["gvn#1", "sroa#1"]) | json_values,
                    "pass": st.sampled_from(["", "dse"]) | json_values,
                    "parameter": st.just("") | json_values,
                }
            ),
            max_size=3,
        ),
        "options": st.lists(st.fixed_dictionaries({"name": st.text(), "value": st.text()}), max_size=2) | json_values,
        "decisions": st.lists(st.text(), max_size=2) | json_values,
        "expected_effect": json_values,
        "rationale": st.text() | json_values,
    }
)


@given(st.lists(entries | json_values, min_size=1, max_size=3))
def test_no_reply_widens_what_a_plan_may_be(space: Space, plans: list[object]) -> None:
    for found in proposals.read({"plans": plans}, [STOCK, PARENT], space, Names()):
        if isinstance(found, Candidate):
            space.catalog.check(found.plan)
            assert Plan.parse(str(found.plan)) == found.plan
            assert (found.rationale + found.expected).isprintable()
            assert len(found.rationale) <= 400


@pytest.mark.parametrize("given", [None, [], {}, {"plans": []}, {"plans": {}}, {"plans": "sroa"}, "x"])
def test_what_is_no_list_of_plans_is_refused_whole(space: Space, given: object) -> None:
    with pytest.raises(PlanError, match="takes a list of plans"):
        proposals.read(given, [STOCK], space, Names())


def test_the_schema_is_made_from_the_catalog_and_strict_throughout(space: Space) -> None:
    tools = [proposals.tool(space), *observing.tools()]
    plan = tools[0]["input_schema"]["properties"]["plans"]["items"]
    assert plan["properties"]["edits"]["items"]["properties"]["pass"]["enum"][1:] == [one.name for one in space.passes]
    names = plan["properties"]["options"]["items"]["properties"]["name"]["enum"]
    assert names == [option.name for option in space.options]

    def check(schema: dict) -> None:
        if schema["type"] == "object":
            assert schema == {**schema, **strict_object(schema["properties"])}
            for inner in schema["properties"].values():
                check(inner)
        elif schema["type"] == "array":
            check(schema["items"])

    for one in tools:
        assert one["strict"]
        check(one["input_schema"])


def test_labels_name_every_node_of_the_stock_pipeline(space: Space) -> None:
    lines = proposals.labelled(space.stock).splitlines()
    labels = [line.strip().partition(":")[0] for line in lines]
    assert len(labels) == len(set(labels)) > 100
    assert labels.count("simplifycfg#3") == 1
    assert edited(parse("sroa,gvn"), [], space.catalog) == parse("sroa,gvn")


class Renamed:
    """Calls `secret` f1."""

    def name(self, original: str) -> str:
        return {"secret": "f1"}.get(original, original)

    def original(self, name: str) -> str:
        return {"f1": "secret"}.get(name, name)


def test_names_in_decisions_map_back_and_complaints_do_not_give_them_away(read: Read) -> None:
    names = Names(Renamed())
    good, bad = read(
        {"decisions": ["loop:f1:0:unroll-count=4", "function:f1:minsize=true"], "rationale": "f1 is hot"},
        {"decisions": ["loop:f1:0:unroll-count=4", "loop:f1:0:unroll-count=8"]},
        names=names,
    )
    assert isinstance(good, Candidate), good
    assert str(good.plan).endswith(" function:secret:minsize=true loop:secret:0:unroll-count=4")
    assert good.rationale == "secret is hot"
    assert str(proposals.renamed(good.plan, names.redacted)).endswith("loop:f1:0:unroll-count=4")
    assert isinstance(bad, str)
    assert "decide the same" in bad
    assert "secret" not in bad
