"""The list of a project's rounds, and one of them in full: what it was made of, what it changed, its notes and its marks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from urllib.parse import urlencode

import streamlit as st

from core.data.in_words import significant, times
from core.data.statistics import wilson
from core.methods import registry as methods
from core.schemas.curves import in_a_sentence
from core.schemas.jobs import JobKind, JobState
from core.services import evaluations, models, openings, rounds, status
from core.services.rounds import Round
from core.store.tables import Project

from . import parts, screens
from .next_round import next_round_button
from .recipe import duration

STATES = {
    JobState.QUEUED: "waiting",
    JobState.RUNNING: "running",
    JobState.PAUSED: "paused",
    JobState.STOPPED: "cancelled",
    JobState.FAILED: "failed",
}
SORTS: dict[str, str] = {
    "newest": "Newest first",
    "oldest": "Oldest first",
    "validation": "Best validation score",
    "test": "Best test score",
    "time": "Quickest",
}


def rounds_table(found: Sequence[Round], opened: Sequence[openings.Opening]) -> None:
    """One line a round with every figure that is known, in the order that the person chooses."""
    order = st.selectbox("Sort by", list(SORTS), format_func=SORTS.__getitem__, key="rounds-sort", width=240)
    header = ["Round", "What changed", "Validation", "Test", "Against the base", "Time"]
    rows = []
    for one in ordered(found, order):
        verdict = parts.verdict_html(one.verdict) if one.verdict else parts.figure_html(None)
        on = f'<span class="tw-cell-basis">on {"test" if one.test else "validation"} rows</span>' if one.verdict else ""
        time = duration(one.seconds) if one.seconds is not None else "\u2013"
        time = f"<span>{escape(time)}</span>"
        rows.append([_name(one), _changed(one), _validation(one), _test(one, opened), f"{verdict}{on}", time])
    parts.table(header, rows)
    st.caption(
        "Under each figure: its 95% interval and the number of rows it rests on. The best checkpoint of a round was chosen on "
        "validation rows, so their scores are a little too good; the test score is not."
    )


def ordered(found: Sequence[Round], order: str) -> list[Round]:
    """Rounds without the figure come last."""

    def by(score: Callable[[Round], float | None]) -> list[Round]:
        known = [one for one in found if score(one) is not None]
        return [*sorted(known, key=lambda o: score(o) or 0.0), *(o for o in found if score(o) is None)]

    if order == "time":
        return by(lambda one: one.seconds if one.finished else None)
    if order in ("validation", "test"):
        return by(lambda one: _rank(one.validation if order == "validation" else one.test))
    return list(found) if order == "oldest" else list(found)[::-1]


def _rank(measured: rounds.Measured | None) -> float | None:
    if measured is None:
        return None
    return -measured.score.value if measured.row.higher_is_better else measured.score.value


def _name(one: Round) -> str:
    address = "rounds?" + urlencode({**screens.here(), "run": one.run.id})
    link = f'<a href="{escape(address)}" target="_self">{one.number} · {escape(one.run.name)}</a>'
    state = ""
    if one.state in STATES:
        kind = "worse" if one.state is JobState.FAILED else "none"
        state = f' <span class="tw-badge tw-badge-{kind}">{STATES[one.state]}</span>'
    elif one.ended in ("stopped", "early"):
        state = (
            f' <span class="tw-quiet">{ {"stopped": "stopped, kept", "early": "stopped by itself"}[one.ended] }</span>'
        )
    lines = [came_from(one)] if one.parent or one.start else []
    lines.append(_made_of(one))
    if one.run.note:
        lines.append(f"Note: {one.run.note[:120]}")
    small = "".join(f'<span class="tw-cell-basis">{escape(line)}</span>' for line in lines)
    return f'<span class="tw-name">{link}{state}{small}</span>'


def came_from(one: Round) -> str:
    """Parent and start in a few words."""
    if one.start is not None:
        went_on = f"goes on from the model of round {one.start}"
        return went_on if one.parent in (None, one.start) else f"after round {one.parent}, {went_on}"
    return f"after round {one.parent}" if one.parent else "from the base model"


def _made_of(one: Round) -> str:
    method = methods().get(str(one.run.recipe.get("method")))
    said = [method.title if method else "", model_title(one), f"data {one.version.number}"]
    if one.study:
        said.append(one.study)
    if one.correction:
        said.append("made by a corrective action")
    return " · ".join(filter(None, said))


def model_title(one: Round) -> str:
    return next((m.title for m in models.all_models() if m.key == one.run.base_model_key), one.run.base_model_key)


def _changed(one: Round) -> str:
    if one.state is JobState.FAILED:
        return f'<span class="tw-quiet">{escape(one.error or "It failed.")}</span>'
    if one.against is None:
        return '<span class="tw-quiet">the first one</span>'
    against = "" if one.parent else f'<span class="tw-cell-basis">against round {one.against}, the one before</span>'
    lines = "".join(f'<span class="tw-cell">{escape(c.text)}</span>' for c in one.changes[:4])
    more = f'<span class="tw-cell-basis">and {len(one.changes) - 4} more</span>' if len(one.changes) > 4 else ""
    return f'<span class="tw-wrap">{lines or "nothing"}</span>{more}{against}'


def _validation(one: Round) -> str:
    """The measured score; before that the figure by which the checkpoint was chosen, with what it rests on."""
    if one.validation:
        return parts.figure_html(one.validation.score, share=one.validation.row.format == "percent")
    if one.best is None:
        return parts.figure_html(None)
    if one.best.metric == "accuracy" and one.best.n:
        return parts.figure_html(wilson(round(one.best.value * one.best.n), one.best.n), share=True)
    name = in_a_sentence(one.best.metric)
    return (
        f'<span class="tw-cell">{significant(one.best.value)}</span>'
        f'<span class="tw-cell-basis tw-long">{escape(name)} while training, '
        f"n = {one.best.n:,}; no interval before it is measured</span>"
    )


def _test(one: Round, opened: Sequence[openings.Opening]) -> str:
    if not one.tests:
        return '<span class="tw-quiet">not opened</span>'
    out = []
    newest = {m.lineage: m for m in one.tests}
    several = len({o.lineage for o in opened}) > 1
    for lineage, measured in sorted(newest.items(), reverse=True):
        count = sum(1 for o in opened if o.run_id == one.run.id and o.lineage == lineage)
        said = f"test set {lineage}, " if several else ""
        out.append(
            parts.figure_html(measured.score, share=measured.row.format == "percent")
            + f'<span class="tw-cell-basis">{said}opened {times(count)}</span>'
        )
    return "".join(out)


# -- measuring on validation -------------------------------------------------------------------------------------------


def measure_button(project: Project, found: Sequence[Round]) -> None:
    """Measure every finished round that has no validation score with an interval yet."""
    waiting = [j for j in status.active_jobs(project.id) if j.kind is JobKind.EVALUATE]
    todo = [one for one in found if one.finished and one.validation is None]
    if waiting:
        st.caption(f":material/hourglass_top: {len(waiting)} evaluation{'s' * (len(waiting) != 1)} on the way.")
        return
    if not todo:
        return
    numbers = ", ".join(str(one.number) for one in todo)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if st.button(f"Measure {len(todo)} round{'s' * (len(todo) != 1)} on validation", icon=":material/straighten:"):
            for one in todo:
                evaluations.submit(one.run, "validation")
            st.rerun()
        st.caption(f"Round {numbers}: a score with its interval, beside the base model. The test set stays closed.")


# -- one round ---------------------------------------------------------------------------------------------------------


def round_panel(project: Project, one: Round, twins: Sequence[rounds.Twins]) -> None:
    """A round in full: where it came from, its settings against those before, notes, what it takes to train it again."""
    st.markdown(f"**Round {one.number}** {parts.plain(one.run.name)}")
    st.caption(parts.plain(f"{came_from(one)} · {_made_of(one)}"))
    if one.against is not None:
        title = f"Against round {one.against}" + ("" if one.parent else ", the one before it")
        lines = [f"- {parts.plain(change.text)}" for change in one.changes] or ["- nothing was changed"]
        st.markdown(f"{title}:\n\n" + "\n".join(lines))
    _twin_note(one, twins)
    _note(one)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if one.finished:
            next_round_button(project, one.run)
            st.page_link(
                screens.page_of("evaluation"), label="Evaluation", icon=":material/analytics:",
                query_params={**screens.here(), "run": one.run.id},
            )  # fmt: skip
        st.page_link(
            screens.page_of("training"), label="Curves", icon=":material/show_chart:",
            query_params={**screens.here(), "run": one.run.id},
        )  # fmt: skip
    with st.expander("To train it again", icon=":material/fingerprint:"):
        _marks(one)


def _twin_note(one: Round, twins: Sequence[rounds.Twins]) -> None:
    for group in twins:
        if one.number not in group.numbers:
            continue
        others = " and ".join(str(n) for n in group.numbers if n != one.number)
        if group.same_seed:
            st.info(
                f"Round {others} has the same settings, data and seed. On one machine both should be equal; where their scores "
                "differ, it is chance of the hardware and means nothing.",
                icon=":material/content_copy:",
            )
        else:
            st.info(
                f"Round {others} differs from it in the seed alone. Where their scores differ, it is luck: take no difference "
                "between rounds seriously that is not larger.",
                icon=":material/casino:",
            )


def _note(one: Round) -> None:
    key = f"note-{one.run.id}"

    def keep() -> None:
        rounds.note(one.run.id, st.session_state[key])

    st.text_area(
        "Notes", one.run.note, key=key, on_change=keep, placeholder="What did you want to find out, and what came of it?",
        max_chars=rounds.NOTE_LENGTH, height=80,
    )  # fmt: skip


def _marks(one: Round) -> None:
    found = rounds.marks(one)
    rows = [("Seed", str(found.seed)), ("Rows", found.rows), ("Split", found.split)]
    if found.device:
        threads = f", {found.threads} thread{'s' * (found.threads != 1)}" if found.threads else ""
        rows.append(("Computed on", f"{found.device}, {found.precision}{threads}"))
    if found.versions:
        rows.append(("Libraries", ", ".join(f"{name} {version}" for name, version in found.versions.items())))
    parts.table(["", ""], [[escape(name), f'<span class="tw-wrap">{escape(said)}</span>'] for name, said in rows])
    st.caption(
        "The hashes name the content of the rows and of the split: where they are equal, the data is. Equal settings, data, "
        "seed, versions and threads give the same model on one machine with a processor alone."
    )
