"""From a finding to a checked fix: choose a corrective action, see what it would do, and read how each one ended."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.data.gates import together
from core.mitigations import registry as mitigations
from core.schemas.audits import GateResult, GateState
from core.schemas.mitigations import Mitigation, Preview
from core.services import audits, corrections, runs
from core.store.tables import Audit, Correction, Project, Run
from core.tasks import registry as tasks

from . import jobs, parts, screens

STATES = {
    GateState.VERIFIED: ("Verified", "green"),
    GateState.NOT_VERIFIED: ("Not verified", "orange"),
    GateState.REFUSED: ("Refused", "red"),
}
ENDED = {
    GateState.VERIFIED: "The gap between groups became smaller, and the model is as good as before.",
    GateState.NOT_VERIFIED: "Nothing shows that it helped.",
    GateState.REFUSED: "Do not use this round in the place of the one before.",
}
OWN_COLUMN = "The words of the texts"


def action_panel(project: Project, run: Run, audit: Audit) -> None:
    """Choose an action, see what it would do, strike what makes no sense, then retrain and audit again."""
    known = corrections.actions(tasks()[run.task].family)
    if not known:
        st.info("No corrective action is there for this kind of model yet.")
        return
    advised = corrections.recommended(run, audit)
    chosen = st.radio(
        "Action",
        [key for key, _ in advised],
        format_func=lambda key: known[key].title,
        captions=[reason for _, reason in advised],
        help="In the order in which they are worth trying for what the audit found.",
        key=f"action-{run.id}",
    )
    _unfit(run)
    action = known[chosen]
    st.markdown(action.help)
    if action.expert:
        st.warning(
            "An option for experts: look at the audit that follows before you use its model.", icon=":material/science:"
        )
    config = _settings(run, audit, action, chosen)
    if config is None:
        return
    with parts.guard():
        preview = corrections.preview(run, chosen, config)
        struck = _preview(preview, f"{run.id}-{chosen}")
        st.caption(f"Cost: {action.cost} {_time(run, action)}")
        if action.needs_model:
            if st.button("Find where it fails, then train and audit again", type="primary", icon=":material/balance:"):
                corrections.find_failures(run, audit, chosen, config)
                st.rerun()
            return
        beside = chosen == "doubtful_rows" and st.toggle(
            "Also leave out as many rows by chance, to compare with",
            help="A second training. It shows whether it matters which rows are left out, or only that there are fewer.",
        )
        if st.button("Apply, train again and audit again", type="primary", icon=":material/balance:"):
            begin = corrections.correct_beside_chance if beside else corrections.correct
            correction = begin(run, audit, chosen, config, struck)
            screens.go("bias", correction=correction.id)


def _unfit(run: Run) -> None:
    found = corrections.unfit(tasks()[run.task].family)
    if found:
        with st.expander(f"Not for this model ({len(found)})"):
            for title, reason in found.values():
                st.markdown(f"- **{parts.plain(title)}**: {parts.plain(reason)}")


def _settings(run: Run, audit: Audit, action: Mitigation, chosen: str) -> dict[str, Any] | None:
    """The form's values, beginning with the groups in which the audit found a gap; None while something is wrong."""
    prefix = f"action-{run.id}-{chosen}"
    given = {"axes": found} if "axes" in action.config.model_fields and (found := corrections.axes_found(audit)) else {}
    basic = parts.form(action.config, given, level="basic", key_prefix=prefix)
    values, model = basic.values, basic.model
    if any((f.json_schema_extra or {}).get("level") == "advanced" for f in action.config.model_fields.values()):  # type: ignore[union-attr]
        with st.expander("Advanced settings"):
            advanced = parts.form(action.config, values, level="advanced", key_prefix=prefix)
            model = advanced.model
    if model is None:
        return None
    config = model.model_dump(mode="json")
    columns = audits.group_columns(run) if "column" in action.config.model_fields else {}
    if columns:
        column = st.selectbox(
            "Which group a row is about is said by",
            ["", *columns],
            format_func=lambda name: f"The column {name}" if name else OWN_COLUMN,
            key=f"{prefix}-column",
        )
        config["column"] = column
    return config


