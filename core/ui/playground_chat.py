"""Chat with one or two models beside each other: several turns, a system prompt, and a conversation that is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from core.schemas.chat import LONGEST_QUESTION, ChatSettings
from core.schemas.families import FAMILIES
from core.schemas.jobs import Job
from core.services import answering, conversations, playground
from core.store.tables import Conversation, Run
from core.tasks import registry as tasks

from . import parts
from .decoding import decoding_form, usual
from .errors import guard
from .playground_turns import judged_note, turns_panel

HEIGHT = 520  # pixels of the conversation, which scrolls by itself
SHORT = 2  # turns that need no box of their own


@st.fragment
@guard()
def chat_panel(run: Run, job: Job | None, models: Sequence[str]) -> None:
    """The conversation that is open, and what to ask next. Without a job it can be read, but nothing can be asked."""
    conversation = opened(run, models)
    settings = _settings(run, conversation) if job else None
    # Each part keeps its place, whatever the others hold: nothing is taken for something else while it is drawn anew.
    said, below, asking, more = (st.container() for _ in range(4))
    if conversation is not None and conversation.turns:
        tall = len(conversation.turns) > SHORT
        with said.container(height=HEIGHT if tall else "content", autoscroll=tall or None, border=tall):
            turns_panel(run, conversation)
        with below:
            judged_note(run, conversation)
    elif job and settings:
        with said:
            st.caption("Ask both the same and compare." if len(models) > 1 else "Ask it something.")
            _suggestions(run, job, models, settings)
    if job and settings:
        with asking:
            _ask(run, job, models, conversation, settings)
    with more:
        _more(run, conversation)


@st.fragment
@guard()
def complete_panel(run: Run, job: Job | None, models: Sequence[str]) -> None:
    """Texts to go on with, or to turn into others: each asked by itself, the newest first."""
    conversation = opened(run, models)
    pairs = FAMILIES[tasks()[run.task].family].pairs
    if job:
        settings = _settings(run, conversation)
        with st.form(f"complete-{run.id}", border=False):
            hint = "The text that is to be turned into another" if pairs else "The first words of a text"
            text = st.text_area(
                "Text" if pairs else "Beginning", height=110, placeholder=hint, max_chars=LONGEST_QUESTION,
                key=f"play-text-{run.id}",
            )  # fmt: skip
            if st.form_submit_button("Write" if pairs else "Go on", type="primary") and text.strip():
                conversation = _begin(run, job, models, conversation, settings, text)
    if conversation is not None and conversation.turns:
        turns_panel(run, conversation, continued=not pairs)
        judged_note(run, conversation)
    _more(run, conversation)


# -- which conversation ------------------------------------------------------------------------------------------------


def opened(run: Run, models: Sequence[str]) -> Conversation | None:
    """The conversation of this page: the one that was chosen, else the one used last with these models; None: a new one."""
    chosen = st.session_state.get(_open_key(run))
    if chosen == "new":
        return None
    every = [c for c in conversations.of_run(run) if list(c.models) == list(models)]
    return next((c for c in every if c.id == chosen), every[0] if every else None)


def _open_key(run: Run) -> str:
    return f"play-open-{run.id}"


def models_key(run: Run) -> str:
    """Where the page keeps which models are asked."""
    return f"play-models-{run.id}"


def _begin(
    run: Run, job: Job, models: Sequence[str], conversation: Conversation | None, settings: ChatSettings, asked: str
) -> Conversation:
    """Ask. The job is looked up anew: the models may have been put away since the page was drawn."""
    if conversation is None:
        conversation = conversations.start(run, models, settings)
    place = conversations.ask(conversation.id, asked.strip(), settings)
    answering.begin(conversation.id, place, playground.running(run) or job)
    st.session_state[_open_key(run)] = conversation.id
    return conversations.get(conversation.id)


# -- asking ------------------------------------------------------------------------------------------------------------


def _settings(run: Run, conversation: Conversation | None) -> ChatSettings:
    known = conversations.settings(conversation) if conversation else None
    trained = conversations.trained_prompt(run)
    with st.expander("How it answers", icon=":material/tune:"):
        system = ""
        if tasks()[run.task].conversational:
            key = f"play-system-{run.id}"
            held = f"{key}-held"
            st.session_state[key] = st.session_state.setdefault(held, (known.system if known else "") or trained)

            def take() -> None:
                st.session_state[held] = st.session_state[key]

            system = st.text_area(
                "System prompt", key=key, height=80, max_chars=4000, on_change=take,
                help="A standing instruction that the model reads before every conversation.",
            )  # fmt: skip
            if note := prompt_note(system, trained):
                st.caption(f":material/info: {note}")
        decoding = decoding_form(run, known.decoding if known else usual(run))
    return ChatSettings(system=system, decoding=decoding)


def prompt_note(system: str, trained: str) -> str:
    """How the system prompt stands to the one of the training; empty where it is the same."""
    if system.strip() == trained.strip():
        return ""
    if not system.strip():
        return "Empty: the model gets the system prompt that it was trained with."
    if not trained:
        return "The model was trained without a system prompt: with one it may answer less well."
    return "This is not the system prompt that the model was trained with: it may answer less well."


def _suggestions(run: Run, job: Job, models: Sequence[str], settings: ChatSettings) -> None:
    found = conversations.suggestions(run.id)
    if not found:
        return
    key = f"play-suggested-{run.id}"

    def take() -> None:
        with guard():
            if chosen := st.session_state.get(key):
                _begin(run, job, models, None, settings, chosen)

    st.pills("From your validation rows, which it was not trained on", found, key=key, on_change=take)


def _ask(run: Run, job: Job, models: Sequence[str], conversation: Conversation | None, settings: ChatSettings) -> None:
    """The field for the next question, or for another wording of the last one."""
    busy = conversation is not None and answering.live(conversation.id) is not None
    editing = f"play-editing-{run.id}"
    last = conversations.turns(conversation)[-1].asked if conversation and conversation.turns else ""
    if conversation and last and not busy and st.session_state.get(editing) == conversation.id:

        def close() -> None:
            st.session_state.pop(editing, None)

        _edit(run, job, conversation, settings, last, close)
        return
    key = f"play-ask-{run.id}"

    def ask() -> None:
        asked = str(st.session_state.get(key) or "")
        with guard():
            if asked.strip():
                _begin(run, job, models, conversation, settings, asked)

    st.chat_input("Ask something", key=key, on_submit=ask, disabled=busy, max_chars=LONGEST_QUESTION)
    if not (conversation and last):
        return
    fixed = settings.decoding.temperature == 0

    def again() -> None:
        with guard():
            _again(run, job, conversation, settings)

    def edit() -> None:
        st.session_state[editing] = conversation.id

    with st.container(horizontal=True, gap="small"):
        st.button(
            "Answer again", icon=":material/refresh:", type="tertiary", on_click=again, key=f"play-again-{run.id}",
            disabled=busy,
            help="Asks the last question once more, with another seed."
            + (" At temperature 0 the answer stays the same: choose Balanced or Lively for another one." if fixed else ""),
        )  # fmt: skip
        st.button(
            "Change the last question",
            icon=":material/edit:",
            type="tertiary",
            on_click=edit,
            key=f"play-edit-{run.id}",
            disabled=busy,
        )


def _again(run: Run, job: Job, conversation: Conversation, settings: ChatSettings, asked: str | None = None) -> None:
    place = conversations.ask_again(conversation.id, settings, asked, place=len(conversation.turns) - 1)
    answering.begin(conversation.id, place, playground.running(run) or job)


def _edit(
    run: Run, job: Job, conversation: Conversation, settings: ChatSettings, last: str, close: Callable[[], None]
) -> None:
    key = f"play-edited-{conversation.id}-{len(conversation.turns)}"
    st.session_state.setdefault(key, last)

    def ask() -> None:
        asked = str(st.session_state.get(key) or "").strip()
        with guard():
            if asked:
                close()
                _again(run, job, conversation, settings, asked)

    st.text_area("The last question, asked anew", key=key, height=90, max_chars=LONGEST_QUESTION)
    with st.container(horizontal=True, gap="small"):
        st.button("Ask this instead", type="primary", on_click=ask, key=f"play-edit-ask-{run.id}")
        st.button("Cancel", on_click=close, key=f"play-edit-cancel-{run.id}")


# -- what else can be done with it -------------------------------------------------------------------------------------


def _more(run: Run, conversation: Conversation | None) -> None:
    """A new conversation, files of this one, earlier ones, and deleting."""
    every = conversations.of_run(run)
    if not every:
        return

    def new() -> None:
        st.session_state[_open_key(run)] = "new"

    def delete() -> None:
        with guard():
            if conversation is not None:
                answering.stop(conversation.id)
                conversations.remove(conversation.id)
                st.session_state.pop(_open_key(run), None)

    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if conversation is not None and conversation.turns:
            name = f"conversation-round-{run.number}"
            st.button(
                "New conversation", icon=":material/add:", type="tertiary", on_click=new, key=f"play-new-{run.id}"
            )
            st.download_button(
                "Save as text", lambda: conversations.as_markdown(conversations.get(conversation.id)).encode(), f"{name}.md",
                "text/markdown", key=f"play-md-{run.id}", icon=":material/download:", on_click="ignore", type="tertiary",
                help="The conversation as text (Markdown).",
            )  # fmt: skip
            st.download_button(
                "Save as JSON", lambda: conversations.as_json(conversations.get(conversation.id)).encode(), f"{name}.json",
                "application/json", key=f"play-json-{run.id}", icon=":material/data_object:", on_click="ignore",
                type="tertiary", help="The conversation with all its settings (JSON).",
            )  # fmt: skip
        others = [c for c in every if conversation is None or c.id != conversation.id]
        if others:
            with st.popover("Earlier conversations", icon=":material/history:", type="tertiary"):
                for other in others:
                    _earlier(run, other)
        if conversation is not None and conversation.turns:
            st.button(
                "Delete", icon=":material/delete:", type="tertiary", on_click=delete, key=f"play-delete-{run.id}",
                help="Deletes this conversation. Answers that you judged stay on the Samples screen.",
            )  # fmt: skip


def _earlier(run: Run, other: Conversation) -> None:
    def open_it() -> None:
        st.session_state[_open_key(run)] = other.id
        st.session_state[models_key(run)] = list(other.models)

    names = conversations.choices(run)
    who = ", ".join(names.get(str(m), str(m)) for m in other.models)
    if st.button(
        parts.plain(conversations.title(other)), key=f"play-earlier-{other.id}", on_click=open_it,
        type="tertiary", help=f"{len(other.turns)} questions to {parts.plain(who)}",
    ):  # fmt: skip
        st.rerun()
