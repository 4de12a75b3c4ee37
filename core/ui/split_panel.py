"""The Split tab: which way of splitting fits the data, how much the test will tell, and what stands in two parts."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.data import split_advice
from core.data.split_advice import Suggestion
from core.schemas.families import FAMILIES
from core.schemas.plan import NEEDS_COLUMN, PreparationPlan, SplitPlan
from core.services import datasets, preparation, rows, tokens
from core.store.tables import DatasetVersion, Plan, Project
from core.tasks import registry as tasks

from . import parts
from .forms import settings_of
from .markup import plain

TITLES = {"files": "Use the files as they were given", **settings_of(SplitPlan)["strategy"].options}
HELP = {
    "files": "Each file is one part. Where a part has no file, it is drawn from the training file.",
    "stratified": "Every part has the same share of each label.",
    "random": "Rows are drawn by chance.",
    "column": "Rows that share a value, such as a customer, are never in two parts.",
    "cluster": "Texts that nearly repeat one another are never in two parts.",
    "time": "The newest rows are the test, those before them validate, the older ones are learned from.",
    "given": "A column says for each row whether it is for training, validation or test.",
}
COLUMN_TITLES = {
    "column": "Column of the groups",
    "time": "Column with the date",
    "given": "Column that names the part",
}
AT_ONCE = 20_000  # rows up to which repeated texts are looked for without being asked


def split_panel(
    project: Project, version: DatasetVersion, plan: PreparationPlan, saved: Plan | None
) -> PreparationPlan:
    """Suggestion, form and advice. Returns the plan with the chosen split."""
    frame = datasets.frame(version)
    columns = [c for c in frame.columns if c not in (datasets.ROW_ID, datasets.PART)]
    key = f"split-{project.id}-{version.lineage}"
    now = _way(plan.split)
    labelled = FAMILIES[tasks()[project.task or ""].family].labels
    without = {"files"} if datasets.PART not in frame.columns else set()
    without |= set() if labelled else {"random"}  # without labels, the stratified split is the random one
    titles = TITLES if labelled else {**TITLES, "stratified": TITLES["random"]}
    helps = HELP if labelled else {**HELP, "stratified": HELP["random"]}
    ways = [way for way in titles if way == now or way not in without]
    st.session_state.setdefault(f"{key}-way", now if now in ways else "stratified")
    if plan.split.column in columns:
        st.session_state.setdefault(f"{key}-column", plan.split.column)
    _suggested(version, key)
    left, right = st.columns(2)
    way = left.selectbox("How to split", ways, key=f"{key}-way", format_func=titles.__getitem__)
    left.caption(helps[way])
    column = datasets.PART if way == "files" else None
    if way in NEEDS_COLUMN:
        column = right.selectbox(COLUMN_TITLES[way], columns, key=f"{key}-column")
        if way == "column" and column and (warning := preparation.groups(version, column).warning):
            right.warning(warning, icon=":material/warning:")
    given = way in ("files", "given")
    left, right = st.columns(2)
    validation = left.slider(
        "Validation share (%)", 1, 40, round(100 * plan.split.validation), help=parts.term("validation set")
    )
    test = right.slider("Test share (%)", 1, 40, round(100 * plan.split.test), help=parts.term("test set"))
    if given:
        st.caption("The shares count only for a part that the files or the column do not name.")
    else:
        _advice(version, test / 100)
    seed = st.columns(2)[0].number_input("Seed", 0, 2**31 - 1, plan.split.seed, help=parts.term("seed"))
    if way in NEEDS_COLUMN and not column:
        st.warning("Choose the column to split by.")
        return plan
    strategy = "given" if way == "files" else way
    split = SplitPlan(strategy=strategy, validation=validation / 100, test=test / 100, column=column, seed=int(seed))
    return plan.model_copy(update={"split": split})


def _way(split: SplitPlan) -> str:
    return "files" if split.strategy == "given" and split.column == datasets.PART else split.strategy


def _suggested(version: DatasetVersion, key: str) -> None:
    """The first way that fits the data and is not chosen, with its reason and one button; others quietly below."""
    found = preparation.suggestions(version)
    chosen = st.session_state.get(f"{key}-way"), st.session_state.get(f"{key}-column")

    def name(s: Suggestion) -> str:
        return "files" if s.strategy == "given" and s.column == datasets.PART else s.strategy

    def use(s: Suggestion) -> None:
        st.session_state[f"{key}-way"] = name(s)
        if s.column and s.column != datasets.PART:
            st.session_state[f"{key}-column"] = s.column

    if any(name(s) == chosen[0] and (s.column in (None, datasets.PART) or s.column == chosen[1]) for s in found[:1]):
        return
    for place, s in enumerate(found[:3]):
        if name(s) == chosen[0] and s.column in (None, datasets.PART, chosen[1]):
            continue
        with st.container(border=place == 0, horizontal=True, vertical_alignment="center"):
            # Time is a matter of what the model is for; the others are about a score that would be too good.
            word = "**Possible:** " if s.strategy == "time" else "**Suggested:** " if place == 0 else ""
            st.markdown(f":material/lightbulb: {word}{plain(s.reason)}")
            st.button(TITLES[name(s)], key=f"{key}-use-{place}", on_click=use, args=(s,), width="content")


def _advice(version: DatasetVersion, share: float) -> None:
    """How much the test will tell, while the slider moves."""
    counts = rows.label_counts(version)
    usable = counts.total() or version.rows
    st.markdown(f":material/straighten: {split_advice.precision(round(usable * share))}", help=parts.term("interval"))
    few = split_advice.few_in_test(counts, share)
    if few:
        named = ", ".join(f"{plain(label[:40])} ({n})" for label, n in few[:5])
        more = f" and {len(few) - 5} more labels" if len(few) > 5 else ""
        label, _ = few[0]
        st.caption(
            f"Labels with too few test rows to be judged each on its own (under {split_advice.FEWEST_OF_A_CLASS}): "
            f"{named}{more}. "
            f"{plain(label[:40])} has {counts[label]:,} row{'s' * (counts[label] != 1)}; it would need "
            f"{split_advice.rows_needed(counts[label], share):,}."
        )


def leak_panel(project: Project, saved: Plan) -> None:
    """The parts of the saved split, and texts that stand in two of them."""
    counts = pd.DataFrame([{k: saved.counts[k] for k in ("train", "validation", "test")}])
    st.dataframe(counts, hide_index=True, width="content")
    total = sum(saved.counts.values())
    asked = f"look-for-leaks-{saved.id}"
    if total > AT_ONCE and not st.session_state.get(asked):
        if st.button("Look for texts that stand in two parts", help=f"{total:,} rows take a minute or so."):
            st.session_state[asked] = True
            st.rerun()
        return
    with st.spinner("Comparing the parts"):
        found = [o for o in tokens.leaks(project, saved) if o.exact or o.near]
    if not found:
        st.success("No text stands in two parts of the split.", icon=":material/check_circle:")
    names = {"train": "training", "validation": "validation", "test": "test"}
    if found:
        lines = []
        for o in found:
            n = len(o.exact) + len(o.near)
            rows_stand = "1 row of the {} part stands" if n == 1 else f"{n:,} rows of the {{}} part stand"
            where = f"{rows_stand.format(names[o.part])} in the {names[o.source]} part too"
            lines.append(f"{where} ({len(o.exact):,} exactly, {len(o.near):,} nearly).")
        st.warning(
            "\n\n".join(lines)
            + "\n\nScores on them say little. Keep nearly equal texts in one part, under “How to split”, or remove "
            "them on the Dataset screen.",
            icon=":material/content_copy:",
        )
    for overlap in found:
        pairs = [
            {"row": p.row_id, "repeats": p.source_id, "similarity": p.similarity}
            for p in (*overlap.exact, *overlap.near)
        ]
        with st.expander(f"Pairs of {names[overlap.source]} and {names[overlap.part]}"):
            st.dataframe(pairs[:200], hide_index=True)