def _preview(preview: Preview, key: str) -> list[str]:
    """Draw it. Returns the ids of the rows that were struck."""
    for sentence in preview.says:
        st.markdown(parts.plain(sentence))
    if not preview.rows:
        return []
    if not preview.strike:
        table = pd.DataFrame(list(preview.rows))
        shares = [name for name in table.columns if name.startswith("share")]
        table[shares] = 100 * table[shares]
        formats = {name: st.column_config.NumberColumn(format="%.0f%%") for name in shares}
        st.dataframe(table, hide_index=True, width="stretch", column_config=formats)
        return []
    table = pd.DataFrame([{"keep": True, **row} for row in preview.rows])
    edited = st.data_editor(
        table,
        hide_index=True,
        width="stretch",
        disabled=[name for name in table.columns if name != "keep"],
        column_config={"row_id": None},
        key=f"swaps-{key}",
    )
    return [row["row_id"] for row in edited.to_dict("records") if not row["keep"]]


def _time(run: Run, action: Mitigation) -> str:
    """What the last training took, times what the action costs."""
    seconds = float((run.summary or {}).get("seconds") or 0) * action.time
    return f"About {max(1, round(seconds / 60)):,} min of training here." if seconds else ""


def corrections_panel(project: Project) -> None:
    """Every corrective action with its outcome: before and after, quality included."""
    if first := corrections.first_half(project.id):
        jobs.watch(first.id, "Finding where the model fails")
    found = corrections.of_project(project.id)
    if not found:
        return
    st.subheader("Corrective actions", anchor=False)
    for correction in found:
        with st.container(border=True):
            _correction(correction)


def _correction(correction: Correction) -> None:
    after = runs.get(str(correction.run_after_id))
    before = runs.get(str(correction.run_before_id))
    job = runs.job_of(after)
    judged = corrections.outcome(correction)
    chance = ", as many rows by chance" if correction.config.get("random") else ""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            f"**{parts.plain(after.note)}**{chance}: round {before.number} → round {after.number}", width="content"
        )
        if judged:
            title, colour = STATES[together(list(judged.values()))]
            st.badge(title, color=colour)  # type: ignore[arg-type]
    st.caption(
        parts.plain(str(correction.config.get("summary") or f"{correction.config.get('added', 0):,} rows added."))
    )
    if job is not None and job.state.active:
        jobs.watch(job.id, "Training again and auditing again")
        return
    if job is not None and job.error:
        jobs.failed(job)
        return
    if not judged:
        if job is not None:
            st.info("It could not be judged: the audits before and after share no measured gap.")
        return
    st.markdown(_ended(correction, together(list(judged.values()))))
    titles = {key: audit.title for key, audit in audits.available(tasks()[after.task].family).items()}
    _gates(judged, titles, corrections.before_and_after(correction))
    if beside := corrections.outcome(correction, "chance"):
        with st.expander("Against as many rows left out by chance"):
            _gates(beside, titles, {})


def _ended(correction: Correction, state: GateState) -> str:
    action = mitigations().get(correction.action)
    if action is not None and action.claim == "robustness" and state is GateState.NOT_VERIFIED:
        return f"{ENDED[state]} It was meant for robustness, which this audit does not measure."
    return ENDED[state]


def _sizes(before: float, after: float, unit: str) -> str:
    """Before and after; the change with its interval stands in the gate's reasons."""
    if unit == "probability":
        return f"{100 * before:.1f} → {100 * after:.1f} points"
    return f"{before:.3f} → {after:.3f} {unit}"


def _gates(judged: dict[str, GateResult], titles: dict[str, str], sizes: dict[str, tuple[float, float, str]]) -> None:
    """Before and after by each audit, and what each gate says."""
    for key, gate in judged.items():
        title, colour = STATES[gate.state]
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.badge(title, color=colour)  # type: ignore[arg-type]
            st.html(f"<span>by: {titles.get(key, key)}</span>", width="content")
            if key in sizes:
                st.html(f'<span class="tw-quiet">mean gap {_sizes(*sizes[key])}</span>', width="content")
        for reason in gate.reasons:
            st.markdown(f"- {parts.plain(reason)}")
