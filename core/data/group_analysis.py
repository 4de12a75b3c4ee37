"""Everything that is compared between groups of people in a dataset, judged together: groups, two groups at once, tone, and
what a third column does to a difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from .group_echoes import without_echoes
from .group_pairs import Crossed, Pair, crossed, pairs
from .group_rates import FEWEST, Contrast, GroupedRows, Outcomes, contrasts
from .group_thirds import Third, Within, within
from .statistics import benjamini_hochberg
from .stats_power import smallest_difference


@dataclass(frozen=True)
class Analysis:
    """`contrasts`, `crossed` and `within` are all that was compared, each with its q (Benjamini-Hochberg over all of them)."""

    axes: tuple[GroupedRows, ...]
    contrasts: tuple[Contrast, ...]
    pairs: tuple[Pair, ...]
    crossed: tuple[Crossed, ...]
    within: tuple[Within, ...]
    fewest: int

    @cached_property
    def flagged(self) -> list[Contrast]:
        """What holds, without echoes, the strongest first."""
        return without_echoes(self.contrasts, self.flagged_pairs)

    @cached_property
    def flagged_pairs(self) -> list[Crossed]:
        return sorted((c for c in self.crossed if c.flagged), key=lambda c: (c.ratio, c.q))

    @property
    def hidden(self) -> list[Within]:
        """Differences that only show inside a third column, the strongest of each group and label."""
        kept: dict[tuple[str, str], Within] = {}
        for one in sorted((w for w in self.within if w.how == "hidden"), key=lambda w: (w.ratio, w.q)):
            kept.setdefault((one.contrast.axis.key, one.contrast.group), one)
        return list(kept.values())

    def explained(self, contrast: Contrast) -> Within | None:
        """The third column that turns a flagged difference round, else one in which it vanishes."""
        mine = [w for w in self.within if w.contrast == contrast and w.how in ("reversed", "vanishes")]
        return min(mine, key=lambda w: (w.how != "reversed", abs(w.common.value)), default=None)

    def judged(self, axis: GroupedRows) -> list[Contrast]:
        return [c for c in self.contrasts if c.axis.key == axis.key]

    def small(self, axis: GroupedRows) -> dict[str, int]:
        """Groups with too few rows to be judged."""
        return {group: len(rows) for group, rows in axis.rows.items() if len(rows) < self.fewest}


def analyse(
    axes: Sequence[GroupedRows],
    labels: Outcomes,
    tone: Outcomes | None = None,
    thirds: Sequence[Third] = (),
    fewest: int = FEWEST,
) -> Analysis:
    """Compare the groups of each axis in all outcomes. Labels are also compared for two groups at once and inside each of
    the third columns."""
    single = [c for axis in axes for c in contrasts(axis, labels, fewest)]
    labelled = len(single)
    if tone is not None:
        single += [c for axis in axes for c in contrasts(axis, tone, fewest)]
    both = list(pairs(axes, labels.known, fewest)) if labels.names else []
    twice = crossed(both, labels, fewest) if len(labels.names) > 1 else []
    inside = list(within(single[:labelled], labels, thirds)) if thirds else []
    p_values = [c.p for c in single] + [c.p for c in twice] + [w.p for w in inside]
    adjusted = iter(benjamini_hochberg(p_values))
    judged = [replace(contrast, q=next(adjusted)) for contrast in single]
    by_old = {id(old): new for old, new in zip(single, judged, strict=True)}
    twice = [replace(one, q=next(adjusted)) for one in twice]
    inside = [replace(one, q=next(adjusted), contrast=by_old[id(one.contrast)]) for one in inside]
    return Analysis(tuple(axes), tuple(judged), tuple(both), tuple(twice), tuple(inside), fewest)


def could_be_missed(found: Sequence[Contrast]) -> float:
    """The largest difference between shares that these comparisons could leave unseen one time in five."""
    return max(smallest_difference((c.hits + c.other_hits) / (c.n + c.other_n), min(c.n, c.other_n)) for c in found)
