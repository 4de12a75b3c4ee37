"""Panel of the Evaluation screen: from which probability to raise an alarm, given what mistakes cost."""

from __future__ import annotations

from typing import cast

import numpy as np
import streamlit as st

from core.data import decision_cost
from core.schemas.estimates import Estimate
from core.schemas.evaluation import EvaluationResult
from core.schemas.label_sets import LabelSetPredictions
from core.schemas.predictions import ClassPredictions
from core.services import evaluation_rows

from . import parts

Labelled = ClassPredictions | LabelSetPredictions


def threshold_panel(result: EvaluationResult) -> None:
    """The person says what a miss and a false alarm cost; the threshold is chosen on validation and judged here."""
    validation = cast(Labelled | None, evaluation_rows.validation_predictions(result))
    if validation is None:
        st.caption(
            "A threshold is chosen on validation rows and judged on test rows. Evaluate on the test set to see it."
            if result.split == "validation"
            else "This result is of an older version. Evaluate again to choose a threshold."
        )
        return
    tuned = cast(Labelled, evaluation_rows.predictions(result, "tuned"))
    rare = min(tuned.labels, key=lambda label: sum(item.has(label) for item in validation.items) or len(validation))
    one, two, three = st.columns(3)
    label = one.selectbox("Raise an alarm for", tuned.labels, tuned.labels.index(rare))
    miss = two.number_input("A miss costs", 0.01, 1e6, 5.0, 1.0, help="A row that has the label and gets no alarm.")
    false = three.number_input("A false alarm costs", 0.01, 1e6, 1.0, 1.0, help="An alarm for a row without the label.")
    k = tuned.labels.index(label)
    chosen = decision_cost.choose(validation.matrix[:, k], _has(validation, label), miss, false)
    own = _has(tuned, label)
    if chosen is None:
        st.info(
            f"Too few validation rows to choose a threshold for “{label}”: it takes {decision_cost.FEWEST} with it and as many "
            "without. 50% stays.",
            icon=":material/info:",
        )
        return
    found = decision_cost.judge(tuned.matrix[:, k], own, chosen, miss, false)
    st.markdown(_sentence(found, label))
    share = (found.usual.missed, found.chosen.missed), (found.usual.false_alarms, found.chosen.false_alarms)
    parts.table(
        ["", "alarm from 50%", f"alarm from {chosen:.0%}"],
        [
            ["Missed, of the rows with it", *(parts.figure_html(e, share=True) for e in share[0])],
            ["False alarms, of the others", *(parts.figure_html(e, share=True) for e in share[1])],
            ["Cost of 100 rows", *(parts.figure_html(_times(e.cost), digits=1) for e in (found.usual, found.chosen))],
        ],
    )
    st.caption(
        f"Chosen on {len(validation):,} validation rows, judged on {len(tuned):,} rows that had no part in the choice."
    )


def _has(predictions: Labelled, label: str) -> np.ndarray:
    return np.array([item.has(label) for item in predictions.items], dtype=bool)


def _times(estimate: Estimate, factor: float = 100) -> Estimate:
    low, high = (None if end is None else factor * end for end in (estimate.low, estimate.high))
    return estimate.model_copy(update={"value": factor * estimate.value, "low": low, "high": high})


def _sentence(found: decision_cost.Decision, label: str) -> str:
    change = _times(found.change)
    range_ = f"({change.low:+.1f} to {change.high:+.1f} for 100 rows)" if change.low is not None else ""
    at = f"an alarm for “{parts.plain(label)}” from {found.chosen.threshold:.0%}"
    if change.high is not None and change.high < 0:
        return f"**With these costs, {at} is cheaper than from 50%** {range_}."
    if change.low is not None and change.low > 0:
        return f"**{at[:1].upper()}{at[1:]} looked cheaper on validation, and is dearer here** {range_}: keep 50%."
    return f"**No evidence that {at} is cheaper than from 50%** {range_}."
