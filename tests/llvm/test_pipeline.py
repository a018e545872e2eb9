"""Pipelines: every byte that opt prints round-trips, edits do what they say, errors show the place."""

import contextlib
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler_agent.base.errors import PlanError
from compiler_agent.llvm import pipeline_edit as edit
from compiler_agent.llvm.pipeline import Adaptor, Level, Node, Pass, Pipeline, parse, walk

CORPUS = Path(__file__).parents[2] / "llvm_ir_corpus" / "pipelines"
PRINTED = [
    (f"{file.stem}:{number}", line)
    for file in sorted(CORPUS.glob("*.txt"))
    for number, line in enumerate(file.read_text().splitlines(), 1)
]
O2 = (CORPUS / "default-O2.txt").read_text().strip()

names = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)
parameters = st.none() | st.from_regex(r"[a-z0-9;=,()\[\]-]{0,12}", fullmatch=True) | st.just("da><x=1")
passes = st.builds(Pass, names, parameters)
nodes: st.SearchStrategy[Node] = st.recursive(
    passes, lambda inner: st.builds(Adaptor, names, st.lists(inner, max_size=4).map(tuple), parameters), max_leaves=12
)
pipelines = st.builds(Pipeline, st.lists(nodes, max_size=5).map(tuple))


def paths(pipeline: Pipeline) -> list[tuple[int, ...]]:
    return [path for path, _, _ in walk(pipeline)]


def test_the_corpus_is_there() -> None:
    assert len(PRINTED) > 250
    assert {f"default-{level}:1" for level in ("O0", "O1", "O2", "O3", "Os", "Oz")} <= {name for name, _ in PRINTED}


@pytest.mark.parametrize("text", [text for _, text in PRINTED], ids=[name for name, _ in PRINTED])
def test_what_opt_prints_round_trips(text: str) -> None:
    assert str(parse(text)) == text


@given(pipelines)
def test_parse_reads_what_str_writes(pipeline: Pipeline) -> None:
    assert parse(str(pipeline)) == pipeline
    assert hash(parse(str(pipeline))) == hash(pipeline)


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("gvn<>", Pass("gvn", "")),
        ("gvn", Pass("gvn", None)),
        ("require<globals-aa>", Pass("require", "globals-aa")),
        ("print<da><normalized-results>", Pass("print", "da><normalized-results")),
        ("a<b<c>;d<e>>", Pass("a", "b<c>;d<e>")),
        ("function<eager-inv;no-rerun>(dce)", Adaptor("function", (Pass("dce"),), "eager-inv;no-rerun")),
        ("devirt<4>()", Adaptor("devirt", (), "4")),
    ],
)
def test_shapes(text: str, node: Node) -> None:
    assert parse(text).nodes == (node,)
    assert str(node) == text


@pytest.mark.parametrize(
    ("text", "column", "what"),
    [
        ("sroa,,dce", 6, "name of a pass"),
        ("sroa,", 6, "name of a pass"),
        (",", 1, "name of a pass"),
        ("<x>", 4, "name of a pass"),
        ("function(sroa", 9, "never closed"),
        ("function(sroa,)", 15, "name of a pass"),
        ("sroa)", 5, "never opened"),
        ("function(sroa))", 15, "never opened"),
        ("gvn<no-pre", 4, "never closed"),
        ("gvn>", 4, "never opened"),
        ("sroa, dce", 6, "name of a pass"),
        ("sroa dce", 5, "white space"),
        ("function(sroa)(dce)", 15, "one body"),
        ("function(sroa)dce", 15, "expected ','"),
        ("()", 1, "name of a pass"),
    ],
)
def test_errors_show_the_place(text: str, column: int, what: str) -> None:
    with pytest.raises(PlanError) as caught:
        parse(text)
    message = caught.value.message
    assert f"column {column}:" in message
    assert what in message
    line, caret = message.splitlines()[-2:]
    assert caret.index("^") == line.index(text) + column - 1


def test_an_error_in_a_long_pipeline_shows_only_its_surroundings() -> None:
    with pytest.raises(PlanError) as caught:
        parse(O2.replace("openmp-opt,", "openmp opt,", 1))
    line, caret = caught.value.message.splitlines()[-2:]
    assert len(line) < 90
    assert line[caret.index("^") - 6 : caret.index("^")] == "openmp"


@given(st.text(alphabet="ab<>(),; ", max_size=12))
def test_any_text_is_either_refused_or_round_trips(text: str) -> None:
    with contextlib.suppress(PlanError):
        assert str(parse(text)) == text


def test_levels() -> None:
    text = "globalopt,cgscc(devirt<4>(inline,function(sroa,loop(indvars),loop-mssa(licm,loop(x)))))"
    assert {str(node): level for _, node, level in walk(parse(text)) if isinstance(node, Pass)} == {
        "globalopt": Level.MODULE,
        "inline": Level.CGSCC,
        "sroa": Level.FUNCTION,
        "indvars": Level.LOOP,
        "licm": Level.LOOP_MSSA,
        "x": Level.LOOP_MSSA,
    }
    for path, _, level in walk(parse(text)):
        assert edit.level_at(parse(text), path) is level


