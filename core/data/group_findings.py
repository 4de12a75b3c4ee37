"""What the comparison of groups found, in words for a reader without statistics: for health report and bias audit alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.schemas.findings import Finding, Severity

from .checks._check import visible
from .group_analysis import Analysis, could_be_missed
from .group_echoes import by_group
from .group_pairs import Crossed
from .group_rates import Contrast, GroupedRows, Outcomes, pmi
from .group_thirds import Within
from .group_tone import FRIENDLY
from .in_words import listed
from .stats_power import rows_per_group

Indices = NDArray[np.signedinteger[Any]]
EVIDENCE = 200  # row ids that a finding keeps
NAMED = 8  # groups that are listed by name
COARSE = 0.2
"""Where differences up to this size could go unseen, nothing that was not found is good news (house default)."""

FIX = (
    "Read some of the rows. Where nothing else explains the difference: add rows, correct labels, or train with swapped "
    "copies of the rows (Bias audit)."
)


@dataclass(frozen=True)
class Teller:
    """Tells an analysis as findings of one check. `terms` are the words by which the texts name a group: (axis, group) to row
    to word."""

    check: str
    row_ids: Sequence[str]
    labels: Outcomes
    tone: Outcomes | None = None
    terms: Mapping[tuple[str, str], Mapping[int, str]] | None = None

    def flags(self, found: Analysis) -> Iterator[Finding]:
        """Everything that is flagged: groups, two groups at once, and what only shows inside a third column."""
        for contrast, more in by_group(found.flagged):
            yield self._of_group(contrast, more, found.explained(contrast))
        for crossed in found.flagged_pairs:
            yield self._of_pair(crossed)
        for within in found.hidden:
            yield self._hidden(within)

    def _of_group(self, contrast: Contrast, more: Sequence[Contrast], within: Within | None) -> Finding:
        outcomes = self.labels if contrast.kind == "label" else self.tone
        assert outcomes is not None and contrast.mine is not None
        hit = outcomes.has(contrast.label)
        rows = np.flatnonzero(contrast.mine & hit)
        mine = contrast.axis.titles[contrast.group]
        data: dict[str, Any] = {
            "kind": contrast.kind, "axis": contrast.axis.key, "axis_title": contrast.axis.title, "group": contrast.group,
            "others": list(contrast.others), "label": contrast.label, "rate": contrast.rate, "other_rate": contrast.other_rate,
            "ratio": contrast.ratio, "q": contrast.q, "unit": "points", "link": "bias", "counts": {"identity_ties": 1},
            "pmi": pmi(contrast.hits, contrast.n - contrast.hits, contrast.other_hits, contrast.other_n - contrast.other_hits),
            "also": [one.label for one in more], "evidence": self._evidence(contrast.axis, contrast.group, rows),
        }  # fmt: skip
        if within is not None:
            data["third"] = third_data(within)
        return Finding(
            check=self.check,
            severity=Severity.WARNING,
            title=f"{_start(contrast, mine)} than {_others(contrast)}: {_rates(contrast)}{_turn(within)}",
            meaning=_explained(within, mine) if within else _meaning(contrast, more),
            fix=_third_fix(within) if within else FIX,
            count=len(rows),
            row_ids=self._ids(rows),
            estimate=contrast.difference,
            data=data,
        )

    def _of_pair(self, one: Crossed) -> Finding:
        (first, g), (second, h) = one.pair.first, one.pair.second
        rows = np.flatnonzero(one.pair.both & self.labels.has(one.label))
        word = "less" if one.rate < one.first_rate else "more"
        names = first.titles[g], second.titles[h]
        return Finding(
            check=self.check,
            severity=Severity.WARNING,
            title=f"Rows that name both {names[0]} and {names[1]} are labelled “{shown(one.label)}” {word} often than other rows "
            f"about either: {one.rate:.0%} of {one.n:,}, against {one.first_rate:.0%} for the other rows about {names[0]} and "
            f"{one.second_rate:.0%} for the other rows about {names[1]}",
            meaning="What each group does by itself does not explain this: it is the two together. A model trained on these rows "
            "can learn to decide by it, and a look at one group at a time would not show it.",
            fix=FIX,
            count=len(rows),
            row_ids=self._ids(rows),
            data={
                "kind": "pair", "axes": [first.key, second.key], "groups": [g, h], "label": one.label, "rate": one.rate,
                "other_rates": [one.first_rate, one.second_rate], "ratio": one.ratio, "q": one.q, "link": "bias",
                "counts": {"identity_ties": 1}, "evidence": self._evidence(first, g, rows),
            },
        )  # fmt: skip

    def _hidden(self, within: Within) -> Finding:
        contrast = within.contrast
        assert contrast.mine is not None
        rows = np.flatnonzero(contrast.mine & self.labels.has(contrast.label))
        mine = contrast.axis.titles[contrast.group]
        word = "less" if within.rate < within.other_rate else "more"
        return Finding(
            check=self.check,
            severity=Severity.WARNING,
            title=f"Inside {within.third.title}, rows about {mine} are labelled “{shown(contrast.label)}” {word} often than "
            f"{_others(contrast)}: {within.rate:.0%} against {within.other_rate:.0%}, which the overall rates "
            f"({contrast.rate:.0%} and {contrast.other_rate:.0%}) hide",
            meaning=f"Value by value: {_strata(within)} Taken together the rates look alike, because the groups are "
            f"spread unevenly over {within.third.title} (Simpson's paradox). A model that also sees "
            f"{within.third.title} in the text can learn the difference.",
            fix=FIX,
            count=len(rows),
            row_ids=self._ids(rows),
            estimate=within.common,
            data={
                "kind": "hidden", "axis": contrast.axis.key, "axis_title": contrast.axis.title, "group": contrast.group,
                "label": contrast.label, "rate": within.rate, "other_rate": within.other_rate, "ratio": within.ratio,
                "q": within.q, "unit": "points", "link": "bias", "counts": {"identity_ties": 1}, "third": third_data(within),
                "evidence": self._evidence(contrast.axis, contrast.group, rows),
            },
        )  # fmt: skip

    def quiet(self, found: Analysis) -> Finding | None:
        """One sentence for all that was compared and not flagged, with what it could have missed."""
        loud = {c.axis.key for c in found.contrasts if c.kind == "label" and c.flagged} | {
            axis.key for one in found.flagged_pairs for axis, _ in (one.pair.first, one.pair.second)
        }
        loud |= {one.contrast.axis.key for one in found.hidden}
        compared = [c for c in found.contrasts if c.kind == "label" and c.axis.key not in loud]
        if not compared:
            return None
        titles = list(dict.fromkeys(c.axis.title.lower() for c in compared))
        missed = could_be_missed(compared)
        rate = max(((c.hits + c.other_hits) / (c.n + c.other_n) for c in compared), key=lambda r: -abs(r - 0.5))
        rate = min(max(rate, 0.05), 0.9)
        groups = {(c.axis.key, group) for c in compared for group in (c.group, *c.others) if group}
        rows = int(np.any([c.mine for c in compared if c.mine is not None], axis=0).sum())
        return Finding(
            check=self.check,
            severity=Severity.GOOD if missed <= COARSE else Severity.INFO,
            title=f"No label goes with a group, as far as these rows can tell ({listed(titles)})",
            meaning=f"{_many(len(groups), 'group')} compared. Differences smaller than about {100 * missed:.0f} points could go "
            f"unseen where rows are fewest. To notice a difference of 10 points four times out of five, about "
            f"{rows_per_group(rate, rate + 0.1):,} rows about each group are needed."
            + (" That nothing was found is therefore no good news yet." if missed > COARSE else ""),
            count=rows,
            data={"axes": list(dict.fromkeys(c.axis.key for c in compared)), "detectable": missed, "kind": "quiet"},
        )

    def too_few(self, found: Analysis) -> Finding | None:
        """One calm line for all groups that cannot be judged."""
        small = [(axis.titles[g], n) for axis in found.axes for g, n in found.small(axis).items()]
        if not small:
            return None
        small.sort(key=lambda item: -item[1])
        named = listed([f"{title} ({n:,})" for title, n in small[:NAMED]])
        more = f" and {len(small) - NAMED} more groups" if len(small) > NAMED else ""
        about = f"about {small[0][0]}" if len(small) == 1 else f"about {len(small)} groups of people"
        return Finding(
            check=self.check,
            severity=Severity.INFO,
            title=f"Not enough data {about}: fewer than {found.fewest} rows{'' if len(small) == 1 else ' each'}",
            meaning=f"Rows: {named}{more}. With so few rows any rate may be chance, so nothing is said about "
            f"{'this group' if len(small) == 1 else 'these groups'}; that is no sign that all is fair. "
            f"From {found.fewest} rows on large differences show; "
            f"to notice 20 points (40% against 60%), about {rows_per_group(0.4, 0.6)} rows are needed.",
            fix="Add rows about these groups if the model will be used on texts about them.",
            count=sum(n for _, n in small),
            data={"groups": dict(small), "kind": "too few"},
        )

    def _ids(self, rows: Indices) -> tuple[str, ...]:
        return tuple(self.row_ids[i] for i in rows[:EVIDENCE])

    def _evidence(self, axis: GroupedRows, group: str, rows: Indices) -> dict[str, str]:
        words = (self.terms or {}).get((axis.key, group), {})
        return {self.row_ids[i]: words[int(i)] for i in rows[:EVIDENCE] if int(i) in words}


def third_data(within: Within) -> dict[str, Any]:
    """What a chart of the third column needs."""
    return {
        "title": within.third.title, "how": within.how, "rate": within.rate, "other_rate": within.other_rate,
        "common": within.common.model_dump(mode="json"),
        "values": [
            {"name": s.name, "rate": s.hits / s.n, "n": s.n, "other_rate": s.other_hits / s.other_n, "other_n": s.other_n}
            for s in within.strata
        ],
    }  # fmt: skip


def shown(label: str) -> str:
    return visible(label)


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _start(contrast: Contrast, mine: str) -> str:
    word = "less" if contrast.rate < contrast.other_rate else "more"
    if contrast.kind == "tone":
        return f"Rows about {mine} hold {contrast.label} {word} often"
    return f"Rows about {mine} are labelled “{shown(contrast.label)}” {word} often"


def _others(contrast: Contrast) -> str:
    if contrast.others == ("",):
        return "rows that name no such group"
    if len(contrast.others) == 1:
        return f"rows about {contrast.axis.titles[contrast.others[0]]}"
    return "rows about the other groups"


def _rates(contrast: Contrast) -> str:
    return f"{contrast.rate:.0%} of {contrast.n:,} against {contrast.other_rate:.0%} of {contrast.other_n:,}"


def _turn(within: Within | None) -> str:
    if within is None:
        return ""
    if within.how == "reversed":
        return f"; but inside {within.third.title} it is the other way round"
    return f"; but not inside {within.third.title}"


def _meaning(contrast: Contrast, more: Sequence[Contrast]) -> str:
    further = listed([f"“{shown(c.label)}” {'less' if c.rate < c.other_rate else 'more'} often" for c in more[:4]])
    also = f" The same rows are labelled {further}." if more and contrast.kind == "label" else ""
    if contrast.kind == "tone":
        better = (contrast.label == FRIENDLY) == (contrast.rate > contrast.other_rate)
        return (
            f"These people are written about {'more' if better else 'less'} kindly than others. A model that learns to write, or "
            "to judge, from these rows learns that tone. Counted by a short list of words that knows no context."
        )
    return (
        "A model trained on this can decide by the group instead of by what is said, and treat people unfairly, while its test "
        f"score looks fine because the test rows carry the same tie. A difference this large is hardly chance.{also}"
    )


def _strata(within: Within) -> str:
    told = [
        f"{s.name}: {s.hits / s.n:.0%} of {s.n:,} against {s.other_hits / s.other_n:.0%} of {s.other_n:,}"
        for s in sorted(within.strata, key=lambda s: -(s.n + s.other_n))[:4]
    ]
    rest = len(within.strata) - len(told)
    return "; ".join(told) + (f"; {rest} more" if rest else "") + "."


def _explained(within: Within, mine: str) -> str:
    column = within.third.title
    if within.how == "reversed":
        said = (
            f"Compared inside each value of {column}, rows about {mine} get it "
            f"{'less' if within.rate < within.other_rate else 'more'} often: {_strata(within)} "
            f"The overall figure says the opposite only because the groups are spread unevenly over {column} "
            "(Simpson's paradox)."
        )
    else:
        said = (
            f"Compared inside each value of {column}, hardly any such difference is left: {_strata(within)} The groups "
            f"are spread unevenly over {column}, and that explains the overall difference (Simpson's paradox)."
        )
    return f"{said} Whether {column} itself was decided fairly is another question, which these rows cannot answer."


def _third_fix(within: Within) -> str:
    return (
        f"Compare inside {within.third.title}, and do not change labels because of the overall figure. A model that cannot see "
        f"{within.third.title} in the text can still learn the overall tie: then even out how the groups are spread over it."
    )
