"""Projects: everything you teach a model lives in a project."""

from __future__ import annotations

import time
from functools import partial

import streamlit as st

from core.services import projects, runs, samples
from core.store.tables import Project
from core.tasks import registry as tasks
from core.ui import archive_panel, parts, screens

this = screens.screen("projects")
parts.page_header(None, this.title, this.purpose)


def _ago(then: float) -> str:
    minutes = (time.time() - then) / 60
    if minutes < 60:
        return f"{max(0, round(minutes))} min ago"
    return f"{round(minutes / 60)} h ago" if minutes < 48 * 60 else time.strftime("%d %b %Y", time.localtime(then))


def _state(project: Project) -> str:
    """What the project has reached, in a few words."""
    found = runs.of_project(project.id)
    if not found:
        return "Data is there, not trained yet" if project.dataset_version_id else "Empty"
    state = runs.state(found[0])
    words = {"running": "Training now", "queued": "Waiting to train", "paused": "Paused", "failed": "Training failed"}
    return words.get(state.value, f"{len(found)} round{'s' * (len(found) != 1)} trained")


def _open(project: Project) -> None:
    st.session_state["at_projects"] = False
    done = projects.progress(project)
    order = [s.key for s in screens.all_screens() if s.number and s.step]
    target = next((key for key in order if not done[key]), "evaluation")
    st.switch_page(screens.page_of(target), query_params={"project": project.id})


@st.dialog("Rename project")
def _rename(project: Project) -> None:
    name = st.text_input("Name", project.name, max_chars=projects.NAME_LENGTH)
    if st.button("Rename", type="primary"):
        with parts.guard():
            projects.update(project.id, name=name)
            st.rerun()


def _create(name: str) -> None:
    made = projects.create(name)
    st.switch_page(screens.page_of("dataset"), query_params={"project": made.id})


with st.form("new-project", border=True):
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(
            "New project", placeholder="For example: sort our support messages", max_chars=projects.NAME_LENGTH
        )
        create = st.form_submit_button("Create project", type="primary")
    if create:
        with parts.guard():
            _create(name)

with parts.guard():
    archive_panel.import_panel()

st.subheader("Try a ready-made sample", anchor=False)
st.caption(
    "New here? Begin with the first one. The data, the model and the settings are chosen: press once and watch it learn. On "
    "two processor cores it takes one to three minutes."
)
for column, sample in zip(st.columns(len(samples.SAMPLES)), samples.SAMPLES, strict=True):
    with column.container(border=True, height="stretch", vertical_alignment="distribute"):
        with st.container(gap="xsmall"):
            st.markdown(f"**{sample.title}**")
            st.caption(tasks()[sample.task].title)
            st.write(sample.description)
        if st.button("Start this sample", key=f"sample-{sample.key}", icon=":material/play_arrow:", width="stretch"):
            with parts.guard(), st.spinner("Bringing the data and starting the training"):
                project, run = samples.start(sample.key)
                st.switch_page(screens.page_of("training"), query_params={"project": project.id, "run": run.id})

found = projects.all_projects()
st.subheader("Your projects", anchor=False)
if not found:
    st.caption("None yet. Create one above, or start a sample.")
for project in found:
    with st.container(border=True):
        about, state, buttons = st.columns([5, 2, 3], vertical_alignment="center")
        with about.container(gap="xsmall"):
            st.text(project.name)
            task = tasks()[project.task].title if project.task else "No task chosen yet"
            st.caption(f"{task} · changed {_ago(project.updated_at)}")
        state.caption(_state(project))
        with buttons.container(horizontal=True, horizontal_alignment="right", gap="small"):
            if st.button("Open", key=f"open-{project.id}", type="primary"):
                _open(project)
            with st.popover("", icon=":material/more_horiz:", help="More"):
                if st.button("Rename", key=f"rename-{project.id}", icon=":material/edit:", type="tertiary"):
                    _rename(project)
                if st.button("Duplicate", key=f"copy-{project.id}", icon=":material/content_copy:", type="tertiary"):
                    projects.duplicate(project.id)
                    st.rerun()
                archive_panel.export_button(project)
                if st.button("Delete", key=f"delete-{project.id}", icon=":material/delete:", type="tertiary"):
                    parts.confirm(
                        "Delete this project?",
                        f"{project.name}: its data, its {len(runs.of_project(project.id))} runs and their results are deleted. "
                        "This cannot be undone.",
                        "Delete project",
                        partial(projects.delete, project.id),
                    )
        with parts.guard():
            archive_panel.archives(project)