@given(pipelines, passes, st.data())
def test_insert_then_delete_is_nothing(pipeline: Pipeline, node: Pass, data: st.DataObject) -> None:
    places = [*paths(pipeline), (len(pipeline.nodes),)]
    places += [(*p, len(n.body)) for p, n, _ in walk(pipeline) if isinstance(n, Adaptor)]
    place = data.draw(st.sampled_from(places))
    changed = edit.insert(pipeline, place, node)
    assert edit.get(changed, place) == node
    assert len(paths(changed)) == len(paths(pipeline)) + 1
    assert edit.delete(changed, place) == pipeline


@given(pipelines.filter(lambda p: len(p.nodes) > 0), st.data())
def test_swap_twice_is_nothing_and_swap_exchanges(pipeline: Pipeline, data: st.DataObject) -> None:
    first, second = (data.draw(st.sampled_from(paths(pipeline))) for _ in range(2))
    shorter = min(len(first), len(second))
    if first != second and first[:shorter] == second[:shorter]:
        with pytest.raises(PlanError, match="holds the other"):
            edit.swap(pipeline, first, second)
        return
    changed = edit.swap(pipeline, first, second)
    assert edit.get(changed, first) == edit.get(pipeline, second)
    assert edit.get(changed, second) == edit.get(pipeline, first)
    assert edit.swap(changed, first, second) == pipeline


@given(pipelines)
def test_normalise_leaves_no_empty_adaptor_and_every_pass(pipeline: Pipeline) -> None:
    normal = edit.normalise(pipeline)
    assert all(node.body for _, node, _ in walk(normal) if isinstance(node, Adaptor))
    assert [n for _, n, _ in walk(normal) if isinstance(n, Pass)] == [
        n for _, n, _ in walk(pipeline) if isinstance(n, Pass)
    ]
    assert edit.normalise(normal) == normal


@pytest.mark.parametrize(
    ("before", "parameter", "exclusive", "after"),
    [
        ("gvn", "no-pre", (), "gvn<no-pre>"),
        ("gvn<>", "no-pre", (), "gvn<no-pre>"),
        ("gvn<pre;load-pre>", "no-pre", (), "gvn<no-pre;load-pre>"),
        ("x<a;b=1;c>", "b=2", (), "x<a;b=2;c>"),
        ("sroa<modify-cfg>", "preserve-cfg", ("modify-cfg", "preserve-cfg"), "sroa<preserve-cfg>"),
        ("l<a;b;>", "b", (), "l<a;b>"),
        ("function<eager-inv>(dce)", "no-rerun", (), "function<eager-inv;no-rerun>(dce)"),
    ],
)
def test_set_parameter(before: str, parameter: str, exclusive: tuple[str, ...], after: str) -> None:
    assert str(edit.set_parameter(parse(before), (0,), parameter, exclusive)) == after


def test_remove_parameter() -> None:
    assert str(edit.remove_parameter(parse("gvn<no-pre;load-pre>"), (0,), "pre")) == "gvn<load-pre>"
    assert str(edit.remove_parameter(parse("gvn"), (0,), "pre")) == "gvn"


@pytest.mark.parametrize(
    ("level", "at", "text"),
    [
        (Level.MODULE, Level.MODULE, "x"),
        (Level.CGSCC, Level.MODULE, "cgscc(x)"),
        (Level.FUNCTION, Level.MODULE, "function(x)"),
        (Level.FUNCTION, Level.CGSCC, "function(x)"),
        (Level.LOOP, Level.MODULE, "function(loop(x))"),
        (Level.LOOP, Level.CGSCC, "function(loop(x))"),
        (Level.LOOP, Level.FUNCTION, "loop(x)"),
        (Level.LOOP_MSSA, Level.FUNCTION, "loop-mssa(x)"),
        (Level.LOOP_MSSA, Level.MODULE, "function(loop-mssa(x))"),
        (Level.MODULE, Level.FUNCTION, None),
        (Level.CGSCC, Level.FUNCTION, None),
        (Level.FUNCTION, Level.LOOP, None),
        (Level.LOOP_MSSA, Level.LOOP, None),
        (Level.LOOP, Level.LOOP_MSSA, None),
    ],
)
def test_nest(level: Level, at: Level, text: str | None) -> None:
    if text is None:
        with pytest.raises(PlanError, match="cannot stand"):
            edit.nest(Pass("x"), level, at)
    else:
        assert str(edit.nest(Pass("x"), level, at)) == text


@pytest.mark.parametrize("path", [(), (9,), (0, 0), (1, 5), (-1,)])
def test_a_place_that_is_not_there(path: tuple[int, ...]) -> None:
    pipeline = parse("dce,function(sroa)")
    for change in (edit.get, edit.delete, lambda p, q: edit.replace(p, q, Pass("x"))):
        with pytest.raises(PlanError, match="has no place"):
            change(pipeline, path)


def n_calls(text: str) -> int:
    """How many functions Python enters and leaves to parse a text: what parsing costs, on whatever machine."""
    n_events = 0

    def count(*_: object) -> None:
        nonlocal n_events
        n_events += 1

    sys.setprofile(count)
    try:
        parse(text)
    finally:
        sys.setprofile(None)
    return n_events


def test_parsing_is_linear_in_the_text_and_calls_little() -> None:
    n_once = n_calls(O2)
    assert n_once < 0.3 * len(O2)
    assert n_calls(",".join([O2] * 16)) < 17 * n_once
