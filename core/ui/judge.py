"""Panel of the Evaluation screen: an optional language model as judge, after a plain word about what leaves the machine."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.schemas.evaluation import EvaluationResult
from core.schemas.judging import Judgement, JudgeSettings
from core.services import judging, projects, status
from core.store.tables import Evaluation, Run

from . import jobs, parts

DRAFT = "judge"  # under which the project keeps address, model and rubric; never the key
RUBRIC_FIELD = JudgeSettings.model_fields["rubric"]
USUAL = {"address": "http://127.0.0.1:11434/v1", "model": "llama3.2", "rubric": RUBRIC_FIELD.default}
"""A server on this machine, where nothing leaves it."""


def judge_panel(run: Run, kept: Evaluation, result: EvaluationResult) -> None:
    """Nothing where there are no two answers to compare."""
    if not result.generated or "base" not in result.contents:
        return
    made = judging.of_evaluation(kept.id)
    active = judging.active(run.project_id)
    with st.expander("A language model as judge (optional)", icon=":material/gavel:", expanded=bool(active or made)):
        last = st.session_state.get(f"judging-{kept.id}")
        if active:
            jobs.watch(active.id, "Judging")
            return
        if last and (job := status.job(last)) and job.error:
            jobs.failed(job)
        if made:
            _shown(made[0])
        _form(run, kept, result)


def _shown(found: Judgement) -> None:
    """Agreement with people first, then the verdict."""
    if found.agreement is not None:
        parts.tile("Agrees with your votes", found.agreement.same)
    first, *rest = found.sentences
    st.html(f"<p><strong>{escape(first)}</strong></p>")
    parts.verdict_badge(found.verdict)
    st.html("".join(f"<p>{escape(sentence)}</p>" for sentence in rest))
    if found.first_share is not None and found.first_share.n >= 20:
        st.caption(
            f"It named the answer that stood first in {parts.percent(found.first_share, 0)}; near 50% means that the place did "
            "not matter."
        )
    st.caption(f"Judge: {found.settings.model} at {found.settings.host}, every pair in both orders.")


def _form(run: Run, kept: Evaluation, result: EvaluationResult) -> None:
    project = projects.get(run.project_id)
    draft = {**USUAL, **project.settings.get(DRAFT, {})}
    filled = parts.form(JudgeSettings, draft, "all", f"judge-{run.project_id}", without=("rubric",))
    rubric = st.text_area(
        str(RUBRIC_FIELD.title),
        draft["rubric"],
        height=100,
        max_chars=4000,
        key=f"judge-rubric-{run.project_id}",
        help=RUBRIC_FIELD.description,
    )
    key = st.text_input(
        "Key",
        type="password",
        key=f"judge-key-{run.project_id}",
        help="Kept in a file that only you can read until the judging is over, then deleted; never in the database, a log or an "
        "export. Leave it empty for a server that needs none.",
    )
    settings, _ = parts.validate(JudgeSettings, {**filled.values, "rubric": rubric})
    if settings is None:
        return
    needed = judging.requests_needed(run, result, settings.pairs)
    where = "a server on this machine" if settings.on_this_machine else f"**{settings.host}**"
    clear = settings.address.startswith("http://") and not settings.on_this_machine
    st.warning(
        f"Texts leave Tunewell: up to {needed:,} questions, each with a prompt, both answers and the right answer of your data, "
        f"go to {where}. What happens to them there, and what it costs, is between you and its owner."
        + (" The connection is not encrypted: others on the way can read texts and key." if clear else ""),
        icon=":material/outgoing_mail:",
    )
    agreed = st.checkbox(f"Send these texts to {settings.host}", key=f"judge-agreed-{kept.id}-{settings.address}")
    if st.button("Judge", disabled=not agreed, icon=":material/gavel:", key=f"judge-{kept.id}"):
        projects.settings(project.id, **{DRAFT: settings.model_dump()})
        st.session_state[f"judging-{kept.id}"] = judging.submit(run, kept, settings, key)
        st.rerun()
