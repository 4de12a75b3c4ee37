"""The dialog of a fix on the Dataset screen: its settings, what it would do, and the new version that it makes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.services import fixes, versions
from core.services.fixes import Seen, Step
from core.store.tables import DatasetVersion, Project

from . import parts
from .differences import table_html, visible
from .forms import settings_of

FLASH = "dataset-flash"  # what the screen says once after it was drawn anew
LABELS_SHOWN = 500


@st.dialog("Fix the data", width="large")
def fix_dialog(project: Project, version: DatasetVersion, key: str, options: Mapping[str, Any]) -> None:
    """What the fix would do, before it makes a new version."""
    with parts.guard():
        _fix(project, version, key, options)


def fixes_menu(project: Project, version: DatasetVersion) -> None:
    """Every fix that fits the data, also where no finding names it."""
    titles = {fix.key: fix.title for fix in fixes.menu(version)}
    chosen = st.menu_button(
        "All fixes", titles, format_func=titles.__getitem__, key="all-fixes", icon=":material/build:"
    )
    if chosen:
        fix_dialog(project, version, chosen, {})


def applied(made: DatasetVersion | str) -> None:
    """After a fix: say what was made, or watch the worker's job, and draw the screen anew."""
    if isinstance(made, str):
        st.query_params["job"] = made
    else:
        st.session_state[FLASH] = f"Version {made.number} is in use: {versions.summary(made)}. Undo is beside its name."
    st.rerun()


def show_preview(
    version: DatasetVersion, steps: Sequence[Step], *, rows_open: bool = False, everywhere: bool = False
) -> Seen:
    """Counts, changed texts before and after, and the rows that are touched. Returns what was seen."""
    locked = 0 if everywhere else len(fixes.locked_rows(version))
    seen = _seen(version, version.content, locked, json.dumps(steps), list(steps), everywhere)
    _counts(version, seen, alone=all(fixes.describe(key).judges == "rows" for key, _ in steps))
    found = seen.preview
    if found.edits:
        st.html(table_html([(e.row_id, e.label, e.before, e.after) for e in found.edits]))
        if found.rows_changed + found.rows_cut > len(found.edits):
            st.caption(f"{len(found.edits)} of {found.rows_changed + found.rows_cut:,}, some of every label.")
    if found.rows:
        with st.expander(
            f"The rows ({len(found.rows):,} of {len(found.row_ids):,})", expanded=rows_open or not found.edits
        ):
            shown = pd.DataFrame(
                {
                    "what": [row.what for row in found.rows],
                    "label": [visible(row.label) for row in found.rows],
                    "text": [row.text[:300] for row in found.rows],
                    "row": [row.row_id for row in found.rows],
                }
            )
            st.dataframe(shown, width="stretch", hide_index=True, height=min(330, 38 + 35 * len(shown)))
    return seen


def _fix(project: Project, version: DatasetVersion, key: str, options: Mapping[str, Any]) -> None:
    fix = fixes.describe(key)
    st.markdown(f"**{fix.title}.** {fix.description}")
    chosen = dict(options)
    if key == "merge_labels":
        chosen["mapping"] = _mapping(version, options.get("mapping"))
    elif settings_of(fix.options):
        form = parts.form(fix.options, {**fix.options().model_dump(), **options}, "all", f"fix-{version.id}-{key}")
        if form.model is None:
            return
        chosen = form.model.model_dump(mode="json")
    steps: list[Step] = [(key, chosen)]
    seen = show_preview(version, steps)
    everywhere = _also_the_test_rows(version, key, seen)
    if everywhere:
        st.divider()
        seen = show_preview(version, steps, everywhere=True)
    if st.button("Apply as a new version", type="primary", disabled=not (seen.preview.row_ids or seen.preview.sampled)):
        with st.spinner("Making the new version"):
            made = fixes.start(project, version, steps, everywhere=everywhere)
        applied(made)


def _also_the_test_rows(version: DatasetVersion, key: str, seen: Seen) -> bool:
    """Whether the person wants test rows changed too, which starts a new test set."""
    if not seen.locked_in_need:
        return False
    if key in ("merge_labels", "merge_label_sets"):
        st.warning(
            f"{seen.locked_in_need:,} test rows keep the old spelling. A label that no training row has any more counts as an "
            "error in the test.",
            icon=":material/warning:",
        )
    return st.toggle(
        "Change the test rows too, and start a new test set",
        key=f"everywhere-{version.id}-{key}",
        help="The rows are split anew. Scores on the new test set are not compared with scores on the old one.",
    )


@st.cache_data(max_entries=24, show_spinner="Looking at the rows")
def _seen(_version: DatasetVersion, content: str, locked: int, key: str, _steps: list[Step], everywhere: bool) -> Seen:
    """A preview is the same while content, test set and settings are: `content`, `locked` and `key` say so."""
    return fixes.preview_steps(_version, _steps, everywhere=everywhere)


def _counts(version: DatasetVersion, seen: Seen, *, alone: bool) -> None:
    """What would happen in numbers; `alone` says that every row is judged without the others."""
    found = seen.preview
    words = ((found.rows_changed, "changed"), (found.rows_dropped, "removed"), (found.rows_cut, "cut into pieces"))
    parts_said = [f"**{count:,}** {word}" for count, word in words if count]
    if found.sampled:
        more = "" if alone else " Rows that only repeat one outside of the sample come on top."
        st.markdown(
            f"In a sample of {found.looked_at:,} of {found.rows_before:,} rows: {', '.join(parts_said) or 'nothing to do'}."
            f"{more} All rows are looked at when you apply it; the worker does that, and you can go on meanwhile."
        )
    elif parts_said:
        whole = found.rows_after == found.rows_before
        left = "none is removed" if whole else f"{found.rows_after:,} are left"
        st.markdown(f"Of {found.rows_before:,} rows: {', '.join(parts_said)}; {left}.")
    else:
        st.success("No row needs this.", icon=":material/check_circle:")
    if found.rows_emptied:
        st.caption(f"{found.rows_emptied:,} texts are empty afterwards. Remove those rows with the next fix.")
    if seen.locked:
        st.caption(
            f":material/lock: {seen.locked:,} rows of the locked test set stay as they are, so that scores before and after "
            "can be compared. The fix is for training and validation rows."
            + (f" {seen.locked_in_need:,} of the test rows would need it too." if seen.locked_in_need else "")
        )
    if parts_said:
        st.caption(f"You can undo it: version {version.number} is kept.")


def _mapping(version: DatasetVersion, proposed: Mapping[str, str] | None) -> dict[str, str]:
    """Every label with the one that it becomes, as a table to edit."""
    counts, suggested = fixes.label_merges(version)
    mapping = {**suggested, **{label: to for label, to in (proposed or {}).items() if label in counts}}
    labels = sorted(counts, key=lambda x: (x not in mapping, mapping.get(x, x), -counts[x]))[:LABELS_SHOWN]
    frame = pd.DataFrame(
        {
            "As written": [visible(label) for label in labels],
            "Rows": [counts[label] for label in labels],
            "Becomes": [mapping.get(label, label) for label in labels],
        }
    )
    st.caption("Change what a spelling becomes by typing in the last column. Two with the same name are one label.")
    edited = st.data_editor(
        frame,
        disabled=["As written", "Rows"],
        hide_index=True,
        width="stretch",
        height=min(320, 38 + 35 * len(frame)),
        key=f"merge-{version.id}",
    )
    becomes = ["" if value is None else str(value) for value in edited["Becomes"]]
    return {label: to for label, to in zip(labels, becomes, strict=True) if to != label}
