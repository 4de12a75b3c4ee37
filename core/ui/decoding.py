"""How an answer is drawn: three presets for everybody, and each setting with one sentence for who wants to know."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.schemas.predictor import Decoding
from core.store.tables import Run

from .review_form import usual_heat

PRESETS: dict[str, dict[str, float]] = {
    "Same answer each time": {"temperature": 0.0, "top_p": 1.0, "repetition_penalty": 1.0},
    "Balanced": {"temperature": 0.7, "top_p": 0.9, "repetition_penalty": 1.1},
    "Lively": {"temperature": 1.1, "top_p": 0.95, "repetition_penalty": 1.1},
}
HELP = {
    "temperature": "How daring the choice of each next word is: 0 always takes the likeliest one, so the same question gets the "
    "same answer; from about 1 on answers become surprising, and then wrong.",
    "top_p": "Only the likeliest words that together make up this share may be drawn, so that lower values leave out odd words; "
    "at temperature 0 it does nothing.",
    "repetition_penalty": "How strongly words that were already used are avoided: 1 not at all, 1.1 to 1.3 helps a model that "
    "repeats itself, and more makes sentences strange.",
    "max_new_tokens": "The answer is cut after this many tokens (a token is a word or a piece of one); longer takes longer.",
    "seed": "The number that luck starts from: the same seed and settings give the same answer again, another one a different "
    "answer.",
}


def usual(run: Run) -> Decoding:
    """What a first visit begins with."""
    preset = PRESETS["Balanced" if usual_heat(run) else "Same answer each time"]
    return Decoding(max_new_tokens=80, **preset)


def preset_of(decoding: Decoding) -> str | None:
    """The preset with these values, if there is one."""
    return next((n for n, p in PRESETS.items() if all(getattr(decoding, k) == v for k, v in p.items())), None)


def decoding_form(run: Run, before: Decoding) -> Decoding:
    """Draw the settings with these values at first; returns what they are now."""
    held: dict[str, Any] = st.session_state.setdefault(f"play-decoding-{run.id}", before.model_dump())

    def key(name: str) -> str:
        return f"play-{name}-{run.id}"

    def take(name: str) -> None:
        held[name] = st.session_state[key(name)]

    def take_preset() -> None:
        if chosen := st.session_state.get(key("preset")):
            held.update(PRESETS[chosen])

    # Streamlit forgets a field that is not drawn; what it held is kept aside and put back before it is drawn again.
    for name in HELP:
        st.session_state[key(name)] = held[name]
    st.session_state[key("preset")] = preset_of(Decoding(**held))
    st.segmented_control("Answers", list(PRESETS), key=key("preset"), on_change=take_preset)
    left, middle, right = st.columns(3)
    left.slider(
        "Temperature", 0.0, 2.0, step=0.1, key=key("temperature"), help=HELP["temperature"],
        on_change=take, args=("temperature",),
    )  # fmt: skip
    middle.slider(
        "Top-p", 0.05, 1.0, step=0.05, key=key("top_p"), help=HELP["top_p"], on_change=take, args=("top_p",),
        disabled=held["temperature"] == 0,
    )  # fmt: skip
    right.slider(
        "Repetition penalty", 1.0, 2.0, step=0.05, key=key("repetition_penalty"), help=HELP["repetition_penalty"],
        on_change=take, args=("repetition_penalty",),
    )  # fmt: skip
    left, middle, _ = st.columns(3)
    left.number_input(
        "Longest answer (tokens)", 8, 2048, key=key("max_new_tokens"), help=HELP["max_new_tokens"],
        on_change=take, args=("max_new_tokens",),
    )  # fmt: skip
    middle.number_input(
        "Seed", 0, 10**6, key=key("seed"), help=HELP["seed"], on_change=take, args=("seed",),
        disabled=held["temperature"] == 0,
    )  # fmt: skip
    return Decoding(**held)
