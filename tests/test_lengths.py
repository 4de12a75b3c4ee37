"""The arithmetic of the Tokenization screen: lengths, cuts, parts, padding and packing."""

from __future__ import annotations

import random

import pytest

from core.data.batching import packed_lengths, simulate
from core.data.lengths import Bin, coverage, histogram, kept, parts_of, suggested_max_length


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


def test_parts_are_of_equal_size_and_begin_with_the_end_of_the_part_before() -> None:
    for tokens in range(11, 200):
        for overlap in (0, 1, 4):
            found = parts_of(tokens, 10, overlap)
            assert (found[0][0], found[-1][1]) == (0, tokens)
            assert [a for a, _ in found[1:]] == [b - overlap for _, b in found[:-1]]
            sizes = [b - a for a, b in found]
            assert max(sizes) <= 10 and max(sizes) - min(sizes) <= 1
            assert min(sizes) > overlap


def test_the_lengths_after_cutting_are_those_of_rows_or_parts() -> None:
    assert kept([5, 30], 10, in_parts=False) == [5, 10]
    assert kept([5, 30], 10, in_parts=True) == [5, 10, 10, 10]
    assert kept([30], 10, in_parts=True, opening=1) == [8, 8, 8, 9]
    assert sum(kept([30], 10, in_parts=True, overlap=2)) == 30 + 3 * 2


def test_padding_is_what_the_longest_example_of_a_batch_leaves_empty() -> None:
    def padding(lengths: list[int], batch: int) -> float:
        return simulate(lengths, 30, batch, "batch").padding

    assert padding([10, 10, 10], 2) == 0
    assert padding([10, 30], 2) == pytest.approx(1 / 3)
    assert padding([10, 30], 1) == 0
    assert padding([], 8) == 0
    assert simulate([10, 20], 30, 2, "fixed").padding == pytest.approx(0.5)


def test_packing_fills_sequences_with_whole_examples() -> None:
    assert sorted(packed_lengths([6, 5, 5, 4], 10)) == [10, 10]
    assert sorted(packed_lengths([7, 7, 2], 10)) == [7, 9]
    assert packed_lengths([], 10) == []


def test_each_way_of_filling_up_wastes_less_than_the_one_before_it_on_ragged_lengths() -> None:
    rng = random.Random(1)
    lengths = [min(256, int(rng.lognormvariate(3.5, 0.8)) + 1) for _ in range(5000)]
    fixed, batch, bucket, pack = (simulate(lengths, 256, 8, s) for s in ("fixed", "batch", "bucket", "pack"))
    assert fixed.tokens == batch.tokens == bucket.tokens == pack.tokens == sum(lengths)
    assert 0.9 > fixed.padding > batch.padding > 0.4 > 0.06 > bucket.padding > pack.padding
    assert pack.batches < bucket.batches == batch.batches == fixed.batches == 625


def test_packing_and_bucketing_are_simulated_by_the_rules_of_the_libraries() -> None:
    torch = pytest.importorskip("torch")
    from datasets import Dataset
    from transformers.trainer_pt_utils import get_length_grouped_indices
    from trl import pack_dataset

    rng = random.Random(2)
    lengths = [min(64, int(rng.lognormvariate(2.5, 0.8)) + 1) for _ in range(2300)]
    real = pack_dataset(Dataset.from_dict({"input_ids": [[1] * n for n in lengths]}), 64, "bfd_split")
    assert sorted(map(len, real["input_ids"])) == sorted(packed_lengths(lengths, 64))

    order = get_length_grouped_indices(lengths, 8, generator=torch.Generator().manual_seed(1))
    batches = [[lengths[i] for i in order[k : k + 8]] for k in range(0, len(order), 8)]
    padding = 1 - sum(lengths) / sum(max(b) * len(b) for b in batches)
    assert simulate(lengths, 64, 8, "bucket").padding == pytest.approx(padding, abs=0.01)
