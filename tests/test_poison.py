"""Rows that kill or block whatever computes them: only they are lost, and each says why."""

import fake_glass as fake
import processes
import pytest
from fake_glass import contents

from glassdata.store.records import read_record

POISON = {"segfault": 1, "greedy": 3, "hang": 4, "nan": 5}
HEALTHY = (0, 2, 6, 7)
LIMITS = ("--memory-limit", "700MB", "--row-timeout", 15)


def test_each_poison_row_harms_itself_alone(chaos, tmp_path):
    """A segmentation fault, too much memory, an endless loop, and NaN, with exact counts."""
    if not chaos.full:
        pytest.skip("long: make chaos runs it")
    store, habits = tmp_path / "store", tmp_path / "habits"
    habits.mkdir()
    for habit, index in (*POISON.items(), ("flaky", 6)):
        (habits / f"{habit}-{index}").touch()
    options = ("--system", "ar", "--workers", 2, *LIMITS)
    with processes.build(store, habits, *options) as command:
        assert command.finish() == 1, command.said()
        assert "ar 5: g is not finite" in command.said()
    # Whoever dies is tried three times; a row that took too long is not even tried again.
    attempts = {POISON["segfault"]: 3, POISON["greedy"]: 3, 6: 2}
    counts = fake.counts(habits)
    # A worker short of memory may be ended again before the row has begun.
    assert 1 <= counts["ar-3"] <= 3
    counts["ar-3"] = 3
    assert counts == {f"ar-{index}": attempts.get(index, 1) for index in range(8)}
    lost = {p.stem: read_record(p) for p in (store / "provenance/lost").iterdir()}
    reasons = {facts["index"]: facts["reason"] for facts in lost.values()}
    assert reasons.keys() == {1, 3, 4}
    assert "its worker died 3 times" in reasons[1]
    assert "its worker died 3 times" in reasons[3]
    assert "took longer than the 15 s" in reasons[4]
    there = {path.name for path in (store / "rows/ar").iterdir()}
    assert there == {f"{index:06d}.npz" for index in (*HEALTHY, POISON["nan"])}

    before = fake.counts(habits)
    for habit, index in POISON.items():
        (habits / f"{habit}-{index}").unlink()
    with processes.build(store, habits, *options) as command:
        # All rows are there; the one of NaN is a failed row for good, which status 3 says.
        assert command.finish() == 3, command.said()
    added = {name: n - before[name] for name, n in fake.counts(habits).items() if n != before[name]}
    assert added == {"ar-1": 1, "ar-3": 1, "ar-4": 1}
    whole = contents(fake.sealed_store(tmp_path / "whole", count=8))
    for index in (*HEALTHY, 1, 3, 4):
        name = f"rows/ar/{index:06d}.npz"
        assert contents(store)[name] == whole[name]
