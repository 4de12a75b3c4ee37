"""The card of a base model: what it is, whether it fits, and what to watch out for."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.data import licences
from core.data.fertility import Fertility
from core.schemas.models import ModelFacts
from core.services.advice import Advice, fitting_tasks, language_name

from . import parts
from .knowing import known_words

COLOURS = {"fits": "green", "tight": "orange", "does not fit": "red"}
SOURCES = {"starter": "ships with Tunewell", "folder": "folder of this machine", "hub": "from the hub"}


def size(count: float) -> str:
    """A number of parameters or bytes in words: 2.6 M, 7.2 B."""
    for unit, factor in (("B", 1e9), ("M", 1e6), ("K", 1e3)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count:.0f}"


def gigabytes(count: float) -> str:
    return f"{count / 2**30:.1f} GB"


def model_card(candidate: Advice, *, chosen: bool) -> bool:
    """Draw one candidate; True when the person pressed its button."""
    facts, fit = candidate.facts, candidate.fit
    with st.container(border=True):
        left, right = st.columns([4, 1], vertical_alignment="top")
        with left:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.html(f"<strong>{escape(facts.title)}</strong>", width="content")
                if candidate.unfit:
                    st.badge("not for this task", color="red")
                else:
                    st.badge(fit.verdict, color=COLOURS[fit.verdict])  # type: ignore[arg-type]
                if candidate.recommended:
                    st.badge("Recommended", icon=":material/thumb_up:", color="blue")
            st.caption(_line(facts))
            if facts.description:
                st.text(facts.description)
            if candidate.fertility:
                st.caption(_words(candidate.fertility), help=parts.term("fertility"))
            for words in known_words(candidate.known) if candidate.known else ():
                st.caption(words, help=parts.term("bits per byte"))
            st.caption(f"{licences.explain(facts.licence).title}: {licences.explain(facts.licence).words}")
            st.caption(f"Can learn to: {'; '.join(title[:1].lower() + title[1:] for title in fitting_tasks(facts))}")
            if candidate.recommended:
                st.caption(f":material/thumb_up: {candidate.reason}")
            for warning in candidate.warnings:
                st.caption(f":material/warning: {warning}")
        pressed = right.button(
            "Chosen" if chosen else "Choose",
            key=f"choose-{facts.key}",
            type="secondary" if chosen else "primary",
            disabled=chosen or bool(candidate.unfit) or fit.verdict == "does not fit",
            width="stretch",
        )
        with right.popover("Memory", width="stretch"):
            st.caption(f"Estimate for the balanced preset on {fit.device}")
            for part, needed in fit.parts.items():
                st.text(f"{part}: {gigabytes(needed)}")
            st.text(f"together {gigabytes(fit.needed)} of {gigabytes(fit.available)} free")
    return pressed


def _words(measured: Fertility) -> str:
    known = {"familiar": "it knows such texts", "usable": "usable", "strange": "strange to it"}[measured.verdict]
    return f"{measured.per_word:.2f} tokens for a {measured.unit} of yours, measured on {measured.n:,} rows: {known}"


def _line(facts: ModelFacts) -> str:
    known = ", ".join(language_name(code) for code in facts.languages) or "languages not stated"
    length = f"{facts.context_length:,} tokens at once" if facts.context_length else "texts without a fixed limit"
    return f"{size(facts.parameters)} parameters · {known} · reads {length} · {SOURCES[facts.source]}"
