"""The figures behind the audit of the data: one row for each group and outcome, and the cells of its heat map with their rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from core.data.group_analysis import Analysis
from core.data.group_pairs import Pair
from core.data.group_rates import GroupedRows, Mask, Outcomes, pmi, sides
from core.data.statistics import smallest_difference, wilson

MOST_LABELS = 12  # columns of the heat map
MOST_PAIRS = 150
ROWS_A_CELL = 25  # rows that a cell opens


def figures(analysis: Analysis, labels: Outcomes, tone: Outcomes | None) -> Iterator[dict[str, Any]]:
    """Each group with its rows; its rate of every label and tone with a Wilson interval, and for labels its PMI."""
    for axis in analysis.axes:
        for group, rows in axis.rows.items():
            base = {
                "axis": axis.key, "axis_title": axis.title, "group": group, "group_title": axis.titles[group],
                "n": len(rows), "judged": len(rows) >= analysis.fewest,
            }  # fmt: skip
            yield base | {"kind": "rows"}
        for outcomes in _compared(labels, tone):
            kind = "label rate" if outcomes.kind == "label" else "tone"
            for group, _, mine, theirs in sides(axis, outcomes.known):
                base = {
                    "kind": kind, "axis": axis.key, "axis_title": axis.title, "group": group,
                    "group_title": axis.titles[group], "judged": int(mine.sum()) >= analysis.fewest,
                }  # fmt: skip
                for figure in _rates(outcomes, mine, theirs):
                    yield base | figure | {"detectable": smallest_difference(figure["value"], figure["n"])}


def _rates(outcomes: Outcomes, mine: Mask, theirs: Mask) -> Iterator[dict[str, Any]]:
    n, other_n = int(mine.sum()), int(theirs.sum())
    if not n:  # all rows of the group are without tone, for example
        return
    for name, hits, other in zip(outcomes.names, outcomes.counts(mine), outcomes.counts(theirs), strict=True):
        rate = wilson(int(hits), n)
        yield {
            "label": name, "count": int(hits), "n": n, "value": rate.value, "low": rate.low, "high": rate.high,
            "other_value": int(other) / other_n if other_n else None, "other_n": other_n,
            "pmi": pmi(int(hits), n - int(hits), int(other), other_n - int(other)),
        }  # fmt: skip


def _compared(labels: Outcomes, tone: Outcomes | None) -> list[Outcomes]:
    single = labels.codes is not None and len(labels.names) < 2
    return [*([] if single or not labels.names else [labels]), *([tone] if tone is not None else [])]


def cells(
    analysis: Analysis, labels: Outcomes, tone: Outcomes | None, row_ids: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """One cell for each group and outcome, and one for every two groups with the rates of the labels; `row_ids` are its rows."""
    for axis in analysis.axes:
        for outcomes in _compared(labels, tone):
            for group, _, mine, theirs in sides(axis, outcomes.known):
                for figure in list(_rates(outcomes, mine, theirs))[:MOST_LABELS]:
                    rows = np.flatnonzero(mine & outcomes.has(figure["label"]))[:ROWS_A_CELL]
                    yield figure | {
                        "kind": outcomes.kind, "axis": axis.key, "axis_title": axis.title, "group": group,
                        "group_title": axis.titles[group], "judged": min(figure["n"], figure["other_n"]) >= analysis.fewest,
                        "row_ids": [row_ids[i] for i in rows],
                    }  # fmt: skip
    known = labels.names[:MOST_LABELS] if _compared(labels, None) else ()
    largest = sorted(analysis.pairs, key=lambda pair: -int(pair.both.sum()))[:MOST_PAIRS]
    for pair in largest:
        yield _pair_cell(pair, labels, known, row_ids, analysis.fewest)


def _pair_cell(
    pair: Pair, labels: Outcomes, known: Sequence[str], row_ids: Sequence[str], fewest: int
) -> dict[str, Any]:
    n = int(pair.both.sum())
    counts = labels.counts(pair.both)
    return {
        "kind": "pair", "axes": [pair.first[0].key, pair.second[0].key], "groups": [pair.first[1], pair.second[1]],
        "axis_titles": [_title(pair.first), _title(pair.second)], "group_titles": [_name(pair.first), _name(pair.second)],
        "n": n, "judged": n >= fewest, "rates": {name: int(counts[i]) / n for i, name in enumerate(known)},
        "row_ids": [row_ids[i] for i in np.flatnonzero(pair.both)[:ROWS_A_CELL]],
    }  # fmt: skip


def _title(side: tuple[GroupedRows, str]) -> str:
    return side[0].title


def _name(side: tuple[GroupedRows, str]) -> str:
    return side[0].titles[side[1]]
