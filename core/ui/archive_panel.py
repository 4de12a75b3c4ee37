"""A project as a file: export it from its menu, import one beside the new project, and train a round again to compare."""

from __future__ import annotations

import time
from functools import partial

import streamlit as st

from core.schemas.errors import UserError
from core.schemas.jobs import Job, JobState
from core.services import archive, models, reproduce, runs
from core.store.tables import Project

from . import jobs, parts
from .file_download import file_download

OPEN = "archive-of"  # in the session: the project whose export is shown


def export_button(project: Project) -> None:
    """For the project's menu."""
    if st.button("Export project", key=f"pack-{project.id}", icon=":material/archive:", type="tertiary"):
        st.dialog("Export project", width="medium")(export_form)(project)


def export_form(project: Project) -> None:
    """What goes into the file, and what that means, before it is made."""
    st.markdown(f"**{parts.plain(project.name)}** as one file, to keep or to open in Tunewell on another machine.")
    st.warning(
        "The file contains your data: every text of the project, the answers, reviews and notes, and what was asked "
        "in the playground. Hand it on only to people who may read them.",
        icon=":material/lock_open:",
    )
    finished = runs.finished(project.id)
    with_models = st.checkbox(
        "With the finished models",
        disabled=not finished,
        help="Off: the file is small, and a round can be trained again from it. With the same versions, threads and processor "
        "that gives the same model, bit for bit. On: the models can be used at once.",
        key=f"pack-models-{project.id}",
    )
    with_base = _base_choice(project)
    st.caption(
        "Always in it: dataset versions, splits, settings, curves, evaluations, reviews, audits, filters, notes, "
        "conversations of the playground. Never in it: the files that you uploaded, exported models, checkpoints."
    )
    if st.button("Make the file", type="primary", icon=":material/archive:", key=f"pack-go-{project.id}"):
        with parts.guard():
            archive.submit_pack(project.id, with_models=with_models, with_base=with_base)
            st.session_state[OPEN] = project.id
            st.rerun()


def _base_choice(project: Project) -> bool:
    key = project.base_model_key
    if not key or key == models.STARTER_KEY:
        st.caption("The starter model ships with every Tunewell and is not packed.")
        return False
    try:
        facts = models.get(key)
    except UserError as error:
        st.caption(parts.plain(f"{error.title} {error.cause}"))
        return False
    asked = st.checkbox(
        f"With the base model ({facts.bytes_on_disk / 1e6:,.0f} MB)",
        help="Without it, whoever opens the file needs the same base model on their machine; it is found by its hashes.",
        key=f"pack-base-{project.id}",
    )
    licence = f"Its card says: {facts.licence}." if facts.licence else "Its card states no licence."
    st.caption(parts.plain(f"{licence} Pack it only where that lets you hand it on."))
    return asked


def archives(project: Project) -> None:
    """The export at work, or the files that can be taken away; nothing where there is none."""
    job = archive.packing(project.id)
    if job is not None and not job.state.final:
        jobs.watch(job.id, "Exporting the project")
    elif job is not None and job.state is JobState.FAILED and st.session_state.get(OPEN) == project.id:
        jobs.failed(job)
    for made in archive.packed(project.id)[:1]:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            place = archive.archive_path(made.id)
            file_download(
                partial(archive.archive_path, made.id),
                place.stat().st_size,
                archive.file_name(project),
                "application/zip",
                f"pack-get-{made.id}",
                label="Download the project file",
            )
            if st.button("Delete the file", key=f"pack-drop-{made.id}", type="tertiary", icon=":material/delete:"):
                archive.remove(made.id)
                st.rerun()
            st.caption(f"{_made(made)} A new export replaces it; deleting it leaves the project as it is.")


def _made(job: Job) -> str:
    """When an archive was made and what is in it: it does not hold what came after."""
    when = time.strftime("%d %b %Y, %H:%M", time.localtime(job.finished_at or job.created_at))
    held = [word for word, there in (("models", "models"), ("base model", "base")) if job.payload.get(there)]
    return f"Made on {when}, {'with ' + ' and '.join(held) if held else 'without models'}."


def import_panel() -> None:
    """Choose a file, watch it become a project, read what was said about it."""
    turn = st.session_state.setdefault("unpack-turn", 0)
    with st.expander("Import project", icon=":material/unarchive:"):
        given = st.file_uploader(
            "Project file",
            type=["zip"],
            key=f"unpack-{turn}",
            help="A file that was made with Export project. Everything in it is checked before anything is kept.",
        )
        if given is not None:
            with st.spinner("Keeping the file"):
                st.session_state["unpack-job"] = archive.submit_unpack(given.name, given)
            st.session_state["unpack-turn"] = turn + 1
            st.rerun()
    shown = st.session_state.get("unpack-job")
    for job in archive.imports():
        if not job.state.final:
            st.session_state["unpack-job"] = job.id  # so that a page that was reloaded meanwhile says how it ended
            jobs.watch(job.id, "Importing a project")
        elif job.id == shown and job.error:
            jobs.failed(job)
        elif job.id == shown and job.result:
            st.success(parts.plain(f"“{job.result['name']}” was imported."), icon=":material/check_circle:")
            for note in job.result["notes"]:
                st.warning(parts.plain(note), icon=":material/info:")


def reproduce_panel(project: Project) -> None:
    """Train a round again and see whether the same weights come out."""
    finished = [run for run in runs.finished(project.id) if reproduce.recorded(run)]
    if not finished:
        return
    done = reproduce.of_project(project.id)
    with st.expander(
        "Does it come out the same?", icon=":material/replay:", expanded=any(r.same is None for r in done)
    ):
        st.caption(
            "Trains a round again as a new round, with the same data, split, base model, settings, seed and threads, and "
            "compares the weights. With the same versions and kind of processor they are the same, bit for bit."
        )
        again = {repeat.again.id for repeat in done}
        by_id = {run.id: run for run in finished if run.id not in again}
        row = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
        chosen = row.selectbox(
            "Round",
            list(by_id),
            format_func=lambda r: f"{by_id[r].number} · {by_id[r].name}",
            key=f"again-{project.id}",
        )
        if row.button("Train again and compare", key=f"again-go-{project.id}", icon=":material/replay:"):
            reproduce.train_again(by_id[chosen])
            st.rerun()
        for repeat in done:
            if repeat.same is None and not repeat.state.final:
                jobs.watch(str(repeat.again.job_id), f"Round {repeat.of.number} again")
                continue
            kind = {True: st.success, False: st.warning, None: st.info}[repeat.same]
            kind(parts.plain(reproduce.sentence(repeat)), icon=":material/compare_arrows:")
