"""The queue of suspicious rows: one row at a time, decided with a key, kept at once, applied together at the end."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.schemas.findings import Finding
from core.services import relabel
from core.services.relabel import Item, State
from core.store.tables import DatasetVersion, Project, RowQueue

from . import parts
from .dataset_fixes import applied, show_preview
from .differences import visible
from .one_press import OnePress

KEYS_FOR_LABELS = 9
SHOWN = 6_000  # characters of a text


def queue_button(project: Project, version: DatasetVersion, finding: Finding, key: str) -> None:
    """Offer to go through the rows of a finding one by one."""
    if finding.row_ids and st.button("Go through them", key=key, icon=":material/checklist:", help=_HELP):
        with st.spinner("Sorting the rows, the most doubtful first"):
            suspects = finding.data.get("suspects") or ()
            queue = relabel.begin(project, version, finding.check, finding.title, finding.row_ids, suspects)
        st.query_params["queue"] = queue.id
        st.rerun()


def open_queues(project: Project, version: DatasetVersion) -> None:
    """Queues that were begun and not applied, to go on with."""
    for queue in relabel.of_version(version):
        title = f"Go on: {parts.plain(queue.title)}"
        if st.button(title, key=f"go-on-{queue.id}", icon=":material/checklist:", type="tertiary"):
            st.query_params["queue"] = queue.id
            st.rerun()


def queue_panel(project: Project, version: DatasetVersion, queue_id: str) -> None:
    """One row at a time, full width."""
    queue = relabel.get(queue_id)
    if queue.project_id != project.id:
        raise ValueError("the queue belongs to another project")
    if st.button("Back to the dataset", icon=":material/arrow_back:", type="tertiary"):
        del st.query_params["queue"]
        st.rerun()
    st.subheader(parts.plain(queue.title), anchor=False)
    _rows(project, version, queue)


@st.fragment
def _rows(project: Project, version: DatasetVersion, queue: RowQueue) -> None:
    now = relabel.state(project, version, queue)
    press = OnePress(f"queue-{queue.id}", now.item.row_id if now.item else None)
    above = st.container()
    # The buttons come first: once a person sees a row, its own buttons are the ones that a key presses.
    if now.item is not None:
        _choices(version, queue, now.item, press)
    with above:
        skipped = f" · {now.skipped:,} skipped, they come again at the end" if now.skipped else ""
        gone = f" · {now.gone:,} are not there any more" if now.gone else ""
        st.progress(now.decided / max(1, now.total), text=f"{now.decided:,} of {now.total:,} decided{skipped}{gone}")
        if now.item is not None:
            _row(queue, now.item)
        else:
            st.success("Every row is decided.", icon=":material/check_circle:")
    _below(project, version, queue, now)


def _row(queue: RowQueue, item: Item) -> None:
    text = item.text if len(item.text) <= SHOWN else item.text[:SHOWN] + " …"
    with st.container(border=True):
        st.html(f'<p class="tw-row">{escape(text)}</p>')
    if item.label:
        said = f"<span>Label: <b>{escape(visible(item.label))}</b>"
        said += f" ({item.confidence:.0%} likely by the other rows)" if item.confidence is not None else ""
        said += "</span>"
        if item.suggested and item.suggested != item.label and item.probability is not None:
            said += f"<span>Suggested: <b>{escape(visible(item.suggested))}</b> ({item.probability:.0%})</span>"
        elif item.suggested:
            said += "<span>The other rows agree with this label.</span>"
        st.html(f'<p class="tw-row-label">{said}</p>')
    if item.doubt:
        st.html(f'<p class="tw-row-label"><span>{escape(visible(item.doubt))}</span></p>')
    if item.locked:
        st.info(
            "This row is in the locked test set. What you choose is only noted and listed at the end: test rows are never "
            "changed silently, or scores before and after could not be compared.",
            icon=":material/lock:",
        )


def _choices(version: DatasetVersion, queue: RowQueue, item: Item, press: OnePress) -> None:
    """Buttons with keys, each row's own. A decision is kept before the next row is drawn."""

    def decide(action: relabel.Action, label: str | None = None) -> None:
        if press.takes() and relabel.is_open(queue, item.row_id):
            relabel.decide(queue, item.row_id, action, label)

    def label_as(label: str) -> None:
        if label == item.label:
            decide("keep")
        else:
            decide("relabel", label)

    labels = relabel.labels(version) if item.label else []
    legend = {}
    for start in range(0, min(len(labels), KEYS_FOR_LABELS), 5):
        chosen = labels[start : min(start + 5, KEYS_FOR_LABELS)]
        for place, (column, label) in enumerate(zip(st.columns(max(len(chosen), 3)), chosen, strict=False)):
            number = str(start + place + 1)
            legend[number] = visible(label)
            column.button(
                parts.plain(visible(label)) + (" (suggested)" if label == item.suggested != item.label else ""),
                key=f"queue-label-{number}-{item.row_id}",
                shortcut=number,
                on_click=label_as,
                args=(label,),
                width="stretch",
            )
    if len(labels) > KEYS_FOR_LABELS:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            other = st.selectbox(
                "Another label", labels[KEYS_FOR_LABELS:], index=None, key=f"queue-other-{item.row_id}"
            )
            st.button("Give it", on_click=lambda: label_as(str(other)), disabled=other is None)
    with st.container(horizontal=True, gap="small"):
        for name, key, action, icon in _ACTIONS:
            st.button(
                name, key=f"queue-{action}-{item.row_id}", shortcut=key, icon=icon, on_click=decide, args=(action,)
            )
        st.button("Undo", key="queue-undo", shortcut="z", icon=":material/undo:", on_click=_undo, args=(queue,))
    parts.key_legend({**legend, "K": "keep as it is", "D": "drop the row", "S": "skip for now", "Z": "undo"})


