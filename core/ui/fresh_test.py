"""Add a fresh test set: bring rows, see what of them was learned or seen already, and lock the rest away."""

from __future__ import annotations

import io

import streamlit as st

from core.services import datasets, fresh_test, status
from core.services.fresh_test import Candidate, Old
from core.store.tables import Project

from . import jobs, parts, screens
from .openings_panel import set_facts

OLD: dict[Old, str] = {
    "leave": "Leave them out: what is learned stays the same",
    "train": "Learn from them: more training rows from the next round on",
}


def fresh_test_panel(project: Project) -> None:
    """Nothing before there is a split; the result of the look once it is there."""
    version = datasets.current(project)
    facts = set_facts(project)
    if version is None or not facts:
        st.caption("First divide the data into parts on the Tokenization screen.")
        return
    st.caption(
        f"{facts} A fresh one makes scores honest again. It has to be rows that were never part of this project; training and "
        "validation stay as they are, so earlier rounds can be measured on it too."
    )
    job_id = st.session_state.get(_key(project))
    job = status.job(job_id) if job_id else None
    if job is not None and job.state.active:
        jobs.watch(job.id, "Looking at the new rows")
        return
    if job is not None and job.error:
        jobs.failed(job)
    if job is not None and job.result:
        _confirm(project, Candidate.model_validate(job.result))
        return
    _bring(project)


def _bring(project: Project) -> None:
    version = datasets.current(project)
    assert version is not None
    upload, paste = st.tabs(["Upload a file", "Paste rows"])
    given = upload.file_uploader(
        "File of new rows", key=f"fresh-file-{project.id}-{st.session_state.get('fresh-turn', 0)}"
    )
    needed = fresh_test.needed(version)
    pasted = paste.text_area(
        "New rows", height=140, placeholder=",".join(needed) + "\n…", key=f"fresh-text-{project.id}"
    )
    if given is not None:
        kept = datasets.keep_upload(project.id, given.name, given)
        st.session_state["fresh-turn"] = st.session_state.get("fresh-turn", 0) + 1
        st.session_state[f"{_key(project)}-upload"] = kept.id
        st.rerun()
    if paste.button("Use these rows", disabled=not pasted.strip(), key="fresh-paste"):
        kept = datasets.keep_upload(project.id, "pasted rows.txt", io.BytesIO(pasted.encode("utf-8", "replace")))
        st.session_state[f"{_key(project)}-upload"] = kept.id
    upload_id = st.session_state.get(f"{_key(project)}-upload")
    if not upload_id:
        return
    report = datasets.inspect({"upload_id": upload_id})
    found = fresh_test.matched(version, report, project.task or "")
    names = [column.name for column in report.columns]
    st.markdown(f"**Which column of {parts.plain(report.filename)} is what?**")
    columns: dict[str, str] = {}
    for place, (column, title) in zip(st.columns(len(needed)), needed.items(), strict=True):
        likely = found.get(column)
        picked = place.selectbox(
            title, names, index=names.index(likely) if likely in names else None, key=f"fresh-{upload_id}-{column}",
            placeholder="Choose",
        )  # fmt: skip
        if picked:
            columns[column] = picked
    with st.container(horizontal=True, gap="small"):
        if st.button("Look at the rows", type="primary", disabled=len(columns) < len(needed), key="fresh-look"):
            file = {"upload_id": upload_id, "options": report.options.model_dump(mode="json")}
            st.session_state[_key(project)] = fresh_test.submit(project, file, columns)
            st.session_state.pop(f"{_key(project)}-upload")
            st.rerun()
        if st.button("Another file", type="tertiary", key="fresh-other"):
            st.session_state.pop(f"{_key(project)}-upload")
            st.rerun()


def _confirm(project: Project, found: Candidate) -> None:
    st.markdown(f"**{found.usable:,} of {found.rows:,} rows of {parts.plain(found.name)} are fit for a test.**")
    reasons = (
        (found.exact, "stand in training or validation word for word"),
        (found.near, "nearly repeat a training or validation row"),
        (found.seen, "were in the test set before, or nearly"),
        (found.twice, "stand in the file twice"),
        (found.unknown, f"have a label that no training row has ({_labels(found)})"),
    )
    lines = [f"- {len(rows):,} {said}" for rows, said in reasons if rows]
    if found.empty:
        lines.append(f"- {found.empty:,} are empty")
    if lines:
        st.markdown("Left out:\n\n" + "\n".join(lines))
    if not found.enough:
        st.warning(
            "So few rows give no verdict: the interval would be too wide. Bring more.", icon=":material/warning:"
        )
    old = st.radio("The rows of the earlier test set", list(OLD), format_func=OLD.__getitem__, key="fresh-old")
    st.caption(
        "Scores on the earlier test set stay in the list of openings as history. They are not compared with those on the new one."
    )
    with st.container(horizontal=True, gap="small"):
        pressed = st.button(
            f"Use {found.usable:,} rows as the new test set", type="primary", disabled=not found.usable, key="fresh-use"
        )
        if st.button("Not now", type="tertiary", key="fresh-no"):
            st.session_state.pop(_key(project))
            st.rerun()
    if pressed:
        with st.spinner("Locking the rows away"):
            made = fresh_test.adopt(project, found, old)
        st.session_state.pop(_key(project))
        st.toast(f"Test set {made.lineage} is there.", icon=":material/lock:")
        screens.go("rounds")


def _labels(found: Candidate) -> str:
    most = sorted(found.unknown_labels.items(), key=lambda pair: -pair[1])
    named = ", ".join(f"{parts.plain(label[:40])} {n:,}" for label, n in most[:5])
    return named + (" …" if len(most) > 5 else "")


def _key(project: Project) -> str:
    return f"fresh-job-{project.id}"
