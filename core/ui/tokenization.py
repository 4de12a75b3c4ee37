"""Panels of the Tokenization screen."""

from __future__ import annotations

from html import escape

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.data import lengths as measure
from core.data.statistics import margin
from core.schemas.plan import PreparationPlan, SplitPlan
from core.services import tokens
from core.services.tokens import Lengths
from core.store.tables import Plan, Project

from . import parts
from .charts import show
from .parts import TokenPiece


def length_panel(project: Project, plan: PreparationPlan, found: Lengths, packs: bool) -> PreparationPlan:
    """Histogram and slider: how many rows lose how much. Returns the plan with the chosen length."""
    longest = max(found.counts, default=8)
    top = max(16, min(found.context_length or longest, max(longest, found.suggested, plan.max_length)))
    options = sorted({8, *range(16, top + 1, 8), top, min(plan.max_length, top), found.suggested})
    chosen = st.select_slider(
        "Maximum length (tokens)",
        options,
        min(plan.max_length, top),
        help=parts.term("truncation"),
    )
    left, right = st.columns([3, 2])
    with left:
        _histogram(found, chosen)
    with right:
        cover = measure.coverage(found.counts, chosen)
        if packs and not _chat(project):
            st.markdown(f"**{cover.rows_cut:,} of {cover.rows:,} rows** are longer: they are read in several parts.")
        elif cover.rows_cut:
            st.markdown(
                f"**{cover.rows_cut:,} of {cover.rows:,} rows ({100 * cover.share_cut:.1f}%)** are cut and lose "
                f"{100 * cover.share_lost:.1f}% of all tokens. {found.suggested:,} keeps 99% whole."
            )
        else:
            st.markdown(f"**Nothing is cut.** The longest row has {longest:,} tokens.")
        packing = st.toggle(
            "Pack short examples together", plan.packing, help="Less padding, the same result, quicker.", disabled=not packs
        )
        side = st.segmented_control(
            "Where to cut",
            ["right", "left"],
            default=plan.truncation_side,
            format_func={"right": "the end", "left": "the beginning"}.__getitem__,
            required=True,
        )
    system = plan.system_prompt
    if _chat(project):
        system = st.text_input(
            "System prompt (optional)", plan.system_prompt, help="A standing instruction before every conversation."
        )
    return plan.model_copy(
        update={"max_length": chosen, "packing": packing, "truncation_side": side, "system_prompt": system}
    )


def _chat(project: Project) -> bool:
    return project.task == "chat"


def _histogram(found: Lengths, chosen: int) -> None:
    bins = measure.histogram(found.counts)
    figure = go.Figure(
        go.Bar(
            x=[(b.low + b.high) / 2 for b in bins],
            y=[b.count for b in bins],
            width=[b.high - b.low + 1 for b in bins],
            customdata=[[b.low, b.high] for b in bins],
            hovertemplate="%{customdata[0]} to %{customdata[1]} tokens: %{y} rows<extra></extra>",
        )
    )
    figure.add_vline(x=chosen, line_dash="dash", annotation_text="maximum")
    figure.update_layout(xaxis_title="tokens a row", yaxis_title="rows", height=240, bargap=0.05)
    show(figure, "lengths")


def token_panel(project: Project, plan: PreparationPlan) -> None:
    """The tokens of any example, marked as trained, context, or cut off."""
    rows = tokens.examples(project)
    number = st.number_input("Example", 1, len(rows), 1, help=f"{len(rows):,} examples")
    example = rows[int(number) - 1]
    for part in tokens.encode(project, plan, example)[:3]:
        if part.parts > 1:
            st.caption(f"Part {part.part} of {part.parts}")
        pieces = [
            TokenPiece(text, token, "trained" if trained else "context")
            for text, token, trained in zip(part.pieces, part.ids, part.trained, strict=True)
        ]
        gone = [TokenPiece(text, token, "cut") for text, token in zip(part.cut, part.cut_ids, strict=True)]
        parts.token_strip([*gone, *pieces] if part.cut_side == "left" else [*pieces, *gone])
        if part.answer_cut:
            st.warning("Part of the answer is cut off: the model would learn to stop in the middle. Raise the maximum length.")
    if example.label is not None:
        st.html(f'<p class="tw-purpose">The right answer for this text: <strong>{escape(example.label)}</strong></p>')
    elif example.messages:
        with st.expander("What the model reads before it answers"):
            st.code(tokens.rendered(project, plan, example), language=None, wrap_lines=True)


def split_form(plan: PreparationPlan, columns: list[str], saved: Plan | None) -> PreparationPlan:
    """Shares, strategy and seed of the split."""
    given = plan.split.model_dump()
    if given["strategy"] == "given" and given["column"] not in columns:
        given |= {"strategy": "stratified", "column": None}
    titles = {
        "stratified": "Stratified by label",
        "random": "At random",
        "column": "Keep groups together",
        "given": "Use a column of the file",
    }
    left, right = st.columns(2)
    strategy = left.selectbox(
        "How to split",
        list(titles),
        list(titles).index(given["strategy"]),
        format_func=titles.__getitem__,
        help=SplitPlan.model_fields["strategy"].description,
    )
    column = None
    if strategy in ("column", "given"):
        index = columns.index(given["column"]) if given["column"] in columns else 0
        column = right.selectbox("Column", columns, index, help=SplitPlan.model_fields["column"].description)
    validation = left.slider("Validation share (%)", 1, 40, round(100 * given["validation"]), help=parts.term("validation set"))
    test = right.slider("Test share (%)", 1, 40, round(100 * given["test"]), help=parts.term("test set"))
    seed = left.number_input("Seed", 0, 2**31 - 1, given["seed"], help=parts.term("seed"))
    if saved:
        n = saved.counts["test"]
        st.caption(
            f"With {n:,} test rows, a share such as accuracy is known to about ± {100 * margin(n):.0f} points. "
            "Equal texts always stay in the same part."
        )
    split = SplitPlan(strategy=strategy, validation=validation / 100, test=test / 100, column=column, seed=int(seed))
    return plan.model_copy(update={"split": split})


def leak_panel(project: Project, saved: Plan) -> None:
    """Texts that stand in two parts."""
    counts = pd.DataFrame([{k: saved.counts[k] for k in ("train", "validation", "test")}])
    st.dataframe(counts, hide_index=True, width="content")
    found = [o for o in tokens.leaks(project, saved) if o.exact or o.near]
    if not found:
        st.success("No text stands in two parts of the split.", icon=":material/check_circle:")
    for overlap in found:
        st.warning(
            f"{len(overlap.exact)} rows of the {overlap.part} part stand in the {overlap.source} part too, and "
            f"{len(overlap.near)} nearly: scores on them say little. Remove near duplicates on the Dataset screen.",
            icon=":material/content_copy:",
        )
        pairs = [{"row": p.row_id, "repeats": p.source_id, "similarity": p.similarity} for p in (*overlap.exact, *overlap.near)]
        with st.expander("Show the pairs"):
            st.dataframe(pairs[:200], hide_index=True)
