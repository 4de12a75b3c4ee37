"""Panels of the Tokenization screen: how long examples are, where they are cut, and what becomes of each."""

from __future__ import annotations

from html import escape

import plotly.graph_objects as go
import streamlit as st

from core.data import lengths as measure
from core.data.encoding import Encoded
from core.schemas.examples import Example
from core.schemas.plan import PreparationPlan
from core.services import tokens
from core.services.tokens import Lengths
from core.store.tables import Project
from core.tasks import registry as tasks

from . import parts
from .charts import MARK, show
from .parts import TokenPiece
from .tokens import Kind

COVERAGE = (0.95, 0.99, 1.0)
SHOWN_PARTS = 4


def length_panel(project: Project, plan: PreparationPlan, found: Lengths) -> PreparationPlan:
    """Histogram and slider: how many rows lose how much. Returns the plan with the chosen length and side."""
    st.caption(
        "A model does not read words but tokens: pieces of text that it knows, often a word or a part of one. Longer texts need "
        "more memory and time; what is longer than the maximum is cut."
    )
    longest = max(found.counts, default=8)
    key = f"max-length-{project.id}-{project.base_model_key}"
    wanted = {share: measure.suggested_max_length(found.counts, found.context_length, share) for share in COVERAGE}
    top = max(16, min(found.context_length or longest, max(longest, found.suggested, plan.max_length)))
    now = min(int(st.session_state.get(key, plan.max_length)), top)
    options = sorted({8, *range(16, top + 1, 8), top, now, *(min(n, top) for n in wanted.values())})
    st.session_state[key] = now
    chosen = st.select_slider("Maximum length (tokens)", options, key=key, help=parts.term("truncation"))

    def take(length: int) -> None:
        st.session_state[key] = length

    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.caption("Keep whole:", width="content")
        for share, length in wanted.items():
            label = "every row" if share == 1 else f"{100 * share:.0f}% of the rows"
            st.button(
                f"{label}: {length:,}",
                key=f"{key}-{share}",
                on_click=take,
                args=(min(length, top),),
                disabled=length == chosen,
            )
    left, right = st.columns([3, 2])
    with left:
        _histogram(found, chosen)
    with right:
        _coverage(found, plan.model_copy(update={"max_length": chosen}), longest)
        side = plan.truncation_side
        overlap = min(plan.chunk_overlap, chosen // 2)
        if tasks()[project.task or ""].preference:
            st.caption("A longer conversation loses its beginning: both answers are weighed after the same words.")
        elif found.in_parts:
            overlap = int(
                st.number_input(
                    "Overlap of parts (tokens)",
                    0,
                    chosen // 2,
                    overlap,
                    8,
                    help=PreparationPlan.model_fields["chunk_overlap"].description,
                )
            )
        else:
            side = st.segmented_control(
                "Where to cut",
                ["right", "left"],
                default=plan.truncation_side,
                format_func={"right": "the end", "left": "the beginning"}.__getitem__,
                required=True,
            )
    return plan.model_copy(update={"max_length": chosen, "truncation_side": side, "chunk_overlap": overlap})


def _coverage(found: Lengths, plan: PreparationPlan, longest: int) -> None:
    cover = measure.coverage(found.counts, plan.max_length)
    if found.in_parts and cover.rows_cut:
        st.markdown(
            f"**{cover.rows_cut:,} of {cover.rows:,} rows** are longer: they are read in several parts, "
            f"{len(found.kept(plan)):,} in all. Nothing is lost."
        )
    elif cover.rows_cut:
        st.markdown(
            f"**{cover.rows_cut:,} of {cover.rows:,} rows ({100 * cover.share_cut:.1f}%)** are cut and lose "
            f"{100 * cover.share_lost:.1f}% of all tokens."
        )
    else:
        st.markdown(f"**Nothing is cut.** The longest row has {longest:,} tokens.")
    if found.context_length and longest > found.context_length:
        st.caption(
            f"This model reads at most {found.context_length:,} tokens at once; the longest row has {longest:,}."
        )
    if found.sampled < found.rows:
        st.caption(f"Measured on {found.sampled:,} of {found.rows:,} rows, evenly spread over the file.")


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
    figure.add_vline(x=chosen, line_dash="dash", line_color=MARK, annotation_text="maximum")
    figure.update_layout(xaxis_title="tokens a row", yaxis_title="rows", height=240, bargap=0.05)
    show(figure, "lengths")


def token_panel(project: Project, plan: PreparationPlan, rows: int) -> None:
    """The tokens of any row, marked as trained, context, or cut off."""
    number = st.number_input("Row", 1, rows, 1, help=f"{rows:,} rows in the file")
    example = tokens.example_at(project, int(number) - 1)
    if example is None:
        st.info("This row is empty, or holds nothing to learn from: it is left out.", icon=":material/info:")
        return
    if tasks()[project.task or ""].preference:
        _answers(tokens.weighed(project, plan, example), example)
        return
    encoded = tokens.encode(project, plan, example)
    for part in encoded[:SHOWN_PARTS]:
        if part.parts > 1:
            again = (
                f": its first {part.repeated} tokens repeat the end of part {part.part - 1}" if part.repeated else ""
            )
            st.caption(f"Part {part.part} of {part.parts}{again}")
        _strip(part)
    if len(encoded) > SHOWN_PARTS:
        st.caption(f"and {len(encoded) - SHOWN_PARTS:,} more parts")
    if example.label is not None:
        st.html(f'<p class="tw-purpose">The right answer for this text: <strong>{escape(example.label)}</strong></p>')
    elif example.labels is not None:
        shown = ", ".join(example.labels) or "none of the labels"
        st.html(f'<p class="tw-purpose">The right labels for this text: <strong>{escape(shown)}</strong></p>')
    elif example.value is not None:
        st.html(f'<p class="tw-purpose">The right number for this text: <strong>{example.value:g}</strong></p>')
    elif example.messages:
        with st.expander("What the model reads before it answers"):
            st.code(tokens.rendered(project, plan, example), language=None, wrap_lines=True)


def _answers(found: list[Encoded], example: Example) -> None:
    """The answers that are weighed, each after the same words."""
    if not found:
        st.info(
            "The two answers are the same, or too long to be told apart: this row is left out.", icon=":material/info:"
        )
    kinds: dict[str, Kind] = {"The better answer": "raised", "The worse answer": "lowered"}
    if not example.rejected:
        kinds = {"Rated up": "raised"} if example.liked else {"Rated down": "lowered"}
    for (name, kind), part in zip(kinds.items(), found, strict=False):
        st.caption(name)
        _strip(part, kind)


def _strip(part: Encoded, kind: Kind = "trained") -> None:
    pieces = [
        TokenPiece(text, token, kind if trained else "context")
        for text, token, trained in zip(part.pieces, part.ids, part.trained, strict=True)
    ]
    gone = [TokenPiece(text, token, "cut") for text, token in zip(part.cut, part.cut_ids, strict=True)]
    parts.token_strip([*gone, *pieces] if part.cut_side == "left" else [*pieces, *gone])
    if part.answer_cut:
        st.warning(
            "Part of the answer is cut off: the model would learn to stop in the middle. Raise the maximum length."
        )
