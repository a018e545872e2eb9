"""What is put comes back, many processes write at once, and a store that is old or broken loses nothing."""

import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler_agent.base.errors import StoreError
from compiler_agent.base.store import FILE_NAME, Store, StoredEvaluation, StoredOutcome, StoredUnit, StoreWarning

ONE = StoredEvaluation(
    key="0" * 32 + "-O2s2",
    toolchain="t",
    plan_sha256="a" * 64,
    plan="-passes=default<O2>",
    outcome="ok",
    message="",
    text_bytes=972,
    object_bytes=2000,
    ir_instructions=300,
    seconds=0.125,
    created="2025-01-01T00:00:00Z",
)
UNIT = StoredUnit(
    key=ONE.key,
    toolchain="t",
    target="x86_64-pc-linux-gnu",
    source="huffman.c",
    features=(300, 20, 3, 1, 2),
    text_bytes=1024,
    object_bytes=2000,
    ir_instructions=290,
    created="2025-01-01T00:00:00Z",
)
# SQLite keeps 64 bits, and no text with lone surrogates can be encoded.
numbers = st.none() | st.integers(0, 2**63 - 1)
texts = st.text(st.characters(exclude_categories=["Cs"]))
evaluations = st.builds(
    StoredEvaluation,
    key=texts,
    toolchain=texts,
    plan_sha256=texts,
    plan=texts,
    outcome=texts,
    message=texts,
    text_bytes=numbers,
    object_bytes=numbers,
    ir_instructions=numbers,
    seconds=st.floats(0, allow_infinity=False),
    created=texts,
)


@given(st.lists(evaluations, max_size=5))
def test_what_is_put_comes_back(content):
    with Store.in_memory() as store:
        store.put_many(content)
        latest = {(one.key, one.toolchain, one.plan_sha256): one for one in content}
        assert len(store) == len(latest)
        for identity, one in latest.items():
            assert store.get(*identity) == one


def test_file_is_kept(tmp_path):
    failed = replace(ONE, plan_sha256="b" * 64, text_bytes=None, object_bytes=None, outcome="crash", message="boom\n")
    with Store.open(tmp_path / "new" / "cache") as store:
        assert store.path == tmp_path / "new" / "cache" / FILE_NAME
        store.put_many([failed, ONE])
    with Store.open(tmp_path / "new" / "cache") as store:
        assert store.get(ONE.key, "t", ONE.plan_sha256) == ONE
        assert store.all_for(ONE.key, "t") == [ONE, failed]


def test_another_toolchain_or_key_is_another_evaluation(tmp_path):
    with Store.open(tmp_path) as store:
        store.put_many([ONE])
        assert store.get(ONE.key, "other", ONE.plan_sha256) is None
        assert store.get("other", "t", ONE.plan_sha256) is None
        assert store.all_for(ONE.key, "other") == []


def test_a_failing_batch_is_not_kept_in_part(tmp_path):
    with Store.open(tmp_path) as store:
        with pytest.raises((sqlite3.Error, OverflowError)):
            store.put_many([ONE, replace(ONE, key="x", text_bytes=2**70)])
        assert len(store) == 0
        store.put_many([ONE])
        assert len(store) == 1


WRITER = """
import sys
from dataclasses import replace
sys.path.insert(0, sys.argv[1])
from test_store import ONE
from compiler_agent.base.store import Store
with Store.open("cache") as store:
    assert store.path is not None
    for number in range(40):
        store.put_many(replace(ONE, key=f"{sys.argv[2]}-{number}-{part}") for part in range(5))
"""


def test_parallel_writers_lose_nothing(tmp_path):
    tests = str(Path(__file__).parent)
    writers = [
        subprocess.Popen([sys.executable, "-W", "error", "-c", WRITER, tests, str(number)], cwd=tmp_path)
        for number in range(5)
    ]
    assert [writer.wait(timeout=120) for writer in writers] == [0] * 5
    with Store.open(tmp_path / "cache") as store:
        assert len(store) == 5 * 40 * 5


