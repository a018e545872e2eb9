"""Plans that begin alike share the run of that beginning, and it shows in nothing but time."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from compiler_agent.llvm.engine import Engine, Measurement, Outcome
from compiler_agent.llvm.toolchain import discover

SOURCE = """
typedef struct node { struct node *next; int key; } node;
static int weigh(const node *list, int limit) {
  int total = 0;
  for (; list; list = list->next)
    if (list->key < limit) total += list->key * 3 + (total & 5);
  return total;
}
int compare(const node *a, const node *b, int n) {
  int sum = 0;
  for (int i = 0; i < n; i++) sum += weigh(a, i) - weigh(b, n - i);
  return sum;
}
unsigned mix(const unsigned char *bytes, unsigned count) {
  unsigned h = 17;
  while (count--) h = (h << 5 | h >> 27) ^ *bytes++;
  return h;
}
"""
FRONT = "-passes=globalopt,function(sroa,early-cse),cgscc(inline)"
CHAIN = [
    f"{FRONT},function(instcombine<no-verify-fixpoint>,simplifycfg)",
    f"{FRONT},function(instcombine<no-verify-fixpoint>,simplifycfg),function(gvn)",
    f"{FRONT},function(instcombine<no-verify-fixpoint>,simplifycfg),function(gvn),globaldce",
    f"{FRONT},function(gvn)",
    f"{FRONT},function(instcombine<no-verify-fixpoint>,simplifycfg),function(gvn),globaldce",
    f"{FRONT},function(instcombine<no-verify-fixpoint>,simplifycfg),function(gvn) -enable-machine-outliner=always",
    f"{FRONT},function(gvn) -inline-threshold=0",
    f"{FRONT},function(instcombine<no-verify-fixpoint>,simplifycfg),function(adce) -inline-threshold=0",
    "-passes=sroa,early-cse,simplifycfg",
    "-passes=sroa,early-cse,gvn",
    "-passes=default<O2>",
    "-passes=default<O2> -disable-lsr=true",
    "-passes=default<O2>,globaldce",
    f"{FRONT},function(gvn) call:compare:0:inline=never",
    f"{FRONT},function(gvn),globaldce call:compare:0:inline=never",
    f"{FRONT},function(gvn) function:mix:minsize=false",
    "-passes=default<O2> loop:compare:0:unroll-count=3",
    "-passes=default<O2> loop:compare:0:unroll-count=3 -disable-lsr=true",
]
LATE = {"-enable-machine-outliner=always", "-disable-lsr=true"}


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setenv("CC_AGENT_TEST_PASSES", "1")
    (tmp_path / "unit.c").write_text(SOURCE)
    with Engine([str(discover().clang), "-Oz", "-c", "-o", "-", "unit.c"], tmp_path) as engine:
        yield engine


def late_options(plan: str) -> str:
    return " ".join(word for word in plan.split() if word in LATE)


def figures(measured: Measurement) -> tuple[object, ...]:
    """Everything but the time, and whether an object had to be made."""
    return tuple(
        getattr(measured, name) for name in Measurement.__slots__ if name not in ("wall_time_s", "emitted", "message")
    )


def snapshots(engine: Engine) -> list[int]:
    """The processes that wait in the middle of a pipeline: the serving clang's children, between evaluations."""
    text = Path(f"/proc/{engine.process}/task/{engine.process}/children").read_text()
    return [int(word) for word in text.split()]


