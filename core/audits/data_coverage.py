"""Does the data tie a label to a group of people? Rows, labels and tone a group, from the examples alone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from core.data import group_tone
from core.data.counterfactual import labels_about, text_of
from core.data.group_analysis import Analysis, analyse
from core.data.group_findings import Teller
from core.data.group_outcomes import labels_of
from core.data.group_rates import FEWEST, GroupedRows, Outcomes
from core.data.group_rows import named_in_texts
from core.data.group_thirds import thirds_of
from core.data.in_words import listed
from core.data.lexicon import Lexicon, load_lexicon
from core.data.own_words import knows, lexicon_for, own_axes
from core.schemas.audits import AuditFamily, AuditInput, AuditResult
from core.schemas.base import Schema
from core.schemas.findings import Finding, Severity

from ._cells import cells, figures

_OPTIONS: Any = {axis.key: axis.title for axis in load_lexicon().axes}
MOST_LABELS = 100
LONGEST = 5_000  # characters of a text that are read


class Config(Schema):
    axes: tuple[str, ...] = Field(
        tuple(_OPTIONS),
        title="What to look at",
        description="Kinds of groups of people whose rows are compared. Kinds of your own are always looked at.",
        json_schema_extra={"level": "basic", "options": _OPTIONS},
    )
    columns: tuple[str, ...] = Field(
        (),
        title="Group columns",
        description="Columns of your data that say which group a row is about. Empty: all that were handed in.",
        json_schema_extra={"level": "basic"},
    )
    fewest_rows: int = Field(
        FEWEST,
        title="Fewest rows to judge a group",
        description="A group with fewer rows than this is shown but not judged.",
        ge=10,
        json_schema_extra={"level": "advanced"},
    )


class DataCoverage:
    key = "data_coverage"
    title = "Groups and labels in the data"
    seen = "in your data, before any training"
    help = (
        "Counts the rows about each group of people, and whether some groups, or two groups together, get a label or an "
        "unfriendly tone more often than others."
    )
    order = 10
    families: tuple[AuditFamily, ...] = ("classifier", "causal-lm", "multi-label", "regression", "seq2seq")
    config = Config
    needs_model = False

    def forward_passes(self, data: AuditInput, config: Config) -> int:
        return 0

    def run(self, data: AuditInput, config: Config) -> AuditResult:
        started = time.perf_counter()
        found = _Found.of(data, config)
        analysis = analyse(found.axes, found.labels, found.tone, found.thirds, config.fewest_rows)
        row_ids = [example.row_id for example in data.examples]
        teller = Teller(self.key, row_ids, found.labels, found.tone, found.terms)
        findings = list(teller.flags(analysis))
        findings += [told for told in (teller.quiet(analysis), teller.too_few(analysis)) if told is not None]
        if not found.axes:
            findings.append(_nobody(len(data.examples)))
        return AuditResult(
            audit=self.key,
            title=self.title,
            headline=_headline(analysis, findings),
            findings=tuple(findings),
            rows=tuple(figures(analysis, found.labels, found.tone)),
            cells=tuple(cells(analysis, found.labels, found.tone, row_ids)),
            n=len(data.examples),
            seconds=time.perf_counter() - started,
            not_tested=tuple(found.not_tested),
        )


@dataclass(frozen=True)
class _Found:
    """What there is to compare: groups by column and by words, labels, tone, and columns that may explain a difference."""

    axes: list[GroupedRows]
    labels: Outcomes
    tone: Outcomes | None
    thirds: list[Any]
    terms: dict[tuple[str, str], dict[int, str]]
    not_tested: list[str]

    @classmethod
    def of(cls, data: AuditInput, config: Config) -> _Found:
        not_tested: list[str] = []
        labels, reason = labels_of(data.examples, MOST_LABELS)
        if reason:
            not_tested.append(reason)
        columns = {name: groups for name, groups in data.groups.items() if name in (config.columns or data.groups)}
        axes = list(_columns(data, columns))
        terms: dict[tuple[str, str], dict[int, str]] = {}
        if knows(data.language, data.own_words):
            lexicon = lexicon_for(data.language, data.own_words)
            named, terms = _named(data, config, lexicon, labels, not_tested)
            axes += named
        else:
            if not columns:
                load_lexicon(data.language)  # says what can be done
            not_tested.append(
                f"Words in the texts: there is no list of identity words for the language “{data.language}”."
            )
        tone = group_tone.outcomes([_written(example)[:LONGEST] for example in data.examples], data.language)
        if tone is None:
            not_tested.append(
                f"How groups are written about: there is no list of friendly and unfriendly words for “{data.language}”."
            )
        others = {name: values for name, values in data.categories.items() if name not in columns}
        by_row = {
            name: [values.get(example.row_id, "").strip() for example in data.examples]
            for name, values in (columns | others).items()
        }
        return cls(axes, labels, tone, thirds_of(by_row, axes, len(data.examples)), terms, not_tested)


def _written(example: Any) -> str:
    """What a model would learn to say: the answer of a conversation, else the text."""
    return example.reference if example.messages else example.text


def _columns(data: AuditInput, columns: Any) -> Iterator[GroupedRows]:
    for column, groups in columns.items():
        rows: dict[str, list[int]] = {}
        for i, example in enumerate(data.examples):
            group = groups.get(example.row_id, "").strip()
            if group:
                rows.setdefault(group, []).append(i)
        if rows:
            yield GroupedRows(f"column:{column}", f"Column “{column}”", rows, {g: f"“{g}” ({column})" for g in rows})


def _named(
    data: AuditInput, config: Config, lexicon: Lexicon, labels: Outcomes, not_tested: list[str]
) -> tuple[list[GroupedRows], dict[tuple[str, str], dict[int, str]]]:
    about = labels_about(labels.names if labels.kind == "label" else (), lexicon)
    wanted = (*config.axes, *own_axes(lexicon))
    grouped, terms = named_in_texts([text_of(example)[:LONGEST] for example in data.examples], lexicon, wanted)
    found = {axis.key: axis for axis in grouped}
    chosen, unnamed = [], []
    for known in lexicon.axes:
        if known.key in about and known.key in found:
            not_tested.append(f"{known.title}: the label “{about[known.key]}” is itself about it.")
        elif known.key in found:
            chosen.append(found[known.key])
        elif known.key in wanted:
            unnamed.append(known.title.lower())
    if unnamed:
        not_tested.append(f"No row names a group of these kinds: {', '.join(unnamed)}.")
    if lexicon.note:
        not_tested.append(f"{lexicon.title}: {lexicon.note}")
    return chosen, terms


def _nobody(rows: int) -> Finding:
    return Finding(
        check="data_coverage",
        severity=Severity.INFO,
        title=f"None of the {rows:,} rows names a group of people that this audit knows",
        meaning="There is nothing to judge in the data. A model can still treat groups differently: its base model "
        "has read other texts. The neutral probes test that.",
    )


def _headline(analysis: Analysis, findings: list[Finding]) -> str:
    flagged = [finding for finding in findings if finding.severity is Severity.WARNING]
    titles = {axis.key: axis.title.lower() for axis in analysis.axes}
    if flagged:
        said = []
        tied = [f for f in flagged if f.data["kind"] in ("label", "pair", "hidden") and "third" not in f.data]
        turned = [f for f in flagged if "third" in f.data]
        tone = [f for f in flagged if f.data["kind"] == "tone"]
        if tied:
            keys = [key for f in tied for key in f.data.get("axes", [f.data.get("axis")])]
            said.append(
                f"The data ties labels to groups of people: {listed([titles[k] for k in dict.fromkeys(keys)])}."
            )
        if turned:
            columns = list(dict.fromkeys(f.data["third"]["title"] for f in turned))
            said.append(f"Some overall rates mislead: inside {listed(columns)} they look different.")
        if tone:
            groups = [titles[f.data["axis"]] for f in tone]
            said.append(
                f"Some groups are written about less kindly than others: {listed(list(dict.fromkeys(groups)))}."
            )
        return " ".join(said)
    if any(contrast.kind == "label" for contrast in analysis.contrasts):
        return "No label is tied to a group as far as these rows can tell."
    if analysis.contrasts:
        return "No group is written about less kindly than others, as far as these rows can tell."
    return (
        "There are not enough rows about any group to judge the data."
        if analysis.axes
        else "The rows name no group of people."
    )


PLUGIN = DataCoverage()
