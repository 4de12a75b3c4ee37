"""Teach the model from your votes: what they give, and the one press that makes them the next round's data."""

from __future__ import annotations

import streamlit as st

from core.services import teaching
from core.store.tables import Project, Run

from . import parts, screens


def teaching_panel(project: Project, run: Run) -> None:
    """How many pairs the votes and corrections of this round give, from what, and the next round."""
    if not teaching.fits(run):
        return
    found = teaching.lesson(run)
    if not found.pairs and not found.left_out:
        return
    count = len(found.pairs)
    with st.container(border=True):
        st.markdown("**Teach the model from your votes**", help=parts.term("preference"))
        made = " and ".join(f"{found.count(s)} {words}" for s, words in teaching.SOURCES.items() if found.count(s))
        st.markdown(
            f"Your judgements give **{count} {'pair' if count == 1 else 'pairs'}** of a better and a worse answer"
            + (f": {made}." if made else ".")
        )
        if found.left_out:
            st.caption("Left out: " + "; ".join(f"{n}, because {why}" for why, n in found.left_out.items()) + ".")
        if count < teaching.FEWEST:
            st.caption(f"At least {teaching.FEWEST} are needed, and {teaching.ADVISED} or more are advised.")
        elif count < teaching.ADVISED:
            st.caption(
                f"At least {teaching.ADVISED} are advised: with {count} the model will hardly change, and the test of it "
                "will be unsure. You can try it all the same, and judge more samples later."
            )
        st.caption(
            "They become a dataset of their own, and the next round goes on from this round's model. Questions of the locked "
            "test set never enter. Your earlier data and rounds stay."
        )
        if st.button(
            "Teach the model from your votes",
            icon=":material/school:",
            disabled=count < teaching.FEWEST,
            key=f"teach-{run.id}",
        ):
            with parts.guard():
                teaching.teach(project, run)
                screens.go("recipe")
