"""Seeds repeated on the Hyperparameters screen: how far a result moves when nothing but the seed changes."""

from __future__ import annotations

import streamlit as st

from core.schemas.recipe import Recipe
from core.services import dry_run, seeds, studies
from core.store.tables import Project

from . import jobs, parts
from .recipe import duration
from .trials import METRICS, metric_words, setting_title, trials_table, value_text

REFRESH_SECONDS = 2.0
USUAL = 5


def seeds_panel(project: Project, recipe: Recipe, key: str) -> None:
    """Start the repeats; their spread in words; two recipes against one another."""
    st.caption(
        "Trains the settings of the form several times, each time with another seed. How far the results lie apart is luck; a "
        "smaller difference between two settings says nothing.",
        help=parts.term("luck of the seed"),
    )
    found = seeds.of_project(project.id)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        count = st.number_input("Repeats", seeds.FEWEST, seeds.MOST, USUAL, key=f"{key}-seeds", width=160)
        if st.button("Repeat with other seeds", icon=":material/casino:"):
            with parts.guard():
                seeds.start(project, recipe, int(count))
                st.rerun()
    one = dry_run.estimate(project, recipe).seconds
    st.caption(f"About {duration(one * int(count))} in all: each repeat is a whole round.")
    if not found:
        return
    chosen = found[0]
    if len(found) > 1:
        number = {r.study.id: len(found) - i for i, r in enumerate(found)}
        by_id = {r.study.id: r for r in found}
        picked = st.selectbox(
            "Show", list(by_id), format_func=lambda i: f"Repeats {number[i]}: {_about(by_id[i])}", key=f"{key}-seeds-of"
        )
        chosen = by_id[picked]
    if chosen.active:
        _live(chosen.study.id)
    else:
        _spread(chosen)
    if len(found) > 1:
        _compare(chosen, [r for r in found if r.study.id != chosen.study.id and seeds.comparable(r, chosen)], key)


def _about(one: seeds.Repeated) -> str:
    recipe = Recipe.model_validate(one.study.recipe)
    settings = f"learning rate {recipe.learning_rate:g}, batch size {recipe.batch_size}, {recipe.epochs:g} epochs"
    return f"{len(one.looks)} seeds, {settings}"


@st.fragment(run_every=REFRESH_SECONDS)
@parts.guard()
def _live(study_id: str) -> None:
    study = studies.get(study_id)
    one = seeds.read(study) if study else None
    if one is None or not one.active:
        st.rerun()
    assert one is not None
    ended = sum(1 for look in one.looks if look.outcome)
    with st.container(border=True):
        left, right = st.columns([5, 1], vertical_alignment="center")
        left.progress(ended / len(one.looks), text=f"**Repeats** · {ended} of {len(one.looks)} are done")
        if right.button("Stop", key=f"stop-seeds-{study_id}", width="stretch", help="What is done is kept."):
            seeds.stop(one.study)
    jobs.warn_without_worker()
    _spread(one)


def _spread(one: seeds.Repeated) -> None:
    trials_table(one.study, one.looks, None)
    found, name = one.spread, METRICS[studies.metric(one.study)]
    if found is None:
        st.caption("The spread comes with the first repeats that have ended.")
        return
    if found.sd is None or found.low is None or found.high is None or found.luck is None:
        st.caption(f"One repeat has ended, with {name} {found.mean:.4g} (n = 1). A spread needs two.")
        return
    few = " So few repeats know the spread itself only roughly." if found.n < USUAL else ""
    st.info(
        f"**{metric_words(one.study).capitalize()}** over n = {found.n} seeds: {found.mean:.4g} on average ({found.low:.4g} to "
        f"{found.high:.4g} with 95% confidence), from {found.least:.4g} to {found.most:.4g}, standard deviation {found.sd:.2g} "
        f"(n = {found.n}).\n\nTwo single rounds that lie less than **{found.luck:.2g}** apart may differ by the luck of the seed "
        f"alone.{few}",
        icon=":material/casino:",
    )
    st.caption("Data and split were the same each time. With other validation rows the result would move further.")


def _compare(one: seeds.Repeated, others: list[seeds.Repeated], key: str) -> None:
    """Two recipes, each with its repeats: is the difference larger than the luck?"""
    st.markdown("**Compared with other repeats**")
    if len(one.scores) < seeds.FEWEST:
        st.caption("The comparison comes with the second repeat that has ended.")
        return
    for other in others:
        found = seeds.compare(other, one)
        if found is None:
            continue
        told = [
            f"{setting_title(n).lower()} {value_text(b)} instead of {value_text(a)}"
            for n, (a, b) in seeds.changed(other.study, one.study).items()
        ]
        what = ", ".join(told) or "the same settings"
        sure = f"{found.low:+.3g} to {found.high:+.3g} with 95% confidence, n = {found.n[1]} and {found.n[0]}"
        interval = f"{found.value:+.3g} ({sure})"
        if not found.real:
            st.markdown(
                f"With {what}: {interval}. The difference between the two is smaller than the luck of the seed."
            )
            continue
        better = (found.value > 0) == studies.higher_is_better(one.study)
        st.markdown(
            f"With {what}: {interval}. That is more than the luck of the seed: {'better' if better else 'worse'}."
        )
    if not others:
        st.caption(
            "Other repeats were made on other rows, with another model or by another figure: they cannot be compared."
        )
