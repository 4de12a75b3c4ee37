"""The discipline of the test set: which rows an evaluation looks at, the question before an opening, and every opening."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from html import escape

import streamlit as st

from core.data.in_words import times
from core.services import datasets, evaluations, openings, preparation
from core.services.openings import Opening
from core.services.rounds import Round
from core.store.tables import Evaluation, Project, Run

from . import parts
from .errors import guard
from .markup import note, paragraph

Begin = Callable[[str, str | None], None]
OTHER = "Another reason"
COST = (
    "Every look at the test set that leads to a choice uses it up a little: the choice fits these very rows, and the score looks "
    "better than the model is. Look at validation as often as you like; open the test set when you are done choosing."
)


def rows_choice(run: Run, place: st.delta_generator.DeltaGenerator) -> str:
    """Validation or test: validation until the person has opened the test set for this round."""
    opened = bool(evaluations.of_run(run.id, "test"))
    said = place.segmented_control(
        "Rows",
        ["validation", "test"],
        default="test" if opened else "validation",
        required=True,
        format_func={"test": "Test set", "validation": "Validation"}.__getitem__,
        key=f"rows-{run.id}",
        help="Look at validation as often as you like. The test set stays honest only while it is opened rarely.",
    )
    return str(said or "validation")


def asked(project: Project, run: Run, split: str) -> list[Evaluation]:
    """Ask for an evaluation on these rows where the person wants one. Returns those that exist, newest first."""

    def begin(reason: str = evaluations.REASON, plan_id: str | None = None) -> None:
        st.session_state[f"evaluating-{run.id}"] = evaluations.submit(run, split, reason=reason, plan_id=plan_id)

    found = evaluations.of_run(run.id, split)
    if split == "test":
        test_set = which_test_set(project, run)
        found = [evaluation for evaluation in found if evaluation.lineage == test_set.lineage]
        opening_button(project, run, test_set, bool(found), begin)
        return found
    if found:
        pressed = st.button("Evaluate again", icon=":material/refresh:")
    else:
        pressed = st.button(f"Evaluate {run.name} on validation", type="primary")
    if pressed:
        begin()
        st.rerun()
    return found


def which_test_set(project: Project, run: Run) -> openings.TestSet:
    """The test set that the screen shows: the newest that the round can be measured on, unless the person chooses another."""
    found = openings.test_sets(project, run)
    if len(found) < 2:
        return found[0] if found else openings.TestSet(0, run.plan_id, 0, fresh=False)
    titles = {
        s.lineage: f"Test set {s.lineage}, {s.rows:,} rows" + (", added after this round" if s.fresh else "")
        for s in found
    }
    chosen = st.selectbox("Test set", list(titles), format_func=titles.__getitem__, key=f"test-set-{run.id}", width=380)
    return next(s for s in found if s.lineage == chosen)


def opening_button(project: Project, run: Run, test_set: openings.TestSet, again: bool, begin: Begin) -> None:
    """How often the set was opened, and the button that asks before it is opened. `begin` gets the reason and the plan whose
    test rows are meant (None: the round's own)."""
    found = openings.of_lineage(project.id, test_set.lineage)
    wear = openings.wear(found)
    st.caption(f":material/lock: {openings.sentence(wear)}", help=parts.term("opening"))
    if wear.worn:
        worn_note(wear)
    label = "Open it again" if again else f"Open the test set and evaluate {run.name}"
    if st.button(label, type="secondary" if again else "primary", icon=":material/lock_open:", key=f"open-{run.id}"):
        _ask(run, test_set, found, begin)


@st.dialog("Open the test set?")
def _ask(run: Run, test_set: openings.TestSet, found: Sequence[Opening], begin: Begin) -> None:
    before = f"was opened {times(len(found))} before" if found else "has not been opened yet"
    whence = "were added after this round was trained" if test_set.fresh else "were kept aside from the start"
    st.markdown(f"Its {test_set.rows:,} rows {whence}. It {before}.\n\n{COST}")
    models = len({o.run_id for o in found} | {run.id})
    after = openings.gain_of(found, models)
    if models > 1 and after is not None:
        st.caption(
            f"With round {run.number}, {models} rounds will have been looked at: picking the best of them by this set would make "
            f"it look about {after} better than it is."
        )
    reason = st.radio("Why now?", [*openings.REASONS, OTHER], key=f"why-{run.id}")
    if reason == OTHER:
        st.text_input("In your words", key=f"why-text-{run.id}", max_chars=evaluations.REASON_LENGTH)

    def act() -> None:
        chosen = st.session_state.get(f"why-{run.id}") or openings.REASONS[0]
        said = str(st.session_state.get(f"why-text-{run.id}") or "").strip()
        with guard():
            begin(said if chosen == OTHER and said else chosen, test_set.plan_id if test_set.fresh else None)

    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Not yet", key="open-no"):
            st.rerun()
        if st.button("Open the test set", type="primary", key="open-yes", on_click=act):
            st.rerun()


def worn_note(wear: openings.Wear) -> None:
    """After many openings: why the score is no longer what it was."""
    st.html(
        note(
            "warning",
            f"{wear.rounds} rounds were judged by this test set: its best score is no longer honest",
            paragraph(
                "Choosing by the same rows again and again fits the choice to them (adaptive overfitting). The figure above "
                "counts only one choice among equally good rounds; where each look decided what was tried next, it is more."
            ),
            paragraph(
                "Add a fresh test set (Rounds, The test set) and open it once, for the round that you mean to use."
            ),
        )
    )


def openings_list(found: Sequence[Opening], rounds: Sequence[Round]) -> None:
    """Every opening, newest first, by test set."""
    by_id = {one.run.id: one for one in rounds}
    lineages = sorted({o.lineage for o in found}, reverse=True)
    for lineage in lineages:
        own = [o for o in found if o.lineage == lineage]
        wear = openings.wear(own)
        if len(lineages) > 1:
            st.markdown(f"**Test set {lineage}**")
        st.markdown(openings.sentence(wear))
        if wear.worn:
            worn_note(wear)
        rows = []
        for number, o in reversed(list(enumerate(own, 1))):
            one = by_id.get(o.run_id)
            name = f"{one.number} · {one.run.name}" if one else "a round that is gone"
            when = time.strftime("%d %b %Y, %H:%M", time.localtime(o.at))
            figure = parts.figure_html(o.score, share=bool(o.row and o.row.format == "percent"))
            rows.append([str(number), escape(when), escape(name), escape(_reason(o.reason)), figure])
        title = wear.row.title if wear.row else "Score"
        parts.table(["", "Opened", "Round", "Reason", title], rows)
    if len(lineages) > 1:
        st.caption(
            "Scores on different test sets stand apart: they are history and not compared.", help=parts.term("lineage")
        )
    with st.expander("How the cost of openings is estimated", icon=":material/help:"):
        st.markdown(
            "If *k* rounds are equally good and their scores scatter by the standard error *s* of a score, the best of them "
            "looks better than it is by *s* times the mean of the largest of *k* normal random numbers: 0.56 for two, 0.85 for "
            "three, 1.16 for five, 1.54 for ten. Scores on the same rows move together, which makes it less; looks that decided "
            "what to try next make it more. From four rounds on it exceeds *s* itself, and the test set counts as worn (Dwork "
            "and others, “The reusable holdout”, Science 2015)."
        )


def _reason(reason: str) -> str:
    return "Evaluation" if reason == evaluations.REASON else reason[:1].upper() + reason[1:]


def set_facts(project: Project) -> str:
    """The test set of the project's current data in one sentence; empty where there is none yet."""
    version, plan = datasets.current(project), preparation.current(project)
    if version is None or plan is None:
        return ""
    return f"The project's data has test set {version.lineage} now, with {plan.counts['test']:,} rows that no round learns from."
