"""Before an audit: what to look at, files and a scorer of the person's own, and how much there is to read."""

from __future__ import annotations

from typing import Any, cast

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core.data.lexicon import load_lexicon
from core.schemas.audits import Audit as AuditPlugin
from core.schemas.errors import UserError
from core.services import audit_scope, audits, identity_words, projects
from core.store.tables import Run

from . import parts

_SECONDS = (
    "How long it takes depends on the machine: a small model on a processor reads some hundred short texts a second."
)


def intro(run: Run) -> None:
    """What an audit of this kind of model does, before the first one."""
    if not audits.unfit(audit_scope.family_of(run)):
        st.markdown(
            "The audit looks for words that name groups of people in your data, swaps them in your validation rows and in "
            "everyday sentences written for this purpose, and measures whether the answer changes."
        )
        return
    st.markdown(
        "The audit looks for words that name groups of people in your data, and how they come together with what the model is "
        "to learn."
    )
    st.info(
        "The model itself cannot be audited here: that is made for models that sort texts into categories and for those that "
        "answer or go on with a text. Instead, ask yours about texts that differ only in the person they name, on the screen "
        "Use it, and see whether it says something else.",
        icon=":material/info:",
    )


def settings_panel(run: Run) -> dict[str, dict[str, Any]]:
    """What a person may choose before an audit, as its config; shows how many texts will be read."""
    family = audit_scope.family_of(run)
    known = audits.available(family)
    plain = {key: audit for key, audit in known.items() if not audit_scope.needs_file(audit)}
    config: dict[str, dict[str, Any]] = {}
    chosen = st.pills(
        "What to look at",
        list(plain),
        selection_mode="multi",
        default=[key for key, audit in plain.items() if not audit_scope.is_optional(audit)],
        format_func=lambda key: plain[key].title,
        help="\n\n".join(f"**{audit.title}.** {audit.help}" for audit in plain.values()),
        key=f"audits-{run.id}",
    )
    _groups(run, plain, config)
    scope: dict[str, Any] = {"audits": list(chosen)}
    if family == "causal-lm":
        scope["files"] = _benchmarks(run, {k: a for k, a in known.items() if audit_scope.needs_file(a)})
        scope["scorer"] = _scorer(run, "written_answers" in chosen)
    config[audit_scope.KEY] = scope
    with st.expander("Settings of each audit"):
        for key in chosen:
            _form(run, plain[key], config)
    _amount(run, config)
    return config


def _groups(run: Run, plain: dict[str, AuditPlugin], config: dict[str, dict[str, Any]]) -> None:
    """Kinds of groups by the word list, for all audits at once, and columns of the person's own."""
    titles = {axis.key: axis.title for axis in load_lexicon().axes}
    axes = st.multiselect(
        "Kinds of groups",
        list(titles),
        default=list(titles),
        format_func=titles.__getitem__,
        help="Groups of people that are compared with one another. Fewer kinds are quicker.",
        key=f"axes-{run.id}",
    )
    for key, audit in plain.items():
        if "axes" in audit.config.model_fields and set(axes) != set(titles):
            config.setdefault(key, {})["axes"] = list(axes)
    columns = audits.group_columns(run)
    if columns:
        own = st.multiselect(
            "Columns that say which group of people a row is about (optional)",
            list(columns),
            default=audits.suggested_columns(columns),
            format_func=lambda name: (
                f"{name} ({', '.join(columns[name][:3])}{', …' if len(columns[name]) > 3 else ''})"
            ),
            help="For example gender, age group or region. The audit then also compares the labels of these groups. Columns "
            "whose name says so are chosen already.",
            key=f"groups-{run.id}",
        )
        if own:
            config.setdefault("data_coverage", {})["columns"] = own


def _benchmarks(run: Run, known: dict[str, AuditPlugin]) -> dict[str, list[dict[str, Any]]]:
    """Uploads of published files, kept at once; by audit key."""
    found: dict[str, list[dict[str, Any]]] = {}
    with st.expander("Published benchmarks (you bring the file)"):
        st.caption("Nothing of them is part of Tunewell. Each has known weaknesses, which stand beside its score.")
        for key, audit in known.items():
            uploads = st.file_uploader(
                audit.title,
                accept_multiple_files=True,
                help=f"{audit.help} {audit.file_help}",  # type: ignore[attr-defined]
                key=f"benchmark-{key}-{run.id}",
            )
            kept = []
            for upload in cast(list[UploadedFile], uploads or []):
                name = f"kept-{run.id}-{key}-{upload.file_id}"
                if name not in st.session_state:
                    st.session_state[name] = audit_scope.keep_file(run.project_id, upload.name, upload).model_dump()
                kept.append(st.session_state[name])
            if kept:
                found[key] = kept
    return found


def _scorer(run: Run, writes: bool) -> str:
    with st.expander("A scorer of your own"):
        folder = st.text_input(
            "Folder of a text classifier on this machine (optional)",
            help="In the format of transformers, for example one that finds toxic texts or tells the sentiment. It judges the "
            "written answers, and is itself judged first: how differently it treats groups in neutral sentences.",
            key=f"scorer-{run.id}",
        ).strip()
        if folder and not writes:
            st.caption("It judges written answers: choose these above as well.")
    return folder


def _form(run: Run, audit: AuditPlugin, config: dict[str, dict[str, Any]]) -> None:
    fields = [name for name in audit.config.model_fields if name not in ("axes", "columns")]
    if not fields:
        return
    st.markdown(f"**{audit.title}**")
    result = parts.form(
        audit.config, config.get(audit.key, {}), "all", f"audit-{run.id}-{audit.key}", without=("axes", "columns")
    )
    if result.model is not None:
        set_by_person = {name: getattr(result.model, name) for name in fields}
        default = audit.config()
        changed = {name: value for name, value in set_by_person.items() if value != getattr(default, name)}
        if changed:
            config[audit.key] = config.get(audit.key, {}) | changed


def _amount(run: Run, config: dict[str, dict[str, Any]]) -> None:
    """How many texts will be read, by audit; problems with a file are said before the start."""
    # What counts as a word for a group is part of it: a person may have changed it since.
    counted = _passes(run.id, repr((config, identity_words.all_of(projects.get(run.project_id)))), run, config)
    total = sum(value for value in counted.values() if isinstance(value, int))
    titles = {key: audit.title for key, audit in audits.available(audit_scope.family_of(run)).items()}
    told = "; ".join(f"{titles[key]}: {value:,}" for key, value in counted.items() if isinstance(value, int))
    if total:
        st.markdown(
            f"Your model and the base model read or write at most **{total:,} texts**.", help=f"{told}. {_SECONDS}"
        )
    for value in counted.values():
        if isinstance(value, UserError):
            parts.show_error(value)


@st.cache_data(max_entries=20, show_spinner="Counting what there is to read")
def _passes(run_id: str, config_text: str, _run: Run, _config: dict[str, dict[str, Any]]) -> dict[str, int | UserError]:
    return audit_scope.passes(_run, _config)
