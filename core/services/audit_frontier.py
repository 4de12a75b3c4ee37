"""All audited rounds of a project by gap and quality: what each corrective action bought, and what it cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from core.data.statistics import MIN_ROWS, bootstrap_mean
from core.mitigations import registry as mitigations
from core.schemas.audits import AuditResult
from core.schemas.estimates import Estimate
from core.schemas.evaluation import MetricRow
from core.store.tables import Audit, Project

from . import audits, rounds
from .rounds import Round

Cells = Mapping[tuple[str, str], float]
"""A gap by kind of group and independent text (template or row)."""


@dataclass(frozen=True)
class Point:
    """A round. `gap` is measured on the texts that all drawn rounds share, `quality` on validation rows. `frontier`: no other
    round has both a smaller gap and a better quality, by the measured values."""

    number: int
    run_id: str
    name: str
    action: str
    gap: Estimate
    quality: Estimate
    frontier: bool = False


@dataclass(frozen=True)
class Frontier:
    """`unit` is what gaps are measured in, `metric` what quality is. `left_out` gives each round that is not drawn, by its
    number, with the reason; `to_measure` are those that only miss their quality on validation rows. `axes` maps the kinds of
    groups that can be looked at by themselves to their titles, `audits` the audits to choose from."""

    points: tuple[Point, ...] = ()
    unit: str = ""
    metric: MetricRow | None = None
    left_out: tuple[tuple[int, str], ...] = ()
    to_measure: tuple[Round, ...] = ()
    axes: tuple[str, ...] = ()
    audits: tuple[tuple[str, str], ...] = ()
    shared: int = 0


def of_project(project: Project, audit: str = "", axis: str = "") -> Frontier:
    """The newest audit of each finished round. `audit` empty: the first that most rounds have; `axis` empty: all kinds of
    groups together."""
    finished = [one for one in rounds.of_project(project) if one.finished]
    newest = {one.number: found[0] for one in finished if (found := audits.of_run(one.run.id))}
    results = {number: _measured(row) for number, row in newest.items()}
    titles = {key: result.title for found in results.values() for key, result in found.items()}
    if not titles:
        return Frontier(left_out=tuple((one.number, "not audited yet") for one in finished))
    chosen = audit if audit in titles else max(titles, key=lambda key: sum(key in found for found in results.values()))
    left_out: dict[int, str] = {}
    gaps: dict[int, Cells] = {}
    unit = next(found[chosen].unit for found in reversed(results.values()) if chosen in found)
    for one in finished:
        result = results.get(one.number, {}).get(chosen)
        if one.number not in results:
            left_out[one.number] = "not audited yet"
        elif result is None or result.unit != unit:
            left_out[one.number] = f"{titles[chosen]} could not measure it in the same unit"
        else:
            gaps[one.number] = _cells(result, axis)
    axes = tuple(dict.fromkeys(s.axis for f in results.values() if chosen in f for s in f[chosen].gaps if not s.group))
    shared = _shared(gaps, left_out)
    metric, to_measure = _quality(finished, gaps, left_out)
    drawn = [one for one in finished if one.number in gaps and one.number not in left_out]
    points = [_point(one, gaps[one.number], shared, unit) for one in drawn]
    return Frontier(
        points=tuple(_marked(points, metric.higher_is_better if metric else True)),
        unit=unit,
        metric=metric,
        left_out=tuple(sorted(left_out.items())),
        to_measure=tuple(to_measure),
        axes=axes,
        audits=tuple(titles.items()),
        shared=len({text for _, text in shared}),
    )


def _measured(row: Audit) -> dict[str, AuditResult]:
    """Results that have gaps."""
    return {key: result for key, result in audits.results(row).items() if any(not s.group for s in result.gaps)}


def _cells(result: AuditResult, axis: str) -> Cells:
    return {
        (series.axis, text): value
        for series in result.gaps
        if not series.group and axis in ("", series.axis)
        for text, value in series.values.items()
    }


def _shared(gaps: Mapping[int, Cells], left_out: dict[int, str]) -> set[tuple[str, str]]:
    """What the rounds were all measured on, from the newest back. A round with too little in common is left out."""
    shared: set[tuple[str, str]] | None = None
    for number in sorted(gaps, reverse=True):
        both = set(gaps[number]) if shared is None else shared & set(gaps[number])
        if len({text for _, text in both}) < MIN_ROWS:
            left_out[number] = (
                "measured on other texts than newer rounds" if shared else f"fewer than {MIN_ROWS} texts were measured"
            )
        else:
            shared = both
    return shared or set()


def _quality(
    finished: Sequence[Round], gaps: Mapping[int, Cells], left_out: dict[int, str]
) -> tuple[MetricRow | None, list[Round]]:
    """The figure that decides on validation rows in the newest round, and the rounds that still miss it."""
    able = [one for one in finished if one.number in gaps and one.number not in left_out]
    metric = next((one.validation.row for one in reversed(able) if one.validation), None)
    to_measure: list[Round] = []
    for one in able:
        if one.validation is None:
            left_out[one.number] = "its quality on validation rows is not measured yet"
            to_measure.append(one)
        elif metric is not None and one.validation.row.key != metric.key:
            left_out[one.number] = f"judged by {one.validation.row.title.lower()}, the others by {metric.title.lower()}"
    return metric, to_measure


def _point(one: Round, cells: Cells, shared: set[tuple[str, str]], unit: str) -> Point:
    keys = sorted(shared)
    bounds = (0.0, 1.0) if unit == "probability" else None
    gap = bootstrap_mean([cells[key] for key in keys], [text for _, text in keys], bounds=bounds)
    assert one.validation is not None
    return Point(one.number, one.run.id, one.run.name, action_of(one), gap, one.validation.score)


def action_of(one: Round) -> str:
    """The corrective action that a round came from, in words; empty for none."""
    if not one.correction:
        return ""
    plugin = mitigations().get(one.correction)
    return plugin.title if plugin else one.correction.replace("_", " ")


def _marked(points: Sequence[Point], higher_is_better: bool) -> list[Point]:
    sign = 1 if higher_is_better else -1

    def beaten(one: Point) -> bool:
        mine = (-one.gap.value, sign * one.quality.value)
        return any(
            other is not one
            and -other.gap.value >= mine[0]
            and sign * other.quality.value >= mine[1]
            and (-other.gap.value, sign * other.quality.value) != mine
            for other in points
        )

    return [replace(one, frontier=not beaten(one)) for one in points]


# -- in words ----------------------------------------------------------------------------------------------------------


def label(point: Point) -> str:
    return f"{point.number} · {point.action or 'no corrective action'}"


def scales(found: Frontier) -> tuple[float, float]:
    """Factors for gap and quality: shares are shown in percent or points."""
    assert found.metric is not None
    return (100 if found.unit == "probability" else 1), (100 if found.metric.format == "percent" else 1)


def axis_titles(found: Frontier) -> tuple[str, str]:
    assert found.metric is not None
    unit = "points" if found.unit == "probability" else found.unit
    more = "more is better" if found.metric.higher_is_better else "less is better"
    percent = " (%)" if found.metric.format == "percent" else ""
    return f"gap between groups ({unit}), less is better", f"{found.metric.title.lower()}{percent}, {more}"
