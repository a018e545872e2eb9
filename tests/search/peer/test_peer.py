"""Our strategies in a peer that stands for the old CompilerGym, and what becomes of its faults."""

from __future__ import annotations

import json
import os
import random
import shlex
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from compiler_agent.base.errors import PlanError, ToolError, UsageError
from compiler_agent.evaluation.evaluate import Verdict, stock_plan
from compiler_agent.llvm.engine import Outcome
from compiler_agent.llvm.plan import Plan
from compiler_agent.search import prompting, proposals, strategies
from compiler_agent.search.env.benchmark import Benchmark
from compiler_agent.search.env.state import State
from compiler_agent.search.peer.agents import PeerEvaluator, PeerRun, flattened_seeds, learned_seeds, run_peer_agent
from compiler_agent.search.peer.environment import PeerEnv
from compiler_agent.search.peer.lines import PeerFailed
from compiler_agent.search.peer.plans import PeerSpace, command_line, flatten, names_of
from compiler_agent.search.peer.process import Description, PeerProcess

FAKE = f"{sys.executable} {Path(__file__).with_name('fake_peer.py')}"
PASSES = ("sroa", "gvn", "early-cse-memssa", "functionattrs")
PEER = Description("fake", tuple((name, "") for name in PASSES), ("sroa",), ("R",))
FAULTS = ("crash", "hang", "rubbish", "number", "service-crash", "refuse")
REWARD = "IrInstructionCountOz"


@pytest.fixture
def process() -> Iterator[PeerProcess]:
    with PeerProcess(FAKE) as started:
        yield started


@pytest.fixture
def env(process: PeerProcess, tmp_path: Path) -> PeerEnv:
    return environment(process, tmp_path)


def environment(process: PeerProcess, directory: Path, name: str = "unit.c", without: tuple[str, ...] = ()) -> PeerEnv:
    benchmark = Benchmark(f"file://{directory}/{name}", ("clang", "-w", "-c", "-o", "-", name), directory)
    peer = process.describe()
    passes = tuple(one for one in peer.passes if one[0] not in without)
    return PeerEnv(process, replace(peer, passes=passes), benchmark, REWARD)


def evaluator_of(env: PeerEnv) -> PeerEvaluator:
    return PeerEvaluator(env, PeerSpace(env.peer))


@pytest.mark.parametrize(
    ("fault", "verdict", "words"),
    [
        ("crash", Verdict.CRASH, "a pass broke an assertion"),
        ("hang", Verdict.TIMEOUT, "no answer in time"),
        ("rubbish", Verdict.NOT_ESTABLISHED, "not JSON"),
        ("number", Verdict.NOT_ESTABLISHED, "many"),
        ("service-crash", Verdict.CRASH, "the service died"),
        ("refuse", Verdict.NOT_ESTABLISHED, "no such thing"),
    ],
)
def test_a_fault_of_the_peer_ends_that_evaluation_with_a_reason(
    env: PeerEnv, fault: str, verdict: Verdict, words: str
) -> None:
    evaluator = evaluator_of(env)
    patience_s, env.process.seconds = env.process.seconds, 0.3 if fault == "hang" else env.process.seconds
    found = evaluator.evaluate(Plan.parse(f"-passes=sroa,{fault}"))
    env.process.seconds = patience_s
    assert (found.verdict, found.value) == (verdict, None)
    assert words in found.reason
    again = evaluator.evaluate(Plan.parse("-passes=sroa,gvn"))
    assert (again.verdict, again.value) == (Verdict.ESTABLISHED, 150)


def test_episodes_and_forks_are_as_at_home(env: PeerEnv) -> None:
    sroa, gvn, inline = (env.action_names.index(name) for name in ("sroa", "gvn", "inline"))
    assert env.step(sroa)[1] == 1.0
    fork = env.fork()
    assert fork.step(gvn)[1] == pytest.approx(20 / 30)
    assert env.step(inline)[1] == pytest.approx(-7 / 30)
    assert fork.state.commandline == "opt -sroa -gvn input.bc -o output.bc"
    fork.close()
    assert env.state.reward == pytest.approx(23 / 30)
    env.reset()
    assert env.state.commandline == ""
    assert env.step(gvn)[1] == pytest.approx(20 / 30)


