"""The playground: base and tuned model side by side, asked the same."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.schemas.families import FAMILIES
from core.schemas.jobs import Job
from core.services import playground, status
from core.store.tables import Run
from core.tasks import registry as tasks

from . import jobs, parts
from .output_filter import filter_note, guard_caption
from .review_form import HEAT, usual_heat

REFRESH_SECONDS = 1.0
NAMES = {"tuned": "Your model", "base": "Base model"}
LABELS_SHOWN = 5
MOST_LABELS_SHOWN = 20


def playground_panel(run: Run) -> None:
    """Load the models once, then ask."""
    job = playground.running(run)
    if job is None:
        st.caption("The models are loaded into memory first and put away after ten idle minutes.")
        if st.button("Load the models", type="primary", icon=":material/power:"):
            playground.start(run)
            st.rerun()
        if not status.worker_is_alive():
            jobs.no_worker()
        return
    if not (job.result or {}).get("address"):
        _loading(job.id)
        return
    family = tasks()[run.task].family
    guard_caption(run)
    if family == "regression":
        _number(run, job)
    elif FAMILIES[family].reads:
        _classify(run, job, several=family == "multi-label")
    elif tasks()[run.task].conversational:
        _chat(run, job)
    else:
        _complete(run, job)
    if st.button("Put the models away", type="tertiary", icon=":material/power_off:"):
        playground.stop(run)
        st.session_state.pop(f"chat-{run.id}", None)
        st.rerun()


@st.fragment(run_every=REFRESH_SECONDS)
def _loading(job_id: str) -> None:
    job = status.job(job_id)
    if job is None or not job.state.active or (job.result or {}).get("address"):
        st.rerun()
    st.info(f"{(job.phase if job else '') or 'Waiting for the worker'}…", icon=":material/hourglass_empty:")


def _classify(run: Run, job: Job, *, several: bool) -> None:
    with st.form(f"classify-{run.id}"):
        text = st.text_area("Text", height=100, placeholder="Write or paste a text")
        asked = st.form_submit_button("Classify", type="primary")
    if asked and text.strip():
        st.session_state[f"classified-{run.id}"] = playground.ask(job, "/classify", {"texts": [text]})
    answer = st.session_state.get(f"classified-{run.id}")
    if not answer:
        return
    for column, name in zip(st.columns(2), NAMES, strict=True):
        with column.container(border=True, height="stretch"):
            st.markdown(f"**{NAMES[name]}**")
            if name not in answer:
                st.caption("It has no opinion about these labels: it cannot write text, or there are too many of them.")
                continue
            ranked = sorted(zip(answer["labels"], answer[name][0], strict=True), key=lambda pair: -pair[1])
            cuts = dict(zip(answer["labels"], answer.get("thresholds") or [0.5] * len(ranked), strict=True))
            for label, share in ranked[: MOST_LABELS_SHOWN if several else LABELS_SHOWN]:
                given = several and share >= (cuts[label] if name == "tuned" else 0.5)
                shown = f"**{parts.plain(label)}** :material/check:" if given else parts.plain(label)
                st.progress(share, text=f"{shown} · {100 * share:.0f}%")
            if several:
                st.caption("Ticked labels are given. Each percentage stands by itself; they need not add up to 100.")


def _number(run: Run, job: Job) -> None:
    with st.form(f"number-{run.id}"):
        text = st.text_area("Text", height=100, placeholder="Write or paste a text")
        asked = st.form_submit_button("Give it a number", type="primary")
    if asked and text.strip():
        st.session_state[f"numbered-{run.id}"] = playground.ask(job, "/values", {"texts": [text]})
    if answer := st.session_state.get(f"numbered-{run.id}"):
        st.metric("Your model", f"{answer['tuned'][0]:,.4g}", border=True, width="content")
        st.caption("The base model has no opinion about your numbers before it is trained.")


def _settings(run: Run) -> dict[str, Any]:
    with st.expander("How it answers", icon=":material/tune:"):
        left, middle, right = st.columns(3)
        length = left.number_input("Longest answer (tokens)", 8, 512, 80, key=f"length-{run.id}")
        heat = middle.slider("Temperature", 0.0, 1.5, usual_heat(run), 0.1, key=f"heat-{run.id}", help=HEAT)
        seed = right.number_input("Seed", 0, 10**6, 0, key=f"seed-{run.id}", help=parts.term("seed"))
    return {
        "max_new_tokens": int(length),
        "temperature": float(heat),
        "top_p": 0.95 if heat else 1.0,
        "seed": int(seed),
    }


def _chat(run: Run, job: Job) -> None:
    """Two conversations beside each other, asked the same."""
    history: list[dict[str, str]] = st.session_state.setdefault(f"chat-{run.id}", [])
    decoding = _settings(run)
    columns = st.columns(2)
    for column, name in zip(columns, NAMES, strict=True):
        with column.container(border=True, height=360):
            st.markdown(f"**{NAMES[name]}**")
            for turn in history:
                with st.chat_message("user"):
                    st.text(turn["user"])
                with st.chat_message("assistant"):
                    st.text(turn[name] or "(nothing)")
                    filter_note(turn.get(f"{name}-filtered", ""))
    asked = st.chat_input("Ask something")
    if asked:
        turn = {"user": asked}
        with st.spinner("Both models are answering"):
            for name in NAMES:
                messages = [
                    {"role": role, "content": past[key]}
                    for past in history
                    for role, key in (("user", "user"), ("assistant", name))
                ]
                question = {
                    "messages": [*messages, {"role": "user", "content": asked}],
                    "decoding": decoding,
                    "models": [name],
                }
                answer = playground.ask(job, "/generate", question).get(name, {})
                turn |= {name: answer.get("text", ""), f"{name}-filtered": answer.get("filtered", "")}
        history.append(turn)
        st.rerun()
    if history and st.button("New conversation", icon=":material/add:", type="tertiary"):
        history.clear()
        st.rerun()


def _complete(run: Run, job: Job) -> None:
    decoding = _settings(run)
    pairs = FAMILIES[tasks()[run.task].family].pairs
    with st.form(f"complete-{run.id}"):
        hint = "The text that is to be turned into another" if pairs else "The first words of a text"
        text = st.text_area("Text" if pairs else "Beginning", height=100, placeholder=hint)
        asked = st.form_submit_button("Write" if pairs else "Continue", type="primary")
    if asked and text.strip():
        with st.spinner("Both models are writing"):
            answer = playground.ask(job, "/generate", {"text": text, "decoding": decoding})
        st.session_state[f"completed-{run.id}"] = (text, answer)
    if stored := st.session_state.get(f"completed-{run.id}"):
        text, answer = stored
        for column, name in zip(st.columns(2), NAMES, strict=True):
            with column.container(border=True, height="stretch"):
                st.markdown(f"**{NAMES[name]}**")
                st.text(("" if pairs else text) + answer.get(name, {}).get("text", "") or "(nothing)")
                filter_note(answer.get(name, {}).get("filtered", ""))
