"""Ask for samples: which prompts, whose answers, what is asked of the person, and how the answers are written."""

from __future__ import annotations

import streamlit as st

from core.data import prompt_templates
from core.data.statistics import decisive_votes, margin
from core.schemas.predictor import Decoding
from core.schemas.reviews import AGAIN, REASONS, REFERENCE, RUBRICS, Contender, Mode, ReviewSpec, Rubric, Source
from core.services import health_inputs, review_prompts, reviews
from core.store.tables import Project, Run

from . import parts
from .real_texts import KINDS

HEAT = "0 takes the likeliest word each time, which makes small models repeat themselves; higher is freer."
MODES: dict[Mode, str] = {"pairs": "Two answers side by side", "single": "One answer at a time (thumbs)"}
EXAMPLE = "Write a reply to a customer who {problem}."
SAMPLED = 0.8  # temperature where the same model answers twice


def usual_heat(run: Run) -> float:
    """A question has an answer, so its likeliest words are taken; a free text would go in circles that way."""
    return 0.7 if run.task == "completion" else 0.0


def generate_form(project: Project, run: Run, *, expanded: bool, title: str = "New samples") -> None:
    """Draw the form and queue the generation."""
    with st.expander(title, expanded=expanded, icon=":material/edit_note:"), parts.guard():
        options = review_prompts.offered(project, run)
        source = st.radio("Prompts", options, format_func=review_prompts.SOURCES.__getitem__, key=f"source-{run.id}")
        texts, templates, values = _written(run, source)
        mode, chosen, count, each = _who(run, source, len(texts))
        rubrics, reasons = _asked(run)
        decoding = _decoding(run, AGAIN in {c.key for c in chosen})
        enough = len(chosen) >= (2 if mode == "pairs" else 1)
        number = len(texts) if source == "own" else count
        if enough and number:
            st.caption(_rule(mode, number, each))
        elif not enough:
            st.caption(":material/info: Choose at least two whose answers are compared.")
        ready = enough and (source != "own" or bool(texts)) and (source != "templates" or bool(templates))
        if st.button("Write samples", type="primary", disabled=not ready, key=f"write-{run.id}"):
            spec = ReviewSpec(
                mode=mode,
                contenders=tuple(chosen),
                source=source,
                texts=tuple(texts),
                templates=tuple(templates),
                values=values,
                rubrics=rubrics,
                reasons=reasons,
                count=count,
                pairs_each=each,
                seed=len(reviews.sets(run)),
            )
            reviews.submit(run, spec, decoding)
            st.query_params.pop("review", None)
            st.rerun()


def _written(run: Run, source: Source) -> tuple[list[str], list[str], dict[str, tuple[str, ...]]]:
    """What the person writes for this source: own prompts, or templates with the values of their slots."""
    if source == "own":
        typed = reviews.own_prompts(st.text_area("Your prompts, one a line", height=140, key=f"prompts-{run.id}"))
        given = st.file_uploader("Or a file of prompts", KINDS, key=f"prompt-file-{run.id}")
        if given is not None:
            typed += health_inputs.read_texts(given.name, given.getvalue(), "prompt")
        return typed, [], {}
    if source != "templates":
        return [], [], {}
    templates = reviews.own_prompts(
        st.text_area(
            "Templates, one a line; what stands in braces is filled in",
            EXAMPLE,
            height=100,
            key=f"templates-{run.id}",
        )
    )
    values: dict[str, tuple[str, ...]] = {}
    for slot in prompt_templates.slots(templates):
        given_values = st.text_area(
            f"Values for {parts.plain(slot)}, one a line", height=110, key=f"slot-{run.id}-{slot}"
        )
        values[slot] = tuple(dict.fromkeys(reviews.own_prompts(given_values)))
    total = prompt_templates.combinations(templates, values)
    if total:
        some = prompt_templates.filled(templates, values, 2, 0)
        st.caption(f"{total:,} different prompts, for example: {parts.plain('; '.join(some))}")
        return [], templates, values
    return [], [], values


