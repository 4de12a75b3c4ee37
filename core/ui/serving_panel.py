"""Serve: give other programs on this machine an address at which they ask the model, with a key and text to copy."""

from __future__ import annotations

import streamlit as st

from core.schemas.jobs import Job
from core.services import offers, playground, runs, snippets, status
from core.store.tables import Run

from . import jobs, parts
from .served_elsewhere import start_or_ask

REFRESH_SECONDS = 2.0
FIRST_PORT = 1024  # below it a system asks for special rights
ABOUT = (
    "Other programs on this machine can ask your model{how}. Nothing leaves this machine: the address works here alone."
)
LIKE_OPENAI = (
    ", the way they would ask OpenAI: a script, a form of your own, a tool that takes “an OpenAI-compatible address”"
)
BY_ITSELF = (
    ": a script, a form of your own, a spreadsheet with a macro. They send texts and get back what it says of each"
)


def serving_panel(run: Run) -> None:
    """Start, or show where it is served and how it is asked."""
    job = playground.serving(run.project_id)
    if job is not None and job.payload.get("lasting"):
        _served(run, job)
    else:
        _start(run, busy=job is not None)


def _start(run: Run, *, busy: bool) -> None:
    st.markdown(ABOUT.format(how=LIKE_OPENAI if snippets.way_of(run).call else BY_ITSELF))
    before = playground.last_lasting(run.project_id)
    if before is not None and before.error:
        jobs.failed(before)
    with st.form(f"serve-{run.id}", border=False):
        left, right = st.columns(2)
        given = left.number_input(
            "Port (0: a free one)",
            0,
            65535,
            int(before.payload.get("port") or 0) if before else 0,
            help=parts.term("port"),
        )
        fresh = before is not None and right.selectbox(
            "Key", [False, True], format_func=lambda new: "A new key" if new else "The same as last time",
            help=parts.term("api key"),
        )  # fmt: skip
        pressed = st.form_submit_button("Start serving", type="primary", icon=":material/play_arrow:")
    if busy:
        st.caption("The models that **Try it** has loaded are put away; it then uses the ones that are served.")
    jobs.warn_without_worker()
    if not pressed:
        return
    if 0 < given < FIRST_PORT:
        st.error(f"Ports below {FIRST_PORT} belong to the system. Choose 0, or one from {FIRST_PORT} on.")
        return
    key = "" if before is None or fresh else str(before.payload["key"])
    start_or_ask(run, "Stop it and serve this", lambda: playground.start(run, lasting=True, port=int(given), key=key))


def _served(run: Run, job: Job) -> None:
    _state(job.id, ready=bool((job.result or {}).get("address")))
    place = job.result or {}
    if "address" in place:
        _address(run, job, place["address"], place["key"])
        _examples(run, job, place["address"])
    if st.button("Stop serving", icon=":material/stop:", key=f"stop-serving-{job.id}"):
        playground.stop_job(job)
        st.rerun()


@st.fragment(run_every=REFRESH_SECONDS)
@parts.guard()
def _state(job_id: str, *, ready: bool) -> None:
    """What it is doing, in words; the page is drawn anew when there is an address, and when it has ended."""
    job = status.job(job_id)
    if job is None or not job.state.active or bool((job.result or {}).get("address")) is not ready:
        st.rerun()
    assert job is not None
    at_work = job.state == "running"
    said = job.phase if at_work and job.phase else "Waiting for the worker"
    if ready and at_work:
        st.success(f"{said}.", icon=":material/sensors:")
    else:
        st.info(f"{said}…", icon=":material/hourglass_empty:")
    jobs.warn_without_worker()


def _address(run: Run, job: Job, address: str, key: str) -> None:
    way = snippets.way_of(run)
    left, right = st.columns(2)
    left.markdown("**Address**", help=parts.term("served model"))
    left.code(f"{address}/v1" if way.call else f"{address}{way.path}", language=None)
    right.markdown("**Key**", help=parts.term("api key"))
    place = right.empty()
    shown = right.toggle("Show the key", key=f"show-key-{job.id}")
    place.code(key if shown else "•" * 24, language=None)
    known = offers.of(runs.get(job.payload["run_id"]))
    named = ", ".join(
        f"`{name}` ({parts.plain(known[name].title)})" if name in known else f"`{name}`"
        for name in (job.result or {}).get("models", [])
    )
    st.caption(
        f"Models: {named}. They are loaded when they are asked for, answer one question at a time, and are put away after ten "
        "idle minutes; the address stays until you stop it."
    )


def _examples(run: Run, job: Job, address: str) -> None:
    way = snippets.way_of(run)
    name = playground.model_of(job, run)
    with st.container(border=True):
        st.markdown("**Ask it from a program**")
        st.caption(
            f"Put the key into the environment first: `export {snippets.VARIABLE}=…` (Windows: `set {snippets.VARIABLE}=…`)."
        )
        made = snippets.of(way, address, name)
        for tab, snippet in zip(st.tabs([s.title for s in made]), made, strict=True):
            tab.code(snippet.code, language=snippet.language)
