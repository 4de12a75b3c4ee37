"""Base model: choose the pre-trained model that yours will start from."""

from __future__ import annotations

import streamlit as st

from core.services import advice, fetching, models, projects
from core.ui import jobs, parts, screens
from core.ui.hub_search import hub_search_panel
from core.ui.knowing import knowing_panel
from core.ui.models import model_card

project = screens.begin("model", "dataset")

job_id = st.query_params.get("job")
if job_id and not jobs.watch(job_id, "Fetching the model"):
    st.success("The model is here. Choose it below.")

USES = {"private": "Private or research", "commercial": "Business"}
use = st.segmented_control(
    "What will you use the model for?",
    list(USES),
    default=project.settings.get("use"),
    format_func=USES.__getitem__,
    help="Some licences forbid to earn money with what comes out.",
)
if use != project.settings.get("use"):
    projects.settings(project.id, use=use)
    st.rerun()

with parts.guard():
    knowing_panel(project)
    for candidate in advice.for_project(project):
        if model_card(candidate, chosen=candidate.facts.key == project.base_model_key):
            projects.update(project.id, base_model_key=candidate.facts.key)
            st.rerun()

with st.expander("Add another model", icon=":material/add:"):
    look, hub, folder = st.tabs(["Search the hub", "By name from the hub", "From a folder of this machine"])
    with look, parts.guard():
        hub_search_panel(project)
    with hub, parts.guard():
        name = st.text_input("Name", placeholder="organisation/model", help="As it stands in the address of its page.")
        left, right = st.columns(2)
        revision = left.text_input(
            "Revision", "main", help="A branch, tag or commit. It is pinned to a commit when fetched."
        )
        token = right.text_input(
            "Access token (only for gated models)", type="password", help="Used once, never stored."
        )
        if st.button("Fetch", disabled=not name.strip()):
            screens.go(
                "model", job=fetching.submit(project.id, name.strip(), revision.strip() or "main", token.strip())
            )
    with folder, parts.guard():
        path = st.text_input("Folder", placeholder="A folder with config.json, tokenizer.json and .safetensors files")
        if st.button("Add folder", disabled=not path.strip()):
            models.add_folder(path.strip())
            st.rerun()
if project.base_model_key:
    screens.next_step("tokens")
