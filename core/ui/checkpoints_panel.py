"""What happened in a run, in words, and its checkpoints: how good each was, what it takes, and a switch that keeps it."""

from __future__ import annotations

from datetime import datetime
from html import escape

import streamlit as st

from core.schemas.curves import in_a_sentence
from core.schemas.recipe import Recipe
from core.services import runs, timeline
from core.store.tables import Run

from .parts import table, term


def moments_panel(run: Run) -> None:
    """The moments that are marks on the axis of the curves, newest first."""
    found = timeline.moments(run)
    if not found:
        return
    with st.expander(f"What happened ({len(found)})", icon=":material/history:"):
        rows = [
            [
                f"{m.step:,}",
                escape(datetime.fromtimestamp(m.at).astimezone().strftime("%d %b %H:%M:%S")),
                f'{escape(m.title)}<span class="tw-cell-basis">{escape(m.text)}</span>',
            ]
            for m in reversed(found)
        ]
        table(["Step", "Time", "What"], rows)


def checkpoints_panel(run: Run) -> None:
    """The checkpoints on the disk. Says what was removed and why nothing more will be."""
    found = runs.checkpoints(run.id)
    if not found:
        return
    recipe, best = Recipe.model_validate(run.recipe), timeline.best(run)
    whole = sum(c.bytes for c in found)
    with st.expander(f"Checkpoints ({len(found)}, {_size(whole)})", icon=":material/save:"):
        st.caption(_rule(recipe), help=term("checkpoint budget"))
        metric = in_a_sentence(recipe.best_metric)
        for c in found:
            marks = [
                w for w, said in (("newest", c is found[0]), ("best", best is not None and best.step == c.step)) if said
            ]
            with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
                value = "not evaluated" if c.metric is None else f"{metric} {c.metric:.4g}"
                st.markdown(f"**Step {c.step:,}** · {value} · {_size(c.bytes)}", width="content")
                for mark in marks:
                    st.badge(mark, color="green" if mark == "best" else "gray")
                key = f"pin-{run.id}-{c.step}"
                st.toggle(
                    "Keep",
                    c.pinned,
                    key=key,
                    help=term("pinned checkpoint"),
                    on_change=_pin,
                    args=(run.id, c.step, key),
                )
        gone = [e.data for e in runs.events(run.id) if e.kind in ("removed", "room")]
        if gone:
            count, size = sum(len(d["steps"]) for d in gone), sum(d["bytes"] for d in gone)
            st.caption(f"Removed so far: {count} older checkpoints, {_size(size)}. Their points on the curves stay.")


def _pin(run_id: str, step: int, key: str) -> None:
    runs.pin(run_id, step, bool(st.session_state[key]))


def _rule(recipe: Recipe) -> str:
    newest = "the newest" if recipe.keep_checkpoints == 1 else f"the {recipe.keep_checkpoints} newest"
    limit = f", within {recipe.checkpoint_budget:g} GB together" if recipe.checkpoint_budget else ""
    return f"Kept on the disk: {newest}{limit}; the best, the newest and those that you keep always stay."


def _size(size: int) -> str:
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
