"""Many texts at once: upload a file, see what the first rows become, let the worker do the rest, take the file back."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.data.in_words import significant
from core.data.predicted import KINDS
from core.schemas.batch import FORMATS, MOST_FIRST, BatchSpec, BatchSummary
from core.schemas.families import FAMILIES
from core.schemas.imports import ImportReport
from core.schemas.jobs import JobState
from core.services import batch, output_filters, runs, status
from core.store.tables import Batch, Run
from core.tasks import registry as tasks

from . import jobs, parts
from .file_download import file_download
from .markup import note, paragraph

SHOWN_LABELS = 30
KINDS_READ = ["csv", "tsv", "txt", "xlsx", "json", "jsonl", "ndjson", "parquet", "zip", "gz"]
MIME = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "jsonl": "application/jsonl",
    "parquet": "application/vnd.apache.parquet",
}


def batch_panel(run: Run) -> None:
    """The file that is being prepared, the one at work, and those that are done."""
    found = batch.of_project(run.project_id)
    working = [b for b in found if b.job_id and (s := batch.state(b)) and not s.final]
    drafts = [b for b in found if b.job_id is None]
    for one in working:
        with st.container(border=True):
            st.markdown(f"**{parts.plain(batch.spec_of(one).filename)}**")
            jobs.watch(one.job_id or "", "Many texts")
            st.caption("You may close this page. If the machine is switched off, it goes on where it was.")
    if drafts:
        _prepare(run, drafts[0])
    else:
        _upload(run)
    done = [b for b in found if b not in working and b not in drafts]
    if done:
        st.subheader("Earlier files", anchor=False)
    for one in done:
        with st.container(border=True), parts.guard():
            _finished(one)


def _upload(run: Run) -> None:
    st.markdown("Give a file of texts, and get the same file back with what your model says about each row.")
    turn = st.session_state.setdefault("batch-turn", 0)
    given = st.file_uploader(
        "File with texts",
        type=KINDS_READ,
        key=f"batch-file-{turn}",
        help="CSV, Excel, JSON, JSON lines, Parquet or plain text, also in a zip or gzip. It stays on this machine.",
    )
    if given is not None:
        with st.spinner("Keeping the file"):
            batch.add(run, given.name, given)
        st.session_state["batch-turn"] = turn + 1  # so that the copy in memory goes
        st.rerun()


def _prepare(run: Run, draft: Batch) -> None:
    """Say what is to be read and written, look at the first rows, start."""
    spec, key = batch.spec_of(draft), draft.id
    top = st.container(horizontal=True, vertical_alignment="center")
    top.markdown(f"**{parts.plain(spec.filename)}**")
    if top.button("Take another file", key=f"batch-drop-{key}", type="tertiary", icon=":material/close:"):
        batch.delete(draft)
        st.rerun()
    report = _report(draft.id, str(spec.file.get("upload_id")))
    role = next(r for r in tasks()[run.task].roles if r.key == batch.reads(run.task))
    names = [column.name for column in report.columns]
    guessed = batch.guess(run, report)
    left, right = st.columns(2)
    column = left.selectbox(
        role.title,
        names,
        index=names.index(guessed[role.key]) if role.key in guessed else None,
        placeholder="Choose the column",
        key=f"batch-column-{key}",
        help=f"{role.help} Chosen by the names of your training data; check it in the preview.",
    )
    formats = list(FORMATS)
    chosen = right.selectbox(
        "Give it back as",
        formats,
        index=formats.index(spec.format),
        format_func=lambda f: FORMATS[f],
        key=f"batch-format-{key}",
        help="Excel holds up to 1,048,575 rows. Colours, formulas and other sheets of a workbook are not kept, values are.",
    )
    columns = {**guessed, role.key: column} if column else {}
    made = spec.model_copy(update={"columns": columns, "format": chosen})
    made = _options(run, made, key)
    others = [name for role_key, name in columns.items() if role_key != role.key]
    if others:
        st.caption(parts.plain(f"Also read, as in the training: {', '.join(others)}."))
    _preview(run, draft, made, report)


@st.cache_data(max_entries=16, show_spinner="Looking at the file")
def _report(batch_id: str, upload_id: str) -> ImportReport:
    return batch.inspect(batch.get(batch_id))


def _options(run: Run, spec: BatchSpec, key: str) -> BatchSpec:
    family = FAMILIES[tasks()[run.task].family]
    row = st.container(horizontal=True, vertical_alignment="center", gap="medium")
    wanted: dict[str, object] = {}
    if family.labels:
        wanted["probabilities"] = row.checkbox("Probability of every label", key=f"batch-each-{key}")
    if spec.format == "csv":
        wanted["protect"] = row.checkbox(
            "Safe for spreadsheets",
            value=True,
            key=f"batch-safe-{key}",
            help="A text that begins like a formula (with =, +, - or @) gets an apostrophe in front, so that no spreadsheet runs "
            "it; numbers stay. Off: every cell exactly as it was.",
        )
    if not family.reads:
        length = row.number_input(
            "Longest answer, in tokens", 1, 4096, spec.decoding.max_new_tokens, key=f"batch-length-{key}"
        )
        wanted["decoding"] = spec.decoding.model_copy(update={"max_new_tokens": int(length)})
        version = output_filters.current(run)
        st.caption(
            f"Answers pass the output filter (version {version.number}); a column says where it changed one."
            if version
            else "No output filter guards this round; the Bias audit screen has one."
        )
    return spec.model_copy(update=wanted)


def _preview(run: Run, draft: Batch, spec: BatchSpec, report: ImportReport) -> None:
    mark = f"batch-preview-{draft.id}"
    asked = st.session_state.get(mark)
    row = st.container(horizontal=True, gap="small")
    if row.button("Try the first 20 rows", key=f"batch-try-{draft.id}", icon=":material/visibility:"):
        st.session_state[mark] = (batch.submit_preview(draft, spec, run), spec.columns, run.id)
        st.rerun()
    counted = f"all {report.rows:,} rows" if report.rows > 1 else "the row"
    counted = counted if report.complete else "all rows"
    if row.button(f"Predict {counted}", key=f"batch-start-{draft.id}", type="primary", icon=":material/play_arrow:"):
        batch.start(draft, spec, run)
        st.rerun()
    job = (
        status.job(asked[0]) if asked and asked[2] == run.id else None
    )  # what another round said is not shown as this one's
    if job is None:
        st.caption("What the file holds, from its beginning:")
        st.dataframe([{k: v or "" for k, v in r.items()} for r in report.preview[:5]], width="stretch", hide_index=True)
        return
    if jobs.watch(job.id, "First rows") or job.state is JobState.STOPPED or job.result is None:
        return
    if asked and asked[1] != spec.columns:
        st.caption("This preview was made with another column.")
    st.dataframe(job.result["rows"], column_order=job.result["columns"], width="stretch", hide_index=True, height=300)


def _finished(one: Batch) -> None:
    spec, summary, job = batch.spec_of(one), batch.summary_of(one), batch.job_of(one)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{parts.plain(spec.filename)}**", width="stretch")
        if (
            summary is None
            and job is not None
            and job.state is not JobState.DONE
            and st.button(
                "Go on", key=f"batch-on-{one.id}", icon=":material/play_arrow:", help="From where it was ended."
            )
        ):
            batch.go_on(one)
            st.rerun()
        if summary is not None:
            file_download(
                lambda: batch.result_path(one), summary.bytes, batch.download_name(one), MIME[spec.format],
                f"batch-get-{one.id}", kind="primary",
            )  # fmt: skip
        if st.button("Delete", key=f"batch-delete-{one.id}", icon=":material/delete:", type="tertiary"):
            parts.confirm(
                "Delete this file?",
                f"{spec.filename}: the file that you gave and the one with the predictions are deleted. This cannot be undone.",
                "Delete file",
                lambda: batch.delete(one),
            )
    by = runs.get(one.run_id)
    st.caption(f"Predicted by round {by.number} · {by.name}.")
    if summary is None:
        if job is not None and job.error:
            jobs.failed(job)
        else:
            st.caption("Cancelled. What was predicted so far is kept until you delete it.")
        return
    _summary(one, summary)


def _summary(one: Batch, summary: BatchSummary) -> None:
    odd = [f"{n:,} {KINDS[kind]}" for kind, n in summary.notes.items()]
    said = f"{summary.predicted:,} of {summary.rows:,} rows predicted"
    said += f"; the column “{summary.columns[-1]}” says what is odd: {', '.join(odd)}." if odd else "."
    if summary.filtered:
        said += f" The output filter changed {summary.filtered:,} answers."
    if summary.protected:
        said += f" {summary.protected:,} cells that look like formulas have an apostrophe in front."
    if summary.shortened:
        said += (
            f" {summary.shortened:,} cells were cut to what Excel holds (32,767 characters); CSV would keep them whole."
        )
    st.caption(parts.plain(said))
    for hint in summary.hints:
        figure = f"area {parts.number(hint.estimate)}" if hint.estimate else ""
        st.html(note("warning", hint.title, paragraph(hint.text), aside=figure))
    if summary.numbers:
        n = summary.numbers
        st.caption(
            f"Half of the numbers are below {significant(n['middle'], 4)}; nine of ten lie "
            f"between {significant(n['low'], 4)} and {significant(n['high'], 4)}."
        )
    if summary.labels:
        with st.expander("How often each label was given", icon=":material/bar_chart:"):
            parts.table(
                ["Label", "Rows", "Share of this file", "Share of the training rows"],
                [
                    [
                        escape(share.label),
                        f"{share.n:,}",
                        parts.figure_html(share.share, share=True),
                        "–" if share.trained is None else f"{share.trained:.1%}",
                    ]
                    for share in summary.labels[:SHOWN_LABELS]
                ],
            )
            st.caption(
                "The interval of a share is that of chance alone (Wilson). A share unlike that of the training can mean that "
                "these texts are others, or that the model errs."
            )
    if summary.below and summary.first:
        _look_first(one, summary)


def _look_first(one: Batch, summary: BatchSummary) -> None:
    with st.expander("Look at these first", icon=":material/priority_high:"):
        left, right = st.columns([3, 2], vertical_alignment="bottom")
        certain = left.slider(
            "Certain enough from",
            0,
            100,
            80,
            format="%d%%",
            key=f"batch-certain-{one.id}",
            help="The probability that the model gives to its answer. It can be too sure of itself: Evaluation, Look closer, "
            "shows how far it can be trusted.",
        )
        count = summary.below[certain]
        left.caption(
            f"{count:,} of {summary.below[100] + _certain(summary):,} rows are below it."
            + (f" The list holds the {MOST_FIRST:,} least certain." if count > MOST_FIRST else "")
        )
        right.download_button(
            "Least certain rows (CSV)",
            lambda: batch.first_rows_csv(one, certain / 100),
            f"look-first-{batch.download_name(one).rsplit('.', 1)[0]}.csv",
            "text/csv",
            key=f"batch-first-{one.id}",
            icon=":material/download:",
            on_click="ignore",
            disabled=not count,
        )


def _certain(summary: BatchSummary) -> int:
    """Rows that the model is wholly certain of: they are below no bound."""
    return max(0, summary.predicted - summary.below[100])
