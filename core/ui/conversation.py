"""How a conversation becomes a text: system prompt, which answers are learned, and the chat template with its checks."""

from __future__ import annotations

import streamlit as st

from core.schemas.errors import UserError
from core.schemas.plan import PreparationPlan
from core.services import tokens
from core.store.tables import Project

from . import parts
from .markup import plain

ICONS = {"good": ":material/check_circle:", "warning": ":material/warning:", "error": ":material/error:"}
COLOURS = {"good": "green", "warning": "orange", "error": "red"}
FIELDS = PreparationPlan.model_fields


def conversation_panel(project: Project, plan: PreparationPlan) -> tuple[PreparationPlan, str]:
    """Draw the settings. Returns the plan with them, and why it may not be saved (an empty string: it may)."""
    system = st.text_input(
        "System prompt (optional)", plan.system_prompt, max_chars=4000, help=FIELDS["system_prompt"].description
    )
    with st.expander("Advanced: what is learned, and the chat template", icon=":material/tune:"):
        left, right = st.columns(2)
        answers_only = left.toggle("Learn the answers only", plan.answers_only, help=FIELDS["answers_only"].description)
        last = right.toggle(
            "Of several answers learn only the last",
            plan.turns == "last",
            help=FIELDS["turns"].description,
            disabled=not answers_only,
        )
        changed = plan.model_copy(
            update={
                "system_prompt": system,
                "answers_only": answers_only,
                "turns": "last" if last else "all",
                "chat_template": _editor(project, plan),
            }
        )
    return changed, _checked(project, changed)


def _editor(project: Project, plan: PreparationPlan) -> str:
    """The template's text; an empty string where it is the model's own."""
    own = tokens.own_template(project)
    key = f"template-{project.id}-{project.base_model_key}"
    st.session_state.setdefault(key, plan.chat_template or own)

    def restore() -> None:
        st.session_state[key] = own

    text = st.text_area("Chat template", key=key, height=220, max_chars=100_000, help=parts.term("chat template"))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button("Use the model's own", on_click=restore, disabled=text == own, icon=":material/undo:")
        st.caption("Written in Jinja. Press Ctrl+Enter to see what a change does to the tokens below.")
    return "" if text == own or not text.strip() else text


def _checked(project: Project, plan: PreparationPlan) -> str:
    """Show what the check found. A wrong edited template blocks saving; of the model's own a person is only told."""
    edited = bool(plan.chat_template)
    try:
        found = tokens.check_template(project, plan)
    except UserError as error:
        if not edited:
            raise
        parts.show_error(error)
        return error.title
    wrong = [v for v in found if v.level == "error"]
    if not edited and not any(v.level != "good" for v in found):
        st.caption(f"{ICONS['good']} The chat template was checked: {len(found)} of {len(found)} checks passed.")
        return ""
    with st.container(border=True):
        st.markdown("**What training would see**")
        for verdict in found:
            st.markdown(f":{COLOURS[verdict.level]}[{ICONS[verdict.level]}] **{plain(verdict.title)}**")
            if verdict.level != "good":
                st.caption(plain(verdict.cause))
                st.caption(f"What to do: {plain(verdict.fix)}")
    if wrong and plan.system_prompt and wrong[0].title.startswith("The system prompt"):
        return wrong[0].title
    return wrong[0].title if wrong and edited else ""
