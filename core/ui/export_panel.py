"""Exports: write the model as a folder, see the proof that it answers alike, take it away with its card."""

from __future__ import annotations

import json

import streamlit as st

from core.schemas.families import FAMILIES
from core.services import exports, status
from core.store.tables import Run
from core.tasks import registry as tasks

from . import jobs


def export_panel(run: Run) -> None:
    """Export, proof, download, card."""
    for kind in exports.kinds(run):
        about = {
            "merged": "The whole model as a folder that `from_pretrained` loads.",
            "adapter": "Only what was learned; whoever uses it needs the base model too.",
        }[kind]
        left, right = st.columns([4, 1], vertical_alignment="center")
        left.markdown(f"**{exports.TITLES[kind]}**")
        left.caption(about)
        if right.button("Export", key=f"export-{run.id}-{kind}", type="primary", width="stretch"):
            st.session_state[f"exporting-{run.id}"] = exports.submit(run, kind)
            st.rerun()
    last = st.session_state.get(f"exporting-{run.id}")
    if last and (job := status.job(last)) and job.error:
        jobs.failed(job)
    for export in exports.of_run(run.id):
        with st.container(border=True):
            parity = export.parity
            st.markdown(f"**{exports.TITLES[export.kind]}** :material/verified:")
            st.caption(
                f"Loaded again in a fresh process: {parity['same_answer']} of {parity['n']} kept prompts get the same answer; "
                f"greatest difference of a probability {parity['worst']:.6f} (at most {parity['tolerance']} is allowed)."
            )
            archive = exports.archive(export.folder)
            with open(archive, "rb") as stream:
                st.download_button(
                    f"Download ({archive.stat().st_size / 2**20:.1f} MB)",
                    stream,
                    archive.name,
                    "application/zip",
                    key=f"download-{export.id}",
                    icon=":material/download:",
                )
    with st.expander("Model card", icon=":material/description:"):
        card = exports.card(run)
        st.download_button("Download the card", card, "README.md", "text/markdown", key=f"card-{run.id}")
        st.code(card, language="markdown", height=360, wrap_lines=True)
    with st.expander("Use it in Python", icon=":material/code:"):
        st.code(_snippet(run), language="python")


READ = """import json

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

folder = {folder}
tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForSequenceClassification.from_pretrained(folder)
ids = tokenizer("Your text")["input_ids"]
if tokenizer.eos_token_id not in (None, ids[-1]):  # a text is closed, as in training
    ids.append(tokenizer.eos_token_id)
figures = model(input_ids=torch.tensor([ids])).logits[0]
"""
SEVERAL = (
    READ
    + """labels, thresholds = (json.load(open(f"{{folder}}/{{name}}.json")) for name in ("labels", "thresholds"))
print([label for label, p, cut in zip(labels, figures.sigmoid().tolist(), thresholds) if p >= cut])
"""
)
NUMBER = (
    READ
    + """unit = json.load(open(f"{{folder}}/target.json"))
print(figures.item() * unit["std"] + unit["mean"])
"""
)
WRITES = """import sys

sys.path.insert(0, {folder})
from answer import Model  # with the output filter, where the export has one

print(Model().answer("{text}").text)
"""
SNIPPETS = {"multi-label": SEVERAL, "regression": NUMBER}


def _snippet(run: Run) -> str:
    folder = json.dumps(f"{run.name}-merged")
    family = tasks()[run.task].family
    if family in SNIPPETS:
        return SNIPPETS[family].format(folder=folder)
    if not FAMILIES[family].reads:
        return WRITES.format(folder=folder, text="Your question" if tasks()[run.task].conversational else "Your text")
    task = FAMILIES[family].pipeline
    return (
        f'from transformers import pipeline\n\nmodel = pipeline({task!r}, model={folder})\nprint(model("Your text"))\n'
    )