def is_running(process: int) -> bool:
    """Whether a process is there and is not just waiting to be reaped by whoever runs the tests."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_shared_and_unshared_evaluations_give_the_same_figures_and_objects(engine: Engine) -> None:
    plans = CHAIN * 3
    shared = [figures(engine.measure(plan, late=late_options(plan))) for plan in plans]
    assert snapshots(engine)
    alone = [figures(engine.measure(plan, share=False, fresh=True)) for plan in plans]
    assert shared == alone
    assert all(row[0] is Outcome.OK for row in shared)
    assert len(set(shared)) > 5


@pytest.mark.parametrize(("emit", "identify"), [(False, True), (False, False)], ids=["ir", "count"])
def test_counts_are_the_same_too(engine: Engine, emit: bool, identify: bool) -> None:
    shared = [engine.measure(plan, emit=emit, identify=identify) for plan in CHAIN * 2]
    alone = [engine.measure(plan, emit=emit, identify=identify, share=False) for plan in CHAIN * 2]
    assert [each.ir_instructions for each in shared] == [each.ir_instructions for each in alone]
    assert all(each.outcome is Outcome.OK and each.text_bytes is None for each in (*shared, *alone))
    assert bool(shared[0].fingerprint) is identify
    assert not any(each.emitted for each in shared)


def test_plans_with_different_decisions_share_nothing(engine: Engine) -> None:
    plain = f"{FRONT},function(gvn)"
    first, second = f"{plain} call:compare:0:inline=never", f"{plain} call:compare:1:inline=never"
    for plan in (plain, first, second) * 2:
        assert engine.measure(plan).outcome is Outcome.OK
    assert len(snapshots(engine)) == 3
    assert len({engine.measure(plan).fingerprint for plan in (plain, first, second)}) == 3


@pytest.mark.parametrize("share", [True, False])
def test_a_decision_that_does_not_fit_the_unit_is_rejected_by_name(engine: Engine, share: bool) -> None:
    for _ in range(2):
        measured = engine.measure("-passes=default<O2> loop:compare:7:unroll=full", share=share)
        assert measured.outcome is Outcome.REJECTED
        assert "'loop:compare:7:unroll=full': compare has 1 loops" in measured.message


def test_function_pipelines_are_not_cut(engine: Engine) -> None:
    for plan in ("-passes=sroa,early-cse,gvn", "-passes=sroa,early-cse,simplifycfg", "-passes=sroa,early-cse,adce"):
        assert engine.measure(plan, emit=False).outcome is Outcome.OK
    assert snapshots(engine) == []  # cut, `sroa` would see every function before `early-cse` sees the first


def test_an_object_that_is_known_is_not_made_again_by_a_snapshot(engine: Engine) -> None:
    first = engine.measure(f"{FRONT},function(gvn)")
    # The pass changes nothing here, so the module is the one that is known; the second plan shares the beginning.
    again = engine.measure(f"{FRONT},function(gvn),forceattrs")
    assert snapshots(engine)
    assert again.fingerprint == first.fingerprint
    assert not again.emitted
    assert again.object_sha256 == first.object_sha256
    assert again.text_bytes == first.text_bytes


def test_the_number_of_waiting_processes_is_bounded_and_all_end_with_the_engine(engine: Engine) -> None:
    for option in range(12):
        for tail in ("gvn", "adce", "dse"):
            plan = f"{FRONT},function({tail}) -inline-threshold={option}"
            assert engine.measure(plan, emit=False).outcome is Outcome.OK
    waiting = snapshots(engine)
    assert 1 <= len(waiting) <= 6
    engine.close()
    end = time.monotonic() + 100  # the kernel ends them with their parent, not in the same moment
    while any(map(is_running, waiting)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not [process for process in waiting if is_running(process)]


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("crash", Outcome.CRASH),
        ("hang", Outcome.TIMEOUT),
        ("eat-memory", Outcome.MEMORY),
    ],
)
@pytest.mark.parametrize("where", ["beginning", "rest"])
def test_a_misbehaving_pass_is_the_same_outcome_in_a_shared_beginning_and_after_it(
    engine: Engine, name: str, outcome: Outcome, where: str
) -> None:
    bad = f"cc-agent-test-{name}"
    beginning = f"-passes=function(sroa),{bad}" if where == "beginning" else FRONT
    for tail in ("function(gvn)", "function(adce)", "function(gvn)"):
        plan = f"{beginning},{tail}" if where == "beginning" else f"{beginning},{tail},{bad}"
        timeout_s = 1 if name == "hang" else 60  # a slow machine needs more than a second to fill its memory
        measured = engine.measure(plan, timeout_s=timeout_s, memory_bytes=256 << 20)
        assert measured.outcome is outcome
        assert measured.text_bytes is None
    assert engine.measure(f"{FRONT},function(gvn)").outcome is Outcome.OK


def test_a_snapshot_that_somebody_kills_costs_nothing(engine: Engine) -> None:
    wanted = figures(engine.measure(CHAIN[1], fresh=True))
    for plan in CHAIN[:3]:
        engine.measure(plan)
    for process in snapshots(engine):
        os.kill(process, 9)
    assert figures(engine.measure(CHAIN[1])) == wanted
    assert figures(engine.measure(CHAIN[1])) == wanted


def test_beginnings_that_fail_leave_no_process_behind(engine: Engine) -> None:
    for option in range(4):
        for _ in range(2):  # the second time the beginning would get a process that waits
            plan = f"-passes=cc-agent-test-crash,function(simplifycfg<bonus-inst-threshold={option}>),globaldce"
            assert engine.measure(plan, emit=False).outcome is Outcome.CRASH
    assert snapshots(engine) == []  # not even as zombies


def test_waiting_processes_hold_no_descriptor_but_their_own(engine: Engine) -> None:
    for option in range(4):
        for tail in ("gvn", "adce"):
            plan = f"{FRONT},function(simplifycfg<bonus-inst-threshold={option}>),function({tail})"
            assert engine.measure(plan, emit=False).outcome is Outcome.OK
    waiting = snapshots(engine)
    assert len(waiting) > 2
    for process in waiting:
        sockets = [os.readlink(f"/proc/{process}/fd/{name}") for name in os.listdir(f"/proc/{process}/fd")]
        assert sum(target.startswith("socket:") for target in sockets) == 1


def test_what_a_beginning_took_counts_against_the_memory_limit(engine: Engine) -> None:
    front = "-passes=" + ",".join(["cc-agent-test-keep-memory"] * 2)  # 100 MiB each
    for tail in ("globaldce", "globalopt", "forceattrs"):
        fits = engine.measure(f"{front},function(sroa),{tail}", emit=False, memory_bytes=300 << 20)
        assert fits.outcome is Outcome.OK
    assert snapshots(engine)
    more = f"{front},function(sroa),cc-agent-test-keep-memory,cc-agent-test-keep-memory"
    assert engine.measure(more, emit=False, memory_bytes=300 << 20).outcome is Outcome.MEMORY
