"""The four ways to bring files: upload, paste, a folder on this machine, the Hugging Face hub."""

from __future__ import annotations

import io

import streamlit as st

from core.services import datasets, folders, hub_data, reading, status
from core.store.tables import Project

from . import import_draft, jobs, parts
from .import_look import PART_TITLES

HUB_JOB = "hub"  # query parameter: the look at a dataset of the hub, or the fetch of its files


def upload_tab(project: Project) -> None:
    """Copies each file to disk at once, then frees the uploader's memory by giving it a new key."""
    turn = st.session_state.get("upload_round", 0)
    given = st.file_uploader(
        "Files of examples: CSV, Excel (.xlsx), JSON, JSON lines, Parquet or plain text",
        # Any file may be chosen: what cannot be read says what it is and what to do, which a red mark beside its name does not.
        accept_multiple_files=True,
        key=f"upload-{project.id}-{turn}",
        help="A zip or gzip of one of these will do too. Several files may be one for training, one for validation and one for "
        "the test.",
    )
    if given:
        with parts.guard():
            uploads = [datasets.keep_upload(project.id, one.name, one) for one in given]
            st.session_state["upload_round"] = turn + 1
            import_draft.add_uploads(project, uploads)


def paste_tab(project: Project) -> None:
    pasted = st.text_area("Examples", height=160, placeholder="message,category\nWhere is my parcel?,delivery")
    if st.button("Use this text", disabled=not pasted.strip()):
        upload = datasets.keep_upload(project.id, "pasted.txt", io.BytesIO(pasted.encode("utf-8", "replace")))
        import_draft.add_uploads(project, [upload])


def folder_tab(project: Project) -> None:
    """Files that lie on this machine are read where they are, so they may be larger than an upload."""
    roots = folders.roots()
    if not roots:
        st.caption("Nobody may choose data of this machine: TUNEWELL_DATA_FOLDERS is empty.")
        return
    said = st.text_input(
        "Folder or file",
        placeholder=str(roots[0]),
        key=f"folder-{project.id}",
        help=f"A path on the machine that Tunewell runs on. Allowed: {', '.join(map(str, roots))}.",
    )
    if not said.strip():
        st.caption(
            "For data that is larger than an upload may be. The files are read where they lie and are not copied."
        )
        return
    found = folders.listing(said)
    inner = folders.folders_in(said)
    if inner:
        more = " …" if len(inner) > 12 else ""
        st.caption(parts.plain(f"Folders inside: {', '.join(inner[:12])}{more}"))
    if not found:
        st.info("There is no file here that can be read.", icon=":material/folder_off:")
        return
    by_path = {file.path: file for file in found}
    chosen = st.multiselect(
        "Files",
        list(by_path),
        default=list(by_path) if len(by_path) == 1 else [],
        format_func=lambda path: f"{by_path[path].name} ({_size(by_path[path].size)})",
        key=f"folder-files-{project.id}-{said}",
    )
    if st.button("Use these files", key="use-folder", disabled=not chosen):
        import_draft.add_paths(project, chosen)


def hub_tab(project: Project) -> None:
    """Look at a dataset by its name, choose its files, fetch them. Both are jobs of the worker."""
    name, revision, token = st.columns([3, 1, 2])
    said = name.text_input("Name of the dataset", placeholder="organisation/dataset", key=f"hub-name-{project.id}")
    version = revision.text_input(
        "Revision", value="main", key=f"hub-revision-{project.id}", help="A branch, tag or commit."
    )
    secret = token.text_input(
        "Access token (for gated data)",
        type="password",
        key=f"hub-token-{project.id}",
        help="Used once and then deleted.",
    )
    if st.button("Look at it", disabled=not said.strip()):
        st.query_params[HUB_JOB] = hub_data.submit_look(project.id, said, version, secret.strip())
        st.rerun()
    job = status.job(st.query_params.get(HUB_JOB, ""))
    if job is None or job.project_id != project.id:
        st.caption("Only files of data are fetched, at a fixed commit. Programs in a dataset are never run.")
        return
    if job.state.active:
        jobs.watch(job.id, "Hugging Face hub")
    elif job.error:
        jobs.failed(job)
    elif job.result and "paths" in job.result:
        del st.query_params[HUB_JOB]
        import_draft.add_paths(project, job.result["paths"])
    elif job.result:
        _choose_files(project, job.result, secret.strip())


def _choose_files(project: Project, found: dict, secret: str) -> None:
    sizes = {file["path"]: file["size"] for file in found["files"]}
    named = [path for path in sizes if reading.guessed_part(path)]
    st.caption(parts.plain(f"{found['name']} at {found['commit'][:12]}: {len(sizes)} files of data."))

    def title(path: str) -> str:
        part = reading.guessed_part(path)
        return f"{path} ({_size(sizes[path])}{', ' + PART_TITLES[part] if part else ''})"

    default = list(sizes) if len(sizes) == 1 else named if len(named) <= 3 else []
    chosen = st.multiselect(
        "Files", list(sizes), default=default, format_func=title, key=f"hub-files-{found['commit']}"
    )
    if st.button("Fetch these files", disabled=not chosen):
        st.query_params[HUB_JOB] = hub_data.submit_fetch(project.id, found["name"], found["commit"], chosen, secret)
        st.rerun()


def _size(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 100_000 else f"{size / 1e3:,.1f} kB"
