"""What was found in a file that is about to be imported: its notes, its first rows, how it is read, and its examples."""

from __future__ import annotations

import streamlit as st

from core.data.shapes import SHAPE_TITLES, TASK_OF_SHAPE
from core.schemas.examples import SPLITS, Example
from core.schemas.findings import Severity
from core.schemas.imports import ImportOptions, ImportReport
from core.services import datasets
from core.store.tables import Project

from . import import_draft, parts
from .import_draft import Draft

PART_TITLES = {None: "everything", "train": "training", "validation": "validation", "test": "test"}
ROWS_SHOWN = 10
CHARACTERS_SHOWN = 1_000
AUTOMATIC = "Chosen automatically"


def file_look(project: Project, file: Draft, alone: bool) -> ImportReport:
    """Draw one file with what it is for; returns its report. Raises UserError where it cannot be read."""
    about, part, out = st.columns([5, 2, 1], vertical_alignment="bottom")
    if not alone:
        options = [None, *SPLITS]
        chosen = part.selectbox(
            "For",
            options,
            index=options.index(file["part"]) if file["part"] in options else 0,
            format_func=lambda value: PART_TITLES[value],
            key=f"part-{file['key']}",
            help="A file for training, validation or test stays in that part. A file for everything is divided.",
        )
        if chosen != file["part"]:
            import_draft.change(project, file["key"], part=chosen)
            st.rerun()
    if out.button("Remove", key=f"remove-{file['key']}", width="stretch"):
        import_draft.remove(project, file["key"])
        st.rerun()
    about.markdown(f"**{parts.plain(file['name'])}**")
    report = import_draft.report(file)
    inside = report.options.member or report.options.sheet
    about.caption(parts.plain(report.format_title + (f", {inside}" if inside else "")))
    _notes(report)
    _inner(project, file, report)
    if report.preview:
        st.dataframe(list(report.preview)[:ROWS_SHOWN], width="stretch", height=240 if alone else 160)
    _reading(project, file, report)
    return report


def _notes(report: ImportReport) -> None:
    for note in report.notes:
        numbers = ", ".join(map(str, note.line_numbers[:10])) + ("…" if len(note.line_numbers) > 10 else "")
        where = f" (lines {numbers})" if numbers and numbers not in note.meaning else ""
        text = parts.plain(f"{note.title}{where} {note.meaning}")
        if note.severity is Severity.INFO:
            st.caption(f":material/info: {text}")
        else:
            st.warning(text, icon=":material/warning:")


def _inner(project: Project, file: Draft, report: ImportReport) -> None:
    """The choice among the files of an archive, the sheets of a workbook or the lists of a JSON file."""
    _choose(project, file, "member", "File inside the archive", [m.name for m in report.members], report.options.member)
    _choose(project, file, "sheet", "Sheet", list(report.sheets), report.options.sheet)
    if report.paths:
        known = {found.path: found for found in report.paths}
        options = [None, *known]

        def title(path: str | None) -> str:
            if path is None:
                return AUTOMATIC
            found = known[path]
            rows = f"{found.rows:,} rows" if found.rows else "rows"
            return f"{path}: {rows} with {', '.join(found.keys)}" if found.keys else f"{path}: {rows}"

        chosen = st.selectbox(
            "List of records inside the JSON",
            options,
            index=options.index(report.options.path) if report.options.path in options else 0,
            format_func=title,
            key=f"path-{file['key']}",
        )
        _set(project, file, "path", chosen, report.options.path)


def _choose(project: Project, file: Draft, option: str, title: str, offered: list[str], now: str | None) -> None:
    if len(offered) < 2:
        return
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    index = offered.index(now) if now in offered else 0
    chosen = left.selectbox(title, offered, index=index, key=f"{option}-{file['key']}")
    alone = (
        sum(other[at] == file[at] for other in import_draft.files(project) for at in ("upload_id", "path") if file[at])
        == 1
    )
    if alone and right.button(f"Read all {len(offered)}", key=f"all-{option}-{file['key']}", width="stretch"):
        import_draft.each(project, file["key"], option, offered)
        st.rerun()
    _set(project, file, option, chosen, now)


def _set(project: Project, file: Draft, option: str, chosen: str | None, now: str | None) -> None:
    if chosen != now:
        import_draft.change(project, file["key"], options={**file["options"], option: chosen})
        st.rerun()


def _reading(project: Project, file: Draft, report: ImportReport) -> None:
    """What was detected about the file, correctable."""
    with st.expander("How the file is read", icon=":material/settings:"):
        found = report.options.model_dump()
        result = parts.form(ImportOptions, found, level="basic", key_prefix=f"read-{file['key']}", columns=3)
        different = result.model is not None and result.model != report.options
        if (
            st.button("Read it this way", key=f"again-{file['key']}", disabled=not different)
            and result.model is not None
        ):
            import_draft.change(project, file["key"], options=result.model.model_dump())
            st.rerun()


def shape_look(project: Project, file: Draft, report: ImportReport, roles: dict[str, str]) -> None:
    """Say what kind of examples these look like, and show the first ones as the model will read them."""
    found = datasets.first_examples(import_draft.payload(file), roles, project.task or "")
    # Tags, numbers and pairs to turn into one another look like something else: there the person knows better.
    known = report.shape if (project.task or "") in TASK_OF_SHAPE.values() else None
    shape = f"This looks like {SHAPE_TITLES[known]}. " if known else ""
    if not found:
        st.warning(f"{shape}With these columns, none of the first rows gives an example.", icon=":material/warning:")
        return
    number = f"{len(found)} examples" if len(found) > 1 else "One example"
    st.markdown(f"**{shape}{number} below as the model will read {'them' if len(found) > 1 else 'it'}:**")
    with st.container(height=320, border=True, autoscroll=False):
        for place, example in enumerate(found):
            if place:
                st.divider()
            _example(example)


def _example(example: Example) -> None:
    for message in example.messages:
        with st.chat_message("human" if message.role == "user" else message.role):
            st.text(_short(message.content))
    if example.text:
        st.text(_short(example.text))
    if example.label is not None:
        st.caption(f"Category: {parts.plain(_short(example.label))}")
    if example.labels is not None:
        st.caption("Labels: " + (" · ".join(parts.plain(label) for label in example.labels) or "none"))
    if example.value is not None:
        st.caption(f"Number: {example.value:g}")


def _short(text: str) -> str:
    return text if len(text) <= CHARACTERS_SHOWN else text[: CHARACTERS_SHOWN - 1] + "…"
