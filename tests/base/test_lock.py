"""The lock: what is written can be read, damage is named with its line, and parallel writers lose nothing."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler_agent.base import lock, lock_format
from compiler_agent.base.errors import FileError, LockCorruptError, LockError, LockVersionError
from compiler_agent.base.files import temporary_prefix
from compiler_agent.base.lock import Evidence, Lock, LockEntry
from compiler_agent.base.lock_evidence import PlannerEvidence, RunTimeEvidence
from compiler_agent.base.trust import Checker, FunctionRecord, Strength, Trust

EVIDENCE = Evidence(1024, 972, n_evaluations=200, strategy="evolve", seed=0)
ENTRY = LockEntry("-passes=default<O2>", "src/deflate.c", "22.1.8", "x86_64-pc-linux-gnu", EVIDENCE)
KEY = "0123456789abcdef0123456789abcdef-O2s2"


def key(number: int) -> str:
    return f"{number:032x}-O2s0"


def entry(text_bytes: int, **changes: str) -> LockEntry:
    return replace(ENTRY, evidence=replace(EVIDENCE, plan_text_bytes=text_bytes), **changes)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner)
)
records = st.builds(
    FunctionRecord,
    strength=st.sampled_from(Strength),
    checker=st.sampled_from(Checker),
    n_inputs=st.integers(0),
    edges=st.integers(0),
    edges_covered=st.integers(0),
    seconds=st.integers(0, 10000).map(lambda tenths: tenths / 10),
    seed=st.integers(0),
    reason=st.text(),
)
costs = st.integers(0, 10**9).map(lambda millionths: millionths / 1e6)
planners = st.builds(
    PlannerEvidence,
    model=st.text(),
    proposed_by=st.sampled_from(["model", "embedded search", ""]),
    expected=st.text(),
    rationale=st.text(),
    calls=st.integers(0),
    tokens=st.integers(0),
    cache_read_tokens=st.integers(0),
    cost_usd=st.none() | costs,
)
evidences = st.builds(
    Evidence,
    baseline_text_bytes=st.integers(0),
    plan_text_bytes=st.integers(0),
    n_evaluations=st.integers(0),
    strategy=st.text(),
    seed=st.integers(),
    llvm_verifier=st.text(),
    differential_test=st.none() | st.dictionaries(st.text(), json_values),
    trust=st.sampled_from(Trust),
    functions=st.dictionaries(st.text(), records, max_size=3),
    planner=st.none() | planners,
)
printable = st.text().filter(str.isprintable)
entries = st.builds(
    LockEntry,
    plan=printable.map(lambda text: "-passes=" + text),
    source=st.text(),
    llvm=st.text(),
    target=st.text(),
    evidence=evidences,
    objective=st.sampled_from(["text_bytes", "object_bytes"]),
)
plans = st.dictionaries(st.from_regex(r"[0-9a-f]{32}-O[0-3]s[0-2]", fullmatch=True), entries, max_size=4)


@given(plans)
@settings(max_examples=30)  # each is a whole lock
def test_round_trip(content):
    text = Lock(content).to_text()
    assert lock_format.parse(text, "x") == content
    assert text.isascii()
    assert Lock(dict(reversed(content.items()))).to_text() == text


def test_layout_is_what_the_plugin_looks_for():
    content = replace(
        ENTRY,
        source="src/é.c",
        evidence=replace(
            EVIDENCE,
            differential_test={"runs": 3, "program": "t"},
            trust=Trust.TESTED,
            functions={"f": FunctionRecord(Strength.TESTED, Checker.FUNCTION_TEST, 812, 9, 7, 2.0, 1, edges_wanted=5)},
        ),
    )
    assert Lock({KEY: content}).to_text() == (
        """{
  "format": "cc-agent-lock",
  "version": 1,
  "plans": {
    "0123456789abcdef0123456789abcdef-O2s2": {
      "evidence": {
        "baseline_text_bytes": 1024,
        "differential_test": {
          "program": "t",
          "runs": 3
        },
        "functions": {
          "f": {
            "checker": "function-test",
            "edges": 9,
            "edges_covered": 7,
            "edges_wanted": 5,
            "n_inputs": 812,
            "reason": "",
            "seconds": 2.0,
            "seed": 1,
            "strength": "tested"
          }
        },
        "llvm_verifier": "passed",
        "n_evaluations": 200,
        "plan_text_bytes": 972,
        "seed": 0,
        "strategy": "evolve",
        "trust": "tested"
      },
      "llvm": "22.1.8",
      "objective": "text_bytes",
      "plan": "-passes=default<O2>",
      "plan_sha256": "34582aee447e96dcb6a4eae9b2018d6be3feecacd0152b808dc82ec33ebbd8a6",
      "source": "src/\\u00e9.c",
      "target": "x86_64-pc-linux-gnu",
      "verdict": "established"
    }
  }
}
"""
    )


def test_a_lock_from_before_a_share_of_edges_was_asked_for_is_read():
    tested = FunctionRecord(Strength.TESTED, Checker.FUNCTION_TEST, 812, 9, 7, 2.0, 1)
    content = {KEY: replace(ENTRY, evidence=replace(EVIDENCE, functions={"f": tested}))}
    text = Lock(content).to_text()
    older = text.replace('            "edges_wanted": 0,\n', "")
    assert older != text
    assert lock_format.parse(older, "x") == content


def test_only_a_plan_of_a_language_model_says_what_it_cost():
    assert "planner" not in Lock({KEY: ENTRY}).to_text()
    planner = PlannerEvidence("claude", "model", "5% less", "short loops", 7, 41_000, 30_000, 0.12)
    evidence = replace(EVIDENCE, baseline_text_bytes=1000, plan_text_bytes=960, planner=planner)
    text = Lock({KEY: replace(ENTRY, evidence=evidence)}).to_text()
    assert lock_format.parse(text, "x")[KEY].evidence == evidence
    assert planner.usd_per_percent(1000, 960) == pytest.approx(0.03)
    assert planner.usd_per_percent(1000, 1000) is None
    assert replace(planner, cost_usd=None).usd_per_percent(1000, 960) is None
    with pytest.raises(LockCorruptError, match="planner: calls is 'many'"):
        lock_format.parse(text.replace('"calls": 7', '"calls": "many"'), "x")


RUN_TIME = RunTimeEvidence(1.31, 1.24, 1.38, 40, 8, "-O3", "Xeon, 2 processors", "ab" * 32, ((1.0, 1.0), (0.7, 1.31)))


def faster(**changes: object) -> LockEntry:
    run_time = replace(RUN_TIME, **changes)
    return replace(ENTRY, objective="run_time", evidence=replace(EVIDENCE, run_time=run_time))


def test_only_a_plan_for_speed_says_how_much_faster_it_is():
    text = Lock({KEY: faster()}).to_text()
    assert lock_format.parse(text, "x") == {KEY: faster()}
    assert "run_time" not in Lock({KEY: ENTRY}).to_text()
    for wrong in (text.replace('"objective": "run_time"', '"objective": "text_bytes"'), text.replace("1.24", "0.99")):
        assert wrong != text
        with pytest.raises(LockCorruptError, match="a plan for speed, and no other"):
            lock_format.parse(wrong, "x")
    with pytest.raises(LockCorruptError, match="run_time: n_samples is 'many'"):
        lock_format.parse(text.replace('"n_samples": 40', '"n_samples": "many"'), "x")
    for point in ("0", '"small"', "1, 1"):  # 0.7 is the size ratio of one point
        with pytest.raises(LockCorruptError, match="run_time: "):
            lock_format.parse(text.replace("0.7,", f"{point},"), "x")


def test_of_two_plans_for_speed_the_one_with_the_larger_established_speedup_stays():
    assert faster(low=1.25).is_better_than(faster())
    assert not faster(speedup=1.35).is_better_than(faster())
    # Not comparable: the newcomer stays.
    assert faster(low=1.1, machine="another").is_better_than(faster())
    assert faster(low=1.1, baseline="-O2").is_better_than(faster())
    assert faster().is_better_than(ENTRY)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"trust": "production"', '"trust": "blind"', "trust is 'blind'"),
        ('"functions": {}', '"functions": {"f": 3}', "evidence of f: 'checker' is missing"),
        ('"strength": "tested"', '"strength": "sworn"', "evidence of f: a strength or checker that is not known"),
        ('"n_inputs": 812', '"n_inputs": true', "evidence of f: n_inputs is True"),
        ('"n_inputs": 812', '"n_inputs": 812, "more": 1', "evidence of f: 'more' is unknown"),
    ],
)
def test_evidence_of_functions_is_read_strictly(old, new, words):
    record = FunctionRecord(Strength.TESTED, Checker.FUNCTION_TEST, 812)
    full = Lock({KEY: replace(ENTRY, evidence=replace(EVIDENCE, functions={"f": record}))}).to_text()
    text = full if old in full else GOOD
    assert old in text
    with pytest.raises(LockCorruptError, match=words):
        lock_format.parse(text.replace(old, new), "x")


def test_of_equal_sizes_the_more_trusted_plan_stays():
    tested = replace(ENTRY, evidence=replace(EVIDENCE, trust=Trust.TESTED))
    assert tested.is_better_than(ENTRY)
    assert not ENTRY.is_better_than(tested)


def test_missing_file_is_an_empty_lock(tmp_path):
    assert Lock.load(tmp_path / "cc-agent.lock") == Lock({})


def test_update_creates_keeps_and_changes_nothing_for_nothing(tmp_path):
    path = tmp_path / "new directory" / "cc-agent.lock"
    assert lock.update(path, {key(1): ENTRY}).plans == {key(1): ENTRY}
    lock.update(path, {key(2): ENTRY})
    assert Lock.load(path).plans == {key(1): ENTRY, key(2): ENTRY}
    before = path.stat()
    lock.update(path, {key(2): ENTRY})
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert os.listdir(path.parent) == ["cc-agent.lock"]


def test_another_layout_is_put_right_even_without_a_new_plan(tmp_path):
    path = tmp_path / "cc-agent.lock"
    path.write_text(json.dumps(json.loads(GOOD)))
    lock.update(path, {})
    assert path.read_text() == GOOD


def test_better_plan_stays(tmp_path):
    path = tmp_path / "cc-agent.lock"
    lock.update(path, {KEY: entry(900, plan="-passes=a")})
    for text_bytes, plan in [(901, "a"), (900, "a"), (899, "b"), (950, "b")]:
        lock.update(path, {KEY: entry(text_bytes, plan=f"-passes={plan if text_bytes != 900 else 'other'}")})
        assert Lock.load(path).plans[KEY].plan == f"-passes={plan}"
    lock.update(path, {KEY: entry(2000, plan="-passes=c")}, replace=True)
    assert Lock.load(path).plans[KEY].plan == "-passes=c"


def with_test(text_bytes: int, **changes: str) -> LockEntry:
    test = {"command": "make check"}
    return replace(entry(text_bytes, **changes), evidence=replace(entry(text_bytes).evidence, differential_test=test))


def test_of_equal_plans_the_tested_one_stays(tmp_path):
    path = tmp_path / "cc-agent.lock"
    lock.update(path, {KEY: entry(900, plan="-passes=untested")})
    for newcomer, winner in [
        (with_test(900, plan="-passes=tested"), "tested"),
        (entry(900, plan="-passes=another"), "tested"),
        (with_test(900, plan="-passes=another"), "tested"),
        (with_test(901, plan="-passes=larger"), "tested"),
        (entry(899, plan="-passes=smaller"), "smaller"),
        (with_test(900, plan="-passes=tested"), "smaller"),
    ]:
        lock.update(path, {KEY: newcomer})
        assert Lock.load(path).plans[KEY].plan == f"-passes={winner}"


@pytest.mark.parametrize("change", [{"objective": "object_bytes"}, {"llvm": "22.1.9"}, {"target": "aarch64"}])
def test_figures_that_cannot_be_compared(change):
    assert entry(2000, **change).is_better_than(entry(10))


def test_remove(tmp_path):
    path = tmp_path / "cc-agent.lock"
    assert lock.remove(path, [KEY]) == Lock({})
    assert not path.exists()
    lock.update(path, {key(1): ENTRY, key(2): ENTRY})
    lock.remove(path, [key(1), key(3)])
    assert Lock.load(path).plans == {key(2): ENTRY}


@pytest.mark.parametrize(
    ("bad_key", "bad_entry", "reason"),
    [
        ("short", ENTRY, "not a key"),
        (KEY, replace(ENTRY, verdict="not established"), "only established"),
        (KEY, replace(ENTRY, plan="default<O2>"), "not a plan"),
        (KEY, replace(ENTRY, plan="-passes=a\n-b=c"), "not a plan"),
    ],
)
def test_what_may_not_be_put_in(tmp_path, bad_key, bad_entry, reason):
    with pytest.raises(LockError, match=reason):
        lock.update(tmp_path / "cc-agent.lock", {bad_key: bad_entry})
    assert os.listdir(tmp_path) == []


def damaged(change) -> str:
    content = json.loads(Lock({KEY: ENTRY, key(9): ENTRY}).to_text())
    change(content)
    return json.dumps(content, indent=2)


def set_in_entry(name, value):
    return damaged(lambda content: content["plans"][KEY].__setitem__(name, value))


GOOD = Lock({KEY: ENTRY}).to_text()
DAMAGES = {
    "empty": ("", 1, "not JSON"),
    "cut": (GOOD[:300], None, "not JSON, perhaps cut off"),
    "not an object": ("[]\n", 1, "not a lock"),
    "another format": (damaged(lambda content: content.update(format="npm")), 1, "not a lock"),
    "version": (damaged(lambda content: content.update(version=True)), 3, "is not a version"),
    "no plans": (damaged(lambda content: content.pop("plans")), 1, "plans"),
    "more than plans": (damaged(lambda content: content.update(more=1)), 1, "nothing else"),
    "plans": (damaged(lambda content: content.update(plans=[])), 1, "plans"),
    "key": (damaged(lambda content: content["plans"].update(x={})), None, "'x' is not a key"),
    "entry": (damaged(lambda content: content["plans"].update({KEY: 3})), None, "not an object"),
    "edited plan": (set_in_entry("plan", "-passes=default<O3>"), 25, "not the digest of its plan"),
    "missing field": (damaged(lambda content: content["plans"][KEY].pop("llvm")), 25, "'llvm' is missing"),
    "unknown field": (set_in_entry("more", 1), 25, "'more' is unknown"),
    "type": (set_in_entry("source", None), 25, "source is None"),
    "type of evidence": (set_in_entry("evidence", {"seed": 1}), 25, "is missing"),
    "verdict": (set_in_entry("verdict", "maybe"), 25, "only established plans"),
    "twice": (GOOD.replace('"llvm":', '"llvm": "1",\n      "llvm":'), 18, "'llvm' is there twice"),
    "no number": (GOOD.replace("1024", "NaN"), 7, "NaN is not JSON"),
    "deep": ("[" * 100_000, 1, "not JSON"),
    "conflict": (GOOD.replace('    "0123', '<<<<<<< HEAD\n    "0123'), 5, "merge conflict"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_named_and_the_file_left_alone(tmp_path, name):
    text, line, reason = DAMAGES[name]
    path = tmp_path / "cc-agent.lock"
    path.write_text(text)
    with pytest.raises(LockCorruptError, match=reason) as caught:
        Lock.load(path)
    assert caught.value.message.startswith(f"{path}:{line or ''}")
    assert caught.value.hint
    with pytest.raises(LockCorruptError):
        lock.update(path, {key(1): ENTRY})
    with pytest.raises(LockCorruptError):
        lock.remove(path, [KEY])
    assert path.read_text() == text
    assert os.listdir(tmp_path) == ["cc-agent.lock"]


@given(st.data())
@settings(max_examples=200)
def test_a_cut_lock_is_never_taken_for_a_whole_one(data):
    length = data.draw(st.integers(0, len(GOOD) - 2))
    with pytest.raises(LockCorruptError):
        lock_format.parse(GOOD[:length], "x")


def test_binary_garbage(tmp_path):
    path = tmp_path / "cc-agent.lock"
    path.write_bytes(b"\x7fELF\xff\xfe")
    with pytest.raises(LockCorruptError, match="not UTF-8 at byte 4"):
        Lock.load(path)


def test_future_version(tmp_path):
    path = tmp_path / "cc-agent.lock"
    path.write_text(damaged(lambda content: content.update(version=2, novelty={})))
    with pytest.raises(LockVersionError, match="version 2 of the format; this cc-agent knows up to 1") as caught:
        Lock.load(path)
    assert caught.value.exit_code == 3
    with pytest.raises(LockVersionError):
        lock.update(path, {KEY: ENTRY})


def test_directory_in_its_place(tmp_path):
    (tmp_path / "cc-agent.lock").mkdir()
    with pytest.raises(FileError, match=r"cc-agent\.lock: Is a directory"):
        lock.update(tmp_path / "cc-agent.lock", {KEY: ENTRY})


def test_read_only_directory(small_disk):
    path = small_disk / "cc-agent.lock"
    lock.update(path, {KEY: ENTRY})
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(FileError, match="Read-only file system"):
        lock.update(path, {key(1): ENTRY})
    assert Lock.load(path).plans == {KEY: ENTRY}


def test_whether_a_lock_can_be_written_is_known_before(small_disk):
    path = small_disk / "new directory" / "cc-agent.lock"
    lock.check_writable(path)
    assert os.listdir(path.parent) == []
    lock.update(path, {key(number): ENTRY for number in range(100)})
    before = path.read_bytes()
    lock.check_writable(path)
    assert (os.listdir(path.parent), path.read_bytes()) == (["cc-agent.lock"], before)
    (small_disk / "filler").write_bytes(b"x" * (256 * 1024 - 2 * len(before)))
    with pytest.raises(FileError, match="No space left"):
        lock.check_writable(path)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(FileError, match="Read-only file system"):
        lock.check_writable(path)
    assert (os.listdir(path.parent), path.read_bytes()) == (["cc-agent.lock"], before)


def test_a_damaged_lock_cannot_be_written(tmp_path):
    (tmp_path / "cc-agent.lock").write_text("<<<<<<< ours\n")
    with pytest.raises(LockCorruptError):
        lock.check_writable(tmp_path / "cc-agent.lock")


def test_full_disk(small_disk):
    path = small_disk / "cc-agent.lock"
    lock.update(path, {KEY: ENTRY})
    with pytest.raises(FileError, match="No space left"):
        lock.update(path, {key(number): ENTRY for number in range(1000)})
    assert Lock.load(path).plans == {KEY: ENTRY}
    assert os.listdir(small_disk) == ["cc-agent.lock"]


WRITER = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_lock import ENTRY, entry, key
from compiler_agent.base import lock
first, count = int(sys.argv[1]), int(sys.argv[2])
for number in range(first, first + count):
    # The shared key tells whether the smallest of all writers' figures stays.
    lock.update(Path("cc-agent.lock"), {{key(number): ENTRY, key(10**6): entry(5000 - number)}})
"""


