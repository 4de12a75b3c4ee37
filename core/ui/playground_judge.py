"""Try a model that gives labels or a number: what each model says of a text, how sure it is, and the words that mattered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.data.in_words import significant
from core.data.word_influence import MOST_PIECES, Marked, strongest
from core.schemas.chat import LONGEST_QUESTION
from core.schemas.jobs import Job
from core.services import conversations, playground, word_influence
from core.store.tables import Run
from core.tasks import registry as tasks

from . import parts
from .errors import guard
from .word_marks import marks_html

LABELS_SHOWN = 5
MOST_LABELS_SHOWN = 20
LIMITS = (
    "Each {piece} was left out by itself and the model was asked again. That shows what this one answer hangs on. It does not "
    "show why the model learned it, and it misses words that only count together, or of which another one says the same."
)


@st.fragment
@guard()
def judge_panel(run: Run, job: Job, models: Sequence[str]) -> None:
    """One text, judged by each model."""
    family = tasks()[run.task].family
    numbers = family == "regression"
    held = f"play-judged-{run.id}"
    with st.form(f"judge-{run.id}", border=False):
        before = (st.session_state.get(held) or {}).get("text", "")
        text = st.text_area("Text", before, height=110, placeholder="Write or paste a text", max_chars=LONGEST_QUESTION)
        asked = st.form_submit_button("Give it a number" if numbers else "Classify", type="primary")
    known = st.session_state.get(held)
    if asked and text.strip():
        known = {"text": text, "answer": _ask(run, job, models, text), "models": list(models)}
    elif known and known["models"] != list(models):
        known = {"text": known["text"], "answer": _ask(run, job, models, known["text"]), "models": list(models)}
    if known is None:
        return
    st.session_state[held] = known
    names = conversations.choices(run)
    columns = st.columns(len(models))
    for column, model in zip(columns, models, strict=True):
        with column.container(border=True, height="stretch"):
            st.caption(f"**{parts.plain(names.get(model, model))}**")
            _judged(known["answer"], model, several=family == "multi-label", numbers=numbers)
    _words(run, job, models, known)


def _ask(run: Run, job: Job, models: Sequence[str], text: str) -> dict[str, Any]:
    with st.spinner("Reading the text"):
        return word_influence.judged(playground.running(run) or job, run, models, [text])


def _judged(answer: Mapping[str, Any], model: str, *, several: bool, numbers: bool) -> None:
    rows = answer.get(model)
    if not rows:
        st.caption("It has no opinion before it is trained.")
        return
    if numbers:
        st.metric("Its number", significant(rows[0], 4))
        return
    ranked = sorted(zip(answer["labels"], rows[0], strict=True), key=lambda pair: -pair[1])
    cuts = (answer.get("thresholds_of") or {}).get(model) or [0.5] * len(ranked)
    needed = dict(zip(answer["labels"], cuts, strict=True))
    for label, share in ranked[: MOST_LABELS_SHOWN if several else LABELS_SHOWN]:
        given = several and share >= needed[label]
        shown = f"**{parts.plain(label)}** :material/check:" if given else parts.plain(label)
        st.progress(min(1.0, max(0.0, share)), text=f"{shown} · {100 * share:.0f}%")
    if several:
        none = not any(share >= needed[label] for label, share in ranked)
        said = "It gives none of them." if none else "Ticked labels are given."
        st.caption(f"{said} Each percentage stands by itself; they need not add up to 100.")
    elif len(ranked) > LABELS_SHOWN:
        st.caption(f"The {LABELS_SHOWN} likeliest of {len(ranked)} labels.")


# -- the words that mattered -------------------------------------------------------------------------------------------


def _words(run: Run, job: Job, models: Sequence[str], known: dict[str, Any]) -> None:
    answer, text = known["answer"], known["text"]
    able = [m for m in models if answer.get(m)]
    if not able:
        return
    names = conversations.choices(run)
    with st.container(border=True):
        st.markdown("**The words that mattered**", help=parts.term("words that mattered"))
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            model = able[0]
            if len(able) > 1:
                model = st.selectbox("For", able, format_func=lambda m: names.get(m, m), key=f"play-words-{run.id}")
            label = _label(run, answer, model)
            pressed = st.button("Show them", icon=":material/ink_highlighter:", key=f"play-show-{run.id}")
        found: dict[str, Any] = known.setdefault("words", {})
        if pressed:
            with st.spinner("Leaving out one word after the other"):
                current = playground.running(run) or job
                found[model] = word_influence.left_out(current, run, model, text)
        if model in found:
            _marks(run, text, answer, model, label, found[model])
        elif not found:
            st.caption(f"The model is asked again up to {MOST_PIECES} times, each time without one of the words.")


def _label(run: Run, answer: Mapping[str, Any], model: str) -> str | None:
    """The label whose words are shown: the likeliest one at first. None where the model gives a number."""
    if "labels" not in answer:
        return None
    ranked = [pair[0] for pair in sorted(zip(answer["labels"], answer[model][0], strict=True), key=lambda p: -p[1])]
    return st.selectbox("Label", ranked[:MOST_LABELS_SHOWN], key=f"play-label-{run.id}-{model}-{ranked[0]}")


def _marks(
    run: Run, text: str, answer: Mapping[str, Any], model: str, label: str | None, left_out: word_influence.LeftOut
) -> None:
    marked = word_influence.marked(run, text, answer, model, label, left_out)
    if not left_out.pieces or len(left_out.pieces) == 1:
        st.caption("The text is a single word: there is nothing to compare it with.")
        return
    name = f"the share of “{label}”" if label is not None else "the number"
    write = _points if label is not None else _number
    if not strongest(marked):
        st.caption(
            ":material/info: No single word changes the answer much: the model goes by several of them together, or by what "
            "they have in common."
        )
    else:
        st.html(marks_html(marked, write, name, f"“{label}”" if label is not None else "a higher number"))
        st.caption(_sentence(marked, write, name))
    piece = "group of neighbouring words" if left_out.grouped else "character" if left_out.characters else "word"
    st.caption(LIMITS.format(piece=piece))


def _sentence(marked: Sequence[Marked], write: Any, name: str) -> str:
    """The strongest ones in words."""
    said = [
        f"without “{parts.plain(m.text)}” {parts.plain(name)} {'falls' if (m.change or 0) > 0 else 'rises'} by "
        f"{write(abs(m.change or 0.0))}"
        for m in strongest(marked)
    ]
    joined = "; ".join(said)
    return f"{joined[:1].upper()}{joined[1:]}."


def _points(change: float) -> str:
    return f"{100 * change:.0f} points"


def _number(change: float) -> str:
    return significant(change)
