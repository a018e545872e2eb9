"""Intervals cover, evidence does not lie however often it is looked at, and discoveries are mostly true."""

from __future__ import annotations

import math
import random

import numpy
import pytest

from compiler_agent.evaluation import stats

NEEDED = stats.log_needed(0.05)


def first_claim(sample: numpy.ndarray, scale: float = 1.0) -> stats.Evidence | None:
    """What is claimed by one who looks after each pair and stops at the first evidence."""
    pairs = sample.tolist()
    for n in range(1, len(pairs) + 1):
        found = stats.evidence(pairs[:n], scale)
        if found.log >= NEEDED:
            return found
    return None


@pytest.mark.parametrize("n_pairs", [11, 40])
def test_the_interval_of_the_median_covers_the_truth(n_pairs: int) -> None:
    rng = numpy.random.default_rng(7)
    samples = math.log(1.03) + 0.02 * rng.standard_t(3, (150, n_pairs))
    intervals = [stats.speedup(list(sample)) for sample in samples]
    assert numpy.mean([one.low <= 1.03 <= one.high for one in intervals]) > 0.9
    assert all(one.low <= one.median <= one.high for one in intervals)
    assert numpy.mean([one.low <= 1.06 <= one.high for one in intervals]) < 0.5, "they are not just wide"


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng, shape: rng.standard_normal(shape),
        lambda rng, shape: rng.standard_cauchy(shape),
        lambda rng, shape: 30 * rng.standard_normal(shape),  # the scale was wrong
        lambda rng, shape: rng.choice([-1.0, 1.0], shape),
    ],
    ids=["normal", "bursts", "wrong scale", "signs"],
)
def test_looking_after_every_pair_makes_no_false_claims(draw) -> None:
    pairs = draw(numpy.random.default_rng(3), (300, 60))
    assert sum(first_claim(sample) is not None for sample in pairs) <= 0.05 * 300


def test_a_difference_is_found_with_its_direction() -> None:
    pairs = numpy.random.default_rng(4).standard_normal((50, 60))
    for shift in (1.5, -1.5):
        claims = [first_claim(sample + shift) for sample in pairs]
        assert all(one is not None and one.is_gain == (shift > 0) for one in claims)


def test_one_burst_does_not_hide_a_difference() -> None:
    pairs = [0.02] * 10
    alone = stats.evidence(pairs, 0.01)
    disturbed = stats.evidence([*pairs, -5.0], 0.01)
    assert alone.log > NEEDED
    assert disturbed.log > 1
    assert disturbed.is_gain


@pytest.mark.parametrize("scale", [0.002, 0.01, 0.2])
def test_a_wrong_scale_costs_some_pairs_and_no_gain(scale: float) -> None:
    draw = random.Random(3)
    found = [stats.evidence([draw.gauss(0.01, 0.01) for _ in range(60)], scale) for _ in range(100)]
    assert sum(one.log >= stats.log_needed(0.05) and one.is_gain for one in found) > 90


def test_evidence_by_hand() -> None:
    # Clipped to 0.5 and 0.9: S = 1.4, V = 1.06, prior variance 0.9.
    assert stats.evidence([0.005, 0.02], 0.01).log == pytest.approx(0.5 * math.log(0.9 / 1.96) + 1.96 / (2 * 1.96))
    assert stats.evidence([], 0.01).log == 0


def test_what_is_worse_is_given_up_and_what_is_better_is_not() -> None:
    rng = numpy.random.default_rng(5)
    better = [list(1.0 + rng.standard_normal(6)) for _ in range(100)]
    worse = [list(-1.0 + rng.standard_normal(6)) for _ in range(100)]
    needed = stats.log_needed(0.05, 100)
    assert sum(stats.is_promising(sample, 1.0, 60, needed) for sample in better) > 95
    assert sum(stats.is_promising(sample, 1.0, 60, needed) for sample in worse) < 15


def test_discoveries_by_hand() -> None:
    # With 4 claims at 5%: 80 for the first, 40 each for two, 26.7 each for three.
    def chosen(*values: float) -> list[bool]:
        return stats.discoveries([math.log(value) if value else -math.inf for value in values], 0.05)

    assert chosen(79, 0, 1, 2) == [False] * 4
    assert chosen(81, 0, 1, 2) == [True, False, False, False]
    assert chosen(27, 1, 28, 30) == [True, False, True, True]
    assert chosen(26, 1, 28, 41) == [False] * 4
    assert stats.discoveries([math.log(81)], 0.05, n_planned=100) == [False]
    assert stats.discoveries([], 0.05) == []


def test_few_discoveries_are_false() -> None:
    rng = numpy.random.default_rng(6)
    false_shares, n_true = [], 0
    for _ in range(40):
        shifts = numpy.array([0.0] * 17 + [1.5] * 3)
        pairs = shifts[:, None] + rng.standard_normal((20, 60))
        found = stats.discoveries([stats.evidence(sample, 1.0).log for sample in pairs], 0.05)
        false_shares.append(sum(found[:17]) / max(1, sum(found)))
        n_true += sum(found[17:])
    assert numpy.mean(false_shares) <= 0.05
    assert n_true > 0.95 * 40 * 3


def test_noise_is_measured_without_bursts() -> None:
    pairs = 0.02 * numpy.random.default_rng(8).standard_normal(400)
    assert stats.noise_scale(pairs) == pytest.approx(0.02, rel=0.1)
    pairs[:40] = 1.0
    assert stats.noise_scale(pairs) == pytest.approx(0.02, rel=0.25)
    assert stats.noise_scale([0.0, 0.0]) == 0.001


def test_fast_p_counts_what_is_wrong_as_not_fast() -> None:
    assert stats.fast_p([1.2, None, 0.9, 1.0], [0.0, 1.0, 1.1, 2.0]) == [0.75, 0.25, 0.25, 0.0]
