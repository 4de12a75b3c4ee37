"""The words for groups of people, open to correction: a person adds own groups and words, and strikes out ours."""

from __future__ import annotations

from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from core.data import own_words
from core.data.identity import find_terms
from core.data.lexicon import Lexicon, languages, load_lexicon
from core.schemas.errors import UserError
from core.schemas.identity import OwnTerm, OwnWords, Removed
from core.services import identity_words
from core.store.tables import Project

from . import parts
from .finding_rows import marked

KINDS = {"noun": "names a person (“northerner”)", "adjective": "describes one (“northern”)", "name": "a first name"}
EXAMPLE = "An elderly Muslim woman asked her neighbour, a Polish plumber, for help."
COLUMNS = ("kind of group", "group", "word", "other forms", "it is")


def lexicon_panel(project: Project, language: str) -> None:
    """A closed line; the lists are read only when it is open."""
    opened = st.expander("Words for groups of people", key="lexicon", icon=":material/dictionary:", on_change="rerun")
    if opened.open:
        with opened, parts.guard():
            _editor(project, language)


def _editor(project: Project, language: str) -> None:
    st.markdown(
        "The audit finds out who a text is about by these words. Ours are short and surely not complete: add groups and words "
        "that matter for your data, and strike out what misleads there. Kept with the project, and used by the next audit."
    )
    saved = identity_words.of(project.id, language)
    try:
        lexicon = identity_words.lexicon(project.id, language)
    except UserError:
        st.info(f"There is no list of ours for the language “{language}” yet. Your own words work all the same.")
        lexicon = None
    terms = _own_table(project, language, saved)
    removed = _our_table(project, language, saved) if language in languages() else saved.removed
    changes = OwnWords(terms=terms, removed=removed)
    tried = _usable(language, changes) if changes != saved else lexicon
    if tried is not None:
        _try(tried, language)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Save these words", type="primary", disabled=changes == saved, icon=":material/save:"):
            identity_words.save(project.id, language, changes)
            st.toast("Saved. The next audit and the next health report use these words.")
            # Fresh tables: the old ones would apply their edits once more to what is saved now.
            st.session_state[f"saved-{project.id}"] = st.session_state.get(f"saved-{project.id}", 0) + 1
            st.rerun()
        if changes != saved:
            st.caption("Not saved yet.")
    if lexicon is not None and not lexicon.swaps:
        st.caption(
            f"{lexicon.title}: words are found, but texts are not rewritten, because the words around a person change with the "
            f"person. {lexicon.note}"
        )


def _key(project: Project, language: str) -> str:
    return f"own-words-{project.id}-{language}-{st.session_state.get(f'saved-{project.id}', 0)}"


def _own_table(project: Project, language: str, saved: OwnWords) -> tuple[OwnTerm, ...]:
    st.markdown("**Your words**")
    rows = [
        dict(zip(COLUMNS, (t.axis, t.group, t.forms[0], ", ".join(t.forms[1:]), KINDS[t.kind]), strict=True))
        for t in saved.terms
    ]
    known = ", ".join(a.title for a in load_lexicon(language).axes) if language in languages() else "Gender, Age, …"
    text = st.column_config.TextColumn
    edited = st.data_editor(
        pd.DataFrame(rows, columns=list(COLUMNS), dtype=str),
        num_rows="dynamic",
        hide_index=True,
        width="stretch",
        key=_key(project, language),
        column_config={
            COLUMNS[0]: text(help=f"One of ours ({known}), or a new one such as Region."),
            COLUMNS[1]: text(help="One of ours or a new one, in the plural: “northerners”."),
            COLUMNS[2]: text(help="The word to look for, as it is written."),
            COLUMNS[3]: text(help="Plural and other forms, with commas between."),
            COLUMNS[4]: st.column_config.SelectboxColumn(
                options=list(KINDS.values()),
                default=KINDS["noun"],
                help="A describing word counts only beside a word for people; a first name only with its capital. For neutral "
                "test sentences a group needs a describing word.",
            ),
        },
    )
    return tuple(_term(row) for row in edited.to_dict("records") if any(_cell(row[c]) for c in COLUMNS[:4]))


def _term(row: dict[Any, Any]) -> OwnTerm:
    kinds = {title: kind for kind, title in KINDS.items()}
    others = (form.strip() for form in _cell(row[COLUMNS[3]]).split(","))
    forms = tuple(dict.fromkeys(form for form in (_cell(row[COLUMNS[2]]), *others) if form))
    return OwnTerm(
        axis=_cell(row[COLUMNS[0]]), group=_cell(row[COLUMNS[1]]), forms=forms,
        kind=kinds.get(_cell(row[COLUMNS[4]]), "noun"),
    )  # fmt: skip


def _cell(value: Any) -> str:
    return "" if value is None or value != value else " ".join(str(value).split())


def _our_table(project: Project, language: str, saved: OwnWords) -> tuple[Removed, ...]:
    """Our words of one kind of group; unticked ones do not count. Those of other kinds stay as they are."""
    ours = load_lexicon(language)
    st.markdown("**Our words**")
    titles = {axis.key: axis.title for axis in ours.axes}
    axis = st.selectbox("Kind of group", list(titles), format_func=titles.__getitem__, key=f"our-axis-{language}")
    pending = st.session_state.setdefault(f"struck-{_key(project, language)}", {})
    gone = {one.word for one in saved.removed if one.axis == axis} if axis not in pending else set(pending[axis])
    table = pd.DataFrame(
        [
            {"use": word.lower() not in gone, "group": group, "word": word, "it is a": kind}
            for group, word, kind in own_words.words_of(ours, axis)
        ]
    )
    edited = st.data_editor(
        table,
        hide_index=True,
        width="stretch",
        height=260,
        disabled=["group", "word", "it is a"],
        key=f"our-{axis}-{_key(project, language)}",
        column_config={
            "use": st.column_config.CheckboxColumn(help="Untick a word that misleads in your data.", width="small")
        },
    )
    st.caption(
        "A word stands for its other forms too (plural, endings). To correct one, untick it and add yours above."
    )
    # What is unticked is remembered while another kind of group is looked at.
    pending[axis] = sorted({row["word"].lower() for row in edited.to_dict("records") if not row["use"]})
    kept = [one for one in saved.removed if one.axis not in pending]
    struck = (Removed(axis=key, word=word) for key, words in pending.items() for word in words)
    return tuple(sorted((*kept, *struck), key=lambda one: (one.axis, one.word)))


def _usable(language: str, changes: OwnWords) -> Lexicon | None:
    try:
        return own_words.check(language, changes)
    except UserError as error:
        parts.show_error(error)
        return None


def _try(lexicon: Lexicon, language: str) -> None:
    """A sentence of the person's, with what is found in it."""
    text = st.text_input(
        "Try a sentence",
        EXAMPLE if language == "en" else "",
        key=f"try-{language}",
        placeholder="Type a sentence to see which words are found",
    )
    if not text:
        return
    found = find_terms(text, lexicon=lexicon)
    st.html(f"<p class='tw-found'>{marked(text, [match.term for match in found])}</p>")
    if not found:
        st.caption("No word for a group of people is found in it.")
        return
    said = [
        f"{escape(m.term)}: {escape(axis.group(m.group).title)} ({escape(axis.title.lower())})"
        for m in found
        if (axis := lexicon.axis(m.axis))
    ]
    st.html(f'<p class="tw-quiet">{" · ".join(said)}</p>')
