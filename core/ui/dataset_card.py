"""The dataset card: the few things that only a person knows, and the download."""

from __future__ import annotations

import streamlit as st

from core.services import dataset_cards
from core.services.dataset_cards import LICENCES, CardNotes
from core.store.tables import DatasetVersion, Project

from . import parts

FIELDS = CardNotes.model_fields


def card_panel(project: Project, version: DatasetVersion) -> None:
    """A closed panel with three fields, the card as text and a button."""
    with st.expander("Dataset card", icon=":material/description:"), parts.guard():
        st.caption("What others need to know about this data, in the format of the Hugging Face hub.")
        given = dataset_cards.notes(project)
        left, right = st.columns(2)
        known = list(LICENCES) if given.licence in LICENCES else [*LICENCES, given.licence]
        licence = left.selectbox(
            "Licence",
            known,
            known.index(given.licence),
            format_func=lambda name: LICENCES.get(name, name),
            help=FIELDS["licence"].description,
        )
        languages = right.text_input("Languages", given.languages, max_chars=80, help=FIELDS["languages"].description)
        source = st.text_area(
            "Where the texts come from", given.source, max_chars=2000, height=90, help=FIELDS["source"].description
        )
        said = CardNotes(licence=licence, languages=languages, source=source)
        if said != given:
            dataset_cards.keep_notes(project, said)
        text = dataset_cards.dataset_card(project, version, said)
        st.download_button(
            "Download the dataset card",
            text,
            f"dataset-card-v{version.number}.md",
            "text/markdown",
            icon=":material/download:",
        )
        if st.toggle("Read it here"):
            st.code(text, language="markdown", wrap_lines=True, height=360)
