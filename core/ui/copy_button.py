"""A small button that puts a text on the clipboard. The text is handed over as data and never becomes HTML."""

from __future__ import annotations

from functools import cache
from typing import Any

import streamlit as st


def copy_button(text: str, key: str, what: str = "the answer") -> None:
    """`what` completes the button's name for screen readers and its tooltip: Copy `what`."""
    _component()(key=key, data={"text": text, "label": f"Copy {what}"}, width="content", height="content")


@cache
def _component() -> Any:
    return st.components.v2.component("tunewell_copy", html=_HTML, css=_CSS, js=_JS)


_HTML = '<button type="button"><span aria-hidden="true"></span><b role="status"></b></button>'
_CSS = """
button {
  display: inline-flex; align-items: center; gap: 0.35rem; min-height: 2rem; padding: 0 0.35rem; border: 0; border-radius: 6px;
  background: none; color: inherit; opacity: 0.75; font: inherit; font-size: 0.84rem; cursor: pointer;
}
button:hover, button:focus-visible { opacity: 1; color: var(--st-primary-color, inherit); }
button:focus-visible { outline: 2px solid var(--st-primary-color, currentcolor); outline-offset: 1px; }
b { font-weight: 400; }
span { position: relative; display: block; width: 0.95rem; height: 1.05rem; }
span::before, span::after {
  content: ""; position: absolute; width: 0.6rem; height: 0.7rem; border: 1.5px solid currentcolor; border-radius: 3px;
}
span::before { left: 0.25rem; top: 0; border-bottom: 0; border-left: 0; }
span::after { left: 0; top: 0.25rem; }
"""
# A page that is not served by https or this machine has no clipboard of its own: there the old way is taken.
_JS = """export default function ({ parentElement, data }) {
  const button = parentElement.querySelector("button");
  button.title = data.label;
  button.setAttribute("aria-label", data.label);
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(data.text);
    } catch (error) {
      const area = document.createElement("textarea");
      area.value = data.text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
      button.focus();
    }
    const said = button.querySelector("b");
    said.textContent = "Copied";
    window.setTimeout(() => { said.textContent = ""; }, 2000);
  };
}"""
