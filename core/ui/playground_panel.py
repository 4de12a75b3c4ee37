"""The playground: any two models of the project beside each other, asked the same. Which ones, whether they are loaded, and
what the process that holds them is doing."""

from __future__ import annotations

import streamlit as st

from core.schemas.families import FAMILIES
from core.schemas.jobs import Job, JobKind
from core.services import answering, conversations, playground, projects, status
from core.store.tables import Run
from core.tasks import registry as tasks

from . import jobs, parts
from .errors import guard
from .output_filter import guard_caption
from .playground_chat import chat_panel, complete_panel, models_key
from .playground_judge import judge_panel
from .served_elsewhere import start_or_ask

REFRESH_SECONDS = 1.0
LOOK_SECONDS = 3.0
NOBODY = ""


def playground_panel(run: Run) -> None:
    """Choose the models, load them once, then ask."""
    job = playground.running(run)
    ready = job if job is not None and (job.result or {}).get("address") else None
    family = tasks()[run.task].family
    models = _models(run, ready)
    if job is None:
        _unloaded(run)
    elif ready is None:
        _loading(job.id)
    if ready is not None:
        guard_caption(run)
    if FAMILIES[family].reads:
        if ready is not None:
            judge_panel(run, ready, models)
    elif tasks()[run.task].conversational:
        chat_panel(run, ready, models)
    else:
        complete_panel(run, ready, models)
    if ready is not None:
        _memory(run, ready.id)


def _models(run: Run, job: Job | None) -> list[str]:
    """Who is asked: one model, or two side by side. Kept while the page is open, and with each conversation."""
    names = conversations.choices(run)
    if job is not None:
        served = set((job.result or {}).get("models") or ())
        names = {m: t for m, t in names.items() if m == "tuned" or playground.model_of(job, run, m) in served}
    before = conversations.of_run(run)
    first = [str(m) for m in before[0].models] if before else ["tuned", "base"]
    held: list[str] = st.session_state.setdefault(models_key(run), first)
    chosen = [m for m in held if m in names] or ["tuned"]
    left_key, right_key = f"play-left-{run.id}", f"play-right-{run.id}"
    st.session_state[left_key] = chosen[0]
    st.session_state[right_key] = chosen[1] if len(chosen) > 1 else NOBODY

    def take() -> None:
        left, right = st.session_state[left_key], st.session_state[right_key]
        st.session_state[models_key(run)] = [left] if right in (NOBODY, left) else [left, right]
        st.session_state.pop(f"play-open-{run.id}", None)

    left, right = st.columns(2)
    left.selectbox("Model", list(names), format_func=names.__getitem__, key=left_key, on_change=take)
    others = [NOBODY, *(m for m in names if m != chosen[0])]
    right.selectbox(
        "Beside it", others, format_func=lambda m: names.get(m, "Nothing: one model alone"), key=right_key, on_change=take,
        help="Both are asked the same, one after the other. Each pair has conversations of its own.",
    )  # fmt: skip
    return chosen


def _unloaded(run: Run) -> None:
    ended = answering.put_away(run)
    if ended is not None and ended.error:
        jobs.failed(ended)
    elif ended is not None and (ended.result or {}).get("ended") == "idle":
        st.caption(
            ":material/bedtime: The models were put away because nobody asked for a while. Loading takes some seconds."
        )
    else:
        st.caption(
            "The models are loaded into memory first, and put away after ten idle minutes. All open pages share them."
        )
    if (other := playground.served_elsewhere(run.project_id)) is not None:
        st.caption(
            f":material/info: “{parts.plain(projects.get(other.project_id or '').name)}” is served to other programs just now. "
            "Loading models here ends that."
        )
    elif any(j.kind is JobKind.SERVE for j in status.active_jobs()):
        st.caption(
            ":material/info: Other models are loaded just now. They are put away first: memory is for one project at a time."
        )
    if st.button("Load the models", type="primary", icon=":material/power:"):
        start_or_ask(run, "Stop it and load", lambda: playground.start(run))
    if not status.worker_is_alive():
        jobs.no_worker()


@st.fragment(run_every=REFRESH_SECONDS)
@guard()
def _loading(job_id: str) -> None:
    job = status.job(job_id)
    if job is None or not job.state.active or (job.result or {}).get("address"):
        st.rerun()
    st.info(f"{(job.phase if job else '') or 'Waiting for the worker'}…", icon=":material/hourglass_empty:")
    if not status.worker_is_alive():
        jobs.no_worker()


@st.fragment(run_every=LOOK_SECONDS)
@guard()
def _memory(run: Run, job_id: str) -> None:
    """What the process that holds the models is doing. Once it has ended, the page is drawn anew."""
    job = status.job(job_id)
    if job is None or not job.state.active:
        st.rerun()
    assert job is not None
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        lasting = job.payload.get("lasting")
        more = " Other programs may ask it too; it is stopped on the tab “Serve”." if lasting else ""
        st.caption(f":material/memory: {parts.plain(job.phase or 'Ready')}.{more}")
        if lasting:
            return
        st.button(
            "Put the models away", type="tertiary", icon=":material/power_off:", key=f"put-away-{run.id}",
            on_click=playground.stop, args=(run,), help="Frees the memory. Conversations are kept.",
        )  # fmt: skip
