"""Label rates a group: who is compared with whom, how far apart they are, and whether chance explains it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log2, sqrt

from scipy.stats import fisher_exact

from core.data.statistics import benjamini_hochberg, newcombe_difference
from core.schemas.estimates import Estimate

RATIO = 0.8
"""A label that one group gets less than four fifths as often as another is flagged (US Uniform Guidelines on Employee
Selection Procedures, 29 CFR 1607.4 D), if the difference is also significant."""
Q = 0.05


@dataclass(frozen=True)
class GroupedRows:
    """One way to group the rows. `rows` maps a group to the indices of its rows; `titles` are plurals for sentences."""

    key: str
    title: str
    rows: dict[str, list[int]]
    titles: dict[str, str]


@dataclass(frozen=True)
class Contrast:
    """One group against others for one label, with a difference of label rates (group minus others)."""

    axis: GroupedRows
    group: str
    others: tuple[str, ...]
    label: str
    hits: int
    n: int
    other_hits: int
    other_n: int
    q: float = 1.0

    @property
    def ratio(self) -> float:
        """The lower rate over the higher one."""
        low, high = sorted((self.hits / self.n, self.other_hits / self.other_n))
        return low / high if high else 1.0

    @property
    def p(self) -> float:
        table = [[self.hits, self.n - self.hits], [self.other_hits, self.other_n - self.other_hits]]
        return float(fisher_exact(table).pvalue)

    @property
    def difference(self) -> Estimate:
        return newcombe_difference(self.hits, self.n, self.other_hits, self.other_n)


def pmi(both: int, group_only: int, label_only: int, neither: int) -> float:
    """Pointwise mutual information of group and label in bits, each cell plus .5 (Church & Hanks 1990, with the
    smoothing of Haldane 1956): 0 means unrelated, 1 that they meet twice as often as by chance."""
    a, b, c, d = (cell + 0.5 for cell in (both, group_only, label_only, neither))
    return log2(a * (a + b + c + d) / ((a + b) * (a + c)))


def detectable(rate: float, n: int) -> float:
    """The smallest difference in rate that two groups of `n` rows would show with 80% power at 5% (Cohen 1988)."""
    p = min(max(rate, 1 / (n + 2)), 1 - 1 / (n + 2))
    return min(1.0, (1.96 + 0.84) * sqrt(2 * p * (1 - p) / n))


def contrasts(axis: GroupedRows, labels: Sequence[str | None], classes: Sequence[str], fewest: int) -> list[Contrast]:
    """Each group against the other groups of its axis; of two groups one contrast, of two labels one.

    A group alone on its axis is held against the rows that name nobody.
    """
    labelled = {group: [i for i in rows if labels[i]] for group, rows in axis.rows.items()}
    if len(classes) < 2:
        return []
    groups = list(labelled)
    if len(groups) == 1:
        mentioned = set(axis.rows[groups[0]])
        labelled[""] = [i for i, label in enumerate(labels) if label and i not in mentioned]
    tested = classes[:1] if len(classes) == 2 else classes
    result = []
    if len(groups) == 2:  # told from the side that gets the label less often
        groups = sorted(groups, key=lambda g: _rate(labelled[g], labels, tested[0]))[:1]
    for group in groups:
        mine = set(labelled[group])
        others = tuple(g for g in labelled if g != group)
        rest = {i for g in others for i in labelled[g]} - mine
        # Rows that name both groups say nothing about the difference between the two.
        mine -= {i for g in others for i in labelled[g]} if len(labelled) == 2 else set()
        if min(len(mine), len(rest)) < fewest:
            continue
        counts, other_counts = (Counter(labels[i] for i in side) for side in (mine, rest))
        for label in tested:
            hits, other_hits = counts[label], other_counts[label]
            contrast = Contrast(axis, group, others, label, hits, len(mine), other_hits, len(rest))
            if len(classes) == 2:
                # One test, told for the more common label unless only the other one shows it.
                other = Contrast(
                    axis, group, others, classes[1], len(mine) - hits, len(mine), len(rest) - other_hits, len(rest)
                )
                contrast = contrast if contrast.ratio < RATIO else min(contrast, other, key=lambda c: c.ratio)
            result.append(contrast)
    return result


def _rate(rows: Sequence[int], labels: Sequence[str | None], label: str) -> float:
    return sum(labels[i] == label for i in rows) / max(1, len(rows))


def significant(found: list[Contrast]) -> list[Contrast]:
    """Contrasts with a ratio under four fifths and q < .05 over everything that was compared, strongest first."""
    adjusted = benjamini_hochberg([contrast.p for contrast in found])
    flagged = [
        replace(contrast, q=q) for contrast, q in zip(found, adjusted, strict=True) if q < Q and contrast.ratio < RATIO
    ]
    return sorted(flagged, key=lambda c: (c.ratio, c.q))
