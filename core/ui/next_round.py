"""Start the next round from any round: the question where it begins, and what it changes, shown beside the form."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.schemas.recipe import Recipe
from core.services import datasets, next_round
from core.services.next_round import Begin, Data
from core.store.tables import Project, Run

from . import parts, screens
from .errors import guard
from .markup import note, paragraph

BEGINS: dict[Begin, str] = {"base": "From the base model", "round": "Going on from the weights of this round"}
WHY: dict[Begin, str] = {
    "base": "Learns everything anew. What differs from this round then comes from what you change, and from nothing else.",
    "round": "Keeps what this round learned and learns on top of it. Quicker, but what the round got wrong stays in, and rows "
    "that both have are learned twice. Take a smaller learning rate.",
}


def next_round_button(project: Project, run: Run, label: str = "Start the next round") -> None:
    """Ask where it begins and on which data, then open the form with this round's settings."""
    if st.button(label, icon=":material/replay:", type="primary", key=f"next-{run.id}"):
        _ask(project, run)


@st.dialog("Start the next round")
def _ask(project: Project, run: Run) -> None:
    st.markdown(
        f"It copies the settings of **round {run.number}** {parts.plain(run.name)}; you change what you like before it starts."
    )
    able = next_round.can_go_on(project, run)
    choices: list[Begin] = ["base", "round"] if able else ["base"]
    begin = st.radio(
        "Begin",
        choices,
        format_func=BEGINS.__getitem__,
        key=f"begin-{run.id}",
        help=parts.term("going on from weights"),
    )
    st.caption(WHY[begin])
    if not able:
        st.caption(
            "Going on from its weights is not possible: the project's task, base model or labels are others now, or the round "
            "learned rows that are in the test set now."
        )
    data: Data = "now"
    newer = next_round.newer_data(project, run)
    if newer is not None:
        number = datasets.get_version(run.dataset_version_id).number
        titles: dict[Data, str] = {
            "now": f"Version {newer.number}, which the project uses now",
            "same": f"Version {number}, as in round {run.number}",
        }
        data = st.radio("Data", list(titles), format_func=titles.__getitem__, key=f"data-{run.id}")
    with st.container(horizontal=True, horizontal_alignment="right"):
        # What is wanted is done before the page is drawn again, so that it does not hang on this dialog being there.
        given = {"begin": begin, "data": data}
        if st.button(
            "Open the settings",
            type="primary",
            key=f"open-next-{run.id}",
            on_click=_prepare,
            args=(project, run, given),
        ):
            open_form(project)


def _prepare(project: Project, run: Run, given: dict[str, str]) -> None:
    """With what the widgets hold now; `given` is what they held when the dialog was drawn."""
    said = {name: st.session_state.get(f"{name}-{run.id}", value) for name, value in given.items()}
    with guard():
        next_round.prepare(project, run, **said)


def open_form(project: Project) -> None:
    """Go to the form, which takes its values from the draft anew."""
    for key in [k for k in st.session_state if str(k).startswith((f"recipe-{project.id}", f"starting-{project.id}"))]:
        del st.session_state[key]
    screens.go("recipe")


def changes_panel(project: Project, recipe: Recipe, key: str) -> None:
    """On the Hyperparameters screen: what the next round does differently from the one that it came from, while the form
    changes; the settings that differ are marked in the form."""
    found = next_round.difference(project, recipe)
    if found is None:
        return
    parent, changes = found
    with st.container(border=True):
        lines = "".join(paragraph(change.text) for change in changes)
        nothing = paragraph(
            "Nothing yet: it would be the same round again. Change one thing, so that you know what made the difference."
        )
        st.html(note("info", f"What changes against round {parent.number}", lines or nothing))
        settings = sum(change.kind in ("setting", "seed") for change in changes)
        if len(changes) > 1:
            st.caption(
                f"{len(changes)} things at once: if the score changes, you will not know which of them did it."
                if settings
                else "More than the settings is different: the scores are those of another basis."
            )
        if st.button("It has nothing to do with that round", key=f"{key}-forget", type="tertiary"):
            next_round.forget(project)
            st.rerun()
    _mark([f"{key}.{change.name}" for change in changes if change.name])


def _mark(keys: list[str]) -> None:
    """A line beside each widget that holds another value than the round before."""
    names = ", ".join(f".st-key-{escape(key.replace('.', '-'))}" for key in keys)
    if names:
        st.html(f"<style>{names} {{ border-left: 3px solid var(--tw-accent); padding-left: 0.6rem; }}</style>")
