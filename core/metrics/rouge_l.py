"""ROUGE-L: how many words an answer shares with the reference in the same order."""

from __future__ import annotations

from collections.abc import Sequence

from core.data.wordsplit import words
from core.schemas.predictions import TextPrediction

from ._base import WRITERS, has_both_texts
from ._mean import MeanMetric


class RougeL(MeanMetric):
    """F1 of the longest common subsequence of words (Lin 2004, ACL workshop), times 100, averaged over answers. On
    English equal to the package `rouge-score` (a test holds it so), which drops every letter outside a to z, takes
    seconds to import and as long on long answers.
    """

    key = "rouge_l"
    title = "ROUGE-L"
    help = "How many words the answer shares with the right one in the same order, from 0 to 100."
    families = WRITERS
    bounds = (0.0, 100.0)
    order = 60

    def usable(self, item: TextPrediction) -> bool:
        return has_both_texts(item)

    def score(self, item: TextPrediction) -> float:
        answer, reference = words(item.text or ""), words(item.reference)
        if not answer or not reference:
            return 0.0
        return 200 * common_subsequence(answer, reference) / (len(answer) + len(reference))


def common_subsequence(first: Sequence[str], second: Sequence[str]) -> int:
    """Length of the longest common subsequence, a whole row of the table at once in the bits of one integer
    (Hyyro 2004, Bit-parallel LCS-length computation revisited)."""
    places: dict[str, int] = {}
    for i, word in enumerate(first):
        places[word] = places.get(word, 0) | 1 << i
    full = (1 << len(first)) - 1
    row = full
    for word in second:
        matches = row & places.get(word, 0)
        row = (row + matches | row - matches) & full
    return len(first) - row.bit_count()


PLUGIN = RougeL()