def start_writer(directory: Path, first: int, count: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WRITER, str(first), str(count)], cwd=directory)


def test_parallel_writers_lose_nothing(tmp_path):
    writers = [start_writer(tmp_path, 100 * number, 12) for number in range(6)]
    assert [writer.wait(timeout=120) for writer in writers] == [0] * 6
    found = Lock.load(tmp_path / "cc-agent.lock").plans
    expected = {key(100 * writer + number) for writer in range(6) for number in range(12)}
    assert found.keys() == expected | {key(10**6)}
    assert found[key(10**6)].evidence.plan_text_bytes == 5000 - 511
    assert os.listdir(tmp_path) == ["cc-agent.lock"]


def test_killed_writers_leave_a_whole_lock(tmp_path):
    path = tmp_path / "cc-agent.lock"
    chance = random.Random(0)
    for attempt in range(6):
        writer = start_writer(tmp_path, 1000 * attempt, 1000)
        n_before = len(Lock.load(path).plans)
        while len(Lock.load(path).plans) == n_before and writer.poll() is None:
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.1))
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        assert len(Lock.load(path).plans) > n_before
    # What a writer leaves that is killed between creating and renaming, made by hand: the kill rarely falls there.
    (tmp_path / f"{temporary_prefix('cc-agent.lock')}1.aa").write_text("half of a lo")
    lock.update(path, {KEY: ENTRY})
    assert os.listdir(tmp_path) == ["cc-agent.lock"]
    assert KEY in Lock.load(path).plans


def test_the_documented_example_is_a_lock():
    text = (Path(__file__).parents[2] / "docs" / "plan-lock.md").read_text()
    example = text.split("```json\n")[1].split("```")[0]
    assert Lock(lock_format.parse(example, "docs/plan-lock.md")).to_text() == example


def test_the_documented_empty_lock_is_what_is_written(tmp_path):
    text = (Path(__file__).parents[2] / "docs" / "plan-lock.md").read_text()
    command = next(line for line in text.splitlines() if line.startswith("    printf"))
    subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True)
    assert (tmp_path / "cc-agent.lock").read_text() == Lock({}).to_text()
