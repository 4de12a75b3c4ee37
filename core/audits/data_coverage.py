"""Does the data tie a label to a group of people? Rows and label rate a group, from the examples alone."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from pydantic import Field

from core.data.counterfactual import labels_about, text_of
from core.data.group_rates import RATIO, Contrast, GroupedRows, contrasts, detectable, pmi, significant
from core.data.group_rows import named_in_texts
from core.data.lexicon import languages, load_lexicon
from core.data.statistics import wilson
from core.schemas.audits import AuditFamily, AuditInput, AuditResult
from core.schemas.base import Schema
from core.schemas.findings import Finding, Severity

from ._config import axes_field, listed

EVIDENCE = 200


class Config(Schema):
    axes: tuple[str, ...] = axes_field()
    columns: tuple[str, ...] = Field(
        (),
        title="Group columns",
        description="Columns of your data that say which group a row is about. Empty: all that were handed in.",
        json_schema_extra={"level": "basic"},
    )
    fewest_rows: int = Field(
        30,
        title="Fewest rows to judge a group",
        description="A group with fewer rows than this is shown but not judged.",
        ge=10,
        json_schema_extra={"level": "advanced"},
    )


class DataCoverage:
    key = "data_coverage"
    title = "Groups and labels in the data"
    help = "Counts the rows about each group of people, and whether some groups get a label more often than others."
    order = 10
    families: tuple[AuditFamily, ...] = ("classifier", "causal-lm", "multi-label", "regression", "seq2seq")
    config = Config
    needs_model = False

    def forward_passes(self, data: AuditInput, config: Config) -> int:
        return 0

    def run(self, data: AuditInput, config: Config) -> AuditResult:
        started = time.perf_counter()
        not_tested: list[str] = []
        axes = [*_columns(data, config), *_named_in_text(data, config, not_tested)]
        labels = [example.label for example in data.examples]
        classes = [label for label, _ in Counter(label for label in labels if label).most_common()]
        rows: list[dict[str, Any]] = []
        findings: list[Finding] = []
        compared: list[Contrast] = []
        for axis in axes:
            rows += _rows(axis, labels, classes, config)
            findings += _too_few(axis, config)
            compared += contrasts(axis, labels, classes, config.fewest_rows)
        if len(classes) < 2:
            several = any(example.labels is not None or example.value is not None for example in data.examples)
            reason = "only one label for each row can be compared" if several else "the rows have no labels"
            not_tested.append(f"Label rates: {reason}, so only the number of rows a group was counted.")
        flagged = significant(compared)
        judged = {contrast.axis.key for contrast in compared}
        findings = [
            *(_flag(contrast, data, labels) for contrast in flagged),
            *_quiet(axes, judged, flagged, compared),
            *findings,
        ]
        if not axes:
            findings.append(_nobody(len(data.examples)))
        return AuditResult(
            audit=self.key,
            title=self.title,
            headline=_headline(axes, judged, flagged),
            findings=tuple(findings),
            rows=tuple(rows),
            n=len(data.examples),
            seconds=time.perf_counter() - started,
            not_tested=tuple(not_tested),
        )


def _columns(data: AuditInput, config: Config) -> Iterator[GroupedRows]:
    for column, groups in data.groups.items():
        if config.columns and column not in config.columns:
            continue
        rows: dict[str, list[int]] = {}
        for i, example in enumerate(data.examples):
            group = groups.get(example.row_id, "").strip()
            if group:
                rows.setdefault(group, []).append(i)
        if rows:
            yield GroupedRows(f"column:{column}", f"Column “{column}”", rows, {g: f"“{g}”" for g in rows})


def _named_in_text(data: AuditInput, config: Config, not_tested: list[str]) -> Iterator[GroupedRows]:
    if data.groups and data.language not in languages():
        not_tested.append(f"Words in the texts: there is no list of identity words for the language “{data.language}”.")
        return
    lexicon = load_lexicon(data.language)
    about = labels_about((example.label for example in data.examples), lexicon)
    grouped, _ = named_in_texts([text_of(example) for example in data.examples], lexicon, config.axes)
    found = {axis.key: axis for axis in grouped}
    for known in lexicon.axes:
        if known.key in about and known.key in found:
            not_tested.append(f"{known.title}: the label “{about[known.key]}” is itself about it.")
        elif known.key in found:
            yield found[known.key]
        elif known.key in config.axes:
            not_tested.append(f"{known.title}: no row names such a group.")


def _rows(axis: GroupedRows, labels: list[str | None], classes: list[str], config: Config) -> list[dict[str, Any]]:
    """One row for each group and label: rate with Wilson interval and PMI, and how small a difference could be seen."""
    everyone = {i for indices in axis.rows.values() for i in indices}
    result = []
    for group, indices in axis.rows.items():
        base = {
            "axis": axis.key, "axis_title": axis.title, "group": group, "group_title": axis.titles[group],
            "n": len(indices), "judged": len(indices) >= config.fewest_rows,
        }  # fmt: skip
        result.append(base | {"kind": "rows"})
        for label in classes:
            hits = sum(labels[i] == label for i in indices)
            rate = wilson(hits, len(indices))
            elsewhere = sum(labels[i] == label for i in everyone) - hits
            table = (hits, len(indices) - hits, elsewhere, len(everyone) - len(indices) - elsewhere)
            result.append(
                base
                | {"kind": "label rate", "label": label, "count": hits, "value": rate.value, "low": rate.low,
                   "high": rate.high, "pmi": pmi(*table), "detectable": detectable(rate.value, len(indices))}
            )  # fmt: skip
    return result


def _flag(contrast: Contrast, data: AuditInput, labels: list[str | None]) -> Finding:
    mine, theirs = contrast.hits / contrast.n, contrast.other_hits / contrast.other_n
    axis, label = contrast.axis, contrast.label
    group = axis.titles[contrast.group]
    if len(contrast.others) == 1 and contrast.others[0]:
        others = axis.titles[contrast.others[0]]
    else:
        others = "the other groups" if contrast.others[0] else "nobody in particular"
    word = "less" if mine < theirs else "more"
    low_rate = min(mine, theirs)
    ids = [data.examples[i].row_id for i in axis.rows[contrast.group] if labels[i] == label]
    share = f"{contrast.ratio:.2f}" if low_rate else "0"
    return Finding(
        check="data_coverage",
        severity=Severity.WARNING,
        title=(
            f"Rows about {group} are labelled “{label}” {word} often than rows about {others}: "
            f"{mine:.0%} against {theirs:.0%} ({contrast.n:,} and {contrast.other_n:,} rows)"
        ),
        meaning=(
            f"A model trained on this data can learn to decide by the group instead of the content. The lower rate is "
            f"{share} of the higher one; below {RATIO} is flagged where chance is an unlikely reason."
        ),
        fix=(
            "See whether the rows differ in something that justifies it. If not: add rows, correct labels, or train "
            "with swapped copies of the rows (counterfactual augmentation), and audit again."
        ),
        count=len(ids),
        row_ids=tuple(ids[:EVIDENCE]),
        estimate=contrast.difference,
        data={
            "axis": axis.key, "group": contrast.group, "others": list(contrast.others), "label": label,
            "rate": mine, "other_rate": theirs, "ratio": contrast.ratio, "q": contrast.q,
        },
    )  # fmt: skip


def _too_few(axis: GroupedRows, config: Config) -> list[Finding]:
    small = {group: len(rows) for group, rows in axis.rows.items() if len(rows) < config.fewest_rows}
    if not small:
        return []
    named = ", ".join(f"{axis.titles[group]} ({n:,})" for group, n in sorted(small.items(), key=lambda item: item[1]))
    return [
        Finding(
            check="data_coverage",
            severity=Severity.INFO,
            title=f"{axis.title}: cannot judge {named}: fewer than {config.fewest_rows} rows",
            meaning="With so few rows any label rate may be chance. That nothing is flagged does not mean it is fair.",
            fix="Add rows about these groups if the model will be used on texts about them.",
            count=sum(small.values()),
            data={"axis": axis.key, "groups": small},
        )
    ]


def _quiet(
    axes: list[GroupedRows], judged: set[str], flagged: list[Contrast], compared: list[Contrast]
) -> Iterator[Finding]:
    """Axes that were judged without a flag, with the smallest difference that would have been seen."""
    for axis in axes:
        if axis.key not in judged or any(contrast.axis.key == axis.key for contrast in flagged):
            continue
        smallest = [c for c in compared if c.axis.key == axis.key]
        seen = max(detectable((c.hits + c.other_hits) / (c.n + c.other_n), min(c.n, c.other_n)) for c in smallest)
        yield Finding(
            check="data_coverage",
            severity=Severity.INFO,
            title=f"{axis.title}: no label is tied to a group as far as these rows can tell",
            meaning=f"Differences smaller than about {100 * seen:.0f} points could go unseen with this many rows.",
            count=len({i for rows in axis.rows.values() for i in rows}),
            data={"axis": axis.key, "detectable": seen},
        )


def _nobody(rows: int) -> Finding:
    return Finding(
        check="data_coverage",
        severity=Severity.INFO,
        title=f"None of the {rows:,} rows names a group of people that this audit knows",
        meaning="There is nothing to judge in the data. A model can still treat groups differently: its base model "
        "has read other texts. The neutral probes test that.",
    )


def _headline(axes: list[GroupedRows], judged: set[str], flagged: list[Contrast]) -> str:
    if flagged:
        titles = list(dict.fromkeys(contrast.axis.title.lower() for contrast in flagged))
        return f"The data ties labels to groups of people: {listed(titles)}."
    if judged:
        return "No label is tied to a group as far as these rows can tell."
    return (
        "There are not enough rows about any group to judge the data." if axes else "The rows name no group of people."
    )


PLUGIN = DataCoverage()