@pytest.mark.parametrize("fault", ["crash", "service-crash"])
def test_what_a_crash_took_along_is_begun_again(env: PeerEnv, fault: str) -> None:
    sroa, gvn, bad = (env.action_names.index(name) for name in ("sroa", "gvn", fault))
    env.step(sroa)
    first, second = env.fork(), env.fork()
    *_, truncated, info = first.step(bad)
    assert truncated
    assert info["ended"] == "crash"
    assert second.step(gvn)[3], "its process has gone"
    env.step(gvn)
    assert env.figure == 150
    assert env.fork().step(env.action_names.index("simplifycfg"))[1] == pytest.approx(10 / 30)


def test_a_peer_that_never_answers_is_given_up() -> None:
    with PeerProcess(f"{sys.executable} -c 'raise SystemExit(7)'") as process:
        for _ in range(3):
            with pytest.raises(PeerFailed):
                process.describe()
        with pytest.raises(ToolError, match="3 times without an answer"):
            process.describe()
    with PeerProcess("/no/such/peer") as process, pytest.raises(ToolError, match="could not be started"):
        process.describe()


@pytest.mark.parametrize(
    ("passes", "stock"), [([], []), (["sroa"], []), (["sroa"], ["gvn"]), (["sroa", "a b,c("], ["sroa"])]
)
def test_a_peer_without_passes_or_with_names_that_are_none_makes_no_sense(passes: list[str], stock: list[str]) -> None:
    said = {"name": "p", "passes": [{"name": one, "description": ""} for one in passes], "stock": stock, "rewards": []}
    script = f"input(); print({json.dumps(json.dumps(said))})"
    with (
        PeerProcess(shlex.join([sys.executable, "-c", script])) as process,
        pytest.raises(PeerFailed, match="no answer that is known here"),
    ):
        process.describe()


def test_what_is_said_unasked_is_no_answer_to_the_next_request() -> None:
    script = 'import sys\nfor line in sys.stdin: print(\'{"value": 1}\\n{"value": 2}\', flush=True)'
    with PeerProcess(shlex.join([sys.executable, "-c", script])) as process:
        assert process.observe("Ir") == 1
        with pytest.raises(PeerFailed, match="no answer that is known here"):
            process.observe("Ir")
        assert process.observe("Ir") == 1


@pytest.mark.parametrize("command", ["", " ", "'python"])
def test_what_is_no_command_is_said_to_be_none(command: str) -> None:
    with pytest.raises(UsageError):
        PeerProcess(command)


def test_the_process_ends_with_its_use(tmp_path: Path) -> None:
    with PeerProcess(FAKE) as process:
        env = environment(process, tmp_path)
        assert process._lines._child is not None
        number = process._lines._child.pid
        assert env.run(("sroa",)) == 170
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


def test_only_c_is_loaded_and_only_known_rewards(process: PeerProcess, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no C source"):
        environment(process, tmp_path, "unit.cpp")
    benchmark = Benchmark("file:///u.c", ("clang", "-c", "-o", "-", "u.c"), tmp_path)
    with pytest.raises(UsageError, match="no reward 'Runtime'"):
        PeerEnv(process, process.describe(), benchmark, "Runtime")


def test_structure_is_flattened_and_what_is_lost_is_named() -> None:
    text = "function<eager-inv>(sroa<modify-cfg>,early-cse<memssa>),cgscc(inline,function-attrs),default<O2>,gvn<>"
    found = flatten(Plan.parse(f"-passes={text} -disable-lsr=true function:f:minsize=true"), PEER)
    assert found.passes == ("sroa", "early-cse-memssa", "functionattrs", "sroa", "gvn")
    assert found.unknown == ("inline",)
    assert (found.n_parameters, found.n_options) == (1, 2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("function(sroa)", "no pass managers"),
        ("sroa<modify-cfg>", "no parameters"),
        ("sroa -disable-lsr=true", "no options"),
        ("sroa function:f:minsize=true", "no decisions"),
        ("loop-rotate", "unknown pass 'loop-rotate'"),
    ],
)
def test_what_is_not_flat_is_refused(env: PeerEnv, text: str, words: str) -> None:
    plan = Plan.parse(f"-passes={text}")
    with pytest.raises(PlanError) as refused:
        PeerSpace(PEER).names(plan)
    assert words.removeprefix("no ") in str(refused.value)
    assert evaluator_of(env).evaluate(plan).verdict is Verdict.REJECTED