def _undo(queue: RowQueue) -> None:
    relabel.undo(queue)


def _below(project: Project, version: DatasetVersion, queue: RowQueue, now: State) -> None:
    """What the decisions amount to so far, and the way to apply them."""
    if now.item is None:
        st.button("Undo the last decision", shortcut="z", icon=":material/undo:", on_click=_undo, args=(queue,))
    noted = now.count("drop", locked=True) + now.count("relabel", locked=True)
    drop, change, keep = now.count("drop"), now.count("relabel"), now.count("keep")
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            "Look and apply",
            type="primary" if now.item is None else "secondary",
            disabled=not relabel.steps(now),
            icon=":material/done_all:",
        ):
            _apply_dialog(project, version, queue)
        st.caption(
            f"{drop:,} to drop, {change:,} with another label, {keep:,} kept"
            + (f", {noted:,} test rows noted only" if noted else "")
            + ". Every decision is kept at once: you can leave and come back."
        )


@st.dialog("Apply your decisions", width="large")
def _apply_dialog(project: Project, version: DatasetVersion, queue: RowQueue) -> None:
    with parts.guard():
        now = relabel.state(project, version, queue)
        show_preview(version, relabel.steps(now), rows_open=True)
        noted = [d for row, d in now.decisions.items() if row in now.locked and d.action in ("drop", "relabel")]
        if noted:
            with st.expander(f"{len(noted)} test rows are noted only", icon=":material/lock:"):
                st.caption(
                    "They stay as they are. If the test set itself is wrong, correct your file and import it again: that "
                    "starts a new test set, whose scores are not compared with the old ones."
                )
                shown = [{"row": d.row_id, "noted": d.action, "label": visible(d.label or "")} for d in noted]
                st.dataframe(shown, width="stretch", hide_index=True)
        if st.button("Apply as a new version", type="primary"):
            with st.spinner("Making the new version"):
                made = relabel.finish(project, version, queue)
            del st.query_params["queue"]
            applied(made)


_HELP = "One row at a time, the most doubtful first: keep it, drop it or give it another label. Nothing changes until the end."
_ACTIONS: tuple[tuple[str, str, relabel.Action, str], ...] = (
    ("Keep", "k", "keep", ":material/check:"),
    ("Drop", "d", "drop", ":material/delete:"),
    ("Skip", "s", "skip", ":material/skip_next:"),
)
