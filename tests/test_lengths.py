"""The arithmetic of the Tokenization screen: lengths, cuts, padding and packing."""

from __future__ import annotations

import random

import pytest

from core.data.lengths import Bin, coverage, histogram, packing, padding_waste, suggested_max_length


def test_a_histogram_counts_every_example_once_in_bins_of_one_width() -> None:
    lengths = [3, 3, 4, 10, 11, 60]
    bins = histogram(lengths, bins=6)
    assert bins[0] == Bin(3, 12, 5) and bins[-1] == Bin(53, 62, 1)
    assert sum(b.count for b in bins) == len(lengths)
    assert {b.high - b.low for b in bins} == {9}
    assert histogram([7] * 5) == [Bin(7, 7, 5)] and histogram([]) == []


def test_coverage_counts_rows_and_tokens_beyond_the_maximum() -> None:
    found = coverage([10, 20, 30, 40], 25)
    assert (found.rows_cut, found.tokens_lost, found.share_cut, found.share_lost) == (2, 20, 0.5, 0.2)
    assert coverage([], 25).share_cut == coverage([], 25).share_lost == 0.0


def test_the_suggestion_leaves_ninety_nine_in_a_hundred_whole() -> None:
    lengths = [*range(1, 100), 5000]
    assert suggested_max_length(lengths) == 104
    assert coverage(lengths, suggested_max_length(lengths)).share_cut == 0.01
    assert suggested_max_length([5000] * 3, context_length=512) == 512
    assert suggested_max_length([2, 3]) == 8
    assert suggested_max_length([]) == 256


def test_padding_is_what_the_longest_example_of_a_batch_leaves_empty() -> None:
    assert padding_waste([10, 10, 10], 256, 2) == 0
    assert padding_waste([10, 30], 256, 2) == pytest.approx(1 / 3)
    assert padding_waste([10, 3000], 30, 2) == pytest.approx(1 / 3)
    assert padding_waste([10, 30], 256, 1) == 0
    assert padding_waste([], 256, 8) == 0


def test_packing_fills_sequences_with_whole_examples() -> None:
    found = packing([6, 5, 5, 4], 10)
    assert (found.sequences, found.waste) == (2, 0.0)
    assert packing([7, 7, 2], 10).sequences == 2
    assert packing([25, 10], 10).sequences == 2
    assert packing([], 10).waste == 0.0


def test_packing_wastes_far_less_than_padding_on_ragged_lengths() -> None:
    rng = random.Random(1)
    lengths = [int(rng.lognormvariate(3.5, 0.8)) + 1 for _ in range(5000)]
    packed = packing(lengths, 256)
    kept = sum(min(n, 256) for n in lengths)
    assert packed.sequences * 256 * (1 - packed.waste) == pytest.approx(kept)
    assert packed.waste < 0.02 < 0.4 < padding_waste(lengths, 256, 8)
