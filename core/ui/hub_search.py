"""Look for a model on the hub from the Base model screen: what is wanted, what was found, and a button that fetches it."""

from __future__ import annotations

import streamlit as st

from core.data import licences
from core.schemas.families import FAMILIES
from core.schemas.hub import HubFound, HubModel, HubQuery
from core.services import fetching, hub_search
from core.services.advice import LANGUAGES, language_name
from core.store.tables import Project
from core.tasks import registry as tasks

from . import parts, screens
from .models import COLOURS, size

KINDS = {
    "text-generation": "Writes text",
    "fill-mask": "Reads text",
    "text2text-generation": "Turns a text into another",
    "text-classification": "Already sorts texts",
    "": "Any kind",
}
SIZES = {
    "": "Any size",
    "0-100": "Up to 100 million",
    "0-500": "Up to 500 million",
    "0-2000": "Up to 2 billion",
    "2000-10000": "2 to 10 billion",
    "10000-0": "Over 10 billion",
}  # in millions of parameters
LICENCES = [
    "",
    "apache-2.0",
    "mit",
    "bsd-3-clause",
    "cc-by-4.0",
    "cc-by-sa-4.0",
    "cc0-1.0",
    "openrail",
    "gemma",
    "llama3.2",
]
SORTS = {"downloads": "Most downloaded", "likes": "Most liked", "last_modified": "Newest"}


def hub_search_panel(project: Project) -> None:
    """The search with its filters. What was found stays until the next search of this session."""
    st.caption(
        ":material/cloud_upload: Only when you press Search do these words and filters go to the hub (huggingface.co), and only "
        "when you press Fetch does a model come. Nothing of your data leaves this machine."
    )
    key = f"hub-{project.id}"
    with st.form(f"{key}-form", border=False):
        text, kind = st.columns([3, 2])
        words = text.text_input("Words in the name", placeholder="for example: bert, qwen, legal", max_chars=100)
        family = tasks()[project.task].family if project.task else "causal-lm"
        likely = (
            "text2text-generation" if FAMILIES[family].pairs else "" if FAMILIES[family].reads else "text-generation"
        )
        pipeline = kind.selectbox("What it does", list(KINDS), list(KINDS).index(likely), format_func=KINDS.__getitem__)
        language, licence, sizes, sort = st.columns(4)
        chosen_language = language.selectbox(
            "Language", ["", *LANGUAGES], format_func=lambda code: language_name(code) if code else "Any language"
        )
        chosen_licence = licence.selectbox(
            "Licence",
            LICENCES,
            format_func=lambda name: licences.explain(name).title if name else "Any licence",
            help=parts.term("licence"),
        )
        chosen_size = sizes.selectbox("Size", list(SIZES), format_func=SIZES.__getitem__, help=parts.term("parameter"))
        chosen_sort = sort.selectbox("First", list(SORTS), format_func=SORTS.__getitem__)
        pressed = st.form_submit_button("Search the hub", icon=":material/travel_explore:")
    if pressed:
        smallest, _, largest = chosen_size.partition("-")
        query = HubQuery(
            text=words,
            pipeline=pipeline,
            language=chosen_language,
            licence=chosen_licence,
            smallest=int(smallest or 0) * 1_000_000,
            largest=int(largest or 0) * 1_000_000,
            sort=chosen_sort,
        )
        st.session_state.pop(key, None)
        with parts.guard(), st.spinner("Asking the hub"):
            st.session_state[key] = hub_search.search(query)
    found: HubFound | None = st.session_state.get(key)
    if found is not None:
        _results(project, found)


def _results(project: Project, found: HubFound) -> None:
    st.caption(_counted(found))
    if not found.models:
        st.info("No model fits. Use fewer words, or take a filter away.", icon=":material/search_off:")
        return
    token = st.text_input(
        "Access token (only for gated models)", type="password", help="Used once, never stored.", key="hub-token"
    )
    for model in found.models:
        _result(project, model, token)


def _counted(found: HubFound) -> str:
    shown = f"{len(found.models):,} models with safe weights shown, of {found.looked_at:,} that the hub named"
    shown += f"; {found.left_out:,} did not have the size, or did not say it" if found.left_out else ""
    return f"{shown}. {'It has more: be more exact to see others.' if found.more else 'These are all.'}"


def _result(project: Project, model: HubModel, token: str) -> None:
    reason, fit = hub_search.unfit_for(project, model), hub_search.rough_fit(project, model)
    with st.container(border=True):
        left, right = st.columns([5, 1], vertical_alignment="top")
        with left:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(f"**{parts.plain(model.name)}**", width="content")
                if reason:
                    st.badge("not for this task", color="red")
                elif fit is not None:
                    st.badge(fit.verdict, color=COLOURS[fit.verdict], help="By its size alone.")  # type: ignore[arg-type]
                if model.gated:
                    st.badge("gated", icon=":material/lock:", color="orange", help=parts.term("gated model"))
            weights = f"{size(model.parameters)} parameters" if model.parameters else "size not stated"
            known = ", ".join(language_name(code) for code in model.languages[:6]) or "languages not stated"
            more = f" and {len(model.languages) - 6} more" if len(model.languages) > 6 else ""
            st.caption(
                f"{weights} · {parts.plain(known)}{more} · {model.downloads:,} downloads a month · {model.likes:,} likes"
                + (f" · changed {model.changed}" if model.changed else "")
            )
            licence = licences.explain(model.licence)
            st.caption(f"{parts.plain(licence.title)}: {licence.words}")
            if reason:
                st.caption(f":material/warning: {reason}")
        if right.button("Fetch", key=f"fetch-{model.name}", disabled=bool(model.unusable), width="stretch"):
            with parts.guard():
                job = fetching.submit(project.id, model.name, model.commit or "main", token.strip())
                screens.go("model", job=job)