def test_every_edit_is_a_plan_that_the_peer_takes() -> None:
    space, rng = PeerSpace(PEER), random.Random(1)
    plans = [stock_plan()]
    for _ in range(300):
        plan = rng.choice(plans[-8:])
        edit = rng.choice((space.edit_pipeline, space.edit_options))
        plans.append(space.cross(plan, rng.choice(plans), rng) if rng.random() < 0.3 else edit(plan, rng))
        assert set(space.names(plans[-1])) <= {*PASSES}
        assert plans[-1].pipeline.nodes
    assert len(set(map(str, plans))) > 100


def test_a_command_line_is_compiler_gyms() -> None:
    line = command_line(("sroa", "early-cse-memssa"))
    assert line == "opt -sroa -early-cse-memssa input.bc -o output.bc"
    assert names_of(line) == ("sroa", "early-cse-memssa")
    assert names_of(command_line(())) == ()
    for wrong in ("opt -sroa", "clang -sroa input.bc -o output.bc", "opt sroa input.bc -o output.bc", "-passes=sroa"):
        with pytest.raises(UsageError, match="not a peer's command line"):
            names_of(wrong)


@pytest.mark.parametrize("name", ["random", "greedy", "baseline", "coreset", "evolve"])
def test_what_an_agent_found_replays(process: PeerProcess, tmp_path: Path, name: str) -> None:
    env = environment(process, tmp_path, without=FAULTS)
    found = run_peer_agent(name, PeerRun(env, 0.3, 0))
    assert env.reward(env.run(names_of(found.commandline))) == found.reward
    if name == "baseline":
        assert (found.commandline, found.reward) == ("opt -sroa -inline input.bc -o output.bc", pytest.approx(23 / 30))


def test_greedy_takes_what_gains_most_and_goes_around_faults(process: PeerProcess, tmp_path: Path) -> None:
    found = run_peer_agent("greedy", PeerRun(environment(process, tmp_path, without=("hang",)), 600.0, 0))
    assert names_of(found.commandline) == ("sroa", "gvn", "simplifycfg", "early-cse-memssa", "functionattrs")


def test_seeds_are_in_the_peers_words(env: PeerEnv) -> None:
    ours, learned = flattened_seeds(env.peer), learned_seeds(env.peer)
    assert 0 < len(ours) <= len(strategies.read_coreset())
    for plans in (ours, learned):
        assert len(set(map(str, plans))) == len(plans) > 0
        assert any({"sroa", "early-cse-memssa", "functionattrs"} & set(PeerSpace(env.peer).names(p)) for p in plans)


def test_agents_that_lack_something_say_so(env: PeerEnv) -> None:
    with pytest.raises(UsageError, match="no agent 'nobody'"):
        run_peer_agent("nobody", PeerRun(env, 1.0, 0))
    with pytest.raises(UsageError, match="asks a language model"):
        run_peer_agent("hybrid", PeerRun(env, 1.0, 0))


def test_a_state_that_the_peer_does_not_know_is_no_state(env: PeerEnv) -> None:
    with pytest.raises(PeerFailed) as failed:
        env.apply(State("file:///u.c", 0.0, 0.0, "opt -crash input.bc -o output.bc"))
    assert failed.value.outcome is Outcome.CRASH


def test_a_model_is_shown_the_peers_passes_and_no_others() -> None:
    space = PeerSpace(PEER)
    shown = prompting.system(space, 4)
    assert "early-cse-memssa [module]" in shown
    assert "loop-rotate" not in shown.partition("# The stock pipeline")[2]
    assert "disable-lsr" not in shown
    assert "flat list" in shown.partition("# The options that may be set")[2]
    entry = proposals.tool(space)["input_schema"]["properties"]["plans"]["items"]["properties"]
    assert set(entry["edits"]["items"]["properties"]["pass"]["enum"]) == {"", *PASSES}
    assert entry["options"]["items"]["properties"]["name"]["enum"] == [""]
