"""How a model that writes is evaluated: chosen before, kept with the result, and said beside it."""

from __future__ import annotations

import streamlit as st

from core.schemas.evaluation import EvaluationResult
from core.schemas.evaluation_settings import WritingSettings
from core.schemas.families import FAMILIES
from core.services import evaluations, projects
from core.store.tables import Project, Run
from core.tasks import registry as tasks

from . import parts


def writing_form(project: Project, run: Run) -> None:
    """The settings, kept with the project, where the next evaluation finds them; nothing for a model that judges."""
    if FAMILIES[tasks()[run.task].family].reads:
        return
    kept = evaluations.writing_settings(project).model_dump()
    with st.expander("How answers are written", icon=":material/edit_note:"):
        st.caption(
            "Base and tuned model answer the same rows with the same settings and, above temperature 0, the same draws."
        )
        basic = parts.form(WritingSettings, kept, "basic", f"writing-{project.id}")
        result = parts.form(WritingSettings, basic.values, "advanced", f"writing-{project.id}")
    chosen = result.model
    if chosen is not None and chosen.model_dump() != kept:
        projects.settings(project.id, **{evaluations.WRITING: chosen.model_dump()})


def decoding_caption(result: EvaluationResult) -> None:
    """With which settings the answers behind these figures were written."""
    if sentence := decoding_sentence(result):
        st.caption(f":material/edit_note: {sentence}")


def decoding_sentence(result: EvaluationResult) -> str:
    """Empty for a model that judges, and for an evaluation made before this was kept."""
    said = result.decoding
    if said is None:
        return ""
    how = (
        "the likeliest word each time"
        if said.temperature == 0
        else f"temperature {said.temperature:g}, top-p {said.top_p:g}, seed {said.seed}, the same draws for both models"
    )
    penalty = f", repeating penalised by {said.repetition_penalty:g}" if said.repetition_penalty != 1 else ""
    return (
        f"{result.generated:,} of {result.n:,} rows were answered in full: {how}, at most {said.max_new_tokens:,} tokens"
        f"{penalty}. Likelihood is measured on all rows."
    )
