"""Every version of a dataset: the one in use with undo and redo, the way to any other, and what differs between two."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.data.health_rows import role_of
from core.schemas.errors import UserError
from core.services import datasets, versions
from core.store.comparison import Compared
from core.store.tables import DatasetVersion, Project
from core.tasks import registry as tasks

from . import parts
from .dataset_fixes import FLASH, fixes_menu
from .dataset_queue import open_queues
from .differences import table_html, visible

CELLS = 50  # changed cells that are shown


def version_header(project: Project, version: DatasetVersion) -> None:
    """The version in use, with undo, redo and the menu of fixes."""
    if said := st.session_state.pop(FLASH, None):
        st.toast(said, icon=":material/check_circle:", duration="long")
    about, actions = st.columns([3, 2], vertical_alignment="center")
    about.subheader(parts.plain(f"Version {version.number}: {version.title}"), anchor=False)
    with actions, st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        back, forward = versions.before(version), versions.after(version)
        if back:
            help_ = f"Back to version {back.number}. Nothing is deleted."
            st.button("Undo", icon=":material/undo:", help=help_, on_click=_use, args=(back,), key="undo-fix")
        if forward:
            help_ = f"Forward to version {forward.number}."
            st.button("Redo", icon=":material/redo:", help=help_, on_click=_use, args=(forward,), key="redo-fix")
        fixes_menu(project, version)
    roles = {r.key: r.title for r in tasks()[project.task or ""].roles}
    columns: dict[str, list[str]] = {}
    for role, column in version.roles.items():
        if column:
            columns.setdefault(roles.get(role_of(role), role), []).append(parts.plain(column))
    used = " · ".join(f"{title}: {', '.join(names)}" for title, names in columns.items())
    st.caption(f"{version.rows:,} rows. {used}")
    open_queues(project, version)


def versions_panel(project: Project, current: DatasetVersion) -> None:
    """Every version with what was done, a note, and the way back to it; and what differs between two."""
    found = datasets.versions(project.id)
    numbers = {v.id: v.number for v in found}
    for version in found:
        _one(version, current, numbers)
    if len(found) > 1:
        st.divider()
        _compare(found, current)


def _one(version: DatasetVersion, current: DatasetVersion, numbers: dict[str, int]) -> None:
    about, button = st.columns([5, 1], vertical_alignment="center")
    about.text(f"Version {version.number}: {version.title}")
    source = numbers.get(version.parent_id or "")
    made = f"from version {source}: {versions.summary(version)}" if source else versions.summary(version)
    about.caption(f"{version.rows:,} rows · {made} · test set {version.lineage} · content {version.content[:8]}")
    if version.note:
        about.text(version.note)
    with about.popover("Note" if version.note else "Add a note", type="tertiary", icon=":material/edit_note:"):
        note = st.text_area(
            "What do you want to remember about this version?", version.note or "", key=f"note-{version.id}"
        )
        if st.button("Keep the note", key=f"keep-{version.id}"):
            versions.set_note(version.id, note)
            st.rerun()
    if version.id == current.id:
        button.caption("in use")
    else:
        help_ = "Nothing is deleted: you can come back."
        button.button("Use it", key=f"back-{version.id}", width="stretch", help=help_, on_click=_use, args=(version,))


def _use(version: DatasetVersion) -> None:
    """Runs before the screen is drawn, so that it is drawn once, with this version."""
    datasets.go_back(version.project_id, version.id)
    st.session_state[FLASH] = f"Version {version.number} is in use."


def _compare(found: list[DatasetVersion], current: DatasetVersion) -> None:
    st.markdown("**What differs between two versions**")
    names = {v.number: v for v in found}
    numbers = sorted(names)
    parent = next((v for v in found if v.id == current.parent_id), None)
    left, right = st.columns(2)
    first = parent.number if parent else next(n for n in numbers if n != current.number)
    earlier = left.selectbox("From version", numbers, index=numbers.index(first), key=f"from-{current.id}")
    later = right.selectbox("To version", numbers, index=numbers.index(current.number), key=f"to-{current.id}")
    if not st.toggle("Show what differs", key=f"compare-{current.id}"):
        return
    try:
        with st.spinner("Comparing"):
            difference = versions.difference(names[earlier], names[later])
    except OSError as error:
        raise UserError(
            "A version cannot be read.", f"Its file is missing or damaged: {error}.", "Put its file back from a backup."
        ) from error
    difference_panel(difference, current)


def difference_panel(found: Compared, version: DatasetVersion) -> None:
    """What differs between two versions whose columns are those of `version`."""
    relabelled = found.changed_cells.get(version.roles.get("label") or "", 0)
    if not (found.dropped_rows or found.added_rows or found.changed_rows):
        st.caption("They hold the same rows.")
        return
    st.markdown(
        f"**{found.dropped_rows:,}** rows removed, **{found.added_rows:,}** added, **{found.changed_rows:,}** changed, "
        f"**{relabelled:,}** labels changed."
    )
    if any(before != after for before, after in found.values.values()):
        shown = pd.DataFrame(
            [(visible(label), a, b, b - a) for label, (a, b) in found.values.items()],
            columns=["Label", "Rows before", "Rows after", "Difference"],
        )
        st.dataframe(shown, hide_index=True, width="stretch", height=min(320, 38 + 35 * len(shown)))
    if len(found.cells):
        first = found.cells.head(CELLS).itertuples(index=False)
        st.html(table_html([(str(c[0]), str(c[1]), str(c[2]), str(c[3])) for c in first], "Column"))
        total = sum(found.changed_cells.values())
        if total > CELLS:
            st.caption(f"{CELLS} of {total:,} changed cells.")
    for title, count, rows in (
        ("Removed rows", found.dropped_rows, found.dropped),
        ("Added rows", found.added_rows, found.added),
    ):
        if count:
            with st.expander(f"{title} ({min(count, len(rows)):,} of {count:,})"):
                st.dataframe(rows, hide_index=True, width="stretch")
