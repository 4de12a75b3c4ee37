"""Teach the model from your votes: what they give, which way suits it, and the one press that makes the next round's data."""

from __future__ import annotations

import streamlit as st

from core.services import teaching
from core.store.tables import Project, Run

from . import parts, screens


def teaching_panel(project: Project, run: Run) -> None:
    """What the judgements of this round give, from what, and the next round."""
    if not teaching.fits(run):
        return
    found = teaching.lesson(run)
    if not (found.pairs or found.thumbs or found.answers or found.left_out):
        return
    advised, why = teaching.advice(found)
    with st.container(border=True):
        st.markdown("**Teach the model from your votes**", help=parts.term("preference"))
        able = [way for way in teaching.WAYS if not teaching.can(found, way)]
        way = st.radio(
            "How",
            list(teaching.WAYS),
            index=list(teaching.WAYS).index(advised or "pairs"),
            format_func=lambda w: f"{teaching.WAYS[w][0]}: {found.size(w)}" + (" (advised)" if w == advised else ""),
            captions=[teaching.WAYS[w][1] for w in teaching.WAYS],
            key=f"way-{run.id}",
        )
        st.markdown(why)
        made = [f"{n} {teaching.SOURCES[source]}" for source, n in found.sources(way).items()]
        if made:
            st.caption("Made " + ", ".join(made) + ".")
        if found.left_out:
            st.caption("Left out: " + "; ".join(f"{n}, because {why}" for why, n in found.left_out.items()) + ".")
        st.caption(
            "What was judged is only trained on: questions of the locked test set never enter, and validation and test rows "
            "stay what they are. Your earlier data and rounds stay."
        )
        if reason := teaching.can(found, way):
            st.caption(f":material/info: {reason}")
        if st.button(
            "Teach the model from your votes", icon=":material/school:", disabled=way not in able, key=f"teach-{run.id}"
        ):
            with parts.guard():
                teaching.teach(project, run, way)
                screens.go("recipe")