def test_threads_share_one_store(tmp_path):
    with Store.open(tmp_path) as store:
        threads = [
            threading.Thread(target=lambda n=n: [store.put_many([replace(ONE, key=f"{n}-{i}")]) for i in range(20)])
            for n in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(store) == 80


def trial(plan: str, text_bytes: int | None, outcome: str = "established", **changes: str) -> StoredEvaluation:
    return replace(ONE, plan=plan, plan_sha256=plan, text_bytes=text_bytes, outcome=outcome, **changes)


def test_the_best_plans_of_a_unit_come_smallest_first_and_the_shorter_of_equal_ones() -> None:
    with Store.in_memory() as store:
        store.put_unit(UNIT)
        store.put_many(
            [
                trial("good", 900),
                trial("best but long", 800),
                trial("best", 800),
                trial("no better", 1024),
                trial("empty", 0),
                trial("crashed", None),
                trial("refused", 700, "not-established"),
                trial("another toolchain", 1, toolchain="u"),
                trial("unit unknown", 1, key="x"),
            ]
        )
        found = store.best_plans("t", "text_bytes", 3)
        assert [one.plan for one in found] == ["best", "best but long", "good"]
        assert found[0] == StoredOutcome(ONE.key, UNIT.target, "huffman.c", UNIT.features, "best", 1.28)
        assert [one.plan for one in store.best_plans("t", "text_bytes", 1)] == ["best"]
        assert store.best_plans("t", "object_bytes", 3) == []  # all have the baseline's size
        with pytest.raises(ValueError, match="seconds"):
            store.best_plans("t", "seconds", 3)


def test_a_unit_is_kept_once_and_as_it_was_last_seen(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.put_unit(UNIT)
        store.put_unit(replace(UNIT, source="moved.c"))
        store.put_many([trial("good", 900)])
    with Store.open(tmp_path) as store:
        assert [one.source for one in store.best_plans("t", "text_bytes", 9)] == ["moved.c"]


def test_a_store_of_version_1_is_brought_to_this_one_and_keeps_all(tmp_path: Path) -> None:
    # As version 0.2.0 of this project made it.
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute(
            "CREATE TABLE evaluations (key TEXT NOT NULL, toolchain TEXT NOT NULL, plan_sha256 TEXT NOT NULL, "
            "plan TEXT NOT NULL, outcome TEXT NOT NULL, message TEXT NOT NULL, text_bytes INTEGER, "
            "object_bytes INTEGER, ir_instructions INTEGER, seconds REAL NOT NULL, created TEXT NOT NULL, "
            "PRIMARY KEY (key, toolchain, plan_sha256)) WITHOUT ROWID"
        )
        row = [getattr(ONE, name) for name in StoredEvaluation.__slots__]
        connection.execute(f"INSERT INTO evaluations VALUES ({', '.join('?' for _ in row)})", row)
        connection.execute("PRAGMA application_id = 1667444065")
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    for _ in range(2):  # migrated, and then opened as it is
        with Store.open(tmp_path) as store:
            assert store.path is not None
            assert store.get(ONE.key, "t", ONE.plan_sha256) == ONE
            store.put_unit(UNIT)
            store.put_many([trial("good", 900)])
            assert len(store.best_plans("t", "text_bytes", 9)) == 1


def test_future_version_is_refused(tmp_path):
    Store.open(tmp_path).close()
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute("PRAGMA user_version = 3")
    connection.close()
    with pytest.raises(StoreError, match="version 3 of the store; this cc-agent knows up to 2") as caught:
        Store.open(tmp_path)
    assert "CC_AGENT_CACHE" in caught.value.hint


def assert_works_in_memory(store: Store) -> None:
    assert store.path is None
    store.put_many([ONE])
    assert store.get(ONE.key, "t", ONE.plan_sha256) == ONE


@pytest.mark.parametrize("content", [b"not a database at all " * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_damaged_file_is_left_alone(tmp_path, content):
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.warns(StoreWarning, match=rf"{FILE_NAME}: .*remove the file"):
        store = Store.open(tmp_path)
    assert_works_in_memory(store)
    assert (tmp_path / FILE_NAME).read_bytes() == content


def test_database_of_another_program_is_left_alone(tmp_path):
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute("CREATE TABLE precious (x)")
    connection.close()
    before = (tmp_path / FILE_NAME).read_bytes()
    with pytest.warns(StoreWarning, match="another program"):
        store = Store.open(tmp_path)
    assert_works_in_memory(store)
    assert (tmp_path / FILE_NAME).read_bytes() == before


def test_no_directory_possible(tmp_path):
    (tmp_path / "file").touch()
    with pytest.warns(StoreWarning, match="in memory"):
        store = Store.open(tmp_path / "file" / "cache")
    assert_works_in_memory(store)


def test_read_only_file_system(small_disk):
    Store.open(small_disk).close()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.warns(StoreWarning, match=r"read-?only|unable to open"):
        store = Store.open(small_disk)
    assert_works_in_memory(store)


def test_disk_that_gets_full_loses_nothing(small_disk):
    store = Store.open(small_disk)
    store.put_many([ONE])
    assert store.path is not None

    def fill() -> None:
        for number in range(999):
            store.put_many([replace(ONE, key=str(number), message="x" * 500)])

    store.put_unit(UNIT)
    with pytest.warns(StoreWarning, match=r"full|I/O"):
        fill()
    assert store.path is None
    assert len(store) == 1000
    store.put_many([trial("good", 900)])
    assert len(store.best_plans("t", "text_bytes", 9)) == 1  # the unit came along
    store.close()