def _who(run: Run, source: Source, own: int) -> tuple[Mode, list[Contender], int, int]:
    mode = st.segmented_control(
        "How to judge", list(MODES), format_func=MODES.__getitem__, default="pairs", required=True, key=f"mode-{run.id}"
    )
    everyone = {c.key: c for c in reviews.contenders(run)}
    if source not in ("validation", "new"):
        everyone.pop(REFERENCE)
    usual = [c.key for c in reviews.usual(run)]
    keys = st.multiselect(
        "Whose answers (shown without names)",
        list(everyone),
        default=usual if mode == "pairs" else usual[:1],
        format_func=lambda key: everyone[key].title,
        key=f"who-{run.id}-{mode}-{source}",
        help="The first is compared with each of the others. From three on there is an order of all.",
    )
    left, right = st.columns(2)
    count = 50
    if source == "own":
        left.caption(f"{own:,} prompts")
    else:
        count = int(left.number_input("Prompts", 5, 2000, 50, key=f"count-{run.id}"))
    most = len(keys) * (len(keys) - 1) // 2
    each = 1
    if mode == "pairs" and most > 1:
        each = int(
            right.number_input(
                "Pairs for each prompt",
                1,
                min(6, most),
                1,
                key=f"each-{run.id}-{most}",
                help="Of more than two, each prompt shows one pair after the other; all pairs come equally often.",
            )
        )
    return mode, [everyone[key] for key in keys], count, each


def _rule(mode: Mode, count: int, each: int) -> str:
    if mode == "single":
        return f"{count:,} answers to judge."
    votes = max(1, count * each)
    sure = next((rate for rate in (0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.9) if decisive_votes(rate) <= votes), None)
    finds = (
        f"enough to find a preference of {100 * sure:.0f} in 100 four times in five"
        if sure
        else "too few to find any but an overwhelming preference"
    )
    return (
        f"{votes:,} pairs to judge, a tenth of them twice with the sides swapped: good to ±{100 * margin(votes):.0f} points, "
        f"{finds}. The number is fixed now."
    )


def _asked(run: Run) -> tuple[tuple[Rubric, ...], tuple[str, ...]]:
    """Rubrics and reasons, as they were the last time."""
    earlier = reviews.sets(run)
    spec = reviews.spec_of(earlier[0]) if earlier else None
    with st.popover("What is asked", icon=":material/tune:"):
        lines = "\n".join(f"{r.title}: {r.help}".rstrip(": ") for r in (spec.rubrics if spec else RUBRICS))
        typed = st.text_area(
            "Rated from 1 to 5, one a line (name: what it means)", lines, height=150, key=f"rub-{run.id}"
        )
        words = "\n".join(spec.reasons if spec else REASONS)
        reasons = st.text_area("Reasons to choose from, one a line", words, height=150, key=f"why-{run.id}")
    return rubrics_of(typed), tuple(dict.fromkeys(reviews.own_prompts(reasons)))


def rubrics_of(text: str) -> tuple[Rubric, ...]:
    """One rubric a line, "name: what it means"."""
    known = {r.title: r.key for r in RUBRICS}
    found: dict[str, Rubric] = {}
    for line in reviews.own_prompts(text):
        title, _, meaning = line.partition(":")
        if title.strip():
            key = known.get(title.strip(), "-".join(title.casefold().split()))
            found.setdefault(key, Rubric(key=key, title=title.strip(), help=meaning.strip()))
    return tuple(found.values())


def _decoding(run: Run, again: bool) -> Decoding:
    left, middle, right = st.columns(3)
    length = left.number_input("Longest answer (tokens)", 8, 2048, 80, key=f"longest-{run.id}")
    heat = middle.slider(
        "Temperature", 0.0, 1.5, SAMPLED if again else usual_heat(run), 0.1, help=HEAT, key=f"heat-{run.id}-{again}"
    )
    seed = right.number_input("Seed", 0, 10**6, 0, help=parts.term("seed"), key=f"seed-{run.id}")
    return Decoding(max_new_tokens=int(length), temperature=float(heat), top_p=0.95 if heat else 1.0, seed=int(seed))
