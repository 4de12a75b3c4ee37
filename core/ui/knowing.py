"""How well each model knows the person's texts: the button that measures it, and what was found, on the Base model screen."""

from __future__ import annotations

import streamlit as st

from core.services import datasets, knowing
from core.services.knowing import Known
from core.store.tables import Project

from . import jobs, parts


def knowing_panel(project: Project) -> None:
    """The measurement while it runs; else the button, where there is something to measure."""
    version = datasets.current(project)
    asked = knowing.sample(project, version)
    if asked is None:
        return
    newest = knowing.newest(project.id)
    if newest is not None and newest.state.active:
        jobs.watch(newest.id, "Measuring")
        return
    if newest is not None and newest.error:
        jobs.failed(newest)
    missing = knowing.to_measure(project, version)
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button(
            "Measure how well each model knows your texts",
            icon=":material/psychology:",
            disabled=not missing,
            help=None if missing else "Every model that can be asked was asked about these texts.",
        )
        st.caption(
            f"Each model reads the same {asked.rows:,} rows of yours (never test rows, at most {knowing.CLIP} characters of "
            "each), on this machine. Large models take minutes.",
            help=parts.term("bits per byte"),
        )
    if pressed:
        with parts.guard():
            knowing.submit(project)
            st.rerun()


def known_words(known: Known) -> list[str]:
    """What was found about one model, in sentences."""
    if known.bits is None:
        return [f"How well it knows your texts is not measured. {known.why}"] if known.why else []
    bits = known.bits
    span = f" (95%: {bits.low:.2f} to {bits.high:.2f})" if bits.low is not None and bits.high is not None else ""
    said = f"{bits.value:.2f} bits for a byte of your texts{span}, {bits.n:,} different rows"
    more = known.more
    if known.standing == "best":
        said += ": the lowest of the models measured, so it knows them best"
    elif known.standing == "like the best":
        said += ": no evidence that another one knows them better"
    elif known.standing == "worse" and more is not None:
        said += f": {more.value:.2f} more than the lowest ({more.low:.2f} to {more.high:.2f} more), so it knows them less well"
    words = [f"{said}."]
    if known.lossy > 0:
        words.append(
            f"Its tokenizer cannot write {known.lossy:.0%} of the rows exactly as they are, so that its figure looks better than "
            "it is."
        )
    return words
