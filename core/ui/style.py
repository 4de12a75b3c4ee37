"""The stylesheet of our own HTML (assets/kit.css), fed with the theme's colours from .streamlit/config.toml."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_SHEET = Path(__file__).parent / "assets" / "kit.css"
# For st.set_page_config(page_icon=str(ICON)) and st.logo. A ":material/...:" page icon is fetched from the network.
ICON = Path(__file__).parent / "assets" / "icon.svg"
_COLOURS = ("red", "orange", "green", "blue", "violet", "gray")


def apply() -> None:
    """Put the stylesheet on the page: once in each run, in app.py, before anything of this kit is drawn.

    Streamlit gives its colours as CSS variables only to components, not to `st.html`. `light-dark()` picks the side by
    the `color-scheme` that Streamlit sets on the app, which is right from the first moment on. Dialogs and popovers lie
    outside of it, beside the app: they get theirs from `st.context.theme`, right from the next run on after a change.
    """
    scheme = st.context.theme.type or "light dark"
    sheet = _SHEET.read_text(encoding="utf-8")
    st.html(f"<style>:root{{color-scheme:{scheme};{_variables()}}}\n{sheet}</style>")


def _variables() -> str:
    options = {"accent": "linkColor", "line": "borderColor", "panel": "secondaryBackgroundColor"}
    for colour in _COLOURS:
        for suffix, option in (("", "Color"), ("-text", "TextColor"), ("-soft", "BackgroundColor")):
            options[colour + suffix] = colour + option
    return "".join(
        f"--tw-{name}:light-dark({_colour('light', o)},{_colour('dark', o)});" for name, o in options.items()
    )


def _colour(side: str, option: str) -> str:
    return str(st.get_option(f"theme.{side}.{option}") or "currentcolor")
