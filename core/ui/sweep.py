"""A sweep on the Hyperparameters screen: choose what to try, watch it, read what mattered, use the best settings."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st
from pydantic import ValidationError

from core.data import search
from core.schemas.errors import UserError
from core.schemas.recipe import Recipe
from core.schemas.studies import Search, SweepPlan
from core.services import dry_run, recipes, seeds, studies, sweeps
from core.store.tables import Project, Study

from . import charts, jobs, parts
from .recipe import duration
from .trials import METRICS, in_words, metric_words, scores_plot, setting_title, trials_table

REFRESH_SECONDS = 2.0
MANY = 20  # finished rounds from which an importance is more than a hint


def sweep_panel(project: Project, recipe: Recipe, key: str) -> None:
    """What a sweep of this project is doing or found; below it, or alone, the form of the next one."""
    st.caption(
        "Trains several rounds with different settings. A search learns from each round what to try next, and poor rounds are "
        "stopped early. It goes on when you close the browser.",
        help=parts.term("sweep"),
    )
    made = studies.of_project(project.id, sweeps.KIND)
    if made and (job := sweeps.job_of(made[0])) is not None and not job.state.final:
        _live(project, made[0].id, key)
        return
    with st.expander("Begin a sweep", icon=":material/tune:", expanded=not made):
        _form(project, recipe, key)
    if made:
        chosen = made[0]
        if len(made) > 1:
            by_id = {s.id: s for s in made}
            number = {s.id: len(made) - i for i, s in enumerate(made)}
            chosen = by_id[
                st.selectbox("Sweep", list(by_id), format_func=lambda i: f"Sweep {number[i]}", key=f"{key}-sweep")
            ]
        _result(project, recipe, chosen, key)


def _form(project: Project, recipe: Recipe, key: str) -> None:
    able = sweeps.searchable(recipe)
    names = st.multiselect(
        "Settings to try", able, ["learning_rate"], format_func=setting_title, key=f"{key}-sweep-names",
        help="Two or three at a time: each one more needs many more rounds.",
    )  # fmt: skip
    ranges = [_range(recipe, name, key) for name in names]
    filled = parts.form(SweepPlan, {}, "all", f"{key}-sweep-plan")
    if filled.model is None or not all(ranges) or not names:
        st.caption("Choose at least one setting; the lowest value must be below the highest.")
        return
    plan = filled.model.model_copy(update={"search": tuple(r for r in ranges if r)})
    one = dry_run.estimate(project, recipe).seconds
    most = min(one * plan.runs, 60 * plan.minutes + one) if plan.minutes else one * plan.runs
    st.caption(f"About {duration(most)} at most: one round with the settings of the form takes about {duration(one)}.")
    if st.button("Start the sweep", type="primary", icon=":material/play_arrow:"):
        with parts.guard():
            sweeps.start(project, recipe, plan)
            st.rerun()


def _range(recipe: Recipe, name: str, key: str) -> Search | None:
    """Lowest and highest value of one setting."""
    given = search.around(recipe, name)
    whole = given.scale in ("whole", "doubling")
    left, right = st.columns(2)
    ends = []
    for column, label, value in ((left, "from", given.low), (right, "to", given.high)):
        # The key holds the suggestion: when the form above changes, the range follows.
        known = f"{key}-sweep-{name}-{label}-{value:g}"
        title = f"{setting_title(name)}, {label}"
        if whole:
            ends.append(float(column.number_input(title, 1, value=int(value), step=1, key=known)))
        else:
            typed = column.text_input(title, parts.number_text(value), key=known)
            try:
                ends.append(float(typed))
            except ValueError:
                column.error("Enter a number, for example 0.1 or 2e-5.")
                return None
    if given.scale == "doubling":
        st.caption(f"{setting_title(name)} is tried in powers of two within this range.")
    try:
        return Search(name=name, scale=given.scale, low=ends[0], high=ends[1])
    except ValidationError as error:
        st.error(f"{parts.sentence(error.errors()[0])}")
        return None


@st.fragment(run_every=REFRESH_SECONDS)
@parts.guard()
def _live(project: Project, study_id: str, key: str) -> None:
    study = studies.get(study_id)
    job = sweeps.job_of(study) if study else None
    if study is None or job is None or job.state.final:
        st.rerun()
    assert study is not None and job is not None
    found = studies.looks(study)
    with st.container(border=True):
        left, right = st.columns([5, 1], vertical_alignment="center")
        share = min(1.0, job.done / job.total) if job.total else 0.0
        left.progress(share, text=f"**Sweep** · {job.phase or 'Waiting for the worker'} · {len(found)} of at most "
                      f"{sweeps.plan_of(study).runs} rounds begun")  # fmt: skip
        if right.button("Stop", key=f"stop-sweep-{study.id}", width="stretch", help="What is done is kept."):
            sweeps.stop(study)
    jobs.warn_without_worker()
    _figures(study, found, key)


def _figures(study: Study, found: list[studies.Look], key: str) -> None:
    best = studies.best(study, found)
    if any(x.outcome and x.outcome.score is not None for x in found):
        st.markdown(f"**Each try and its {metric_words(study)}**")
        scores_plot(study, found, f"{key}-scores-{study.id}")
    else:
        st.caption("The plot comes with the first round that has ended.")
    trials_table(study, found, best)


def _result(project: Project, recipe: Recipe, study: Study, key: str) -> None:
    job, found = sweeps.job_of(study), studies.looks(study)
    if job is not None and job.error:
        parts.show_error(UserError.from_dict(job.error))
    _figures(study, found, key)
    best = studies.best(study, found)
    if best is None or best.outcome is None or best.outcome.score is None:
        st.info("No round ran to its end, so there is no best one.", icon=":material/info:")
        return
    _importances(study, found, key)
    rows = (best.run.summary or {}).get("examples", {}).get("validation")
    basis = f" on n = {rows:,} validation rows" if rows else ""
    score = f"{METRICS[studies.metric(study)]} {best.outcome.score:.4g}{basis}"
    st.info(
        f"**Best: round {best.run.number}** with {in_words(best.trial.values)}: {score}. {_luck(project, study, found, best)}",
        icon=":material/school:",
    )
    st.caption(
        f"The best of {len(found)} tries looks a little better than it is, for it was chosen by this very figure. How good it "
        "really is, the evaluation says."
    )
    wanted = search.applied(recipe, best.trial.values)

    def take() -> None:
        recipes.keep_draft(project, wanted)
        parts.fill(Recipe, wanted.model_dump(), key)

    used = wanted == recipe
    st.button(
        "These settings are in the form" if used else "Use these settings", type="primary", on_click=take, disabled=used,
        key=f"{key}-take-{study.id}",
    )  # fmt: skip


def _luck(project: Project, study: Study, found: list[studies.Look], best: studies.Look) -> str:
    """Whether the best is ahead of the first round, the settings it began with, by more than the seed alone explains."""
    first = found[0].outcome
    if first is None or first.score is None or best.outcome is None or best.outcome.score is None or best is found[0]:
        return "" if best is not found[0] else "These are the settings that the sweep began with: nothing beat them."
    ahead = abs(best.outcome.score - first.score)
    luck = seeds.luck(project.id, best.run.id, studies.metric(study))
    if luck is None or luck.luck is None:
        return f"It is {ahead:.3g} ahead of the first try. Whether that is more than luck, “How much is luck” can say."
    by_seed = f"the luck of the seed (up to {luck.luck:.3g}, from n = {luck.n} repeats)"
    if ahead <= luck.luck:
        return f"It is {ahead:.3g} ahead of the first try: smaller than {by_seed}, so it may be no better."
    return f"It is {ahead:.3g} ahead of the first try: more than {by_seed}."


def _importances(study: Study, found: list[studies.Look], key: str) -> None:
    n = len([x for x in found if x.outcome and x.outcome.state == "done"])
    st.markdown("**What mattered**", help=parts.term("importance"))
    shares = sweeps.importances(study, found)
    if not shares:
        few = f"at least {search.FEWEST_FOR_IMPORTANCE} finished rounds with different scores and two settings"
        st.caption(f"What mattered can be told from {few}; here are n = {n} finished rounds.")
        return
    names = list(shares)[::-1]
    figure = go.Figure()
    figure.add_bar(
        x=[100 * shares[name] for name in names], y=[setting_title(name) for name in names], orientation="h",
        text=[f"{shares[name]:.0%}" for name in names], marker={"color": charts.COLOURS[0]},
    )  # fmt: skip
    figure.update_xaxes(title="share of the differences in score (%)", range=[0, 108])
    figure.update_layout(height=90 + 45 * len(names))
    charts.show(figure, f"{key}-mattered-{study.id}")
    hint = " So few rounds give no more than a hint." if n < MANY else ""
    st.caption(
        f"From n = {n} finished rounds, within the ranges that were tried; rounds stopped early do not count.{hint}"
    )
